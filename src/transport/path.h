/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path.h - where the peer is: the path in use and up to three candidates
 * (docs/spec/4-transport.md 4.4). A candidate is challenged, gets never more bytes than came from
 * it, and takes over once it answered from there. Until then what the peer must hear to go on goes
 * to both places: who copies packets from elsewhere gains nothing, and who moved is not cut off.
 */
#ifndef WF_TRANSPORT_PATH_H
#define WF_TRANSPORT_PATH_H

#include "base/addr.h"
#include "base/rng.h"

#define WF_PATHS_MAX 4u
#define WF_PATH_TOKEN_LEN 8u
#define WF_PATH_PTO_MAX_US ((uint64_t)3000000)
#define WF_PATH_CHALLENGES_MAX 3u /* sent to one candidate, at doubling intervals; then it goes */
#define WF_PATH_NEW_MAX 8u        /* new candidates within WF_PATH_NEW_US */
#define WF_PATH_NEW_US 1000000u

struct wf_path {
    struct wf_addr remote, local;
    bool is_proved; /* it answered a challenge there, or the handshake ran there */
    uint8_t token[WF_PATH_TOKEN_LEN];
    uint32_t challenges;     /* sent */
    weft_time challenged_at; /* when the last was */
    weft_time challenge_at;  /* when the next is due; WEFT_TIME_NEVER: none */
    uint64_t received, sent; /* bytes while it was not proved */
    uint64_t newest;         /* packets from there that were the newest of all */
    uint64_t age;            /* order of arrival, from 1 */
};

/* items[0..count-1]; items[0] is the path in use. */
struct wf_paths {
    struct wf_path items[WF_PATHS_MAX];
    size_t count;
    uint64_t next_age;
    uint64_t leader;  /* age of the candidate from which the newest packet came; 0: none */
    weft_time new_at; /* beginning of the second in which new candidates are counted */
    uint32_t new_count;
};

/* What a packet or a response did. */
enum wf_path_event {
    WF_PATH_SAME,      /* nothing */
    WF_PATH_CANDIDATE, /* a new candidate: a challenge is due */
    WF_PATH_MOVED,     /* items[0] is another path now, on another host: congestion, RTT and
                          datagram size start anew */
    WF_PATH_REBOUND,   /* items[0] is another path now, only the port differs: they stay */
};

void wf_paths_init(struct wf_paths *p, const struct wf_addr *remote, const struct wf_addr *local);

/* A packet that opened. */
struct wf_path_packet {
    struct wf_addr from, to;
    uint64_t bytes;
    bool is_newest; /* its number is the highest so far */
};
enum wf_path_event wf_paths_on_packet(struct wf_paths *p, weft_time now,
                                      const struct wf_path_packet *k, const struct wf_rng *rng);

/* PATH_RESPONSE in a packet that came from there. */
enum wf_path_event wf_paths_on_response(struct wf_paths *p, const struct wf_addr *from,
                                        const uint8_t token[WF_PATH_TOKEN_LEN]);

/* A candidate to be challenged now with its token; NULL: none. len: bytes of the datagram that
 * would carry it. After sending it: wf_paths_on_challenge, wf_path_on_sent. */
struct wf_path *wf_paths_challenge(struct wf_paths *p, weft_time now, uint64_t len);
/* pto_us: without back-off. */
void wf_paths_on_challenge(struct wf_path *path, weft_time now, uint64_t pto_us);

/* Drops candidates that did not answer in time; when the next challenge or drop is due. */
void wf_paths_tick(struct wf_paths *p, weft_time now);
weft_time wf_paths_deadline(const struct wf_paths *p);

struct wf_path *wf_paths_active(struct wf_paths *p);
/* The candidate from which the newest packet came, when it is being challenged: the peer is
 * probably there, and will say so. NULL: none. */
struct wf_path *wf_paths_leader(struct wf_paths *p);
/* How long the answer to the one challenge took; 0: unknown, for there were several. */
uint64_t wf_path_round_trip(const struct wf_path *path, weft_time now);
/* The path to this address, or NULL. */
struct wf_path *wf_paths_find(struct wf_paths *p, const struct wf_addr *remote);

/* Bytes that may be sent there: UINT64_MAX once proved (SPEC 4.4-2). */
uint64_t wf_path_room(const struct wf_path *path);
void wf_path_on_sent(struct wf_path *path, uint64_t bytes);

#endif
