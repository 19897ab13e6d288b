/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan.h - a channel: one session at work. Acknowledgement, loss recovery, congestion, flow
 * control, messages, paths and key change over sealed packets (docs/spec/2, 3, 4). A pure core:
 * bytes and time in; bytes, events and one deadline out.
 *
 * Life: new (no keys: messages can be opened and written, early frames taken and given), then
 * wf_chan_start (keys): open, closing, closed. The owner routes datagrams to it by connection id
 * and frees it after the CLOSED event.
 *
 * Order: after every call that takes `now` drain wf_chan_next_event, then call wf_chan_send until
 * it yields nothing, then ask wf_chan_deadline.
 *
 * Outcomes: an outgoing message ends in exactly one of DELIVERED, STOPPED, wf_chan_cancel (no event
 * comes after it) and CLOSED; an incoming one is OPENED, then READABLE now and then, and ends
 * consumed to its end, CANCELLED, or by wf_chan_stop.
 *
 * Threads: one at a time per channel; channels share nothing but what their config hands in.
 *
 * Memory: all through config.mem, within its cap. Spans passed in are borrowed for the call.
 */
#ifndef WF_TRANSPORT_CHAN_H
#define WF_TRANSPORT_CHAN_H

#include "base/datagram.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/trace.h"
#include "crypto/secret.h"
#include "session/cid.h"
#include "session/keys.h"
#include "transport/cc.h"
#include "wire/frame.h"
#include "wire/handshake.h"

struct wf_chan;
struct wf_pipes;

struct wf_chan_config {
    struct wf_mem *mem;
    const struct wf_rng *rng;
    struct wf_aead *aead;
    struct wf_secret_arena *secrets; /* slots of at least sizeof(struct wf_keys) */
    enum wf_role role;
    uint8_t cid_rx[WF_CID_LEN]; /* by which the peer calls us */
    struct wf_cids cids;        /* how further ones are made */
    struct wf_pipes *pipes;     /* what is shared between two addresses; NULL: nothing */
    void *owner;                /* what wf_pipes_next_woken yields for this channel */
    struct wf_params params;    /* what we announce */
    /* Most bytes unacknowledged or unsent per outgoing message; 0: 2 MiB, and up to 64 MiB where
     * the path takes so much and memory is easy. */
    size_t send_buffer;
    size_t messages_out_max;        /* outgoing messages at once; 0: 4096 */
    uint64_t rekey_after_us;        /* 0: 120 s */
    uint64_t rekey_after_packets;   /* 0: 2^32 */
    uint64_t first_number;          /* 0: 1. Tests start near the hard stop */
    enum wf_cc_kind congestion;     /* of what is no background */
    const struct wf_keylog *keylog; /* NULL: none */
    const struct wf_trace *trace;   /* NULL: none */
};

WEFT_NODISCARD weft_err wf_chan_new(struct wf_chan **out, const struct wf_chan_config *c,
                                    weft_time now);
void wf_chan_free(struct wf_chan *c);
/* Nothing goes out any more: it gives back what it holds of the path that it shares. */
void wf_chan_detach(struct wf_chan *c);

/* --- the handshake's part --- */

/* Frames for SOLVE (client) or CONFIRM (server): messages that are ready, at most cap bytes. They
 * count as packet 0 (spec 4.1-5). At most once, before wf_chan_start. The client does not know the
 * server's credit yet, so its messages take what fits; a server accepts that beyond its credit. */
size_t wf_chan_early_write(struct wf_chan *c, weft_time now, uint8_t *buf, size_t cap);

/* What the other end announced, its connection id, and the path on which it is. Before early_recv.
 */
struct wf_chan_peer {
    struct wf_params params;
    uint8_t cid[WF_CID_LEN];
    struct wf_addr remote, local;
};
void wf_chan_set_peer(struct wf_chan *c, weft_time now, const struct wf_chan_peer *peer);

/* Frames that SOLVE or CONFIRM carried. */
void wf_chan_early_recv(struct wf_chan *c, weft_time now, weft_span frames);

