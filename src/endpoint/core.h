/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core.h - a whole endpoint without I/O: admission, handshakes, sessions and messages behind one
 * small interface. The node joins it to sockets and a clock, the simulator to a virtual network;
 * both use it in the same way.
 *
 * Order    After every call that takes `now`: drain wf_core_next_event, then wf_core_send until it
 * yields nothing and wf_core_has_events is false, then ask wf_core_deadline. Time  Of a clock that
 * should never step back; where it does, or jumps ahead, sessions live on. Threads  One thread at
 * a time. Memory   All through config.mem. A message body is bounded by buffers and credit, never
 * held whole.
 */
#ifndef WF_ENDPOINT_CORE_H
#define WF_ENDPOINT_CORE_H

#include "base/datagram.h"
#include "base/mem.h"
#include "base/trace.h"
#include "session/adm.h"
#include "session/limited.h"
#include "session/statement.h"
#include "session/work.h"
#include "transport/chan.h"

struct wf_core;

/* Several cores behind one address. A core says which datagrams are another one's; the owner gives
 * them to that core's wf_core_recv. All zero: there is but one. */
struct wf_core_shards {
    uint64_t instance;  /* the same for all, another at each start; 0: random */
    struct wf_cids ids; /* the same key and count for all */
    /* A single packet, borrowed. It must not call this core. */
    void (*forward)(void *user, uint8_t shard, const struct wf_datagram *packet);
    void *user;
};

/* Where sealed records of peers that rest for long are kept instead of memory, by number. What is
 * there must not outlive the core. All NULL: nowhere. */
struct wf_core_rest {
    weft_err (*put)(void *user, uint32_t id, weft_span sealed); /* over what was there */
    /* Exactly len bytes; WEFT_ERR_NOT_FOUND, WEFT_ERR_MALFORMED. */
    weft_err (*get)(void *user, uint32_t id, uint8_t *sealed, size_t len);
    void (*drop)(void *user, uint32_t id);
    void *user;
};

struct wf_core_config {
    struct wf_mem *mem;
    const struct wf_rng *rng;
    uint8_t seed[32];        /* of the identity; copied into secret memory */
    bool serve;              /* answer HELLOs */
    uint32_t effort;         /* work asked of clients, at least; 0: none */
    uint8_t effort_log2_max; /* and at most, as log2; 0: 24 */
    size_t cookies_max;      /* solved cookies kept; 0: 524288 */
    size_t solves_max;       /* SOLVEs that wait for their curves; 0: 2048 */
    uint64_t wall_ms;        /* wall clock at `now` of wf_core_new; 0: none that can be trusted */
    size_t sessions_max;     /* 0: 10240 */
    size_t messages_in_max;  /* messages a peer may have open; 0: 256 */
    uint64_t node_credit;    /* bytes a peer may have unread at us; 0: 16 MiB */
    uint64_t message_credit; /* per message; 0: 4 MiB */
    uint64_t datagram_max;   /* largest datagram we take; 0: 65507 */
    uint64_t idle_ms;        /* 0: 30000 */
    uint64_t fold_us;        /* nothing under way for so long: folded. 0: 10 s; UINT64_MAX: never */
    uint64_t rest_ms;        /* a session at rest is kept for so long; 0: a day */
    uint32_t presences_max;  /* folded sessions in memory; 0: 2^20 */
    struct wf_core_rest rest;      /* a place for those beyond that, and beyond: */
    uint64_t rest_memory_ms;       /* this time at rest; 0: an hour */
    uint64_t handshake_timeout_us; /* 0: 10 s */
    uint64_t effort_max;           /* most work done for one handshake; 0: 2^32 tries */
    uint64_t work_time_us;         /* most time that goes into it; 0: 10 s */
    uint8_t work_alg;              /* asked of clients; 0: the default */
    bool work_outside;             /* wf_core_next_work hands it out; else it is done in ticks */
    size_t peer_memory_max;        /* bytes held for one peer; 0: 64 MiB */
    enum wf_cc_kind congestion;    /* who controls what is no background */
    uint64_t unread_us;  /* a message that holds bytes and does not get on is cut off after it, and
                            after 30 s when memory is short; 0: 10 minutes */
    weft_span statement; /* of the owner about our key, told to those who ask. Empty: none */
    struct wf_core_shards shards;
    const struct wf_keylog *keylog;
    const struct wf_trace *trace;
};

