/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message_out.h - one message on its way to the peer: its bytes until they are acknowledged, what
 * has to go again, what the peer allows, and its end. Knows no packets and no other message; the
 * schedule decides whose turn it is.
 *
 * States   written and sent at will -> all acknowledged (delivered), or
 *          given up by us (cancelled) or by the peer (stopped): its bytes go at once and CANCEL is
 * sent until acknowledged.
 */
#ifndef WF_TRANSPORT_MESSAGE_OUT_H
#define WF_TRANSPORT_MESSAGE_OUT_H

#include "base/list.h"
#include "transport/blocks.h"
#include "transport/growset.h"
#include "transport/numbers.h"
#include "wire/frame.h"

/* Ranges kept of what was acknowledged out of order, and of what is lost; as many as a receiver
 * takes (reassembly.h). */
#define WF_OUT_RANGES_MAX 1024u

/* Where a frame that must arrive once stands. */
enum wf_once { WF_ONCE_IDLE, WF_ONCE_WANTED, WF_ONCE_FLYING, WF_ONCE_ACKED };

struct wf_message_out {
    struct wf_number link; /* in the channel's table; link.number is the message's */
    struct wf_link turn;   /* in the schedule */
    struct wf_link news;   /* in the list of messages with events */
    struct wf_frame_open open;
    uint8_t service[WF_SERVICE_MAX];
    struct wf_blocks data;
    struct wf_growset acks;                   /* acknowledged above `acked` */
    struct wf_growset lost;                   /* to be sent again */
    uint64_t written, sent, acked;            /* offsets: acked <= sent <= written */
    uint64_t credit;                          /* the peer's limit */
    uint64_t code;                            /* of CANCEL, and of the STOPPED event */
    int64_t deficit;                          /* the schedule's */
    uint8_t open_once, end_once, cancel_once; /* enum wf_once */
    uint8_t queue;                            /* the schedule's: in which queue it is */
    bool was_sent;                            /* the peer may have heard of it */
    bool ended;                               /* written is the end */
    bool is_cancelled;                        /* by us or after STOP */
    bool is_pushed_back;                      /* has bytes to send and no credit for them */
    bool wants_room;                          /* a write was cut short: WRITABLE is due */
    uint8_t events;                           /* the channel's: which events are due */
};

void wf_message_out_init(struct wf_message_out *m, uint64_t number,
                         const struct wf_frame_open *open);
void wf_message_out_deinit(struct wf_message_out *m, struct wf_block_pool *pool);

/* Copies data behind what was written; the caller has looked at length, end and room.
 * WEFT_ERR_NOMEM: nothing was. */
WEFT_NODISCARD weft_err wf_message_out_write(struct wf_message_out *m, struct wf_block_pool *pool,
                                             weft_span data);

/* Nothing more will be written. */
void wf_message_out_end(struct wf_message_out *m);

/* Gives the message up: only CANCEL is left to send. */
void wf_message_out_cancel(struct wf_message_out *m, struct wf_block_pool *pool, uint64_t code);

/* A piece to send next. */
struct wf_out_piece {
    uint64_t offset;
    size_t len;
    bool end;
    bool is_fresh; /* counts against the credit of the node pair */
};

/* Is there something that needs no new credit of the node pair (OPEN, CANCEL, lost bytes, a bare
 * end)? New bytes? */
bool wf_message_out_has_due(struct wf_message_out *m);
bool wf_message_out_has_fresh(const struct wf_message_out *m);

/* The next piece of at most len_max bytes, of which fresh ones at most node_left; false when there
 * is none. Lost bytes come first, lowest first. */
bool wf_message_out_piece(struct wf_message_out *m, size_t len_max, uint64_t node_left,
                          struct wf_out_piece *out);
void wf_message_out_sent(struct wf_message_out *m, const struct wf_out_piece *p);

/* The fate of a piece that was sent. */
void wf_message_out_acked(struct wf_message_out *m, struct wf_block_pool *pool,
                          const struct wf_out_piece *p);
void wf_message_out_lost(struct wf_message_out *m, struct wf_block_pool *pool,
                         const struct wf_out_piece *p);

/* Everything is acknowledged: bytes, OPEN and end; or CANCEL is. */
bool wf_message_out_is_done(const struct wf_message_out *m);

#endif
