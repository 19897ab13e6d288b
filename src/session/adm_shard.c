/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adm_shard.c - a SOLVE that this admission cannot take, because another shard or another instance
 * made its cookie, or because the cookie is too old (docs/spec/1-handshake.md, 1.13): it is handed
 * over, or its sender is challenged anew. Like HELLO it is answered without a look at anything that
 * is kept, and with less than it was.
 */
#include <string.h>

#include "base/assert.h"
#include "base/ct.h"
#include "session/adm_priv.h"
#include "session/challenge.h"

/* SPEC 1.1-2: nothing is allocated, stored or computed with curves here. */
void wf_adm_challenge(struct wf_adm *a, weft_time now, const struct wf_hello *h,
                      struct wf_adm_result *out)
{
    const struct wf_adm_ts *ts = &a->ts[a->ts_now];
    struct wf_challenge_head head = ts->challenge.head;

    head.epoch = a->epoch;
    head.effort = wf_adm_asked(a, now, &out->path.from);
    head.work_alg = head.effort == 0 ? WF_WORK_NONE : a->work_alg;
    head.offset_ms = (uint16_t)((now - a->epoch_began) / 1000);
    const struct wf_adm_cookie_input in = {.head = &head,
                                           .prefix = h->prefix,
                                           .n_c = h->n_c,
                                           .from = &out->path.from,
                                           .lists = h->lists};
    WEFT_ASSERT(ts->len <= WF_HELLO_LEN); /* SPEC 1.2-1, 1.13-2 */
    memcpy(out->reply, ts->bytes, ts->len);
    wf_challenge_head_store(out->reply + WF_CHALLENGE_HEAD_OFFSET, &head);
    wf_adm_cookie(a, out->reply + WF_CHALLENGE_COOKIE_OFFSET, &in);
    wf_ct_public(out->reply + WF_CHALLENGE_COOKIE_OFFSET, WF_COOKIE_LEN);
    memcpy(out->reply + WF_CHALLENGE_ECHO_OFFSET, h->n_c, WF_ECHO_LEN); /* SPEC 1.2-8 */
    wf_challenge_stamp(out->reply, ts->digest, h);
    out->reply_len = ts->len;
    out->kind = WF_ADM_REPLY;
    a->stats.challenge++;
}

/* Its own words say what HELLO said. SPEC 1.13-2, 1.13-3 */
static void challenge_anew(struct wf_adm *a, weft_time now, const struct wf_solve *s, size_t len,
                           struct wf_adm_result *out)
{
    struct wf_hello h = {.version = s->head.version, .suite = s->head.suite, .lists = s->lists};

    if (len < WF_HELLO_LEN || h.version != WF_VERSION || h.suite != WF_SUITE) {
        a->stats.solve_bad_epoch++;
        return;
    }
    memcpy(h.prefix, s->prefix, sizeof h.prefix);
    memcpy(h.n_c, s->n_c, sizeof h.n_c);
    a->stats.solve_anew++;
    wf_adm_challenge(a, now, &h, out);
}

static bool is_too_old(const struct wf_adm *a, uint32_t epoch)
{
    return epoch <= a->epoch && a->epoch - epoch >= WF_ADM_EPOCHS;
}

bool wf_adm_is_elsewhere(const struct wf_adm *a, const struct wf_challenge_head *h)
{
    return h->instance == a->instance && h->shard != a->shard && h->shard < a->shard_count;
}

bool wf_adm_shard_takes(struct wf_adm *a, weft_time now, const struct wf_solve *s, size_t len,
                        struct wf_adm_result *out)
{
    const struct wf_challenge_head *h = &s->head;

    if (h->instance != a->instance || (h->shard == a->shard && is_too_old(a, h->epoch))) {
        challenge_anew(a, now, s, len, out);
        return false;
    }
    if (h->shard == a->shard)
        return true;
    if (wf_adm_is_elsewhere(a, h)) { /* SPEC 1.13-1 */
        out->kind = WF_ADM_FORWARD;
        out->shard = h->shard;
        a->stats.solve_forwarded++;
    } else {
        a->stats.solve_bad_cookie++;
    }
    return false;
}
