/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endpoint_core_fuzz.c - two whole cores under a program of bytes: what one sends may be lost,
 * doubled, reordered, changed or come again much later, or be opened with the session's own keys
 * and sealed again with other frames in it; time passes; applications send, write, cancel, read or
 * do not, refuse, answer, ping, shut, die and come back; memory fails.
 *
 * What must hold: the cores' own invariants after each step, exactly one outcome for each message
 * and one answer for each ping by the time everything has ended, and nothing left in the accounts.
 */
#include "endpoint/core_priv.h"
#include "feed.h"
#include "tests/endpoint/core_pair.h"
#include "transport/chan_priv.h"
#include "wire/packet.h"

#define STEPS_MAX 300
#define KEPT_MAX 8u
#define SECOND 1000000u
#define OUTS_SPARE 64u

static struct core_pair pair;
static struct wf_mem mems[2];
static struct cp_datagram *kept[KEPT_MAX]; /* copies, to be sent again */
static size_t kept_next;
static unsigned pings[2];

/* --- the network --- */

static void deliver(struct feed *f)
{
    struct cp_datagram *d = NULL;

    for (int left = next(f) % 8; left >= 0 && pair.first != NULL; left--) {
        d = cp_land(&pair);
        if (d->at > pair.now)
            pair.now = d->at;
        cp_deliver(&pair, d);
    }
}

static void lose(struct feed *f)
{
    for (int left = next(f) % 4; left >= 0 && pair.first != NULL; left--)
        free(cp_land(&pair));
}

static void copy(struct feed *f)
{
    (void)f;
    if (pair.first != NULL)
        cp_deliver(&pair, cp_copy(pair.first));
}

static void change(struct feed *f)
{
    struct cp_datagram *d = pair.first == NULL ? NULL : cp_copy(pair.first);
    uint8_t at = next(f);
    uint8_t mask = next(f);

    if (d == NULL)
        return;
    d->data[(size_t)at * 5 % d->len] ^= mask;
    if (mask % 4 == 0)
        d->len = 1 + (size_t)at * 5 % d->len;
    if (mask % 8 == 1)
        d->from.port++;
    cp_deliver(&pair, d);
}

static void reorder(struct feed *f)
{
    struct cp_datagram *d = cp_land(&pair);

    (void)f;
    if (d == NULL)
        return;
    d->next = NULL;
    if (pair.last == NULL)
        pair.first = d;
    else
        pair.last->next = d;
    pair.last = d;
    pair.flying++;
}

static void keep(struct feed *f)
{
    (void)f;
    if (pair.first == NULL)
        return;
    free(kept[kept_next % KEPT_MAX]);
    kept[kept_next++ % KEPT_MAX] = cp_copy(pair.first);
}

static void again(struct feed *f)
{
    const struct cp_datagram *d = kept[next(f) % KEPT_MAX];

    if (d != NULL)
        cp_deliver(&pair, cp_copy(d));
}

static void garbage(struct feed *f)
{
    uint8_t how = next(f);
    size_t len = 1u + next(f) * 5u;
    struct cp_datagram *d = calloc(1, sizeof *d + len);
    const struct cp_side *to = &pair.side[how % 2];

    CP_MUST(d != NULL);
    d->to = to->addr;
    d->from = (how & 2) != 0 ? pair.side[1 - how % 2].addr : wf_addr_v4(9, 9, 9, 9, 9);
    d->len = len;
    for (size_t i = 0; i < len; i++)
        d->data[i] = (uint8_t)(i < 40 ? next(f) : i);
    if ((how & 4) != 0)
        d->data[0] = (uint8_t)(how >> 4);
    cp_deliver(&pair, d);
}

/* --- a peer that breaks the rules: the true packet, opened, altered and sealed again --- */

#define FRAMES_MAX 1400u

struct lie {
    struct wf_keys keys; /* of who receives it, turned round so that they seal */
    uint8_t cid[WF_CID_LEN];
    uint64_t number;
    uint8_t frames[FRAMES_MAX];
    size_t len;
};

