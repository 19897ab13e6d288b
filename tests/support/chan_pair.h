/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_pair.h - two channels back to back in virtual time over a small link that can lose, delay,
 * reorder and duplicate, all decided by a seed. For the tests of the channel alone: whole endpoints
 * belong to the simulator.
 *
 * Every step checks wf_chan_check of both ends and the accounting of outcomes.
 */
#ifndef WEFT_TESTS_CHAN_PAIR_H
#define WEFT_TESTS_CHAN_PAIR_H

#include "base/bytes.h"
#include "base/list.h"
#include "base/prng.h"
#include "crypto/crypto.h"
#include "crypto/hash.h"
#include "test.h"
#include "transport/chan.h"

#define PAIR_EVENTS_MAX 4096u

/* What one end was told about one message. */
struct pair_message {
    uint64_t number;
    bool is_incoming;
    uint32_t opened, readable, cancelled, writable, delivered, stopped;
    bool is_given_up; /* by this end: no event may follow */
    uint64_t code;
    struct wf_frame_open open;
    uint64_t received; /* bytes read, and their digest by pair_byte */
    bool is_right, at_end;
};

struct pair_end {
    struct wf_chan *chan;
    struct wf_aead *aead;
    struct wf_secret_arena *secrets;
    struct wf_addr addr, inside; /* inside: the first one */
    struct pair_message *messages;
    size_t message_count, message_room;
    uint8_t cids[16][8]; /* routed here */
    size_t cid_count;
    struct wf_addr from_used; /* of the last train */
    uint8_t cid_used[8];      /* in the last packet that it sent */
    bool reads;               /* consumes what is readable */
    uint64_t read_max;        /* bytes per visit; 0: all */
    uint32_t confirmed, pongs, paths, closed, datagrams, errors;
    struct wf_chan_event last_closed, last_error;
    uint64_t datagrams_out, bytes_out, probes_out, bytes_astray, bytes_copied;
    uint64_t marked_out; /* datagrams that went as ECT(0) */
};

struct pair_packet {
    struct wf_link link;
    weft_time at;
    bool to_server;
    struct wf_addr from, to;
    uint8_t ecn;
    size_t len;
    uint8_t data[];
};

/* What the link does to packets that were sent as ECT(0). */
enum pair_ecn {
    PAIR_ECN_KEPT,
    PAIR_ECN_CLEARED,
    PAIR_ECN_REMARKED,
    PAIR_ECN_ALL_CE,
    PAIR_ECN_DROPPED
};

/* Chances are in 1/1000. */
struct pair_link {
    uint64_t delay_us, jitter_us;
    uint64_t loss, duplicate, reorder;
    size_t mtu[2]; /* larger ones vanish; by direction: 0 to the server */
    bool is_dead[2];
    bool refuses;     /* larger ones are refused by the kernel instead */
    uint64_t rate[2]; /* bytes a second; 0: no bottleneck */
    uint64_t queue;   /* bytes that wait before it; what is more is lost */
    bool nat;         /* the client does not see which address it has */
    bool forgets;     /* what is under way to an address that was left is lost too */
    uint64_t races;   /* copies of what goes to the server that come first, and from elsewhere */
    uint32_t racers;  /* from so many addresses in turn */
    uint8_t ecn;      /* enum pair_ecn */
};

struct pair {
    struct pair_end end[2]; /* 0: client, 1: server */
    struct pair_link link;
    weft_time free_at[2]; /* when the bottleneck has sent all that waits */
    uint64_t ahead[2];    /* µs by which the clock of each end is ahead */
    struct wf_prng prng;
    struct wf_rng rng;
    struct wf_mem *mem;
    struct wf_list flying; /* by time */
    weft_time now;
    uint64_t steps;
    uint32_t again; /* timers in a row that left another one due at once */
    /* Instead of the link: takes a datagram, or says that it takes no more now. */
    void (*stream)(struct pair *p, int who, const struct wf_send *s, weft_span datagram);
    bool (*is_full)(struct pair *p, int who);
    bool unchecked; /* leave wf_chan_check out (long transfers) */
    struct wf_session_secrets secrets;
    struct wf_params params[2]; /* as announced */
    uint8_t *buf;
};

struct pair_options {
    struct wf_chan_config config[2]; /* what is zero is filled in */
    uint64_t seed;
    struct pair_link link;
};

struct wf_params pair_params(void);

/* Both ends made and introduced, nothing sent. */
void pair_new(struct pair *p, const struct pair_options *o);
/* Keys on both sides. `early`: what the client has goes as SOLVE, the server's as CONFIRM. */
void pair_start(struct pair *p, bool early);
/* The same; false when a channel would not start. */
bool pair_try_start(struct pair *p, bool early);
void pair_free(struct pair *p);

/* Runs until both ends have nothing more to do at or before `until`; false when nothing is left to
 * happen at all. */
bool pair_run(struct pair *p, weft_time until);
/* Runs until the condition holds or the time is over; true when it holds. */
bool pair_run_while(struct pair *p, bool (*goes_on)(struct pair *p), weft_time until);
void pair_flush(struct pair *p, int who);
/* A datagram arrives, and what follows from it. */
void pair_arrive(struct pair *p, int who, const struct wf_addr *from, weft_span datagram);
/* The time on the clock of that end. */
weft_time pair_now(const struct pair *p, int who);

/* Reads on in every incoming message that is not over. */
void pair_read_all(struct pair *p, int who);

struct pair_message *pair_message(struct pair *p, int who, bool is_incoming, uint64_t number);

/* Byte of message `number` at offset: what the writer writes and the reader expects. */
uint8_t pair_byte(uint64_t number, uint64_t offset);

/* A writer that goes on whenever it can. */
struct pair_source {
    int who;
    uint64_t number, length, written;
    bool open_ended;
};
void pair_open(struct pair *p, struct pair_source *s, uint8_t priority);
/* True when all is written. */
bool pair_push(struct pair *p, struct pair_source *s);
/* Pushes and runs until the message is delivered and read at the other end. Fails the test when it
 * takes longer. */
void pair_transfer(struct pair *p, struct pair_source *s, uint64_t limit_us);

#endif
