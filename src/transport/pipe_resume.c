/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipe_resume.c - a window from what is known of the path, after silence or for a new session: half
 * of it at once, the rest when that was acknowledged, nothing of it if anything was lost (careful
 * resume, draft-ietf-tsvwg-careful-resume). And what stays of pipes that nobody uses.
 */
#include <string.h>

#include "base/bytes.h"
#include "transport/pipe.h"

#define UNSTEADY_PART 4u /* beyond the reach and so much of it the window does not grow */

struct kept {
    struct wf_link link;
    uint8_t key[WF_PIPE_KEY_LEN];
    struct wf_pipe_estimate estimate;
};

static uint64_t greater(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* On the way back to a window that was in use it is not asked. SPEC 4.2-6 */
static bool is_enough(const struct wf_pipe *p, const struct wf_pipe_lane *lane)
{
    const uint64_t reach = wf_pipe_estimate_reach(&p->estimate, &p->rtt);

    if (wf_cc_in_slow_start(&lane->cc) && lane->cc.ssthresh != UINT64_MAX)
        return false;
    return lane->cc.ops->model == NULL && wf_rtt_is_unsteady(&p->rtt) && reach > 0 &&
           wf_cc_window(&lane->cc) > reach + reach / UNSTEADY_PART;
}

/* SPEC 4.2-6 */
uint64_t wf_pipe_rate(const struct wf_pipe *p, enum wf_class class)
{
    const struct wf_pipe_lane *lane = &p->lanes[class];
    const uint64_t rate = wf_cc_pacing_rate(&lane->cc, &p->rtt);

    return is_enough(p, lane) ? rate / 5 * 4 : rate;
}

/* A controller with a model remembers by itself, and LEDBAT finds its place again. SPEC 4.2-6 */
void wf_pipe_resume(struct wf_pipe *p, enum wf_class class, weft_time now)
{
    struct wf_pipe_lane *lane = &p->lanes[class];
    struct wf_cc *cc = &lane->cc;
    const uint64_t initial = WF_CC_INITIAL_DATAGRAMS * cc->datagram_len;
    const uint64_t trusted = wf_pipe_estimate_trusted(&p->estimate, now);
    const uint64_t jump = greater(trusted / 2, initial);
    const uint64_t window = wf_cc_window(cc);

    if (class != WF_CLASS_MAIN || cc->ops->model != NULL)
        return;
    if (lane->is_used && window > jump) {
        wf_cc_restart(cc);
    } else if (!lane->is_used && trusted > window) {
        cc->ssthresh = trusted;
    } else {
        return;
    }
    wf_cc_set_window(cc, jump);
    lane->resume = (struct wf_pipe_resume){.is_on = jump > initial, .before = initial, .at = now};
}

void wf_pipe_on_lost(struct wf_pipe_member *m, enum wf_class class, weft_time newest_at)
{
    struct wf_pipe_lane *lane = wf_pipe_lane(m, class);

    if (lane == NULL || !lane->resume.is_on || newest_at < lane->resume.at)
        return;
    lane->resume.is_on = false;
    if (wf_cc_window(&lane->cc) > lane->resume.before)
        wf_cc_set_window(&lane->cc, lane->resume.before);
}

static void confirm(struct wf_pipe_resume *r, const struct wf_cc_ack *a)
{
    if (!r->is_on || a->bytes == 0 || a->newest_at < r->at)
        return;
    if (!r->is_answered) {
        r->is_answered = true;
        r->answered_at = a->now;
    } else if (a->newest_at >= r->answered_at) {
        r->is_on = false;
    }
}

void wf_pipe_learn(struct wf_pipe_member *m, enum wf_class class, const struct wf_cc_ack *a,
                   uint64_t before)
{
    struct wf_pipe_lane *lane = wf_pipe_lane(m, class);
    struct wf_pipe *p = m->pipe;

    if (lane == NULL || a->bytes == 0)
        return;
    const struct wf_pipe_sample s = {
        .now = a->now, .sent_at = a->newest_at, .rtt = &p->rtt, .rate = &a->rate};

    lane->busy_at = a->now;
    wf_pipe_estimate_on_ack(&p->estimate, &s);
    confirm(&lane->resume, a);
    if (wf_cc_window(&lane->cc) > before && is_enough(p, lane))
        wf_cc_set_window(&lane->cc, before);
}

/* --- pipes that nobody uses --- */

static void drop(struct wf_pipes *p, struct kept *k)
{
    (void)wf_table_remove(&p->kept, wf_span(k->key, sizeof k->key));
    wf_list_remove(&k->link);
    wf_free(p->mem, k, sizeof *k);
}

void wf_pipes_forget(struct wf_pipes *p)
{
    while (p->kept_list.first != NULL)
        drop(p, WF_CONTAINER_OF(p->kept_list.first, struct kept, link));
    wf_table_deinit(&p->kept);
}

void wf_pipe_keep(struct wf_pipe *p)
{
    struct wf_pipes *all = p->pipes;
    struct kept *k = NULL;

    if (all == NULL || all->kept_max == 0 || p->estimate.trust == 0)
        return;
    if (all->kept_list.count >= all->kept_max)
        drop(all, WF_CONTAINER_OF(all->kept_list.first, struct kept, link));
    k = wf_alloc(all->mem, sizeof *k);
    if (k == NULL)
        return;
    k->estimate = p->estimate;
    memcpy(k->key, p->key, sizeof k->key);
    if (wf_table_put(&all->kept, wf_span(k->key, sizeof k->key), k) != WEFT_OK) {
        wf_free(all->mem, k, sizeof *k);
        return;
    }
    wf_list_push_back(&all->kept_list, &k->link);
}

void wf_pipe_recall(struct wf_pipe *p)
{
    struct kept *k = wf_table_get(&p->pipes->kept, wf_span(p->key, sizeof p->key));

    if (k == NULL)
        return;
    p->estimate = k->estimate;
    drop(p->pipes, k);
}
