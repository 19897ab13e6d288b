/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_priv.h - what the files of the core share. Nobody else includes it but tests.
 *
 * A session is on the dirty or the urgent list when it may have something to send, and on the noisy
 * list when its channel may have events; its deadline stands in the heap. A message out lives until
 * its outcome was taken, a message in until it was released.
 */
#ifndef WF_ENDPOINT_CORE_PRIV_H
#define WF_ENDPOINT_CORE_PRIV_H

#include "base/assert.h"
#include "base/heap.h"
#include "base/index.h"
#include "base/list.h"
#include "base/table.h"
#include "crypto/secret.h"
#include "crypto/vault.h"
#include "endpoint/core.h"
#include "session/hs.h"
#include "transport/pipe.h"

#define CORE_SESSIONS_MAX 10240u
#define CORE_MESSAGES_IN_MAX 256u
#define CORE_MESSAGES_MAX (1u << 20) /* of all sessions, both directions */
#define CORE_NODE_CREDIT (16u << 20)
#define CORE_MESSAGE_CREDIT (4u << 20)
#define CORE_DATAGRAM_MAX 65507u
#define CORE_IDLE_MS 30000u
#define CORE_FOLD_US 10000000u            /* SPEC 4.6-1 */
#define CORE_REST_MS ((uint64_t)86400000) /* SPEC 4.6-8 */
#define CORE_PRESENCES_MAX ((uint32_t)1 << 20)
#define CORE_UNFOLDED_US ((uint64_t)3600000000) /* SPEC 4.6-12 */
#define CORE_PRESENCES_PART 2u   /* of the memory, at most one byte in so many for them */
#define CORE_PRESENCE_BYTES 512u /* one slot and its index entries, at most */
#define CORE_REST_MEMORY_MS ((uint64_t)3600000) /* SPEC 4.7-1 */
#define CORE_DORMANTS_MAX ((uint32_t)1 << 24)
#define PRESENCE_LEN 320u /* SPEC 4.6-1 */
#define PRESENCE_CIDS 3u  /* by which the peer of one may call us */
#define PRESENCE_IDS 4u   /* index entries of a presence */
#define CORE_HANDSHAKE_TIMEOUT_US 10000000u
#define CORE_EFFORT_MAX ((uint64_t)1 << 32)
#define CORE_WORK_TIME_US 10000000u
#define CORE_EFFORT_LOG2_MAX 24u /* what a server asks for by default, at most */
#define CORE_PEER_MEMORY_MAX ((size_t)64 << 20)
#define CORE_CONFIRM_DELAY_US 5000u /* SPEC 1.4-2 */
#define CORE_REPLIES_MAX 256u       /* stateless answers waiting for the socket; more are dropped */
#define CORE_COOKIES_MAX ((size_t)1 << 19)
#define CORE_COOKIES_PART 8u  /* of the memory, at most one in so many bytes for them */
#define CORE_COOKIE_BYTES 72u /* one entry and its buckets */
#define CORE_SOLVES_MAX ((size_t)2048)
#define CORE_PATH_PART 16384u /* one path that nobody uses is remembered for so much memory */
#define CORE_SOLVES_PART 32u
#define CORE_SOLVE_BYTES 1536u
#define CORE_SOLVES_AT_ONCE 6u /* whose curves are computed in one go: about 2 ms */
#define CORE_WORK_TRIES 2048u  /* of proof of work in one go: about a millisecond */
#define CORE_CIDS_MAX 16u
#define CORE_PINGS_MAX 4096u
#define CORE_TRAIN_MAX 65536u
#define CORE_SPARE_PART 32u /* of the places for sessions, one in so many is kept free */
#define CORE_EVICT_MIN ((size_t)256 << 10) /* who holds less is no help when memory is short */
#define CORE_COMING_PART 4u   /* one place in so many, at most, waits for a client's first packet */
#define CORE_COMING_MIN 64u   /* but so many may always */
#define CORE_LATE_US 2000000u /* a client that is there has answered CONFIRM by then */
#define CORE_PLACES 256u      /* buckets of clients' sessions by address; 2^n */
#define CORE_UNREAD_US 600000000u
#define CORE_LOOK_US 30000000u /* SPEC 4.3-3 */
#define CORE_LIFETIME_MS_MAX ((uint64_t)1 << 40)
#define CORE_RUN_MAX 64u /* datagrams of one session handed over in one call */

