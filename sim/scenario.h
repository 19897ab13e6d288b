/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scenario.h - what a seed means: everything that will happen in a run, drawn before it begins.
 * Swarm style: each class of classes.def is on or off, so that rare combinations are met and a
 * fault does not hide behind another. A class draws from a generator of its own: turning one off
 * leaves the others as they were.
 *
 * A run has two phases. Until heal_at there are faults and attacks; afterwards the network is good
 * again and everything that was begun must come to an end.
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "base/datagram.h"
#include "sim/net.h"
#include "sim/traitor.h"

enum sim_class {
#define SIM_CLASS(name, word, percent, text) SIM_CLASS_##name,
#include "sim/classes.def"
#undef SIM_CLASS
    SIM_CLASSES
};

struct sim_class_text {
    const char *word, *text;
    unsigned percent; /* of seeds that have it */
};
extern const struct sim_class_text sim_class_texts[SIM_CLASSES];

/* SIM_CLASSES when there is no such word. */
enum sim_class sim_class_find(const char *word);

#define SIM_OPS_MAX 64u
#define SIM_FAULTS_MAX 32u
#define SIM_ALL UINT64_MAX
/* What a right wall clock shows at the beginning. */
#define SIM_WALL_MS 1800000000000u

/* One message, and how both applications treat it. */
struct sim_message_plan {
    uint64_t length; /* of a reply too: bytes that will be written */
    bool open_ended;
    uint64_t write_chunk; /* bytes in one go; SIM_ALL: as much as is taken */
    uint64_t write_every_us;
    uint64_t read_chunk, read_every_us;
    uint64_t stop_after;      /* the receiver wants no more than this; SIM_ALL: it wants all */
    uint64_t cancel_after_us; /* the sender gives up; 0: it does not */
};

enum sim_op_kind { SIM_OP_MESSAGE, SIM_OP_PING };

struct sim_op {
    enum sim_op_kind kind;
    weft_time at;
    uint32_t host, to;
    bool nobody;       /* without showing a key */
    bool only_session; /* no address is given */
    bool wrong_key;    /* a key that no host has */
    bool no_host;      /* an address that no host has */
    uint8_t priority;
    uint64_t within_us; /* 0: no limit */
    struct sim_message_plan message;
    bool has_reply;
    bool reply_early; /* before the message was read */
    struct sim_message_plan reply;
};

enum sim_fault_kind {
    SIM_FAULT_BOOT,    /* host a starts */
    SIM_FAULT_CRASH,   /* host a: the core is freed, with b: after an orderly end */
    SIM_FAULT_PAUSE,   /* host a stands still for for_us; with b: its clock too */
    SIM_FAULT_CUT,     /* a and b do not reach each other for for_us */
    SIM_FAULT_ONE_WAY, /* a does not reach b for for_us */
    SIM_FAULT_REBIND,  /* the NAT of a changes its port, with b: the address too */
    SIM_FAULT_MTU,     /* a's paths carry only b bytes from now on */
    SIM_FAULT_JOIN,    /* made at run time: the end of a cut; b: SIM_PORTS * from + to */
    SIM_FAULT_RESUME,  /* made at run time: the end of a pause */
};

struct sim_fault {
    enum sim_fault_kind kind;
    weft_time at;
    uint32_t a;
    uint64_t b;
    uint64_t for_us;
};

struct sim_host_plan {
    bool serves;
    bool ends_without_a_word;
    weft_time boot_at;
    uint64_t clock_us;  /* the host's clock at time 0 */
    uint64_t wall_ms;   /* 0: it has none */
    bool wall_is_wrong; /* until somebody sets it, when all faults are over */
    size_t memory_cap;  /* 0: none */
    size_t peer_memory_max;
    uint64_t fold_us, rest_ms; /* 0: as usual */
    uint64_t rest_memory_ms;   /* then to the file; 0: there is none */
    uint32_t presences_max;
    uint64_t fail_every; /* about one in so many allocations fails; 0: none */
    uint64_t wake_us;    /* it looks at its socket up to this late */
    size_t batch_max;    /* datagrams in one call */
    bool coalesces;      /* equal datagrams of one sender come as one run */
    bool knows_own_address;
    size_t socket_buffer; /* bytes that wait while it does not look */
    uint32_t effort;
    uint64_t idle_ms, handshake_timeout_us;
    uint64_t node_credit, message_credit, datagram_max;
    size_t messages_in_max;
};

struct sim_attack_plan {
    uint64_t every_us; /* about; 0: no attacker */
    size_t datagrams_max;
    uint32_t race_ppm;
    uint32_t lie_ppm; /* of packets that he answers with a HINT */
};

struct sim_scenario {
    uint64_t seed;
    uint64_t classes; /* bit mask */
    bool peers;       /* else host 0 serves and the others are its clients */
    bool soft;        /* mild enough that every message has to succeed */
    uint32_t host_count;
    struct sim_host_plan hosts[SIM_HOSTS_MAX];
    struct sim_port ports[SIM_HOSTS_MAX];
    struct sim_link_config links[SIM_PORTS][SIM_PORTS];
    struct sim_op ops[SIM_OPS_MAX];
    size_t op_count;
    struct sim_fault faults[SIM_FAULTS_MAX];
    size_t fault_count;
    struct sim_attack_plan attack;
    struct sim_traitor_plan traitor;
    weft_time heal_at;
    uint64_t patience_us; /* after heal_at everything must have ended within this */
};

/* without: classes that are off whatever the seed says, as a bit mask. */
void sim_scenario_draw(struct sim_scenario *s, uint64_t seed, uint64_t without);

bool sim_has(const struct sim_scenario *s, enum sim_class class);

/* A generator for one purpose of one seed. */
struct wf_prng sim_stream(uint64_t seed, uint64_t purpose);

/* Between min and max with every power of two equally likely; 1 <= min <= max. */
uint64_t sim_scale(struct wf_prng *p, uint64_t min, uint64_t max);

/* An address of host i: inside (behind its NAT) or outside, after so many moves of the NAT. */
struct wf_addr sim_addr_inside(const struct sim_scenario *s, uint32_t host);
struct wf_addr sim_addr_outside(const struct sim_scenario *s, uint32_t host, unsigned moves);

/* Address i of those that nobody has, for spoofing. */
struct wf_addr sim_addr_void(const struct sim_scenario *s, unsigned i);

#endif
