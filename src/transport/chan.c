/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan.c - the life of a channel: made, started, what is due and when, freed. Timers are numbers
 * that are looked at; nothing here waits.
 */
#include "transport/chan.h"

#include "base/assert.h"
#include "transport/chan_priv.h"

#define SEND_BUFFER_DEFAULT ((size_t)2 << 20)
#define SEND_BUFFER_MAX ((size_t)64 << 20)
#define CREDIT_GROWS 4u /* times what was announced */
#define MESSAGES_OUT_DEFAULT 4096u
#define KEEP_SHARE 3u /* of the idle time, at most, until silence is asked about */
#define KEEP_FIRST_US ((uint64_t)1000000)
#define KEEP_FLOWING_PTOS 3u

/* Which state may follow which. */
static const uint8_t legal[] = {
    [CHAN_NEW] = 1u << CHAN_OPEN | 1u << CHAN_CLOSED,
    [CHAN_OPEN] = 1u << CHAN_CLOSING | 1u << CHAN_CLOSED,
    [CHAN_CLOSING] = 1u << CHAN_CLOSED,
    [CHAN_CLOSED] = 0,
};

/* The only writer of c->state. */
void chan_enter(struct wf_chan *c, enum chan_state next)
{
    WEFT_ASSERT((legal[c->state] & 1u << next) != 0);
    c->state = next;
    if (next >= CHAN_CLOSING)
        wf_pipe_leave(&c->pipe); /* SPEC 4.2-4 */
}

void chan_credit_due(struct wf_chan *c)
{
    c->rx.is_dirty = true;
}

static void init_transport(struct wf_chan *c)
{
    const struct wf_params *p = &c->config.params;

    wf_replay_init(&c->replay, c->mem);
    wf_acks_init(&c->acks, c->mem, p->ack_delay_us);
    wf_sent_init(&c->sent, c->mem, c->config.first_number > 0 ? c->config.first_number : 1, 0);
    wf_rtt_init(&c->rtt, 0);
    wf_loss_init(&c->loss);
    wf_pto_init(&c->pto);
    wf_mtu_init(&c->mtu, WF_MTU_BASE);
    wf_ecn_init(&c->ecn, true);
    wf_flow_in_init(&c->rx.node, p->node_credit, p->node_credit * CREDIT_GROWS);
    c->rx.count_limit = p->message_count;
    wf_flow_out_init(&c->tx.node, WF_FLOW_MAX);
    c->tx.count_limit = WF_FRAME_NUMBER_MAX;
    c->tx.next_message = 1;
}

weft_err wf_chan_new(struct wf_chan **out, const struct wf_chan_config *config, weft_time now)
{
    struct wf_chan *c = wf_alloc(config->mem, sizeof *c);

    if (c == NULL)
        return WEFT_ERR_NOMEM;
    c->config = *config;
    c->mem = config->mem;
    c->send_buffer = config->send_buffer > 0 ? config->send_buffer : SEND_BUFFER_DEFAULT;
    c->send_buffer_max = config->send_buffer > 0 ? config->send_buffer : SEND_BUFFER_MAX;
    c->messages_out_max =
        config->messages_out_max > 0 ? config->messages_out_max : MESSAGES_OUT_DEFAULT;
    wf_block_pool_init(&c->blocks, c->mem);
    wf_numbers_init(&c->out, c->mem, config->rng);
    wf_numbers_init(&c->in, c->mem, config->rng);
    wf_growset_init(&c->finished);
    wf_schedule_init(&c->schedule);
    init_transport(c);
    (void)now;
    c->ours[0] = (struct chan_cid){.is_set = true};
    for (size_t i = 0; i < WF_CID_LEN; i++)
        c->ours[0].cid[i] = config->cid_rx[i];
    c->ours_next = 1;
    c->due_at = WEFT_TIME_NEVER;
    c->busy_at = WEFT_TIME_NEVER;
    c->wait_at = WEFT_TIME_NEVER;
    c->retry_at = WEFT_TIME_NEVER;
    c->rekey.forget_at = WEFT_TIME_NEVER;
    *out = c;
    return WEFT_OK;
}

