/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.c - see trace.h. It must never do anything but hand on.
 */
#include "base/trace.h"

static const struct {
    const char *name;
    const char *a;
    const char *b;
} texts[WF_TRACE_EVENTS] = {
#define WF_TRACE_EVENT(name, text, a, b) [WF_TRACE_##name] = {text, a, b},
#include "base/trace.def"
#undef WF_TRACE_EVENT
};

void wf_trace(const struct wf_trace *trace, weft_time now, enum wf_trace_event event, uint64_t a,
              uint64_t b)
{
    if (trace != NULL && trace->emit != NULL) {
        trace->emit(trace->ctx, now, event, a, b);
    }
}

const char *wf_trace_name(enum wf_trace_event event)
{
    return (unsigned)event < WF_TRACE_EVENTS ? texts[event].name : NULL;
}

const char *wf_trace_meaning_of_a(enum wf_trace_event event)
{
    return (unsigned)event < WF_TRACE_EVENTS ? texts[event].a : NULL;
}

const char *wf_trace_meaning_of_b(enum wf_trace_event event)
{
    return (unsigned)event < WF_TRACE_EVENTS ? texts[event].b : NULL;
}
