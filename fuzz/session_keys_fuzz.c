/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_keys_fuzz.c - opening of packets under a program of bytes: true packets, changed ones,
 * headers of any bytes under a true seal, replays, key changes and garbage, in batches.
 *
 * What must hold: nothing opens twice, what opens is what was sealed under that number, a key
 * change happens only by a packet that opens, and at most one trial is made a packet.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "feed.h"
#include "session/keys.h"
#include "wire/packet.h"

#define MUST(cond) ((cond) ? (void)0 : abort())
#define BATCH 8
#define PACKET_MAX 96
#define STEPS_MAX 100

static struct wf_mem mem = FEED_HEAP;
static struct wf_aead *aead;

/* A client that sends and a server that receives. */
static struct wf_keys client, server;
static struct wf_replay window;
static uint64_t number;
static uint8_t seen[1 << 12]; /* how often a number opened */
static uint8_t rekeys;

static struct wf_open batch[BATCH];
static size_t batch_count;

/* The plaintext of a packet says its number, so that nothing can open as another. */
static size_t put_frames(uint8_t *out, uint64_t n)
{
    size_t len = 4 + (size_t)(n % 13);

    memset(out, (int)(n & 0xff), len);
    wf_store_u32(out, (uint32_t)n);
    return len;
}

static size_t seal(uint8_t *out, uint8_t first, size_t width)
{
    static const uint8_t cid[8] = {1, 2, 3};
    uint64_t n = ++number;
    size_t header_len = wf_packet_put_header(out, first, cid, n, width);
    struct wf_seal p = {out, header_len, put_frames(out + header_len, n), n};

    wf_keys_seal(&client, aead, &p, 1);
    return header_len + p.frames_len + WF_PACKET_TAG;
}

static void settle(const struct wf_open *o)
{
    uint8_t want[64];

    if (!o->ok)
        return;
    MUST(o->number >= 1 && o->number <= number);
    MUST(seen[o->number % sizeof seen]++ == 0);
    MUST(o->frames.len == put_frames(want, o->number));
    MUST(memcmp(o->frames.data, want, o->frames.len) == 0);
}

static void open_batch(void)
{
    uint64_t forged = server.forged;
    uint64_t generation = server.generation;
    size_t ok = 0;
    size_t failed = 0;
    size_t phases = 0;

    size_t opened = wf_keys_open(&server, &window, aead, batch, batch_count);
    for (size_t i = 0; i < batch_count; i++) {
        settle(&batch[i]);
        ok += batch[i].ok;
        failed += batch[i].tag_failed;
        phases += batch[i].new_phase;
        MUST(!(batch[i].ok && batch[i].tag_failed));
        MUST(batch[i].ok || !batch[i].new_phase);
        free(batch[i].packet);
    }
    MUST(opened == ok);
    MUST(server.forged - forged == failed);
    MUST(server.generation - generation == phases);
    batch_count = 0;
}

/* An exact copy goes into the batch. */
static void put(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);

    MUST(copy != NULL);
    if (len > 0) {
        memcpy(copy, data, len);
    }
    if (batch_count == BATCH) {
        open_batch();
    }
    batch[batch_count++] = (struct wf_open){.packet = copy, .len = len};
}

static void true_packet(struct feed *f, uint8_t *buf)
{
    uint8_t how = next(f);
    uint8_t first = wf_keys_first_byte(&client);
    size_t len = seal(buf, (how & 1) != 0 ? next(f) : first, 1 + (size_t)(how >> 4) % 9);

    if ((how & 2) != 0) {
        buf[next(f) % len] ^= next(f);
    }
    put(buf, len);
    if ((how & 4) != 0) {
        put(buf, len);
    }
}

/* The answer to REKEY first; the client follows at once or later. */
static void change(struct feed *f)
{
    uint8_t dh[32] = {rekeys}, e_c[32] = {1}, e_s[32] = {2};

    open_batch();
    if (server.has_next_rx) { /* it goes on where the client has not followed */
        if (client.generation == server.generation) {
            wf_keys_rekey(&client, dh, e_c, e_s);
        }
        return;
    }
    if (client.generation != server.generation)
        return;
    dh[0] = ++rekeys;
    wf_keys_rekey(&server, dh, e_c, e_s);
    if (next(f) % 2 == 0) {
        wf_keys_rekey(&client, dh, e_c, e_s);
    }
}

static void step(struct feed *f)
{
    uint8_t buf[PACKET_MAX];

    switch (next(f) % 8) {
    case 0:
        open_batch();
        break;
    case 1:
        change(f);
        break;
    case 2:
        open_batch();
        wf_keys_forget_old(&server);
        break;
    case 3: {
        size_t len = next(f) % PACKET_MAX;
        len = len < f->left ? len : f->left;
        put(f->data, len);
        f->data += len;
        f->left -= len;
        break;
    }
    default:
        true_packet(f, buf);
        break;
    }
}

static void set_up(void)
{
    const struct wf_session_secrets s = {{1}, {2}, {3}};

    if (aead == NULL) {
        MUST(wf_crypto_init() == WEFT_OK);
        MUST(wf_aead_new(&aead, WF_AEAD_BEST, &mem) == WEFT_OK);
    }
    wf_keys_init(&client, WF_ROLE_CLIENT, WF_AEAD_XCHACHA20_POLY1305, &s);
    wf_keys_init(&server, WF_ROLE_SERVER, WF_AEAD_XCHACHA20_POLY1305, &s);
    wf_replay_deinit(&window);
    wf_replay_init(&window, &mem);
    memset(seen, 0, sizeof seen);
    number = 0;
    rekeys = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};

    set_up();
    for (int i = 0; i < STEPS_MAX && f.left > 0; i++)
        step(&f);
    open_batch();
    return 0;
}
