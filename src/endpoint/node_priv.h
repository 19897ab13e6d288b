/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_priv.h - what the files of the node share: the core joined to a socket, a clock and the
 * application's functions.
 *
 * One rule keeps it simple: a user's function runs only when the core is between two calls, mostly
 * from node_drain, so it may call the functions of the node again, all but those that run it
 * (`busy`). What is over is only marked, and swept when node_drain is done: nothing that a function
 * on the stack looks at is freed under it, and no list that is walked loses an element.
 */
#ifndef WF_ENDPOINT_NODE_PRIV_H
#define WF_ENDPOINT_NODE_PRIV_H

#include <stdatomic.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/list.h"
#include "endpoint/core.h"
#include "endpoint/rest_file.h"
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
#define NODE_TRAINS 8u         /* long messages handed to the kernel in one call */
#define NODE_OUTS 64u          /* messages of any length */
#define NODE_BATCH 8u          /* messages taken from it in one call */
#define NODE_BATCH_SMALL 32u   /* as long as they are small: then calls are what costs */
#define NODE_SMALL_BYTES 2048u /* a message, on average */
#define NODE_ROUNDS_MAX                                                       \
    64u /* of receiving and sending in one poll, before others get their turn \
         */
#define NODE_WORK_MS 10000u
#define NODE_CHUNK 65536u /* bytes read from a body at a time */
#define NODE_SPIN_US 50u  /* looking again before sleeping: waking a sleeping core costs 20 us */
#define NODE_EVENTS_MAX 65536u

/* What a `user` pointer of the core points to. */
struct owner {
    bool is_exchange;
};

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
    /* In node->unfed while the core would take more than one go hands it: no event says so. */
    struct wf_link unfed_link;
    struct owner *owner;
};

