/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forged.c - packets of a live session that neither end has sealed: from the client's own address
 * by a raw socket, or by a relay that stands between the ends and throws its own in.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attack.h"
#include "net/sockaddr.h"

#define SESSION_BIT 0x80u
#define CID_OFFSET 1u
#define FORGED_MIN 26u
#define HEADER_MAX 18u
#define TAG_LEN 16u
#define TURNS_MAX 64u
#define IDLE_MS 20

static size_t put_forged(struct wf_prng *p, const uint8_t cid[WF_CID_LEN], uint8_t *out)
{
    size_t len = (size_t)wf_prng_between(p, FORGED_MIN, ATTACK_DATAGRAM_MAX - 8);

    attack_random(p, out, len);
    out[0] |= SESSION_BIT;
    memcpy(out + CID_OFFSET, cid, WF_CID_LEN);
    return len;
}

bool attack_forged(const struct attack *a, struct tally *t)
{
    static struct gun gun;
    struct attack at = *a;
    struct wf_prng p;
    int fd = -1;

    if (!a->in_namespace || (!a->has_cid && !attack_sniff(&at)) || !wf_addr_is_v4(&at.from))
        return false;
    fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    if (fd < 0)
        return false;
    wf_prng_seed(&p, a->seed);
    gun_load(&gun, a, t, fd);
    gun.is_raw = true;
    gun.from = at.from;
    while (gun_goes_on(&gun))
        gun_put(&gun, put_forged(&p, at.cid, gun_room(&gun)));
    (void)close(fd);
    return true;
}

/* --- between the ends --- */

struct relay {
    const struct attack *attack;
    struct tally *tally;
    struct wf_prng prng;
    int client_side, server_side;
    struct sockaddr_storage client, server;
    socklen_t client_len, server_len;
    bool has_cid;
    uint8_t cid[WF_CID_LEN]; /* by which the client calls the server */
    struct gun gun;
};

/* The packet itself with one bit changed, before it: only its tag shows that it is false. */
static void forge_like(struct relay *r, const uint8_t *packet, size_t len)
{
    uint8_t *copy = gun_room(&r->gun);
    uint64_t bit = 0;

    if (r->gun.fired >= r->attack->count)
        return;
    memcpy(copy, packet, len);
    bit = wf_prng_between(&r->prng, HEADER_MAX * 8, (len - TAG_LEN) * 8 - 1);
    copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    gun_put(&r->gun, len);
    gun_fire(&r->gun);
}

static void from_client(struct relay *r)
{
    uint8_t data[ATTACK_DATAGRAM_MAX];

    for (unsigned i = 0; i < TURNS_MAX; i++) {
        socklen_t len = sizeof r->client;
        ssize_t got = recvfrom(r->client_side, data, sizeof data, MSG_DONTWAIT | MSG_TRUNC,
                               (struct sockaddr *)&r->client, &len);

        if (got <= 0)
            return;
        if (got > (ssize_t)sizeof data)
            continue; /* more than this path carries */
        r->client_len = len;
        if ((data[0] & SESSION_BIT) != 0 && got >= (ssize_t)FORGED_MIN) {
            memcpy(r->cid, data + CID_OFFSET, WF_CID_LEN);
            r->has_cid = true;
        }
        if ((data[0] & SESSION_BIT) != 0 && got > (ssize_t)(HEADER_MAX + TAG_LEN))
            forge_like(r, data, (size_t)got);
        r->tally->passed += sendto(r->server_side, data, (size_t)got, 0,
                                   (struct sockaddr *)&r->server, r->server_len) == got;
    }
}

static void from_server(struct relay *r)
{
    uint8_t data[ATTACK_DATAGRAM_MAX];

    for (unsigned i = 0; i < TURNS_MAX; i++) {
        ssize_t got = recv(r->server_side, data, sizeof data, MSG_DONTWAIT | MSG_TRUNC);

        if (got <= 0)
            return;
        if (got > (ssize_t)sizeof data)
            continue;
        r->tally->passed += sendto(r->client_side, data, (size_t)got, 0,
                                   (struct sockaddr *)&r->client, r->client_len) == got;
    }
}

static bool relay_open(struct relay *r, const struct attack *a, struct tally *t)
{
    struct sockaddr_storage here;
    socklen_t len = attack_sockaddr(&here, &a->second);

    r->attack = a;
    r->tally = t;
    wf_prng_seed(&r->prng, a->seed);
    r->server_len = attack_sockaddr(&r->server, &a->target);
    r->server_side = attack_socket(&a->target);
    r->client_side = socket(here.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
    return r->server_side >= 0 && r->client_side >= 0 &&
           bind(r->client_side, (struct sockaddr *)&here, len) == 0;
}

static void say_where(const struct relay *r)
{
    union wf_sockaddr name = {0};
    socklen_t len = sizeof name;
    char text[WF_ADDR_TEXT_MAX] = "";

    if (getsockname(r->client_side, &name.any, &len) == 0) {
        struct wf_addr here = wf_addr_of_sockaddr(&name);

        (void)wf_addr_format(text, &here);
    }
    (void)printf("{\"listening\":\"%s\"}\n", text);
    (void)fflush(stdout);
}

/* A few forged packets for each turn, and none before a session stands. */
static void throw_in(struct relay *r)
{
    for (unsigned i = 0; r->has_cid && i < TURNS_MAX && r->gun.fired < r->attack->count; i++)
        gun_put(&r->gun, put_forged(&r->prng, r->cid, gun_room(&r->gun)));
    if (r->gun.used > 0)
        gun_fire(&r->gun);
}

/* Until its time is up: the ends may go on when all was thrown in. */
bool attack_relay(const struct attack *a, struct tally *t)
{
    static struct relay r;
    uint64_t until = attack_now_ns() + a->ms * 1000000u;

    if (!relay_open(&r, a, t))
        return false;
    say_where(&r);
    gun_load(&r.gun, a, t, r.server_side);
    r.gun.is_deaf = true;
    while (attack_now_ns() < until) {
        struct pollfd p[] = {{.fd = r.client_side, .events = POLLIN},
                             {.fd = r.server_side, .events = POLLIN}};

        (void)poll(p, 2, IDLE_MS);
        from_client(&r);
        from_server(&r);
        throw_in(&r);
    }
    return true;
}