#define CORE_GROUP_CALLS_MAX 64u

enum session_state {
    SESSION_CALLING,    /* client: the handshake is under way */
    SESSION_CONFIRMING, /* server: SOLVE accepted, CONFIRM not sent */
    SESSION_OPEN,       /* packets can be sealed and opened */
    SESSION_ENDED,      /* only kept for what the application has not read */
    SESSION_STATES,
};

/* What we show to the peer of a session. Sessions that show another thing are never mixed up. */
enum shown { SHOWN_FOR_PEER = 0, SHOWN_NOBODY = 1, SHOWN_OWN = 2 };
#define SHOWN_IN_GROUP 4u /* added to it: a call inside a group, which nothing else may join */

/* A server that is called inside a group. A secret. */
struct group_call {
    struct wf_invitation invitation;
    bool first_data; /* in SOLVE too */
};

#define PEER_NAME_LEN (32u + 1u)

/* What a peers table entry finds: all sessions with one key that show the same of us. */
struct peer {
    /* The key, or a hash of it and the pin; enum shown (with SHOWN_IN_GROUP). */
    uint8_t name[PEER_NAME_LEN];
    struct wf_list sessions;
    struct wf_addr said_at; /* where a message was last sent to it, if that was said */
    /* Before hint_next no HINT is acted on: for a minute after hint_at, when one last was; for
     * hint_wait_us when that one turned out to be true. */
    weft_time hint_next, hint_at;
    uint64_t hint_wait_us; /* 0: none was true in the last minute */
};

/* Something to be told by wf_core_next_event; what it is follows from what it is part of. */
enum note_kind {
    NOTE_OUTCOME,
    NOTE_BROKEN,
    NOTE_SESSION,
    NOTE_SESSION_ENDED,
    NOTE_PING,
    NOTE_WORK_REFUSED,
};
struct note {
    struct wf_link link; /* in core->notes */
    enum note_kind kind;
};

/* An ERROR frame that waits for room in the channel. */
struct refusal {
    struct wf_link link; /* in session->refusals */
    uint64_t number;     /* of the peer's message */
    uint64_t code;
    bool stops; /* and nothing more of the message is wanted */
};

struct session {
    struct wf_core *core;
    uint64_t id;
    struct wf_mem mem; /* the peer's account */
    struct wf_chan *chan;
    struct wf_hs *hs;         /* client, until done */
    struct call *call;        /* client; core_work.c */
    struct peer *peer;        /* NULL for nobody */
    struct wf_link rank_link; /* in core->coming or core->idle; core_evict.c */
    struct wf_link peer_link, all_link, dirty_link, noisy_link, calling_link, due_link, place_link;
    struct wf_heap_node timer;
    enum session_state state;
    enum wf_role role;
    bool nobody;     /* the peer did not show a key */
    bool limited;    /* inside a group */
    bool holds_data; /* client: SOLVE carries no message. SPEC 1.10-11 */
    uint8_t group;   /* server: which one */
    bool maybe_sent; /* some data may have reached the peer */
    bool told;       /* a SESSION event was listed */
    uint8_t key[32]; /* the peer's */
    bool has_pin, learned;
    struct wf_pin pin; /* given with the call */
    struct wf_addr remote, local;
    uint8_t cids[CORE_CIDS_MAX][WF_CID_LEN]; /* by which the peer may call us */
    size_t cid_count;
    uint64_t ticket; /* server, until confirmed */
    bool has_ticket;
    size_t solve_room; /* frames that fit the CONFIRM */
    weft_time confirm_at;
    weft_time fold_at;     /* while it is in core->idle: when folding is tried */
    bool asks;             /* doubted because it was silent for long, not by a HINT */
    weft_time doubted_at;  /* a HINT said that the peer has lost it; 0: none */
    weft_time doubt_until; /* then it is decided; WEFT_TIME_NEVER: when the new one stands */
    size_t unanswered;     /* whole messages of SOLVE that wait for a reply */
    weft_time created;
    size_t charged;   /* bytes the application holds for messages of the peer */
    uint64_t cut_off; /* messages */
    uint64_t handshake_us, handshake_packets;
    struct wf_list messages; /* struct message, both directions */
    struct wf_list pings;
    struct wf_list refusals;
    struct note begun, ended;
    weft_err end_err;
    uint64_t end_code;
};

