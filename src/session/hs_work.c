/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hs_work.c - the client's policy: how much it bids, how long it works, and when a price that has
 * risen is a reason to ask again (docs/spec/1-handshake.md, 1.9).
 *
 * A server may ask for whatever it likes. What it gets is at most the time we have set aside.
 */
#include "base/assert.h"
#include "session/hs_priv.h"

/* Expected time; WEFT_TIME_NEVER where it is beyond counting. */
static uint64_t time_of(uint64_t tries, uint64_t rate)
{
    return tries > UINT64_MAX / WF_HS_SECOND_US ? WEFT_TIME_NEVER : tries * WF_HS_SECOND_US / rate;
}

static bool is_affordable(const struct wf_hs *hs, uint64_t bid)
{
    uint64_t rate = hs->work_rate[hs->work.alg];

    if (bid > hs->effort_max)
        return false;
    return rate == 0 || hs->work_time_us == 0 || time_of(bid, rate) <= hs->work_time_us;
}

/* What we expect to solve in so long; 0: not known. */
static uint64_t tries_in(const struct wf_hs *hs, uint64_t us)
{
    uint64_t rate = hs->work_rate[hs->work.alg];

    return us > UINT64_MAX / (rate + 1) ? UINT64_MAX : rate * us / WF_HS_SECOND_US;
}

/* 1.3 times what is asked, times 1.5 for each attempt before, rounded up. */
static uint64_t raised(const struct wf_hs *hs, uint64_t asked)
{
    uint64_t tenths = 13 * asked;

    for (unsigned i = 0; i < hs->attempt && tenths <= 10 * (uint64_t)UINT32_MAX; i++)
        tenths += (tenths + 1) / 2;
    return (tenths + 9) / 10;
}

static uint64_t at_most(uint64_t value, uint64_t most)
{
    return value < most ? value : most;
}

/* SPEC 1.7-11, 1.9-4. What a client can spare anyway it bids at once; what would take half of its
 * time or more it does not, unless so much is asked. */
static uint64_t bid_for(const struct wf_hs *hs, const struct wf_challenge_head *h)
{
    uint64_t bid = raised(hs, h->effort);
    uint64_t spare = tries_in(hs, WF_HS_BID_LEAST_US);
    bool is_timed = hs->work_rate[h->work_alg] != 0 && hs->work_time_us != 0;

    if (bid < spare) {
        bid = spare;
    }
    if (is_timed) {
        bid = at_most(bid, tries_in(hs, hs->work_time_us / 2));
    }
    bid = at_most(bid, at_most((uint64_t)1 << h->ceiling_log2, hs->effort_max));
    bid = at_most(bid, UINT32_MAX);
    return bid > h->effort ? bid : h->effort;
}

bool wf_hs_choose_bid(struct wf_hs *hs, const struct wf_challenge_head *h)
{
    hs->work.alg = h->work_alg;
    hs->work.bid = h->effort;
    if (h->effort == 0)
        return true;
    if (!is_affordable(hs, h->effort)) /* SPEC 1.2-4, 1.9-1 */
        return false;
    hs->work.bid = (uint32_t)bid_for(hs, h);
    hs->is_judged = hs->work_rate[hs->work.alg] != 0;
    return true;
}

void wf_hs_begin_work(struct wf_hs *hs, weft_time now)
{
    hs->work_began = now;
}

weft_time wf_hs_work_until(const struct wf_hs *hs)
{
    if (hs->work_time_us == 0)
        return hs->give_up_at;
    if (hs->work_time_us >= WEFT_TIME_NEVER - hs->work_began)
        return WEFT_TIME_NEVER;
    return hs->work_began + hs->work_time_us;
}

/* Where work has a time of its own it does not count against the time to reach the server. */
void wf_hs_end_work(struct wf_hs *hs, weft_time now)
{
    hs->worked_us = now - hs->work_began;
    if (hs->work_time_us == 0)
        return;
    hs->give_up_at = hs->worked_us < WEFT_TIME_NEVER - hs->give_up_at
                         ? hs->give_up_at + hs->worked_us
                         : WEFT_TIME_NEVER;
}

