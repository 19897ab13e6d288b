/* SPDX-License-Identifier: Apache-2.0 */
/*
 * solve.c - what can be done with a true SOLVE: send it again, as it is or changed, and send many
 * that are never followed up.
 */
#include <stdio.h>
#include <string.h>

#include "attack.h"
#include "base/bytes.h"
#include "crypto/hash.h"
#include "session/work.h"

#define COOKIE_OFFSET 48u
#define NONCE_OFFSET 32u
#define LISTS_OFFSET 108u
#define CONFIRM_MS 1000

static size_t boxes_of(const uint8_t *solve)
{
    return WF_SOLVE_FIXED + solve[LISTS_OFFSET];
}

static void flip(struct wf_prng *p, uint8_t *at, size_t len)
{
    uint64_t bit = wf_prng_below(p, len * 8);

    at[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static void same(struct wf_prng *p, uint8_t *solve)
{
    (void)p, (void)solve;
}

static void any_bit(struct wf_prng *p, uint8_t *solve)
{
    flip(p, solve, WF_SOLVE_MAX);
}

/* Where nothing is asked, what stands in the nonce shows damage alone (SPEC 1.3-12): whoever
 * changes the boxes makes it right again. */
static void mend(uint8_t *solve)
{
    const size_t at = boxes_of(solve);
    const weft_span boxes = wf_span(solve + at, WF_SOLVE_MAX - at);
    struct wf_work work = {0};
    struct wf_solve s;

    if (wf_solve_get(wf_span(solve, WF_SOLVE_MAX), &s) != WEFT_OK || s.head.effort != 0)
        return;
    work.bid = s.bid;
    memcpy(work.cookie, s.cookie, sizeof work.cookie);
    memcpy(work.n_c, s.n_c, sizeof work.n_c);
    memcpy(work.e_c, s.e_c, sizeof work.e_c);
    wf_hash(work.boxes_hash, &boxes, 1);
    wf_store_u64(solve + WF_SOLVE_WORK_OFFSET, wf_work_unpaid(&work));
}

static void other_boxes(struct wf_prng *p, uint8_t *solve)
{
    size_t at = boxes_of(solve);

    attack_random(p, solve + at, WF_SOLVE_MAX - at);
    mend(solve);
}

static void other_cookie(struct wf_prng *p, uint8_t *solve)
{
    flip(p, solve + COOKIE_OFFSET, WF_COOKIE_LEN);
}

static void other_nonce(struct wf_prng *p, uint8_t *solve)
{
    flip(p, solve + NONCE_OFFSET, WF_NONCE_LEN);
}

/* A bid that no work was done for, and a work nonce to go with it. */
static void other_bid(struct wf_prng *p, uint8_t *solve)
{
    attack_random(p, solve + WF_SOLVE_BID_OFFSET, 12);
}

static void shorter(struct wf_prng *p, uint8_t *solve)
{
    flip(p, solve + boxes_of(solve), WF_SOLVE_MAX - boxes_of(solve));
    flip(p, solve + WF_SOLVE_BID_OFFSET, 12);
}

static const struct {
    const char *name;
    void (*change)(struct wf_prng *p, uint8_t *solve);
} shapes[] = {{"same", same},           {"bits", any_bit},      {"boxes", other_boxes},
              {"cookie", other_cookie}, {"nonce", other_nonce}, {"bids", other_bid},
              {"work", shorter}};

static size_t shape_named(const char *name)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(shapes); i++) {
        if (strcmp(shapes[i].name, name) == 0)
            return i;
    }
    return WF_ARRAY_LEN(shapes);
}

static void fire_copies(const struct attack *a, struct gun *gun, const uint8_t *solve)
{
    struct wf_prng p;
    size_t shape = shape_named(a->shape);

    wf_prng_seed(&p, a->seed);
    while (gun_goes_on(gun)) {
        size_t i = shape < WF_ARRAY_LEN(shapes) ? shape : wf_prng_below(&p, WF_ARRAY_LEN(shapes));
        uint8_t *copy = gun_room(gun);

        memcpy(copy, solve, WF_SOLVE_MAX);
        shapes[i].change(&p, copy);
        gun_put(gun, WF_SOLVE_MAX);
    }
    gun_linger(gun);
}

/* The true one goes first, so that it makes the session; with "boxes" it does not go at all, and
 * one cookie meets many boxes. */
bool attack_replay(const struct attack *a, struct tally *t)
{
    static struct gun gun;
    struct client *c = client_open(a);
    uint8_t solve[WF_SOLVE_MAX];
    uint8_t answer[ATTACK_DATAGRAM_MAX];
    bool made = c != NULL && client_solve(c, solve);

    if (made) {
        t->handshakes++;
        if (strcmp(a->shape, "boxes") != 0) {
            client_say(c, wf_span(solve, sizeof solve));
            t->confirms += client_take(c, answer, CONFIRM_MS) > 0 && answer[0] == WF_TYPE_CONFIRM;
        }
        gun_load(&gun, a, t, client_fd(c));
        fire_copies(a, &gun, solve);
    }
    client_close(c);
    return made;
}

bool attack_half_open(const struct attack *a, struct tally *t)
{
    static struct gun gun;
    struct client *c = client_open(a);
    bool made = c != NULL;

    if (!made)
        return false;
    gun_load(&gun, a, t, client_fd(c));
    gun.batch = 1;
    while (made && gun_goes_on(&gun)) {
        made = client_solve(c, gun_room(&gun));
        t->handshakes += made;
        if (made)
            gun_put(&gun, WF_SOLVE_MAX);
    }
    gun_linger(&gun);
    client_close(c);
    return t->handshakes > 0;
}
