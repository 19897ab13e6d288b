/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path.c - see path.h. An address is what a stranger may have written: it earns bytes by sending
 * bytes, and the session by answering from there.
 */
#include "transport/path.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"

void wf_paths_init(struct wf_paths *p, const struct wf_addr *remote, const struct wf_addr *local)
{
    *p = (struct wf_paths){.count = 1, .next_age = 1};
    p->items[0] = (struct wf_path){
        .remote = *remote,
        .local = *local,
        .is_proved = true,
        .challenge_at = WEFT_TIME_NEVER,
    };
}

struct wf_path *wf_paths_active(struct wf_paths *p)
{
    return &p->items[0];
}

struct wf_path *wf_paths_find(struct wf_paths *p, const struct wf_addr *remote)
{
    for (size_t i = 0; i < p->count; i++) {
        if (wf_addr_equal(&p->items[i].remote, remote))
            return &p->items[i];
    }
    return NULL;
}

uint64_t wf_path_room(const struct wf_path *path)
{
    if (path->is_proved)
        return UINT64_MAX;
    return path->received > path->sent ? path->received - path->sent : 0;
}

void wf_path_on_sent(struct wf_path *path, uint64_t bytes)
{
    path->sent += path->is_proved ? 0 : bytes;
}

static void drop(struct wf_paths *p, size_t i)
{
    WEFT_ASSERT(i > 0);
    p->count--;
    memmove(&p->items[i], &p->items[i + 1], (p->count - i) * sizeof p->items[0]);
}

/* Who moved goes on sending; who copies packets from ever new addresses does so once from each. */
static bool gives_way(const struct wf_path *a, const struct wf_path *b)
{
    return a->newest != b->newest ? a->newest < b->newest : a->age < b->age;
}

/* SPEC 4.4-3 */
static void drop_weakest(struct wf_paths *p)
{
    size_t weakest = 1;

    for (size_t i = 2; i < p->count; i++) {
        if (gives_way(&p->items[i], &p->items[weakest])) {
            weakest = i;
        }
    }
    drop(p, weakest);
}

/* A peer that is out in the world is not suddenly on our own machine or in our own network: there
 * are others there who would believe what comes from us. SPEC 4.4-8 */
static bool is_plausible(const struct wf_paths *p, const struct wf_addr *from)
{
    const enum wf_addr_class active = wf_addr_class(&p->items[0].remote);

    if (!wf_addr_is_unicast_peer(from))
        return false;
    switch (wf_addr_class(from)) {
    case WF_ADDR_CLASS_LOOPBACK:
        return active == WF_ADDR_CLASS_LOOPBACK;
    case WF_ADDR_CLASS_LINK_LOCAL:
    case WF_ADDR_CLASS_PRIVATE:
        return active != WF_ADDR_CLASS_GLOBAL;
    default:
        return true;
    }
}

/* True when one more challenge may begin in this second. */
static bool may_begin(struct wf_paths *p, weft_time now)
{
    if (p->new_count == 0 || now - p->new_at >= WF_PATH_NEW_US) {
        p->new_at = now;
        p->new_count = 0;
    }
    if (p->new_count >= WF_PATH_NEW_MAX)
        return false;
    p->new_count++;
    return true;
}

static enum wf_path_event add(struct wf_paths *p, weft_time now, const struct wf_path_packet *k,
                              const struct wf_rng *rng)
{
    if (!k->is_newest || !is_plausible(p, &k->from) || !may_begin(p, now))
        return WF_PATH_SAME;
    if (p->count == WF_PATHS_MAX) {
        drop_weakest(p);
    }

    struct wf_path *path = &p->items[p->count++];

    *path = (struct wf_path){
        .remote = k->from,
        .local = k->to,
        .challenge_at = now,
        .received = k->bytes,
        .newest = 1,
        .age = p->next_age++,
    };
    wf_random(rng, path->token, sizeof path->token);
    p->leader = path->age;
    return WF_PATH_CANDIDATE;
}

/* No challenge is under way: none was sent, or what was sent has not been answered. */
static bool may_be_challenged(const struct wf_path *path)
{
    return path->challenge_at == WEFT_TIME_NEVER || path->challenges >= WF_PATH_CHALLENGES_MAX;
}

/* A candidate that we know: it goes on earning, and a path that was left, or did not answer, is
 * challenged when the peer is back on it. */
