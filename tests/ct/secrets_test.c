/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secrets_test.c - no branch and no address depends on a secret (base/ct.h). Built for memcheck and
 * run under it (make check, stage ct): what it has to say is counted around each piece of work. It
 * must see what is wrong, so functions that leak come first.
 */
#include "test.h"

#include <valgrind/memcheck.h>

#include "../endpoint/core_pair.h"
#include "../session/party.h"
#include "base/ct.h"

static unsigned errors_so_far(void)
{
    CHECK(RUNNING_ON_VALGRIND);
    return (unsigned)VALGRIND_COUNT_ERRORS;
}

/* --- what it must see --- */

static volatile unsigned sink;

static __attribute__((noinline)) void branch_on(const uint8_t *secret)
{
    if (secret[3] > 100)
        sink = 1;
    else
        sink = sink + 2;
}

static __attribute__((noinline)) void index_by(const uint8_t *secret)
{
    static const volatile uint8_t table[256];

    sink = table[secret[7]];
}

static __attribute__((noinline)) void compare_early(const uint8_t *secret)
{
    uint8_t guess[32] = {1};

    sink = memcmp(secret, guess, sizeof guess) == 0;
}

TEST(a_branch_an_index_and_a_comparison_by_a_secret_are_seen)
{
    static void (*const leaks[])(const uint8_t *) = {branch_on, index_by, compare_early};
    struct wf_rng *rng = test_rng(test_seed());

    for (size_t i = 0; i < WF_ARRAY_LEN(leaks); i++) {
        uint8_t secret[32], derived[32];
        unsigned before = errors_so_far();
        wf_random_secret(rng, secret, sizeof secret);
        wf_kdf(derived, sizeof derived, secret, "somewhere else", (weft_span){0});
        CHECK_EQ(errors_so_far(), before);
        leaks[i](derived);
        test_note("leak %zu", i);
        CHECK(errors_so_far() > before);
    }
}

TEST(what_was_said_to_be_public_may_be_branched_on)
{
    uint8_t bytes[32];
    unsigned before = errors_so_far();

    wf_random_secret(test_rng(test_seed()), bytes, sizeof bytes);
    wf_ct_public(bytes, sizeof bytes);
    branch_on(bytes);
    CHECK_EQ(errors_so_far(), before);
}

/* --- the handshake --- */

static void shake_hands(bool one_way, enum wf_aead_backend backend)
{
    struct pair p;

    pair_init(&p, test_mem(), test_rng(test_seed()));
    wf_aead_free(p.aead);
    CHECK_OK(wf_aead_new(&p.aead, backend, test_mem()));
    p.adm_config.aead = p.hs_config.aead = p.aead;
    pair_server(&p);
    wf_adm_tick(p.adm, p.now);
    pair_client(&p, one_way);
    pair_to_confirm(&p);
    CHECK(pair_to_server(&p, p.solve, p.solve_len) == WF_ADM_REPLY);
    pair_finish(&p);
    wf_ct_public(&p.client.secrets, sizeof p.client.secrets);
    wf_ct_public(&p.server_secrets, sizeof p.server_secrets);
    CHECK(pair_agrees(&p));
    pair_free(&p);
}

TEST(a_handshake_branches_on_no_secret_in_either_mode)
{
    unsigned before = errors_so_far();

    for (int one_way = 0; one_way <= 1; one_way++) {
        shake_hands(one_way, WF_AEAD_OPENSSL);
        shake_hands(one_way, WF_AEAD_SODIUM);
    }
    CHECK_EQ(errors_so_far(), before);
}

/* What fails must not tell why by the way it takes. */
TEST(a_solve_with_altered_boxes_branches_on_no_secret)
{
    unsigned before = errors_so_far();
    struct pair p;

    pair_init(&p, test_mem(), test_rng(test_seed()));
    pair_server(&p);
    pair_client(&p, false);
    pair_to_solve(&p);
    for (size_t at = 120; at < 1200; at += 60) {
        if (at % 240 == 0) {
            pair_client(&p, false);
            pair_to_solve(&p);
        }
        p.solve[at] ^= 1;
        CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), WF_ADM_DROP);
        p.solve[at] ^= 1;
    }
    pair_free(&p);
    CHECK_EQ(errors_so_far(), before);
}

/* --- inside a group --- */

/* SOLVE of a member, or of somebody with another key, who must not see a difference. */
static void meet_in_group(bool is_member)
{
    static const uint8_t right[32] = {'g'}, wrong[32] = {'w'};
    struct wf_invitation in;
    struct pair p;

    pair_init(&p, test_mem(), test_rng(test_seed()));
    memcpy(in.group_key, is_member ? right : wrong, sizeof in.group_key);
    memcpy(in.server.key, p.server_id.public_key, 32);
    memcpy(in.server.dh, p.server_id.server_public, 32);
    memset(p.hs_config.server_key, 0, 32);
    p.hs_config.invitation = &in;
    pair_server(&p);
    CHECK_OK(wf_adm_group_add(p.adm, right));
    CHECK_OK(wf_adm_only_groups(p.adm));
    pair_client(&p, false);
    pair_to_solve(&p);
    CHECK_EQ(pair_to_server(&p, p.solve, p.solve_len), is_member ? WF_ADM_ACCEPT : WF_ADM_REPLY);
    if (is_member) {
        CHECK_OK(pair_make_confirm(&p));
        pair_finish(&p);
    } else {
        pair_to_client(&p, p.result.reply, p.result.reply_len);
        CHECK_EQ(wf_hs_state(p.hs), WF_HS_SOLVE);
    }
    pair_free(&p);
}

TEST(a_handshake_in_a_group_branches_on_no_secret_but_whether_it_is_one_of_the_group)
{
    unsigned before = errors_so_far();

    meet_in_group(true);
    meet_in_group(false);
    CHECK_EQ(errors_so_far(), before);
}

/* --- whole cores: messages both ways, forged packets, a key change, the end --- */

static struct core_pair pair;

static bool forge_some(struct core_pair *p, struct cp_datagram *d)
{
    struct cp_datagram *c = p->delivered % 3 == 0 ? cp_copy(d) : NULL;

    if (c != NULL) {
        c->data[c->len - 1] ^= 1;
        cp_deliver(p, c);
    }
    return true;
}

TEST(two_cores_that_talk_branch_on_no_secret)
{
    unsigned before = errors_so_far();
    struct wf_core_send_params sp;

    cp_open(&pair, test_mem(), test_mem());
    pair.side[1].replies = true;
    pair.side[1].reply_len = 3000;
    pair.filter = forge_some;
    for (unsigned i = 0; i < 8; i++) { /* long enough for a key change */
        sp = cp_params(&pair, 0, 3000);
        struct cp_message *m = cp_send(&pair, 0, &sp);
        CHECK(m != NULL);
        cp_run(&pair, 20000000);
        CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
    }
    cp_close(&pair);
    CHECK_EQ(errors_so_far(), before);
}
