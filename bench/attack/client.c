/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.c - a true client up to its SOLVE, which it leaves to the attack: one who did everything
 * right until then.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attack.h"
#include "base/bytes.h"
#include "crypto/crypto.h"
#include "net/clock.h"
#include "net/mem_system.h"
#include "session/hs.h"

#define ANSWER_MS 200
#define ASKS_MAX 20u
#define EFFORT_MAX (1u << 24)
#define HANDSHAKE_US 10000000u

struct client {
    const struct attack *attack;
    struct wf_mem mem;
    struct wf_rng rng;
    struct wf_aead *aead;
    int fd;
};

struct client *client_open(const struct attack *a)
{
    struct client *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    wf_mem_system(&c->mem, SIZE_MAX);
    c->attack = a;
    c->rng = wf_rng_system;
    c->fd = attack_socket(&a->target);
    if (!a->has_key || c->fd < 0 || wf_crypto_init() != WEFT_OK ||
        wf_aead_new(&c->aead, WF_AEAD_BEST, &c->mem) != WEFT_OK) {
        client_close(c);
        return NULL;
    }
    return c;
}

void client_close(struct client *c)
{
    if (c == NULL)
        return;
    wf_aead_free(c->aead);
    if (c->fd >= 0)
        (void)close(c->fd);
    free(c);
}

int client_fd(const struct client *c)
{
    return c->fd;
}

size_t client_take(struct client *c, uint8_t *answer, int ms)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    ssize_t got = poll(&p, 1, ms) > 0 ? recv(c->fd, answer, ATTACK_DATAGRAM_MAX, 0) : 0;

    return got > 0 ? (size_t)got : 0;
}

void client_say(struct client *c, weft_span datagram)
{
    struct sockaddr_storage to;
    socklen_t len = attack_sockaddr(&to, &c->attack->target);

    /* What is not sent is lost like any other datagram. */
    (void)sendto(c->fd, datagram.data, datagram.len, 0, (struct sockaddr *)&to, len);
}

static weft_err new_handshake(struct client *c, struct wf_hs **hs)
{
    static const uint8_t lists[] = {1, WF_PROTOCOL_V1};
    struct wf_hs_config config = {.mem = &c->mem,
                                  .rng = &c->rng,
                                  .aead = c->aead,
                                  .lists = {lists, sizeof lists},
                                  .timeout_us = HANDSHAKE_US,
                                  .effort_max = EFFORT_MAX};

    memcpy(config.server_key, c->attack->key, sizeof config.server_key);
    return wf_hs_new(hs, &config, wf_clock_now());
}

/* Asks until a CHALLENGE verifies; CONFIRMs of the SOLVEs before may lie in between. */
static bool get_challenge(struct client *c, struct wf_hs *hs)
{
    uint8_t hello[WF_SOLVE_MAX];
    uint8_t answer[ATTACK_DATAGRAM_MAX];
    size_t len = 0;

    wf_hs_send(hs, wf_clock_now(), hello, sizeof hello, &len);
    for (unsigned asked = 0; asked < ASKS_MAX && wf_hs_state(hs) == WF_HS_HELLO; asked++) {
        size_t got = 1;

        client_say(c, wf_span(hello, len));
        while (got > 0 && wf_hs_state(hs) == WF_HS_HELLO) {
            got = client_take(c, answer, ANSWER_MS);
            wf_hs_recv(hs, wf_clock_now(), wf_span(answer, got));
        }
    }
    return wf_hs_state(hs) == WF_HS_NEED_DATA;
}

static bool make_solve(struct client *c, struct wf_hs *hs, uint8_t solve[WF_SOLVE_MAX])
{
    struct wf_solve_body body = {.params = wf_params_default};
    size_t len = 0;

    wf_random(&c->rng, body.cid, sizeof body.cid);
    if (wf_hs_solve(hs, wf_clock_now(), &body) != WEFT_OK)
        return false;
    wf_hs_work(hs, wf_clock_now(), UINT64_MAX);
    wf_hs_send(hs, wf_clock_now(), solve, WF_SOLVE_MAX, &len);
    return len == WF_SOLVE_MAX;
}

bool client_solve(struct client *c, uint8_t solve[WF_SOLVE_MAX])
{
    struct wf_hs *hs = NULL;
    bool made = false;

    if (new_handshake(c, &hs) != WEFT_OK)
        return false;
    made = get_challenge(c, hs) && make_solve(c, hs, solve);
    wf_hs_free(hs);
    return made;
}
