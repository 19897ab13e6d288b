/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_pair.c - see chan_pair.h. Deterministic: virtual time, one seed, no order that depends on
 * addresses.
 */
#include "support/chan_pair.h"

#define SECRETS_MAX 64u

struct wf_params pair_params(void)
{
    return (struct wf_params){.node_credit = 4u << 20,
                              .message_credit = 1u << 20,
                              .message_count = 256,
                              .ack_delay_us = 25000,
                              .idle_ms = 0,
                              .datagram_max = 65507};
}

uint8_t pair_byte(uint64_t number, uint64_t offset)
{
    return (uint8_t)(number * 17 + offset * 7 + (offset >> 8) + (offset >> 16));
}

static void fill_config(struct pair *p, int who, struct wf_chan_config *c)
{
    struct pair_end *e = &p->end[who];

    if (c->mem == NULL)
        c->mem = p->mem;
    if (c->rng == NULL)
        c->rng = &p->rng;
    c->aead = e->aead;
    c->secrets = e->secrets;
    c->role = who == 0 ? WF_ROLE_CLIENT : WF_ROLE_SERVER;
    if (c->params.datagram_max == 0)
        c->params = pair_params();
    memcpy(c->cid_rx, e->cids[0], 8);
}

static void end_new(struct pair *p, int who)
{
    struct pair_end *e = &p->end[who];

    CHECK_OK(wf_aead_new(&e->aead, WF_AEAD_BEST, p->mem));
    CHECK_OK(wf_secret_arena_new(&e->secrets, p->mem, sizeof(struct wf_keys), SECRETS_MAX));
    e->addr = wf_addr_v4(10, 0, 0, (uint8_t)(1 + who), (uint16_t)(1000 + who));
    e->inside = e->addr;
    wf_random(&p->rng, e->cids[0], 8);
    e->cid_count = 1;
    e->reads = true;
}

void pair_new(struct pair *p, const struct pair_options *o)
{
    *p = (struct pair){.link = o->link, .mem = test_mem(), .now = 1000000};
    CHECK_OK(wf_crypto_init());
    wf_prng_seed(&p->prng, o->seed);
    p->rng = wf_prng_rng(&p->prng);
    if (p->link.delay_us == 0)
        p->link.delay_us = 10000;
    for (int i = 0; i < 2; i++) {
        if (p->link.mtu[i] == 0)
            p->link.mtu[i] = 65507;
    }
    p->buf = malloc(65536);
    wf_random(&p->rng, (uint8_t *)&p->secrets, sizeof p->secrets);
    for (int i = 0; i < 2; i++) {
        struct wf_chan_config config = o->config[i];
        end_new(p, i);
        fill_config(p, i, &config);
        p->params[i] = config.params;
        weft_err err = wf_chan_new(&p->end[i].chan, &config, p->now);
        if (err != WEFT_OK)
            p->end[i].chan = NULL;
    }
}

static void introduce(struct pair *p, int who, const struct wf_params *params)
{
    struct wf_chan_peer peer = {
        .params = *params, .remote = p->end[!who].addr, .local = p->end[who].addr};

    memcpy(peer.cid, p->end[!who].cids[0], 8);
    wf_chan_set_peer(p->end[who].chan, p->now, &peer);
}

static struct pair_message *message_add(struct pair_end *e, bool is_incoming, uint64_t number)
{
    if (e->message_count == e->message_room) {
        e->message_room = e->message_room * 2 + 16;
        e->messages = realloc(e->messages, e->message_room * sizeof *e->messages);
    }
    struct pair_message *m = &e->messages[e->message_count++];
    *m = (struct pair_message){.number = number, .is_incoming = is_incoming, .is_right = true};
    return m;
}

static struct pair_message *message_find(struct pair_end *e, bool is_incoming, uint64_t number)
{
    for (size_t i = e->message_count; i-- > 0;) {
        if (e->messages[i].number == number && e->messages[i].is_incoming == is_incoming)
            return &e->messages[i];
    }
    return NULL;
}

struct pair_message *pair_message(struct pair *p, int who, bool is_incoming, uint64_t number)
{
    struct pair_message *m = message_find(&p->end[who], is_incoming, number);

    return m != NULL ? m : message_add(&p->end[who], is_incoming, number);
}

