/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_test.c - the list of events and who gets them.
 */
#include "base/trace.h"

#include "test.h"

struct seen {
    weft_time now;
    enum wf_trace_event event;
    uint64_t a;
    uint64_t b;
    int count;
};

static void note(void *ctx, weft_time now, enum wf_trace_event event, uint64_t a, uint64_t b)
{
    struct seen *s = (struct seen *)ctx;

    *s = (struct seen){now, event, a, b, s->count + 1};
}

TEST(every_event_has_a_name_of_its_own_and_two_meanings)
{
    for (int i = 0; i < (int)WF_TRACE_EVENTS; i++) {
        const enum wf_trace_event event = (enum wf_trace_event)i;

        CHECK(strlen(wf_trace_name(event)) > 0);
        CHECK(strlen(wf_trace_meaning_of_a(event)) > 0);
        CHECK(strlen(wf_trace_meaning_of_b(event)) > 0);
        for (int j = 0; j < i; j++) {
            CHECK(strcmp(wf_trace_name(event), wf_trace_name((enum wf_trace_event)j)) != 0);
        }
    }
}

TEST(an_unknown_event_has_no_name)
{
    CHECK(wf_trace_name(WF_TRACE_EVENTS) == NULL);
    CHECK(wf_trace_meaning_of_a(WF_TRACE_EVENTS) == NULL);
    CHECK(wf_trace_meaning_of_b((enum wf_trace_event) - 1) == NULL);
}

TEST(recorded_numbers_keep_their_meaning)
{
    CHECK_STR_EQ(wf_trace_name((enum wf_trace_event)0), "packet sent");
    CHECK_STR_EQ(wf_trace_name((enum wf_trace_event)3), "packet lost");
    CHECK_STR_EQ(wf_trace_name((enum wf_trace_event)10), "message cancelled");
}

TEST(an_event_is_handed_on_as_it_is)
{
    struct seen s = {0};
    const struct wf_trace trace = {note, &s};

    wf_trace(&trace, 5, WF_TRACE_PACKET_LOST, 6, 7);
    CHECK_EQ(s.count, 1);
    CHECK_EQ(s.now, 5);
    CHECK_EQ(s.event, WF_TRACE_PACKET_LOST);
    CHECK_EQ(s.a, 6);
    CHECK_EQ(s.b, 7);
}

TEST(nobody_has_to_listen)
{
    const struct wf_trace deaf = {NULL, NULL};

    wf_trace(NULL, 1, WF_TRACE_REKEY, 0, 0);
    wf_trace(&deaf, 1, WF_TRACE_REKEY, 0, 0);
}
