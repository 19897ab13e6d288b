/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sent.h - the record of packets that were sent and of the frames in them, until they are
 * acknowledged or given up.
 *
 * The fate of a frame is data: an ACK or a loss yields a list of frame records, and the owner walks
 * it with one table by frame type. Nothing here calls back.
 *
 * Packets lie in a ring by number that grows up to a cap; which of them are outstanding is a tree
 * of bitmaps, so that an ACK costs its own runs and the packets that it newly acknowledges,
 * whatever is in flight. Skipped numbers and lost packets are remembered until numbers that are
 * WF_SENT_KEPT higher are acknowledged: an ACK of the former breaks the protocol, one of the latter
 * shows that the loss was none.
 *
 * On an ACK, in this order:
 *   wf_sent_on_ack, wf_rtt_sample, wf_ecn_on_ack,
 *   wf_loss_on_acked, wf_loss_detect,
 *   wf_cc_on_spurious, wf_cc_on_lost, wf_cc_on_ack,
 *   wf_pto_on_ack, wf_mtu_on_acked, wf_mtu_on_lost,
 *   walk both frame lists, wf_sent_frames_free of both.
 */
#ifndef WF_TRANSPORT_SENT_H
#define WF_TRANSPORT_SENT_H

#include "base/mem.h"
#include "base/rng.h"
#include "transport/bits.h"
#include "transport/rate.h"
#include "wire/frame.h"

#define WF_SENT_PACKETS_DEFAULT (1u << 17)
#define WF_SENT_PACKETS_MAX (1u << 20)
#define WF_SENT_KEPT 256u /* skips and losses are remembered until this much newer is acked */

/* One frame of a sent packet. What the numbers mean goes by type:
 *
 *   type           number    value      len           flags
 *   ACK            newest    floor      id (told)
 *   MESSAGE_OPEN   number
 *   MESSAGE_DATA   number    offset     length        1: end
 *   CREDIT         number    limit                    scope
 *   CANCEL, STOP   number    code
 *   NEW_ID, RETIRE_ID  sequence
 *   REKEY          generation
 *   ERROR          regards   code
 *   others         the owner's
 */
struct wf_sent_frame {
    struct wf_sent_frame *next;
    uint8_t type; /* enum wf_frame_type */
    uint8_t flags;
    uint16_t spare;
    uint32_t len;
    uint64_t number;
    uint64_t value;
};

/* Zeroed: empty. */
struct wf_sent_list {
    struct wf_sent_frame *first, *last;
};

enum wf_sent_flags {
    WF_SENT_NEEDS_ACK = 1,
    WF_SENT_IN_FLIGHT = 2,   /* counts against the congestion window: needs an ack or is padded */
    WF_SENT_MTU_PROBE = 4,   /* its loss is no sign of congestion */
    WF_SENT_ECT = 8,         /* sent as ECT(0) */
    WF_SENT_BACKGROUND = 16, /* belongs to WF_CLASS_BACKGROUND */
};

/* Whose congestion window a packet counts against. SPEC 4.2-3 */
enum wf_class {
    WF_CLASS_MAIN,
    WF_CLASS_BACKGROUND, /* it carries nothing but messages of that priority */
    WF_CLASSES,
};

enum wf_sent_state { WF_SENT_GONE = 0, WF_SENT_OUT = 1, WF_SENT_LOST = 2, WF_SENT_SKIPPED = 3 };

struct wf_sent_packet {
    weft_time at;
    struct wf_sent_list frames;
    struct wf_rate_stamp rate; /* of one that is in flight */
    uint32_t bytes;            /* of the datagram */
    uint8_t flags;
    uint8_t state; /* enum wf_sent_state; written by sent.c only */
};

struct wf_sent_page;

struct wf_sent {
    struct wf_mem *mem;
    struct wf_sent_packet *ring; /* by number % room */
    size_t room;                 /* a power of two; 0 before the first packet */
    size_t room_max;
    struct wf_bits out;    /* outstanding packets */
    struct wf_bits kept;   /* lost packets and skipped numbers */
    uint64_t low, next;    /* the ring holds the numbers low..next-1 */
    uint64_t newest_acked; /* meaningless before has_acked */
    bool has_acked;
    uint64_t path_from;    /* lower numbers went another path */
    uint64_t counted_from; /* lower numbers are none of congestion control; at least path_from */
    uint64_t in_flight;    /* bytes */
    uint64_t class_in_flight[WF_CLASSES]; /* likewise; they add up to it */
    uint64_t need_ack;                    /* packets outstanding that need an ack */
    weft_time last_need_ack_at;
    uint64_t skip_at; /* number to be skipped next */
    struct wf_sent_page *pages;
    struct wf_sent_frame *spare;
    size_t frames_used;
};

