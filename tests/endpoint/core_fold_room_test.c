/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_fold_room_test.c - sessions at rest and room: one peer who leaves very many, idle sessions
 * that cannot fold, peers that vanish while they rest.
 */
#include "core_one_pair.h"
#include "crypto/hash.h"
#include "endpoint/core_priv.h"
#include "test.h"

#define SECOND ((uint64_t)1000000)

static void open_with(uint64_t fold_us, size_t sessions_max)
{
    cp_init(&pair, test_mem(), test_mem());
    for (int i = 0; i < 2; i++) {
        pair.side[i].config.fold_us = fold_us;
        pair.side[i].replies = true;
    }
    server()->config.sessions_max = sessions_max;
    CHECK_OK(cp_boot(&pair, 0));
    CHECK_OK(cp_boot(&pair, 1));
}

/* The client shows this of itself, so that the session is another one each time. */
static struct cp_message *say_as(enum shown shown)
{
    struct wf_core_send_params p = cp_params(&pair, 0, 10);

    p.one_way = shown == SHOWN_NOBODY;
    p.show_own_key = shown == SHOWN_OWN;
    struct cp_message *m = cp_send(&pair, 0, &p);
    CHECK(m != NULL);
    return m;
}

static void expect(const struct cp_message *m, enum wf_core_outcome outcome)
{
    CHECK_EQ(m->outcomes, 1);
    CHECK_EQ(m->outcome, outcome);
}

/* How many index entries the client's name has at the server. */
static size_t found_by_name(void)
{
    const struct presences *r = &server()->core->rest;
    uint8_t name[PEER_NAME_LEN];
    size_t count = 0;

    memcpy(name, wf_core_key(client()->core), 32);
    name[32] = SHOWN_OWN;
    for (uint32_t id = wf_index_first(&r->index, wf_siphash64(r->key, wf_span(name, sizeof name)));
         id != WF_INDEX_NONE; id = wf_index_next(&r->index, id))
        count++;
    return count;
}

/* SPEC 4.6-11 */
TEST(one_peer_with_very_many_sessions_at_rest_makes_no_long_chain)
{
    open_with(SECOND / 10, 8);
    for (size_t i = 1; i <= 40; i++) {
        (void)say_as(SHOWN_OWN);
        cp_run(&pair, 2 * SECOND);
        CHECK_EQ(stats_of(server()).presences, i);
        CHECK_EQ(found_by_name(), i < 16 ? i : 16);
        if (i == 40)
            break;
        cp_kill(&pair, 0);
        CHECK_OK(cp_boot(&pair, 0));
    }
    struct wf_core_send_params p = cp_params(&pair, 1, 10);
    p.address = (struct wf_addr){0};
    const struct cp_message *m = cp_send(&pair, 1, &p); /* the newest is the one that lives */
    CHECK(m != NULL);
    cp_run(&pair, 2 * SECOND);
    expect(m, WF_OUTCOME_REPLIED);
    CHECK_EQ(stats_of(server()).presences, 40);
    cp_close(&pair);
}

static void keep_all_awake(void)
{
    for (struct wf_link *l = server()->core->all.first; l != NULL; l = l->next) {
        struct session *s = WF_CONTAINER_OF(l, struct session, all_link);

        if (s->peer != NULL)
            s->peer->hint_next = WEFT_TIME_NEVER;
    }
}

/* SPEC 4.6-11 */
TEST(idle_sessions_that_cannot_fold_keep_nobody_asleep)
{
    static const enum shown order[] = {SHOWN_OWN, SHOWN_FOR_PEER, SHOWN_NOBODY};

    open_with(0, 2);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 3; i++) {
            const struct cp_message *m = say_as(order[i]);

            cp_run(&pair, round == 0 ? 15 * SECOND : SECOND);
            expect(m, WF_OUTCOME_REPLIED);
            if (round == 1)
                keep_all_awake();
        }
        if (round == 0)
            CHECK_EQ(stats_of(server()).presences, 3);
    }
    CHECK_EQ(stats_of(server()).wakes, 3);
    CHECK_LE(stats_of(server()).sessions, 2);
    cp_close(&pair);
}

/* So many clients come, each with a session of its own, and leave. */
static void come_and_go(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)say_as(SHOWN_OWN);
        cp_run(&pair, SECOND / 2);
        cp_kill(&pair, 0);
        CHECK_OK(cp_boot(&pair, 0));
    }
}