/* What only a session has that we call. */
struct call {
    struct session *session;
    struct wf_hs *before;     /* the attempt before, whose CONFIRM may still come */
    struct wf_link work_link; /* in core->work_new or core->work_taken */
    uint64_t work_id;         /* while it is in one of them */
    struct wf_hs_price price; /* that the handshake had in the end */
    struct note refused;      /* because of it */
};

struct message {
    struct session *session; /* NULL once the session is gone */
    uint64_t id, number;
    bool incoming;
    struct wf_link link; /* in session->messages */
    void *user;
    struct note note;
    struct refusal refusal;
    bool is_gone; /* freed but for its refusal */
    weft_err err;
    uint64_t code;
    struct wf_heap_node timer; /* when it expires */
    struct wf_link watch_link; /* in core->watched; core_stall.c */
    weft_time looked_at;       /* last */
    uint64_t progress;         /* where it was then */
    uint64_t stalled_looks;    /* in a row that found it there */
    /* outgoing */
    bool expect_reply, open_ended, delivered, has_outcome;
    enum wf_core_outcome outcome;
    uint64_t reply_id; /* the incoming reply, 0: none yet */
    uint64_t regards;  /* number of the peer's message that it answers, 0: none */
    uint64_t packets, resent, handshake_us;
    bool called; /* it waited for the handshake */
    /* incoming */
    uint64_t reply_to_id; /* our message that it answers, 0: none */
    bool whole;           /* its end was seen by the application */
    bool broken, early;
    size_t charged; /* of session->charged */
};

struct ping {
    struct wf_link link; /* in session->pings */
    struct session *session;
    void *user;
    struct wf_heap_node timer;
    struct note note;
    weft_err err;
    uint64_t rtt_us, handshake_us;
};

/* Those of them that a file holds; core_dormant.c */
struct dormants {
    struct sleeper **blocks;
    size_t block_room;
    uint32_t rows, free_row; /* made so far; first of those that hold nothing */
    uint32_t oldest, newest;
    uint32_t count;
    struct wf_index index;
    weft_time retry_at; /* the file took nothing: not before this */
};

/* Sessions at rest; core_fold.c */
struct presence_scratch;
struct presences {
    struct wf_vault *vault; /* NULL: there was none yet, as with the other pointers */
    struct wf_index index;  /* by connection id and by the peer's name */
    uint8_t key[16];        /* of its hashes */
    struct wf_secret_arena *arena;
    struct presence_scratch *scratch;
    uint8_t *packet;         /* one that is tried */
    uint32_t oldest, newest; /* slots */
    struct dormants file;
};

struct reply {
    struct wf_addr to, from;
    size_t len;
    uint8_t data[WF_SOLVE_MAX];
};

