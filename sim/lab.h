/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab.h - a laboratory in virtual time: flows of real endpoints that share one bottleneck, measured
 * in integers. A scenario says what is there and what happens; one call runs it.
 *
 *   client --access--> [ up: rate, queue, faults ] --> server
 *   client <--access-- [ down:     the same      ] <-- server
 *
 * Each flow has a client and a server of its own (cores with real, sealed packets), or shares those
 * of another flow. Links count bytes of IP packets: what a core sends and 28 for IP and UDP.
 *
 * Everything follows from the scenario and its seed. Unset (0) fields mean what is said with them.
 */
#ifndef SIM_LAB_H
#define SIM_LAB_H

#include <stdio.h>

#include "sim/link.h"

#define LAB_FLOWS_MAX 16u
#define LAB_EVENTS_MAX 16u
#define LAB_BUCKET_US 100000u
#define LAB_OVERHEAD 28u
#define LAB_MS(n) ((uint64_t)(n)*1000u)
#define LAB_S(n) ((uint64_t)(n)*1000000u)
#define LAB_KBIT(n) ((uint64_t)(n)*125u) /* bytes a second */
#define LAB_MBIT(n) ((uint64_t)(n)*125000u)

enum lab_kind {
    LAB_BULK,     /* one message */
    LAB_REQUESTS, /* a message each every_us, with a reply where reply_bytes says so */
    LAB_CUBIC,    /* not weft: a model of a kernel's TCP (sim/lab_tcp.c), one transfer */
};

struct lab_flow {
    enum lab_kind kind;
    unsigned shares;   /* n: the hosts of flow n - 1 (an earlier one); 0: hosts of its own */
    bool one_way;      /* a session apart from that of a flow on the same hosts */
    bool down;         /* BULK, CUBIC: from the server to the client */
    uint8_t priority;  /* enum wf_priority */
    uint64_t start_us; /* of the run */
    uint64_t stop_us;  /* nothing new is written from then on; 0: the end of the run */
    uint64_t bytes;    /* BULK, CUBIC: how many; 0: until stop_us */
    uint64_t request_bytes, reply_bytes; /* REQUESTS; reply_bytes 0: delivery is all */
    uint64_t every_us, count_max;        /* REQUESTS; count_max 0: until stop_us */
    uint64_t busy_us, idle_us;           /* BULK: writes for busy_us, rests for idle_us, again */
    uint64_t reach_us;                   /* patience for a handshake; 0: the library's */
    /* Of its hosts; only where shares is 0: */
    struct sim_link_config access_up, access_down;
    uint64_t wake_us;               /* a host looks at its socket so long after an arrival */
    uint64_t late_us;               /* a host's timers are served so late: its machine is busy */
    uint64_t drop_first, drop_last; /* datagrams of the client that vanish, counted from 1 */
    uint64_t idle_ms;               /* of the configuration, of both hosts; 0: the library's */
    uint64_t server_late_us;        /* the server's core begins so late */
    bool bbr;                       /* its hosts ask for WF_CC_BBR */
};

enum lab_event_kind {
    LAB_NO_EVENT,
    /* Of a link: the bottleneck, or the access of flow - 1 if flow is not 0. After for_us (0:
     * never) it is as before. */
    LAB_CUT,
    LAB_RATE,  /* value: bytes a second */
    LAB_DELAY, /* value: us, one way */
    LAB_LOSS,  /* value: ppm */
    LAB_MTU,   /* value: bytes of IP packets; what is more vanishes silently */
    /* Of the client of flow - 1: */
    LAB_REBIND_PORT,    /* the NAT in front of it takes another port */
    LAB_REBIND_ADDRESS, /* another address and port */
    LAB_MOVE,           /* it has another address itself, and knows */
    LAB_CLOCK,          /* its clock jumps ahead by value us */
    LAB_SUSPEND,        /* it stands still for for_us; value 1: its clock too */
};

enum lab_side { LAB_BOTH, LAB_UP, LAB_DOWN };

