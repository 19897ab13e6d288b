/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame_test.c - every frame but ACK against golden bytes and as random values; cut, changed and
 * followed by other things.
 */
#include "canon.h"
#include "frames.h"

static void same_span(weft_span a, weft_span b)
{
    CHECK_EQ(a.len, b.len);
    CHECK_MEM_EQ(a.data, b.data, a.len);
}

static void same_open(const struct wf_frame_open *a, const struct wf_frame_open *b)
{
    CHECK_EQ(a->number, b->number);
    CHECK_EQ(a->open_ended, b->open_ended);
    CHECK_EQ(a->has_service, b->has_service);
    CHECK_EQ(a->priority, b->priority);
    CHECK_EQ(a->length, b->length);
    same_span(a->service, b->service);
    CHECK_EQ(a->handler, b->handler);
    CHECK_EQ(a->reply_to, b->reply_to);
    CHECK_EQ(a->regards_to, b->regards_to);
    CHECK_EQ(a->lifetime_ms, b->lifetime_ms);
}

static void same_message(const struct wf_frame *a, const struct wf_frame *b)
{
    switch (a->type) {
    case WF_FRAME_MESSAGE_OPEN:
        same_open(&a->u.open, &b->u.open);
        break;
    case WF_FRAME_MESSAGE_DATA:
        CHECK_EQ(a->u.data.number, b->u.data.number);
        CHECK_EQ(a->u.data.offset, b->u.data.offset);
        CHECK_EQ(a->u.data.end, b->u.data.end);
        CHECK_EQ(a->u.data.to_packet_end, b->u.data.to_packet_end);
        same_span(a->u.data.data, b->u.data.data);
        break;
    case WF_FRAME_CREDIT:
        CHECK_EQ(a->u.credit.scope, b->u.credit.scope);
        CHECK_EQ(a->u.credit.number, b->u.credit.number);
        CHECK_EQ(a->u.credit.limit, b->u.credit.limit);
        break;
    default: /* CANCEL, STOP */
        CHECK_EQ(a->u.cancel.number, b->u.cancel.number);
        CHECK_EQ(a->u.cancel.code, b->u.cancel.code);
        CHECK_EQ(a->u.cancel.size, b->u.cancel.size);
        break;
    }
}

static void same_control(const struct wf_frame *a, const struct wf_frame *b)
{
    switch (a->type) {
    case WF_FRAME_DATAGRAM:
    case WF_FRAME_TICKET:
        same_span(a->u.bytes.data, b->u.bytes.data);
        break;
    case WF_FRAME_PATH_CHALLENGE:
    case WF_FRAME_PATH_RESPONSE:
        CHECK_MEM_EQ(a->u.token, b->u.token, sizeof a->u.token);
        break;
    case WF_FRAME_NEW_ID:
    case WF_FRAME_RETIRE_ID:
        CHECK_EQ(a->u.new_id.sequence, b->u.new_id.sequence);
        CHECK_EQ(a->u.new_id.retire_below, b->u.new_id.retire_below);
        CHECK_MEM_EQ(a->u.new_id.cid, b->u.new_id.cid, sizeof a->u.new_id.cid);
        break;
    case WF_FRAME_REKEY:
        CHECK_EQ(a->u.rekey.generation, b->u.rekey.generation);
        CHECK_MEM_EQ(a->u.rekey.key, b->u.rekey.key, sizeof a->u.rekey.key);
        break;
    case WF_FRAME_TIME:
        CHECK_EQ(a->u.wall_ms, b->u.wall_ms);
        break;
    case WF_FRAME_ERROR:
    case WF_FRAME_CLOSE:
        CHECK_EQ(a->u.error.regards, b->u.error.regards);
        CHECK_EQ(a->u.error.code, b->u.error.code);
        same_span(a->u.error.text, b->u.error.text);
        break;
    default: /* PAD, PING */
        break;
    }
}

static void same_frame(const struct wf_frame *a, const struct wf_frame *b)
{
    CHECK_EQ(a->type, b->type);
    if (a->type >= WF_FRAME_CIRCUIT_OPEN) {
        CHECK_EQ(a->u.circuit.circuit, b->u.circuit.circuit);
        CHECK_EQ(a->u.circuit.value, b->u.circuit.value);
        same_span(a->u.circuit.data, b->u.circuit.data);
    } else if (a->type >= WF_FRAME_MESSAGE_OPEN && a->type <= WF_FRAME_STOP) {
        same_message(a, b);
    } else {
        same_control(a, b);
    }
}

