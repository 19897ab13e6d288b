/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.c - the fate of datagrams. It must never use floating point: compilers must agree.
 */
#include "sim/link.h"

#include "base/datagram.h"

#define SECOND_US 1000000u

void sim_link_init(struct sim_link *link, const struct sim_link_config *config, uint64_t seed)
{
    *link = (struct sim_link){.config = *config};
    wf_prng_seed(&link->prng, seed);
}

static bool happens(struct sim_link *link, uint32_t ppm)
{
    return ppm > 0 && wf_prng_chance(&link->prng, ppm, SIM_PPM);
}

static bool is_dark(const struct sim_link_config *c, weft_time now)
{
    if (c->blackout_us == 0 || now < c->blackout_at)
        return false;

    const uint64_t since = now - c->blackout_at;

    return (c->blackout_every_us > 0 ? since % c->blackout_every_us : since) < c->blackout_us;
}

/* One that faults may hit. */
static bool is_fair_game(const struct sim_link *link)
{
    return link->config.fault_count == 0 || link->number <= link->config.fault_count;
}

static bool is_lost(struct sim_link *link)
{
    const struct sim_link_config *c = &link->config;

    if (link->number >= c->drop_from && link->number <= c->drop_to)
        return true;
    if (!is_fair_game(link))
        return false;
    if (c->burst_enter_ppm > 0) {
        const bool turns = happens(link, link->in_burst ? c->burst_leave_ppm : c->burst_enter_ppm);

        link->in_burst ^= turns;
        if (link->in_burst && happens(link, c->burst_loss_ppm))
            return true;
    }
    return happens(link, c->loss_ppm);
}

uint64_t sim_link_waiting(const struct sim_link *link, weft_time now)
{
    if (link->free_at <= now)
        return 0;
    return (link->free_at - now) * link->config.rate / SECOND_US;
}

/* When the datagram has left the queue; false when there is no room in it. */
static bool leave_queue(struct sim_link *link, weft_time now, size_t len, struct sim_passage *out,
                        weft_time *left)
{
    const struct sim_link_config *c = &link->config;

    *left = now;
    if (c->rate == 0)
        return true;

    const uint64_t before = sim_link_waiting(link, now);

    if (before + len > c->queue_max && before > 0)
        return false;
    if (c->ecn_mark > 0 && before >= c->ecn_mark && out->ecn != WF_ECN_NOT_ECT) {
        out->ecn = WF_ECN_CE;
        link->marked++;
    }
    if (link->free_at < now) {
        link->free_at = now;
        link->free_rest = 0;
    }

    /* At 1 Gb/s a microsecond is 125 bytes: what is rounded must not add up. */
    const uint64_t due = len * SECOND_US + link->free_rest;

    link->free_at += due / c->rate;
    link->free_rest = due % c->rate;
    *left = link->free_at + (link->free_rest > 0);
    return true;
}

static void add_copy(struct sim_link *link, weft_time left, struct sim_passage *out)
{
    const struct sim_link_config *c = &link->config;
    const bool fair = is_fair_game(link);
    struct sim_copy *copy = &out->copies[out->count++];

    copy->at = left + c->delay_us;
    if (c->jitter_us > 0) {
        copy->at += wf_prng_between(&link->prng, 0, c->jitter_us);
    }
    if (fair && happens(link, c->reorder_ppm)) {
        copy->at += c->reorder_us;
    } else if (c->keeps_order) {
        if (copy->at < link->arrival_last) {
            copy->at = link->arrival_last;
        }
        link->arrival_last = copy->at;
    }
    copy->corrupt = fair && happens(link, c->corrupt_ppm);
    copy->bit = copy->corrupt ? wf_prng_next(&link->prng) : 0;
    link->corrupted += copy->corrupt;
}

static enum sim_fate decide(struct sim_link *link, weft_time now, size_t len,
                            struct sim_passage *out)
{
    const struct sim_link_config *c = &link->config;
    weft_time left = 0;

    if (c->mtu != 0 && len > c->mtu)
        return c->mtu_silent ? SIM_BLACK_HOLE : SIM_TOO_BIG;
    if (c->cut || is_dark(c, now))
        return SIM_CUT;
    if (is_lost(link))
        return SIM_LOST;
    if (!leave_queue(link, now, len, out, &left))
        return SIM_QUEUE_FULL;
    add_copy(link, left, out);
    if (is_fair_game(link) && happens(link, c->duplicate_ppm)) {
        add_copy(link, left, out);
        link->duplicated++;
    }
    return SIM_PASSED;
}

void sim_link_pass(struct sim_link *link, weft_time now, size_t len, uint8_t ecn,
                   struct sim_passage *out)
{
    *out = (struct sim_passage){.ecn = link->config.ecn_bleach ? WF_ECN_NOT_ECT : ecn};
    link->number++;
    out->fate = decide(link, now, len, out);
    link->fates[out->fate]++;
}
