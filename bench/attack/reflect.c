/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reflect.c - what a server says is said back to it, or to another server, and so on: generations
 * of datagrams, each the answers to the one before. They must die out.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "attack.h"
#include "base/bytes.h"
#include "crypto/crypto.h"

#define KEPT_MAX 4096u
#define GENERATIONS_MAX 32u
#define SILENCE_MS 200
#define KINDS 6u

struct echo {
    size_t len;
    uint8_t data[ATTACK_DATAGRAM_MAX];
};

struct generation {
    size_t count;
    uint64_t bytes;
    struct echo *echoes; /* KEPT_MAX */
};

static void keep(struct generation *g, const uint8_t *data, size_t len)
{
    struct echo *e = &g->echoes[g->count];

    if (g->count == KEPT_MAX || len > sizeof e->data)
        return;
    memcpy(e->data, data, len);
    e->len = len;
    g->count++;
    g->bytes += len;
}

static void keep_true_ones(struct generation *g, const struct attack *a)
{
    struct client *c = a->has_key ? client_open(a) : NULL;
    uint8_t solve[WF_SOLVE_MAX];

    if (c != NULL && client_solve(c, solve))
        keep(g, solve, sizeof solve);
    client_close(c);
}

/* Every first byte that means something, at any length; true HELLOs among them. */
static void begin(struct generation *g, const struct attack *a)
{
    static const uint8_t lists[] = {1, WF_PROTOCOL_V1};
    struct wf_prng p;
    uint8_t data[ATTACK_DATAGRAM_MAX];

    wf_prng_seed(&p, a->seed);
    keep_true_ones(g, a);
    while (g->count < a->count && g->count < KEPT_MAX) {
        size_t len = (size_t)wf_prng_between(&p, 1, sizeof data);
        uint64_t kind = wf_prng_below(&p, KINDS);
        struct wf_hello hello = {
            .version = WF_VERSION, .suite = WF_SUITE, .lists = wf_span(lists, sizeof lists)};

        attack_random(&p, data, len);
        attack_random(&p, hello.n_c, sizeof hello.n_c);
        if (kind == 0)
            len = wf_hello_put(&hello, data, sizeof data);
        else
            data[0] = kind < KINDS - 1 ? (uint8_t)kind : data[0] | 0x80u;
        keep(g, data, len);
    }
}

static void take(struct generation *answers, struct tally *t, int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    uint8_t data[ATTACK_DATAGRAM_MAX];

    while (poll(&p, 1, SILENCE_MS) > 0) {
        ssize_t got = recv(fd, data, sizeof data, 0);

        if (got <= 0)
            continue; /* an error that an earlier datagram brought back */
        t->received++;
        t->received_bytes += (uint64_t)got;
        keep(answers, data, (size_t)got);
    }
}

static void send_all(const struct generation *g, const struct wf_addr *to, struct tally *t, int fd)
{
    struct sockaddr_storage name;
    socklen_t len = attack_sockaddr(&name, to);

    for (size_t i = 0; i < g->count; i++) {
        const struct echo *e = &g->echoes[i];

        if (sendto(fd, e->data, e->len, 0, (struct sockaddr *)&name, len) == (ssize_t)e->len) {
            t->sent++;
            t->sent_bytes += e->len;
        } else {
            t->unsent++;
        }
    }
}

static void reflect(struct generation g[2], const struct attack *a, struct tally *t, int fd)
{
    const struct wf_addr *to[] = {&a->target, wf_addr_is_set(&a->second) ? &a->second : &a->target};
    unsigned turn = 0;

    for (; g[turn % 2].count > 0 && turn < GENERATIONS_MAX; turn++) {
        struct generation *sent = &g[turn % 2];
        struct generation *answers = &g[(turn + 1) % 2];

        answers->count = 0;
        answers->bytes = 0;
        send_all(sent, to[turn % 2], t, fd);
        take(answers, t, fd);
        if (answers->bytes > sent->bytes && answers->bytes - sent->bytes > t->worst_growth)
            t->worst_growth = answers->bytes - sent->bytes;
    }
    t->longest_chain = turn;
}

bool attack_reflect(const struct attack *a, struct tally *t)
{
    struct generation g[2] = {{.echoes = calloc(KEPT_MAX, sizeof(struct echo))},
                              {.echoes = calloc(KEPT_MAX, sizeof(struct echo))}};
    int fd = attack_socket(&a->target);
    bool can = fd >= 0 && g[0].echoes != NULL && g[1].echoes != NULL;

    if (can) {
        begin(&g[0], a);
        reflect(g, a, t, fd);
    }
    free(g[0].echoes);
    free(g[1].echoes);
    return can;
}
