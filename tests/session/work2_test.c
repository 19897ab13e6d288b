/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work2_test.c - proof of work, algorithm 2: that it is what the page says (the vector of tries,
 * which an independent program computes too), that its values are even, and that no program makes
 * registers or memory collapse.
 */
#include "test.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/bytes.h"
#include "crypto/hash.h"
#include "session/work.h"
#include "session/work_program.h"
#include "wire/handshake.h"

#define TRIES 2000
#define INPUT_LEN 100

static struct wf_work some_work(uint32_t bid)
{
    struct wf_work w = {.alg = WF_WORK_PROGRAM, .bid = bid};

    for (uint8_t i = 0; i < 32; i++) {
        w.cookie[i % 16] = i;
        w.n_c[i % 16] = (uint8_t)(i + 32);
        w.e_c[i] = (uint8_t)(i + 64);
        w.boxes_hash[i] = (uint8_t)(i + 128);
    }
    return w;
}

/* SPEC 1.8-1, once more. */
static void input_of(uint8_t out[INPUT_LEN], const struct wf_work *w)
{
    memcpy(out, w->cookie, 16);
    memcpy(out + 16, w->n_c, 16);
    memcpy(out + 32, w->e_c, 32);
    wf_store_u32(out + 64, w->bid);
    memcpy(out + 68, w->boxes_hash, 32);
}

static void seed_of(uint8_t seed[64], const struct wf_work *w, uint64_t nonce)
{
    uint8_t input[INPUT_LEN], n[8];

    input_of(input, w);
    wf_store_u64(n, nonce);
    const weft_span parts[] = {wf_span_of("weft work 2"), wf_span(input, sizeof input),
                               wf_span(n, 8)};
    wf_hash64(seed, parts, WF_ARRAY_LEN(parts));
}

static void result_of(uint8_t out[32], const struct wf_work *w, uint64_t nonce)
{
    struct wf_work_pad *pad = malloc(sizeof *pad);
    uint8_t seed[64];

    CHECK(pad != NULL);
    seed_of(seed, w, nonce);
    wf_work_program(out, pad, seed);
    free(pad);
}

/* --- the vector --- */

static void say(char *text, size_t cap, const char *fmt, ...) WEFT_PRINTF(3, 4);

static void say(char *text, size_t cap, const char *fmt, ...)
{
    size_t len = strlen(text);
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(text + len, cap - len, fmt, args);
    va_end(args);
    CHECK(n >= 0 && (size_t)n < cap - len);
}

static void write_vector(const char *text)
{
    FILE *f = fopen(WEFT_SOURCE_DIR "/vectors/work_program.json", "wb");

    CHECK(f != NULL);
    CHECK_EQ(fwrite(text, 1, strlen(text), f), strlen(text));
    CHECK_EQ(fclose(f), 0);
}

TEST(the_vector_of_tries_equals_what_the_code_makes_today)
{
    static const uint64_t nonces[] = {0, 1, 2, 255, 256, 1000000007, UINT64_MAX};
    struct wf_work w = some_work(300);
    char text[4096] = "", hex[2 * INPUT_LEN + 1];
    uint8_t input[INPUT_LEN], out[32];
    size_t len = 0;

    input_of(input, &w);
    wf_hex(hex, input, sizeof input);
    say(text, sizeof text, "{\n  \"algorithm\": 2,\n  \"input\": \"%s\",\n  \"tries\": [", hex);
    for (size_t i = 0; i < WF_ARRAY_LEN(nonces); i++) {
        result_of(out, &w, nonces[i]);
        wf_hex(hex, out, sizeof out);
        say(text, sizeof text, "%s\n    {\"nonce\": %llu, \"result\": \"%s\"}", i == 0 ? "" : ",",
            (unsigned long long)nonces[i], hex);
    }
    say(text, sizeof text, "\n  ]\n}\n");
    if (getenv("WEFT_WRITE_VECTORS") != NULL)
        write_vector(text);
    char *want = test_file("vectors/work_program.json", &len);
    bool is_same = len == strlen(text) && memcmp(want, text, len) == 0; /* SPEC 1.8-3, 1.8-6 */
    free(want);
    CHECK(is_same);
}

/* --- what is accepted --- */

