/* SPDX-License-Identifier: Apache-2.0 */
/*
 * udp.h - a UDP socket that works in batches: many messages a call, many datagrams a message (GSO
 * and GRO).
 *
 * It never blocks and knows no protocol. A message refused for its size or its way is told about
 * alone; the others go out. Errors that the network sends back (ICMP) are counted and otherwise
 * ignored: anybody can forge them.
 *
 * Threads  One thread at a time per socket.
 * Memory   Batches are allocated once. What a receive hands out lives in the batch until the next
 * receive into it.
 */
#ifndef WF_NET_UDP_H
#define WF_NET_UDP_H

#include "base/datagram.h"
#include "base/mem.h"

struct wf_udp;

/* Bytes of socket buffer asked for when the configuration says 0. */
#define WF_UDP_BUFFER_WANTED (8u << 20)
/* Bytes of one receive buffer: the largest run of datagrams the kernel hands out. */
#define WF_UDP_RECV_BYTES 65536u
/* Messages of one receive batch, at most. */
#define WF_UDP_BATCH_MAX 64u

struct wf_udp_config {
    struct wf_addr bind; /* unset or [::]: both families where there is IPv6; 0.0.0.0: IPv4 alone;
                            port 0: any */
    bool v6_only;
    bool reuse_port;           /* several sockets share the port; a flow stays on one of them */
    bool no_gso;               /* one datagram a message when sending */
    bool no_gro;               /* one datagram a message when receiving */
    size_t recv_buffer_wanted; /* bytes; 0: WF_UDP_BUFFER_WANTED */
    size_t send_buffer_wanted;
};

struct wf_udp_stats {
    uint64_t recv_calls;
    uint64_t recv_messages;
    uint64_t recv_datagrams;
    uint64_t recv_bytes;
    uint64_t recv_kernel_drops; /* lost because the receive buffer was full */
    uint64_t recv_discarded;    /* empty, cut short by the kernel, or from no address */
    uint64_t send_calls;
    uint64_t sent_messages;
    uint64_t sent_datagrams;
    uint64_t sent_bytes;
    uint64_t send_blocked;     /* times the send buffer was full */
    uint64_t send_too_big;     /* messages */
    uint64_t send_dropped;     /* messages lost for want of memory in the kernel */
    uint64_t send_unreachable; /* messages with no way to their address */
    uint64_t gso_refused;      /* times the kernel would not cut a message */
    uint64_t network_errors;   /* errors that earlier datagrams brought back */
};

/* Opens a non-blocking socket. WEFT_ERR_IN_USE: the port is taken. WEFT_ERR_DENIED: a port this
 * user may not have. WEFT_ERR_NOMEM. WEFT_ERR_IO: anything else, with errno. */
WEFT_NODISCARD weft_err wf_udp_open(struct wf_udp **out, const struct wf_udp_config *config,
                                    struct wf_mem *mem);

/* Closes and frees; NULL is allowed. */
void wf_udp_close(struct wf_udp *u);

int wf_udp_fd(const struct wf_udp *u);

/* The address bound to, with the port the system chose. For a socket of both families the host is
 * [::]. */
struct wf_addr wf_udp_local(const struct wf_udp *u);

/* True when the socket can carry that family at all. */
bool wf_udp_speaks(const struct wf_udp *u, uint8_t family);

/* What the kernel granted, by its own accounts (they include its overhead). */
size_t wf_udp_recv_buffer(const struct wf_udp *u);
size_t wf_udp_send_buffer(const struct wf_udp *u);

bool wf_udp_has_gro(const struct wf_udp *u);
const struct wf_udp_stats *wf_udp_stats(const struct wf_udp *u);

/* ---- receiving ---- */

struct wf_udp_batch {
    struct wf_datagram *items; /* count of them, from the last receive */
    size_t count;
    bool more; /* the batch was full: more may be waiting */
    struct wf_udp_slots *slots;
    size_t cap;
    size_t limit; /* messages asked for at a time, cap at first; its user may set less */
    struct wf_mem *mem;
};

/* Room for `messages` (1..WF_UDP_BATCH_MAX) of WF_UDP_RECV_BYTES each. */
WEFT_NODISCARD weft_err wf_udp_batch_init(struct wf_udp_batch *b, size_t messages,
                                          struct wf_mem *mem);
void wf_udp_batch_deinit(struct wf_udp_batch *b);

/* Takes what is waiting, without waiting for it; returns b->count. */
size_t wf_udp_recv(struct wf_udp *u, struct wf_udp_batch *b);

/* ---- sending ---- */

enum wf_udp_fate {
    WF_UDP_PENDING = 0, /* not out yet, or not wholly */
    WF_UDP_SENT,
    WF_UDP_TOO_BIG,     /* larger than the interface takes; probes ask for this */
    WF_UDP_DROPPED,     /* the kernel had no memory for it: as good as lost on the way */
    WF_UDP_UNREACHABLE, /* no way there: no route, a firewall */
};

/* One message of a batch. The caller fills send and data and zeroes the rest. */
struct wf_udp_out {
    struct wf_send
        send; /* len > 0; any number of segments: they are cut into what the kernel takes */
    const uint8_t *data; /* send.len bytes, borrowed until the fate is known */
    size_t done;         /* bytes out so far */
    enum wf_udp_fate fate;
};

/* A source (send.from) that is no address of ours any more is left to the kernel.
 * Sends messages in order and returns how many have met their fate. Fewer than count: the send
 * buffer is full; call again with the rest, as they are, when the socket is writable. */
size_t wf_udp_send(struct wf_udp *u, struct wf_udp_out *out, size_t count);

#endif