/* False when it is no packet of a session that stands, or does not open. */
static bool open_packet(const struct cp_datagram *d, const struct cp_side *to, struct lie *lie)
{
    uint8_t packet[FRAMES_MAX];
    const uint8_t *cid = NULL;
    const uint8_t *tag = NULL;
    struct wf_open o = {.packet = packet, .len = d->len};

    if (to->core == NULL || d->len > sizeof packet)
        return false;
    memcpy(packet, d->data, d->len);
    if (!wf_packet_peek(wf_span(packet, d->len), &cid, &tag))
        return false;
    memcpy(lie->cid, cid, WF_CID_LEN);
    const struct session *s = wf_table_get(&to->core->sessions, wf_span(cid, WF_CID_LEN));
    if (s == NULL || s->state != SESSION_OPEN || s->chan->keys == NULL)
        return false;
    struct wf_replay replay;
    wf_replay_init(&replay, NULL);
    wf_replay_restore(&replay, s->chan->replay.highest, UINT64_MAX);
    lie->keys = *s->chan->keys;
    if (wf_keys_open(&lie->keys, &replay, to->core->aead, &o, 1) != 1)
        return false;
    lie->number = o.number;
    lie->len = o.frames.len;
    memcpy(lie->frames, o.frames.data, o.frames.len);
    return true;
}

static void alter_frames(struct feed *f, struct lie *lie)
{
    uint8_t how = next(f);
    size_t at = lie->len == 0 ? 0 : (size_t)next(f) * 5 % lie->len;
    size_t count = next(f) % 32;

    if (how % 4 == 0)
        lie->len = at; /* cut there */
    if (how % 8 == 1)
        at = lie->len; /* behind all */
    if (at + count > lie->len)
        lie->len = at + count;
    for (size_t i = 0; i < count; i++)
        lie->frames[at + i] = (how & 8) != 0 ? next(f) : (uint8_t)(lie->frames[at + i] ^ next(f));
    if (lie->len == 0)
        lie->frames[lie->len++] = next(f);
}

static struct cp_datagram *seal_lie(struct lie *lie, const struct cp_datagram *d,
                                    struct wf_aead *aead)
{
    struct cp_datagram *c = calloc(1, sizeof *c + FRAMES_MAX + 64);
    struct wf_keys *k = &lie->keys;

    CP_MUST(c != NULL);
    *c = (struct cp_datagram){.at = d->at, .from = d->from, .to = d->to};
    k->tx = k->rx;
    memcpy(k->header_tx, k->header_rx, sizeof k->header_tx);
    k->generation = k->generation_rx;
    k->sealed_last = lie->number - 1;
    size_t header_len =
        wf_packet_put_header(c->data, wf_keys_first_byte(k), lie->cid, lie->number, 5);
    memcpy(c->data + header_len, lie->frames, lie->len);
    struct wf_seal seal = {c->data, header_len, lie->len, lie->number};
    wf_keys_seal(k, aead, &seal, 1);
    c->len = header_len + lie->len + WF_PACKET_TAG;
    return c;
}

static bool try_reseal(struct feed *f)
{
    static struct lie lie;
    struct cp_datagram *d = pair.first;
    const struct cp_side *to = &pair.side[wf_addr_equal(&pair.side[1].addr, &d->to)];

    if (!open_packet(d, to, &lie))
        return false;
    alter_frames(f, &lie);
    pair.may_lie = true;
    cp_deliver(&pair, seal_lie(&lie, d, to->core->aead));
    return true;
}

/* The first packet that can be; those before it arrive as they are. */
static void reseal(struct feed *f)
{
    for (int left = 8; left > 0 && pair.first != NULL && !try_reseal(f); left--)
        cp_deliver(&pair, cp_land(&pair));
}

static void wait_a_little(struct feed *f)
{
    pair.now += (weft_time)next(f) * 100;
    cp_tick(&pair);
}

static void wait_long(struct feed *f)
{
    cp_run(&pair, (uint64_t)next(f) * 100000);
}

/* --- the applications --- */

static struct cp_side *side_of(uint8_t b)
{
    return &pair.side[b % 2];
}

static bool has_room(const struct cp_side *s)
{
    return s->core != NULL && s->out_count + OUTS_SPARE < CP_OUTS_MAX;
}

static struct cp_message *any(struct cp_message *of, size_t count, uint8_t b)
{
    struct cp_message *m = count == 0 ? NULL : &of[b % count];

    return m != NULL && m->is_used && m->id != 0 && m->side->core != NULL ? m : NULL;
}

