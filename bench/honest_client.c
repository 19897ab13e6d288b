/* SPDX-License-Identifier: Apache-2.0 */
/*
 * honest_client.c - clients one after the other, each with a node of its own, so that each makes a
 * handshake: how many get in, and how long that takes. On the public interface alone.
 *
 *   weft-bench-honest-client PEER SECONDS
 */
#include <string.h>

#include "sample.h"
#include "weft/weft.h"

#define SAMPLES_MAX 200000u
#define PATIENCE_MS 10000u

struct client {
    weft_node *node;
    weft_err err;
    uint64_t handshake_us;
};

static void on_pong(weft_err err, uint64_t rtt_us, uint64_t handshake_us, void *user)
{
    struct client *c = user;

    (void)rtt_us;
    c->err = err;
    c->handshake_us = handshake_us;
    weft_node_stop(c->node);
}

static weft_err one(const char *peer, const weft_identity *identity, uint64_t *us)
{
    weft_node_params p = WEFT_NODE_PARAMS;
    struct client c = {.err = WEFT_ERR_CLOSED};
    weft_err err = WEFT_OK;

    p.identity = identity;
    p.listen = "127.0.0.1:0";
    err = weft_node_open(&c.node, &p);
    if (err == WEFT_OK)
        err = weft_node_ping(c.node, peer, PATIENCE_MS, on_pong, &c);
    if (err == WEFT_OK)
        err = weft_node_run(c.node);
    weft_node_close(c.node);
    *us = c.handshake_us;
    return err == WEFT_OK ? c.err : err;
}

static void print(uint64_t *us, size_t ok, size_t tried)
{
    qsort(us, ok, sizeof *us, bench_compare);
    (void)printf("{\"tried\":%zu,\"ok\":%zu,\"p50_us\":%llu,\"p99_us\":%llu,\"max_us\":%llu}\n",
                 tried, ok, (unsigned long long)us[ok / 2], (unsigned long long)us[ok * 99 / 100],
                 (unsigned long long)us[ok == 0 ? 0 : ok - 1]);
}

int main(int argc, char **argv)
{
    static uint64_t us[SAMPLES_MAX];
    weft_identity *identity = NULL;
    uint64_t until = 0;
    size_t tried = 0;
    size_t ok = 0;

    if (argc != 3 || weft_identity_new(&identity) != WEFT_OK) {
        (void)fprintf(stderr, "usage: weft-bench-honest-client PEER SECONDS\n");
        return 2;
    }
    until = bench_now_ns() + strtoull(argv[2], NULL, 10) * 1000000000u;
    for (; tried < SAMPLES_MAX && bench_now_ns() < until; tried++)
        ok += one(argv[1], identity, &us[ok]) == WEFT_OK;
    weft_identity_free(identity);
    print(us, ok, tried);
    return 0;
}
