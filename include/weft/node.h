/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node.h - an endpoint that speaks: it holds one identity, answers messages and sends them.
 *
 * Open a node, say which services it has, and run it; or send a message and be told its outcome. A
 * program never sees a socket, a handshake or a retry.
 *
 *   Callbacks   weft_node_serve and weft_node_send with functions, then weft_node_run.
 *   Polling     weft_node_fd becomes readable; weft_node_poll does what is due and weft_node_events
 * yields what happened. Where a function was given it is called by weft_node_poll; where NULL was
 * given the event is listed instead.
 *
 * Threads  A node belongs to one thread; only weft_node_stop may be called from another thread or a
 * signal handler. Nodes share nothing. Memory   What a callback or event points to lives until it
 * returns, or until the next call of weft_node_events. Time     Milliseconds. Inside   A function
 * that the node calls may call the node's own, all but weft_node_run and weft_node_poll
 * (WEFT_ERR_USAGE) and weft_node_close (which ends the program).
 */
#ifndef WEFT_NODE_H
#define WEFT_NODE_H

#include "weft/group.h"
#include "weft/key.h"

WEFT_BEGIN_DECLS

typedef struct weft_node weft_node;
typedef struct weft_exchange weft_exchange; /* an incoming message and the way to answer it */

/* ---- opening ---- */

typedef struct weft_statement weft_statement; /* pin.h */

typedef struct weft_node_params {
    size_t size;                   /* sizeof(weft_node_params); set by WEFT_NODE_PARAMS */
    const weft_identity *identity; /* copied. NULL: the key of this user (made at the first use) */
    const char *listen; /* "address:port", port 0: any free one; NULL: any address and port, as
                           clients do */
    bool serve;     /* answer strangers (subject to weft_node_allow). Set by weft_node_serve too */
    bool anonymous; /* show no key at all to those we send to */
    uint64_t message_max;  /* largest body that is handed over whole; 0: 1 MiB */
    uint64_t memory_max;   /* bytes this node may hold; 0: 1 GiB */
    uint32_t sessions_max; /* 0: 10240. When they are few, those with nothing under way make room */
    uint32_t work_effort;  /* work asked of strangers before anything is computed for them; 0: none,
                              while there is time for everybody */
    uint32_t work_algorithm; /* of that work: WEFT_WORK_HASH or WEFT_WORK_PROGRAM; 0: the default */
    uint32_t work_ms; /* most time that goes into work which one server asks of us; 0: 10 s. When it
                         would take longer the message fails with WEFT_ERR_LIMIT */
    uint32_t work_ceiling;   /* most that is asked of them, as log2, 1 to 32; 0: 24 */
    uint32_t cookies_max;    /* handshakes kept for two minutes, so that none counts twice: 4,369 a
                                second by default, as memory_max allows. 0: 524288 */
    const char *keylog_path; /* secrets are appended there, for decoders. NULL: none */
    bool show_own_key;   /* show our own key to those we send to, so that all of them know us by the
                            same one; else each sees a key made for it (weft_node_key_for) */
    uint32_t congestion; /* who says how fast to send: WEFT_CONGESTION_CUBIC, the default, or
                            WEFT_CONGESTION_BBR. Background messages always give way */
    const weft_statement *statement; /* of the owner about our key, for those who expect another
                                        (pin.h). Copied. NULL: none */
    uint32_t unread_s; /* seconds after which a message is cut off that holds memory and does not
                          get on, because nobody reads it here or the peer takes no more
                          (WEFT_ERR_UNREAD); after 30 while memory is short. 0: 600 */
    /* A session with nothing under way for fold_ms (0: 10000) is folded into a record of a few
     * hundred bytes, which wakes with the next packet, and is kept for rest_s seconds (0: a day).
     * There are presences_max of them in memory (0: 1048576); the one that rests longest makes
     * room. */
    uint32_t fold_ms, rest_s, presences_max;
    const char *rest_path;  /* a file for those beyond that, and for those that have rested for
                               rest_memory_s; sealed, and of no use to any other process. It is made,
                               or emptied if it is such a file; any other that is not empty is left
                               alone (WEFT_ERR_EXISTS). NULL: they are forgotten instead */
    uint32_t rest_memory_s; /* 0: 3600 */
} weft_node_params;