TEST(a_nonce_is_accepted_exactly_when_its_result_is_within_the_bound)
{
    static const uint32_t bids[] = {0, 1, 2, 3, 10, UINT32_MAX};

    for (size_t i = 0; i < WF_ARRAY_LEN(bids); i++) {
        struct wf_work w = some_work(bids[i]);
        for (uint64_t nonce = 0; nonce < 60; nonce++) {
            uint8_t out[32];
            result_of(out, &w, nonce);
            bool want = bids[i] == 0 || wf_load_u64(out) <= UINT64_MAX / bids[i]; /* SPEC 1.8-1 */
            CHECK_EQ(wf_work_check(&w, nonce), want);
        }
    }
}

TEST(solving_in_steps_finds_the_first_nonce_that_solves)
{
    struct wf_work w = some_work(50);
    uint64_t want = 0;
    uint64_t nonce = 0;
    uint64_t steps = 0;

    while (!wf_work_check(&w, want))
        want++;
    CHECK(want > 7);
    while (!wf_work_solve(&w, &nonce, 7)) {
        steps++;
        CHECK_EQ(nonce, 7 * steps);
    }
    CHECK_EQ(nonce, want);
}

TEST(work_of_one_algorithm_is_none_of_the_other)
{
    struct wf_work w = some_work(300);
    uint64_t nonce = 0;

    CHECK(wf_work_solve(&w, &nonce, UINT64_MAX));
    w.alg = WF_WORK_BLAKE2B;
    CHECK(!wf_work_check(&w, nonce)); /* 299 in 300; the input decides */
}

TEST(each_field_changes_the_work)
{
    struct wf_work w = some_work(300);
    struct wf_work other = w;
    uint64_t nonce = 0;

    CHECK(wf_work_solve(&w, &nonce, UINT64_MAX));
    uint8_t *const fields[] = {other.cookie, other.n_c, other.e_c, other.boxes_hash};
    for (size_t i = 0; i < WF_ARRAY_LEN(fields); i++) {
        fields[i][0] ^= 1;
        CHECK(!wf_work_check(&other, nonce));
        fields[i][0] ^= 1;
    }
    other.bid++;
    CHECK(!wf_work_check(&other, nonce));
}

/* --- what the page says of instructions, done the slow way --- */

static uint64_t turned(uint64_t v, uint64_t by)
{
    for (by %= 64; by > 0; by--)
        v = v >> 1 | v << 63;
    return v;
}

/* By halves, as on paper. */
static uint64_t upper(uint64_t a, uint64_t b)
{
    uint64_t high = 0;
    uint64_t low = 0;

    for (int bit = 63; bit >= 0; bit--) {
        high = high << 1 | low >> 63;
        low <<= 1;
        if ((b >> bit & 1) != 0) {
            low += a;
            high += low < a;
        }
    }
    return high;
}

static uint64_t table(uint64_t op, const uint64_t in[4])
{
    uint64_t r = in[0], v = in[1], x = in[2], c = in[3];

    switch (op) {
    case 0:
        return r + v + x;
    case 1:
        return v - r - x;
    case 3:
        return (r + v) * (x | 1);
    case 4:
        return r + upper(v, x);
    case 5:
        return turned(r ^ v, x >> 58);
    case 6:
        return (r ^ v) * (c | 1) + x;
    default:
        return r ^ v ^ x;
    }
}

/* Returns how many instructions skipped others. */
static unsigned run_slowly(struct wf_work_pad *p)
{
    uint64_t *r = p->registers;
    unsigned at = 0, skips = 0;

    for (unsigned done = 0; done < 512; done++) { /* SPEC 1.8-5 */
        uint64_t c = p->code[at];

        for (unsigned meeting = 0; meeting < 16; meeting++) { /* SPEC 1.8-4 */
            uint64_t i = meeting % 8;
            uint64_t a = ((r[i] ^ c) >> 32) % 2048;
            uint64_t in[4] = {r[i], p->words[a], r[(i + 1 + c % 8 % 4) % 8], c};

            r[i] = table(c % 8, in);
            p->words[a] = in[1] ^ turned(r[i], 23);
        }
        at = (at + 1) % 256;
        if (c % 8 == 7 && r[0] < (uint64_t)1 << 62) {
            at = (at + 1 + (unsigned)(c / 8 % 8)) % 256;
            skips++;
        }
    }
    return skips;
}

TEST(a_program_does_what_the_page_says)
{
    struct wf_work_pad *fast = malloc(sizeof *fast);
    struct wf_work_pad *slow = malloc(sizeof *slow);
    struct wf_work w = some_work(1);
    unsigned skips = 0;

    CHECK(fast != NULL && slow != NULL);
    for (uint64_t nonce = 0; nonce < 20; nonce++) {
        uint8_t seed[64];
        seed_of(seed, &w, nonce);
        wf_work_load(fast, seed);
        *slow = *fast;
        wf_work_run(fast);
        skips += run_slowly(slow);
        CHECK_MEM_EQ(fast, slow, sizeof *fast);
    }
    CHECK(skips > 100); /* of 64 a program that may, one in four does */
    free(fast);
    free(slow);
}

