/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame.h - codecs of all frames (docs/spec/3-frames.md). Pure. One struct for a frame of any type;
 * a get reads one frame from a reader and refuses what the spec refuses.
 */
#ifndef WF_WIRE_FRAME_H
#define WF_WIRE_FRAME_H

#include "base/reader.h"
#include "base/writer.h"

enum wf_frame_type {
    WF_FRAME_PAD = 0x00,
    WF_FRAME_PING = 0x01,
    WF_FRAME_ACK = 0x02,
    WF_FRAME_ACK_ECN = 0x03,
    WF_FRAME_MESSAGE_OPEN = 0x04,
    WF_FRAME_MESSAGE_DATA = 0x05,
    WF_FRAME_CREDIT = 0x06,
    WF_FRAME_CANCEL = 0x07,
    WF_FRAME_STOP = 0x08,
    WF_FRAME_DATAGRAM = 0x09,
    WF_FRAME_PATH_CHALLENGE = 0x0a,
    WF_FRAME_PATH_RESPONSE = 0x0b,
    WF_FRAME_NEW_ID = 0x0c,
    WF_FRAME_RETIRE_ID = 0x0d,
    WF_FRAME_REKEY = 0x0e,
    WF_FRAME_TICKET = 0x0f,
    WF_FRAME_TIME = 0x10,
    WF_FRAME_ERROR = 0x11,
    WF_FRAME_CLOSE = 0x12,
    WF_FRAME_CIRCUIT_OPEN = 0x20,
    WF_FRAME_CIRCUIT_ACCEPT = 0x21,
    WF_FRAME_CIRCUIT_DATA = 0x22,
    WF_FRAME_CIRCUIT_CREDIT = 0x23,
    WF_FRAME_CIRCUIT_RESET = 0x24,
};

#define WF_FRAME_NUMBER_MAX (1ull << 62)
#define WF_ACK_RUNS_MAX 256
#define WF_SERVICE_MAX 64

/* Codes of CANCEL, STOP, CLOSE and ERROR. */
enum wf_code {
    WF_CODE_NONE = 0,
    WF_CODE_PROTOCOL = 1,
    WF_CODE_LIMIT = 2,
    WF_CODE_CANCELLED = 3,
    WF_CODE_NO_SERVICE = 4,
    WF_CODE_DENIED = 5,
    WF_CODE_EXPIRED = 6,
    WF_CODE_NOMEM = 7,
    WF_CODE_GOING_AWAY = 8,
    WF_CODE_IDLE = 9,
    WF_CODE_INTERNAL = 10,
    WF_CODE_UNREAD = 11,
    WF_CODE_APPLICATION = 256,
};

enum wf_priority { WF_PRIORITY_NORMAL = 0, WF_PRIORITY_URGENT = 1, WF_PRIORITY_BACKGROUND = 2 };

enum wf_credit_scope { WF_CREDIT_NODE = 0, WF_CREDIT_MESSAGE = 1, WF_CREDIT_COUNT = 2 };

struct wf_frame_open {
    uint64_t number;
    bool open_ended, has_service;
    uint8_t priority;
    uint64_t length;      /* unless open_ended */
    weft_span service;    /* if has_service */
    uint64_t handler;     /* else */
    uint64_t reply_to;    /* 0: none */
    uint64_t regards_to;  /* 0: none */
    uint64_t lifetime_ms; /* 0: none */
};

struct wf_frame_data {
    uint64_t number, offset;
    bool end;
    bool to_packet_end; /* no length on the wire */
    weft_span data;
};

/* The runs of an ACK are iterated from the borrowed bytes (wf_ack_runs), so that no array is
 * needed. */
struct wf_frame_ack {
    uint64_t newest, delay_us, floor;
    size_t run_count;
    weft_span runs; /* validated */
    bool has_ecn;
    uint64_t ect0, ect1, ce;
};

/* One missing run: numbers first..last, first <= last. */
struct wf_ack_run {
    uint64_t first, last;
};

struct wf_frame {
    uint8_t type; /* enum wf_frame_type */
    union {
        struct wf_frame_ack ack;
        struct wf_frame_open open;
        struct wf_frame_data data;
        struct {
            uint8_t scope;
            uint64_t number, limit;
        } credit;
        struct {
            uint64_t number, code, size;
        } cancel; /* STOP too, size unused */
        struct {
            weft_span data;
        } bytes;          /* DATAGRAM, TICKET */
        uint8_t token[8]; /* PATH_CHALLENGE, PATH_RESPONSE */
        struct {
            uint64_t sequence, retire_below;
            uint8_t cid[8];
        } new_id; /* RETIRE_ID: sequence only */
        struct {
            uint64_t generation;
            uint8_t key[32];
        } rekey;
        uint64_t wall_ms; /* TIME */
        struct {
            uint64_t regards, code;
            weft_span text;
        } error; /* CLOSE too, regards unused */
        struct {
            uint64_t circuit, value; /* value: credit, limit or code */
            weft_span data;          /* target or data */
        } circuit;
    } u;
};

/* Reads one frame. WEFT_ERR_MALFORMED; *out is untouched then. The reader must not be at its end.
 */
weft_err wf_frame_get(struct wf_reader *r, struct wf_frame *out);

/* Writes one frame (not ACK); the writer fails when there is no room, and then *nothing* of the
 * frame may be used. */
void wf_frame_put(struct wf_writer *w, const struct wf_frame *f);

/* The same without the bytes of data, text or target at its end, for a caller that copies them
 * behind it from several places; only their length is looked at. */
void wf_frame_put_head(struct wf_writer *w, const struct wf_frame *f);

/* Exact size on the wire of a frame (not ACK). */
size_t wf_frame_len(const struct wf_frame *f);

/* True for the types of the table in the spec that need an ack. */
bool wf_frame_needs_ack(uint8_t type);

/* Iterates the missing runs, newest first. Start with *it = wf_ack_runs_of(ack). False at the end.
 */
struct wf_ack_iter {
    struct wf_reader r;
    size_t left;
    uint64_t next; /* next number below what was spoken of */
};
struct wf_ack_iter wf_ack_runs_of(const struct wf_frame_ack *ack);
bool wf_ack_next_run(struct wf_ack_iter *it, struct wf_ack_run *run);

/* Writes an ACK (or ACK_ECN) from received ranges given newest first: ranges[0].last is newest. As
 * many ranges as fit into the writer's room (and 256 runs) are used; the floor says where it
 * stopped. Returns false when not even one fits. */
struct wf_ack_put {
    uint64_t delay_us;
    bool has_ecn;
    uint64_t ect0, ect1, ce;
    const struct wf_ack_run *received;
    size_t received_count;
};
bool wf_ack_put(struct wf_writer *w, const struct wf_ack_put *a);

#endif
