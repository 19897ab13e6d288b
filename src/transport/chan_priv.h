/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_priv.h - what the files of a channel share: its struct, and the functions they call of each
 * other. The leaves (acks, sent, loss, …) know nothing of it.
 *
 *   chan.c        life, deadline, what is due             chan_out.c    outgoing messages
 *   chan_recv.c   packets in, checked and applied         chan_in.c     incoming messages
 *   chan_frame.c  what each frame does, as a table        chan_early.c  frames in the handshake
 *   chan_fate.c   acknowledged and lost, as a table       chan_cid.c    connection ids of both
 * sides chan_send.c   what goes next, and to where            chan_path.c   paths and datagram size
 *   chan_pack.c   frames into one packet                  chan_keys.c   key change
 *   chan_hint.c   tags of what was sent, for HINTs        chan_pipe.c   what is shared with others
 *   chan_clock.c  time that was slept through
 *   chan_note.c   control frames that are kept            chan_close.c  the ways it ends
 *   chan_fold.c   a channel as bytes, and back
 *   chan_event.c  what the owner is told                  chan_stats.c  figures and invariants
 *   chan_held.c   what is held, and for what
 */
#ifndef WF_TRANSPORT_CHAN_PRIV_H
#define WF_TRANSPORT_CHAN_PRIV_H

#include "transport/acks.h"
#include "transport/carrier.h"
#include "transport/chan.h"
#include "transport/ecn.h"
#include "transport/flow.h"
#include "transport/loss.h"
#include "transport/message_in.h"
#include "transport/message_out.h"
#include "transport/mtu.h"
#include "transport/path.h"
#include "transport/pipe.h"
#include "transport/pto.h"
#include "transport/schedule.h"
#include "transport/sent.h"
#include "wire/packet.h"

#define CHAN_CIDS 4u           /* connection ids kept of each side */
#define CHAN_CIDS_OURS 3u      /* of ours that the peer may use at once */
#define CHAN_CID_NEWS_MAX 16u  /* changes of ours that the owner has not been told of */
#define CHAN_TAGS 16u          /* of the last packets, at a client */
#define CHAN_CONTROL_MAX 8192u /* SPEC 4.4-4 */
#define CHAN_DATAGRAMS_MAX ((size_t)256 << 10)
#define CHAN_TEXT_MAX 255u
#define CHAN_KEEP_COUNT_MAX 16u
#define CHAN_CONFIRM_US 10000000u /* a server hears of its client by then or drops the session */
#define CHAN_RETRY_US 10000u      /* after sending failed for want of memory */

enum chan_state { CHAN_NEW, CHAN_OPEN, CHAN_CLOSING, CHAN_CLOSED };

/* Bits of what a message or the channel has to tell, lowest first. */
enum { CHAN_OUT_WRITABLE = 1, CHAN_OUT_DELIVERED = 2, CHAN_OUT_STOPPED = 4 };
enum { CHAN_IN_OPENED = 1, CHAN_IN_READABLE = 2, CHAN_IN_CANCELLED = 4 };
enum { CHAN_EVENT_CONFIRMED = 1, CHAN_EVENT_PATH = 2, CHAN_EVENT_PONG = 4 };

/* Bits of wf_sent_frame.flags for MESSAGE_DATA. */
enum { CHAN_DATA_END = 1, CHAN_DATA_OPEN = 2 };

struct chan_cid {
    bool is_set;
    uint64_t sequence;
    uint8_t cid[WF_CID_LEN];
};

struct chan_cid_news {
    bool is_old;
    uint8_t cid[WF_CID_LEN];
};

/* What we may send and have sent. */
struct chan_tx {
    struct wf_flow_out node;
    uint64_t count_limit; /* highest message number that the peer lets us open */
    uint64_t next_message;
};

/* What the peer may send and has sent. */
struct chan_rx {
    struct wf_flow_in node;
    uint64_t count_limit;
    uint64_t messages_finished;
    uint64_t highest;              /* packet number opened */
    uint8_t node_once, count_once; /* enum wf_once: CREDIT frames */
    bool is_dirty;                 /* something was consumed since credit was looked at */
};

