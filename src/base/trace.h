/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.h - what happened inside, for whoever wants to look: an event, the time and two numbers.
 *
 * The list is trace.def. A core emits and never knows who listens; with nobody listening an event
 * costs one comparison. It must never carry anything secret.
 */
#ifndef WF_BASE_TRACE_H
#define WF_BASE_TRACE_H

#include "base/compiler.h"

enum wf_trace_event {
#define WF_TRACE_EVENT(name, text, a, b) WF_TRACE_##name,
#include "base/trace.def"
#undef WF_TRACE_EVENT
    WF_TRACE_EVENTS /* how many there are */
};

struct wf_trace {
    void (*emit)(void *ctx, weft_time now, enum wf_trace_event event, uint64_t a, uint64_t b);
    void *ctx;
};

/* trace may be NULL, and so may its emit: nobody listens. */
void wf_trace(const struct wf_trace *trace, weft_time now, enum wf_trace_event event, uint64_t a,
              uint64_t b);

/* What the event is called and what its two numbers mean. Static memory; NULL for an unknown one.
 */
const char *wf_trace_name(enum wf_trace_event event);
const char *wf_trace_meaning_of_a(enum wf_trace_event event);
const char *wf_trace_meaning_of_b(enum wf_trace_event event);

#endif