/* --- evenness --- */

static unsigned ones(uint64_t v)
{
    unsigned n = 0;

    for (; v != 0; v &= v - 1)
        n++;
    return n;
}

TEST(each_bit_of_the_result_is_set_in_half_of_all_tries)
{
    unsigned set[256] = {0};
    struct wf_work w = some_work(1);

    for (uint64_t nonce = 0; nonce < TRIES; nonce++) {
        uint8_t out[32];
        result_of(out, &w, nonce);
        for (unsigned bit = 0; bit < 256; bit++)
            set[bit] += out[bit / 8] >> bit % 8 & 1u;
    }
    for (unsigned bit = 0; bit < 256; bit++) { /* within 5 sigma: sigma is 22.4 */
        CHECK(set[bit] > TRIES / 2 - 112);
        CHECK(set[bit] < TRIES / 2 + 112);
    }
}

/* Neither with the programs that the seeds give nor with those that are nothing but one
 * instruction: afterwards memory holds as many different words as before, each bit of them is set
 * in half, and most of them have changed. */
static void check_spread(struct wf_work_pad *p, const struct wf_work_pad *before)
{
    unsigned bits = 0, changed = 0, low_half = 0;

    for (size_t i = 0; i < WF_WORK_WORDS; i++) {
        bits += ones(p->words[i]);
        low_half += ones(p->words[i] & UINT32_MAX);
        changed += p->words[i] != before->words[i];
    }
    /* 2048 words of 64 bits: sigma is 181 of 65536, and 128 of 32768. */
    CHECK(bits > 65536 - 1100 && bits < 65536 + 1100);
    CHECK(low_half > 32768 - 800 && low_half < 32768 + 800);
    CHECK(changed > WF_WORK_WORDS * 9 / 10); /* 4 meetings a word: one in 55 stays */
}

static int by_value(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

static void check_all_different(struct wf_work_pad *p)
{
    qsort(p->words, WF_WORK_WORDS, sizeof p->words[0], by_value);
    for (size_t i = 1; i < WF_WORK_WORDS; i++)
        CHECK(p->words[i] != p->words[i - 1]);
    for (size_t i = 0; i < WF_WORK_REGISTERS; i++) {
        for (size_t j = 0; j < i; j++)
            CHECK(p->registers[i] != p->registers[j]);
        CHECK(p->registers[i] != 0);
    }
}

TEST(no_program_makes_registers_or_memory_collapse)
{
    struct wf_work_pad *before = malloc(sizeof *before);
    struct wf_work_pad *p = malloc(sizeof *p);
    struct wf_work w = some_work(1);

    CHECK(before != NULL && p != NULL);
    for (uint64_t nonce = 0; nonce < 200; nonce++) {
        uint8_t seed[64];
        seed_of(seed, &w, nonce);
        wf_work_load(before, seed);
        for (size_t i = 0; i < WF_WORK_CODE && nonce >= 100; i++)
            before->code[i] =
                (before->code[i] & ~(uint64_t)7) | nonce % 8; /* one operation alone */
        *p = *before;
        wf_work_run(p);
        check_spread(p, before);
        check_all_different(p);
    }
    free(before);
    free(p);
}

TEST(the_whole_seed_counts)
{
    struct wf_work_pad *p = malloc(sizeof *p);
    struct wf_work w = some_work(1);
    uint8_t seed[64], other[64], a[32], b[32];

    CHECK(p != NULL);
    seed_of(seed, &w, 0);
    memcpy(other, seed, sizeof other);
    other[63] ^= 1; /* of the half that is not the stream's key: the same program */
    wf_work_program(a, p, seed);
    wf_work_program(b, p, other);
    CHECK(memcmp(a, b, sizeof a) != 0);
    free(p);
}

TEST(the_cost_is_about_the_bid)
{
    uint64_t tries = 0;

    for (uint8_t i = 0; i < 60; i++) {
        struct wf_work w = some_work(20);
        uint64_t nonce = 0;
        w.n_c[0] = i;
        CHECK(wf_work_solve(&w, &nonce, UINT64_MAX));
        tries += nonce + 1;
    }
    CHECK(tries > 60 * 20 * 6 / 10);
    CHECK(tries < 60 * 20 * 14 / 10);
}