struct lab_event {
    enum lab_event_kind kind;
    enum lab_side side; /* of a link */
    unsigned flow;
    uint64_t at_us, for_us, value;
    uint64_t every_us; /* and again; 0: once */
};

struct lab_scenario {
    const char *name, *about;
    uint64_t seed;   /* 0: 1 */
    uint64_t end_us; /* the run ends then, or when every flow that can end has ended */
    struct sim_link_config up, down;
    bool no_checksums; /* flipped bits get through to the cores, as if UDP had no checksum */
    size_t flow_count;
    struct lab_flow flows[LAB_FLOWS_MAX];
    size_t event_count;
    struct lab_event events[LAB_EVENTS_MAX];
};

/* Some samples, in microseconds or whatever was counted. */
struct lab_spread {
    uint64_t count, mean, p50, p95, p99, max;
};

struct lab_flow_figures {
    uint64_t bytes;               /* that reached the application */
    uint32_t *buckets;            /* the same for each LAB_BUCKET_US of the run */
    uint64_t share_ppm;           /* of all bytes of all flows */
    bool done;                    /* everything it had to send has arrived */
    uint64_t failed;              /* messages that ended otherwise */
    uint64_t began_us;            /* of the run */
    uint64_t handshake_us;        /* from began_us; 0: none */
    uint64_t first_byte_us;       /* from began_us until the application had it; 0: never */
    uint64_t ended_us;            /* from began_us, of the last byte or message; 0: never */
    struct lab_spread latency_us; /* REQUESTS: from the call to the end of the reply, or message */
    uint64_t messages;            /* REQUESTS: sent */
    /* Of its hosts together, so of the flow that owns them: */
    uint64_t packets_sent, packets_lost, frames_resent; /* as the sending hosts see it */
    uint64_t unproved_out;       /* bytes of the server to addresses that had proved nothing */
    uint64_t unproved_worst_ppm; /* most that such an address got for what it had sent */
    const char *broken;          /* an invariant of a core; NULL: none */
};

struct lab_link_figures {
    struct lab_spread queue_us; /* what passed waited so long for the rate */
    uint64_t bytes, passed, lost, queue_full, marked, too_big, cut;
};

struct lab_figures {
    uint64_t ended_us; /* of the run */
    size_t bucket_count;
    size_t flow_count;
    struct lab_flow_figures flows[LAB_FLOWS_MAX];
    struct lab_link_figures up, down;
    uint64_t jain_ppm; /* of the flows' bytes */
    uint64_t bytes, events;
};

/* lab_figures_free when done with them. */
void lab_run(const struct lab_scenario *s, struct lab_figures *out);
void lab_figures_free(struct lab_figures *f);

/* Goodput of a flow between two times of the run, in bits a second. */
uint64_t lab_goodput(const struct lab_figures *f, size_t flow, uint64_t from_us, uint64_t to_us);
/* The flow's share of what all flows got between the two. */
uint64_t lab_share_ppm(const struct lab_figures *f, size_t flow, uint64_t from_us, uint64_t to_us);
uint64_t lab_jain_ppm(const struct lab_figures *f, uint64_t from_us, uint64_t to_us);

/* A plain line: rate in bytes a second, half of the round trip, a queue of so many percent of rate
 * times round trip (at least 10 packets), an MTU of 1500. */
struct sim_link_config lab_line(uint64_t rate, uint64_t rtt_us, unsigned queue_percent);

/* The named scenarios; NULL after the last one, or for no such name. */
const struct lab_scenario *lab_scenario_at(size_t index);
const struct lab_scenario *lab_scenario_find(const char *name);

/* For people and programs. */
void lab_print(FILE *f, const struct lab_scenario *s, const struct lab_figures *r);
void lab_print_json(FILE *f, const struct lab_scenario *s, const struct lab_figures *r);
/* Goodput over time. */
void lab_plot(FILE *f, const struct lab_scenario *s, const struct lab_figures *r);

#endif
