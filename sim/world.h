/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world.h - one run: hosts with their cores, the network between them, the applications, the
 * attacker and the checks, all in virtual time. The files app.c, attack.c, check.c, host.c and
 * world.c each own a part of it; nothing here is used by more than one thread.
 *
 * Every decision follows from the seed and uses integers alone. Cores are driven only through
 * endpoint/core.h, in the order that header asks for.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "crypto/crypto.h"
#include "endpoint/core.h"
#include "sim/memory.h"
#include "sim/nonces.h"
#include "sim/rest.h"
#include "sim/scenario.h"

#define SIM_PROBES_MAX 64u
#define SIM_OPS_ALL (SIM_OPS_MAX + SIM_PROBES_MAX)
#define SIM_MESSAGES_MAX (2 * SIM_OPS_ALL)
#define SIM_FLOWS_MAX 128u
#define SIM_RING 64u
/* In every body and service name, and never in a datagram. */
#define SIM_CANARY "CaNaRy01"
#define SIM_CANARY_LEN 8u

/* Lies told on purpose, so that tests see that the checks notice. */
enum sim_lie {
    SIM_LIE_NONE,
    SIM_LIE_ALTERED_BYTE,    /* a delivered byte differs */
    SIM_LIE_DELIVERED_TWICE, /* a message comes twice */
    SIM_LIE_WRONG_SENDER,    /* a message comes from another key */
    SIM_LIE_OUTCOME_TWICE,   /* an outcome comes twice */
    SIM_LIE_NO_OUTCOME,      /* an outcome is swallowed */
    SIM_LIE_PLAINTEXT,       /* a body goes out in the clear */
    SIM_LIE_AMPLIFIES,       /* an unproved address gets more than it sent */
    SIM_LIE_NONCE_TWICE,     /* a key seals twice under one number */
    SIM_LIE_TIMER_STUCK,     /* a deadline in the past that never goes */
    SIM_LIE_CHATTERS,        /* datagrams when nothing is to be said */
    SIM_LIE_LEAKS,           /* memory that is not given back */
    SIM_LIE_ALLOCATES,       /* memory taken on a stranger's word */
    SIM_LIES,
};

struct sim_host {
    uint32_t index;
    const struct sim_host_plan *plan;
    struct wf_mem mem;
    struct wf_rng_seeded rng;
    struct wf_prng prng; /* of its latencies and failing allocations */
    uint8_t seed[32], key[32];
    struct wf_core *core; /* NULL: it is down */
    struct sim_rest rest; /* its file of peers at rest */
    bool shut;            /* its end has begun; when the core is quiet it goes */
    bool boots_again;     /* and a new one comes */
    weft_time shut_until; /* by then it has to be quiet */
    uint32_t boots;
    uint64_t stopped_us; /* how long its clock stood still so far */
    bool still, still_clock;
    weft_time still_since;
    struct sim_packet *rx_first, *rx_last;
    size_t rx_bytes;
    bool wake_armed;
    weft_time timer_at; /* armed; WEFT_TIME_NEVER: none */
    weft_time busy_at;  /* of the last tick, and how many came at that time */
    unsigned busy_count;
    uint64_t datagrams_out, bytes_out;
};

/* One message that was or will be sent: the truth the checks compare with. */
struct sim_message {
    uint32_t index; /* its place in world->messages, and its name inside bodies and services */
    uint32_t from, to;
    const struct sim_message_plan *plan;
    struct sim_op *op;
    bool is_reply;
    /* the sender's side */
    bool sent; /* the core took it */
    uint32_t sender_boot;
    uint64_t out_id;
    uint64_t written;
    bool ended, write_stopped, write_waits;
    bool cancelled;
    enum wf_core_outcome outcome; /* 0: none yet */
    weft_err err;
    uint64_t code;
    /* the receiver's side */
    bool arrived;
    uint32_t receiver_boot;
    uint64_t in_id;
    uint64_t read;
    bool complete, broken, released, read_waits;
};

