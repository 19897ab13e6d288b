/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_pin_test.c - calls to pinned names through whole cores: packets lost, allocations that fail,
 * a server that starts again.
 */
#include "core_pair.h"
#include "session/statement.h"
#include "test.h"

#define SECOND 1000000u
#define WALL_MS ((uint64_t)1700000000 * 1000)
#define FAILURES_MAX 2000u

static struct core_pair pair;
static struct wf_pin pin;
static uint8_t statement[WF_STATEMENT_MAX];
static uint8_t server_key[32], old_key[32];
static int lost_of[256]; /* how many more packets of that type are lost */

static void identity_of(struct wf_identity *id, uint8_t first)
{
    uint8_t seed[32];

    memset(seed, first, sizeof seed);
    CHECK_OK(wf_identity_init(id, seed));
}

/* Of "alice", about the server that cp_boot makes; her pin is of the key before. */
static void prepare(struct wf_mem *a, struct wf_mem *b)
{
    struct wf_statement s = {
        .name = "alice", .name_len = 5, .version = 2, .not_after_s = UINT64_MAX};
    struct wf_identity owner, server, before;

    identity_of(&owner, 90);
    identity_of(&before, 91);
    identity_of(&server, 2);
    memcpy(server_key, server.public_key, 32);
    memcpy(old_key, before.public_key, 32);
    memcpy(s.key, server_key, 32);
    wf_statement_sign(&s, &owner);
    pin = (struct wf_pin){.name = "alice", .name_len = 5, .version = 1};
    memcpy(pin.owner, owner.public_key, 32);
    cp_init(&pair, a, b);
    pair.side[0].config.wall_ms = WALL_MS;
    pair.side[1].config.statement =
        wf_span(statement, wf_statement_put(&s, statement, sizeof statement));
    pair.side[1].replies = true;
    pair.side[1].reply_len = 100;
    memset(lost_of, 0, sizeof lost_of);
}

static struct wf_core_send_params to_alice(const uint8_t key[32])
{
    struct wf_core_send_params p = cp_params(&pair, 0, 100);

    p.show_own_key = false;
    p.pin = &pin;
    memcpy(p.to, key, 32);
    return p;
}

static bool lose(struct core_pair *p, struct cp_datagram *d)
{
    (void)p;
    return d->len == 0 || lost_of[d->data[0]] == 0 || lost_of[d->data[0]]-- == 0;
}

TEST(packets_of_the_question_and_its_answer_may_be_lost_and_come_twice)
{
    static const uint8_t types[] = {WF_TYPE_HELLO,     WF_TYPE_CHALLENGE, WF_TYPE_ASK,
                                    WF_TYPE_STATEMENT, WF_TYPE_SOLVE,     WF_TYPE_CONFIRM};

    for (size_t i = 0; i < sizeof types; i++) {
        for (int count = 0; count < 3; count++) {
            struct wf_core_send_params p;
            struct cp_message *m = NULL;

            test_note("%d packets of type %u are lost", count, (unsigned)types[i]);
            prepare(test_mem(), test_mem());
            CHECK_OK(cp_boot(&pair, 0));
            CHECK_OK(cp_boot(&pair, 1));
            lost_of[types[i]] = count;
            pair.filter = lose;
            p = to_alice(old_key);
            m = cp_send(&pair, 0, &p);
            cp_run(&pair, 9 * SECOND);
            CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
            CHECK_EQ(pair.side[0].sessions, 1);
            cp_close(&pair);
        }
    }
}

TEST(a_session_that_was_learned_is_found_under_the_new_key_and_after_a_restart)
{
    struct wf_core_send_params p;
    struct cp_message *m = NULL;

    prepare(test_mem(), test_mem());
    CHECK_OK(cp_boot(&pair, 0));
    CHECK_OK(cp_boot(&pair, 1));
    p = to_alice(old_key);
    (void)cp_send(&pair, 0, &p);
    cp_run(&pair, SECOND);
    CHECK_EQ(pair.side[0].sessions, 1);
    pin.version = 2; /* as the application keeps it now */
    p = to_alice(server_key);
    m = cp_send(&pair, 0, &p);
    cp_run(&pair, SECOND);
    CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
    CHECK_EQ(pair.side[0].sessions, 1);
    cp_kill(&pair, 1);
    CHECK_OK(cp_boot(&pair, 1));
    m = cp_send(&pair, 0, &p); /* a HINT says that the session is lost */
    cp_run(&pair, SECOND);
    m = cp_send(&pair, 0, &p);
    cp_run(&pair, 5 * SECOND);
    CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
    cp_close(&pair);
}

/* False when there was no such allocation. */
static bool run(struct wf_mem *mems[2], uint64_t fail_at)
{
    bool there = false;

    test_note("allocation %llu", (unsigned long long)fail_at);
    prepare(mems[0], mems[1]);
    mems[0]->fail_at = 0;
    CHECK_OK(cp_boot(&pair, 1));
    mems[0]->fail_at = mems[0]->attempts + fail_at;
    if (cp_boot(&pair, 0) == WEFT_OK) {
        struct wf_core_send_params p = to_alice(old_key);

        (void)cp_send(&pair, 0, &p);
        (void)cp_send(&pair, 0, &p);
        cp_run(&pair, 20 * SECOND);
        wf_core_shut(pair.side[0].core, pair.now);
        cp_run(&pair, 20 * SECOND);
        cp_check_outcomes(&pair.side[0]);
    }
    there = mems[0]->fail_at <= mems[0]->attempts;
    mems[0]->fail_at = 0;
    cp_close(&pair);
    CHECK_EQ(mems[0]->held, 0);
    return there;
}

TEST(each_failing_allocation_on_the_way_to_the_new_key_is_survived)
{
    struct wf_mem *mems[2] = {test_mem(), test_mem()};
    uint64_t n = 1;

    while (run(mems, n))
        CHECK_LE(n++, FAILURES_MAX);
    CHECK(n > 20);
}
