/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_fold_test.c - channels at rest: as bytes and back after any history, both ends go on as if
 * nothing had been; what is under way does not fold; what came before does not come again.
 */
#include "base/bytes.h"
#include "support/chan_pair.h"

#define SECOND 1000000u
#define RECORD_MAX 320u
#define KEPT_MAX 64u

static struct pair p;
static uint64_t dice_state;
static struct pair_options options;
static size_t longest;

struct kept {
    size_t len;
    bool to_server;
    uint8_t data[2000];
};
static struct kept kept[KEPT_MAX];
static size_t kept_count;

static uint64_t dice(uint64_t n)
{
    return test_next(&dice_state) % n;
}

static void begin(uint64_t seed)
{
    options = (struct pair_options){.seed = seed};
    dice_state = seed;
    kept_count = 0;
    for (int who = 0; who < 2; who++) {
        options.config[who].params = pair_params();
        options.config[who].params.idle_ms = 30000;
        options.config[who].params.message_count = 8;
        options.config[who].params.node_credit = 100000;
        options.config[who].rekey_after_us = 20 * SECOND;
    }
    pair_new(&p, &options);
    pair_start(&p, dice(2) == 0);
    (void)pair_run(&p, p.now + 2 * SECOND);
}

static struct wf_chan_config config_of(int who)
{
    struct wf_chan_config c = options.config[who];

    c.mem = p.mem;
    c.rng = &p.rng;
    c.aead = p.end[who].aead;
    c.secrets = p.end[who].secrets;
    c.role = who == 0 ? WF_ROLE_CLIENT : WF_ROLE_SERVER;
    return c;
}

static size_t write_record(int who, uint8_t *record, struct wf_chan_ids *ids)
{
    struct wf_writer w = wf_writer_of(record, RECORD_MAX);

    CHECK(wf_chan_fold(p.end[who].chan, &w, ids));
    longest = w.len > longest ? w.len : longest;
    return w.len;
}

static struct wf_chan *unfold(int who, const struct wf_chan_folded *f)
{
    struct wf_chan_config config = config_of(who);
    struct wf_chan *chan = NULL;

    CHECK_OK(wf_chan_unfold(&chan, &config, p.now, f));
    return chan;
}

static void fold(int who)
{
    uint8_t record[RECORD_MAX];
    uint8_t again[RECORD_MAX];
    struct wf_chan_folded f = {0};
    struct wf_chan_ids ids;
    size_t len = write_record(who, record, &f.ours);
    uint8_t *copy = test_copy(record, len);

    f.bytes = (weft_span){copy, len};
    CHECK_EQ(f.ours.count, p.end[who].cid_count);
    wf_chan_free(p.end[who].chan);
    p.end[who].chan = unfold(who, &f);
    free(copy);
    CHECK(wf_chan_can_fold(p.end[who].chan));
    CHECK_EQ(write_record(who, again, &ids), len);
    CHECK_MEM_EQ(again, record, len);
}

static void keep_packets(void)
{
    for (struct wf_link *l = p.flying.first; l != NULL; l = l->next) {
        const struct pair_packet *k = WF_CONTAINER_OF(l, struct pair_packet, link);
        struct kept *to = &kept[dice(KEPT_MAX)];

        if (k->len > sizeof to->data)
            continue;
        *to = (struct kept){.len = k->len, .to_server = k->to_server};
        memcpy(to->data, k->data, k->len);
        kept_count = KEPT_MAX;
    }
}

/* Everything that was kept was received once. */
static void replay_all(void)
{
    struct wf_chan_stats before, after;

    for (size_t i = 0; i < kept_count; i++) {
        int who = kept[i].to_server ? 1 : 0;
        if (kept[i].len == 0)
            continue;
        struct wf_chan_packet packet = {test_copy(kept[i].data, kept[i].len), kept[i].len};
        struct wf_chan_arrival a = {
            .from = p.end[1 - who].addr, .to = p.end[who].addr, .packets = &packet, .count = 1};

        wf_chan_stats(p.end[who].chan, &before);
        wf_chan_recv(p.end[who].chan, p.now, &a);
        wf_chan_stats(p.end[who].chan, &after);
        CHECK_EQ(after.packets_received, before.packets_received);
        free(packet.data);
    }
}