/* WEFT_ERR_USAGE: config.shards. */
WEFT_NODISCARD weft_err wf_core_new(struct wf_core **out, const struct wf_core_config *c,
                                    weft_time now);

/* Every message without an outcome gets one first if the events are drained after wf_core_shut. */
void wf_core_free(struct wf_core *c);
/* Answers HELLOs from now on, as config.serve does. WEFT_ERR_NOMEM. */
WEFT_NODISCARD weft_err wf_core_serve(struct wf_core *c, weft_time now);

/* Answers members of this group too, 0 being the first one given (limited circulation, spec 1.10).
 * WEFT_ERR_EXISTS; WEFT_ERR_LIMIT: 64 groups; WEFT_ERR_NOMEM. */
WEFT_NODISCARD weft_err wf_core_group(struct wf_core *c, weft_time now, const uint8_t key[32]);
/* Answers nobody else from now on, and does not show who it is. WEFT_ERR_NOMEM. */
WEFT_NODISCARD weft_err wf_core_only_groups(struct wf_core *c, weft_time now);
/* What goes to the server of this invitation goes inside its group and in no other way. first_data:
 * SOLVE may carry messages, which whoever gets the server's secret later can read; else they wait
 * for CONFIRM. A later invitation to the same server replaces it. WEFT_ERR_LIMIT: 64 servers;
 * WEFT_ERR_USAGE: ourselves; WEFT_ERR_NOMEM. */
WEFT_NODISCARD weft_err wf_core_join(struct wf_core *c, const struct wf_invitation *invitation,
                                     bool first_data);

const uint8_t *wf_core_key(const struct wf_core *c); /* our Ed25519 public key */
/* The one we show to servers of this owner, unless told to show that. */
WEFT_NODISCARD weft_err wf_core_key_for(const struct wf_core *c, uint8_t out[32],
                                        const uint8_t owner[32]);

/* --- the network --- */
void wf_core_recv(struct wf_core *c, weft_time now, const struct wf_datagram *d, size_t count);
/* One train to one address; false: nothing to send now. cap >= 65536. */
bool wf_core_send(struct wf_core *c, weft_time now, uint8_t *buf, size_t cap, struct wf_send *out);
/* The last train of this size to that address was refused as too big. */
void wf_core_too_big(struct wf_core *c, weft_time now, const struct wf_addr *to,
                     size_t datagram_len);
weft_time wf_core_deadline(const struct wf_core *c);
void wf_core_tick(struct wf_core *c, weft_time now);

/* --- proof of work, with work_outside --- */
struct wf_core_work {
    uint64_t id;
    struct wf_work work;
};
bool wf_core_has_work(const struct wf_core *c); /* wf_core_next_work has something */
/* A job that was not handed out yet; false: none. */
bool wf_core_next_work(struct wf_core *c, struct wf_core_work *out);
/* It still matters to somebody; jobs end with their calls, or when too much time went into them. */
bool wf_core_work_is_wanted(const struct wf_core *c, uint64_t id);
void wf_core_work_done(struct wf_core *c, weft_time now, uint64_t id, uint64_t nonce);
/* How many tries of this algorithm a second can do: what is asked is measured by it. */
void wf_core_work_rate(struct wf_core *c, weft_time now, unsigned alg, uint64_t tries_per_s);