/* Reads what is there and checks every byte. */
static void read_message(struct pair *p, int who, struct pair_message *m)
{
    struct pair_end *e = &p->end[who];
    uint64_t left = e->read_max > 0 ? e->read_max : UINT64_MAX;

    while (left > 0) {
        bool at_end = false;
        weft_span s = wf_chan_peek(e->chan, m->number, &at_end);
        size_t n = s.len < left ? s.len : (size_t)left;
        for (size_t i = 0; i < n; i++)
            m->is_right = m->is_right && s.data[i] == pair_byte(m->number, m->received + i);
        m->received += n;
        left -= n;
        wf_chan_consume(e->chan, m->number, n);
        if (at_end && n == s.len) {
            CHECK(!m->at_end);
            m->at_end = true;
            CHECK(wf_chan_is_whole(e->chan, m->number));
            wf_chan_stop(e->chan, m->number, 0); /* releases it */
            return;
        }
        if (n == 0)
            return;
    }
}

void pair_read_all(struct pair *p, int who)
{
    struct pair_end *e = &p->end[who];

    for (size_t i = 0; i < e->message_count; i++) {
        struct pair_message *m = &e->messages[i];
        if (m->is_incoming && !m->at_end && m->cancelled == 0 && !m->is_given_up)
            read_message(p, who, m);
    }
}

static void on_message_event(struct pair *p, int who, const struct wf_chan_event *ev)
{
    bool is_incoming = ev->kind <= WF_CHAN_CANCELLED;
    struct pair_message *m = pair_message(p, who, is_incoming, ev->number);

    CHECK(!m->is_given_up);
    m->opened += ev->kind == WF_CHAN_OPENED;
    m->readable += ev->kind == WF_CHAN_READABLE;
    m->cancelled += ev->kind == WF_CHAN_CANCELLED;
    m->writable += ev->kind == WF_CHAN_WRITABLE;
    m->delivered += ev->kind == WF_CHAN_DELIVERED;
    m->stopped += ev->kind == WF_CHAN_STOPPED;
    m->code = ev->code;
    if (ev->kind == WF_CHAN_OPENED)
        m->open = ev->open;
    CHECK_LE(m->opened, 1);
    CHECK_LE(m->cancelled + m->at_end, 1);
    CHECK_LE(m->delivered + m->stopped, 1);
    if (is_incoming)
        CHECK_EQ(m->opened, 1); /* nothing comes before OPENED */
    if (ev->kind == WF_CHAN_READABLE && p->end[who].reads)
        read_message(p, who, m);
}

static void forget_cid(struct pair_end *e, const uint8_t cid[8])
{
    for (size_t i = 0; i < e->cid_count; i++) {
        if (memcmp(e->cids[i], cid, 8) == 0) {
            memcpy(e->cids[i], e->cids[--e->cid_count], 8);
            return;
        }
    }
    FAIL("an id went that never came");
}

static void on_event(struct pair *p, int who, const struct wf_chan_event *ev)
{
    struct pair_end *e = &p->end[who];

    CHECK_EQ(e->closed, 0); /* nothing comes after CLOSED */
    if (ev->kind >= WF_CHAN_OPENED && ev->kind <= WF_CHAN_STOPPED)
        on_message_event(p, who, ev);
    e->confirmed += ev->kind == WF_CHAN_CONFIRMED;
    e->pongs += ev->kind == WF_CHAN_PONG;
    e->paths += ev->kind == WF_CHAN_PATH;
    e->closed += ev->kind == WF_CHAN_CLOSED;
    e->datagrams += ev->kind == WF_CHAN_DATAGRAM;
    e->errors += ev->kind == WF_CHAN_ERROR;
    if (ev->kind == WF_CHAN_CLOSED)
        e->last_closed = *ev;
    if (ev->kind == WF_CHAN_ERROR)
        e->last_error = *ev;
    if (ev->kind == WF_CHAN_NEW_CID) {
        CHECK(e->cid_count < 16);
        memcpy(e->cids[e->cid_count++], ev->cid, 8);
    }
    if (ev->kind == WF_CHAN_OLD_CID)
        forget_cid(e, ev->cid);
}

static void drain(struct pair *p, int who)
{
    struct wf_chan_event ev;

    while (wf_chan_next_event(p->end[who].chan, &ev))
        on_event(p, who, &ev);
    if (!p->unchecked) {
        const char *broken = wf_chan_check(p->end[who].chan);
        if (broken != NULL)
            FAIL("end %d, step %llu: %s", who, (unsigned long long)p->steps, broken);
    }
}