/* A few messages that arrive. keeps: their packets are kept, so none is lost. */
static void exchange(bool keeps)
{
    static const uint64_t sizes[] = {0, 1, 50, 1000, 5000, 90000};
    struct pair_source sources[6];
    size_t count = 1 + dice(6);

    p.link.loss = keeps ? 0 : dice(3) * 60;
    for (size_t i = 0; i < count; i++) {
        sources[i] = (struct pair_source){
            .who = (int)dice(2), .length = sizes[dice(keeps ? 4 : 6)], .open_ended = dice(2) == 0};
        pair_open(&p, &sources[i], (uint8_t)dice(3));
    }
    for (int round = 0; round < 400; round++) {
        bool all = true;
        for (size_t i = 0; i < count; i++)
            all = pair_push(&p, &sources[i]) && all;
        if (round == 3 && dice(4) == 0)
            p.link.loss = 0;
        pair_flush(&p, 0);
        pair_flush(&p, 1);
        if (keeps)
            keep_packets();
        (void)pair_run(&p, p.now + SECOND / 20);
        if (all && round > 100)
            break;
    }
    p.link.loss = 0;
    (void)pair_run(&p, p.now + 20ull * SECOND);
    for (size_t i = 0; i < count; i++) {
        CHECK_EQ(pair_message(&p, sources[i].who, false, sources[i].number)->delivered, 1);
        CHECK(pair_message(&p, 1 - sources[i].who, true, sources[i].number)->at_end);
    }
}

/* SPEC 4.6-1, 4.6-3, 4.6-4, 4.6-10 */
TEST(after_any_history_a_folded_channel_goes_on_where_it_was)
{
    uint64_t first = test_seed();

    longest = 0;
    for (uint64_t seed = first; seed < first + 25; seed++) {
        test_note("seed %llu", (unsigned long long)seed);
        begin(seed);
        for (int round = 0; round < 10; round++) {
            exchange(dice(2) == 0);
            for (int who = 0; who < 2; who++) {
                CHECK(wf_chan_can_fold(p.end[who].chan));
                if (dice(4) != 0)
                    fold(who);
            }
            replay_all();
            if (dice(2) == 0)
                p.now += dice(3600) * SECOND;
            if (dice(4) == 0)
                p.end[0].addr.port++; /* the NAT has forgotten it meanwhile */
            if (p.end[0].addr.port != 1000)
                wf_chan_ping(p.end[0].chan);
            (void)pair_run(&p, p.now + SECOND);
            CHECK_EQ(p.end[0].closed + p.end[1].closed, 0);
        }
        pair_free(&p);
    }
    CHECK_LE(longest, RECORD_MAX - 40); /* the peer's key and the rest of the session */
}

/* SPEC 4.6-2 */
TEST(what_is_under_way_does_not_fold)
{
    struct pair_source s = {.who = 0, .length = 5000};

    begin(test_seed());
    (void)pair_run(&p, p.now + 20ull * SECOND);
    CHECK(wf_chan_can_fold(p.end[0].chan));
    CHECK(wf_chan_can_fold(p.end[1].chan));
    wf_chan_ping(p.end[0].chan);
    CHECK(!wf_chan_can_fold(p.end[0].chan));
    pair_flush(&p, 0);
    CHECK(!wf_chan_can_fold(p.end[0].chan));
    (void)pair_run(&p, p.now + SECOND / 20);
    CHECK(!wf_chan_can_fold(p.end[0].chan)); /* the key is changed, the old one kept */
    (void)pair_run(&p, p.now + 10ull * SECOND);
    CHECK(wf_chan_can_fold(p.end[0].chan));

    p.end[1].reads = false;
    pair_open(&p, &s, WF_PRIORITY_NORMAL);
    CHECK(!wf_chan_can_fold(p.end[0].chan));
    CHECK(pair_push(&p, &s));
    (void)pair_run(&p, p.now + 10ull * SECOND);
    CHECK(wf_chan_can_fold(p.end[0].chan));
    CHECK(!wf_chan_can_fold(p.end[1].chan)); /* nobody has read it */
    p.end[1].reads = true;
    pair_read_all(&p, 1);
    (void)pair_run(&p, p.now + SECOND);
    CHECK(wf_chan_can_fold(p.end[1].chan));

    CHECK_OK(wf_chan_datagram(p.end[1].chan, wf_span_of("d")));
    CHECK(!wf_chan_can_fold(p.end[1].chan));
    (void)pair_run(&p, p.now + SECOND);
    p.end[0].addr.port++;
    p.link.is_dead[1] = true;
    wf_chan_ping(p.end[0].chan);
    (void)pair_run(&p, p.now + SECOND / 5);
    CHECK(!wf_chan_can_fold(p.end[1].chan)); /* is it there? */
    p.link.is_dead[1] = false;
    (void)pair_run(&p, p.now + 60ull * SECOND);
    CHECK(wf_chan_can_fold(p.end[1].chan));
    wf_chan_close(p.end[1].chan, p.now, 0, (weft_span){NULL, 0});
    CHECK(!wf_chan_can_fold(p.end[1].chan));
    pair_free(&p);

    pair_new(&p, &options);
    CHECK(!wf_chan_can_fold(p.end[0].chan));
    pair_free(&p);
}