static void check_golden(const struct golden_frame *g)
{
    weft_span want = help_unhex(g->hex);
    uint8_t *buf = malloc(want.len);
    struct wf_writer w = wf_writer_of(buf, want.len);
    struct wf_reader r = wf_reader_of(want);
    struct wf_frame f;

    test_note("%s", g->hex);
    CHECK_EQ(wf_frame_len(&g->frame), want.len);
    wf_frame_put(&w, &g->frame);
    CHECK(wf_writer_ok(&w));
    CHECK_EQ(w.len, want.len);
    CHECK_MEM_EQ(buf, want.data, want.len);
    CHECK_OK(wf_frame_get(&r, &f));
    CHECK(wf_reader_done(&r));
    same_frame(&f, &g->frame);
    free(buf);
    help_free(want);
}

TEST(frames_are_written_and_read_as_the_spec_says)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(golden_frames); i++) {
        check_golden(&golden_frames[i]);
    }
    check_golden(&golden_last);
}

TEST(every_frame_type_has_a_golden_sample)
{
    bool has[256] = {[WF_FRAME_ACK] = true, [WF_FRAME_ACK_ECN] = true};

    for (size_t i = 0; i < WF_ARRAY_LEN(golden_frames); i++) {
        has[golden_frames[i].frame.type] = true;
    }
    for (unsigned type = 0; type < 256; type++) {
        CHECK_EQ(has[type], type <= 0x12 || (type >= 0x20 && type <= 0x24));
    }
}

TEST(unknown_frame_types_are_refused_whatever_follows)
{
    for (unsigned type = 0; type < 256; type++) {
        uint8_t in[64] = {0};
        struct wf_reader r = wf_reader_of((weft_span){in, sizeof in});
        struct wf_frame f = {.type = 99};
        const bool is_known = type <= 0x12 || (type >= 0x20 && type <= 0x24);

        memset(in, 1, sizeof in);
        in[0] = (uint8_t)type;
        test_note("type 0x%02x", type);
        if (is_known)
            continue;
        CHECK_EQ(wf_frame_get(&r, &f), WEFT_ERR_MALFORMED);
        CHECK_EQ(f.type, 99);
        CHECK(!wf_reader_ok(&r));
    }
}

TEST(frames_that_need_an_ack_are_those_of_the_table)
{
    for (unsigned type = 0; type < 256; type++) {
        const bool is_known = type <= 0x12 || (type >= 0x20 && type <= 0x24);
        const bool is_exempt = type == WF_FRAME_PAD || type == WF_FRAME_ACK ||
                               type == WF_FRAME_ACK_ECN || type == WF_FRAME_CLOSE;

        test_note("type 0x%02x", type);
        CHECK_EQ(wf_frame_needs_ack((uint8_t)type), is_known && !is_exempt);
    }
}

TEST(a_frame_is_not_read_at_the_end)
{
    struct wf_reader r = wf_reader_of((weft_span){NULL, 0});
    struct wf_frame f;

    CHECK_EQ(wf_frame_get(&r, &f), WEFT_ERR_MALFORMED);
}

/* No frame but the one that runs to the end is complete in a shorter form of itself. */
TEST(frames_cut_short_are_refused)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(golden_frames); i++) {
        weft_span whole = help_unhex(golden_frames[i].hex);

        for (size_t len = 0; len < whole.len; len++) {
            uint8_t *copy = test_copy(whole.data, len);
            struct wf_reader r = wf_reader_of((weft_span){copy, len});
            struct wf_frame f = {.type = 99};

            test_note("%s cut to %zu", golden_frames[i].hex, len);
            CHECK_EQ(wf_frame_get(&r, &f), WEFT_ERR_MALFORMED);
            CHECK_EQ(f.type, 99);
            free(copy);
        }
        help_free(whole);
    }
}

TEST(frames_do_not_read_what_follows_them)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(golden_frames); i++) {
        weft_span whole = help_unhex(golden_frames[i].hex);

        for (unsigned next = 0; next < 256; next++) {
            uint8_t *copy = test_copy_padded(whole.data, whole.len, whole.len + 1);
            struct wf_reader r = wf_reader_of((weft_span){copy, whole.len + 1});
            struct wf_frame f;

            copy[whole.len] = (uint8_t)next;
            CHECK_OK(wf_frame_get(&r, &f));
            CHECK_EQ(r.left, 1);
            same_frame(&f, &golden_frames[i].frame);
            free(copy);
        }
        help_free(whole);
    }
}

TEST(frames_with_any_byte_changed_are_refused_or_read_as_they_stand)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(golden_frames); i++) {
        weft_span whole = help_unhex(golden_frames[i].hex);

        (void)canon_flips(help_frames_again, whole);
        canon_bytes(help_frames_again, whole);
        help_free(whole);
    }
}