struct chan_rekey {
    uint8_t *secret; /* client: our ephemeral while a change is going on; in the arena */
    uint8_t key[32]; /* what our REKEY carries */
    uint64_t generation;
    uint8_t once;      /* enum wf_once: REKEY */
    uint8_t early;     /* server: changes in a row that came too soon */
    uint64_t first;    /* our first number after the last change was sent or answered */
    uint64_t first_rx; /* the peer's newest number when it began */
    weft_time since;
    weft_time forget_at; /* the old receive key goes; WEFT_TIME_NEVER: there is none */
};

/* Tags of the last packets of a client: what a HINT must echo. SPEC 1.6-2 */
struct chan_tags {
    uint8_t tags[CHAN_TAGS][WF_PACKET_TAG];
    size_t count; /* of all that were noted */
};

struct chan_close {
    weft_err err;
    uint64_t code;
    uint8_t *text; /* NULL: none, or there was no memory for it */
    size_t text_len;
    bool is_due;       /* a CLOSE is to be sent */
    weft_time next_at; /* not before this */
    weft_time until;   /* CHAN_CLOSING ends */
};

struct wf_chan {
    struct wf_chan_config config;
    struct wf_mem *mem;
    enum chan_state state; /* written by chan_enter alone */
    size_t send_buffer, send_buffer_max, messages_out_max;
    bool has_peer, is_confirmed, is_closed_told;
    struct wf_params peer;

    struct wf_keys *keys;
    struct wf_replay replay;
    struct chan_rekey rekey;
    struct chan_cid ours[CHAN_CIDS], theirs[CHAN_CIDS];
    size_t theirs_now; /* index of the one in use */
    uint64_t ours_next, theirs_retired_below;
    uint64_t theirs_high, theirs_seen; /* sequences that came: bit i is theirs_high - i */
    struct chan_cid_news cid_news[CHAN_CID_NEWS_MAX];
    size_t cid_news_count;

    struct wf_acks acks;
    struct wf_sent sent;
    struct wf_rtt rtt;
    struct wf_loss loss;
    struct wf_pto pto;
    struct wf_pipe_member pipe;
    weft_time stale_at; /* its oldest bytes in flight are looked at next */
    bool is_muted;      /* its bytes were given back unacknowledged: it only probes */
    struct wf_ecn ecn;
    struct wf_mtu mtu;
    struct wf_paths paths;
    struct chan_tags *tags; /* NULL: a server's, or nothing was sent yet */

    struct chan_tx tx;
    struct chan_rx rx;
    struct wf_block_pool blocks;
    struct wf_numbers out, in;
    struct wf_growset finished; /* numbers of incoming messages that are over */
    struct wf_turns schedule;
    struct wf_list chores; /* incoming messages with STOP or CREDIT to send */
    struct wf_list notes, notes_flying;
    uint64_t note_next;
    size_t control_bytes;
    struct wf_list datagrams;
    size_t datagram_bytes;
    struct wf_sent_list early; /* what the handshake carried for us */
    bool early_done;

    struct wf_list news_in, news_out, notices;
    struct notice *notice_taken;
    size_t notice_bytes;
    uint8_t events;
    weft_time ack_at; /* time of the ACK whose frames are walked */
    uint64_t pong_rtt_us;
    uint8_t pong_once;  /* enum wf_once: the PING of wf_chan_ping */
    bool pong_again;    /* asked for while one was flying */
    uint8_t keep_count; /* times that silence was asked about since bytes or credit came */

    bool was_dark;      /* nothing came or went for a while; no ack came since */
    bool ack_is_copied; /* what is due to be acknowledged was told to the leading candidate */
    uint8_t challenge_seen[WF_PATH_TOKEN_LEN]; /* the last one that came */
    bool must_send;            /* a packet that needs an ack must go, whatever is in it */
    bool asks_only;            /* the probe carries no data */
    uint32_t probes;           /* packets that may go beyond window and pacing */
    bool was_full;             /* the last train filled its packets: a larger datagram would help */
    uint64_t mtu_probe_number; /* of the newest probe of the datagram size; 0: none */
    weft_time wait_at;         /* the pacer lets something go then */
    weft_time retry_at;        /* memory is asked for again */
    weft_time tried_at;        /* wf_chan_send was last called */
    weft_time heard_at;        /* last packet that opened, or start */
    weft_time busy_at;         /* since when something is under way; WEFT_TIME_NEVER: nothing is */
    bool is_awaited;           /* the owner waits for something of the peer */
    bool is_asking;            /* messages wait for the peer's answer. SPEC 4.6-9 */
    weft_time heard_before;    /* the one before it */
    weft_time timeout_at;      /* the last probe timeout */
    weft_time started_at;
    weft_time due_at; /* what the owner was told at rest; not before that moment */
    struct chan_close close;
    struct wf_chan_stats stats;
};

