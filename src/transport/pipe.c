/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipe.c - see pipe.h. What a member may do to the others is bounded: it takes turns, holds no more
 * than its share while they wait, and its bytes are given back when it goes.
 */
#include "transport/pipe.h"

#include "base/assert.h"

#define SPAN_MIN_US 10000u
#define RESERVE_PART 8u      /* of the window, at most, is kept for those that hold little */
#define RTT_KEPT_US 1000000u /* the shortest round trip of somebody else counts for so long */

struct wf_pipe_lane *wf_pipe_lane(const struct wf_pipe_member *m, enum wf_class class)
{
    return m->pipe == NULL ? NULL : &m->pipe->lanes[class];
}

uint64_t wf_pipe_window(const struct wf_pipe_member *m, enum wf_class class)
{
    return m->pipe == NULL ? 0 : wf_cc_window(&m->pipe->lanes[class].cc);
}

/* --- turns --- */

static struct wf_pipe_member *waiting(struct wf_link *link, enum wf_class class)
{
    return WF_CONTAINER_OF(link - class, struct wf_pipe_member, waits[0]);
}

/* The first that holds no more than its share. While there is room somebody does, for the shares
 * add up to the window. */
static struct wf_pipe_member *next_of(const struct wf_pipe *p, enum wf_class class)
{
    const struct wf_pipe_lane *lane = &p->lanes[class];
    struct wf_link *l = lane->row.first;

    if (lane->row.count < 2)
        return l == NULL ? NULL : waiting(l, class);
    const uint64_t share = wf_cc_window(&lane->cc) / lane->row.count;

    for (size_t i = 0; l != NULL && i < WF_PIPE_TURNS_SEEN; i++, l = l->next) {
        struct wf_pipe_member *m = waiting(l, class);

        if (m->in_flight[class] <= share)
            return m;
    }
    return waiting(lane->row.first, class);
}

void wf_pipe_wake(struct wf_pipe *p, enum wf_class class)
{
    struct wf_pipe_lane *lane = &p->lanes[class];
    struct wf_pipe_member *m = NULL;

    if (p->pipes == NULL || lane->row.first == NULL || p->members.count < 2)
        return; /* who is alone is at work */
    if (wf_cc_room(&lane->cc, lane->in_flight) < p->datagram_len)
        return;
    m = next_of(p, class);
    lane->told = m;
    if (m->woken.list == NULL)
        wf_list_push_back(&p->pipes->woken, &m->woken);
}

void wf_pipe_want(struct wf_pipe_member *m, enum wf_class class, bool wants)
{
    struct wf_pipe_lane *lane = wf_pipe_lane(m, class);

    m->wants[class] = wants;
    if (wants || lane == NULL || lane->row.first != NULL || !lane->is_used)
        return;
    wf_pacer_rest(&lane->pacer);
    if (wf_cc_room(&lane->cc, lane->in_flight) >= m->pipe->datagram_len)
        wf_rate_app_limited(&lane->rate, lane->in_flight);
}

static void join_row(struct wf_pipe_member *m, enum wf_class class)
{
    if (m->waits[class].list == NULL)
        wf_list_push_back(&m->pipe->lanes[class].row, &m->waits[class]);
}

static uint64_t hold(struct wf_pipe_member *m, enum wf_class class)
{
    m->is_held[class] = true;
    join_row(m, class);
    return 0;
}

/* Bytes that background may send although others wait. */
static uint64_t share_of_background(const struct wf_pipe_member *m)
{
    const struct wf_pipe *p = m->pipe;

    if (p->lanes[WF_CLASS_MAIN].row.first == NULL && !m->wants[WF_CLASS_MAIN])
        return UINT64_MAX;
    return p->passed_over / WF_PIPE_SHARE;
}

static void count_share(struct wf_pipe_member *m, enum wf_class class, uint64_t bytes)
{
    struct wf_pipe *p = m->pipe;
    const uint64_t most = 2 * WF_PIPE_SHARE * p->datagram_len;

    if (class == WF_CLASS_BACKGROUND) {
        p->passed_over -=
            WF_PIPE_SHARE * bytes < p->passed_over ? WF_PIPE_SHARE * bytes : p->passed_over;
        return;
    }
    if (!m->wants[WF_CLASS_BACKGROUND] && p->lanes[WF_CLASS_BACKGROUND].row.first == NULL)
        return;
    p->passed_over = p->passed_over + bytes < most ? p->passed_over + bytes : most;
}