/* SPEC 4.6-8 */
TEST(when_memory_is_short_presences_give_back_some_and_not_only_their_places)
{
    const size_t slabs = 3;
    size_t held = 0;

    open_with(SECOND / 10, 8);
    come_and_go(slabs * WF_VAULT_SLAB);
    struct wf_core *core = server()->core;
    uint64_t rest_ms = core->config.rest_ms;
    core->config.rest_ms = (slabs * WF_VAULT_SLAB - 60) * 500; /* the first 60, about */
    cp_run(&pair, 0);
    core->config.rest_ms = rest_ms;
    size_t gone = slabs * WF_VAULT_SLAB - presences_count(core);
    CHECK(gone > 50 && gone < WF_VAULT_SLAB);
    come_and_go(gone); /* into the places of the oldest */
    CHECK_EQ(presences_count(core), slabs * WF_VAULT_SLAB);
    held = server()->mem->held;
    presences_shed(core, pair.now);
    presences_shed(core, pair.now);
    CHECK_LE(server()->mem->held + WF_VAULT_SLAB * wf_vault_slot_size(core->rest.vault), held);
    CHECK_EQ(presences_count(core), WF_VAULT_SLAB);
    CHECK(wf_core_check(core) == NULL);
    cp_close(&pair);
}

TEST(presences_alone_do_not_make_memory_short)
{
    cp_init(&pair, test_mem(), test_mem());
    server()->mem->cap = (size_t)4 << 20;
    CHECK_OK(cp_boot(&pair, 1));
    CHECK_EQ(server()->core->config.presences_max, 4096);
    cp_kill(&pair, 1);
    server()->config.presences_max = 4095;
    CHECK_OK(cp_boot(&pair, 1));
    CHECK_EQ(server()->core->config.presences_max, 4095);
    cp_close(&pair);
}

/* What becomes of a message to an end that is gone, after both were at rest for so long. */
static const struct cp_message *to_the_dead(int from, uint64_t rest_us, bool comes_back)
{
    struct wf_core_send_params p = {0};

    open_with(0, 8);
    (void)say_as(SHOWN_OWN);
    cp_run(&pair, 12 * SECOND);
    CHECK_EQ(stats_of(client()).presences, 1);
    CHECK_EQ(stats_of(server()).presences, 1);
    cp_run(&pair, rest_us);
    p = cp_params(&pair, from, 10);
    if (from == 1)
        p.address = (struct wf_addr){0}; /* only through a session */
    cp_kill(&pair, 1 - from);
    if (comes_back)
        CHECK_OK(cp_boot(&pair, 1 - from));
    const struct cp_message *m = cp_send(&pair, from, &p);
    CHECK(m != NULL);
    cp_run(&pair, 60 * SECOND);
    return m;
}

/* Who was silent for long is asked first: what was held back is known not to have arrived.
 * SPEC 4.6-7, 4.6-9, 4.6-10 */
TEST(a_message_to_who_vanished_at_rest_has_its_outcome_within_a_minute)
{
    static const uint64_t rests[] = {SECOND, 3600 * SECOND};

    for (int i = 0; i < 8; i++) {
        const bool calls = i / 4 == 0, comes_back = i / 2 % 2 == 1, is_asked = calls && i % 2 == 1;
        const struct cp_message *m = to_the_dead(calls ? 0 : 1, rests[i % 2], comes_back);

        if (is_asked && comes_back)
            expect(m, WF_OUTCOME_REPLIED);
        else
            expect(m, is_asked ? WF_OUTCOME_FAILED : WF_OUTCOME_UNKNOWN);
        cp_run(&pair, 600 * SECOND);
        CHECK_EQ(m->outcomes, 1);
        cp_close(&pair);
    }
}

/* SPEC 4.6-12 */
TEST(what_cannot_fold_is_kept_for_an_hour)
{
    for (int by_name = 0; by_name < 2; by_name++) {
        open_with(0, 8);
        (void)say_as(SHOWN_OWN);
        cp_run(&pair, SECOND);
        struct session *s = WF_CONTAINER_OF(client()->core->all.first, struct session, all_link);
        if (by_name == 1)
            s->has_pin = true;
        else
            s->peer->hint_next = WEFT_TIME_NEVER;
        cp_run(&pair, 3598 * SECOND);
        CHECK_EQ(stats_of(client()).sessions, 1);
        cp_run(&pair, 2 * SECOND);
        CHECK_EQ(stats_of(client()).sessions, 0);
        CHECK_EQ(client()->sessions_ended, 1);
        cp_close(&pair);
    }
}