static void free_messages(struct wf_chan *c)
{
    for (size_t i = 0; i < c->out.room; i++) {
        while (c->out.buckets[i] != NULL)
            chan_out_free(c, WF_CONTAINER_OF(c->out.buckets[i], struct wf_message_out, link));
    }
    for (size_t i = 0; i < c->in.room; i++) {
        while (c->in.buckets[i] != NULL)
            chan_in_free(c, WF_CONTAINER_OF(c->in.buckets[i], struct wf_message_in, link));
    }
    wf_numbers_deinit(&c->out);
    wf_numbers_deinit(&c->in);
}

void wf_chan_free(struct wf_chan *c)
{
    if (c == NULL)
        return;
    wf_pipe_leave(&c->pipe);
    free_messages(c);
    chan_notes_deinit(c);
    chan_events_deinit(c);
    wf_sent_frames_free(&c->sent, &c->early);
    wf_sent_deinit(&c->sent);
    wf_replay_deinit(&c->replay);
    wf_acks_deinit(&c->acks);
    wf_free(c->mem, c->close.text, c->close.text_len);
    wf_growset_deinit(&c->finished, c->mem);
    wf_block_pool_trim(&c->blocks);
    chan_keys_deinit(c);
    wf_free(c->mem, c->tags, sizeof *c->tags);
    wf_free(c->mem, c, sizeof *c);
}

void wf_chan_trim(struct wf_chan *c)
{
    wf_block_pool_trim(&c->blocks);
}

weft_err wf_chan_start(struct wf_chan *c, weft_time now, const struct wf_session_secrets *s,
                       uint64_t rtt_us)
{
    if (c->state != CHAN_NEW || !c->has_peer)
        return c->state == CHAN_NEW ? WEFT_ERR_USAGE : WEFT_ERR_STATE;
    weft_err err = chan_keys_start(c, now, s);
    if (err != WEFT_OK)
        return err;
    chan_enter(c, CHAN_OPEN);
    c->started_at = now;
    c->heard_at = now;
    c->heard_before = 0;
    if (rtt_us > 0) {
        wf_rtt_sample(&c->rtt, now, rtt_us, 0);
        wf_acks_set_rtt(&c->acks, wf_rtt_smoothed(&c->rtt));
    }
    chan_mtu_changed(c, now);
    if (c->config.role == WF_ROLE_CLIENT) {
        c->is_confirmed = true;
        c->must_send = true; /* SPEC 1.4-4 */
        chan_fates_acked(c, now, &c->early);
        wf_sent_frames_free(&c->sent, &c->early);
    }
    wf_trace(c->config.trace, now, WF_TRACE_SESSION_STARTED, 0, c->config.role);
    return WEFT_OK;
}

/* --- what is due --- */

static weft_time earlier(weft_time a, weft_time b)
{
    return a < b ? a : b;
}

