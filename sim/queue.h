/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue.h - virtual time: the events to come, ordered by (time, sequence). Time moves only when an
 * event is taken out and never steps back; two events of one time come out in the order in which
 * they went in.
 */
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include "base/compiler.h"

enum sim_kind {
    SIM_ARRIVE, /* ptr: a packet reaches a host */
    SIM_WAKE,   /* a host looks at its socket */
    SIM_TIMER,  /* a host's core asked for it */
    SIM_OP,     /* arg: the application begins something */
    SIM_READ,   /* arg: the application reads on */
    SIM_WRITE,  /* arg: the application writes on */
    SIM_CANCEL, /* arg: the application gives up */
    SIM_FAULT,  /* arg: something happens to the world */
    SIM_ATTACK, /* the attacker's turn */
    SIM_END,    /* has a host come to rest after its end? */
    SIM_PHASE,  /* the scenario looks how far things are */
    SIM_KINDS,
};

struct sim_event {
    weft_time at;
    uint64_t seq; /* written by the queue */
    enum sim_kind kind;
    uint32_t host;
    uint64_t arg;
    void *ptr;
};

struct sim_queue {
    weft_time now;
    uint64_t next_seq;
    struct sim_event *heap;
    size_t count, room;
};

void sim_queue_init(struct sim_queue *q, weft_time now);

/* Whatever the events point to belongs to the caller: take them out first. */
void sim_queue_deinit(struct sim_queue *q);

/* An event in the past happens now. */
void sim_queue_push(struct sim_queue *q, struct sim_event ev);

/* Takes out the next event and moves time there; false when none is left. */
bool sim_queue_pop(struct sim_queue *q, struct sim_event *out);

/* A few letters, for the log. */
const char *sim_kind_name(enum sim_kind kind);

#endif