static bool chance(struct pair *p, uint64_t per_mille)
{
    return wf_prng_chance(&p->prng, per_mille, 1000);
}

weft_time pair_now(const struct pair *p, int who)
{
    return p->now + p->ahead[who];
}

/* When it leaves the bottleneck; false: the queue is full. */
static bool queue(struct pair *p, int who, size_t len, weft_time *at)
{
    uint64_t rate = p->link.rate[who];
    weft_time from = p->free_at[who] > p->now ? p->free_at[who] : p->now;

    *at = p->now;
    if (rate == 0)
        return true;
    if ((from - p->now) * rate / 1000000 + len > p->link.queue)
        return false;
    p->free_at[who] = from + len * 1000000 / rate;
    *at = p->free_at[who];
    return true;
}

static uint8_t ecn_after(const struct pair *p, uint8_t ecn)
{
    static const uint8_t marks[] = {[PAIR_ECN_KEPT] = WF_ECN_ECT0,
                                    [PAIR_ECN_CLEARED] = WF_ECN_NOT_ECT,
                                    [PAIR_ECN_REMARKED] = WF_ECN_ECT1,
                                    [PAIR_ECN_ALL_CE] = WF_ECN_CE,
                                    [PAIR_ECN_DROPPED] = WF_ECN_ECT0};

    return ecn == WF_ECN_ECT0 ? marks[p->link.ecn] : ecn;
}

/* Puts one datagram on the link. */
static void carry(struct pair *p, int who, const struct wf_send *s, const uint8_t *data, size_t len)
{
    struct wf_addr to = p->end[!who].addr;
    uint64_t delay = p->link.delay_us;
    weft_time out = p->now;

    p->end[who].datagrams_out++;
    p->end[who].bytes_out += len;
    memcpy(p->end[who].cid_used, data + 1, 8);
    p->end[who].bytes_astray += wf_addr_equal(&s->to, &to) ? 0 : len;
    if (p->link.is_dead[who] || len > p->link.mtu[who] || !wf_addr_equal(&s->to, &to))
        return;
    if (!queue(p, who, len, &out))
        return;
    if (chance(p, p->link.loss))
        return;
    p->end[who].marked_out += s->ecn == WF_ECN_ECT0;
    if (p->link.ecn == PAIR_ECN_DROPPED && s->ecn == WF_ECN_ECT0)
        return;
    if (p->link.jitter_us > 0)
        delay += wf_prng_below(&p->prng, p->link.jitter_us);
    if (chance(p, p->link.reorder))
        delay += p->link.delay_us;
    struct pair_packet *k = malloc(sizeof *k + len);
    *k = (struct pair_packet){.at = out + delay,
                              .to_server = who == 0,
                              .from = p->end[who].addr,
                              .to = to,
                              .ecn = ecn_after(p, s->ecn),
                              .len = len};
    memcpy(k->data, data, len);
    struct wf_link *after = p->flying.last;
    while (after != NULL && WF_CONTAINER_OF(after, struct pair_packet, link)->at > k->at)
        after = after->prev;
    wf_list_insert_before(&p->flying, after == NULL ? p->flying.first : after->next, &k->link);
}

static void carry_train(struct pair *p, int who, const struct wf_send *s)
{
    p->end[who].from_used = s->from;
    size_t segment = s->segment == 0 || s->segment > s->len ? s->len : s->segment;

    if (p->link.refuses && segment > p->link.mtu[who]) {
        wf_chan_too_big(p->end[who].chan, pair_now(p, who), segment);
        return;
    }
    for (size_t at = 0; at < s->len; at += segment) {
        size_t len = s->len - at < segment ? s->len - at : segment;
        if (p->stream != NULL) {
            p->stream(p, who, s, wf_span(p->buf + at, len));
            continue;
        }
        carry(p, who, s, p->buf + at, len);
        if (chance(p, p->link.duplicate))
            carry(p, who, s, p->buf + at, len);
    }
}

void pair_flush(struct pair *p, int who)
{
    struct wf_send s;

    drain(p, who);
    for (int i = 0; (p->is_full == NULL || !p->is_full(p, who)) &&
                    wf_chan_send(p->end[who].chan, pair_now(p, who), p->buf, 65536, &s);
         i++) {
        CHECK(i < 100000);
        CHECK(s.len > 0);
        CHECK_LE(s.len, WF_DATAGRAM_BYTES_MAX);
        p->end[who].probes_out += s.probe;
        carry_train(p, who, &s);
    }
    drain(p, who);
}

