/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_dormant_test.c - peers that rest for long go to a file and come back from it: with a packet,
 * with a message to them, and not otherwise.
 */
#include "core_one_pair.h"
#include "endpoint/core_priv.h"
#include "test.h"

#define SECOND ((uint64_t)1000000)
#define ROWS 4u
#define ROW_MAX 512u

/* The server's file. */
static struct {
    size_t len[ROWS];
    uint8_t rows[ROWS][ROW_MAX];
    unsigned puts, gets, drops;
    bool is_full;
} file;

static weft_err file_put(void *user, uint32_t id, weft_span sealed)
{
    (void)user;
    CHECK(id < ROWS && sealed.len <= ROW_MAX);
    file.puts++;
    if (file.is_full)
        return WEFT_ERR_NO_SPACE;
    memcpy(file.rows[id], sealed.data, sealed.len);
    file.len[id] = sealed.len;
    return WEFT_OK;
}

static weft_err file_get(void *user, uint32_t id, uint8_t *sealed, size_t len)
{
    (void)user;
    CHECK(id < ROWS);
    file.gets++;
    if (file.len[id] != len)
        return WEFT_ERR_NOT_FOUND;
    memcpy(sealed, file.rows[id], len);
    return WEFT_OK;
}

static void file_drop(void *user, uint32_t id)
{
    (void)user;
    CHECK(id < ROWS);
    file.drops++;
    file.len[id] = 0;
}

static struct wf_core_stats stats(void)
{
    struct wf_core_stats s;

    wf_core_stats(server()->core, &s);
    return s;
}

static struct cp_message *say(int from)
{
    struct wf_core_send_params p = cp_params(&pair, from, 500);
    struct cp_message *m = NULL;

    if (from == 1)
        p.address = (struct wf_addr){0}; /* only through a session */
    m = cp_send(&pair, from, &p);
    CHECK(m != NULL);
    return m;
}

static void replied(const struct cp_message *m)
{
    CHECK_EQ(m->outcomes, 1);
    CHECK_EQ(m->outcome, WF_OUTCOME_REPLIED);
}

/* The client's session rests in the server's memory, and a second later in the file. */
static void begin(void)
{
    memset(&file, 0, sizeof file);
    cp_init(&pair, test_mem(), test_mem());
    server()->config.rest = (struct wf_core_rest){file_put, file_get, file_drop, NULL};
    server()->config.rest_memory_ms = 1000;
    CHECK_OK(cp_boot(&pair, 0));
    CHECK_OK(cp_boot(&pair, 1));
    server()->replies = true;
    client()->replies = true;
    const struct cp_message *m = say(0);
    cp_run(&pair, 15 * SECOND);
    replied(m);
}

static void expect_in_file(uint64_t count)
{
    CHECK_EQ(stats().dormant, count);
    CHECK_EQ(stats().presences, 1 - count);
    CHECK_EQ(stats().sessions, 0);
}

/* SPEC 4.7-1, 4.7-2 */
TEST(who_rests_for_long_is_in_the_file_and_wakes_with_the_next_packet)
{
    begin();
    expect_in_file(1);
    for (unsigned i = 1; i < 4; i++) {
        const struct cp_message *m = say(0);
        cp_run(&pair, 15 * SECOND);
        replied(m);
        expect_in_file(1);
        CHECK_EQ(stats().dormant_recalled, i);
        CHECK_EQ(stats().wakes, i);
    }
    CHECK_EQ(stats().sessions_total, 1);
    CHECK_EQ(server()->sessions_ended, 0);
    cp_close(&pair);
}

TEST(a_message_to_somebody_in_the_file_finds_the_session)
{
    begin();
    const struct cp_message *m = say(1);
    cp_run(&pair, SECOND);
    replied(m);
    CHECK_EQ(stats().dormant_recalled, 1);
    CHECK_EQ(stats().handshakes_started, 0);
    cp_close(&pair);
}