/* --- messages out --- */
struct wf_core_send_params {
    uint8_t to[32];           /* the peer's key; zeros: its owner is asked, through pin */
    const struct wf_pin *pin; /* who may say that the key was replaced. NULL: nobody */
    struct wf_addr address;   /* where it is; unset: only through a session that stands */
    bool one_way;             /* do not show our key (a new session, apart from others) */
    bool show_own_key;        /* the durable one, not the one for the peer alone */
    weft_span service;
    uint8_t priority;
    bool open_ended;
    uint64_t length;            /* unless open_ended */
    bool expect_reply;          /* the outcome is REPLIED rather than DELIVERED */
    uint64_t reach_within_us;   /* for the handshake, where one is needed; 0: the configured time */
    uint64_t outcome_within_us; /* EXPIRED after it; 0: no limit */
    void *user;                 /* given back in events */
};

/* *id names the message until its outcome was taken. The body follows through wf_core_write. */
WEFT_NODISCARD weft_err wf_core_message(struct wf_core *c, weft_time now,
                                        const struct wf_core_send_params *p, uint64_t *id);
/* As wf_chan_write; WRITABLE events follow when less was taken. Replies are written in the same
 * way. */
WEFT_NODISCARD weft_err wf_core_write(struct wf_core *c, uint64_t id, weft_span data, bool end,
                                      size_t *taken);
void wf_core_cancel(struct wf_core *c, uint64_t id, uint64_t code);

/* --- messages in (id: from the MESSAGE event) --- */
struct wf_core_reply_params {
    bool open_ended;
    uint64_t length;
    uint8_t priority;
    void *user;
};
/* A message back to the sender of `id`; it has an outcome of its own (DELIVERED, …). */
WEFT_NODISCARD weft_err wf_core_reply(struct wf_core *c, uint64_t id,
                                      const struct wf_core_reply_params *p, uint64_t *reply_id);
weft_span wf_core_peek(struct wf_core *c, uint64_t id, bool *at_end);
void wf_core_consume(struct wf_core *c, uint64_t id, size_t len);
/* The application holds so many bytes more for this message (until it is released). They count
 * against what is held for the peer; false: that would be too much, and they are not counted. */
bool wf_core_charge(struct wf_core *c, uint64_t id, size_t size);
/* `user` comes with further events of this message. */
void wf_core_set_user(struct wf_core *c, uint64_t id, void *user);
/* No more of it is wanted; `code` other than WF_CODE_NONE tells the sender why. The id ends,
 * replies to it stay possible through reply_id only. */
void wf_core_release(struct wf_core *c, uint64_t id, uint64_t code);

/* --- peers --- */
/* Sends a PING to the peer (after a handshake if there is no session); a PONG event, or a
 * PING_FAILED event, with `user` answers. */
WEFT_NODISCARD weft_err wf_core_ping(struct wf_core *c, weft_time now,
                                     const struct wf_core_send_params *p);
/* Ends all sessions with a CLOSE; outcomes follow as events, and wf_core_send still yields the last
 * packets. */
void wf_core_shut(struct wf_core *c, weft_time now);
bool wf_core_is_quiet(
    const struct wf_core *c); /* nothing to send, no message without outcome, no session open */

enum wf_core_event_kind {
    WF_CORE_MESSAGE, /* a peer opened a message: id, open, peer, nobody; reply_to_id when it answers
                        one of ours */
    WF_CORE_READABLE, /* id */
    WF_CORE_BROKEN,   /* id: the incoming message will never be complete (cancelled, or the session
                         ended); err, code. The id stays   valid until wf_core_release */
    WF_CORE_WRITABLE, /* id, user */
    WF_CORE_OUTCOME,  /* id, user, outcome, err, code: exactly one per message; the id ends */
    WF_CORE_PONG,     /* user, rtt_us, handshake_us */
    WF_CORE_PING_FAILED, /* user, err */
    WF_CORE_SESSION, /* a session stands: peer, nobody, address, handshake_us, packets until then */
    WF_CORE_SESSION_ENDED, /* peer, err, code; not for one that was forgotten at rest */
    WF_CORE_WORK_REFUSED,  /* a server asks for too much, so its session ends: bid, work_alg */
};

