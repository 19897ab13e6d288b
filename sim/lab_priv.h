/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_priv.h - what the files of the laboratory share.
 *
 *   lab.c  the run: time, links, events      lab_host.c  hosts with their cores
 *   lab_app.c  what flows send and read      lab_tcp.c   the competitor
 *   lab_figures.c  what was measured         lab_print.c, lab_plot.c  for people
 */
#ifndef SIM_LAB_PRIV_H
#define SIM_LAB_PRIV_H

#include "crypto/crypto.h"
#include "endpoint/core.h"
#include "sim/lab.h"
#include "sim/memory.h"
#include "sim/queue.h"

#define LAB_START_AT 1000000u
#define LAB_ADDRESSES_MAX 64u
/* What a socket holds for a host that does not look. */
#define LAB_SOCKET_BUFFER 212992u

enum lab_turn {
    LAB_TURN_HOP,   /* ptr: a packet comes to its next link, or to its end */
    LAB_TURN_TIMER, /* arg: a host's core asked for it */
    LAB_TURN_WAKE,  /* arg: a host looks at its socket */
    LAB_TURN_BOOT,  /* arg: a host begins */
    LAB_TURN_BEGIN, /* arg: a flow begins */
    LAB_TURN_NEXT,  /* arg: a flow sends its next request, or writes on */
    LAB_TURN_STOP,  /* arg: a flow writes nothing more */
    LAB_TURN_EVENT, /* ptr: an event, owned by the turn */
    LAB_TURN_TCP,   /* arg: a timer of the model's sender; LAB_TCP_RECEIVER is added for that of
                       its receiver */
};

/* What the model's segments carry. Numbers count segments. */
#define LAB_TCP_SACKS 3u
struct lab_segment {
    bool is_ack;
    uint64_t number;  /* of the segment; of an ACK: the next one expected */
    uint64_t sent_at; /* echoed by the ACK; 0: none */
    struct lab_sack {
        uint64_t first, end;
    } sacks[LAB_TCP_SACKS];
};

struct lab_packet {
    struct lab_packet *next;
    struct wf_addr from, to; /* as seen on the way */
    uint32_t pair;           /* whose access it takes */
    bool is_down, is_tcp;
    uint8_t ecn;
    unsigned hop;
    size_t size; /* on the wire */
    struct lab_segment segment;
    size_t len;
    uint8_t data[];
};

/* What a server and an address have exchanged. */
struct lab_address {
    struct wf_addr remote;
    uint64_t in, out;
    bool proved, answered;
};

struct lab_host {
    uint32_t index; /* 2 * pair, and 1 more for the server */
    struct wf_mem mem;
    struct wf_rng_seeded rng;
    uint8_t seed[32];
    struct wf_core *core; /* NULL: not yet */
    struct wf_addr inside, outside;
    weft_time clock_us; /* ahead of the run's */
    bool still, still_clock;
    weft_time still_since;
    weft_time timer_at;
    bool wake_armed;
    struct lab_packet *rx_first, *rx_last;
    size_t rx_bytes;
    uint64_t datagrams_out;
};

/* Two hosts and the links between them and the bottleneck. */
struct lab_pair {
    struct lab_host hosts[2]; /* client, server */
    struct sim_link access[2];
    const struct lab_flow *plan;
    uint32_t flow; /* that owns it */
    unsigned moves;
    struct lab_address addresses[LAB_ADDRESSES_MAX];
    size_t address_count;
};

/* One direction of a message: from client to server, or the reply. */
struct lab_half {
    uint64_t out_id, in_id;
    uint64_t written, read;
    bool open, ended, complete;
};

struct lab_message {
    struct lab_running *flow;
    uint32_t index;
    weft_time began;
    struct lab_half halves[2];
    bool over;
};

struct lab_samples {
    uint32_t *values;
    size_t count, room;
};

struct lab_tcp;

struct lab_running {
    const struct lab_flow *plan;
    uint32_t index;
    struct lab_pair *pair;
    struct lab_message **messages;
    size_t message_count, message_room;
    size_t first_open; /* all before it are over */
    size_t open_count;
    bool began, stopped, over;
    struct lab_samples latency;
    struct lab_tcp *tcp;
    struct lab_flow_figures *figures;
};

struct lab_world {
    struct lab_scenario plan;
    struct lab_figures *out;
    struct sim_log log;
    struct sim_queue queue;
    struct sim_link bottleneck[2]; /* up, down */
    struct lab_samples queue_us[2];
    uint64_t passed_bytes[2];
    struct lab_pair *pairs;
    size_t pair_count;
    struct lab_running flows[LAB_FLOWS_MAX];
    uint8_t *buf; /* for wf_core_send */
    weft_time end_at;
    uint64_t turns;
};

/* --- lab.c --- */
void lab_push(struct lab_world *w, weft_time at, enum lab_turn turn, uint64_t arg);
/* The packet is the network's from now on. False: too big for a link that says so. */
bool lab_carry(struct lab_world *w, struct lab_packet *p);
struct lab_packet *lab_packet_new(const void *data, size_t len);

/* --- lab_host.c --- */
void lab_host_init(struct lab_world *w, struct lab_pair *pair, bool server);
void lab_host_deinit(struct lab_host *h);
void lab_host_boot(struct lab_world *w, struct lab_host *h);
weft_time lab_host_now(const struct lab_world *w, const struct lab_host *h);
bool lab_host_runs(const struct lab_host *h);
void lab_host_arrive(struct lab_world *w, struct lab_host *h, struct lab_packet *p);
void lab_host_wake(struct lab_world *w, struct lab_host *h);
void lab_host_timer(struct lab_world *w, struct lab_host *h, weft_time at);
void lab_host_pump(struct lab_world *w, struct lab_host *h);
void lab_host_suspend(struct lab_world *w, struct lab_host *h, bool clock_too);
void lab_host_resume(struct lab_world *w, struct lab_host *h);
struct wf_addr lab_address_of(uint32_t pair, bool server, unsigned moves);

/* --- lab_app.c --- */
void lab_app_begin(struct lab_world *w, struct lab_running *f);
void lab_app_next(struct lab_world *w, struct lab_running *f);
void lab_app_stop(struct lab_world *w, struct lab_running *f);
void lab_app_event(struct lab_world *w, struct lab_host *h, const struct wf_core_event *ev);

/* --- lab_tcp.c --- */
#define LAB_TCP_RECEIVER LAB_FLOWS_MAX
void lab_tcp_begin(struct lab_world *w, struct lab_running *f);
void lab_tcp_stop(struct lab_world *w, struct lab_running *f);
void lab_tcp_arrive(struct lab_world *w, struct lab_running *f, const struct lab_packet *p);
void lab_tcp_timer(struct lab_world *w, struct lab_running *f, bool receiver, weft_time at);
void lab_tcp_free(struct lab_running *f);

/* --- lab_figures.c --- */
void lab_sample(struct lab_samples *s, uint64_t value);
/* Bytes came to the flow's application. */
void lab_received(struct lab_world *w, struct lab_running *f, uint64_t len);
void lab_ended(struct lab_world *w, struct lab_running *f);
/* What a server says to addresses that have proved nothing. */
void lab_count_out(struct lab_world *w, struct lab_pair *pair, const struct lab_packet *p);
void lab_count_in(struct lab_pair *pair, const struct lab_packet *p);
void lab_figures_init(struct lab_world *w);
void lab_figures_finish(struct lab_world *w);

#endif