static weft_time after(weft_time from, uint64_t us)
{
    return us > WEFT_TIME_NEVER - from ? WEFT_TIME_NEVER : from + us;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The smaller non-zero idle time of both ends; 0: none. */
static uint64_t idle_us(const struct wf_chan *c)
{
    uint64_t ours = c->config.params.idle_ms;
    uint64_t theirs = c->peer.idle_ms;

    return (ours == 0 || (theirs != 0 && theirs < ours) ? theirs : ours) * 1000;
}

static bool is_busy(const struct wf_chan *c)
{
    return c->is_awaited || chan_is_under_way(c);
}

/* Since when there is silence although something is under way; WEFT_TIME_NEVER: nothing is. */
static weft_time silent_since(const struct wf_chan *c)
{
    if (!is_busy(c))
        return WEFT_TIME_NEVER;
    return c->busy_at != WEFT_TIME_NEVER && c->heard_at > c->busy_at ? c->heard_at : c->busy_at;
}

/* SPEC 4.5-2, 4.6-7 */
static weft_time idle_deadline(const struct wf_chan *c)
{
    uint64_t us = idle_us(c);

    return us == 0 ? WEFT_TIME_NEVER : after(silent_since(c), us);
}

/* Called before anything is sent, which is also after everything that was. What was silent for long
 * may be known to nobody any more: a client can ask, and begin anew with what it has not sent. */
void chan_look_busy(struct wf_chan *c, weft_time now)
{
    if (!is_busy(c)) {
        c->busy_at = WEFT_TIME_NEVER;
        return;
    }
    if (c->busy_at != WEFT_TIME_NEVER)
        return;
    c->busy_at = now;
    if (c->config.role == WF_ROLE_CLIENT && wf_chan_is_silent(c, now)) {
        c->is_asking = true; /* SPEC 4.6-9 */
        c->must_send = true;
    }
}

/* What was coming packet upon packet stopped: something may be wrong on the way. */
static bool has_stalled(const struct wf_chan *c)
{
    return c->keep_count == 0 && c->in.count > 0 &&
           c->heard_at - c->heard_before <= wf_pto_base_us(&c->rtt);
}

/* SPEC 4.5-3: while messages are open, silence is asked about before it ends the session, for their
 * bytes may be long in coming, or long in being read. The first question comes soon: where a NAT
 * forgot us, what the peer sends is lost until it hears from us. */
static weft_time keep_deadline(const struct wf_chan *c)
{
    uint64_t us = idle_us(c) / KEEP_SHARE;
    bool has_messages = c->out.count > 0 || c->in.count > 0;

    if (us == 0 || !has_messages || !c->is_confirmed || c->pong_once != WF_ONCE_IDLE)
        return WEFT_TIME_NEVER;
    if (us >> c->keep_count > KEEP_FIRST_US)
        us = KEEP_FIRST_US << c->keep_count;
    if (has_stalled(c))
        us = lesser(us, wf_pto_base_us(&c->rtt) * KEEP_FLOWING_PTOS);
    return after(silent_since(c), us);
}

static void keep_alive(struct wf_chan *c)
{
    wf_chan_ping(c);
    if (c->keep_count < CHAN_KEEP_COUNT_MAX) {
        c->keep_count++;
    }
}

/* Loss first; the probe timeout only while no loss is waited for. */
static weft_time loss_deadline(const struct wf_chan *c)
{
    struct wf_pto pto = c->pto;

    if (c->loss.deadline != WEFT_TIME_NEVER)
        return c->loss.deadline;
    if (c->sent.need_ack == 0)
        return WEFT_TIME_NEVER;
    pto.is_asking = !wf_chan_is_empty(c);
    /* A probe that could not go yet (the socket takes nothing) is not followed by others at once.
     */
    weft_time from = c->probes > 0 && c->timeout_at > c->sent.last_need_ack_at
                         ? c->timeout_at
                         : c->sent.last_need_ack_at;
    return wf_pto_deadline(&pto, &c->rtt, from);
}

/* What was due when sending was last tried and could not go is not due again at once. */
static weft_time not_at_once(const struct wf_chan *c, weft_time at)
{
    return at <= c->tried_at ? after(c->tried_at, WF_PTO_MIN_US) : at;
}

weft_time wf_chan_deadline(const struct wf_chan *c)
{
    weft_time at = WEFT_TIME_NEVER;

    if (c->state == CHAN_CLOSING)
        return c->close.until;
    if (c->state != CHAN_OPEN)
        return WEFT_TIME_NEVER;
    at = earlier(c->wait_at, c->retry_at);
    at = earlier(at, loss_deadline(c));
    at = earlier(at, idle_deadline(c));
    at = earlier(at, keep_deadline(c));
    at = earlier(at, c->rekey.forget_at);
    if (!c->is_confirmed)
        at = earlier(at, after(c->started_at, CHAN_CONFIRM_US));
    at = earlier(at, not_at_once(c, wf_acks_deadline(&c->acks)));
    return earlier(at, not_at_once(c, wf_paths_deadline(&c->paths)));
}

static void on_loss_timer(struct wf_chan *c, weft_time now)
{
    struct wf_fates lost;

    wf_loss_detect(&c->loss, &c->sent, &c->rtt, now, &lost);
    chan_on_lost(c, now, &lost);
}

/* One packet goes, whatever window and pacing say, with what waits longest. */
void chan_probe(struct wf_chan *c)
{
    struct wf_sent_list oldest = {0};

    c->asks_only = !wf_pto_carries_data(&c->pto) ||
                   wf_carrier_of(&wf_paths_active(&c->paths)->remote)->hides_loss;
    if (!c->asks_only && wf_sent_take_oldest(&c->sent, &oldest))
        chan_fates_lost(c, &oldest);
    wf_sent_frames_free(&c->sent, &oldest);
    c->probes = 1;
    c->must_send = true;
}

/* Nothing was heard for too long. */
static void on_pto(struct wf_chan *c, weft_time now)
{
    if (wf_pto_on_timeout(&c->pto, now) != WEFT_OK) { /* SPEC 4.5-2 */
        chan_end(c, WEFT_ERR_TIMEOUT, WF_CODE_NONE, (weft_span){NULL, 0});
        return;
    }
    c->timeout_at = now;
    c->stats.pto_count++;
    wf_ecn_on_pto(&c->ecn, c->pto.count);
    if (wf_mtu_on_pto(&c->mtu, c->pto.count))
        chan_mtu_changed(c, now);
    chan_pipe_release(c, now);
    chan_probe(c);
}

static void tick_open(struct wf_chan *c, weft_time now)
{
    if (now >= idle_deadline(c)) {
        chan_end(c, WEFT_ERR_TIMEOUT, WF_CODE_IDLE, (weft_span){NULL, 0});
        return;
    }
    if (!c->is_confirmed && now >= after(c->started_at, CHAN_CONFIRM_US)) {
        chan_end(c, WEFT_ERR_TIMEOUT, WF_CODE_NONE, (weft_span){NULL, 0});
        return;
    }
    if (now >= keep_deadline(c))
        keep_alive(c);
    if (now >= c->loss.deadline) {
        on_loss_timer(c, now);
    } else if (now >= loss_deadline(c)) {
        on_pto(c, now);
    }
    if (now >= c->rekey.forget_at) { /* SPEC 2.5-3 */
        wf_keys_forget_old(c->keys);
        c->rekey.forget_at = WEFT_TIME_NEVER;
    }
    wf_paths_tick(&c->paths, now);
}

void wf_chan_tick(struct wf_chan *c, weft_time now)
{
    chan_wake(c, now);
    if (c->state == CHAN_OPEN)
        tick_open(c, now);
    else if (c->state == CHAN_CLOSING && now >= c->close.until)
        chan_end(c, c->close.err, c->close.code, (weft_span){NULL, 0});
}

void wf_chan_ping(struct wf_chan *c)
{
    if (c->pong_once == WF_ONCE_FLYING)
        c->pong_again = true;
    else
        c->pong_once = WF_ONCE_WANTED;
}

bool wf_chan_is_started(const struct wf_chan *c)
{
    return c->keys != NULL;
}

bool wf_chan_is_urgent(const struct wf_chan *c)
{
    return c->state == CHAN_OPEN && wf_schedule_has_urgent(&c->schedule);
}

bool wf_chan_is_empty(const struct wf_chan *c)
{
    return c->out.count == 0 && c->in.count == 0;
}

bool wf_chan_is_idle(const struct wf_chan *c)
{
    return wf_chan_is_empty(c) && c->sent.in_flight == 0 && c->datagrams.count == 0;
}

void wf_chan_await(struct wf_chan *c, bool is_awaited)
{
    c->is_awaited = is_awaited;
    if (!is_busy(c))
        c->busy_at = WEFT_TIME_NEVER;
}

bool wf_chan_is_confirmed(const struct wf_chan *c)
{
    return c->is_confirmed;
}

bool wf_chan_is_silent(const struct wf_chan *c, weft_time now)
{
    uint64_t us = idle_us(c);

    return us > 0 && now >= after(c->heard_at, us);
}

bool wf_chan_is_asking(const struct wf_chan *c)
{
    return c->is_asking;
}