struct wf_core {
    struct wf_core_config config;
    struct wf_mem *mem;
    const struct wf_rng *rng;
    weft_time started, now; /* now: of the last datagrams or tick */
    struct wf_secret_arena *identity_arena;
    struct wf_identity *identity;
    struct wf_secret_arena *secrets; /* struct wf_keys of every session */
    struct wf_aead *aead;
    uint8_t statement[WF_STATEMENT_MAX]; /* config.statement borrows from here */
    struct wf_adm *adm;
    struct wf_secret_arena *group_arena;
    struct group_call *group_calls[CORE_GROUP_CALLS_MAX];
    size_t group_call_count;
    struct wf_adm_result *result; /* scratch of wf_adm_recv and wf_adm_next */
    struct wf_table sessions;     /* by connection id */
    struct wf_table peers;        /* by struct peer.name */
    struct wf_pipes pipes;        /* what sessions between the same addresses share */
    struct wf_table messages;     /* by id */
    struct wf_table numbers;      /* by session, number and direction */
    struct wf_heap timers;        /* of sessions */
    struct wf_heap expiries;      /* of messages */
    struct wf_heap ping_timers;
    struct wf_list all, dirty, noisy, calling, notes;
    struct wf_list urgent;  /* as dirty: those that have something urgent to send */
    bool urgent_went;       /* the last train was of one of them */
    struct wf_list watched; /* messages of both directions, by when they were last looked at */
    struct wf_list places[CORE_PLACES]; /* clients' sessions that stand, for HINTs */
    uint8_t place_key[16];
    weft_time hint_free_at; /* the bucket of HINTs is full again */
    struct wf_list coming;  /* sessions whose clients have sent no packet yet, oldest first */
    struct wf_list idle;    /* with nothing under way, longest first */
    struct presences rest;
    struct reply *replies; /* ring of CORE_REPLIES_MAX */
    size_t reply_first, reply_count;
    uint64_t next_session, next_message;
    size_t ping_count;
    struct wf_list work_new, work_taken; /* calls whose work somebody else does */
    uint64_t work_last_id;
    uint64_t work_rate[WF_WORK_ALGS]; /* tries a second; 0: not known */
    bool shut;
    struct message *taken; /* freed at the next call: its outcome was just taken */
    struct ping *taken_ping;
    struct session *taken_session;
    struct wf_core_stats stats;
    weft_time clock_at;   /* never steps back */
    uint64_t clock_shift; /* by which it is ahead of the owner's */
};

/* core_session.c */
struct session *session_new(struct wf_core *c, weft_time now, enum wf_role role);
/* Without connection id and channel, and not counted. */
struct session *session_blank(struct wf_core *c, weft_time now, enum wf_role role);
struct wf_chan_config session_chan_config(struct session *s);
void session_free(struct session *s);
weft_err session_call(struct wf_core *c, weft_time now, const struct wf_core_send_params *p,
                      struct session **out);
weft_err session_call_new(struct wf_core *c, weft_time now, const struct wf_core_send_params *p,
                          struct session **out);
weft_err session_bind_peer(struct session *s, const uint8_t key[32], unsigned shown);
/* The owner named another key than the one that was called. */
weft_err session_learn(struct session *s, const uint8_t key[32], uint64_t version);
weft_err session_add_cid(struct session *s, const uint8_t cid[WF_CID_LEN]);
void session_drop_cid(struct session *s, const uint8_t cid[WF_CID_LEN]);
void session_touch(struct session *s);
void session_end(struct session *s, weft_err err, uint64_t code);
void session_release_if_done(struct session *s);
void session_enter(struct session *s, enum session_state next);
void session_begun(struct session *s, weft_time now);

/* core_clock.c */
weft_time core_time(struct wf_core *c, weft_time now);
weft_time core_time_outside(const struct wf_core *c, weft_time at);

/* core_net.c */
void core_answer(struct wf_core *c, const struct wf_addr *to, const struct wf_addr *from,
                 weft_span bytes);

/* core_group.c */
const struct group_call *group_call_of(const struct wf_core *c, const uint8_t key[32]);
void group_free(struct wf_core *c);

/* core_shard.c */
bool shards_are_sound(const struct wf_core_shards *s);
void shard_forward(struct wf_core *c, uint8_t shard, const struct wf_datagram *d, weft_span packet);
bool shard_takes_id(struct wf_core *c, const struct wf_datagram *d, weft_span packet,
                    const uint8_t id[WF_CID_LEN]);
bool shard_takes_echo(struct wf_core *c, const struct wf_datagram *d, weft_span packet);

/* core_hint.c */
void hint_answer(struct wf_core *c, weft_time now, const struct wf_datagram *d, weft_span packet);
void hint_recv(struct wf_core *c, weft_time now, const struct wf_datagram *d, weft_span packet);
void hint_place(struct session *s);
void hint_heard(struct session *s);
void hint_tick(struct session *s, weft_time now);
void hint_review(struct session *s);

void hint_ask(struct session *s, weft_time now);

