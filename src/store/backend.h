/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backend.h - what a database must do to be a store. store.c has checked lengths and the order of
 * calls before any of these is called, so a back end checks neither.
 */
#ifndef WF_STORE_BACKEND_H
#define WF_STORE_BACKEND_H

#include "store/store.h"

struct wf_store_ops {
    void (*close)(void *self);
    weft_err (*get)(void *self, uint8_t kind, weft_span key, struct wf_store_value *value);
    weft_err (*put)(void *self, uint8_t kind, weft_span key, weft_span value);
    weft_err (*remove)(void *self, uint8_t kind, weft_span key);
    weft_err (*count)(void *self, uint8_t kind, uint64_t *rows);
    weft_err (*next)(void *self, struct wf_store_cursor *c, struct wf_store_value *value);
    weft_err (*begin)(void *self);
    weft_err (*commit)(void *self);
    void (*rollback)(void *self);
};

/* Wraps a back end; zeros in limits become the defaults. WEFT_ERR_NOMEM: self stays the caller's to
 * close. */
weft_err wf_store_wrap(struct wf_store **out, const struct wf_store_ops *ops, void *self,
                       const struct wf_store_limits *limits, struct wf_mem *mem);

/* limits with the defaults in place of zeros. */
struct wf_store_limits wf_store_limits_or_default(const struct wf_store_limits *limits);

#endif
