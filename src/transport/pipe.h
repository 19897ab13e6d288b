/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipe.h - what all sessions between two UDP addresses share: one congestion controller and pacer
 * for each class of traffic (docs/spec/4-transport.md 4.2). Acknowledgement, round trips and loss
 * stay with the sessions, its members: each counts its own bytes in flight, and gives back those
 * and no others.
 *
 * Members that may not send now wait in a row for each class. The one whose turn it is sends one
 * train and goes to the end; who holds more than its share is passed over while others wait. A
 * member whose turn comes while somebody else is at work is listed as woken: its owner has to make
 * it send (wf_pipes_next_woken).
 *
 * Memory   A pipe lives as long as it has members, in the account of its table, or of its one
 * member when that was given no table. Threads  One at a time for a table and all its pipes.
 */
#ifndef WF_TRANSPORT_PIPE_H
#define WF_TRANSPORT_PIPE_H

#include "base/addr.h"
#include "base/list.h"
#include "base/table.h"
#include "transport/cc.h"
#include "transport/pacer.h"
#include "transport/pipe_estimate.h"
#include "transport/sent.h"

#define WF_PIPE_SHARE 16u
#define WF_PIPE_IDLE_US 1000000u /* who was silent for so long finds its window anew */
#define WF_PIPES_KEPT_MAX 1024u  /* estimates of paths that nobody uses */
#define WF_PIPE_TURNS_SEEN 64u   /* members that wait are looked at, at most, for the next turn */

/* A window that was taken from what is known rather than grown: it is given back if anything of the
 * first two round trips is lost. */
struct wf_pipe_resume {
    bool is_on, is_answered;
    uint64_t before;       /* the window without it */
    weft_time at;          /* it began */
    weft_time answered_at; /* the first ACK of what was sent since */
};

/* What one class has of a pipe. */
struct wf_pipe_lane {
    struct wf_cc cc;
    struct wf_rate rate;
    struct wf_pacer pacer;
    uint64_t in_flight; /* bytes, of all members */
    struct wf_list row; /* members that wait, wf_pipe_member.waits */
    /* Members that asked to send in this span of time, and in the one before. */
    uint64_t span;
    weft_time span_at;
    size_t active, active_before;
    const struct wf_pipe_member *told; /* the last that learned that it is its turn */
    struct wf_pipe_resume resume;
    weft_time busy_at; /* something was sent or acknowledged */
    bool is_used;      /* something was sent in it */
};

struct wf_pipes;
struct wf_pipe;

/* One session's part. Zeroed: it belongs to no pipe; then it may send nothing, and what is told to
 * it is forgotten. */
struct wf_pipe_member {
    struct wf_pipe *pipe;
    void *owner;
    uint64_t in_flight[WF_CLASSES];
    uint64_t datagram_len;
    uint64_t span[WF_CLASSES]; /* in which it last asked to send */
    bool wants[WF_CLASSES];    /* it has something to send */
    bool has_sent[WF_CLASSES]; /* in its present turn */
    bool is_held[WF_CLASSES];  /* it asked to send in its present turn, and may not */
    struct wf_link link;       /* in pipe->members */
    struct wf_link waits[WF_CLASSES];
    struct wf_link woken; /* in pipes->woken */
};

#define WF_PIPE_KEY_LEN (2 * WF_ADDR_KEY_LEN)

struct wf_pipe {
    struct wf_pipes *pipes; /* NULL: private */
    struct wf_link link;    /* in pipes->all */
    struct wf_mem *mem;
    uint8_t key[WF_PIPE_KEY_LEN];
    struct wf_pipe_lane lanes[WF_CLASSES];
    struct wf_list members;
    struct wf_pipe_estimate estimate;
    struct wf_rtt rtt; /* of the member whose round trips are shortest; for the pacers */
    const struct wf_pipe_member *rtt_by;
    weft_time rtt_at;
    uint64_t datagram_len; /* the largest of all members */
    uint64_t passed_over;  /* bytes that went before background while that waited */
    /* Whose packets were acknowledged last, and when those of somebody else were. */
    const struct wf_pipe_member *acked_by;
    weft_time acked_at, others_acked_at;
};

struct wf_pipes {
    struct wf_mem *mem;
    struct wf_table table; /* by the two addresses */
    struct wf_list all, woken;
    struct wf_table kept;     /* by the two addresses: estimates of pipes that are gone */
    struct wf_list kept_list; /* the oldest first */
    size_t kept_max;
};

/* pipes_max: as many as there may be members. kept_max: estimates of pipes that are gone, at most
 * WF_PIPES_KEPT_MAX. Nothing is allocated yet. */
void wf_pipes_init(struct wf_pipes *p, struct wf_mem *mem, const struct wf_rng *rng,
                   size_t pipes_max, size_t kept_max);
