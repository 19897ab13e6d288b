/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_priv.h - what the files of the node share: the core joined to a socket, a clock and the
 * application's functions.
 *
 * One rule keeps it simple: a user's function runs only from node_drain, when the core is between
 * two calls, so it may call any function of the node again. What it frees is only marked, and swept
 * when node_drain is done.
 */
#ifndef WF_ENDPOINT_NODE_PRIV_H
#define WF_ENDPOINT_NODE_PRIV_H

#include <stdatomic.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/list.h"
#include "endpoint/core.h"
#include "net/loop.h"
#include "net/resolve.h"
#include "net/signals.h"
#include "net/udp.h"
#include "weft/node.h"

#define NODE_SERVICES_MAX 64u
#define NODE_RULES_MAX 4096u
#define NODE_MESSAGE_MAX (1u << 20)
#define NODE_MEMORY_MAX ((size_t)1 << 30)
#define NODE_REACH_MS 10000u
#define NODE_TRAINS 8u /* messages handed to the kernel in one call */
#define NODE_BATCH 8u  /* messages taken from it in one call */
#define NODE_ROUNDS_MAX                                                                         \
    64u                   /* of receiving and sending in one poll, before others get their turn \
                           */
#define NODE_CHUNK 65536u /* bytes read from a body at a time */
#define NODE_SPIN_US 50u  /* looking again before sleeping: waking a sleeping core costs 20 us */
#define NODE_EVENTS_MAX 65536u

/* A body on its way out: of a message or of a reply. */
struct outflow {
    weft_body body;
    int fd;          /* of a file body, -1: none */
    uint64_t offset; /* into the file */
    uint64_t length; /* UINT64_MAX: open-ended */
    uint64_t sent;   /* bytes the core took */
    uint8_t *chunk;  /* what was read and not taken yet; also the copy of a span */
    size_t chunk_cap, chunk_at, chunk_len;
    bool at_end;  /* the body has no more than the chunk */
    bool blocked; /* the core wants no more until WRITABLE */
    bool starved; /* the reader has nothing now */
    bool done;
    weft_err err; /* reading failed: the message was cancelled */
};

/* A body on its way in that is kept whole. */
struct inflow {
    uint8_t *data;
    size_t len, cap, max;
};

struct service {
    char name[WF_SERVICE_MAX + 1];
    weft_serve_fn fn;
    void *user;
    bool is_stream;
    weft_stream_handler handler;
};

struct rule {
    bool anybody;
    weft_key key;
    char service[WF_SERVICE_MAX + 1];
};

/* What a `user` pointer of the core points to. */
struct owner {
    bool is_exchange;
};

struct weft_exchange {
    struct owner owner;
    weft_node *node;
    struct wf_link link; /* in node->exchanges */
    uint64_t id;         /* of the incoming message; 0: released in the core */
    const struct service *service;
    weft_message message;
    char service_name[WF_SERVICE_MAX + 1];
    struct inflow body;
    void *state; /* of a stream handler */
    uint64_t reply_id;
    struct outflow reply;
    bool is_open, is_over; /* the stream handler was told of its beginning; of its end */
    bool is_dispatched;    /* the whole message was handed over */
    bool is_kept, is_answered, is_paused, is_replying;
    bool is_dead; /* swept when nobody looks */
};

struct sending {
    struct owner owner;
    weft_node *node;
    struct wf_link link; /* in node->sendings */
    uint64_t handle;     /* what weft_node_send gave out */
    weft_send_params params;
    char service[WF_SERVICE_MAX + 1];
    weft_peer peer;
    struct wf_addr addrs[WF_RESOLVE_ADDRS_MAX];
    uint64_t resolve_id;
    uint64_t id;       /* in the core; 0: not there yet */
    uint64_t reply_id; /* the reply in the core, 0: none */
    struct outflow body;
    struct inflow reply;
    weft_message message; /* the reply */
    weft_outcome outcome;
    weft_time started;
    bool is_ping;
    bool is_paused, reply_over;
    bool has_outcome, is_dead;
    weft_pong_fn on_pong;
};

struct weft_node {
    struct wf_mem mem;
    struct wf_loop *loop;
    struct wf_core *core;
    struct wf_udp *udp;
    struct wf_udp_batch batch;
    struct wf_watch udp_watch;
    struct wf_timer timer;
    struct wf_waker stopper;
    struct wf_signals signals;
    struct wf_resolver *resolver;
    weft_key key;
    bool anonymous, draining, resume_all;
    atomic_bool stopped; /* set by other threads and signal handlers */
    uint64_t message_max;
    uint8_t *trains; /* NODE_TRAINS buffers of 64 KiB */
    struct wf_udp_out outs[NODE_TRAINS];
    size_t out_count, out_done;
    struct service services[NODE_SERVICES_MAX];
    size_t service_count;
    struct rule *rules;
    size_t rule_count, rule_cap;
    struct wf_list exchanges, sendings;
    struct wf_list dead_exchanges,
        dead_sendings;    /* swept when no user's function can look at them */
    struct wf_list taken; /* outcomes handed out by weft_node_events */
    uint64_t next_handle;
    weft_event *events; /* ring of what had no function to go to */
    size_t event_first, event_count;
    struct node_files
        *files; /* file.h: what is offered and where files are received; NULL: nothing */
    FILE *keylog;
    struct wf_keylog keylog_fn;
    uint64_t handshake_us; /* of the newest session */
};

/* node_io.c */
weft_err node_open_io(weft_node *n, const char *listen);
void node_close_io(weft_node *n);
void node_pump(weft_node *n);
void node_kick(weft_node *n);

/* node_drain.c */
void node_drain(weft_node *n);
void node_sweep(weft_node *n);
bool node_list_event(weft_node *n, const weft_event *e);

/* node_serve.c */
void exchange_kill(weft_exchange *x);
void exchange_event(weft_node *n, const struct wf_core_event *e);
void exchange_on_event(weft_exchange *x, const struct wf_core_event *e);
void exchange_free(weft_exchange *x);
void exchange_feed(weft_exchange *x);

/* node_send.c */
void sending_kill(struct sending *s);
void sending_on_event(struct sending *s, const struct wf_core_event *e);
void sending_feed(struct sending *s);
void sending_free(struct sending *s);
void sending_fail(struct sending *s, weft_err err);

/* node_body.c */
weft_err outflow_open(weft_node *n, struct outflow *f, const weft_body *body);
void body_drop(const weft_body *body); /* one that nobody will read */
void outflow_close(weft_node *n, struct outflow *f);
void outflow_feed(weft_node *n, struct outflow *f, uint64_t id);
weft_err inflow_add(weft_node *n, struct inflow *f, weft_span data);
void inflow_free(weft_node *n, struct inflow *f);

/* file_offer.c */
void node_files_free(weft_node *n);

/* node_reason.c */
uint64_t reason_code(weft_err err);

#endif
