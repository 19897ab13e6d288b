/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_hostile_test.c - what strangers and hostile peers may send: nothing is allocated or computed
 * for strangers, nothing is answered with more than it was, one SOLVE makes one session for ever,
 * and what a peer makes us hold stays within its account.
 */
#include "core_one_pair.h"
#include "crypto/dh.h"
#include "test.h"
#include "wire/handshake.h"

#define SECOND 1000000u

static void open_pair(void)
{
    cp_open(&pair, test_mem(), test_mem());
    server()->replies = true;
}

static struct cp_message *request(uint64_t len)
{
    struct wf_core_send_params p = cp_params(&pair, 0, len);
    struct cp_message *m = cp_send(&pair, 0, &p);

    CHECK(m != NULL);
    return m;
}

/* The first datagram of a type that the filter saw. */
static uint8_t wanted;
static struct cp_datagram *caught;

static bool catch_type(struct core_pair *p, struct cp_datagram *d)
{
    (void)p;
    if (caught == NULL && d->len > 0 && d->data[0] == wanted)
        caught = cp_copy(d);
    return true;
}

static void catch (uint8_t type)
{
    wanted = type;
    caught = NULL;
    pair.filter = catch_type;
}

/* Counts what a side sends, and drops it. */
static uint64_t sent_count, sent_bytes;

static bool count_and_drop(struct core_pair *p, struct cp_datagram *d)
{
    (void)p;
    sent_count++;
    sent_bytes += d->len;
    return false;
}

static void give_to(struct cp_side *s, const struct cp_datagram *d, const struct wf_addr *from)
{
    uint8_t *data = test_copy(d->data, d->len);
    struct wf_datagram in = {.from = *from, .to = s->addr, .data = data, .len = d->len};

    wf_core_recv(s->core, pair.now, &in, 1);
    cp_pump(&pair, s == server());
    free(data);
}