/* SPEC 4.6-5 */
TEST(a_packet_is_tried_without_a_channel)
{
    uint8_t record[RECORD_MAX];
    struct wf_chan_folded f = {0};
    struct wf_keys keys;
    struct wf_chan_trial t = {&keys, NULL};
    struct wf_send out;

    begin(test_seed());
    (void)pair_run(&p, p.now + 20ull * SECOND);
    t.aead = p.end[1].aead;
    f.bytes = (weft_span){record, write_record(1, record, &f.ours)};
    wf_chan_ping(p.end[0].chan);
    CHECK(wf_chan_send(p.end[0].chan, p.now, p.buf, 65536, &out));
    for (size_t bit = 0; bit <= 8 * out.len; bit++) {
        uint8_t *copy = test_copy(p.buf, out.len);
        struct wf_open o = {.packet = copy, .len = out.len};

        if (bit < 8 * out.len)
            copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_EQ(wf_chan_would_open(&f, &t, &o), bit == 8 * out.len);
        free(copy);
    }
    f.forged = WF_KEYS_FORGERIES_MAX;
    struct wf_open spent = {.packet = p.buf, .len = out.len};
    CHECK(!wf_chan_would_open(&f, &t, &spent));
    pair_free(&p);
}

TEST(bytes_that_are_cut_short_are_no_channel)
{
    uint8_t record[RECORD_MAX];
    struct wf_chan_folded f = {0};
    struct wf_chan *chan = NULL;

    begin(test_seed());
    (void)pair_run(&p, p.now + 20ull * SECOND);
    size_t len = write_record(0, record, &f.ours);
    struct wf_chan_config config = config_of(0);
    for (size_t cut = 0; cut <= len + 1; cut++) {
        uint8_t *copy = test_copy_padded(record, len, cut);

        f.bytes = (weft_span){copy, cut};
        weft_err err = wf_chan_unfold(&chan, &config, p.now, &f);
        CHECK_EQ(err, cut == len ? WEFT_OK : WEFT_ERR_MALFORMED);
        if (err == WEFT_OK)
            wf_chan_free(chan);
        free(copy);
    }
    f.bytes = (weft_span){record, len};
    f.ours.count = 0;
    CHECK_EQ(wf_chan_unfold(&chan, &config, p.now, &f), WEFT_ERR_MALFORMED);
    f.ours.count = WF_CHAN_IDS_MAX + 1;
    CHECK_EQ(wf_chan_unfold(&chan, &config, p.now, &f), WEFT_ERR_MALFORMED);
    struct wf_writer w = wf_writer_of(record, len - 1);
    CHECK(!wf_chan_fold(p.end[0].chan, &w, &f.ours));
    pair_free(&p);
}

TEST(without_memory_a_channel_stays_folded)
{
    void *secrets[100];
    uint8_t record[RECORD_MAX];
    struct wf_chan_folded f = {0};
    struct wf_chan *chan = NULL;

    begin(test_seed());
    (void)pair_run(&p, p.now + 20ull * SECOND);
    f.bytes = (weft_span){record, write_record(1, record, &f.ours)};
    struct wf_chan_config config = config_of(1);
    p.mem->fail_at = p.mem->attempts + 1;
    CHECK_EQ(wf_chan_unfold(&chan, &config, p.now, &f), WEFT_ERR_NOMEM);
    size_t count = 0;
    for (secrets[0] = wf_secret_get(config.secrets); secrets[count] != NULL;)
        secrets[++count] = wf_secret_get(config.secrets);
    CHECK_EQ(wf_chan_unfold(&chan, &config, p.now, &f), WEFT_ERR_NOMEM);
    while (count > 0)
        wf_secret_put(config.secrets, secrets[--count]);
    CHECK(chan == NULL);
    p.mem->fail_at = 0;
    pair_free(&p);
}
