/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_hint_test.c - a peer that lost the session says so in 17 bytes, and whoever still has it
 * comes back in little more than a handshake; a liar who says the same gains nothing.
 */
#include "core_one_pair.h"
#include "crypto/dh.h"
#include "test.h"
#include "wire/handshake.h"
#include "wire/packet.h"

#define SECOND 1000000u
#define MINUTE (60u * SECOND)
#define RTT (2u * CP_DELAY_US)

static struct cp_message *request(uint64_t len)
{
    struct wf_core_send_params p = cp_params(&pair, 0, len);
    struct cp_message *m = cp_send(&pair, 0, &p);

    CHECK(m != NULL);
    return m;
}

static void open_pair(void)
{
    cp_open(&pair, test_mem(), test_mem());
    server()->replies = true;
}

/* A session stands and has carried a message. */
static void open_session(void)
{
    open_pair();
    (void)request(10);
    cp_run(&pair, SECOND);
    CHECK_EQ(client()->outs[0].outcome, WF_OUTCOME_REPLIED);
}

static void restart_server(void)
{
    cp_kill(&pair, 1);
    CHECK_OK(cp_boot(&pair, 1));
    server()->replies = true;
    server()->messages = 0;
}

static void give(struct cp_side *s, const struct wf_addr *from, weft_span bytes)
{
    uint8_t *data = test_copy(bytes.data, bytes.len);
    struct wf_datagram in = {.from = *from, .to = s->addr, .data = data, .len = bytes.len};

    wf_core_recv(s->core, pair.now, &in, 1);
    cp_pump(&pair, s == server());
    free(data);
}

static void give_hint(struct cp_side *s, const struct wf_addr *from, const uint8_t tag[16])
{
    uint8_t bytes[WF_HINT_LEN];

    CHECK_EQ(wf_hint_put(tag, bytes, sizeof bytes), WF_HINT_LEN);
    give(s, from, wf_span(bytes, sizeof bytes));
}

/* --- the restarted peer --- */

/* SPEC 1.6-2, 1.6-5, 1.6-7 */
TEST(after_a_restart_the_next_message_gets_through_in_a_few_round_trips)
{
    struct cp_message *lost = NULL;
    struct cp_message *next = NULL;

    open_session();
    restart_server();
    lost = request(100);
    cp_run(&pair, RTT + 1000);
    CHECK_EQ(stats_of(server()).hints_sent, 1);
    CHECK_EQ(stats_of(client()).hints_taken, 1);
    CHECK_EQ(lost->outcomes, 0);
    next = request(100);
    cp_run(&pair, 3 * RTT);
    CHECK_EQ(next->outcome, WF_OUTCOME_REPLIED);
    cp_run(&pair, SECOND);
    CHECK_EQ(lost->outcome, WF_OUTCOME_UNKNOWN);
    CHECK_EQ(client()->sessions_ended, 1);
    CHECK_EQ(stats_of(client()).sessions, 1);
    CHECK_EQ(stats_of(server()).sessions, 1);
    cp_close(&pair);
}

/* SPEC 1.6-8 */
TEST(what_was_not_sent_yet_goes_on_in_the_new_session)
{
    struct cp_message *waiting[3];
    static const uint64_t lens[3] = {0, 10, 3000000}; /* the last is more than is buffered */

    cp_init(&pair, test_mem(), test_mem());
    server()->config.messages_in_max = 1;
    CHECK_OK(cp_boot(&pair, 0));
    CHECK_OK(cp_boot(&pair, 1));
    server()->holds = true;
    (void)request(10);
    cp_run(&pair, SECOND);
    for (size_t i = 0; i < 3; i++)
        waiting[i] = request(lens[i]); /* the peer lets us open no more */
    cp_run(&pair, SECOND);
    server()->holds = false;
    restart_server();
    {
        struct wf_core_send_params p = cp_params(&pair, 0, 10);

        CHECK_OK(wf_core_ping(client()->core, pair.now, &p)); /* something to be hinted at */
    }
    cp_run(&pair, 20 * SECOND);
    CHECK_EQ(client()->outs[0].outcome, WF_OUTCOME_UNKNOWN);
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQ(waiting[i]->outcome, WF_OUTCOME_REPLIED);
        CHECK_EQ(waiting[i]->written, lens[i]);
    }
    CHECK_EQ(server()->messages, 3);
    cp_close(&pair);
}