/* Keys are there: packets can be sealed and opened. At the client this acknowledges packet 0 and
 * makes it send at once (spec 1.4-4). rtt_us: a round trip measured by the handshake, 0: none.
 * WEFT_ERR_NOMEM. */
WEFT_NODISCARD weft_err wf_chan_start(struct wf_chan *c, weft_time now,
                                      const struct wf_session_secrets *s, uint64_t rtt_us);

/* --- packets --- */

/* Datagrams of one sender that carry our connection id; opened in place. */
struct wf_chan_packet {
    uint8_t *data;
    size_t len;
};
struct wf_chan_arrival {
    struct wf_addr from, to;
    uint8_t ecn;
    struct wf_chan_packet *packets;
    size_t count;
};
void wf_chan_recv(struct wf_chan *c, weft_time now, const struct wf_chan_arrival *a);

/* Writes one train of equal datagrams to buf; false: nothing to send now. cap >= 65536. */
bool wf_chan_send(struct wf_chan *c, weft_time now, uint8_t *buf, size_t cap, struct wf_send *out);

/* The socket said that datagrams of this size are too big for the path (EMSGSIZE). */
void wf_chan_too_big(struct wf_chan *c, weft_time now, size_t datagram_len);

/* A HINT with this tag came from there (spec 1.6): true at a client whose session stands, whose
 * peer is there, and that sent the tag with one of its last 16 packets. Changes nothing. */
bool wf_chan_is_hint(const struct wf_chan *c, const struct wf_addr *from, const uint8_t tag[16]);
/* When the last packet opened, or the channel started. */
weft_time wf_chan_heard_at(const struct wf_chan *c);
/* How long a peer that lives may be silent when it is asked. */
uint64_t wf_chan_patience_us(const struct wf_chan *c);
/* Has a packet opened that the peer sent after `since`, as far as the round trip tells? */
bool wf_chan_was_heard(const struct wf_chan *c, weft_time since);
/* Where the peer is now. */
const struct wf_addr *wf_chan_remote(const struct wf_chan *c);

weft_time wf_chan_deadline(const struct wf_chan *c);
void wf_chan_tick(struct wf_chan *c, weft_time now);

/* --- messages out --- */
struct wf_message_params {
    weft_span service; /* empty: handler */
    uint64_t handler, reply_to, regards_to, lifetime_ms;
    uint8_t priority; /* enum wf_priority */
    bool open_ended;
    uint64_t length; /* unless open_ended; bytes that will be written */
};

/* *number names the message from now on. WEFT_ERR_LIMIT: too many at once. WEFT_ERR_CLOSED. */
WEFT_NODISCARD weft_err wf_chan_open(struct wf_chan *c, const struct wf_message_params *p,
                                     uint64_t *number);

/* Copies as much as the send buffer takes, *taken bytes; end: these are the last bytes (and only
 * counts when all were taken). When less was taken, a WRITABLE event follows. WEFT_ERR_USAGE: more
 * than the length; WEFT_ERR_STATE: ended, stopped or cancelled. */
WEFT_NODISCARD weft_err wf_chan_write(struct wf_chan *c, uint64_t number, weft_span data, bool end,
                                      size_t *taken);
void wf_chan_cancel(struct wf_chan *c, uint64_t number, uint64_t code);

/* The peer may have heard of the message; false: nothing of it ever left. */
bool wf_chan_was_sent(const struct wf_chan *c, uint64_t number);

/* Takes a message over from another channel that has not sent anything of it and is about to go,
 * with the bytes written so far: *out is its number here. It stays there too, and must not go on.
 * WEFT_ERR_STATE: something of it was sent, or it is over. WEFT_ERR_NOMEM, WEFT_ERR_LIMIT,
 * WEFT_ERR_CLOSED: nothing has changed. */
WEFT_NODISCARD weft_err wf_chan_adopt(struct wf_chan *c, const struct wf_chan *from,
                                      uint64_t number, uint64_t *out);

/* --- messages in --- */

/* Contiguous bytes that arrived and were not consumed: a borrowed span, valid until the next call;
 * empty when there are none now. *at_end: the message ends right after it. The bytes stay until
 * consumed. */
