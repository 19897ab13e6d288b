/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.h - host names to addresses, through the system's resolver. That one blocks for as long
 * as it likes, so it runs in worker threads; answers arrive in the loop's thread. Numeric addresses
 * take the same way and need no network.
 *
 * What a name resolves to is a hint where to look, never a proof of who is there: the key decides
 * that.
 */
#ifndef WF_NET_RESOLVE_H
#define WF_NET_RESOLVE_H

#include "base/addr.h"
#include "net/loop.h"

/* Addresses of one answer; further ones are left out. */
#define WF_RESOLVE_ADDRS_MAX 16u
/* Characters of a host name: 253 of the DNS, and some for "%interface". */
#define WF_RESOLVE_HOST_MAX 288u
/* Look-ups at once, and look-ups waiting or running. */
#define WF_RESOLVE_THREADS_MAX 4u
#define WF_RESOLVE_PENDING_MAX 256u

struct wf_resolved {
    size_t count; /* > 0, in the order in which the system would try them */
    struct wf_addr addrs[WF_RESOLVE_ADDRS_MAX];
};

/* True when host may be given to a resolver: printable, without blanks, and of a length that can
 * be. */
bool wf_resolve_host_ok(const char *host);

/* Looks up and waits for it: never in a loop's thread. WEFT_ERR_ADDRESS: not a host name.
 * WEFT_ERR_NOT_FOUND: no such host. WEFT_ERR_TIMEOUT: no answer now, perhaps later. WEFT_ERR_NOMEM,
 * WEFT_ERR_IO. */
WEFT_NODISCARD weft_err wf_resolve_blocking(struct wf_resolved *out, const char *host,
                                            uint16_t port);

struct wf_resolver;

typedef weft_err (*wf_resolve_lookup_fn)(struct wf_resolved *out, const char *host, uint16_t port);

/* Called once for each look-up that was started and not cancelled. found lives during the call;
 * NULL on error. */
typedef void (*wf_resolve_fn)(void *ctx, weft_err err, const struct wf_resolved *found);

struct wf_resolve_want {
    const char *host; /* copied */
    uint16_t port;
    wf_resolve_fn fn;
    void *ctx;
};

/* lookup NULL: wf_resolve_blocking. Threads start when first needed. */
WEFT_NODISCARD weft_err wf_resolver_new(struct wf_resolver **out, struct wf_loop *loop,
                                        wf_resolve_lookup_fn lookup);

/* Cancels everything and returns at once; a thread that hangs in the system's resolver ends by
 * itself later. */
void wf_resolver_free(struct wf_resolver *r);

/* *id names it until its answer. WEFT_ERR_ADDRESS: not a host name. WEFT_ERR_LIMIT:
 * WF_RESOLVE_PENDING_MAX. WEFT_ERR_NOMEM. */
WEFT_NODISCARD weft_err wf_resolver_start(struct wf_resolver *r, const struct wf_resolve_want *want,
                                          uint64_t *id);

/* No answer will be told. Harmless when it has been. */
void wf_resolver_cancel(struct wf_resolver *r, uint64_t id);

#endif
