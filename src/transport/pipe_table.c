/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipe_table.c - pipes found by their two addresses, and who belongs to which.
 */
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "transport/pipe.h"

void wf_pipes_init(struct wf_pipes *p, struct wf_mem *mem, const struct wf_rng *rng,
                   size_t pipes_max, size_t kept_max)
{
    uint8_t key[WF_TABLE_SIP_KEY_LEN];

    *p = (struct wf_pipes){.mem = mem};
    p->kept_max = kept_max < WF_PIPES_KEPT_MAX ? kept_max : WF_PIPES_KEPT_MAX;
    wf_random(rng, key, sizeof key);
    wf_table_init(&p->table, mem, key, pipes_max);
    wf_table_init(&p->kept, mem, key, WF_PIPES_KEPT_MAX);
    wf_wipe(key, sizeof key);
}

void wf_pipes_deinit(struct wf_pipes *p)
{
    WEFT_ASSERT(wf_table_count(&p->table) == 0);
    WEFT_ASSERT(p->woken.first == NULL);
    wf_table_deinit(&p->table);
    wf_pipes_forget(p);
}

bool wf_pipes_has_woken(const struct wf_pipes *p)
{
    return p->woken.first != NULL;
}

void *wf_pipes_next_woken(struct wf_pipes *p)
{
    struct wf_link *link = wf_list_pop_front(&p->woken);

    return link == NULL ? NULL : WF_CONTAINER_OF(link, struct wf_pipe_member, woken)->owner;
}

static void reset(struct wf_pipe *p, weft_time now, const struct wf_pipe_place *at)
{
    const uint64_t datagram_len = at->datagram_len;

    p->datagram_len = datagram_len;
    p->rtt = (struct wf_rtt){0};
    p->rtt_by = NULL;
    p->estimate = (struct wf_pipe_estimate){0};
    for (size_t k = 0; k < WF_CLASSES; k++) {
        wf_cc_init(&p->lanes[k].cc, k == WF_CLASS_BACKGROUND ? WF_CC_LEDBAT : at->congestion,
                   datagram_len);
        wf_rate_init(&p->lanes[k].rate);
        wf_pacer_init(&p->lanes[k].pacer, now, datagram_len);
        p->lanes[k].is_used = false;
        p->lanes[k].resume.is_on = false;
    }
}

static void copy_learned(struct wf_pipe *to, const struct wf_pipe *from)
{
    to->datagram_len = from->datagram_len;
    to->estimate = from->estimate;
    to->rtt = from->rtt;
    to->rtt_at = from->rtt_at;
    for (size_t k = 0; k < WF_CLASSES; k++) {
        to->lanes[k].cc = from->lanes[k].cc;
        to->lanes[k].rate = from->lanes[k].rate;
        to->lanes[k].pacer = from->lanes[k].pacer;
        to->lanes[k].is_used = from->lanes[k].is_used;
        to->lanes[k].busy_at = from->lanes[k].busy_at;
    }
}

static void pipe_free(struct wf_pipe *p)
{
    wf_list_remove(&p->link);
    wf_pipe_keep(p);
    if (p->pipes != NULL)
        (void)wf_table_remove(&p->pipes->table, wf_span(p->key, sizeof p->key));
    wf_free(p->mem, p, sizeof *p);
}

/* In the table when there is one. */
static struct wf_pipe *pipe_new(weft_time now, const struct wf_pipe_place *at,
                                const uint8_t key[WF_PIPE_KEY_LEN])
{
    struct wf_mem *mem = at->pipes == NULL ? at->mem : at->pipes->mem;
    struct wf_pipe *p = wf_alloc(mem, sizeof *p);

    if (p == NULL)
        return NULL;
    p->mem = mem;
    memcpy(p->key, key, WF_PIPE_KEY_LEN);
    reset(p, now, at);
    if (at->pipes == NULL)
        return p;
    if (wf_table_put(&at->pipes->table, wf_span(key, WF_PIPE_KEY_LEN), p) != WEFT_OK) {
        wf_free(mem, p, sizeof *p);
        return NULL;
    }
    p->pipes = at->pipes;
    wf_list_push_back(&p->pipes->all, &p->link);
    wf_pipe_recall(p);
    return p;
}

