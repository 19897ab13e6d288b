/* SPDX-License-Identifier: Apache-2.0 */
/*
 * way.c - packets on their way. It must never change one: that is for whoever knows its format.
 */
#include "netem/way.h"

#include <stdlib.h>
#include <string.h>

#include "base/datagram.h"

void netem_way_init(struct netem_way *way, const struct netem_plan *plan,
                    enum netem_direction direction, uint64_t seed, size_t held_cap)
{
    *way = (struct netem_way){.plan = plan, .direction = direction, .held_cap = held_cap};
    way->counts.delay_min = UINT64_MAX;
    /* The directions of one seed have generators of their own. */
    sim_link_init(&way->link, &plan->stages[0].legs[direction].link, seed * 2 + direction);
    sim_queue_init(&way->queue, 0);
}

void netem_way_deinit(struct netem_way *way)
{
    for (size_t i = 0; i < way->queue.count; i++) {
        free(way->queue.heap[i].ptr);
    }
    sim_queue_deinit(&way->queue);
}

static uint64_t max_of(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static struct netem_packet *packet_new(const struct netem_meta *meta, weft_span in)
{
    struct netem_packet *p = malloc(sizeof *p + in.len);

    if (p == NULL)
        return NULL;
    *p = (struct netem_packet){.flow = meta->flow, .overhead = meta->overhead, .len = in.len};
    if (in.len > 0) {
        memcpy(p->data, in.data, in.len);
    }
    return p;
}

/* One copy of a packet, to come out at its time. */
static void hold(struct netem_way *way, weft_time now, struct netem_packet *p,
                 const struct sim_copy *copy)
{
    p->arrived = now;
    p->corrupt = copy->corrupt;
    p->bit = copy->bit;
    p->due = copy->at;
    way->held += NETEM_PACKET_COST + p->len;
    way->counts.held_max = max_of(way->counts.held_max, way->held);
    sim_queue_push(&way->queue, (struct sim_event){.at = copy->at, .kind = SIM_ARRIVE, .ptr = p});
}

static void follow_plan(struct netem_way *way, weft_time now)
{
    const size_t stage = netem_plan_stage(way->plan, way->stage, now);

    if (stage != way->stage) {
        way->stage = stage;
        way->link.config = way->plan->stages[stage].legs[way->direction].link;
    }
}

enum sim_fate netem_way_put(struct netem_way *way, weft_time now, const struct netem_meta *meta,
                            weft_span packet)
{
    struct sim_passage passage;
    const size_t cost = NETEM_PACKET_COST + packet.len;

    follow_plan(way, now);
    way->counts.packets_in++;
    way->counts.bytes_in += packet.len + meta->overhead;
    if (meta->number > 0) {
        way->link.number = meta->number - 1;
    }
    sim_link_pass(&way->link, now, packet.len + meta->overhead, meta->ecn, &passage);
    if (way->link.config.rate > 0) {
        way->counts.queue_max = max_of(way->counts.queue_max, sim_link_waiting(&way->link, now));
    }
    for (size_t i = 0; i < passage.count; i++) {
        struct netem_packet *p = NULL;

        if (way->held + cost <= way->held_cap) {
            p = packet_new(meta, packet);
        }
        if (p == NULL) {
            way->counts.no_room++;
            continue;
        }
        p->ecn = passage.ecn;
        p->marked = passage.ecn != meta->ecn;
        hold(way, now, p, &passage.copies[i]);
    }
    return passage.fate;
}

static void count_out(struct netem_counts *c, const struct netem_packet *p, weft_time now)
{
    const uint64_t delay = now - p->arrived;
    const uint64_t late = now > p->due ? now - p->due : 0;

    c->packets_out++;
    c->bytes_out += p->len + p->overhead;
    c->delay_sum += delay;
    c->delay_min = delay < c->delay_min ? delay : c->delay_min;
    c->delay_max = max_of(c->delay_max, delay);
    c->late_sum += late;
    c->late_max = max_of(c->late_max, late);
}

struct netem_packet *netem_way_take(struct netem_way *way, weft_time now)
{
    struct sim_event ev;

    if (netem_way_deadline(way) > now || !sim_queue_pop(&way->queue, &ev))
        return NULL;

    struct netem_packet *p = ev.ptr;

    way->held -= NETEM_PACKET_COST + p->len;
    count_out(&way->counts, p, now);
    return p;
}

weft_time netem_way_deadline(const struct netem_way *way)
{
    return way->queue.count == 0 ? WEFT_TIME_NEVER : way->queue.heap[0].at;
}
