/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_liar.h - one honest channel and a peer that has its keys and sends whatever frames a test
 * writes.
 */
#ifndef WEFT_TESTS_CHAN_LIAR_H
#define WEFT_TESTS_CHAN_LIAR_H

#include "crypto/crypto.h"
#include "test.h"
#include "transport/chan.h"
#include "wire/packet.h"

struct liar {
    struct wf_mem *mem;
    struct wf_rng *rng;
    struct wf_aead *aead;
    struct wf_secret_arena *secrets;
    struct wf_chan *chan; /* the honest one */
    struct wf_keys *keys; /* the liar's */
    struct wf_replay replay;
    struct wf_addr honest_addr, addr;
    uint8_t cid[8]; /* of the honest one */
    weft_time now;
    uint64_t next; /* number */
    uint8_t frames[65536], packet[65536 + 64], train[65536];
    struct wf_writer w;
    /* What the honest one sent in reply to everything so far. */
    uint64_t packets, bytes, newest;
    uint64_t seen[64]; /* frames by type */
    uint64_t close_code;
    bool keeps_silent; /* do not acknowledge */
    bool wants_ack;
    struct wf_frame last[64]; /* newest frame of each type; spans are not valid */
    /* What the owner of the honest one was told. */
    uint64_t events[16];
    struct wf_chan_event closed;
    bool reads;     /* consume what can be read */
    bool unchecked; /* leave wf_chan_check out (long runs) */
};

/* role: of the honest channel. */
void liar_new(struct liar *l, enum wf_role role, const struct wf_params *params);
void liar_free(struct liar *l);

/* Frames are collected in l->w; liar_put adds one, liar_send sends them as one packet and takes in
 * the answers. */
void liar_put(struct liar *l, const struct wf_frame *f);
void liar_send(struct liar *l);
/* The same without looking at what comes back. */
void liar_send_only(struct liar *l);
/* Takes in what the honest channel sends now. */
void liar_listen(struct liar *l);
/* Time passes: every timer of the honest channel fires when due. */
void liar_wait(struct liar *l, uint64_t us);
/* An ACK of newest, received down to floor, in the present packet. */
void liar_ack(struct liar *l, uint64_t newest, uint64_t floor);

struct wf_frame liar_open(uint64_t number, bool open_ended, uint64_t length);
struct wf_frame liar_data(uint64_t number, uint64_t offset, weft_span data, bool end);

#endif
