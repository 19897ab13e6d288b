/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_test.c - datagrams reach the host that has the address when they arrive, with the addresses a
 * NAT gives them.
 */
#include "sim/net.h"
#include "test.h"

struct fixture {
    struct sim_queue queue;
    struct sim_log log;
    struct sim_net net;
};

static struct wf_addr addr(uint8_t last, uint16_t port)
{
    return wf_addr_v4(20, 0, 0, last, port);
}

/* Host 0 stands in the open, host 1 behind a NAT. */
static void set_up(struct fixture *f)
{
    const struct sim_link_config plain = {.delay_us = 100};

    sim_log_init(&f->log, 1, NULL);
    sim_queue_init(&f->queue, 0);
    sim_net_init(&f->net, &f->queue, &f->log);
    for (unsigned i = 0; i < SIM_PORTS; i++) {
        for (unsigned j = 0; j < SIM_PORTS; j++) {
            sim_link_init(&f->net.links[i][j], &plain, 100 * i + j);
        }
    }
    f->net.ports[0] = (struct sim_port){.inside = addr(1, 1), .outside = addr(1, 1)};
    f->net.ports[1] =
        (struct sim_port){.inside = wf_addr_v4(10, 0, 0, 9, 9), .outside = addr(2, 2)};
}

static struct sim_packet *packet_to(const struct wf_addr *to)
{
    struct sim_packet *p = sim_packet_new("hello", 5);

    p->to = *to;
    return p;
}

/* The packet of the next event, or NULL; *host is whom it is for. */
static struct sim_packet *next(struct fixture *f, uint32_t *host)
{
    struct sim_event ev;

    if (!sim_queue_pop(&f->queue, &ev))
        return NULL;
    CHECK_EQ(ev.kind, SIM_ARRIVE);
    *host = ev.host;
    return (struct sim_packet *)ev.ptr;
}

TEST(a_datagram_arrives_whole_after_the_delay_with_outside_addresses)
{
    struct fixture f;
    struct sim_packet *p = NULL;
    const struct wf_addr to = addr(1, 1);
    const struct wf_addr from = addr(2, 2);
    uint32_t host = 99;

    set_up(&f);
    p = packet_to(&to);
    p->ecn = WF_ECN_ECT0;
    sim_net_leave(&f.net, 1, p);
    CHECK_EQ(sim_net_carry(&f.net, p), SIM_PASSED);
    p = next(&f, &host);
    CHECK(p != NULL);
    CHECK_EQ(host, 0);
    CHECK_EQ(f.queue.now, 100);
    CHECK(sim_net_enter(&f.net, 0, p));
    CHECK(wf_addr_equal(&p->from, &from));
    CHECK(wf_addr_equal(&p->to, &to));
    CHECK_EQ(p->ecn, WF_ECN_ECT0);
    CHECK_EQ(p->len, 5);
    CHECK_MEM_EQ(p->data, "hello", 5);
    free(p);
    sim_queue_deinit(&f.queue);
}

TEST(a_nat_shows_its_host_the_inside_address)
{
    struct fixture f;
    struct sim_packet *p = NULL;
    const struct wf_addr outside = addr(2, 2);
    uint32_t host = 0;

    set_up(&f);
    p = packet_to(&outside);
    sim_net_leave(&f.net, 0, p);
    CHECK_EQ(sim_net_carry(&f.net, p), SIM_PASSED);
    p = next(&f, &host);
    CHECK_EQ(host, 1);
    CHECK(sim_net_enter(&f.net, 1, p));
    CHECK(wf_addr_equal(&p->to, &f.net.ports[1].inside));
    free(p);
    sim_queue_deinit(&f.queue);
}

