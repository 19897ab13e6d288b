/* SPDX-License-Identifier: Apache-2.0 */
/*
 * presence_bench.c - what a peer at rest costs: N real handshakes with one server in memory, each
 * client with a key of its own; all sessions fold. Then some of them call again, and strangers send
 * forged packets to them. One line of JSON.
 *
 * Usage: weft-bench-presence [N]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/crypto.h"
#include "endpoint/core.h"
#include "net/mem_system.h"
#include "net/process.h"

#define WARM_UP 2000u
#define CALLERS 500u
#define TRAIN_MAX 65536u
#define STEP_US 5000u
#define STEPS 20u
#define FOLD_US 1000000u
#define FORGED_EACH 20u /* the last one counts */

static struct wf_mem server_mem, client_mem;
static struct wf_rng_seeded rng;
static struct wf_core *server;
static weft_time now = 1000000;
static uint8_t buf[TRAIN_MAX];
static uint64_t wake_ns[CALLERS];
static uint64_t forged_ns[CALLERS];

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "weft-bench-presence: %s\n", what);
    exit(1);
}

static uint64_t clock_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct wf_addr addr_of(uint32_t index)
{
    return wf_addr_v4(10, (uint8_t)(index >> 16), (uint8_t)(index >> 8), (uint8_t)index, 1000);
}

static struct wf_core *make(struct wf_mem *mem, bool serve)
{
    struct wf_core_config c = {.mem = mem,
                               .rng = &rng.rng,
                               .serve = serve,
                               .fold_us = FOLD_US,
                               .rest_ms = UINT32_MAX,
                               .presences_max = 1u << 21};
    struct wf_core *core = NULL;

    c.sessions_max = serve ? 0 : 2;
    wf_random(&rng.rng, c.seed, sizeof c.seed);
    must(wf_core_new(&core, &c, now) == WEFT_OK, "no core");
    return core;
}

static void drain(struct wf_core *core)
{
    struct wf_core_event e;

    while (wf_core_next_event(core, &e))
        continue;
}

/* All that `from` has to say, to the other one. */
static bool pass(struct wf_core *from, struct wf_core *to, const struct wf_addr *as)
{
    struct wf_send out;
    bool any = false;

    drain(from);
    while (wf_core_send(from, now, buf, sizeof buf, &out)) {
        struct wf_datagram d = {
            .from = *as, .to = out.to, .data = buf, .len = out.len, .segment = out.segment};

        any = true;
        wf_core_recv(to, now, &d, 1);
        drain(to);
        drain(from);
    }
    return any;
}

static void run(struct wf_core *client, const struct wf_addr *at)
{
    const struct wf_addr home = wf_addr_v4(192, 0, 2, 1, 4870);

    for (unsigned i = 0; i < STEPS; i++) {
        wf_core_tick(client, now);
        wf_core_tick(server, now);
        while (pass(client, server, at) | pass(server, client, &home))
            continue;
        now += STEP_US;
    }
}

static struct wf_core_send_params params(void)
{
    struct wf_core_send_params p = {.address = wf_addr_v4(192, 0, 2, 1, 4870)};

    memcpy(p.to, wf_core_key(server), sizeof p.to);
    return p;
}

static struct wf_core *meet(uint32_t index)
{
    struct wf_core *client = make(&client_mem, false);
    const struct wf_core_send_params p = params();
    const struct wf_addr at = addr_of(index);

    must(wf_core_ping(client, now, &p) == WEFT_OK, "no call");
    run(client, &at);
    return client;
}

static struct wf_core_stats stats(void)
{
    struct wf_core_stats s;

    wf_core_stats(server, &s);
    return s;
}

static void fold_all(void)
{
    for (unsigned i = 0; i < 10; i++) {
        now += FOLD_US;
        wf_core_tick(server, now);
    }
}

/* The first packet of a caller: forged copies of it, then the real one. */
static void call(struct wf_core *client, uint32_t index, uint64_t *wake)
{
    const struct wf_core_send_params p = params();
    struct wf_send out;
    uint8_t copy[2048];
    uint64_t begun = 0;

    must(wf_core_ping(client, now, &p) == WEFT_OK, "no ping");
    must(wf_core_send(client, now, buf, sizeof buf, &out) && out.len <= sizeof copy, "no packet");
    struct wf_datagram d = {.from = addr_of(index), .to = p.address, .len = out.len};
    for (unsigned i = 0; i <= FORGED_EACH; i++) {
        memcpy(copy, buf, out.len);
        copy[out.len - 20] ^= i < FORGED_EACH ? 1 : 0;
        d.data = copy;
        begun = clock_ns();
        wf_core_recv(server, now, &d, 1);
        *wake = clock_ns() - begun;
        if (i < FORGED_EACH)
            forged_ns[index % CALLERS] = *wake;
    }
    run(client, &d.from);
}

static int by_size(const void *a, const void *b)
{
    const uint64_t *x = (const uint64_t *)a;
    const uint64_t *y = (const uint64_t *)b;

    return *x < *y ? -1 : *x > *y;
}

static void call_all(uint32_t first)
{
    static struct wf_core *callers[CALLERS];

    for (uint32_t i = 0; i < CALLERS; i++)
        callers[i] = meet(first + i);
    fold_all();
    must(stats().sessions == 0, "not all have folded");
    for (uint32_t i = 0; i < CALLERS; i++)
        call(callers[i], first + i, &wake_ns[i]);
    must(stats().wakes >= CALLERS, "not all woke");
    for (uint32_t i = 0; i < CALLERS; i++)
        wf_core_free(callers[i]);
    qsort(wake_ns, CALLERS, sizeof wake_ns[0], by_size);
    qsort(forged_ns, CALLERS, sizeof forged_ns[0], by_size);
}

int main(int argc, char **argv)
{
    const uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100000;

    must(wf_crypto_init() == WEFT_OK, "no libsodium");
    wf_rng_seed(&rng, 1);
    wf_mem_system(&server_mem, 0);
    wf_mem_system(&client_mem, 0);
    server = make(&server_mem, true);
    for (uint32_t i = 0; i < WARM_UP; i++)
        wf_core_free(meet(i));
    fold_all();
    const size_t rss = wf_process_resident_bytes();
    const size_t held = server_mem.held;
    for (uint32_t i = 0; i < count; i++)
        wf_core_free(meet(WARM_UP + i));
    fold_all();
    const struct wf_core_stats s = stats();
    const size_t rss_after = wf_process_resident_bytes();
    const size_t held_after = server_mem.held;
    must(s.presences == count + WARM_UP, "some are missing");
    call_all(count + WARM_UP);
    printf(
        "{\"name\": \"presence\", \"peers\": %u, \"rss_per_peer\": %.1f, \"held_per_peer\": %.1f, "
        "\"record_bytes\": %.1f, \"wake_p50_us\": %.1f, \"wake_p99_us\": %.1f, "
        "\"forged_p50_us\": %.2f, \"folds\": %llu}\n",
        count, (double)(rss_after - rss) / count, (double)(held_after - held) / count,
        (double)s.presence_bytes / (double)s.presences, (double)wake_ns[CALLERS / 2] / 1000,
        (double)wake_ns[CALLERS * 99 / 100] / 1000, (double)forged_ns[CALLERS / 2] / 1000,
        (unsigned long long)s.folds);
    wf_core_free(server);
    return 0;
}