static void begin_to_use(struct wf_pipe *p, enum wf_class class, weft_time now)
{
    struct wf_pipe_lane *lane = &p->lanes[class];

    if (lane->in_flight > 0 || (lane->is_used && now - lane->busy_at < WF_PIPE_IDLE_US))
        return;
    wf_pipe_resume(p, class, now);
    lane->is_used = true;
    lane->busy_at = now;
    wf_pacer_set(&lane->pacer, now, wf_pipe_rate(p, class), p->datagram_len);
}

static void note_active(struct wf_pipe_member *m, enum wf_class class, weft_time now)
{
    struct wf_pipe_lane *lane = &m->pipe->lanes[class];
    const uint64_t trip = m->pipe->rtt.srtt8 / 8;

    if (lane->span == 0 || now - lane->span_at > (trip > SPAN_MIN_US ? trip : SPAN_MIN_US)) {
        lane->span++;
        lane->span_at = now;
        lane->active_before = lane->active;
        lane->active = 0;
    }
    if (m->span[class] == lane->span)
        return;
    m->span[class] = lane->span;
    lane->active++;
}

/* Who holds more than its share leaves something to others that are at work: else one that gets no
 * acks would hold everything at the moment when nobody waits. SPEC 4.2-4 */
static uint64_t room_of(const struct wf_pipe_member *m, enum wf_class class)
{
    const struct wf_pipe_lane *lane = &m->pipe->lanes[class];
    const uint64_t window = wf_cc_window(&lane->cc);
    const uint64_t room = wf_cc_room(&lane->cc, lane->in_flight); /* SPEC 4.2-2 */
    const size_t count = lane->active > lane->active_before ? lane->active : lane->active_before;
    uint64_t reserve = WF_CC_MIN_DATAGRAMS * m->pipe->datagram_len;

    if (count < 2)
        return room;
    const uint64_t held = m->in_flight[class];
    const uint64_t within = held < window / count ? window / count - held : 0;

    reserve *= count - 1;
    if (reserve > window / RESERVE_PART)
        reserve = window / RESERVE_PART;
    const uint64_t beyond = room > reserve ? room - reserve : 0;
    const uint64_t most = within > beyond ? within : beyond;

    return most < room ? most : room;
}

uint64_t wf_pipe_budget(struct wf_pipe_member *m, enum wf_class class, weft_time now, size_t size,
                        weft_time *wait_at)
{
    struct wf_pipe_lane *lane = wf_pipe_lane(m, class);

    if (lane == NULL)
        return 0;
    begin_to_use(m->pipe, class, now);
    note_active(m, class, now);
    if (lane->row.first != NULL)
        join_row(m, class); /* shares depend on how many wait */
    const struct wf_pipe_member *turn = next_of(m->pipe, class);

    if (turn != NULL && turn != m) {
        if (lane->told != turn)
            wf_pipe_wake(m->pipe, class);
        return hold(m, class);
    }
    lane->told = m;
    if (class == WF_CLASS_BACKGROUND && share_of_background(m) < size)
        return hold(m, class);
    const uint64_t window = room_of(m, class) / size;
    if (window == 0) {
        wf_pacer_rest(&lane->pacer); /* it is the window that holds the sender back */
        return hold(m, class);
    }
    const uint64_t paced = wf_pacer_room(&lane->pacer, now);
    if (paced < size) {
        const weft_time at = wf_pacer_wait(&lane->pacer, now);

        *wait_at = at < *wait_at ? at : *wait_at;
        return hold(m, class);
    }
    const uint64_t most = paced / size < window ? paced / size : window;
    if (class == WF_CLASS_BACKGROUND && share_of_background(m) / size < most)
        return share_of_background(m) / size;
    return most;
}

/* Ends the turn in one class; true when that may help somebody else. */
static bool end_turn(struct wf_pipe_member *m, enum wf_class class)
{
    const bool was_held = m->is_held[class];
    const bool is_change = m->has_sent[class] || (!was_held && m->waits[class].list != NULL);

    m->is_held[class] = false;
    m->has_sent[class] = false;
    if (!was_held)
        wf_list_remove(&m->waits[class]);
    return is_change;
}

/* Only what changed wakes anybody: two who wait for their time would wake each other for ever. */
void wf_pipe_end_turn(struct wf_pipe_member *m)
{
    if (m->pipe == NULL)
        return;
    const bool main = end_turn(m, WF_CLASS_MAIN);
    const bool background = end_turn(m, WF_CLASS_BACKGROUND);

    if (main)
        wf_pipe_wake(m->pipe, WF_CLASS_MAIN);
    if (main || background)
        wf_pipe_wake(m->pipe, WF_CLASS_BACKGROUND);
}

