/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message_in.h - one message of the peer: what OPEN said, its bytes in order, what we allow it, and
 * how it ends.
 *
 * Ends     consumed to its end by the application; cancelled by the peer; or stopped by the
 * application, after which its bytes are counted and thrown away until the sender has said how many
 * there were.
 */
#ifndef WF_TRANSPORT_MESSAGE_IN_H
#define WF_TRANSPORT_MESSAGE_IN_H

#include "base/list.h"
#include "transport/message_out.h"
#include "transport/reassembly.h"

struct wf_message_in {
    struct wf_number link; /* in the channel's table; link.number is the message's */
    struct wf_link news;   /* in the list of messages with events */
    struct wf_link chores; /* in the list of messages that have a frame to send */
    struct wf_frame_open open;
    uint8_t service[WF_SERVICE_MAX];
    struct wf_reassembly data;
    uint64_t credit;     /* the limit we announced */
    uint64_t window;     /* how far it may run ahead of what was consumed */
    weft_time raised_at; /* when the limit was last raised */
    bool has_raised;
    uint64_t counted;    /* bytes given back to the credit of the node pair */
    uint64_t code;       /* of STOP, or of the CANCEL that came */
    uint8_t credit_once; /* enum wf_once: CREDIT for this message */
    uint8_t stop_once;   /* enum wf_once: STOP */
    bool is_open;        /* OPEN came */
    bool is_stopped;     /* by the application */
    bool is_cancelled;   /* by the peer */
    bool is_told;        /* READABLE was queued and the application has not looked since */
    uint8_t events;      /* the channel's: which events are due */
};

/* window: bytes the peer may send before anything is consumed. */
void wf_message_in_init(struct wf_message_in *m, uint64_t number, uint64_t window);
void wf_message_in_deinit(struct wf_message_in *m, struct wf_block_pool *pool);

/* Takes in OPEN, once. WEFT_ERR_PROTOCOL: its length contradicts what came. */
WEFT_NODISCARD weft_err wf_message_in_open(struct wf_message_in *m,
                                           const struct wf_frame_open *open);

/* How much further a piece takes the highest offset: what it costs of the node pair's credit. */
uint64_t wf_message_in_cost(const struct wf_message_in *m, uint64_t to);

/* Takes in a checked piece; a stopped message only counts it. WEFT_ERR_NOMEM, WEFT_ERR_LIMIT: as if
 * it was lost. */
WEFT_NODISCARD weft_err wf_message_in_put(struct wf_message_in *m, struct wf_block_pool *pool,
                                          const struct wf_piece *p);

/* Drops the bytes and takes no more of them: after STOP of ours or CANCEL of the peer. */
void wf_message_in_drop(struct wf_message_in *m, struct wf_block_pool *pool);

/* Bytes that can be given back to the node pair's credit and have not been yet; they count as given
 * back now. */
uint64_t wf_message_in_take_back(struct wf_message_in *m);

/* A higher limit is worth a CREDIT frame: at least a quarter of the window (spec 4.3-2). */
bool wf_message_in_wants_credit(const struct wf_message_in *m);
uint64_t wf_message_in_limit(const struct wf_message_in *m);

/* The limit is about to be raised: lets the window grow by wf_flow_grown. */
void wf_message_in_grow(struct wf_message_in *m, weft_time now, uint64_t srtt_us,
                        uint64_t window_max);

/* Something can be read, or the end can be seen. */
bool wf_message_in_has_more(const struct wf_message_in *m);

/* Nothing can come any more: consumed to the end, or stopped or cancelled and all bytes are
 * accounted for. */
bool wf_message_in_is_over(const struct wf_message_in *m);

#endif