/* What a session takes over when another ends may find no memory: it is cancelled there, and that
 * is something to say. Every step checks that each session is where it belongs. */
TEST(whichever_allocation_of_that_fails_sessions_stay_where_they_belong)
{
    for (uint64_t k = 0; k < 60; k++) {
        test_note("allocation %u", (unsigned)k);
        cp_init(&pair, test_mem(), test_mem());
        server()->config.messages_in_max = 1;
        CHECK_OK(cp_boot(&pair, 0));
        CHECK_OK(cp_boot(&pair, 1));
        server()->holds = true;
        (void)request(10);
        cp_run(&pair, SECOND);
        struct cp_message *waiting = request(10);
        cp_run(&pair, SECOND);
        server()->holds = false;
        restart_server();
        struct wf_core_send_params p = cp_params(&pair, 0, 10);
        CHECK_OK(wf_core_ping(client()->core, pair.now, &p));
        cp_run(&pair, 2 * RTT); /* the new session is about to stand */
        client()->mem->fail_at = client()->mem->attempts + 1 + k;
        cp_run(&pair, SECOND);
        client()->mem->fail_at = 0;
        cp_run(&pair, 60 * SECOND);
        CHECK_EQ(waiting->outcomes, 1);
        cp_close(&pair);
    }
}

TEST(a_ping_finds_the_restarted_peer_too)
{
    struct wf_core_send_params p;

    open_session();
    p = cp_params(&pair, 0, 0);
    restart_server();
    CHECK_OK(wf_core_ping(client()->core, pair.now, &p));
    cp_run(&pair, 3 * RTT);
    CHECK_OK(wf_core_ping(client()->core, pair.now, &p));
    cp_run(&pair, 3 * RTT);
    CHECK_EQ(client()->pongs, 1);
    cp_run(&pair, SECOND);
    CHECK_EQ(client()->pings_failed, 1);
    cp_close(&pair);
}

/* SPEC 1.6-7 */
TEST(when_the_new_handshake_fails_the_old_session_stays)
{
    struct cp_message *m = NULL;

    open_session();
    restart_server();
    m = request(100);
    cp_run(&pair, RTT / 2 + 1000); /* the HINT is under way, and then nothing more */
    server()->cuts_all = true;
    cp_run(&pair, 15 * SECOND);
    CHECK_EQ(stats_of(client()).hints_taken, 1);
    CHECK_EQ(stats_of(client()).handshakes_failed, 1);
    CHECK_EQ(m->outcomes, 0);
    CHECK_EQ(stats_of(client()).sessions, 1);
    cp_run(&pair, 30 * SECOND);
    CHECK_EQ(m->outcome, WF_OUTCOME_UNKNOWN);
    cp_close(&pair);
}

/* The server is started anew, and loses the next message; how many HINTs were taken after so long.
 */
static uint64_t lose_a_session(uint64_t wait_us)
{
    restart_server();
    (void)request(100);
    cp_run(&pair, wait_us);
    return stats_of(client()).hints_taken;
}

/* SPEC 1.6-9 */
TEST(who_really_lost_the_session_is_believed_again_after_a_second_then_two_then_four)
{
    open_session();
    CHECK_EQ(lose_a_session(SECOND + RTT), 1);
    CHECK_EQ(lose_a_session(SECOND), 2);
    CHECK_EQ(lose_a_session(SECOND / 2), 2);
    cp_run(&pair, 2 * SECOND); /* what is sent again finds it out */
    CHECK_EQ(stats_of(client()).hints_taken, 3);
    CHECK_EQ(lose_a_session(SECOND), 3);
    cp_run(&pair, 4 * SECOND);
    CHECK_EQ(stats_of(client()).hints_taken, 4);
    cp_run(&pair, 2 * MINUTE);
    for (unsigned i = 0; i < client()->out_count; i++)
        CHECK(client()->outs[i].outcome == (i == 0 ? WF_OUTCOME_REPLIED : WF_OUTCOME_UNKNOWN));
    cp_close(&pair);
}

/* SPEC 1.6-9 */
TEST(who_loses_sessions_for_ever_is_called_ever_less_often_until_none_is_left)
{
    uint64_t taken = 0;

    open_session();
    for (unsigned i = 0; i < 30; i++)
        taken = lose_a_session(SECOND);
    CHECK_EQ(taken, 5); /* after 0, 1, 3, 7 and 15 seconds */
    for (unsigned i = 0; i < 100; i++)
        taken = lose_a_session(6 * SECOND);
    CHECK_LE(taken, 60);
    cp_run(&pair, 3 * MINUTE);
    taken = stats_of(client()).hints_taken;
    CHECK_EQ(lose_a_session(SECOND + RTT), taken + 1);
    CHECK_EQ(lose_a_session(SECOND), taken + 2);
    cp_close(&pair);
}

