/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_group_test.c - whole endpoints inside a group: who is answered, what goes when, and what a
 * caller from outside is told.
 */
#include "core_one_pair.h"
#include "test.h"

#define SECOND 1000000u

static const uint8_t key[32] = {'k', 'e', 'y'};
static const uint8_t other[32] = {'o', 't', 'h', 'e', 'r'};
static unsigned solves, confirms;

/* Counts, and checks that the two are of one length. */
static bool look(struct core_pair *p, struct cp_datagram *d)
{
    (void)p;
    solves += d->data[0] == WF_TYPE_SOLVE;
    confirms += d->data[0] == WF_TYPE_CONFIRM;
    if (d->data[0] == WF_TYPE_CONFIRM)
        CHECK_EQ(d->len, WF_SOLVE_MAX); /* SPEC 1.10-7 */
    return true;
}

static void open_pair(bool only)
{
    cp_open(&pair, test_mem(), test_mem());
    server()->replies = true;
    server()->reply_len = 10;
    pair.filter = look;
    solves = confirms = 0;
    CHECK_OK(wf_core_group(server()->core, pair.now, other));
    CHECK_OK(wf_core_group(server()->core, pair.now, key));
    if (only)
        CHECK_OK(wf_core_only_groups(server()->core, pair.now));
}

static struct wf_invitation invitation(const uint8_t group_key[32])
{
    struct wf_invitation in;
    struct wf_identity id;
    uint8_t seed[32];

    memset(seed, 2, sizeof seed); /* as cp_boot has it */
    CHECK_OK(wf_identity_init(&id, seed));
    CHECK_MEM_EQ(id.public_key, wf_core_key(server()->core), 32);
    memcpy(in.group_key, group_key, 32);
    memcpy(in.server.key, id.public_key, 32);
    memcpy(in.server.dh, id.server_public, 32);
    return in;
}

static void join(const uint8_t group_key[32], bool first_data)
{
    const struct wf_invitation in = invitation(group_key);

    CHECK_OK(wf_core_join(client()->core, &in, first_data));
}

static struct cp_message *request(void)
{
    struct wf_core_send_params p = cp_params(&pair, 0, 100);
    struct cp_message *m = cp_send(&pair, 0, &p);

    CHECK(m != NULL);
    return m;
}

TEST(a_member_is_answered_and_the_message_waits_for_confirm)
{
    for (int only = 0; only <= 1; only++) {
        open_pair(only != 0);
        join(key, false);
        struct cp_message *m = request();
        cp_run(&pair, 5 * SECOND);
        CHECK_EQ(m->outcomes, 1);
        CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
        CHECK_EQ(m->reply_got, 10);
        CHECK(server()->newest.limited);
        CHECK_EQ(server()->newest.group, 1);
        CHECK(!server()->newest.early); /* SPEC 1.10-11 */
        CHECK(client()->newest.limited);
        CHECK_EQ(solves, 1);
        cp_close(&pair);
    }
}

TEST(first_data_goes_in_solve_only_when_it_is_asked_for)
{
    open_pair(true);
    join(key, true);
    struct cp_message *m = request();
    cp_run(&pair, 5 * SECOND);
    CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
    CHECK(server()->newest.early);
    CHECK(server()->newest.limited);
    cp_close(&pair);
}

TEST(who_has_another_group_key_or_none_is_told_that_nobody_answered)
{
    for (int which = 0; which < 2; which++) {
        static const uint8_t third[32] = {3};

        open_pair(true);
        join(third, which != 0);
        struct cp_message *m = request();
        cp_run(&pair, 15 * SECOND);
        CHECK_EQ(m->outcomes, 1);
        /* What was in SOLVE may have arrived, for all one knows. */
        CHECK_EQ(m->outcome, which != 0 ? WF_OUTCOME_UNKNOWN : WF_OUTCOME_FAILED);
        CHECK_EQ(m->err, WEFT_ERR_UNREACHABLE);
        CHECK(confirms > 0); /* decoys */
        CHECK_EQ(server()->messages, 0);
        CHECK_EQ(server()->sessions, 0);
        cp_close(&pair);
    }
}

TEST(a_limited_only_listener_is_not_there_for_those_outside_and_one_of_both_is)
{
    for (int only = 0; only <= 1; only++) {
        open_pair(only != 0);
        pair.filter = NULL;
        struct cp_message *m = request();
        cp_run(&pair, 15 * SECOND);
        CHECK_EQ(m->outcome, only != 0 ? WF_OUTCOME_FAILED : WF_OUTCOME_REPLIED);
        CHECK_EQ(m->err, only != 0 ? WEFT_ERR_WRONG_KEY : WEFT_OK);
        CHECK_EQ(server()->newest.limited, false);
        cp_close(&pair);
    }
}

TEST(group_talk_and_other_talk_use_sessions_of_their_own)
{
    open_pair(false);
    pair.filter = NULL;
    struct cp_message *before = request();
    cp_run(&pair, 2 * SECOND);
    CHECK_EQ(before->outcome, WF_OUTCOME_REPLIED);
    CHECK(!server()->newest.limited);
    join(key, false);
    struct cp_message *after = request();
    cp_run(&pair, 2 * SECOND);
    CHECK_EQ(after->outcome, WF_OUTCOME_REPLIED);
    CHECK(server()->newest.limited);
    CHECK_EQ(server()->sessions, 2);
    cp_close(&pair);
}

TEST(one_way_talk_inside_a_group_is_refused)
{
    open_pair(true);
    join(key, false);
    struct wf_core_send_params p = cp_params(&pair, 0, 1);
    uint64_t id = 0;

    p.one_way = true; /* SPEC 1.10-3 */
    CHECK_EQ(wf_core_message(client()->core, pair.now, &p, &id), WEFT_ERR_USAGE);
    cp_close(&pair);
}

TEST(invitations_are_replaced_and_counted_and_none_is_to_ourselves)
{
    open_pair(true);
    struct wf_invitation in = invitation(other);
    join(other, false);
    join(key, false); /* the later one counts */
    struct cp_message *m = request();
    cp_run(&pair, 2 * SECOND);
    CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
    CHECK_EQ(server()->newest.group, 1);
    CHECK_EQ(wf_core_join(server()->core, &in, false), WEFT_ERR_USAGE);
    for (uint8_t i = 1; i < 64; i++) {
        in.server.key[0] ^= i;
        CHECK_OK(wf_core_join(client()->core, &in, false));
        in.server.key[0] ^= i;
    }
    in.server.key[1] ^= 1;
    CHECK_EQ(wf_core_join(client()->core, &in, false), WEFT_ERR_LIMIT);
    cp_close(&pair);
}

TEST(a_server_without_room_answers_like_one_that_does_not_know_the_group)
{
    open_pair(true);
    join(key, false);
    server()->mem->cap = server()->mem->held + 1; /* no session can be made */
    struct cp_message *m = request();
    cp_run(&pair, 2 * SECOND);
    CHECK(confirms > 0); /* SPEC 1.10-8 */
    CHECK_EQ(server()->sessions, 0);
    CHECK_EQ(m->outcomes, 0);
    server()->mem->cap = 0;
    cp_close(&pair);
}