weft_span wf_chan_peek(struct wf_chan *c, uint64_t number, bool *at_end);
/* A message consumed to its end stays, and counts against what the peer may open, until
 * wf_chan_stop releases it. */
void wf_chan_consume(struct wf_chan *c, uint64_t number, size_t len);

/* True when all bytes of the message have arrived (consumed or not). */
bool wf_chan_is_whole(const struct wf_chan *c, uint64_t number);

/* We do not want the rest: STOP goes out, what is kept is dropped, no event comes after it. A
 * message that arrived whole, consumed or not, is released without STOP. Unknown numbers are
 * ignored. */
void wf_chan_stop(struct wf_chan *c, uint64_t number, uint64_t code);

/* What a message holds, either way: bytes that wait to be read, for the bytes before them, or to be
 * acknowledged; and a figure that changes whenever it gets on. Zeros when there is no such message.
 */
struct wf_chan_held {
    uint64_t bytes, progress;
};
struct wf_chan_held wf_chan_held(const struct wf_chan *c, uint64_t number, bool incoming);
/* Gives all the credit that can be given, however little: an incoming message is being read,
 * slowly.
 */
void wf_chan_show_reading(struct wf_chan *c, uint64_t number);
/* Gives spare memory back: something large has gone. */
void wf_chan_trim(struct wf_chan *c);

/* --- the rest --- */
/* Tells the sender of the peer's message `regards` that it gets no reply, and why: an ERROR frame,
 * an ERROR event there. False: no room now; try again when something was acknowledged. */
bool wf_chan_error(struct wf_chan *c, uint64_t regards, uint64_t code, weft_span text);
WEFT_NODISCARD weft_err
wf_chan_datagram(struct wf_chan *c, weft_span data); /* WEFT_ERR_LIMIT: queue full or too long */
void wf_chan_ping(struct wf_chan *c);                /* a PONG event when it is acknowledged */
/* The CLOSED event comes three PTOs later, so that CLOSE can be said again (spec 4.5-1). */
void wf_chan_close(struct wf_chan *c, weft_time now, uint64_t code, weft_span text);

enum wf_chan_event_kind {
    WF_CHAN_CONFIRMED, /* server: the first packet of the client opened */
    WF_CHAN_OPENED,    /* the peer opened a message: number and `open` */
    WF_CHAN_READABLE,  /* number: peek yields more (edge: once until consumed or peeked empty) */
    WF_CHAN_CANCELLED, /* number, code: the peer gave its message up */
    WF_CHAN_WRITABLE,  /* number: wf_chan_write takes bytes again */
    WF_CHAN_DELIVERED, /* number: the peer has acknowledged all of it */
    WF_CHAN_STOPPED,   /* number, code: the peer does not want our message */
    WF_CHAN_ERROR,     /* number (of a message of ours, or 0), code, data: an ERROR frame came */
    WF_CHAN_DATAGRAM,  /* data */
    WF_CHAN_PONG,      /* rtt_us */
    WF_CHAN_PATH,      /* the peer is reached at another address now */
    WF_CHAN_NEW_CID,   /* cid: also route this connection id here */
    WF_CHAN_OLD_CID,   /* cid: no longer */
    WF_CHAN_CLOSED,    /* err, code, data (the text): nothing more comes after it */
};

struct wf_chan_event {
    enum wf_chan_event_kind kind;
    uint64_t number, code, rtt_us;
    weft_err err; /* CLOSED: WEFT_OK when we closed, WEFT_ERR_CLOSED by the peer, WEFT_ERR_TIMEOUT,
                     WEFT_ERR_PROTOCOL, … */
    struct wf_frame_open open;
    weft_span data;
    uint8_t cid[WF_CID_LEN];
};

/* The oldest event; false when there is none. Spans in it live until the next call on the channel.
 */
bool wf_chan_next_event(struct wf_chan *c, struct wf_chan_event *out);