#define WEFT_NODE_PARAMS ((weft_node_params){.size = sizeof(weft_node_params)})

#define WEFT_CONGESTION_CUBIC 0 /* answers to losses */
#define WEFT_CONGESTION_BBR                                              \
    1 /* has a model of the path: for long paths that lose by themselves \
       */

#define WEFT_WORK_HASH 1    /* BLAKE2b; the default */
#define WEFT_WORK_PROGRAM 2 /* a random program over 16 KiB a try */

/* params NULL: the defaults. WEFT_ERR_USAGE: a statement about another key, or one that is not
 * signed. WEFT_ERR_IN_USE, WEFT_ERR_DENIED, WEFT_ERR_ADDRESS (listen), the
 * errors of weft_identity_load, WEFT_ERR_NOMEM. */
WEFT_API WEFT_NODISCARD weft_err weft_node_open(weft_node **out, const weft_node_params *params);

/* Says goodbye to all peers (waiting at most half a second), gives every message its outcome and
 * frees the node; the functions it calls meanwhile cannot send (WEFT_ERR_CLOSED). NULL is allowed.
 */
WEFT_API void weft_node_close(weft_node *node);

WEFT_API weft_key weft_node_key(const weft_node *node);

/* The key that a server sees when this node sends to it: what its rules must name. Nobody's when
 * the node is anonymous. Errors as weft_identity_key_for. */
WEFT_API WEFT_NODISCARD weft_err weft_node_key_for(weft_key *out, const weft_node *node,
                                                   const weft_key *server);

/* Where it listens, "address:port", NUL-terminated. WEFT_ERR_LIMIT: cap is too small (64 always
 * suffices). */
WEFT_API WEFT_NODISCARD weft_err weft_node_address(const weft_node *node, char *out, size_t cap);

/* ---- running ---- */

/* Until SIGTERM, SIGINT or weft_node_stop. */
WEFT_API WEFT_NODISCARD weft_err weft_node_run(weft_node *node);

/* Makes weft_node_run return. May be called from any thread and from a signal handler. */
WEFT_API void weft_node_stop(weft_node *node);

/* Readable when weft_node_poll has something to do. */
WEFT_API int weft_node_fd(const weft_node *node);

/* Does what is due; waits at most timeout_ms for something to do (0: never waits, -1: as long as it
 * takes). */
WEFT_API WEFT_NODISCARD weft_err weft_node_poll(weft_node *node, int timeout_ms);

/* ---- incoming messages ---- */

/* How a peer was authenticated and protected. */
typedef enum weft_grade {
    WEFT_GRADE_NONE = 0,
    WEFT_GRADE_NOBODY = 1, /* sealed and fresh, but the sender did not show a key */
    WEFT_GRADE_EARLY =
        2, /* sender's key proved, once only; forward secrecy begins when the transient key dies */
    WEFT_GRADE_FULL = 3,  /* sender's key proved, once only, forward secret */
    WEFT_GRADE_GROUP = 4, /* the same inside a group, but whoever takes the server's secret later
                             can tell who called */
    WEFT_GRADE_GROUP_EARLY = 5, /* inside a group, before it was forward secret: whoever takes the
                                   server's secret later can read it */
} weft_grade;
WEFT_API const char *weft_grade_text(weft_grade grade);

typedef struct weft_message {
    const uint8_t *body; /* whole, or NULL where it is streamed */
    size_t len;
    const char *service; /* NUL-terminated; "" for a reply */
    weft_key from;       /* nobody's key when the sender did not show one */
    uint64_t length;     /* announced length, UINT64_MAX: open-ended */
    weft_grade grade;
    uint32_t group; /* it came inside this group, 1 being the first that weft_node_group was given;
                       0: in none */
} weft_message;

/* Called with a whole message (at most message_max bytes). Answer with weft_reply, now or later
 * (weft_exchange_keep). */
typedef void (*weft_serve_fn)(weft_exchange *exchange, const weft_message *message, void *user);

/* At most 64 services, names of 1 to 64 bytes. fn NULL: messages appear in weft_node_events.
 * WEFT_ERR_EXISTS. */
WEFT_API WEFT_NODISCARD weft_err weft_node_serve(weft_node *node, const char *service,
                                                 weft_serve_fn fn, void *user);