#define SIM_FOREIGN_MAX 256u
/* A message of the traitor that is not what any application sent. */
struct sim_foreign {
    uint32_t host, boot;
    uint64_t id;
};

/* What a host and an address have exchanged. */
struct sim_flow {
    uint32_t host;
    struct wf_addr remote;
    uint64_t in, out;
    bool proved, answered;
};

enum sim_phase {
    SIM_PHASE_FAULTS,
    SIM_PHASE_HEALED, /* until everything has ended */
    SIM_PHASE_SETTLING,
    SIM_PHASE_SILENT,
    SIM_PHASE_SHUT,
    SIM_PHASE_DONE,
};

struct sim_options {
    uint64_t seed;
    uint64_t without; /* classes that stay off */
    FILE *text;
    enum sim_lie lie;
};

struct sim_world {
    struct sim_scenario plan;
    struct sim_options options;
    struct sim_log log;
    struct sim_queue queue;
    struct sim_net net;
    struct sim_nonces nonces;
    struct sim_host hosts[SIM_HOSTS_MAX];
    struct sim_op ops[SIM_OPS_ALL];
    bool ping_waits[SIM_OPS_ALL];
    uint32_t ping_boot[SIM_OPS_ALL];
    size_t op_count;
    struct sim_message messages[SIM_MESSAGES_MAX];    /* 2 * op, and one more for its reply */
    struct sim_fault late_faults[SIM_FAULTS_MAX * 2]; /* made at run time */
    size_t late_fault_count;
    unsigned moves[SIM_HOSTS_MAX];
    uint8_t stranger_key[32]; /* of nobody here */
    struct sim_flow flows[SIM_FLOWS_MAX];
    size_t flow_count;
    struct sim_traitor traitor;
    struct sim_foreign foreign[SIM_FOREIGN_MAX]; /* id 0: free */
    struct wf_prng attack_prng;
    struct sim_packet *ring[SIM_RING]; /* what the attacker has captured */
    size_t captured, attacks;
    uint8_t *buf; /* 65536 bytes for wf_core_send */
    enum sim_phase phase;
    bool healed, lied;
    bool wants_silence; /* it waits before the end and listens */
    bool is_hasty;      /* it ends whatever is going on */
    weft_time phase_at, deadline;
    uint64_t silent_out[SIM_HOSTS_MAX];
    weft_time now_last;
    uint64_t events, events_at_now;
    uint64_t outcomes[8], delivered_bytes, sessions, session_ends, pongs;
};

/* What a run came to. */
struct sim_report {
    bool failed;
    char failure[SIM_FAILURE_MAX];
    weft_time failed_at, ended_at;
    uint64_t hash, events, datagrams, messages, attacks, lies, seals;
    uint64_t outcomes[8], delivered_bytes, sessions, session_ends;
    uint64_t classes;
    uint32_t host_count;
    bool peers, soft;
};
void sim_run(const struct sim_options *options, struct sim_report *out);

/* --- world.c --- */
weft_time sim_now(const struct sim_world *w);
bool sim_everything_ended(struct sim_world *w, char *why, size_t why_len);
bool sim_tells(struct sim_world *w, enum sim_lie lie); /* true once, when this lie is due */

/* --- host.c --- */
void sim_host_init(struct sim_world *w, uint32_t index);
/* Makes the key that no host has. */
void sim_host_stranger(struct sim_world *w);
void sim_host_deinit(struct sim_world *w, struct sim_host *h);
void sim_host_boot(struct sim_world *w, struct sim_host *h);
void sim_host_crash(struct sim_world *w, struct sim_host *h);
/* The orderly end: the core is shut, and freed as soon as it is quiet. */
void sim_host_shut(struct sim_world *w, struct sim_host *h, bool boots_again);
void sim_host_end(struct sim_world *w, struct sim_host *h);
void sim_host_pause(struct sim_world *w, struct sim_host *h, bool clock_too);
void sim_host_resume(struct sim_world *w, struct sim_host *h);
void sim_host_arrive(struct sim_world *w, struct sim_host *h, struct sim_packet *p);
void sim_host_wake(struct sim_world *w, struct sim_host *h);
void sim_host_timer(struct sim_world *w, struct sim_host *h, weft_time at);
/* Whether messages may ride in SOLVE, where hosts talk inside a group. */
bool sim_host_first_data(uint32_t from, uint32_t to);
bool sim_host_runs(const struct sim_host *h);
weft_time sim_host_now(const struct sim_world *w, const struct sim_host *h);
/* After every call into the core: events, datagrams, deadline, checks. */
void sim_host_pump(struct sim_world *w, struct sim_host *h);