/* A body on its way in that is kept whole. */
struct inflow {
    uint8_t *data;
    size_t len, cap, max;
    uint64_t charged_to; /* the message in the core whose peer it counts for; 0: none */
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

struct weft_exchange {
    struct owner owner;
    weft_node *node;
    struct wf_link link;        /* in node->exchanges, until it is freed */
    struct wf_link end_link;    /* in node->dead_exchanges or node->taken_exchanges */
    struct wf_link resume_link; /* in node->resumed */
    uint64_t id;                /* of the incoming message; 0: released in the core */
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
    bool is_pulling; /* its function is looking at bytes of the core */
    bool is_let_go;  /* so the core keeps the message until that returns, and is then told ... */
    uint64_t let_go_code;
    weft_err refused; /* with this */
    weft_err failed;  /* a reply could not be made, for this reason */
    bool is_listed;   /* as an event: it lives until the next call of weft_node_events */
    bool is_dead;     /* swept when nobody looks */
};

struct sending {
    struct owner owner;
    weft_node *node;
    struct wf_link link;      /* in node->sendings, until it is freed */
    struct wf_link end_link;  /* in node->dead_sendings or node->taken */
    struct wf_link fail_link; /* in node->failed */
    uint64_t handle;          /* what weft_node_send gave out */
    weft_send_params params;
    char service[WF_SERVICE_MAX + 1];
    weft_peer peer;
    const struct node_pin *pin; /* of the name that was given for the key, or NULL */
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
    bool has_place; /* counted in node->outcomes_due */
    bool has_outcome, is_dead;
    weft_err failed;    /* it never reached the core, and will be told so */
    weft_err reply_err; /* the reply could not be kept, so the message was cancelled */
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
    struct wf_rest_file *rest_file; /* NULL: there is none */
    weft_key key;
    bool anonymous, show_own_key, draining, resume_all;
    atomic_bool stopped; /* set by other threads and signal handlers */
    uint64_t message_max;
    uint8_t *trains; /* room for NODE_TRAINS of 64 KiB, or for many small datagrams */
    struct wf_udp_out outs[NODE_OUTS];
    size_t out_count, out_done, out_bytes;
    struct service services[NODE_SERVICES_MAX];
    size_t service_count;
    struct rule *rules;
    size_t rule_count, rule_cap;
    bool running;  /* weft_node_run */
    unsigned busy; /* calls of the API on the stack that may run a user's function */
    bool closing;
    struct wf_list exchanges, sendings; /* all of them, until they are freed */
    struct wf_list dead_exchanges,
        dead_sendings;                     /* swept when no user's function can look at them */
    struct wf_list taken, taken_exchanges; /* over, and handed out by weft_node_events */
    struct wf_list resumed;                /* exchanges to be fed again */
    struct wf_list unfed;                  /* outflows whose go ended before their owner's bytes */
    struct wf_list failed;                 /* sendings that will be told so */
    uint64_t next_handle;
    weft_event *events; /* ring of what had no function to go to */
    size_t event_first, event_count;
    struct wf_list pins; /* struct node_pin */
    size_t outcomes_due; /* places of the ring that are promised to outcomes */
    struct node_files
        *files; /* file.h: what is offered and where files are received; NULL: nothing */
    FILE *keylog;
    struct wf_keylog keylog_fn;
    uint64_t handshake_us;  /* of the newest session */
    struct node_work *work; /* node_work.c; NULL: none was asked yet */
    uint64_t work_time_us;
    weft_work_fn on_work;
    void *on_work_user;
};

/* node_io.c */
weft_err node_open_io(weft_node *n, const char *listen);
void node_close_io(weft_node *n);
void node_pump(weft_node *n);
void node_kick(weft_node *n);

/* node_drain.c */
void node_drain(weft_node *n);
void node_sweep(weft_node *n);
weft_err node_make_events(weft_node *n);
bool node_list_event(weft_node *n, const weft_event *e);

/* node_serve.c */
void exchange_kill(weft_exchange *x);
void exchange_event(weft_node *n, const struct wf_core_event *e);
void exchange_on_event(weft_exchange *x, const struct wf_core_event *e);
void exchange_free(weft_exchange *x);
void exchange_feed(weft_exchange *x);
void exchange_end(weft_exchange *x, weft_err err);
void exchange_go_on(weft_exchange *x);

/* node_send.c */
void sending_kill(struct sending *s);
void sending_on_event(struct sending *s, const struct wf_core_event *e);
void sending_feed(struct sending *s);
void sending_free(struct sending *s);
void sending_fail(struct sending *s, weft_err err);
void sending_close(struct sending *s);
void sending_fail_later(struct sending *s, weft_err err);

/* node_body.c */
size_t outflow_size(const weft_body *body); /* bytes that are held for it */
weft_err outflow_open(weft_node *n, struct outflow *f, const weft_body *body);
void body_drop(const weft_body *body); /* one that nobody will read */
void outflow_close(weft_node *n, struct outflow *f);
void outflow_feed(weft_node *n, struct outflow *f, uint64_t id, struct owner *owner);
weft_err inflow_add(weft_node *n, struct inflow *f, weft_span data);
void inflow_free(weft_node *n, struct inflow *f);

/* file_offer.c */
void node_files_free(weft_node *n);

/* pin.c */
struct node_pin;
void node_pins_free(weft_node *n);
/* A key or a pinned name, with an address or without; *pin is NULL for a key. */
weft_err node_peer_parse(const weft_node *n, const char *text, weft_peer *out,
                         const struct node_pin **pin);
void node_pin_use(const struct node_pin *p, struct wf_pin *out, uint8_t key[32]);
void node_pin_learned(weft_node *n, const struct wf_core_event *e);

/* node_work.c */
void node_work_review(weft_node *n);
void node_work_refused(weft_node *n, const struct wf_core_event *e);
void node_work_free(weft_node *n);

/* node_reason.c */
uint64_t reason_code(weft_err err);

/* node_group.c */
weft_grade grade_of(const struct wf_core_event *e);

#endif
