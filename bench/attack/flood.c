/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flood.c - datagrams from nobody: garbage, and HELLOs that are right from a million addresses.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attack.h"
#include "base/bytes.h"
#include "session/identity.h"

#define SESSION_MIN 26u

static size_t any_length(struct wf_prng *p, size_t least)
{
    return (size_t)wf_prng_between(p, least, ATTACK_DATAGRAM_MAX);
}

static size_t put_any(struct wf_prng *p, uint8_t *out)
{
    size_t len = any_length(p, 1);

    attack_random(p, out, len);
    return len;
}

/* Right but for its padding, which is looked at last. */
static size_t put_hello(struct wf_prng *p, uint8_t *out)
{
    attack_random(p, out, WF_HELLO_LEN);
    memcpy(out, (uint8_t[]){WF_TYPE_HELLO, WF_VERSION, WF_SUITE, 0}, 4);
    out[24] = 0;
    return WF_HELLO_LEN;
}

/* Its epoch is one that may be alive, so that the cookie is looked at. */
static size_t put_solve(struct wf_prng *p, uint8_t *out)
{
    attack_random(p, out, WF_SOLVE_MAX);
    memcpy(out, (uint8_t[]){WF_TYPE_SOLVE, WF_VERSION, WF_SUITE}, 3);
    memset(out + 12, 0, 8);
    out[108] = 0;
    return WF_SOLVE_MAX;
}

static size_t put_session(struct wf_prng *p, uint8_t *out)
{
    size_t len = any_length(p, SESSION_MIN);

    attack_random(p, out, len);
    out[0] |= 0x80;
    return len;
}

static size_t put_type(struct wf_prng *p, uint8_t *out)
{
    size_t len = put_any(p, out);

    out[0] = (uint8_t)wf_prng_between(p, 0, 7);
    return len;
}

static const struct {
    const char *name;
    size_t (*put)(struct wf_prng *p, uint8_t *out);
} shapes[] = {{"any", put_any},
              {"hello", put_hello},
              {"solve", put_solve},
              {"session", put_session},
              {"type", put_type}};

/* The kernel lets nobody have a raw socket who may not. */
static int source_open(const struct attack *a, bool is_raw)
{
    return is_raw ? socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)
                  : attack_socket(&a->target);
}

bool attack_garbage(const struct attack *a, struct tally *t)
{
    static struct gun gun;
    struct wf_prng p;
    bool is_raw = wf_addr_is_set(&a->from);
    size_t shape = WF_ARRAY_LEN(shapes);
    int fd = source_open(a, is_raw);

    wf_prng_seed(&p, a->seed);
    for (size_t i = 0; i < WF_ARRAY_LEN(shapes); i++)
        shape = strcmp(a->shape, shapes[i].name) == 0 ? i : shape;
    if (fd < 0)
        return false;
    gun_load(&gun, a, t, fd);
    gun.is_raw = is_raw;
    gun.from = a->from;
    while (gun_goes_on(&gun)) {
        size_t i = shape < WF_ARRAY_LEN(shapes) ? shape : wf_prng_below(&p, WF_ARRAY_LEN(shapes));

        gun_put(&gun, shapes[i].put(&p, gun_room(&gun)));
    }
    gun_linger(&gun);
    (void)close(fd);
    return true;
}

/* A million hosts of 10.128/12, or of 127.128/12 where the target is this machine. */
static struct wf_addr anybody(const struct attack *a, struct wf_prng *p)
{
    uint32_t n = (uint32_t)wf_prng_below(p, ATTACK_SOURCES);
    uint16_t port = (uint16_t)wf_prng_between(p, 1024, 65535);

    return wf_addr_v4(a->target.ip[0] == 127 ? 127 : 10, (uint8_t)(128 | n >> 16),
                      (uint8_t)(n >> 8), (uint8_t)n, port);
}

static size_t put_true_hello(const struct attack *a, struct wf_prng *p, uint8_t *out)
{
    static const uint8_t lists[] = {1, WF_PROTOCOL_V1};
    struct wf_hello h = {
        .version = WF_VERSION, .suite = WF_SUITE, .lists = wf_span(lists, sizeof lists)};

    if (a->has_key)
        wf_key_prefix(h.prefix, a->key);
    attack_random(p, h.n_c, sizeof h.n_c);
    return wf_hello_put(&h, out, ATTACK_DATAGRAM_MAX);
}

bool attack_spoofed(const struct attack *a, struct tally *t)
{
    static struct gun gun;
    struct wf_prng p;
    bool is_raw = a->in_namespace && a->target.family == WF_ADDR_V4;
    int fd = source_open(a, is_raw);

    wf_prng_seed(&p, a->seed);
    if (fd < 0)
        return false;
    gun_load(&gun, a, t, fd);
    gun.is_raw = is_raw;
    gun.is_spoofing = !is_raw && a->target.family == WF_ADDR_V4;
    while (gun_goes_on(&gun)) {
        gun.from = wf_addr_is_set(&a->from) ? a->from : anybody(a, &p);
        gun_put(&gun, put_true_hello(a, &p, gun_room(&gun)));
    }
    gun_linger(&gun);
    (void)close(fd);
    return true;
}