/* A service whose messages come in pieces, of any size, with back pressure. */
typedef struct weft_stream_handler {
    size_t size; /* sizeof(weft_stream_handler) */
    /* A message begins. WEFT_OK: go on; an error: refused, and the sender is told. *state is handed
     * to the others. */
    weft_err (*on_open)(weft_exchange *exchange, const weft_message *message, void *user,
                        void **state);
    /* Some bytes. Returns how many were taken; when less than len, no more comes until
     * weft_exchange_resume. */
    size_t (*on_data)(weft_exchange *exchange, const uint8_t *data, size_t len, void *state);
    /* Over: WEFT_OK when all bytes came; otherwise it will never be whole. The exchange can still
     * be answered if it was WEFT_OK. */
    void (*on_end)(weft_exchange *exchange, weft_err err, void *state);
} weft_stream_handler;
WEFT_API WEFT_NODISCARD weft_err weft_node_serve_stream(weft_node *node, const char *service,
                                                        const weft_stream_handler *handler,
                                                        void *user);
/* More may come, from the next weft_node_poll on; never before this returns. */
WEFT_API void weft_exchange_resume(weft_exchange *exchange);

/* Who may use a service: "*" is every service; key NULL is anybody. With no rule at all a node
 * refuses everybody. WEFT_ERR_LIMIT: more than 4096 rules. */
WEFT_API WEFT_NODISCARD weft_err weft_node_allow(weft_node *node, const weft_key *key,
                                                 const char *service);

/* ---- groups (group.h) ---- */

/* Answers members of this group too, who are then subject to weft_node_allow as everybody is.
 * WEFT_ERR_EXISTS; WEFT_ERR_LIMIT: more than 64 groups; WEFT_ERR_NOMEM. */
WEFT_API WEFT_NODISCARD weft_err weft_node_group(weft_node *node, const weft_group *group);

/* Answers nobody but members from now on, and shows to nobody else who it is; best called before
 * the node is run. WEFT_ERR_NOMEM. */
WEFT_API WEFT_NODISCARD weft_err weft_node_only_groups(weft_node *node);

/* What is sent to the server of this invitation from now on goes inside its group and in no other
 * way; it is still named weft1…@host:port. A server that knows no such group looks like nobody
 * (WEFT_ERR_UNREACHABLE). first_data: messages may ride in the handshake, one round trip earlier,
 * but whoever takes the server's secret later can read them (WEFT_GRADE_GROUP_EARLY). A later
 * invitation to the same server replaces it. WEFT_ERR_LIMIT: more than 64 servers; WEFT_ERR_USAGE:
 * our own, or the node is anonymous; WEFT_ERR_NOMEM. */
WEFT_API WEFT_NODISCARD weft_err weft_node_join(weft_node *node, const weft_invitation *invitation,
                                                bool first_data);

/* ---- bodies ---- */

/* Reads up to cap bytes of a body to buf. *len = 0 and !*end: nothing now; call weft_node_resume
 * when there is more. */
typedef weft_err (*weft_read_fn)(void *user, uint8_t *buf, size_t cap, size_t *len, bool *end);

typedef struct weft_body {
    const void *data; /* a span, copied by the call */
    size_t len;
    const char *path; /* or a file, from offset on */
    uint64_t offset;
    weft_read_fn read; /* or a function */
    void *user;
    uint64_t length;          /* with read: the whole length, UINT64_MAX: open-ended */
    void (*done)(void *user); /* called once when the body is not needed any more, whatever became
                                 of it. NULL: none */
} weft_body;
WEFT_API weft_body weft_body_span(const void *data, size_t len);
WEFT_API weft_body weft_body_file(const char *path, uint64_t offset);
WEFT_API weft_body weft_body_reader(weft_read_fn read, void *user, uint64_t length);

/* Asks all bodies of this node that had nothing to read again. */
WEFT_API void weft_node_resume(weft_node *node);

/* ---- answering ---- */

/* A reply with these bytes (copied). At most one reply; it also lets go of the exchange.
 * WEFT_ERR_STATE: already answered. */
WEFT_API weft_err weft_reply(weft_exchange *exchange, const void *data, size_t len);
WEFT_API weft_err weft_reply_body(weft_exchange *exchange, const weft_body *body);

/* Tells the sender that it gets no reply, with a reason for people to be found in its outcome
 * (WEFT_ERR_DENIED, WEFT_ERR_NOT_FOUND, …). */