/* The server goes between its CHALLENGE and the SOLVE. */
static void restart_amid_handshake(void)
{
    cp_pump(&pair, 0);
    cp_deliver(&pair, cp_land(&pair)); /* HELLO */
    cp_deliver(&pair, cp_land(&pair)); /* CHALLENGE */
    restart_server();
}

/* SPEC 1.13-8 */
TEST(a_ping_that_meets_a_restart_in_its_handshake_arrives_and_a_message_is_unknown_soon)
{
    struct wf_core_send_params p;
    struct cp_message *m = NULL;

    open_pair();
    p = cp_params(&pair, 0, 10);
    CHECK_OK(wf_core_ping(client()->core, pair.now, &p));
    restart_amid_handshake();
    cp_run(&pair, SECOND / 2);
    CHECK_EQ(client()->pongs, 1);
    cp_close(&pair);

    open_pair();
    m = request(10);
    restart_amid_handshake();
    cp_run(&pair, SECOND / 2);
    CHECK_EQ(m->outcome, WF_OUTCOME_UNKNOWN);
    CHECK_EQ(server()->messages, 0);
    m = request(10);
    cp_run(&pair, SECOND / 2);
    CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
    cp_close(&pair);
}

/* --- who answers --- */

static uint64_t sent, sent_bytes, hints;

static bool count_and_drop(struct core_pair *p, struct cp_datagram *d)
{
    (void)p;
    sent++;
    sent_bytes += d->len;
    hints += d->len == WF_HINT_LEN && d->data[0] == WF_TYPE_HINT;
    return false;
}

static void count_sent(void)
{
    sent = sent_bytes = hints = 0;
    pair.filter = count_and_drop;
}

static struct wf_addr stranger(uint32_t i)
{
    return wf_addr_v4(11, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 7);
}

/* A packet of a session that nobody has. */
static size_t make_packet(uint8_t *bytes, size_t len, uint64_t seed)
{
    uint64_t state = seed;

    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)test_next(&state);
    bytes[0] |= WF_PACKET_FIXED_BIT;
    return len;
}

/* SPEC 1.6-1 */
TEST(at_most_a_hundred_hints_leave_in_any_second)
{
    uint64_t at[1024];
    size_t count = 0;
    uint8_t packet[WF_PACKET_MIN];

    open_pair();
    count_sent();
    for (uint32_t i = 0; i < 40000; i++) { /* four seconds */
        struct wf_addr from = stranger(i);
        uint64_t before = hints;

        pair.now += 100;
        give(server(), &from, wf_span(packet, make_packet(packet, sizeof packet, i)));
        CHECK_LE(hints - before, 1);
        if (hints > before) {
            CHECK(count < WF_ARRAY_LEN(at));
            at[count++] = pair.now;
        }
    }
    CHECK_EQ(hints, sent);
    CHECK_EQ(hints, stats_of(server()).hints_sent);
    CHECK(count > 300);
    for (size_t i = 100; i < count; i++)
        CHECK(at[i] - at[i - 100] >= SECOND);
    cp_close(&pair);
}

/* SPEC 1.6-3 */
TEST(only_a_node_that_serves_answers_and_only_unicast)
{
    uint8_t packet[WF_PACKET_MIN];
    struct wf_addr from = stranger(1);
    struct wf_addr multicast = wf_addr_v4(224, 0, 0, 1, 7);
    weft_span bytes = {packet, make_packet(packet, sizeof packet, 1)};

    open_pair();
    count_sent();
    give(client(), &from, bytes);
    give(server(), &multicast, bytes);
    CHECK_EQ(sent, 0);
    give(server(), &from, (weft_span){packet, sizeof packet - 1});
    CHECK_EQ(sent, 0);
    give(server(), &from, bytes);
    CHECK_EQ(hints, 1);
    wf_core_shut(server()->core, pair.now);
    give(server(), &from, bytes);
    CHECK_EQ(sent, 1);
    cp_close(&pair);
}