TEST(a_datagram_to_nobody_is_lost_silently)
{
    struct fixture f;
    const struct wf_addr nowhere = addr(1, 2);
    struct sim_packet *p = NULL;

    set_up(&f);
    p = packet_to(&nowhere);
    sim_net_leave(&f.net, 0, p);
    CHECK_EQ(sim_net_carry(&f.net, p), SIM_LOST);
    CHECK_EQ(f.queue.count, 0);
    CHECK_EQ(f.net.to_nobody, 1);
    sim_queue_deinit(&f.queue);
}

TEST(what_is_under_way_to_an_old_port_does_not_get_in)
{
    struct fixture f;
    const struct wf_addr old = addr(2, 2);
    const struct wf_addr moved = addr(2, 3);
    struct sim_packet *p = NULL;
    uint32_t host = 0;

    set_up(&f);
    p = packet_to(&old);
    sim_net_leave(&f.net, 0, p);
    CHECK_EQ(sim_net_carry(&f.net, p), SIM_PASSED);
    sim_net_rebind(&f.net, 1, &moved);
    p = next(&f, &host);
    CHECK(!sim_net_enter(&f.net, 1, p));
    CHECK_EQ(sim_net_find(&f.net, &old), SIM_NOBODY);
    CHECK_EQ(sim_net_find(&f.net, &moved), 1);
    sim_queue_deinit(&f.queue);
}

TEST(a_filtering_nat_lets_in_only_whom_its_host_has_written_to)
{
    struct fixture f;
    const struct wf_addr server = addr(1, 1);
    const struct wf_addr outside = addr(2, 2);
    struct sim_packet *p = NULL;

    set_up(&f);
    f.net.ports[1].filters = true;
    p = packet_to(&outside);
    p->from = server;
    CHECK(!sim_net_enter(&f.net, 1, p));
    CHECK_EQ(f.net.filtered, 1);
    p = packet_to(&server);
    sim_net_leave(&f.net, 1, p);
    free(p);
    p = packet_to(&outside);
    p->from = server;
    CHECK(sim_net_enter(&f.net, 1, p));
    free(p);
    sim_net_rebind(&f.net, 1, &outside); /* the NAT forgets */
    p = packet_to(&outside);
    p->from = server;
    CHECK(!sim_net_enter(&f.net, 1, p));
    sim_queue_deinit(&f.queue);
}

TEST(a_corrupt_copy_differs_in_one_bit_and_a_duplicate_is_a_copy)
{
    struct fixture f;
    const struct wf_addr to = addr(1, 1);
    struct sim_packet *p = NULL;
    uint32_t host = 0;
    unsigned flipped = 0;

    set_up(&f);
    f.net.links[1][0].config.corrupt_ppm = SIM_PPM;
    f.net.links[1][0].config.duplicate_ppm = SIM_PPM;
    p = packet_to(&to);
    sim_net_leave(&f.net, 1, p);
    CHECK_EQ(sim_net_carry(&f.net, p), SIM_PASSED);
    CHECK_EQ(f.queue.count, 2);
    for (p = next(&f, &host); p != NULL; p = next(&f, &host)) {
        unsigned bits = 0;

        for (size_t i = 0; i < 5; i++) {
            bits += (unsigned)__builtin_popcount((unsigned)(p->data[i] ^ "hello"[i]));
        }
        CHECK_EQ(bits, 1);
        CHECK(p->flipped);
        flipped++;
        free(p);
    }
    CHECK_EQ(flipped, 2);
    sim_queue_deinit(&f.queue);
}

TEST(the_attacker_writes_any_source_address)
{
    struct fixture f;
    const struct wf_addr to = addr(1, 1);
    const struct wf_addr spoofed = addr(2, 2);
    struct sim_packet *p = NULL;
    uint32_t host = 9;

    set_up(&f);
    p = packet_to(&to);
    p->from = spoofed;
    p->origin = SIM_ATTACKER;
    CHECK_EQ(sim_net_carry(&f.net, p), SIM_PASSED);
    p = next(&f, &host);
    CHECK_EQ(host, 0);
    CHECK(wf_addr_equal(&p->from, &spoofed));
    free(p);
    sim_queue_deinit(&f.queue);
}