enum wf_core_outcome {
    WF_OUTCOME_DELIVERED = 1, /* the peer has acknowledged all of it */
    WF_OUTCOME_REPLIED,       /* the reply was consumed to its end */
    WF_OUTCOME_FAILED,        /* it did not arrive: err, code */
    WF_OUTCOME_EXPIRED,       /* the time given ran out; it may have arrived */
    WF_OUTCOME_UNKNOWN,       /* sent, then the session was lost: it may have arrived */
};

struct wf_core_event {
    enum wf_core_event_kind kind;
    uint64_t id, reply_to_id;
    void *user;
    enum wf_core_outcome outcome;
    weft_err err;
    uint64_t code;
    uint64_t rtt_us;
    uint64_t handshake_us; /* OUTCOME: 0 when the session stood already */
    uint64_t packets;      /* OUTCOME: datagrams of the session until then, both ways */
    uint64_t resent;       /* OUTCOME: frames of the session that went again */
    bool nobody;           /* the peer did not show a key */
    bool limited;          /* inside a group */
    uint8_t group;         /* of this one; of what others began, in the order of wf_core_group */
    bool learned;          /* SESSION: the owner said that this is the key now: */
    struct wf_pin pin;     /* what was given with the call, and the version that says so */
    bool early;            /* MESSAGE: it came with SOLVE, before the session was forward secret */
    uint8_t peer[32];
    uint32_t bid; /* tries */
    uint8_t work_alg;
    struct wf_addr address;
    struct wf_frame_open open; /* spans live until the next call */
};
bool wf_core_next_event(struct wf_core *c, struct wf_core_event *out);
/* There may be an event: sending can end a session too. */
bool wf_core_has_events(const struct wf_core *c);

/* --- what is held, and what happened --- */
struct wf_core_stats {
    struct wf_adm_stats adm;
    uint64_t datagrams_in, datagrams_out, bytes_in, bytes_out, dropped_unknown, dropped_malformed;
    uint64_t forwarded;               /* datagrams of other shards */
    uint64_t hints_sent, hints_taken; /* taken: those that made us doubt a session */
    uint64_t sessions, sessions_total, sessions_evicted, handshakes_started, handshakes_failed;
    uint64_t presences, presence_bytes;       /* sessions at rest, folded, and what they hold */
    uint64_t folds, wakes, presences_dropped; /* dropped: after the rest time, or for room */
    uint64_t dormant, dormant_put, dormant_recalled; /* of these, in the file; so far */
    uint64_t sessions_coming; /* accepted, and nothing was heard of their clients since */
    uint64_t messages_in, messages_out, messages_open, messages_cut_off;
    /* What is held now, of all sessions. */
    uint64_t messages_open_in, messages_open_out, messages_held_back, pushed_back;
    uint64_t bytes_unread, bytes_waiting, bytes_unacknowledged, bytes_control, bytes_application;
    uint64_t packets_lost, frames_resent, packets_forged, packets_replayed;
    uint64_t memory_held, memory_max, allocations, secret_held, curve_operations;
};
void wf_core_stats(const struct wf_core *c, struct wf_core_stats *out);

/* One row a session that stands or is being made; index from 0; false at the end. */
struct wf_core_peer_stats {
    uint8_t peer[32];
    bool nobody, started;
    struct wf_addr address;
    uint64_t bytes_held, bytes_cap;
    uint64_t bytes_application; /* that the application holds for messages of the peer */
    uint64_t handshake_us, messages_cut_off;
    struct wf_chan_stats chan;
    struct wf_chan_account account;
};
bool wf_core_peer_stats(const struct wf_core *c, size_t index, struct wf_core_peer_stats *out);

/* For the simulator: NULL, or a sentence saying which invariant is broken. */
const char *wf_core_check(const struct wf_core *c);

#endif