struct wf_chan_stats {
    uint64_t packets_sent, packets_received, packets_lost, packets_dropped, packets_replayed,
        packets_forged;
    uint64_t bytes_sent, bytes_received; /* datagram bodies */
    uint64_t frames_resent, pto_count, rekeys, path_changes;
    uint64_t srtt_us, min_rtt_us, rttvar_us, cwnd, in_flight,
        pacing_rate; /* bytes, bytes a second */
    uint64_t datagram_len;
    uint64_t bandwidth;     /* bytes a second, as far as the controller knows; 0: it does not */
    const char *congestion; /* its name; lives for ever */
    uint64_t messages_out, messages_in, messages_open_out, messages_open_in;
    uint64_t credit_left, control_bytes, datagrams_dropped;
    uint64_t pushed_back; /* times that a message had to wait for the peer's credit */
};
void wf_chan_stats(const struct wf_chan *c, struct wf_chan_stats *out);
/* What the bytes that are held are: of messages in that can be read, of those that wait for bytes
 * before them, of messages out; control frames and what the owner has to be told; datagrams that
 * wait. What else is held keeps these. Costs a look at every message. */
struct wf_chan_account {
    uint64_t unread, waiting, unacknowledged, control, datagrams;
    uint64_t messages_held_back; /* wait for credit now */
};
void wf_chan_account(const struct wf_chan *c, struct wf_chan_account *out);
bool wf_chan_is_started(const struct wf_chan *c);
/* Something urgent can be sent, as far as the peer's credit goes. */
bool wf_chan_is_urgent(const struct wf_chan *c);
/* The owner waits for something that the peer owes him, a reply: silence ends the session as it
 * does while something is under way. */
void wf_chan_await(struct wf_chan *c, bool is_awaited);
/* A packet of the peer opened: it has the session too. */
bool wf_chan_is_confirmed(const struct wf_chan *c);
/* Nothing was heard for the smaller idle time of both ends. */
bool wf_chan_is_silent(const struct wf_chan *c, weft_time now);
/* A client's session that was silent for long: messages wait until the peer has shown that it still
 * knows it (spec 4.6-9). */
bool wf_chan_is_asking(const struct wf_chan *c);
/* No message is open, in either direction. */
bool wf_chan_is_empty(const struct wf_chan *c);
bool wf_chan_is_idle(const struct wf_chan *c); /* no message, nothing in flight */

/* --- at rest (spec 4.6) --- */
#define WF_CHAN_IDS_MAX 4u

/* Those by which the peer may call us. */
struct wf_chan_ids {
    uint8_t cids[WF_CHAN_IDS_MAX][WF_CID_LEN];
    size_t count;
};

/* What is left of a channel. The bytes are a secret. */
struct wf_chan_folded {
    weft_span bytes;
    struct wf_chan_ids ours;
    uint64_t forged; /* packets that did not open since */
};

/* Nothing is under way, and everything worth keeping can be said in bytes. */
bool wf_chan_can_fold(const struct wf_chan *c);
/* Only when it can; the channel itself stays as it is, and must not go on beside its copy. False:
 * w has no room for it. */
WEFT_NODISCARD bool wf_chan_fold(const struct wf_chan *c, struct wf_writer *w,
                                 struct wf_chan_ids *ours);
/* A channel that goes on where that one was; it is open at once. WEFT_ERR_NOMEM;
 * WEFT_ERR_MALFORMED: these bytes are of no channel. */
WEFT_NODISCARD weft_err wf_chan_unfold(struct wf_chan **out, const struct wf_chan_config *config,
                                       weft_time now, const struct wf_chan_folded *f);
/* Would that channel open this packet? It is opened in place, so hand over a copy. t->keys is
 * scratch in secret memory, to be wiped after it. */
struct wf_chan_trial {
    struct wf_keys *keys;
    struct wf_aead *aead;
};
bool wf_chan_would_open(const struct wf_chan_folded *f, const struct wf_chan_trial *t,
                        struct wf_open *packet);

/* For the simulator: checks the channel's own invariants (sums, windows, credits, caps); NULL or a
 * sentence saying what is broken. */
const char *wf_chan_check(const struct wf_chan *c);

#endif