/* --- app.c --- */
void sim_app_init(struct sim_world *w);
void sim_app_op(struct sim_world *w, size_t index);
void sim_app_event(struct sim_world *w, struct sim_host *h, const struct wf_core_event *ev);
void sim_app_read(struct sim_world *w, struct sim_message *m);
void sim_app_write(struct sim_world *w, struct sim_message *m);
void sim_app_cancel(struct sim_world *w, struct sim_message *m);
/* Which message is it? A reply names our request, any other carries its name as the service. */
struct sim_message *sim_app_identify(struct sim_world *w, const struct sim_host *h,
                                     const struct wf_core_event *ev);
void sim_app_hurry(struct sim_world *w); /* the slow ones get on with it */
/* A fresh message from one host to another, to see that it arrives. */
void sim_app_probe(struct sim_world *w, uint32_t from, uint32_t to);
/* Its application is not through with what has arrived. */
bool sim_app_reads_on(const struct sim_world *w, const struct sim_host *h);
/* The host's core has come to rest after its orderly end: it must owe nothing. */
void sim_app_rests(struct sim_world *w, const struct sim_host *h);

/* --- body.c: what is inside messages --- */
void sim_body_fill(uint64_t seed, uint32_t index, uint64_t offset, uint8_t *out, size_t len);
/* Offset of the first byte that differs, or len. */
size_t sim_body_compare(uint64_t seed, uint32_t index, uint64_t offset, weft_span data);
#define SIM_SERVICE_LEN 17u
void sim_service_name(uint32_t index, uint8_t out[SIM_SERVICE_LEN]);
/* UINT32_MAX when it is none of ours. */
uint32_t sim_service_index(weft_span service);

/* --- check.c --- */
void sim_check_sent(struct sim_world *w, const struct sim_host *h, const struct sim_packet *p);
void sim_check_received(struct sim_world *w, const struct sim_host *h, const struct sim_packet *p);
void sim_check_called(struct sim_world *w, const struct sim_host *h, const struct wf_addr *remote);
void sim_check_host(struct sim_world *w, struct sim_host *h);
void sim_check_crashed(struct sim_world *w, const struct sim_host *h);
/* Nobody waits for this reply any more: the core of the one who asked takes it in and drops it. */
bool sim_is_late_reply(const struct sim_world *w, const struct sim_message *m);
void sim_check_outcome(struct sim_world *w, struct sim_message *m);
void sim_check_arrival(struct sim_world *w, const struct sim_message *m,
                       const struct wf_core_event *ev);

/* --- betrayal.c: what the others' and his own applications do about the traitor --- */
bool sim_is_traitor(const struct sim_world *w, uint32_t host);
bool sim_is_traitors_key(const struct sim_world *w, const uint8_t key[32]);
/* He is one of its ends: nothing is known of it but that it comes to one outcome. */
bool sim_is_betrayed(const struct sim_world *w, const struct sim_message *m);
/* An event at his host about what others sent, or at theirs about what he sent and nobody knows
 * of; true: it is dealt with. */
bool sim_betrayal_event(struct sim_world *w, struct sim_host *h, const struct wf_core_event *ev);

/* --- attack.c --- */
void sim_attack_init(struct sim_world *w);
void sim_attack_deinit(struct sim_world *w);
void sim_attack_see(struct sim_world *w, const struct sim_packet *p);
void sim_attack_turn(struct sim_world *w);

#endif