static bool is_routed(const struct pair_end *e, const struct pair_packet *k)
{
    for (size_t i = 0; i < e->cid_count; i++) {
        if (memcmp(e->cids[i], k->data + 1, 8) == 0)
            return true;
    }
    return false;
}

/* A copy that somebody sends from an address that is not the client's. */
static void race(struct pair *p, const struct pair_packet *k)
{
    uint32_t n = (uint32_t)(p->end[1].bytes_copied % p->link.racers);
    struct wf_chan_packet packet = {test_copy(k->data, k->len), k->len};
    struct wf_chan_arrival a = {
        .from = wf_addr_v4(66, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, 666),
        .to = k->to,
        .ecn = k->ecn,
        .packets = &packet,
        .count = 1};

    p->end[1].bytes_copied += k->len;
    wf_chan_recv(p->end[1].chan, pair_now(p, 1), &a);
    free(packet.data);
    pair_flush(p, 1);
}

static void deliver(struct pair *p, struct pair_packet *k)
{
    int who = k->to_server ? 1 : 0;
    struct wf_chan_packet packet = {test_copy(k->data, k->len), k->len};
    struct wf_chan_arrival a = {.from = k->from,
                                .to = who == 0 && p->link.nat ? p->end[0].inside : k->to,
                                .ecn = k->ecn,
                                .packets = &packet,
                                .count = 1};

    bool is_here = !p->link.forgets || wf_addr_equal(&k->to, &p->end[who].addr);
    if (who == 1 && chance(p, p->link.races))
        race(p, k);
    if (is_here && k->len > 9 && is_routed(&p->end[who], k))
        wf_chan_recv(p->end[who].chan, pair_now(p, who), &a);
    free(packet.data);
    pair_flush(p, who);
}

void pair_arrive(struct pair *p, int who, const struct wf_addr *from, weft_span datagram)
{
    struct wf_chan_packet packet = {test_copy(datagram.data, datagram.len), datagram.len};
    struct wf_chan_arrival a = {
        .from = *from, .to = p->end[who].addr, .packets = &packet, .count = 1};

    wf_chan_recv(p->end[who].chan, pair_now(p, who), &a);
    free(packet.data);
    pair_flush(p, who);
}

static weft_time next_packet_at(const struct pair *p)
{
    return p->flying.first == NULL ? WEFT_TIME_NEVER
                                   : WF_CONTAINER_OF(p->flying.first, struct pair_packet, link)->at;
}

static weft_time deadline_of(const struct pair *p, int who)
{
    weft_time at = wf_chan_deadline(p->end[who].chan);

    if (at == WEFT_TIME_NEVER || at < p->ahead[who])
        return at == WEFT_TIME_NEVER ? at : 0;
    return at - p->ahead[who];
}

static int next_timer(const struct pair *p, weft_time *at)
{
    weft_time a = deadline_of(p, 0);
    weft_time b = deadline_of(p, 1);

    *at = a <= b ? a : b;
    return a <= b ? 0 : 1;
}

/* The next thing that happens, if it does until then. */
static bool step(struct pair *p, weft_time until)
{
    weft_time timer = WEFT_TIME_NEVER;
    int who = next_timer(p, &timer);
    weft_time packet = next_packet_at(p);
    weft_time at = packet <= timer ? packet : timer;

    if (at > until)
        return false;
    p->steps++;
    CHECK(p->steps < 20000000);
    p->now = at > p->now ? at : p->now;
    if (packet <= timer) {
        struct pair_packet *k =
            WF_CONTAINER_OF(wf_list_pop_front(&p->flying), struct pair_packet, link);
        deliver(p, k);
        free(k);
        return true;
    }
    wf_chan_tick(p->end[who].chan, pair_now(p, who));
    pair_flush(p, who);
    /* One timer may make another one due, but none stays due. */
    p->again = deadline_of(p, who) <= p->now ? p->again + 1 : 0;
    CHECK(p->again < 3);
    return true;
}