static enum wf_path_event meet_again(struct wf_paths *p, struct wf_path *path, weft_time now,
                                     const struct wf_path_packet *k, const struct wf_rng *rng)
{
    path->received += k->bytes;
    path->newest += k->is_newest;
    p->leader = k->is_newest ? path->age : p->leader;
    if (!k->is_newest || !may_be_challenged(path) || !may_begin(p, now))
        return WF_PATH_SAME;
    if (path->challenges == 0 || path->challenges >= WF_PATH_CHALLENGES_MAX) {
        wf_random(rng, path->token, sizeof path->token);
        path->challenges = 0;
    }
    path->challenge_at = now;
    return WF_PATH_CANDIDATE;
}

enum wf_path_event wf_paths_on_packet(struct wf_paths *p, weft_time now,
                                      const struct wf_path_packet *k, const struct wf_rng *rng)
{
    struct wf_path *path = wf_paths_find(p, &k->from);

    if (path == NULL)
        return add(p, now, k, rng);
    if (path != &p->items[0])
        return meet_again(p, path, now, k, rng);
    p->leader = k->is_newest ? 0 : p->leader;
    return WF_PATH_SAME;
}

/* The path that was in use becomes a candidate that has to prove itself again. */
static enum wf_path_event take_over(struct wf_paths *p, struct wf_path *path)
{
    const struct wf_path old = p->items[0];

    p->leader = 0;
    p->items[0] = *path;
    p->items[0].is_proved = true;
    p->items[0].challenge_at = WEFT_TIME_NEVER;
    *path = (struct wf_path){
        .remote = old.remote,
        .local = old.local,
        .challenge_at = WEFT_TIME_NEVER,
        .age = p->next_age++,
    };
    return wf_addr_same_host(&old.remote, &p->items[0].remote) ? WF_PATH_REBOUND : WF_PATH_MOVED;
}

enum wf_path_event wf_paths_on_response(struct wf_paths *p, const struct wf_addr *from,
                                        const uint8_t token[WF_PATH_TOKEN_LEN])
{
    struct wf_path *path = wf_paths_find(p, from);

    if (path == NULL || path == &p->items[0] || path->challenges == 0)
        return WF_PATH_SAME;
    if (!wf_equal_ct(path->token, token, WF_PATH_TOKEN_LEN))
        return WF_PATH_SAME;
    return take_over(p, path);
}

struct wf_path *wf_paths_challenge(struct wf_paths *p, weft_time now, uint64_t len)
{
    for (size_t i = 1; i < p->count; i++) {
        struct wf_path *path = &p->items[i];

        if (path->challenge_at > now || path->challenges >= WF_PATH_CHALLENGES_MAX)
            continue;
        if (wf_path_room(path) >= len) /* SPEC 4.4-2 */
            return path;
        path->challenge_at = WEFT_TIME_NEVER; /* until it has sent more */
    }
    return NULL;
}

/* What the path in use takes says little of this one, and nothing when it stood still. */
void wf_paths_on_challenge(struct wf_path *path, weft_time now, uint64_t pto_us)
{
    const uint64_t us = pto_us < WF_PATH_PTO_MAX_US ? pto_us : WF_PATH_PTO_MAX_US;

    path->challenge_at = now + (us << path->challenges);
    path->challenged_at = now;
    path->challenges++;
}

struct wf_path *wf_paths_leader(struct wf_paths *p)
{
    for (size_t i = 1; i < p->count && p->leader != 0; i++) {
        if (p->items[i].age == p->leader && p->items[i].challenge_at != WEFT_TIME_NEVER)
            return &p->items[i];
    }
    return NULL;
}

uint64_t wf_path_round_trip(const struct wf_path *path, weft_time now)
{
    return path->challenges == 1 ? now - path->challenged_at : 0;
}

void wf_paths_tick(struct wf_paths *p, weft_time now)
{
    for (size_t i = p->count; i > 1; i--) {
        const struct wf_path *path = &p->items[i - 1];

        if (path->challenges >= WF_PATH_CHALLENGES_MAX && path->challenge_at <= now) {
            drop(p, i - 1);
        }
    }
}

weft_time wf_paths_deadline(const struct wf_paths *p)
{
    weft_time soonest = WEFT_TIME_NEVER;

    for (size_t i = 1; i < p->count; i++) {
        soonest = p->items[i].challenge_at < soonest ? p->items[i].challenge_at : soonest;
    }
    return soonest;
}
