/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_cid.c - connection ids: those by which the peer calls us (issued, retired, told to the owner
 * who routes them), and those by which we call the peer (used one at a time, changed with the
 * path).
 */
#include <string.h>

#include "transport/chan_priv.h"

static size_t count_set(const struct chan_cid *cids)
{
    size_t count = 0;

    for (size_t i = 0; i < CHAN_CIDS; i++)
        count += cids[i].is_set;
    return count;
}

static struct chan_cid *find(struct chan_cid *cids, uint64_t sequence)
{
    for (size_t i = 0; i < CHAN_CIDS; i++) {
        if (cids[i].is_set && cids[i].sequence == sequence)
            return &cids[i];
    }
    return NULL;
}

static struct chan_cid *find_free(struct chan_cid *cids)
{
    for (size_t i = 0; i < CHAN_CIDS; i++) {
        if (!cids[i].is_set)
            return &cids[i];
    }
    return NULL;
}

/* --- ours --- */

static bool tell(struct wf_chan *c, const uint8_t cid[WF_CID_LEN], bool is_old)
{
    if (c->cid_news_count == CHAN_CID_NEWS_MAX)
        return false;
    struct chan_cid_news *n = &c->cid_news[c->cid_news_count++];
    n->is_old = is_old;
    memcpy(n->cid, cid, WF_CID_LEN);
    return true;
}

static bool issue(struct wf_chan *c)
{
    struct chan_cid *slot = find_free(c->ours);
    struct wf_frame f = {.type = WF_FRAME_NEW_ID};

    /* Half of the news is kept free for ids that go. */
    if (slot == NULL || c->cid_news_count >= CHAN_CID_NEWS_MAX / 2)
        return false;
    f.u.new_id.sequence = c->ours_next;
    wf_cid_make(&c->config.cids, c->config.rng, f.u.new_id.cid);
    if (!chan_note_put(c, &f, NULL))
        return false;
    *slot = (struct chan_cid){.is_set = true, .sequence = c->ours_next++};
    memcpy(slot->cid, f.u.new_id.cid, WF_CID_LEN);
    return tell(c, slot->cid, false);
}

/* Tops up to what the peer may have. Called where it costs nothing to fail: it is called again. */
void chan_cids_issue(struct wf_chan *c)
{
    while (c->is_confirmed && count_set(c->ours) < CHAN_CIDS_OURS && issue(c))
        continue;
}

enum chan_verdict chan_cid_retire(struct wf_chan *c, uint64_t sequence)
{
    struct chan_cid *slot = find(c->ours, sequence);

    if (sequence >= c->ours_next)
        return CHAN_PROTOCOL;
    if (slot == NULL)
        return CHAN_OK; /* a copy */
    if (!tell(c, slot->cid, true))
        return CHAN_LOST;
    slot->is_set = false;
    return CHAN_OK;
}

bool chan_cid_event(struct wf_chan *c, struct wf_chan_event *out)
{
    if (c->cid_news_count == 0)
        return false;
    *out =
        (struct wf_chan_event){.kind = c->cid_news[0].is_old ? WF_CHAN_OLD_CID : WF_CHAN_NEW_CID};
    memcpy(out->cid, c->cid_news[0].cid, WF_CID_LEN);
    c->cid_news_count--;
    memmove(c->cid_news, c->cid_news + 1, c->cid_news_count * sizeof c->cid_news[0]);
    return true;
}

/* --- the peer's --- */

const uint8_t *chan_cid_tx(const struct wf_chan *c)
{
    return c->theirs[c->theirs_now].cid;
}

static enum chan_verdict retire(struct wf_chan *c, uint64_t sequence)
{
    struct wf_frame f = {.type = WF_FRAME_RETIRE_ID};

    f.u.new_id.sequence = sequence;
    return chan_note_put(c, &f, NULL) ? CHAN_OK : CHAN_LIMIT;
}

/* Moves to another id and gives the present one up. Without a spare one everything stays. */
void chan_cid_change(struct wf_chan *c)
{
    for (size_t i = 0; i < CHAN_CIDS; i++) {
        if (!c->theirs[i].is_set || i == c->theirs_now)
            continue;
        if (retire(c, c->theirs[c->theirs_now].sequence) != CHAN_OK)
            return;
        c->theirs[c->theirs_now].is_set = false;
        c->theirs_now = i;
        return;
    }
}

/* Notes the sequence; false when it came before (or so long ago that it must have). */
static bool is_first_time(struct wf_chan *c, uint64_t sequence)
{
    uint64_t ahead = sequence - c->theirs_high;
    uint64_t behind = c->theirs_high - sequence;

    if (sequence > c->theirs_high) {
        c->theirs_seen = ahead < 64 ? c->theirs_seen << ahead : 0;
        c->theirs_high = sequence;
        behind = 0;
    }
    if (behind >= 64 || (c->theirs_seen >> behind & 1) != 0)
        return false;
    c->theirs_seen |= (uint64_t)1 << behind;
    return true;
}

static enum chan_verdict retire_below(struct wf_chan *c, uint64_t below)
{
    if (below <= c->theirs_retired_below)
        return CHAN_OK;
    c->theirs_retired_below = below;
    for (size_t i = 0; i < CHAN_CIDS; i++) {
        if (!c->theirs[i].is_set || c->theirs[i].sequence >= below)
            continue;
        if (retire(c, c->theirs[i].sequence) != CHAN_OK)
            return CHAN_LIMIT;
        c->theirs[i].is_set = false;
    }
    return CHAN_OK;
}

static void keep(struct wf_chan *c, const struct wf_frame *f)
{
    struct chan_cid *slot = find_free(c->theirs);

    if (slot == NULL)
        return; /* more than we keep are left unused */
    *slot = (struct chan_cid){.is_set = true, .sequence = f->u.new_id.sequence};
    memcpy(slot->cid, f->u.new_id.cid, WF_CID_LEN);
}

/* One id is always in use. */
static enum chan_verdict choose(struct wf_chan *c)
{
    for (size_t i = 0; i < CHAN_CIDS && !c->theirs[c->theirs_now].is_set; i++) {
        if (c->theirs[i].is_set)
            c->theirs_now = i;
    }
    return c->theirs[c->theirs_now].is_set ? CHAN_OK : CHAN_PROTOCOL;
}

enum chan_verdict chan_cid_new(struct wf_chan *c, const struct wf_frame *f)
{
    uint64_t sequence = f->u.new_id.sequence;
    const struct chan_cid *known = find(c->theirs, sequence);
    enum chan_verdict v = CHAN_OK;

    if (f->u.new_id.retire_below > sequence)
        return CHAN_PROTOCOL;
    if (known != NULL && memcmp(known->cid, f->u.new_id.cid, WF_CID_LEN) != 0)
        return CHAN_PROTOCOL;
    v = retire_below(c, f->u.new_id.retire_below);
    if (v != CHAN_OK || !is_first_time(c, sequence))
        return v;
    if (sequence < c->theirs_retired_below)
        return retire(c, sequence);
    keep(c, f);
    return choose(c);
}