static struct wf_pipe *find(weft_time now, const struct wf_pipe_place *at)
{
    uint8_t key[WF_PIPE_KEY_LEN];
    struct wf_pipe *p = NULL;

    wf_addr_key(key, at->remote);
    wf_addr_key(key + WF_ADDR_KEY_LEN, at->local);
    if (at->pipes != NULL)
        p = wf_table_get(&at->pipes->table, wf_span(key, sizeof key));
    return p != NULL ? p : pipe_new(now, at, key);
}

weft_err wf_pipe_join(struct wf_pipe_member *m, weft_time now, const struct wf_pipe_place *at,
                      void *owner)
{
    struct wf_pipe *p = find(now, at);

    WEFT_ASSERT(m->pipe == NULL);
    if (p == NULL)
        return WEFT_ERR_NOMEM;
    *m = (struct wf_pipe_member){.pipe = p, .owner = owner};
    wf_list_push_back(&p->members, &m->link);
    wf_pipe_set_datagram(m, now, at->datagram_len);
    return WEFT_OK;
}

void wf_pipe_leave(struct wf_pipe_member *m)
{
    static const uint64_t nothing[WF_CLASSES];
    struct wf_pipe *p = m->pipe;

    if (p == NULL)
        return;
    wf_list_remove(&m->woken);
    for (size_t k = 0; k < WF_CLASSES; k++) {
        wf_list_remove(&m->waits[k]);
        p->lanes[k].told = p->lanes[k].told == m ? NULL : p->lanes[k].told;
    }
    wf_list_remove(&m->link);
    wf_pipe_settle(m, nothing);
    m->pipe = NULL;
    p->rtt_by = p->rtt_by == m ? NULL : p->rtt_by;
    p->acked_by = p->acked_by == m ? NULL : p->acked_by;
    if (p->members.count == 0)
        pipe_free(p);
}

weft_err wf_pipe_move(struct wf_pipe_member *m, weft_time now, const struct wf_pipe_place *at,
                      bool keeps)
{
    const struct wf_pipe_member old = *m;
    struct wf_pipe *p = NULL;

    WEFT_ASSERT(m->pipe != NULL);
    if (at->pipes == NULL) { /* there is nobody with whom it could be shared */
        if (!keeps)
            reset(m->pipe, now, at);
        return WEFT_OK;
    }
    p = find(now, at);
    if (p == NULL)
        return WEFT_ERR_NOMEM;
    if (p == m->pipe)
        return WEFT_OK;
    if (keeps && p->members.count == 0)
        copy_learned(p, m->pipe);
    wf_pipe_leave(m);
    *m = (struct wf_pipe_member){.pipe = p, .owner = old.owner};
    wf_list_push_back(&p->members, &m->link);
    wf_pipe_settle(m, old.in_flight);
    wf_pipe_set_datagram(m, now, at->datagram_len);
    return WEFT_OK;
}

/* --- what must hold --- */

static const char *check_lane(const struct wf_pipe *p, size_t class)
{
    const struct wf_pipe_lane *lane = &p->lanes[class];
    uint64_t in_flight = 0;
    size_t waiting = 0;

    for (struct wf_link *l = p->members.first; l != NULL; l = l->next) {
        const struct wf_pipe_member *m = WF_CONTAINER_OF(l, struct wf_pipe_member, link);

        if (m->pipe != p)
            return "pipe: a member belongs to another one";
        in_flight += m->in_flight[class];
        waiting += m->waits[class].list == &lane->row ? 1 : 0;
        if (m->datagram_len > p->datagram_len)
            return "pipe: a member's datagrams are larger than is known";
    }
    if (in_flight != lane->in_flight)
        return "pipe: bytes in flight are not those of its members";
    return waiting == lane->row.count ? NULL : "pipe: somebody waits who is no member";
}

const char *wf_pipes_check(const struct wf_pipes *p)
{
    for (struct wf_link *l = p->all.first; l != NULL; l = l->next) {
        const struct wf_pipe *pipe = WF_CONTAINER_OF(l, struct wf_pipe, link);

        if (pipe->members.count == 0)
            return "pipe: nobody belongs to it";
        for (size_t k = 0; k < WF_CLASSES; k++) {
            const char *broken = check_lane(pipe, k);

            if (broken != NULL)
                return broken;
        }
    }
    return p->all.count == wf_table_count(&p->table) ? NULL : "pipe: the table is wrong";
}