/* No key of the session stands in the file. SPEC 4.7-2 */
TEST(what_is_in_the_file_is_sealed)
{
    begin();
    const uint8_t *key = wf_core_key(client()->core);
    uint8_t shown[32];

    CHECK_OK(wf_core_key_for(client()->core, shown, wf_core_key(server()->core)));
    CHECK(file.len[0] > 32);
    for (size_t at = 0; at + 32 <= file.len[0]; at++) {
        CHECK(memcmp(&file.rows[0][at], key, 32) != 0);
        CHECK(memcmp(&file.rows[0][at], shown, 32) != 0);
    }
    cp_close(&pair);
}

/* SPEC 4.7-4 */
TEST(a_strangers_packet_does_not_touch_the_file)
{
    begin();
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t bytes[100];
        struct wf_datagram d = {
            .from = pair.side[0].addr, .to = pair.side[1].addr, .data = bytes, .len = sizeof bytes};

        wf_random(&server()->rng.rng, bytes, sizeof bytes);
        bytes[0] |= 0x80;
        wf_core_recv(server()->core, pair.now, &d, 1);
    }
    CHECK_EQ(file.gets, 0);
    expect_in_file(1);
    cp_close(&pair);
}

/* SPEC 4.7-3 */
TEST(an_older_record_is_refused)
{
    uint8_t old[ROW_MAX];
    size_t len = 0;

    begin();
    len = file.len[0];
    memcpy(old, file.rows[0], len);
    const struct cp_message *m = say(0);
    cp_run(&pair, 15 * SECOND);
    replied(m);
    expect_in_file(1);
    CHECK_EQ(file.len[0], len);
    CHECK(memcmp(old, file.rows[0], len) != 0);
    memcpy(file.rows[0], old, len);
    (void)say(0);
    cp_run(&pair, SECOND);
    CHECK_EQ(stats().dormant_recalled, 1);
    CHECK_EQ(stats().presences_dropped, 1);
    CHECK_EQ(stats().dormant, 0);
    cp_close(&pair);
}

TEST(a_damaged_record_is_forgotten_and_the_peer_comes_back_by_a_handshake)
{
    begin();
    file.rows[0][40] ^= 1;
    (void)say(0);
    cp_run(&pair, 120 * SECOND);
    CHECK_EQ(stats().dormant_recalled, 0);
    CHECK_EQ(stats().presences_dropped, 1);
    const struct cp_message *m = say(0);
    cp_run(&pair, 2 * SECOND);
    replied(m);
    cp_close(&pair);
}

TEST(when_the_file_is_full_who_rests_longest_goes)
{
    begin();
    file.is_full = true;
    const struct cp_message *m = say(0);
    cp_run(&pair, 15 * SECOND);
    replied(m);
    CHECK_EQ(stats().dormant, 0);
    CHECK_EQ(stats().presences, 0);
    CHECK_EQ(stats().presences_dropped, 1);
    cp_close(&pair);
}

/* SPEC 4.6-8 */
TEST(in_the_file_too_the_rest_ends)
{
    begin();
    cp_close(&pair);
    memset(&file, 0, sizeof file);
    cp_init(&pair, test_mem(), test_mem());
    server()->config.rest = (struct wf_core_rest){file_put, file_get, file_drop, NULL};
    server()->config.rest_memory_ms = 1000;
    server()->config.rest_ms = 60000;
    CHECK_OK(cp_boot(&pair, 0));
    CHECK_OK(cp_boot(&pair, 1));
    (void)say(0);
    cp_run(&pair, 60 * SECOND);
    expect_in_file(1);
    cp_run(&pair, 20 * SECOND);
    CHECK_EQ(stats().dormant, 0);
    CHECK_EQ(stats().presences, 0);
    CHECK_EQ(stats().presences_dropped, 1);
    CHECK_EQ(file.len[0], 0);
    cp_close(&pair);
}

TEST(without_memory_a_sleeper_stays_or_goes_and_nothing_leaks)
{
    for (uint64_t fail = 1; fail < 12; fail++) {
        begin();
        server()->mem->fail_at = server()->mem->attempts + fail;
        const struct cp_message *m = say(0);
        cp_run(&pair, 4 * SECOND);
        server()->mem->fail_at = 0;
        cp_run(&pair, 240 * SECOND);
        CHECK_EQ(m->outcomes, 1);
        cp_close(&pair);
    }
}
