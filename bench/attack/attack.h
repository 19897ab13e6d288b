/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attack.h - what the attack programs share: what was asked for, what came of it, and a gun that
 * fires datagrams in batches, at a rate, within bounds. For one's own machine only: guard.c refuses
 * any target that is not loopback or inside a network namespace made for it. See README.md.
 */
#ifndef WEFT_BENCH_ATTACK_H
#define WEFT_BENCH_ATTACK_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "base/prng.h"
#include "wire/handshake.h"

#define ATTACK_COUNT_MAX 10000000u
#define ATTACK_SECONDS_MAX 300u
#define ATTACK_RATE_MAX 2000000u
#define ATTACK_DATAGRAM_MAX 1472u
#define ATTACK_SOURCES (1u << 20) /* different addresses of spoofed */
#define ATTACK_LINGER_MS 200u     /* for answers on their way when the last datagram has gone */

/* What was asked for. */
struct attack {
    const char *kind;
    struct wf_addr target;
    struct wf_addr second; /* reflect: the other server; relay: where to listen */
    bool has_key;
    uint8_t key[32]; /* the target's */
    uint64_t count, rate, ms, seed;
    bool in_namespace;
    bool is_deaf;
    const char *shape;   /* what is varied, in which way; "" where nothing was said */
    struct wf_addr from; /* with a raw socket: the only sender; forged: the client's address */
    bool has_cid;
    uint8_t cid[WF_CID_LEN]; /* forged: by which the target is called */
};

/* What came of it. */
struct tally {
    uint64_t sent, sent_bytes, unsent, received, received_bytes;
    uint64_t handshakes;    /* SOLVEs made with a true cookie */
    uint64_t confirms;      /* CONFIRMs that came */
    uint64_t passed;        /* relay: datagrams passed on, both ways */
    uint64_t longest_chain; /* reflect: answers to answers, the first datagram counted too */
    uint64_t worst_growth;  /* reflect: most bytes by which an answer was longer than its cause */
};

/* NULL when the attack may go on, else a sentence. */
const char *attack_refusal(const struct attack *a);

/* Each does one kind; false with a word on standard error when it could not begin. */
bool attack_garbage(const struct attack *a, struct tally *t);
bool attack_spoofed(const struct attack *a, struct tally *t);
bool attack_replay(const struct attack *a, struct tally *t);
bool attack_half_open(const struct attack *a, struct tally *t);
bool attack_forged(const struct attack *a, struct tally *t);
bool attack_relay(const struct attack *a, struct tally *t);
bool attack_reflect(const struct attack *a, struct tally *t);

/* --- sniff.c --- */

/* Fills in from and cid by a packet of somebody's session with the target; false when none passes
 * within seconds. */
bool attack_sniff(struct attack *a);

/* --- gun.c --- */

#define GUN_BATCH 64u
#define GUN_HEAD 28u /* room for IPv4 and UDP headers before each datagram */

struct gun {
    const struct attack *attack;
    struct tally *tally;
    int fd; /* what is fired from */
    bool is_raw;
    bool is_deaf;        /* somebody else takes the answers */
    bool is_spoofing;    /* without a raw socket: the source is one of 127/8, by control message */
    struct wf_addr from; /* raw or spoofing: the source of the next datagram */
    struct sockaddr_storage to;
    socklen_t to_len;
    uint64_t began_ns, fired;
    size_t used, batch;
    struct mmsghdr msgs[GUN_BATCH];
    struct iovec iov[GUN_BATCH];
    _Alignas(8) uint8_t control[GUN_BATCH][CMSG_SPACE(sizeof(struct in_pktinfo))];
    uint8_t data[GUN_BATCH][GUN_HEAD + ATTACK_DATAGRAM_MAX];
};

uint64_t attack_now_ns(void);

/* A UDP socket of any port of the target's family, connected to nothing; -1 on failure. */
int attack_socket(const struct wf_addr *target);
socklen_t attack_sockaddr(struct sockaddr_storage *out, const struct wf_addr *a);

/* fd stays the caller's. */
void gun_load(struct gun *g, const struct attack *a, struct tally *t, int fd);

/* False when the count is reached or the time is up; what is loaded is fired then. */
bool gun_goes_on(struct gun *g);

/* Room for ATTACK_DATAGRAM_MAX bytes; then gun_put says how many there are. */
uint8_t *gun_room(struct gun *g);
void gun_put(struct gun *g, size_t len);

/* Fires what is loaded and counts what has come back. */
void gun_fire(struct gun *g);

/* Counts what still comes within ATTACK_LINGER_MS. */
void gun_linger(struct gun *g);

/* --- client.c: a true client, up to its SOLVE --- */

struct client;

struct client *client_open(const struct attack *a);
void client_close(struct client *c);
int client_fd(const struct client *c);

/* HELLO out, CHALLENGE in, SOLVE made but not sent. False: nobody answers. */
bool client_solve(struct client *c, uint8_t solve[WF_SOLVE_MAX]);

/* A datagram to the target, and what comes from it within ms (0: nothing did; answer has
 * ATTACK_DATAGRAM_MAX bytes). */
void client_say(struct client *c, weft_span datagram);
size_t client_take(struct client *c, uint8_t *answer, int ms);

void attack_random(struct wf_prng *p, uint8_t *out, size_t len);

#endif
