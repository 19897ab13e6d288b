/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.h - the emulator at work: both directions, the loop that drives them, and what the two modes
 * fill in.
 */
#ifndef NETEM_RUN_H
#define NETEM_RUN_H

#include "net/loop.h"
#include "net/signals.h"
#include "netem/options.h"
#include "netem/way.h"

/* What the model does not see, by direction. */
struct netem_extra {
    uint64_t ignored;        /* the link's own talk, and what is no IP packet: not carried */
    uint64_t too_big_told;   /* ICMP messages sent back */
    uint64_t unsent;         /* due, and refused by the kernel or by a full buffer */
    uint64_t stale;          /* came to, or were on the way to, an address that was given up */
    uint64_t kernel_dropped; /* lost before the emulator could read them */
};

struct netem {
    struct netem_options options;
    struct wf_mem mem;
    struct wf_loop *loop;
    weft_time start, now; /* now: since the start, as last looked at */
    struct netem_way ways[NETEM_DIRECTIONS];
    struct netem_extra extra[NETEM_DIRECTIONS];
    uint64_t rebinds, clients, clients_forgotten;
    struct wf_timer due, report, end;
    struct wf_signals signals;

    /* The mode's: sends a packet on its way, which it may change; it is freed afterwards. */
    void (*deliver)(struct netem *n, enum netem_direction d, struct netem_packet *p);
    /* Called before a report; may be NULL. */
    void (*count)(struct netem *n);
    void *mode;
};

/* Fills in all but the mode's part. False: standard error says why. */
bool netem_open(struct netem *n);
void netem_close(struct netem *n);

/* Reads the clock. */
weft_time netem_look(struct netem *n);

/* Hands out whatever is due, and sets the timer for the rest. After packets were put in. */
void netem_flush(struct netem *n);

/* Has the timer called at that time of wf_clock_now. */
void netem_set_timer(struct netem *n, struct wf_timer *timer, weft_time at);

/* Works until a signal or --for. False: standard error says why. */
bool netem_run(struct netem *n);

/* "ready ADDRESS" on standard output, or the same as JSON where that is asked for there. */
void netem_say_ready(const struct netem *n, const char *at);

/* One sentence on standard error, as by printf; always false. */
bool netem_refuse(const char *format, ...) WEFT_PRINTF(1, 2);

/* The modes: each opens what it needs, runs and closes. False as above. */
bool netem_tun(struct netem *n);
bool netem_udp(struct netem *n);

#endif