/* No pipe has members any more. */
void wf_pipes_deinit(struct wf_pipes *p);
/* The owner of a member whose turn it is, and that sleeps for all we know; NULL: none. */
void *wf_pipes_next_woken(struct wf_pipes *p);
bool wf_pipes_has_woken(const struct wf_pipes *p);
/* NULL, or what is broken. For the simulator. */
const char *wf_pipes_check(const struct wf_pipes *p);

/* Between which addresses; in which table. */
struct wf_pipe_place {
    struct wf_pipes *pipes; /* NULL: a pipe of its own */
    struct wf_mem *mem;     /* of that */
    const struct wf_addr *remote, *local;
    uint64_t datagram_len;
    enum wf_cc_kind congestion; /* who controls the main class */
};

/* Joins the pipe that is there, or a new one. WEFT_ERR_NOMEM. */
WEFT_NODISCARD weft_err wf_pipe_join(struct wf_pipe_member *m, weft_time now,
                                     const struct wf_pipe_place *at, void *owner);
/* Gives its bytes back. Harmless when it belongs to none. */
void wf_pipe_leave(struct wf_pipe_member *m);
/* To another pipe, with its bytes in flight. keeps: a new one begins with what was learned in the
 * old one. WEFT_ERR_NOMEM: nothing has changed. */
WEFT_NODISCARD weft_err wf_pipe_move(struct wf_pipe_member *m, weft_time now,
                                     const struct wf_pipe_place *at, bool keeps);

/* Whether the member has something to send in the class. An idle time earns a burst and no more. */
void wf_pipe_want(struct wf_pipe_member *m, enum wf_class class, bool wants);
/* Full datagrams of this size that may go now in a class that is wanted. 0: the member waits for
 * its turn, and *wait_at is when to try again if nothing happens before (SPEC 4.2-2). While anybody
 * has something else to send, background gets one datagram for WF_PIPE_SHARE others. */
uint64_t wf_pipe_budget(struct wf_pipe_member *m, enum wf_class class, weft_time now, size_t size,
                        weft_time *wait_at);
/* The member's attempt to send is over: who was not held back leaves the row, and the next is
 * woken. */
void wf_pipe_end_turn(struct wf_pipe_member *m);

/* A packet that counts goes; the stamp of its record. */
struct wf_rate_stamp wf_pipe_on_sent(struct wf_pipe_member *m, enum wf_class class, weft_time now,
                                     uint64_t bytes);
/* The member's bytes in flight are these now (wf_sent.class_in_flight). */
void wf_pipe_settle(struct wf_pipe_member *m, const uint64_t in_flight[WF_CLASSES]);
/* Packets of the member were acknowledged. */
void wf_pipe_on_acked(struct wf_pipe_member *m, weft_time now);
/* Somebody else belongs to the pipe too. */
bool wf_pipe_is_shared(const struct wf_pipe_member *m);
/* For the last so many µs nothing of anybody else was acknowledged. */
bool wf_pipe_is_silent(const struct wf_pipe_member *m, weft_time now, uint64_t us);
/* Before the controller of the class hears of it: losses or marks of packets, the newest of which
 * was sent then. */
void wf_pipe_on_lost(struct wf_pipe_member *m, enum wf_class class, weft_time newest_at);
/* After the controller of the class heard of it; before: the window until then. */
void wf_pipe_learn(struct wf_pipe_member *m, enum wf_class class, const struct wf_cc_ack *a,
                   uint64_t before);
void wf_pipe_on_rtt(struct wf_pipe_member *m, weft_time now, const struct wf_rtt *rtt);
void wf_pipe_set_datagram(struct wf_pipe_member *m, weft_time now, uint64_t datagram_len);
/* Pacing rates after windows or round trips changed. */
void wf_pipe_update(struct wf_pipe_member *m, weft_time now);

/* NULL when the member belongs to no pipe. */
struct wf_pipe_lane *wf_pipe_lane(const struct wf_pipe_member *m, enum wf_class class);
/* Bytes that may be in flight; 0 when the member belongs to no pipe. */
uint64_t wf_pipe_window(const struct wf_pipe_member *m, enum wf_class class);

/* Between the functions of pipe*.c. */
void wf_pipe_wake(struct wf_pipe *p, enum wf_class class);
/* The lane is used after a time of silence, or for the first time. */
void wf_pipe_resume(struct wf_pipe *p, enum wf_class class, weft_time now);
/* For the pacer. */
uint64_t wf_pipe_rate(const struct wf_pipe *p, enum wf_class class);
/* What is remembered of a pipe that goes, given to one that comes. */
void wf_pipe_keep(struct wf_pipe *p);
void wf_pipe_recall(struct wf_pipe *p);
void wf_pipes_forget(struct wf_pipes *p);

#endif