TEST(a_hint_echoes_the_tag_of_the_packet)
{
    uint8_t packet[200];
    struct wf_addr from = stranger(1);
    struct wf_send out;

    open_pair();
    for (size_t len = WF_PACKET_MIN; len <= sizeof packet; len++) {
        struct wf_datagram in = {.from = from, .to = server()->addr, .data = packet, .len = len};

        pair.now += SECOND;
        (void)make_packet(packet, len, len);
        wf_core_recv(server()->core, pair.now, &in, 1);
        CHECK(wf_core_send(server()->core, pair.now, pair.buf, 65536, &out));
        CHECK_EQ(out.len, WF_HINT_LEN);
        CHECK(wf_addr_equal(&out.to, &from));
        CHECK_MEM_EQ(pair.buf + 1, packet + len - WF_PACKET_TAG, WF_PACKET_TAG);
    }
    cp_close(&pair);
}

/* Two servers whose answers are led to each other, as by spoofed addresses. */
static unsigned chain_length(const uint8_t *bytes, size_t len)
{
    unsigned count = 1;
    int to = 0;

    cp_forget(&pair);
    cp_fly(&pair, &pair.side[1].addr, &pair.side[0].addr, wf_span(bytes, len));
    for (struct cp_datagram *d = cp_land(&pair); d != NULL; d = cp_land(&pair)) {
        struct wf_datagram in = {.from = d->from, .to = d->to, .data = d->data, .len = d->len};

        CHECK_LE(++count, 50);
        wf_core_recv(pair.side[to].core, pair.now, &in, 1);
        cp_pump(&pair, to);
        to = 1 - to;
        free(d);
    }
    return count - 1;
}

/* SPEC 1.6-1 */
TEST(no_chain_of_answers_between_two_servers_is_longer_than_three)
{
    static const uint8_t lists[] = {1, WF_PROTOCOL_V1};
    struct wf_hello hello = {.version = WF_VERSION, .suite = WF_SUITE, .lists = {lists, 2}};
    uint8_t bytes[WF_SOLVE_MAX + 1] = {0};
    unsigned longest = 0;

    cp_init(&pair, test_mem(), test_mem());
    client()->config.serve = true;
    CHECK_OK(cp_boot(&pair, 0));
    CHECK_OK(cp_boot(&pair, 1));
    for (unsigned type = 0; type < 256; type++) {
        for (size_t len = 1; len <= sizeof bytes; len += len < 300 ? 1 : 299) {
            unsigned length = 0;

            pair.now += SECOND;
            (void)make_packet(bytes, len, type * 1000 + len);
            bytes[0] = (uint8_t)type;
            length = chain_length(bytes, len);
            longest = length > longest ? length : longest;
        }
    }
    CHECK_EQ(wf_hello_put(&hello, bytes, sizeof bytes), WF_HELLO_LEN);
    CHECK_EQ(chain_length(bytes, WF_HELLO_LEN), 2); /* HELLO, CHALLENGE */
    CHECK_EQ(longest, 2);                           /* a packet, HINT */
    cp_close(&pair);
}

/* --- liars --- */

/* SPEC 1.6-4 */
TEST(a_million_guessed_hints_do_nothing)
{
    struct wf_core_stats before;
    struct wf_core_stats after;
    uint64_t curves = 0;
    uint64_t state = test_seed();

    open_session();
    before = stats_of(client());
    curves = wf_curve_operations();
    pair.filter = count_and_drop;
    sent = 0;
    for (uint32_t i = 0; i < 1000000; i++) {
        uint8_t bytes[WF_HINT_LEN] = {WF_TYPE_HINT};
        struct wf_datagram in = {
            .from = server()->addr, .to = client()->addr, .data = bytes, .len = sizeof bytes};

        for (size_t k = 0; k < 2 && i > 0; k++) { /* the very first one has a tag of zeros */
            uint64_t r = test_next(&state);
            memcpy(bytes + 1 + 8 * k, &r, sizeof r);
        }
        wf_core_recv(client()->core, pair.now, &in, 1);
    }
    cp_pump(&pair, 0);
    after = stats_of(client());
    CHECK_EQ(sent, 0);
    CHECK_EQ(after.handshakes_started, before.handshakes_started);
    CHECK_EQ(after.sessions, 1);
    CHECK_EQ(after.hints_taken, 0);
    CHECK_EQ(after.allocations, before.allocations);
    CHECK_EQ(wf_curve_operations(), curves);
    pair.filter = NULL;
    (void)request(1000);
    cp_run(&pair, SECOND);
    CHECK_EQ(client()->outs[1].outcome, WF_OUTCOME_REPLIED);
    cp_close(&pair);
}