/* SPEC 1.7-12, 1.9-3 */
static void finish_work(struct wf_hs *hs, weft_time now)
{
    weft_time wait = 2 * (hs->result.challenge_at - hs->result.hello_sent);

    wf_hs_end_work(hs, now);
    wf_hs_send_solve(hs, now);
    hs->overdue_at = now + (wait > WF_HS_OVERDUE_MIN_US ? wait : WF_HS_OVERDUE_MIN_US);
}

bool wf_hs_has_work(const struct wf_hs *hs)
{
    return hs->state == WF_HS_WORKING ||
           (hs->state == WF_HS_HELLO && hs->ask.state == WF_HS_ASK_WORKING);
}

void wf_hs_work(struct wf_hs *hs, weft_time now, uint64_t tries)
{
    if (hs->state == WF_HS_HELLO) {
        wf_hs_ask_work(hs, now, wf_work_slice(&hs->ask.work, tries));
    } else if (hs->state == WF_HS_WORKING &&
               wf_work_solve(&hs->work, &hs->work_nonce, wf_work_slice(&hs->work, tries))) {
        finish_work(hs, now);
    }
}

const struct wf_work *wf_hs_job(const struct wf_hs *hs)
{
    WEFT_ASSERT(hs->state == WF_HS_WORKING);
    return &hs->work;
}

void wf_hs_solved(struct wf_hs *hs, weft_time now, uint64_t nonce)
{
    if (hs->state != WF_HS_WORKING || !wf_work_check(&hs->work, nonce))
        return;
    hs->work_nonce = nonce;
    finish_work(hs, now);
}

void wf_hs_rate(struct wf_hs *hs, weft_time now, unsigned alg, uint64_t tries_per_s)
{
    WEFT_ASSERT(alg < WF_WORK_ALGS);
    hs->work_rate[alg] = tries_per_s;
    if (hs->state != WF_HS_WORKING || hs->is_judged || hs->work_rate[hs->work.alg] == 0)
        return;
    hs->is_judged = true;
    if (!is_affordable(hs, hs->challenge.head.effort)) {
        wf_hs_end_work(hs, now);
        wf_hs_fail(hs, WEFT_ERR_LIMIT); /* SPEC 1.9-1 */
    }
}

bool wf_hs_carries_data(const struct wf_hs *hs)
{
    return hs->state > WF_HS_HELLO && hs->work.bid == 0; /* SPEC 1.9-2 */
}

bool wf_hs_is_overdue(const struct wf_hs *hs, weft_time now)
{
    if (hs->state == WF_HS_SOLVE)
        return now >= hs->overdue_at;
    return hs->state == WF_HS_WORKING && now >= hs->cookie_until; /* SPEC 1.9-6 */
}

static bool is_working(const struct wf_hs *hs)
{
    return hs->state == WF_HS_WORKING;
}

uint64_t wf_hs_time_left(const struct wf_hs *hs, weft_time now)
{
    weft_time at = is_working(hs) && hs->work_time_us != 0 ? hs->work_began : now;

    return hs->give_up_at > at ? hs->give_up_at - at : 0;
}

/* Where there is a limit at least 1 is left: 0 would be no limit. */
uint64_t wf_hs_work_left(const struct wf_hs *hs, weft_time now)
{
    uint64_t worked = is_working(hs) ? now - hs->work_began : hs->worked_us;

    if (hs->work_time_us == 0)
        return 0;
    return worked < hs->work_time_us ? hs->work_time_us - worked : 1;
}

struct wf_hs_price wf_hs_price(const struct wf_hs *hs)
{
    if (hs->state == WF_HS_HELLO)
        return (struct wf_hs_price){0};
    return (struct wf_hs_price){hs->work.alg, hs->challenge.head.effort, hs->work.bid};
}