/* --- bytes --- */

struct wf_rate_stamp wf_pipe_on_sent(struct wf_pipe_member *m, enum wf_class class, weft_time now,
                                     uint64_t bytes)
{
    struct wf_pipe_lane *lane = wf_pipe_lane(m, class);

    if (lane == NULL)
        return (struct wf_rate_stamp){0};
    const struct wf_rate_stamp stamp = wf_rate_on_sent(&lane->rate, now, lane->in_flight, bytes);
    const struct wf_cc_sent sent = {.now = now,
                                    .bytes = bytes,
                                    .in_flight = lane->in_flight + bytes,
                                    .is_app_limited = stamp.is_app_limited};

    lane->busy_at = now;
    lane->in_flight += bytes;
    m->in_flight[class] += bytes;
    m->has_sent[class] = true;
    count_share(m, class, bytes);
    wf_cc_on_sent(&lane->cc, &sent);
    wf_pacer_on_sent(&lane->pacer, now, bytes);
    return stamp;
}

void wf_pipe_settle(struct wf_pipe_member *m, const uint64_t in_flight[WF_CLASSES])
{
    if (m->pipe == NULL)
        return;
    for (enum wf_class k = WF_CLASS_MAIN; k < WF_CLASSES; k++) {
        struct wf_pipe_lane *lane = &m->pipe->lanes[k];

        WEFT_ASSERT(lane->in_flight >= m->in_flight[k]);
        lane->in_flight += in_flight[k];
        lane->in_flight -= m->in_flight[k];
        m->in_flight[k] = in_flight[k];
        wf_pipe_wake(m->pipe, k);
    }
}

/* --- what members learn --- */

void wf_pipe_on_acked(struct wf_pipe_member *m, weft_time now)
{
    struct wf_pipe *p = m->pipe;

    if (p == NULL)
        return;
    if (p->acked_by != m)
        p->others_acked_at = p->acked_at;
    p->acked_by = m;
    p->acked_at = now;
}

bool wf_pipe_is_shared(const struct wf_pipe_member *m)
{
    return m->pipe != NULL && m->pipe->members.count > 1;
}

bool wf_pipe_is_silent(const struct wf_pipe_member *m, weft_time now, uint64_t us)
{
    const struct wf_pipe *p = m->pipe;

    if (p == NULL || p->members.count < 2)
        return true;
    return now - (p->acked_by == m ? p->others_acked_at : p->acked_at) > us;
}

/* A peer that makes its round trips look long slows down nobody else. */
void wf_pipe_on_rtt(struct wf_pipe_member *m, weft_time now, const struct wf_rtt *rtt)
{
    struct wf_pipe *p = m->pipe;

    if (p == NULL)
        return;
    if (p->rtt.has_sample && p->rtt_by != m && rtt->srtt8 > p->rtt.srtt8 &&
        now - p->rtt_at < RTT_KEPT_US)
        return;
    p->rtt = *rtt;
    p->rtt_by = m;
    p->rtt_at = now;
}

void wf_pipe_update(struct wf_pipe_member *m, weft_time now)
{
    struct wf_pipe *p = m->pipe;

    for (size_t k = 0; p != NULL && k < WF_CLASSES; k++) {
        struct wf_pipe_lane *lane = &p->lanes[k];

        if (lane->is_used)
            wf_pacer_set(&lane->pacer, now, wf_pipe_rate(p, (enum wf_class)k), p->datagram_len);
    }
}

/* Window and bursts are counted in the largest datagrams that there are: with smaller ones somebody
 * might never have room. */
void wf_pipe_set_datagram(struct wf_pipe_member *m, weft_time now, uint64_t datagram_len)
{
    struct wf_pipe *p = m->pipe;
    uint64_t largest = datagram_len;

    m->datagram_len = datagram_len;
    if (p == NULL)
        return;
    for (struct wf_link *l = p->members.first; l != NULL; l = l->next) {
        const struct wf_pipe_member *other = WF_CONTAINER_OF(l, struct wf_pipe_member, link);

        largest = other->datagram_len > largest ? other->datagram_len : largest;
    }
    p->datagram_len = largest;
    for (size_t k = 0; k < WF_CLASSES; k++)
        wf_cc_set_datagram(&p->lanes[k].cc, largest);
    wf_pipe_update(m, now);
}