static void send(struct feed *f)
{
    static const uint32_t lens[] = {0, 1, 100, 1000, 5000, 70000, 300000, 12};
    uint8_t how = next(f);
    uint8_t more = next(f);
    struct wf_core_send_params p;
    struct cp_side *s = side_of(how);

    if (!has_room(s) || pair.side[1 - how % 2].core == NULL)
        return;
    p = cp_params(&pair, how % 2, lens[more % WF_ARRAY_LEN(lens)]);
    p.one_way = (how & 2) != 0;
    p.expect_reply = (how & 4) != 0;
    p.open_ended = (how & 8) != 0;
    if (p.open_ended)
        p.length = 0;
    if ((how & 16) != 0)
        p.outcome_within_us = 1u + (uint64_t)more * 1000;
    if ((how & 32) != 0)
        p.address = (struct wf_addr){0};
    p.priority = (uint8_t)(how >> 6) % 3;
    (void)cp_send(&pair, how % 2, &p);
}

static void write_more(struct feed *f)
{
    uint8_t how = next(f);
    struct cp_side *s = side_of(how);
    struct cp_message *m = any(s->outs, s->out_count, next(f));
    static const uint8_t beyond[4];
    weft_err err = WEFT_OK;
    size_t taken = 0;

    if (m == NULL)
        return;
    m->is_starved = (how & 2) != 0;
    if (m->open_ended && (how & 4) != 0)
        m->left += next(f) * 100u;
    if ((how & 8) == 0)
        cp_feed(m);
    else /* beyond what was announced, or after the end */
        err = wf_core_write(s->core, m->id, wf_span(beyond, sizeof beyond), false, &taken);
    CP_MUST(err == WEFT_OK ? taken <= sizeof beyond : taken == 0);
}

static void cancel(struct feed *f)
{
    struct cp_side *s = side_of(next(f));
    struct cp_message *m = any(s->outs, s->out_count, next(f));

    if (m != NULL)
        wf_core_cancel(s->core, m->id, next(f));
}

static void read_one(struct feed *f)
{
    struct cp_side *s = side_of(next(f));
    struct cp_message *m = any(s->ins, CP_INS_MAX, next(f) % 16);

    if (m != NULL && has_room(s))
        cp_read(m);
}

static void release(struct feed *f)
{
    struct cp_side *s = side_of(next(f));
    struct cp_message *m = any(s->ins, CP_INS_MAX, next(f) % 16);

    if (m != NULL)
        cp_release(m, next(f) % 4);
}

static void answer(struct feed *f)
{
    struct cp_side *s = side_of(next(f));
    struct cp_message *m = any(s->ins, CP_INS_MAX, next(f) % 16);

    if (m != NULL && has_room(s))
        cp_reply(m, next(f) * 500u);
}

static void behave(struct feed *f)
{
    uint8_t how = next(f);
    struct cp_side *s = side_of(how);

    s->holds = (how & 2) != 0;
    s->replies = (how & 4) != 0;
    s->replies_early = (how & 8) != 0;
    s->keeps = (how & 16) != 0;
    s->refuse = (how & 32) != 0 ? WF_CODE_DENIED : 0;
    s->reply_len = (how & 64) != 0 ? 100000 : how;
    if ((how & 128) != 0)
        s->reply_len = UINT64_MAX;
}

static void ping(struct feed *f)
{
    uint8_t how = next(f);
    struct cp_side *s = side_of(how);
    struct wf_core_send_params p;

    if (s->core == NULL || pair.side[1 - how % 2].core == NULL)
        return;
    p = cp_params(&pair, how % 2, 0);
    p.outcome_within_us = (how & 4) != 0 ? (uint64_t)how * 1000 : 0;
    pings[how % 2] += wf_core_ping(s->core, pair.now, &p) == WEFT_OK;
}

static void shut(struct feed *f)
{
    struct cp_side *s = side_of(next(f));

    if (s->core != NULL)
        wf_core_shut(s->core, pair.now);
}

static void too_big(struct feed *f)
{
    struct cp_side *s = side_of(next(f));

    if (s->core != NULL)
        wf_core_too_big(s->core, pair.now, &pair.side[1 - (s - pair.side)].addr, next(f) * 300u);
}

static void look(struct feed *f)
{
    struct cp_side *s = side_of(next(f));
    struct wf_core_peer_stats row;
    struct wf_core_stats all;
    size_t count = 0;

    if (s->core == NULL)
        return;
    wf_core_stats(s->core, &all);
    while (wf_core_peer_stats(s->core, count, &row))
        count++;
    CP_MUST(count <= all.sessions);
}

