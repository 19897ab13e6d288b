/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys_open.c - packets on their way in: unmasked, looked up in the replay window, opened in
 * batches of one key. It must never try two keys on one packet, nor change keys or window for a
 * packet that did not open.
 */
#include <string.h>

#include "base/bytes.h"
#include "session/keys_priv.h"
#include "wire/packet.h"

/* Packets in a row that are to be opened under one key. The associated data are kept apart, so that
 * a packet's own header stays as it came. */
struct run {
    const struct wf_aead_key *key;
    size_t count;
    struct wf_aead_op ops[WF_KEYS_BATCH];
    struct wf_open *packets[WF_KEYS_BATCH];
    uint8_t headers[WF_KEYS_BATCH][WF_PACKET_HEADER_MAX];
};

/* A header as it was before masking. */
struct header {
    uint8_t bytes[WF_PACKET_HEADER_MAX];
    size_t len;
    uint64_t number;
};

/* False for what cannot be a packet of ours: wrong bits (spec 2.1-3), too short, a number too long.
 */
static bool unmask(const struct wf_keys *k, const struct wf_open *p, uint64_t highest,
                   struct header *h)
{
    if (p->len < WF_PACKET_MIN) /* SPEC 2.1-4 */
        return false;
    uint8_t mask[16];
    size_t room = p->len - 9 - WF_PACKET_TAG;
    size_t window_max = room < WF_WINDOW_BYTES_MAX ? room : WF_WINDOW_BYTES_MAX;
    uint64_t w = 0;

    wf_keys_mask(mask, k->header_rx, p->packet + p->len - WF_PACKET_TAG);
    memcpy(h->bytes, p->packet, 9 + window_max);
    h->bytes[0] ^= mask[0];
    for (size_t i = 0; i < window_max; i++)
        h->bytes[9 + i] ^= mask[1 + i];
    size_t width = wf_window_get(h->bytes + 9, window_max, &w);
    if (width == 0 || (h->bytes[0] & ~WF_PACKET_PHASE_BIT) != WF_PACKET_FIXED_BIT)
        return false;
    h->len = 9 + width;
    h->number = wf_window_decode(w, width, highest);
    return h->number <= WF_KEYS_PACKETS_MAX;
}

/* The phase bit alone chooses: NULL when no key of that phase is there. */
static const struct wf_aead_key *choose(const struct wf_keys *k, uint8_t first)
{
    bool odd = (first & WF_PACKET_PHASE_BIT) != 0;

    if (odd == ((k->generation_rx & 1) != 0))
        return &k->rx;
    if (k->has_next_rx)
        return &k->rx_next;
    return k->has_old_rx ? &k->rx_old : NULL;
}

static void append(struct run *run, struct wf_open *p, const struct header *h)
{
    size_t i = run->count++;

    memcpy(run->headers[i], h->bytes, h->len);
    run->packets[i] = p;
    run->ops[i] = (struct wf_aead_op){.number = h->number,
                                      .ad = wf_span(run->headers[i], h->len),
                                      .in = p->packet + h->len,
                                      .in_len = p->len - h->len,
                                      .out = p->packet + h->len};
}

/* What came of one packet; the window is set, and grows, only now (spec 2.3-1, 2.3-2). */
static bool settle(struct wf_keys *k, struct wf_replay *rx, const struct wf_aead_op *op,
                   struct wf_open *p)
{
    if (!op->ok) {
        p->tag_failed = true;
        k->forged++;
        return false;
    }
    p->repeated = !wf_replay_mark(rx, op->number); /* a second copy in the same batch */
    if (p->repeated)
        return false;
    p->ok = true;
    p->number = op->number;
    p->frames = wf_span(op->out, op->in_len - WF_PACKET_TAG);
    return true;
}

static size_t flush(struct wf_keys *k, struct wf_replay *rx, struct wf_aead *aead, struct run *run)
{
    if (run->count == 0)
        return 0;
    bool may_enter = run->key == &k->rx_next || (run->key == &k->rx && k->rx_unused);
    size_t opened = 0;

    (void)wf_aead_open(aead, run->key, run->ops, run->count);
    for (size_t i = 0; i < run->count; i++) {
        if (!settle(k, rx, &run->ops[i], run->packets[i]))
            continue;
        opened++;
        if (may_enter) { /* SPEC 2.5-2 */
            run->packets[i]->new_phase = true;
            wf_keys_entered(k);
            may_enter = false;
        }
    }
    run->count = 0;
    return opened;
}

size_t wf_keys_open(struct wf_keys *k, struct wf_replay *rx, struct wf_aead *aead,
                    struct wf_open *packets, size_t count)
{
    struct run run;
    size_t opened = 0;

    run.count = 0;
    run.key = NULL;
    for (size_t i = 0; i < count; i++) {
        struct wf_open *p = &packets[i];
        struct header h;

        *p = (struct wf_open){.packet = p->packet, .len = p->len};
        if (wf_keys_spent(k) || !unmask(k, p, rx->highest, &h))
            continue;
        p->repeated = !wf_replay_fresh(rx, h.number);
        if (p->repeated)
            continue;
        /* Emptying the run may change the keys, so the choice is made again after it. */
        if (run.count == WF_KEYS_BATCH || choose(k, h.bytes[0]) != run.key) {
            opened += flush(k, rx, aead, &run);
        }
        run.key = choose(k, h.bytes[0]);
        if (run.key != NULL) {
            append(&run, p, &h);
        }
    }
    return opened + flush(k, rx, aead, &run);
}
