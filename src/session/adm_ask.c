/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adm_ask.c - ASK: answered with the owner's statement, which was made offline. Whoever can show a
 * cookie and the work gets the same bytes again and again; nothing is stored, and no curve is used.
 */
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/ct.h"
#include "session/adm_priv.h"
#include "session/statement.h"
#include "session/work.h"

weft_err wf_adm_hold_statement(struct wf_adm *a, weft_span bytes)
{
    struct wf_statement s;

    if (bytes.len == 0)
        return WEFT_OK;
    /* SPEC 1.12-5 */
    if (wf_statement_get(bytes, &s) != WEFT_OK || !wf_statement_is_signed(&s) ||
        memcmp(s.key, a->identity->public_key, sizeof s.key) != 0)
        return WEFT_ERR_USAGE;
    memcpy(a->statement, bytes.data, bytes.len);
    a->statement_len = bytes.len;
    return WEFT_OK;
}

static bool cookie_is_ours(const struct wf_adm *a, const struct wf_ask *k,
                           const struct wf_addr *from)
{
    const struct wf_adm_cookie_input in = {
        .head = &k->head, .prefix = k->prefix, .n_c = k->n_c, .from = from, .lists = k->lists};
    uint8_t cookie[WF_COOKIE_LEN];

    if (!wf_adm_epoch_lives(a, k->head.epoch))
        return false;
    wf_adm_cookie(a, cookie, &in);
    const bool is_ours = wf_equal_ct(cookie, k->cookie, sizeof cookie);
    wf_ct_public(&is_ours, sizeof is_ours);
    return is_ours;
}

/* SPEC 1.12-4 */
static bool work_is_done(const struct wf_ask *k)
{
    struct wf_work work = {.alg = k->head.work_alg, .bid = k->bid};

    if (k->head.effort == 0)
        return true;
    if (k->bid < k->head.effort)
        return false;
    memcpy(work.cookie, k->cookie, sizeof work.cookie);
    memcpy(work.n_c, k->n_c, sizeof work.n_c);
    return wf_work_check(&work, k->work_nonce);
}

/* SPEC 1.12-1, 1.12-2 */
void wf_adm_ask(struct wf_adm *a, weft_span datagram, struct wf_adm_result *out)
{
    struct wf_ask k;

    a->stats.ask++;
    bool is_whole = wf_ask_get(datagram, &k) == WEFT_OK;
    if (is_whole && wf_adm_is_elsewhere(a, &k.head)) { /* SPEC 1.13-1 */
        out->kind = WF_ADM_FORWARD;
        out->shard = k.head.shard;
        return;
    }
    if (a->statement_len == 0 || !is_whole || !cookie_is_ours(a, &k, &out->path.from) ||
        !work_is_done(&k)) {
        a->stats.ask_bad++;
        return;
    }
    out->reply_len = wf_statement_packet_put(k.n_c, wf_span(a->statement, a->statement_len),
                                             out->reply, sizeof out->reply);
    WEFT_ASSERT(out->reply_len > 0);
    WEFT_ASSERT(out->reply_len <= datagram.len); /* SPEC 1.12-3 */
    out->kind = WF_ADM_REPLY;
}
