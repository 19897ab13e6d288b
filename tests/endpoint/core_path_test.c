/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_path_test.c - whole endpoints whose addresses and clocks change at every step of a
 * handshake and of what follows (docs/spec/4-transport.md 4.4).
 */
#include "test.h"

#include "core_pair.h"

#define SECOND 1000000u
#define STEPS 12u /* datagrams: the handshake, the message, its reply and what ends it */

static struct {
    unsigned seen, at;
    int who;
    bool other_host;
    bool period;
} plan;

static void begin(struct core_pair *p)
{
    cp_open(p, test_mem(), test_mem());
    p->side[1].replies = true;
    p->side[1].reply_len = 3000;
    plan.seen = 0;
}

static void end(struct core_pair *p)
{
    struct wf_mem *mems[2] = {p->side[0].mem, p->side[1].mem};

    cp_close(p);
    CHECK_EQ(mems[0]->held + mems[1]->held, 0);
}

static void move(struct core_pair *p)
{
    p->side[0].addr.port++;
    p->side[0].addr.ip[3] = (uint8_t)(p->side[0].addr.ip[3] + (plan.other_host ? 8 : 0));
}

/* The datagram that is sent as number plan.at still has the old address; nothing gets back there.
 */
static bool move_after(struct core_pair *p, struct cp_datagram *d)
{
    (void)d;
    plan.seen++;
    if (plan.seen == plan.at || (plan.period && plan.seen > plan.at && plan.seen % 7 == 0))
        move(p);
    return true;
}

static struct cp_message *ask(struct core_pair *p)
{
    struct wf_core_send_params sp = cp_params(p, 0, 2500);

    sp.expect_reply = true;
    return cp_send(p, 0, &sp);
}

/* SPEC 1.3-11 */
TEST(a_new_port_or_address_at_any_step_of_a_handshake_only_delays_it)
{
    for (unsigned at = 1; at <= STEPS; at++) {
        for (int host = 0; host < 2; host++) {
            static struct core_pair p;
            begin(&p);
            plan.at = at;
            plan.other_host = host == 1;
            plan.period = false;
            p.filter = move_after;
            test_note("at %u host %d", at, host);
            struct cp_message *m = ask(&p);
            cp_run(&p, 9 * SECOND);
            CHECK_EQ(m->outcomes, 1);
            CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
            CHECK_EQ(p.side[1].messages, 1);
            CHECK_EQ(p.side[0].sessions, 1);
            end(&p);
        }
    }
}

/* By so much, with all that is under way. */
static void set_clock(struct core_pair *p, int64_t us)
{
    p->now = (weft_time)((int64_t)p->now + us);
    for (struct cp_datagram *d = p->first; d != NULL; d = d->next)
        d->at = (weft_time)((int64_t)d->at + us);
}

static int64_t jump;

static bool jump_after(struct core_pair *p, struct cp_datagram *d)
{
    plan.seen++;
    if (plan.seen == plan.at) {
        set_clock(p, jump);
        d->at = p->now + CP_DELAY_US;
    }
    return true;
}

/* SPEC 4.4-11 */
TEST(a_clock_that_steps_back_at_any_step_changes_nothing)
{
    static const int64_t jumps[] = {-1, -1000, -30 * (int64_t)SECOND, -7200 * (int64_t)SECOND};

    for (size_t j = 0; j < WF_ARRAY_LEN(jumps); j++) {
        for (unsigned at = 1; at <= STEPS; at++) {
            static struct core_pair p;
            begin(&p);
            set_clock(&p, 10000 * (int64_t)SECOND);
            plan.at = at;
            jump = jumps[j];
            p.filter = jump_after;
            test_note("jump %zu at %u", j, at);
            struct cp_message *m = ask(&p);
            cp_run(&p, 2 * SECOND);
            CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
            CHECK_EQ(p.side[1].messages, 1);
            CHECK_EQ(p.side[0].sessions, 1);
            end(&p);
        }
    }
}

/* SPEC 4.4-11 */
TEST(a_clock_that_goes_back_again_and_again_still_goes_on)
{
    static struct core_pair p;

    begin(&p);
    set_clock(&p, 10000 * (int64_t)SECOND);
    for (int k = 0; k < 200; k++) {
        struct cp_message *m = ask(&p);
        cp_run(&p, 20000);
        set_clock(&p, -19000);
        cp_run(&p, 60000);
        CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
    }
    CHECK_EQ(p.side[0].sessions, 1);
    end(&p);
}

/* SPEC 4.4-11 */
TEST(a_machine_that_slept_for_hours_in_the_midst_of_a_message_goes_on_with_it)
{
    static const int64_t jumps[] = {2 * (int64_t)SECOND, 40 * (int64_t)SECOND,
                                    7200 * (int64_t)SECOND};

    for (size_t j = 0; j < WF_ARRAY_LEN(jumps); j++) {
        static struct core_pair p;
        begin(&p);
        CHECK(ask(&p) != NULL);
        cp_run(&p, SECOND);
        struct wf_core_send_params sp = cp_params(&p, 0, 3u << 20);
        struct cp_message *m = cp_send(&p, 0, &sp);
        cp_run(&p, 12000);
        set_clock(&p, jumps[j]);
        cp_run(&p, 5 * SECOND);
        test_note("jump %zu", j);
        CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
        CHECK_EQ(p.side[0].sessions, 1);
        end(&p);
    }
}