/* core_fold.c */
enum presence_found {
    PRESENCE_UNKNOWN,
    PRESENCE_SLEEPS, /* the packet does not wake it */
    PRESENCE_AWAKE,
};
void presences_init(struct wf_core *c);
void presences_deinit(struct wf_core *c);
/* True: the session is a presence now, and no session any more. */
bool presence_fold(struct session *s, weft_time now);
bool presence_tick_session(struct session *s, weft_time now);
weft_time presence_fold_at(const struct session *s);
/* Wakes the presence with this connection id when the packet opens; it is not taken. */
enum presence_found presence_recv(struct wf_core *c, weft_time now, const uint8_t cid[WF_CID_LEN],
                                  const struct wf_chan_packet *packet, struct session **out);
/* Wakes the newest presence with this peer; NULL: there is none, or no room. can_call: rather a new
 * session than a stale one. */
struct session *presence_call(struct wf_core *c, weft_time now, const uint8_t name[PEER_NAME_LEN],
                              bool can_call);
weft_time presences_deadline(const struct wf_core *c);
void presences_tick(struct wf_core *c, weft_time now);
void presences_shed(struct wf_core *c, weft_time now); /* some, for their memory */
void presences_clear(struct wf_core *c);
size_t presences_count(const struct wf_core *c);
size_t presences_bytes(const struct wf_core *c);
const char *presences_check(const struct wf_core *c);

/* core_stats.c: what a session counted is added to the totals, when it goes or when somebody looks.
 */
void core_count(struct wf_core_stats *to, const struct session *s);

/* core_hs.c */
void hs_progress(struct session *s, weft_time now);
void hs_confirm(struct session *s, weft_time now, weft_span packet);
void accept_solve(struct wf_core *c, weft_time now);
void refuse_solve(struct wf_core *c, uint64_t ticket, const struct wf_addr *to,
                  const struct wf_addr *from);
bool confirm_send(struct session *s, weft_time now, uint8_t *buf, struct wf_send *out);
bool confirm_is_due(const struct session *s, weft_time now);
struct wf_params core_params(const struct wf_core *c);
uint64_t core_wall_ms(const struct wf_core *c, weft_time now);

/* core_work.c */
weft_err call_new(struct session *s);
void call_end(struct session *s);
void call_free(struct session *s);
void work_tell_refused(const struct call *call, struct wf_core_event *out);
void work_review(struct session *s);
bool work_is_ours(const struct session *s);
void work_end_if_idle(struct session *s);
void call_again(struct session *s, weft_time now);

/* core_message.c */
struct message *message_new(struct session *s, bool incoming, uint64_t number);
void message_free(struct wf_core *c, struct message *m);
struct message *message_get(const struct wf_core *c, uint64_t id, bool incoming);
struct message *message_by_number(const struct session *s, bool incoming, uint64_t number);
void message_outcome(struct wf_core *c, struct message *m, enum wf_core_outcome outcome,
                     weft_err err, uint64_t code);
void message_broken(struct wf_core *c, struct message *m, weft_err err, uint64_t code);
void message_session_lost(struct wf_core *c, struct message *m, weft_err err, uint64_t code);
void message_move(struct message *m, struct session *to);
void message_expire(struct wf_core *c, struct message *m);
weft_err code_to_err(uint64_t code);

/* core_evict.c */
void session_rank(struct session *s);
bool session_is_ranked(const struct session *s); /* as it should be */
void evict_for_room(struct wf_core *c, weft_time now, const struct session *newest);
void evict_for_memory(struct wf_core *c, weft_time now);

/* core_stall.c */
void stall_watch(struct message *m);
weft_time stall_deadline(const struct wf_core *c);
void stall_tick(struct wf_core *c, weft_time now);

/* core_refuse.c */
void refusal_put(struct session *s, struct message *m, const struct refusal *r);
void refusals_go_on(struct session *s);
void refusals_drop(struct session *s);

/* core_ping.c */
void ping_done(struct ping *p, weft_err err, uint64_t rtt_us);
void ping_free(struct wf_core *c, struct ping *p);
void session_pong(struct session *s, uint64_t rtt_us);
void session_start_pings(struct session *s);

/* core_event.c */
void note_put(struct wf_core *c, struct note *n, enum note_kind kind);
void core_release_taken(struct wf_core *c);

#endif