/* He sees each packet, answers it at once in the other's name, and can stop none. */
static bool lies(struct core_pair *p, struct cp_datagram *d)
{
    uint8_t bytes[WF_HINT_LEN];

    if (d->len < WF_PACKET_MIN || (d->data[0] & WF_PACKET_FIXED_BIT) == 0)
        return true;
    (void)wf_hint_put(d->data + d->len - WF_PACKET_TAG, bytes, sizeof bytes);
    p->filter = NULL;
    cp_fly(p, &d->to, &d->from, wf_span(bytes, sizeof bytes));
    p->filter = lies;
    return true;
}

/* SPEC 1.6-2, 1.6-6 */
TEST(a_liar_on_the_path_starts_a_handshake_a_minute_and_ends_nothing)
{
    struct cp_message *slow = NULL;

    open_session();
    slow = cp_new_out(client());
    slow->open_ended = slow->is_starved = true;
    {
        struct wf_core_send_params p = cp_params(&pair, 0, 0);

        p.open_ended = true;
        p.user = slow;
        CHECK_OK(wf_core_message(client()->core, pair.now, &p, &slow->id));
    }
    pair.filter = lies;
    for (unsigned i = 0; i < 300; i++) { /* five minutes */
        (void)request(500);
        cp_run(&pair, SECOND);
    }
    CHECK_LE(stats_of(client()).handshakes_started, 1 + 6);
    CHECK(stats_of(client()).handshakes_started > 1 + 3);
    CHECK_EQ(slow->outcomes, 0);
    for (size_t i = 2; i < client()->out_count; i++)
        CHECK_EQ(client()->outs[i].outcome, WF_OUTCOME_REPLIED);
    slow->is_starved = false;
    cp_feed(slow);
    cp_run(&pair, SECOND);
    CHECK_EQ(slow->outcome, WF_OUTCOME_REPLIED);
    cp_close(&pair);
}

/* SPEC 1.6-4 */
TEST(a_true_tag_from_elsewhere_does_nothing)
{
    struct wf_addr elsewhere = stranger(1);
    const struct cp_datagram *d = NULL;

    open_session();
    (void)request(10);
    cp_pump(&pair, 0);
    d = pair.first;
    CP_MUST(d != NULL);
    give_hint(client(), &elsewhere, d->data + d->len - WF_PACKET_TAG);
    CHECK_EQ(stats_of(client()).hints_taken, 0);
    give_hint(client(), &server()->addr, d->data + d->len - WF_PACKET_TAG);
    CHECK_EQ(stats_of(client()).hints_taken, 1);
    cp_close(&pair);
}

/* SPEC 1.6-4 */
TEST(the_server_of_a_session_takes_no_hint)
{
    struct cp_datagram *d = NULL;

    open_session();
    (void)request(10);
    cp_pump(&pair, 0);
    cp_deliver(&pair, cp_land(&pair));
    d = pair.first;
    CP_MUST(d != NULL);
    CHECK_EQ(d->data[0] & WF_PACKET_FIXED_BIT, WF_PACKET_FIXED_BIT);
    give_hint(server(), &client()->addr, d->data + d->len - WF_PACKET_TAG);
    cp_run(&pair, 10 * SECOND);
    CHECK_EQ(stats_of(server()).hints_taken, 0);
    CHECK_EQ(stats_of(server()).handshakes_started, 0);
    CHECK_EQ(server()->sessions_ended, 0);
    cp_close(&pair);
}

/* SPEC 1.6-2 */
TEST(only_the_tags_of_the_last_sixteen_packets_count)
{
    uint8_t tags[64][WF_PACKET_TAG];
    size_t count = 0;
    size_t taken = 0;

    for (size_t back = 1; back <= 17; back++) {
        open_session();
        count = 0;
        for (int i = 0; i < 20; i++) {
            (void)request(1);
            cp_pump(&pair, 0);
        }
        for (const struct cp_datagram *d = pair.first; d != NULL; d = d->next)
            memcpy(tags[count++], d->data + d->len - WF_PACKET_TAG, WF_PACKET_TAG);
        CHECK(count >= 17);
        give_hint(client(), &server()->addr, tags[count - back]);
        taken = stats_of(client()).hints_taken;
        CHECK_EQ(taken, back <= 16);
        cp_close(&pair);
    }
}