/* What a frame's handler says. */
enum chan_verdict {
    CHAN_OK,
    CHAN_LOST,     /* no memory or no room: the packet is as if it had never come */
    CHAN_PROTOCOL, /* the session closes with code 1 */
    CHAN_LIMIT,    /* the session closes with code 2 */
};

/* A packet whose frames are looked at. */
struct chan_incoming {
    weft_time now;
    uint64_t number;
    bool is_early, needs_ack;
    bool is_urgent;        /* the peer measures: it is answered at once */
    uint64_t apart_number; /* the message of the last DATA frame */
    size_t apart;          /* pieces of it in a row that touch nothing that is there */
    struct wf_addr from;
};

/* chan.c */
void chan_enter(struct wf_chan *c, enum chan_state next);
void chan_credit_due(struct wf_chan *c);
void chan_detect_loss(struct wf_chan *c, weft_time now);
void chan_probe(struct wf_chan *c);
void chan_look_busy(struct wf_chan *c, weft_time now);

/* chan_fold.c */
bool chan_is_under_way(const struct wf_chan *c);

/* chan_frame.c */
enum chan_verdict chan_frames_check(struct wf_chan *c, struct chan_incoming *in, weft_span frames);
enum chan_verdict chan_frames_apply(struct wf_chan *c, struct chan_incoming *in, weft_span frames);
void chan_act_on(struct wf_chan *c, weft_time now, enum chan_verdict v);

/* chan_fate.c */
enum chan_verdict chan_on_ack(struct wf_chan *c, weft_time now, const struct wf_frame_ack *ack);
void chan_on_lost(struct wf_chan *c, weft_time now, struct wf_fates *lost);
void chan_fates_acked(struct wf_chan *c, weft_time now, const struct wf_sent_list *frames);
void chan_fates_lost(struct wf_chan *c, const struct wf_sent_list *frames);

/* chan_out.c */
struct wf_message_out *chan_out_get(const struct wf_chan *c, uint64_t number);
void chan_out_free(struct wf_chan *c, struct wf_message_out *m);
void chan_out_place(struct wf_chan *c, struct wf_message_out *m);
void chan_out_learn(struct wf_chan *c);
void chan_out_stop(struct wf_chan *c, struct wf_message_out *m, uint64_t code);
void chan_out_credit(struct wf_chan *c, struct wf_message_out *m, uint64_t limit);
void chan_out_fate(struct wf_chan *c, const struct wf_sent_frame *f, bool is_acked);

/* chan_in.c */
bool chan_in_is_finished(const struct wf_chan *c, uint64_t number);
void chan_in_chore(struct wf_chan *c, struct wf_message_in *m);
enum chan_verdict chan_in_open(struct wf_chan *c, const struct chan_incoming *in,
                               const struct wf_frame_open *f);
enum chan_verdict chan_in_data(struct wf_chan *c, const struct chan_incoming *in,
                               const struct wf_frame_data *f);
enum chan_verdict chan_in_data_check(struct wf_chan *c, struct chan_incoming *in,
                                     const struct wf_frame_data *f);
enum chan_verdict chan_in_cancel(struct wf_chan *c, const struct chan_incoming *in,
                                 const struct wf_frame *f);
void chan_in_let_go(struct wf_chan *c, struct wf_message_in *m);
void chan_in_free(struct wf_chan *c, struct wf_message_in *m);
void chan_in_fate(struct wf_chan *c, const struct wf_sent_frame *f, bool is_acked);

/* chan_note.c: control frames whose content cannot be made again from state */
bool chan_note_put(struct wf_chan *c, const struct wf_frame *f, const struct wf_addr *to);
void chan_notes_deinit(struct wf_chan *c);
const struct wf_frame *chan_note_first(const struct wf_chan *c, const struct wf_addr *to,
                                       uint64_t *id);
const struct wf_frame *chan_note_answer(struct wf_chan *c, const struct wf_addr **to, uint64_t *id);
void chan_note_sent(struct wf_chan *c, uint64_t id);
void chan_note_fate(struct wf_chan *c, uint64_t id, bool is_acked);
weft_span chan_datagram_first(const struct wf_chan *c);
void chan_datagram_sent(struct wf_chan *c);

