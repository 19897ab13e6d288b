/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_fates_test.c - somebody in between decides what becomes of each of the first datagrams of a
 * handshake: it arrives, is lost, comes twice, comes after the next one, or an altered copy comes
 * before it. Every combination is tried. All of them end in one session, and what was sent arrives
 * once: nothing that was done on the way has come into it.
 */
#include "test.h"

#include "core_pair.h"

#define FIRST 4u      /* datagrams whose fate is decided: the handshake's own */
#define FIRST_LONG 6u /* the same in long checks */

enum fate { ARRIVES, IS_LOST, COMES_TWICE, COMES_LATE, ALTERED_FIRST, FATES };

static struct {
    unsigned plan;
    unsigned first, seen;
    struct cp_datagram *late;
} net;

static void put(struct core_pair *p, struct cp_datagram *d)
{
    d->next = NULL;
    d->at = p->now + CP_DELAY_US;
    if (p->last == NULL)
        p->first = d;
    else
        p->last->next = d;
    p->last = d;
    p->flying++;
}

static void put_altered(struct core_pair *p, const struct cp_datagram *d)
{
    struct cp_datagram *c = cp_copy(d);

    c->data[c->len / 2 + net.plan % 7] ^= (uint8_t)(1u << net.seen % 8);
    put(p, c);
}

/* True: the datagram itself arrives, after whatever was put before it. */
static bool meet_fate(struct core_pair *p, struct cp_datagram *d, enum fate fate)
{
    switch (fate) {
    case COMES_TWICE:
        put(p, cp_copy(d));
        return true;
    case COMES_LATE:
        CP_MUST(net.late == NULL);
        net.late = cp_copy(d);
        return false;
    case ALTERED_FIRST:
        put_altered(p, d);
        return true;
    default:
        return fate == ARRIVES;
    }
}

static bool decide(struct core_pair *p, struct cp_datagram *d)
{
    struct cp_datagram *late = net.late;
    unsigned plan = net.plan;

    net.late = NULL;
    for (unsigned i = 0; i < net.seen; i++)
        plan /= FATES;
    bool arrives = net.seen >= net.first || meet_fate(p, d, (enum fate)(plan % FATES));
    net.seen++;
    if (late == NULL)
        return arrives;
    if (arrives)
        put(p, cp_copy(d)); /* it stands before the late one then */
    put(p, late);
    return false;
}

static void run_plan(struct core_pair *p, unsigned plan)
{
    struct wf_core_stats stats;
    struct wf_core_send_params sp;
    struct cp_message *m;

    net.plan = plan;
    net.seen = 0;
    cp_init(p, test_mem(), test_mem());
    p->side[0].config.handshake_timeout_us = 30000000;
    p->side[1].config.cookies_max = 64;
    p->side[1].config.solves_max = 8;
    CP_MUST(cp_boot(p, 0) == WEFT_OK);
    CP_MUST(cp_boot(p, 1) == WEFT_OK);
    p->filter = decide;
    p->side[1].replies = true;
    p->side[1].reply_len = 10;
    sp = cp_params(p, 0, 100);
    m = cp_send(p, 0, &sp);
    CHECK(m != NULL);
    for (unsigned i = 0; i < 250 && m->outcomes == 0; i++)
        cp_run(p, 100000);
    cp_run(p, 100000); /* what is late or repeated comes now */
    CHECK_EQ(m->outcomes, 1);
    CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
    CHECK_EQ(m->reply_got, 10);
    CHECK_EQ(p->side[1].messages, 1);
    CHECK_EQ(p->side[0].sessions, 1);
    CHECK_EQ(p->side[1].sessions, 1);
    wf_core_stats(p->side[1].core, &stats);
    CHECK_EQ(stats.adm.accepted, 1);
    free(net.late);
    net.late = NULL;
    cp_close(p);
}

TEST(whatever_becomes_of_the_first_datagrams_one_session_carries_each_message_once)
{
    static struct core_pair p;
    unsigned plans = 1;

    net.first = getenv("WEFT_LONG") != NULL ? FIRST_LONG : FIRST;
    for (unsigned i = 0; i < net.first; i++)
        plans *= FATES;
    for (unsigned plan = 0; plan < plans; plan++) {
        test_note("plan %u", plan);
        run_plan(&p, plan);
    }
}