TEST(frames_follow_each_other_until_the_end)
{
    uint8_t in[1024];
    size_t len = 0;

    for (size_t i = 0; i <= WF_ARRAY_LEN(golden_frames); i++) {
        const bool is_last = i == WF_ARRAY_LEN(golden_frames);
        weft_span one = help_unhex(is_last ? golden_last.hex : golden_frames[i].hex);

        memcpy(in + len, one.data, one.len);
        len += one.len;
        help_free(one);
    }
    struct wf_reader r = wf_reader_of((weft_span){in, len});
    struct wf_frame f;

    for (size_t i = 0; i < WF_ARRAY_LEN(golden_frames); i++) {
        CHECK_OK(wf_frame_get(&r, &f));
        same_frame(&f, &golden_frames[i].frame);
    }
    CHECK_OK(wf_frame_get(&r, &f));
    same_frame(&f, &golden_last.frame);
    CHECK(wf_reader_done(&r));
    CHECK(canon_check(help_frames_again, in, len));
    CHECK_LE(200, canon_flips(help_frames_again, (weft_span){in, len}));
}

TEST(frames_fail_the_writer_without_room)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(golden_frames); i++) {
        const struct wf_frame *f = &golden_frames[i].frame;

        for (size_t cap = 0; cap <= wf_frame_len(f); cap++) {
            uint8_t *room = malloc(cap);
            struct wf_writer w = wf_writer_of(room, cap);

            wf_frame_put(&w, f);
            CHECK_EQ(wf_writer_ok(&w), cap == wf_frame_len(f));
            free(room);
        }
    }
}

TEST(a_frame_without_its_tail_is_all_that_stands_before_it)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(golden_frames); i++) {
        const struct wf_frame *f = &golden_frames[i].frame;
        weft_span whole = help_unhex(golden_frames[i].hex);
        uint8_t head[128];
        struct wf_writer w = wf_writer_of(head, sizeof head);
        size_t tail = 0;

        test_note("%s", golden_frames[i].hex);
        wf_frame_put_head(&w, f);
        CHECK(wf_writer_ok(&w));
        CHECK_LE(w.len, whole.len);
        CHECK_MEM_EQ(head, whole.data, w.len);
        if (f->type == WF_FRAME_MESSAGE_DATA) {
            tail = f->u.data.data.len;
        } else if (f->type == WF_FRAME_DATAGRAM || f->type == WF_FRAME_TICKET) {
            tail = f->u.bytes.data.len;
        } else if (f->type == WF_FRAME_ERROR || f->type == WF_FRAME_CLOSE) {
            tail = f->u.error.text.len;
        } else if (f->type >= WF_FRAME_CIRCUIT_OPEN) {
            tail = f->u.circuit.data.len;
        }
        CHECK_EQ(w.len + tail, whole.len);
        help_free(whole);
    }
}

TEST(the_longest_frame_without_data_has_its_length_told)
{
    uint8_t name[WF_SERVICE_MAX] = {0};
    struct wf_frame f = {.type = WF_FRAME_MESSAGE_OPEN};

    f.u.open = (struct wf_frame_open){.number = WF_FRAME_NUMBER_MAX,
                                      .has_service = true,
                                      .length = WF_FRAME_NUMBER_MAX,
                                      .service = {name, sizeof name},
                                      .reply_to = WF_FRAME_NUMBER_MAX,
                                      .regards_to = WF_FRAME_NUMBER_MAX,
                                      .lifetime_ms = WF_FRAME_NUMBER_MAX};
    CHECK_EQ(wf_frame_len(&f), 1 + 9 + 1 + 9 + 1 + 64 + 9 + 9 + 9);
}

/* Varints of every size, most of them small. */
static uint64_t amount(uint64_t *seed)
{
    return (test_next(seed) >> 2) >> test_next(seed) % 62;
}

static uint64_t number(uint64_t *seed)
{
    return 1 + amount(seed);
}

static weft_span some(uint64_t *seed, const uint8_t *from, size_t min, size_t max)
{
    return (weft_span){from, min + test_next(seed) % (max - min + 1)};
}

static struct wf_frame_open random_open(uint64_t *seed, const uint8_t *from)
{
    struct wf_frame_open o = {.number = number(seed), .priority = (uint8_t)(test_next(seed) % 3)};

    o.open_ended = test_next(seed) % 2 != 0;
    o.has_service = test_next(seed) % 2 != 0;
    o.length = o.open_ended ? 0 : amount(seed);
    if (o.has_service) {
        o.service = some(seed, from, 1, WF_SERVICE_MAX);
    } else {
        o.handler = test_next(seed) >> test_next(seed) % 64;
    }
    o.reply_to = test_next(seed) % 2 != 0 ? number(seed) : 0;
    o.regards_to = test_next(seed) % 2 != 0 ? number(seed) : 0;
    o.lifetime_ms = test_next(seed) % 2 != 0 ? number(seed) : 0;
    return o;
}