/* chan_cid.c */
void chan_cids_issue(struct wf_chan *c);
const uint8_t *chan_cid_tx(const struct wf_chan *c);
void chan_cid_change(struct wf_chan *c);
bool chan_cid_event(struct wf_chan *c, struct wf_chan_event *out);
enum chan_verdict chan_cid_new(struct wf_chan *c, const struct wf_frame *f);
enum chan_verdict chan_cid_retire(struct wf_chan *c, uint64_t sequence);

/* chan_keys.c */
weft_err chan_keys_start(struct wf_chan *c, weft_time now, const struct wf_session_secrets *s);
void chan_keys_deinit(struct wf_chan *c);
void chan_keys_maybe_change(struct wf_chan *c, weft_time now);
void chan_keys_new_phase(struct wf_chan *c, weft_time now);
enum chan_verdict chan_keys_on_rekey(struct wf_chan *c, weft_time now, const struct wf_frame *f);

/* chan_clock.c */
void chan_rest(struct wf_chan *c, weft_time now);
void chan_wake(struct wf_chan *c, weft_time now);

/* chan_path.c */
void chan_path_event(struct wf_chan *c, weft_time now, enum wf_path_event e);
void chan_path_fix_size(struct wf_chan *c);
void chan_path_here(struct wf_chan *c, weft_time now, const struct wf_path_packet *k);
void chan_path_challenged(struct wf_chan *c, const struct chan_incoming *in,
                          const uint8_t token[WF_PATH_TOKEN_LEN]);

/* chan_pipe.c */
bool chan_pipe_join(struct wf_chan *c, weft_time now);
void chan_pipe_move(struct wf_chan *c, weft_time now, bool keeps);
void chan_mtu_changed(struct wf_chan *c, weft_time now);
void chan_pipe_update(struct wf_chan *c, weft_time now);
void chan_pipe_restart(struct wf_chan *c, weft_time now);
void chan_pipe_release(struct wf_chan *c, weft_time now);
void chan_pipe_lost(struct wf_chan *c, weft_time now, const struct wf_fates *lost);
void chan_pipe_spurious(struct wf_chan *c, const struct wf_fates *acked);
void chan_pipe_acked(struct wf_chan *c, weft_time now, const struct wf_fates *acked,
                     const struct wf_fates *lost, uint64_t marks);

/* chan_hint.c */
void chan_tags_note(struct wf_chan *c, const struct wf_seal *seals, size_t count);

/* chan_pack.c: one packet being built */
enum chan_pack_messages { CHAN_PACK_ALL, CHAN_PACK_MAIN, CHAN_PACK_BACKGROUND };
struct chan_pack {
    struct wf_chan *c;
    enum chan_pack_messages messages; /* whose bytes may be in it */
    weft_time now;
    struct wf_writer w; /* its frames */
    struct wf_sent_list frames;
    const struct wf_addr *to; /* the path it goes to */
    bool may_data;            /* frames that need an ack may be added */
    bool needs_ack, has_ack;
    bool is_full;          /* something did not fit */
    bool is_out_of_memory; /* for the record of a frame */
};
bool chan_pack_put(struct chan_pack *p, const struct wf_frame *f, const struct wf_sent_frame *s);
void chan_pack_fill(struct chan_pack *p);
void chan_pack_ack(struct chan_pack *p);
void chan_pack_notes(struct chan_pack *p);
void chan_pack_messages(struct chan_pack *p);
bool chan_pack_has_main(struct wf_chan *c);
bool chan_pack_has_background(const struct wf_chan *c);

/* chan_send.c */
uint64_t chan_credit_rtt(const struct wf_chan *c);

/* chan_close.c */
void chan_fail(struct wf_chan *c, weft_time now, weft_err err, uint64_t code);
void chan_end(struct wf_chan *c, weft_err err, uint64_t code, weft_span text);
void chan_close_on_packet(struct wf_chan *c, weft_time now);

/* chan_event.c */
void chan_out_tell(struct wf_chan *c, struct wf_message_out *m, uint8_t event);
void chan_in_tell(struct wf_chan *c, struct wf_message_in *m, uint8_t event);
bool chan_notice(struct wf_chan *c, const struct wf_chan_event *e);
void chan_events_deinit(struct wf_chan *c);

#endif