static void charge(struct feed *f)
{
    struct cp_side *s = side_of(next(f));
    struct cp_message *m = any(s->ins, CP_INS_MAX, next(f) % 16);

    if (m != NULL)
        (void)wf_core_charge(s->core, m->id, next(f) * 1000u);
}

/* Its memory fails once, soon. */
static void starve(struct feed *f)
{
    uint8_t how = next(f);
    struct wf_mem *mem = &mems[how % 2];

    mem->fail_at = mem->attempts + 1 + how / 2;
}

static void die(int i)
{
    struct cp_side *s = &pair.side[i];

    if (s->core == NULL)
        return;
    cp_kill(&pair, i);
    s->pongs = s->pings_failed = 0;
    pings[i] = 0;
    mems[i].fail_at = 0;
    CP_MUST(mems[i].held == 0);
}

static void restart(struct feed *f)
{
    int i = next(f) % 2;

    die(i);
    CP_MUST(cp_boot(&pair, i) == WEFT_OK);
}

static void (*const steps[])(struct feed *) = {
    deliver, deliver, deliver, deliver, lose,       copy,          change,    reorder, keep,
    again,   garbage, send,    send,    write_more, cancel,        read_one,  release, answer,
    behave,  ping,    shut,    starve,  restart,    wait_a_little, wait_long,
};

/* From this byte on; what is below keeps its meaning when something is added here. */
#define MORE_FROM 192u
static void (*const more_steps[])(struct feed *) = {
    reseal, reseal, reseal, reseal, too_big, look, charge,
};

/* --- the whole --- */

static void set_up(struct feed *f)
{
    uint8_t how = next(f);

    for (int i = 0; i < 2; i++)
        mems[i] = (struct wf_mem)FEED_HEAP;
    cp_init(&pair, &mems[0], &mems[1]);
    for (int i = 0; i < 2; i++) {
        struct wf_core_config *c = &pair.side[i].config;

        c->sessions_max = 4;
        c->cookies_max = 64; /* tables of their usual size would cost more than all the rest */
        c->solves_max = 8;
        c->serve = i == 1 || (how & 1) != 0;
        c->effort = (how & 2) != 0 ? 8 : 0;
        if ((how & 4) != 0) {
            c->messages_in_max = 3;
            c->node_credit = 9000;
            c->message_credit = 4000;
        }
        c->peer_memory_max = (how & 8) != 0 ? 60000 : 0;
        pings[i] = 0;
        pair.side[i].replies = true;
        pair.side[i].reply_len = 10;
        CP_MUST(cp_boot(&pair, i) == WEFT_OK);
    }
}

/* A whole reply is read, or let go. */
static void empty_hands(struct cp_side *s)
{
    s->replies = s->keeps = false;
    for (size_t k = 0; k < CP_INS_MAX; k++) {
        struct cp_message *m = &s->ins[k];

        if (m->is_used && m->id != 0)
            cp_read(m);
        if (m->is_used && m->id != 0)
            cp_release(m, WF_CODE_NONE);
    }
}

/* Nobody is in the way any more: all that is open ends. */
static void finish(void)
{
    for (int i = 0; i < 2; i++) {
        mems[i].fail_at = 0;
        cp_run(&pair, SECOND);
        wf_core_shut(pair.side[i].core, pair.now);
    }
    cp_run(&pair, 100 * SECOND);
    for (int i = 0; i < 2; i++) {
        struct cp_side *s = &pair.side[i];

        empty_hands(s);
        cp_run(&pair, SECOND);
        cp_check_outcomes(s);
        CP_MUST(s->pongs + s->pings_failed == pings[i]);
        CP_MUST(wf_core_is_quiet(s->core));
    }
}

static void take_step(struct feed *f)
{
    uint8_t which = next(f);

    if (which < MORE_FROM)
        steps[which % WF_ARRAY_LEN(steps)](f);
    else
        more_steps[(which - MORE_FROM) % WF_ARRAY_LEN(more_steps)](f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};

    set_up(&f);
    for (int i = 0; i < STEPS_MAX && f.left > 0; i++) {
        take_step(&f);
        cp_pump(&pair, 0);
        cp_pump(&pair, 1);
    }
    finish();
    die(0);
    die(1);
    cp_close(&pair);
    for (size_t i = 0; i < KEPT_MAX; i++) {
        free(kept[i]);
        kept[i] = NULL;
    }
    return 0;
}