static void random_message(uint64_t *seed, const uint8_t *from, struct wf_frame *f)
{
    switch (f->type) {
    case WF_FRAME_MESSAGE_OPEN:
        f->u.open = random_open(seed, from);
        break;
    case WF_FRAME_MESSAGE_DATA:
        f->u.data = (struct wf_frame_data){.number = number(seed), .offset = amount(seed) / 2};
        f->u.data.end = test_next(seed) % 2 != 0;
        f->u.data.to_packet_end = test_next(seed) % 2 != 0;
        f->u.data.data = some(seed, from, 0, 1400);
        break;
    case WF_FRAME_CREDIT:
        f->u.credit.scope = (uint8_t)(test_next(seed) % 3);
        f->u.credit.number = f->u.credit.scope == WF_CREDIT_MESSAGE ? number(seed) : 0;
        f->u.credit.limit = amount(seed);
        break;
    default: /* CANCEL, STOP */
        f->u.cancel.number = number(seed);
        f->u.cancel.code = amount(seed);
        f->u.cancel.size = f->type == WF_FRAME_CANCEL ? amount(seed) : 0;
        break;
    }
}

static void random_control(uint64_t *seed, const uint8_t *from, struct wf_frame *f)
{
    switch (f->type) {
    case WF_FRAME_DATAGRAM:
        f->u.bytes.data = some(seed, from, 0, 1400);
        break;
    case WF_FRAME_TICKET:
        f->u.bytes.data = some(seed, from, 1, 1024);
        break;
    case WF_FRAME_PATH_CHALLENGE:
    case WF_FRAME_PATH_RESPONSE:
        memcpy(f->u.token, from, sizeof f->u.token);
        break;
    case WF_FRAME_NEW_ID:
        f->u.new_id.retire_below = amount(seed);
        memcpy(f->u.new_id.cid, from, sizeof f->u.new_id.cid);
        f->u.new_id.sequence = amount(seed);
        break;
    case WF_FRAME_RETIRE_ID:
        f->u.new_id.sequence = amount(seed);
        break;
    case WF_FRAME_REKEY:
        f->u.rekey.generation = amount(seed);
        memcpy(f->u.rekey.key, from, sizeof f->u.rekey.key);
        break;
    case WF_FRAME_TIME:
        f->u.wall_ms = test_next(seed);
        break;
    case WF_FRAME_ERROR:
    case WF_FRAME_CLOSE:
        f->u.error.regards = f->type == WF_FRAME_ERROR ? amount(seed) : 0;
        f->u.error.code = amount(seed);
        f->u.error.text = some(seed, from, 0, 255);
        break;
    default: /* PAD, PING */
        break;
    }
}

static struct wf_frame random_frame(uint64_t *seed, const uint8_t *from)
{
    const size_t pick = test_next(seed) % WF_ARRAY_LEN(golden_frames);
    struct wf_frame f = {.type = golden_frames[pick].frame.type};

    if (f.type >= WF_FRAME_CIRCUIT_OPEN) {
        f.u.circuit.circuit = number(seed);
        f.u.circuit.value = f.type != WF_FRAME_CIRCUIT_DATA ? amount(seed) : 0;
        if (f.type == WF_FRAME_CIRCUIT_OPEN) {
            f.u.circuit.data = some(seed, from, 1, 255);
        } else if (f.type == WF_FRAME_CIRCUIT_DATA) {
            f.u.circuit.data = some(seed, from, 0, 1400);
        }
    } else if (f.type >= WF_FRAME_MESSAGE_OPEN && f.type <= WF_FRAME_STOP) {
        random_message(seed, from, &f);
    } else {
        random_control(seed, from, &f);
    }
    return f;
}

TEST(random_frames_come_back_as_they_were)
{
    uint64_t seed = test_seed();
    uint8_t from[1400];

    wf_random(test_rng(seed), from, sizeof from);
    for (int i = 0; i < 50000; i++) {
        const struct wf_frame f = random_frame(&seed, from);
        const size_t len = wf_frame_len(&f);
        uint8_t *buf = malloc(len);
        struct wf_writer w = wf_writer_of(buf, len);
        struct wf_frame back;

        test_note("seed %llu round %d type 0x%02x", (unsigned long long)test_seed(), i, f.type);
        wf_frame_put(&w, &f);
        CHECK(wf_writer_ok(&w));
        CHECK_EQ(w.len, len);
        struct wf_reader r = wf_reader_of((weft_span){buf, len});

        CHECK_OK(wf_frame_get(&r, &back));
        CHECK(wf_reader_done(&r));
        same_frame(&back, &f);
        free(buf);
    }
}