/* A stream that is refused ends here: its on_end is called before this returns. */
WEFT_API weft_err weft_refuse(weft_exchange *exchange, weft_err reason);

/* Keeps the exchange beyond the callback; answer it, or let go with weft_exchange_drop. */
WEFT_API void weft_exchange_keep(weft_exchange *exchange);
WEFT_API void weft_exchange_drop(weft_exchange *exchange);

/* ---- sending ---- */

typedef enum weft_outcome_kind {
    WEFT_DELIVERED = 1, /* the peer has all of it */
    WEFT_REPLIED = 2,   /* and its reply is here */
    WEFT_FAILED = 3,    /* it did not arrive, or was refused: err says why */
    WEFT_EXPIRED = 4,   /* no answer in the time given; it may have arrived */
    WEFT_UNKNOWN = 5,   /* sent, then the connection was lost; it may have arrived */
} weft_outcome_kind;

typedef struct weft_outcome {
    weft_outcome_kind kind;
    weft_err err;
    weft_node *node;
    void *user;
    const weft_message
        *message; /* the reply, with WEFT_REPLIED; body is NULL where it was streamed */
    weft_grade grade;
    uint64_t took_us;      /* from weft_node_send to here */
    uint64_t handshake_us; /* of the session's handshake; 0: the session stood already */
    uint64_t packets;      /* datagrams sent and received by the session until the outcome */
    uint64_t resent;       /* frames of the session that went again */
} weft_outcome;

/* One sentence, in English. Static memory, or the calling thread's until its next call. */
WEFT_API const char *weft_outcome_text(const weft_outcome *outcome);

typedef enum weft_priority { WEFT_NORMAL = 0, WEFT_URGENT = 1, WEFT_BACKGROUND = 2 } weft_priority;

typedef struct weft_send_params {
    size_t size;    /* sizeof(weft_send_params); set by WEFT_SEND_PARAMS */
    const char *to; /* weft1…@host:port, or weft1… alone when a session with it stands */
    const char *service;
    weft_body body;
    weft_priority priority;
    bool expect_reply; /* set when reply_within_ms or on_reply_data is; the outcome is WEFT_REPLIED
                        */
    uint32_t reply_within_ms; /* 0: no limit */
    uint32_t reach_within_ms; /* for reaching the peer; 0: 10 s */
    uint64_t reply_max;       /* largest reply that is kept whole; 0: 1 MiB */
    void (*on_outcome)(const weft_outcome *outcome,
                       void *user); /* exactly once. NULL: listed in weft_node_events */
    /* The reply in pieces, of any size; returns how many bytes were taken (less: weft_node_resume
     * goes on). When the whole reply was taken it is called once more with len 0; our own body may
     * still be under way then. NULL: whole, in the outcome. */
    size_t (*on_reply_data)(const uint8_t *data, size_t len, void *user);
    void (*on_progress)(uint64_t sent, uint64_t total,
                        void *user); /* bytes; total UINT64_MAX: not known. NULL: none */
    void *user;
} weft_send_params;

#define WEFT_SEND_PARAMS ((weft_send_params){.size = sizeof(weft_send_params)})

/* *id (may be NULL) names the message in weft_node_cancel. Everything that can go wrong later is in
 * the outcome. WEFT_ERR_MALFORMED, WEFT_ERR_ADDRESS (to), WEFT_ERR_USAGE, WEFT_ERR_LIMIT,
 * WEFT_ERR_NOT_FOUND (body's file), WEFT_ERR_NOMEM. */
WEFT_API WEFT_NODISCARD weft_err weft_node_send(weft_node *node, const weft_send_params *params,
                                                uint64_t *id);

/* Its outcome becomes WEFT_FAILED with WEFT_ERR_CANCELLED, unless it had one. */
WEFT_API void weft_node_cancel(weft_node *node, uint64_t id);

/* Measures a round trip inside the session (after a handshake if there is none). rtt_us is 0 on an
 * error. */
typedef void (*weft_pong_fn)(weft_err err, uint64_t rtt_us, uint64_t handshake_us, void *user);
WEFT_API WEFT_NODISCARD weft_err weft_node_ping(weft_node *node, const char *to, uint32_t within_ms,
                                                weft_pong_fn fn, void *user);