static struct wf_addr stranger(uint32_t i)
{
    return wf_addr_v4((uint8_t)(11 + (i >> 24)), (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i,
                      (uint16_t)(1 + i % 65000));
}

/* --- strangers --- */

TEST(a_flood_of_hellos_allocates_and_computes_nothing_and_is_not_amplified)
{
    struct wf_core_stats before;
    struct wf_core_stats after;
    uint64_t curves = 0;

    open_pair();
    catch (WF_TYPE_HELLO);
    (void)request(10);
    cp_pump(&pair, 0);
    CHECK(caught != NULL);
    pair.filter = count_and_drop;
    sent_count = sent_bytes = 0;
    before = stats_of(server());
    curves = wf_curve_operations();
    for (uint32_t i = 0; i < 20000; i++) {
        struct wf_addr from = stranger(i);

        give_to(server(), caught, &from);
    }
    after = stats_of(server());
    CHECK_EQ(after.allocations, before.allocations);
    CHECK_EQ(after.memory_held, before.memory_held);
    CHECK_EQ(after.sessions, 0);
    CHECK_EQ(wf_curve_operations(), curves);
    CHECK_EQ(sent_count, 20000);
    CHECK_LE(sent_bytes, 20000 * caught->len);
    free(caught);
    cp_close(&pair);
}

TEST(hellos_that_nobody_fetches_the_answers_of_are_bounded)
{
    struct wf_core_stats before;

    open_pair();
    catch (WF_TYPE_HELLO);
    (void)request(10);
    cp_pump(&pair, 0);
    before = stats_of(server());
    for (uint32_t i = 0; i < 5000; i++) {
        struct wf_datagram in = {
            .from = stranger(i), .to = server()->addr, .data = caught->data, .len = caught->len};

        wf_core_recv(server()->core, pair.now, &in, 1);
    }
    CHECK_EQ(stats_of(server()).memory_held, before.memory_held);
    pair.filter = count_and_drop;
    sent_count = 0;
    cp_pump(&pair, 1);
    CHECK(sent_count > 0);
    CHECK_LE(sent_count, 1000);
    free(caught);
    cp_close(&pair);
}

TEST(no_datagram_of_a_stranger_is_answered_with_more_than_it_was)
{
    struct cp_datagram *d = calloc(1, sizeof *d + 1500);
    uint64_t state = test_seed();
    struct wf_core_stats before;

    CHECK(d != NULL);
    open_pair();
    before = stats_of(server());
    pair.filter = count_and_drop;
    for (uint32_t i = 0; i < 20000; i++) {
        struct wf_addr from = stranger(i);

        d->len = test_next(&state) % 1501;
        for (size_t k = 0; k < d->len; k++)
            d->data[k] = (uint8_t)test_next(&state);
        if (i % 2 == 0)
            d->data[0] = (uint8_t)(i / 2 % 7);
        sent_count = sent_bytes = 0;
        give_to(server(), d, &from);
        give_to(client(), d, &from);
        CHECK_LE(sent_bytes, d->len);
    }
    CHECK_EQ(stats_of(server()).allocations, before.allocations);
    CHECK_EQ(stats_of(server()).sessions_total, 0);
    free(d);
    cp_close(&pair);
}

TEST(a_solve_makes_one_session_though_it_comes_a_thousand_times)
{
    uint64_t curves = 0;

    open_pair();
    catch (WF_TYPE_SOLVE);
    (void)request(10);
    cp_run(&pair, SECOND);
    CHECK(caught != NULL);
    CHECK_EQ(stats_of(server()).sessions_total, 1);
    pair.filter = NULL;
    curves = wf_curve_operations();
    for (int i = 0; i < 1000; i++)
        give_to(server(), caught, &client()->addr);
    CHECK_EQ(wf_curve_operations(), curves);
    wf_core_shut(client()->core, pair.now);
    cp_run(&pair, 10 * SECOND);
    CHECK_EQ(stats_of(server()).sessions, 0);
    for (int i = 0; i < 200; i++) { /* the session is over, and its cookie gets old */
        give_to(server(), caught, &client()->addr);
        cp_run(&pair, SECOND);
    }
    CHECK_EQ(stats_of(server()).sessions_total, 1);
    CHECK_EQ(server()->messages, 1);
    free(caught);
    cp_close(&pair);
}

TEST(a_solve_is_worth_nothing_from_elsewhere_or_after_a_restart)
{
    struct wf_addr elsewhere = wf_addr_v4(10, 0, 0, 1, 999);

    open_pair();
    catch (WF_TYPE_SOLVE);
    (void)request(10);
    for (int i = 0; i < 4 && caught == NULL; i++) {
        cp_pump(&pair, i % 2);
        if (caught == NULL)
            cp_deliver(&pair, cp_land(&pair));
    }
    CHECK(caught != NULL);
    give_to(server(), caught, &elsewhere);
    CHECK_EQ(stats_of(server()).sessions_total, 0);
    cp_run(&pair, SECOND);
    CHECK_EQ(server()->messages, 1);
    cp_kill(&pair, 1);
    CHECK_OK(cp_boot(&pair, 1));
    server()->messages = 0;
    give_to(server(), caught, &client()->addr);
    CHECK_EQ(stats_of(server()).sessions_total, 0);
    CHECK_EQ(server()->messages, 0);
    free(caught);
    cp_close(&pair);
}

/* Everything that was sent goes back to its sender too. */
static bool is_mirroring;

static bool mirror(struct core_pair *p, struct cp_datagram *d)
{
    struct cp_side *from = wf_addr_equal(&d->from, &p->side[0].addr) ? &p->side[0] : &p->side[1];
    uint8_t *data = NULL;
    struct wf_datagram in = {.from = d->to, .to = d->from, .len = d->len};

    if (is_mirroring)
        return true;
    is_mirroring = true;
    data = test_copy(d->data, d->len);
    in.data = data;
    wf_core_recv(from->core, p->now, &in, 1);
    free(data);
    is_mirroring = false;
    return true;
}

TEST(what_comes_back_to_its_sender_does_nothing)
{
    struct cp_message *m = NULL;

    cp_init(&pair, test_mem(), test_mem());
    client()->config.serve = true; /* so that it could be fooled */
    CHECK_OK(cp_boot(&pair, 0));
    CHECK_OK(cp_boot(&pair, 1));
    server()->replies = true;
    server()->reply_len = 100000;
    pair.filter = mirror;
    m = request(100000);
    cp_run(&pair, 20 * SECOND);
    CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
    CHECK_EQ(client()->sessions, 1);
    CHECK_EQ(server()->sessions, 1);
    CHECK_EQ(stats_of(client()).sessions_total, 1);
    cp_close(&pair);
}

TEST(forged_packets_of_a_session_are_counted_and_dropped)
{
    uint64_t state = test_seed();
    struct cp_datagram *packet = NULL;

    open_pair();
    (void)request(10);
    cp_run(&pair, SECOND);
    (void)request(20000);
    cp_pump(&pair, 0);
    packet = cp_copy(pair.first);
    for (int i = 0; i < 20000; i++) {
        /* The tag stays, so that the header is unmasked as it was. */
        size_t at = 18 + test_next(&state) % (packet->len - 34);

        packet->data[at] ^= (uint8_t)(1 + i % 255);
        give_to(server(), packet, &client()->addr);
    }
    CHECK(stats_of(server()).packets_forged > 10000);
    cp_run(&pair, 10 * SECOND);
    CHECK_EQ(client()->outs[1].outcome, WF_OUTCOME_REPLIED);
    CHECK_EQ(server()->sessions_ended, 0);
    free(packet);
    cp_close(&pair);
}

/* --- peers --- */

TEST(a_peer_that_goes_silent_after_solve_is_forgotten)
{
    struct wf_core_stats before;

    open_pair();
    before = stats_of(server());
    (void)request(10);
    for (int i = 0; i < 3; i++) {
        cp_pump(&pair, i % 2);
        cp_deliver(&pair, cp_land(&pair));
    }
    cp_pump(&pair, 1);
    CHECK_EQ(stats_of(server()).sessions, 1);
    cp_kill(&pair, 0);
    cp_forget(&pair);
    cp_run(&pair, 60 * SECOND);
    CHECK_EQ(stats_of(server()).sessions, 0);
    CHECK_LE(stats_of(server()).memory_held, before.memory_held + 4096);
    cp_close(&pair);
}

TEST(messages_that_are_opened_and_given_up_leave_nothing_behind)
{
    struct wf_core_stats now;
    struct wf_core_stats first = {0};

    open_pair();
    (void)request(10);
    cp_run(&pair, SECOND);
    server()->replies = false;
    for (int round = 0; round < 50; round++) {
        client()->out_count = 1;
        for (int i = 0; i < 200; i++) {
            struct cp_message *m = request(100000);

            wf_core_cancel(client()->core, m->id, WF_CODE_CANCELLED);
        }
        cp_run(&pair, SECOND);
        cp_check_outcomes(client());
        now = stats_of(server());
        if (round == 5)
            first = now;
        CHECK_LE(now.messages_open, 256);
    }
    CHECK_LE(now.memory_held, first.memory_held + 8192);
    cp_close(&pair);
}

TEST(what_is_not_read_is_bounded_by_credit)
{
    struct wf_core_peer_stats row;

    open_pair();
    server()->holds = true;
    for (int i = 0; i < 50; i++)
        (void)request(1000000);
    cp_run(&pair, 20 * SECOND);
    CHECK(wf_core_peer_stats(server()->core, 0, &row));
    CHECK_LE(row.bytes_held, 24u << 20); /* 16 MiB of credit and what keeps it */
    server()->holds = false;
    for (size_t i = 0; i < CP_INS_MAX; i++) {
        if (server()->ins[i].is_used)
            cp_read(&server()->ins[i]);
    }
    cp_run(&pair, 60 * SECOND);
    cp_check_outcomes(client()); /* and all of it arrives once it is read */
    CHECK_EQ(server()->messages, 50);
    cp_close(&pair);
}

TEST(replies_that_are_not_read_stay_within_the_account_of_the_peer)
{
    struct wf_core_peer_stats row;

    open_pair();
    client()->holds = true;
    server()->reply_len = 3000000;
    for (int i = 0; i < 250; i++)
        (void)request(1);
    cp_run(&pair, 20 * SECOND);
    CHECK(wf_core_peer_stats(server()->core, 0, &row));
    CHECK_LE(row.bytes_held, (64u << 20) + 65536);
    wf_core_shut(client()->core, pair.now);
    cp_run(&pair, 20 * SECOND);
    cp_check_outcomes(client());
    cp_check_outcomes(server());
    cp_close(&pair);
}

/* --- all places taken, all memory held --- */

/* The client goes without a word once the server has taken so many of its datagrams, and comes
 * back knowing nothing. */
static void come_and_go(unsigned datagrams)
{
    for (unsigned i = 0; i < datagrams; i++) {
        cp_pump(&pair, 0);
        cp_pump(&pair, 1);
        if (pair.first != NULL)
            cp_deliver(&pair, cp_land(&pair));
    }
    cp_pump(&pair, 1);
    cp_kill(&pair, 0);
    cp_forget(&pair);
    CHECK_OK(cp_boot(&pair, 0));
}

TEST(places_held_by_those_who_never_confirm_are_given_to_who_does)
{
    struct cp_message *m = NULL;

    open_pair();
    for (int i = 0; i < 30; i++) {
        (void)request(10);
        come_and_go(3); /* HELLO, CHALLENGE, SOLVE */
        CHECK_LE(stats_of(server()).sessions, 8);
    }
    CHECK_EQ(stats_of(server()).sessions_total, 30);
    m = request(10);
    cp_run(&pair, SECOND);
    CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
    cp_close(&pair);
}

TEST(places_of_sessions_with_nothing_under_way_are_given_away_and_they_are_told)
{
    struct cp_message *m = NULL;

    open_pair();
    for (int i = 0; i < 30; i++) {
        (void)request(10);
        cp_run(&pair, SECOND);
        come_and_go(0);
    }
    CHECK_EQ(stats_of(server()).sessions_total, 30);
    m = request(10);
    cp_run(&pair, SECOND);
    CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
    cp_close(&pair);
}

/* One session is in use, and stays however many come. */
TEST(a_session_with_a_message_under_way_keeps_its_place)
{
    struct wf_core_send_params p;
    struct cp_message *m = NULL;

    open_pair();
    server()->holds = true;
    m = request(10);
    cp_run(&pair, SECOND);
    p = cp_params(&pair, 0, 10);
    p.one_way = true;
    for (int i = 0; i < 30; i++) {
        struct cp_message *other = NULL;

        other = cp_send(&pair, 0, &p);
        CHECK(other != NULL);
        cp_run(&pair, SECOND / 10);
        wf_core_cancel(client()->core, other->id, WF_CODE_CANCELLED);
        cp_run(&pair, SECOND / 10);
    }
    server()->holds = false;
    cp_read(&server()->ins[0]);
    cp_run(&pair, SECOND);
    CHECK_EQ(m->outcomes, 1);
    CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
    cp_close(&pair);
}

/* Peers that hold all of the node's memory give way to one that needs little. */
TEST(who_holds_most_goes_when_memory_is_short)
{
    struct wf_mem *mem = test_mem();
    struct cp_message *m = NULL;
    unsigned rounds = 0;

    cp_open(&pair, test_mem(), mem);
    server()->replies = true;
    server()->holds = true;
    mem->cap = mem->held + (24u << 20);
    for (; rounds < 6; rounds++) { /* each fills its credit of 16 MiB, and is never read */
        for (int i = 0; i < 20; i++)
            (void)request(1000000);
        cp_run(&pair, 5 * SECOND);
        cp_kill(&pair, 0);
        cp_forget(&pair);
        CHECK_OK(cp_boot(&pair, 0));
    }
    server()->holds = false;
    m = request(100000);
    cp_run(&pair, 5 * SECOND);
    CHECK_EQ(m->outcomes, 1);
    CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
    CHECK_LE(1, stats_of(server()).sessions_evicted);
    cp_close(&pair);
}

TEST(what_the_application_holds_counts_for_the_peer)
{
    struct cp_message *a = NULL;
    struct cp_message *b = NULL;

    open_pair();
    server()->holds = true;
    (void)request(1);
    (void)request(1);
    cp_run(&pair, SECOND);
    a = &server()->ins[0];
    b = &server()->ins[1];
    CHECK(wf_core_charge(server()->core, a->id, 60u << 20));
    CHECK(!wf_core_charge(server()->core, b->id, 5u << 20));
    CHECK(wf_core_charge(server()->core, b->id, 3u << 20));
    CHECK(!wf_core_charge(server()->core, b->id, 3u << 20));
    cp_release(a, WF_CODE_NONE);
    CHECK(wf_core_charge(server()->core, b->id, 200u << 20)); /* alone, of any size */
    cp_release(b, WF_CODE_NONE);
    CHECK(!wf_core_charge(server()->core, 12345, 1));
    cp_close(&pair);
}
