/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport_path_fuzz.c - packets from any addresses and answers of any kind: no address gets more
 * bytes than came from it before it answered its own challenge, and only that answer makes it the
 * path in use.
 *
 *   input: steps of four bytes: kind, address, size, and whether the packet is the newest
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/reader.h"
#include "transport/path.h"

#define STEPS_MAX 500

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void fill(void *ctx, uint8_t *out, size_t len)
{
    uint64_t *seed = (uint64_t *)ctx;

    for (size_t i = 0; i < len; i++) {
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        out[i] = (uint8_t)(*seed >> 56);
    }
}

static struct wf_addr addr_of(uint8_t v)
{
    return wf_addr_v4(20, 0, 0, (uint8_t)(v >> 4), (uint16_t)(1000 + (v & 15)));
}

static void check(struct wf_paths *p)
{
    must(p->count >= 1 && p->count <= WF_PATHS_MAX);
    must(p->items[0].is_proved);
    for (size_t i = 1; i < p->count; i++) {
        must(!p->items[i].is_proved);
        must(p->items[i].sent <= p->items[i].received);
        must(p->items[i].challenges <= WF_PATH_CHALLENGES_MAX);
        must(wf_paths_find(p, &p->items[i].remote) == &p->items[i]);
    }
}

static void answer(struct wf_paths *p, struct wf_addr from, uint8_t flaw)
{
    uint8_t token[WF_PATH_TOKEN_LEN] = {0};
    const struct wf_addr before = p->items[0].remote;
    const struct wf_path *path = wf_paths_find(p, &from);
    const bool is_good = path != NULL && path != &p->items[0] && path->challenges > 0 && flaw == 0;

    if (path != NULL) {
        memcpy(token, path->token, sizeof token);
    }
    token[0] = (uint8_t)(token[0] ^ flaw);
    const enum wf_path_event e = wf_paths_on_response(p, &from, token);

    must((e == WF_PATH_MOVED || e == WF_PATH_REBOUND) == is_good);
    must(wf_addr_equal(&p->items[0].remote, is_good ? &from : &before));
}

static void challenge(struct wf_paths *p, weft_time now, uint64_t len)
{
    struct wf_path *path = wf_paths_challenge(p, now, len);

    if (path == NULL)
        return;
    must(wf_path_room(path) >= len);
    wf_paths_on_challenge(path, now, 100000);
    wf_path_on_sent(path, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wf_reader in = wf_reader_of(wf_span(data, size));
    uint64_t seed = 1;
    const struct wf_rng rng = {fill, &seed};
    const struct wf_addr here = addr_of(255);
    const struct wf_addr home = addr_of(0);
    weft_time now = 1000;
    struct wf_paths p;

    wf_paths_init(&p, &home, &here);
    for (int i = 0; i < STEPS_MAX && in.left >= 4; i++) {
        const uint8_t kind = wf_read_u8(&in);
        const struct wf_addr from = addr_of(wf_read_u8(&in));
        const uint8_t bytes = wf_read_u8(&in);
        const uint8_t extra = wf_read_u8(&in);
        const struct wf_path_packet k = {from, here, bytes, extra % 2 == 0};

        now += (uint64_t)extra * 1000;
        if (kind % 4 == 0) {
            answer(&p, from, extra % 3 == 0 ? 0 : extra);
        } else if (kind % 4 == 1) {
            challenge(&p, now, bytes);
        } else {
            const enum wf_path_event e = wf_paths_on_packet(&p, now, &k, &rng);

            must(e == WF_PATH_SAME || e == WF_PATH_CANDIDATE);
        }
        wf_paths_tick(&p, now);
        check(&p);
    }
    return 0;
}