/* True when no message, reply or ping of this node is under way: a program that wants to end may
 * close it now. */
WEFT_API bool weft_node_is_idle(const weft_node *node);

/* ---- work ---- */

/* A server under load asks strangers for work before it computes anything for them. The node does
 * it in threads of its own, as many as there are processors. */
typedef enum weft_work_state {
    WEFT_WORK_GOES_ON = 1, /* told ten times a second */
    WEFT_WORK_OVER = 2,    /* told once, when that was told and there is no more to do */
    WEFT_WORK_REFUSED = 3, /* it would take longer than work_ms, or has: the call fails */
} weft_work_state;

typedef struct weft_work {
    weft_work_state state;
    uint64_t tries;       /* done */
    uint64_t expected;    /* what it takes on the average; it is a lottery */
    uint64_t spent_us;    /* on it, by now */
    uint64_t expected_us; /* what `expected` takes here; 0: not known yet */
    uint64_t budget_us;   /* work_ms */
} weft_work;
typedef void (*weft_work_fn)(const weft_work *work, void *user);

/* fn is called in the node's thread while there is work. NULL: nobody is told. */
WEFT_API void weft_node_on_work(weft_node *node, weft_work_fn fn, void *user);

/* ---- polling ---- */

typedef enum weft_event_kind { WEFT_EVENT_MESSAGE = 1, WEFT_EVENT_OUTCOME = 2 } weft_event_kind;

typedef struct weft_event {
    weft_event_kind kind;    /* ignore kinds you do not know */
    weft_exchange *exchange; /* MESSAGE: kept; answer or drop it */
    const weft_message *message;
    const weft_outcome *outcome; /* OUTCOME */
} weft_event;

/* Up to max events that had no function to go to. Costs O(events). Never blocks; call
 * weft_node_poll to make progress. */
WEFT_API size_t weft_node_events(weft_node *node, weft_event *events, size_t max);

/* ---- what it did ---- */

typedef struct weft_stats {
    size_t size; /* sizeof(weft_stats), set by the caller */
    uint64_t datagrams_in, datagrams_out, bytes_in, bytes_out, dropped;
    uint64_t sessions, sessions_total, sessions_evicted, handshakes_failed; /* evicted: for room */
    uint64_t messages_in, messages_out;
    uint64_t packets_lost, frames_resent, packets_forged, packets_replayed;
    uint64_t memory_held, memory_max, memory_cap, secret_held, rss, allocations, curve_operations;
    /* Admission: the effort asked now, handshakes that wait, and those turned away: for paying too
     * little, for want of time. Deranked: from networks that used more than their share. */
    uint64_t work_price, handshakes_waiting, handshakes_underpaid, handshakes_crowded_out,
        handshakes_deranked;
    /* Messages now: open, and of ours those that wait for the peer's credit (held back). So far:
     * cut off because nobody went on with them, and times that a peer's credit held one of ours
     * back. */
    uint64_t messages_open_in, messages_open_out, messages_held_back, messages_cut_off, pushed_back;
    /* What memory_held is for, of all peers: bytes of messages that came and were not read, that
     * wait for bytes before them, that we sent and the peer has not acknowledged, control frames,
     * and bodies that are put together for functions that take them whole. */
    uint64_t bytes_unread, bytes_waiting, bytes_unacknowledged, bytes_control, bytes_application;
    /* Peers at rest, beside the sessions: folded into records of so many bytes in all. So far:
     * times that one was folded, and woken; those forgotten after a day, or for room. */
    uint64_t presences, presence_bytes, folds, wakes, presences_dropped;
    /* Those at rest that are in a file; so far: times that one came back from it. */
    uint64_t dormant, dormant_recalled;
} weft_stats;
WEFT_API void weft_node_stats(const weft_node *node, weft_stats *stats);

/* All counters, and bytes held for each peer, as one JSON object; NUL-terminated. WEFT_ERR_LIMIT:
 * cap is too small; *len is then what is needed. */
WEFT_API WEFT_NODISCARD weft_err weft_node_stats_json(const weft_node *node, char *out, size_t cap,
                                                      size_t *len);

/* For main(): prints what went wrong in a sentence to standard error, and gives the exit status. */
WEFT_API int weft_exit(weft_err err);

WEFT_END_DECLS

#endif
