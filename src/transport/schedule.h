/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schedule.h - whose turn it is: deficit round robin over the outgoing messages of one class, and
 * classes in the order urgent, normal, background, where a lower class that waits gets one turn in
 * sixteen. Knows of a message only its size of work; what is sent is decided elsewhere.
 *
 * A message is in at most one of these:
 *   ready    its class's ring: it can send now
 *   parked   it has only fresh bytes and the node pair's credit is used up
 *   waiting  its number is above what the peer lets us open; in the order of numbers
 */
#ifndef WF_TRANSPORT_SCHEDULE_H
#define WF_TRANSPORT_SCHEDULE_H

#include "transport/message_out.h"

#define WF_SCHEDULE_CLASSES 3u
#define WF_SCHEDULE_SHARE 16u

enum wf_schedule_queue { WF_QUEUE_NONE, WF_QUEUE_READY, WF_QUEUE_PARKED, WF_QUEUE_WAITING };

struct wf_turns {
    struct wf_list ready[WF_SCHEDULE_CLASSES]; /* by class, the most urgent first */
    struct wf_list parked, waiting;
    uint64_t
        passed_over[WF_SCHEDULE_CLASSES]; /* bytes sent by higher classes while this one waited */
};

void wf_schedule_init(struct wf_turns *s);

/* Puts the message into a queue, taking it out of the one it was in; staying keeps its place. */
void wf_schedule_move(struct wf_turns *s, struct wf_message_out *m, enum wf_schedule_queue queue);

/* The message whose turn it is, NULL: none. quantum: bytes of one turn. */
struct wf_message_out *wf_schedule_next(struct wf_turns *s, size_t quantum);
/* The same among those that are background, or among those that are not. */
struct wf_message_out *wf_schedule_next_of(struct wf_turns *s, size_t quantum, bool background);

/* The message sent bytes in its turn. */
void wf_schedule_charge(struct wf_turns *s, struct wf_message_out *m, size_t bytes, size_t quantum);

/* Moves every parked message back to its ring (credit came), and every waiting one whose number is
 * at most limit. */
void wf_schedule_unpark(struct wf_turns *s);
void wf_schedule_admit(struct wf_turns *s, uint64_t limit);

bool wf_schedule_has_ready(const struct wf_turns *s);
/* Of those that are background, or of those that are not. */
bool wf_schedule_has_ready_of(const struct wf_turns *s, bool background);
/* One that is urgent can send. */
bool wf_schedule_has_urgent(const struct wf_turns *s);

#endif
