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

/* SPEC 4.4-3 */
static void drop_oldest(struct wf_paths *p)
{
    size_t oldest = 1;

    for (size_t i = 2; i < p->count; i++) {
        if (p->items[i].age < p->items[oldest].age) {
            oldest = i;
        }
    }
    drop(p, oldest);
}

/* A peer that is out in the world is not suddenly on our own machine. */
static bool is_plausible(const struct wf_paths *p, const struct wf_addr *from)
{
    if (!wf_addr_is_unicast_peer(from))
        return false;
    return wf_addr_class(from) != WF_ADDR_CLASS_LOOPBACK ||
           wf_addr_class(&p->items[0].remote) == WF_ADDR_CLASS_LOOPBACK;
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
        drop_oldest(p);
    }

    struct wf_path *path = &p->items[p->count++];

    *path = (struct wf_path){
        .remote = k->from,
        .local = k->to,
        .challenge_at = now,
        .received = k->bytes,
        .age = p->next_age++,
    };
    wf_random(rng, path->token, sizeof path->token);
    return WF_PATH_CANDIDATE;
}

/* A candidate that we know: it goes on earning, and a path that was left is challenged when the
 * peer is back on it. */
static enum wf_path_event meet_again(struct wf_paths *p, struct wf_path *path, weft_time now,
                                     const struct wf_path_packet *k, const struct wf_rng *rng)
{
    path->received += k->bytes;
    if (!k->is_newest || path->challenge_at != WEFT_TIME_NEVER ||
        path->challenges >= WF_PATH_CHALLENGES_MAX || !may_begin(p, now))
        return WF_PATH_SAME;
    if (path->challenges == 0) {
        wf_random(rng, path->token, sizeof path->token);
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
    return path == &p->items[0] ? WF_PATH_SAME : meet_again(p, path, now, k, rng);
}

/* The path that was in use becomes a candidate that has to prove itself again. */
static enum wf_path_event take_over(struct wf_paths *p, struct wf_path *path)
{
    const struct wf_path old = p->items[0];

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

void wf_paths_on_challenge(struct wf_path *path, weft_time now, uint64_t pto_us)
{
    path->challenges++;
    path->challenge_at = now + pto_us;
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