bool pair_run(struct pair *p, weft_time until)
{
    pair_flush(p, 0);
    pair_flush(p, 1);
    while (step(p, until))
        continue;
    p->now = until > p->now && until != WEFT_TIME_NEVER ? until : p->now;
    weft_time at = WEFT_TIME_NEVER;
    (void)next_timer(p, &at);
    return at != WEFT_TIME_NEVER || p->flying.first != NULL;
}

bool pair_run_while(struct pair *p, bool (*goes_on)(struct pair *p), weft_time until)
{
    pair_flush(p, 0);
    pair_flush(p, 1);
    while (goes_on(p)) {
        if (!step(p, until))
            return false;
    }
    return true;
}

bool pair_try_start(struct pair *p, bool early)
{
    uint8_t solve[1000], confirm[1000];
    size_t solve_len = early ? wf_chan_early_write(p->end[0].chan, p->now, solve, sizeof solve) : 0;
    size_t confirm_len = 0;

    introduce(p, 1, &p->params[0]);
    wf_chan_early_recv(p->end[1].chan, p->now, (weft_span){solve, solve_len});
    drain(p, 1);
    confirm_len = early ? wf_chan_early_write(p->end[1].chan, p->now, confirm, sizeof confirm) : 0;
    if (wf_chan_start(p->end[1].chan, p->now, &p->secrets, 0) != WEFT_OK)
        return false;
    introduce(p, 0, &p->params[1]);
    if (wf_chan_start(p->end[0].chan, p->now, &p->secrets, 2 * p->link.delay_us) != WEFT_OK)
        return false;
    wf_chan_early_recv(p->end[0].chan, p->now, (weft_span){confirm, confirm_len});
    drain(p, 0);
    return true;
}

void pair_start(struct pair *p, bool early)
{
    CHECK(pair_try_start(p, early));
}

void pair_free(struct pair *p)
{
    for (struct wf_link *l = wf_list_pop_front(&p->flying); l != NULL;
         l = wf_list_pop_front(&p->flying))
        free(WF_CONTAINER_OF(l, struct pair_packet, link));
    for (int i = 0; i < 2; i++) {
        wf_chan_free(p->end[i].chan);
        CHECK_EQ(wf_secret_held(p->end[i].secrets), 0);
        wf_secret_arena_free(p->end[i].secrets);
        wf_aead_free(p->end[i].aead);
        free(p->end[i].messages);
    }
    free(p->buf);
    CHECK_EQ(p->mem->held, 0);
}

void pair_open(struct pair *p, struct pair_source *s, uint8_t priority)
{
    struct wf_message_params mp = {
        .handler = 7, .priority = priority, .open_ended = s->open_ended, .length = s->length};

    CHECK_OK(wf_chan_open(p->end[s->who].chan, &mp, &s->number));
    (void)pair_message(p, s->who, false, s->number);
}

bool pair_push(struct pair *p, struct pair_source *s)
{
    uint8_t chunk[4096];
    size_t taken = 1;

    while (taken > 0) {
        uint64_t left = s->length - s->written;
        size_t n = left < sizeof chunk ? (size_t)left : sizeof chunk;
        bool end = s->open_ended && n == left;
        for (size_t i = 0; i < n; i++)
            chunk[i] = pair_byte(s->number, s->written + i);
        weft_err err =
            wf_chan_write(p->end[s->who].chan, s->number, (weft_span){chunk, n}, end, &taken);
        if (err != WEFT_OK)
            return false;
        s->written += taken;
        if (taken == n && s->written == s->length)
            return true;
    }
    return false;
}

void pair_transfer(struct pair *p, struct pair_source *s, uint64_t limit_us)
{
    weft_time until = p->now + limit_us;
    bool is_written = false;

    pair_open(p, s, WF_PRIORITY_NORMAL);
    pair_flush(p, s->who);
    while (p->now < until) {
        if (!is_written)
            is_written = pair_push(p, s);
        pair_flush(p, s->who);
        const struct pair_message *out = pair_message(p, s->who, false, s->number);
        if (out->delivered > 0 && pair_message(p, !s->who, true, s->number)->at_end)
            break;
        if (!step(p, until))
            break;
    }
    CHECK(is_written);
    CHECK_EQ(pair_message(p, s->who, false, s->number)->delivered, 1);
    const struct pair_message *in = pair_message(p, !s->who, true, s->number);
    CHECK(in->at_end);
    CHECK(in->is_right);
    CHECK_EQ(in->received, s->length);
}