/* What of a batch belongs to one class. */
struct wf_fate_share {
    uint64_t packets;          /* all */
    uint64_t bytes;            /* counted */
    weft_time newest_at;       /* when the newest counted one was sent */
    struct wf_rate_stamp rate; /* its stamp */
    uint64_t spurious;
    weft_time spurious_at;
};

/* What became of a batch of packets, acknowledged or lost. "Counted" are those that were in flight
 * on the present path; a lost probe of the datagram size is not counted. */
struct wf_fates {
    struct wf_sent_list frames;
    struct wf_fate_share share[WF_CLASSES];
    uint64_t packets;    /* all */
    uint64_t bytes;      /* counted */
    uint64_t ect;        /* packets of this path sent as ECT(0) */
    uint64_t largest;    /* bytes of the largest packet of this path that was no size probe */
    uint64_t mtu_probe;  /* bytes of the largest size probe of this path; 0: none */
    uint64_t newest;     /* highest number among them */
    weft_time newest_at; /* when the newest counted one was sent */
    bool needed_ack;     /* any of them needed an ack */
    /* Acknowledged: */
    bool is_sample; /* the ACK's newest number is new and gives a round trip: now - sample_at */
    weft_time sample_at;
    uint64_t spurious;     /* packets that had been taken for lost */
    uint64_t spurious_gap; /* by how many numbers the lowest of them was late */
    weft_time spurious_at; /* when the newest of them was sent */
    /* Lost: */
    uint64_t run_us; /* longest time between two lost packets with nothing acknowledged between */
};

/* packets_max: 0 for the default, rounded up to a power of two. first: the first number, that of
 * the handshake's packet included. Nothing is allocated yet. */
void wf_sent_init(struct wf_sent *s, struct wf_mem *mem, uint64_t first, size_t packets_max);
void wf_sent_deinit(struct wf_sent *s);

/* Makes sure that wf_sent_put cannot fail (also after one skip). WEFT_ERR_LIMIT: the ring is at its
 * cap; WEFT_ERR_NOMEM. */
WEFT_NODISCARD weft_err wf_sent_reserve(struct wf_sent *s);

/* Appends a copy of f to the list of a packet that is being built. WEFT_ERR_NOMEM. */
WEFT_NODISCARD weft_err wf_sent_frame_add(struct wf_sent *s, struct wf_sent_list *list,
                                          const struct wf_sent_frame *f);

/* Gives the records back; the list is empty then. */
void wf_sent_frames_free(struct wf_sent *s, struct wf_sent_list *list);

/* Moves all records of from to the end of to. */
void wf_sent_list_join(struct wf_sent_list *to, struct wf_sent_list *from);

/* The number of the next packet; skips one first when it is time (SPEC 4.1-4). Call wf_sent_reserve
 * before. window_packets: datagrams in the congestion window. */
uint64_t wf_sent_number(struct wf_sent *s, const struct wf_rng *rng, uint64_t window_packets);

/* Records the packet with number s->next; takes p->frames over. After wf_sent_reserve. */
void wf_sent_put(struct wf_sent *s, const struct wf_sent_packet *p);

/* WEFT_ERR_PROTOCOL: names a number that was never sent; nothing has changed then
 * (SPEC 3.1-2, 4.1-4). *acked is overwritten; free its frames. */
WEFT_NODISCARD weft_err wf_sent_on_ack(struct wf_sent *s, const struct wf_frame_ack *ack,
                                       struct wf_fates *acked);

/* The lowest outstanding number at or above `from`; false when there is none. */
bool wf_sent_oldest(const struct wf_sent *s, uint64_t from, uint64_t *number);
/* The record of a number in low..next-1. */
const struct wf_sent_packet *wf_sent_at(const struct wf_sent *s, uint64_t number);

/* Takes an outstanding packet for lost and adds it to *lost (which the caller zeroed at first). */
void wf_sent_lose(struct wf_sent *s, uint64_t number, struct wf_fates *lost);

/* For a probe: moves the frames of the oldest outstanding packet that has any into list (which was
 * empty), to be sent again; the packet itself stays outstanding. False when there is none. */
bool wf_sent_take_oldest(struct wf_sent *s, struct wf_sent_list *list);

/* What is in flight now no longer counts. What is acknowledged of it still tells the round trip: it
 * may just have become much longer. */
void wf_sent_release(struct wf_sent *s);
/* A new path: nor does it give an RTT sample. */
void wf_sent_new_path(struct wf_sent *s);

/* The class of a packet with these flags. */
enum wf_class wf_sent_class(uint8_t flags);

/* Within sent*.c: gives all pages of frame records back. */
void wf_sent_frames_deinit(struct wf_sent *s);

/* NULL, or what is broken in the record's own sums. O(room); for the simulator. */
const char *wf_sent_check(const struct wf_sent *s);

#endif
