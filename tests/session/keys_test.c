/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys_test.c - packets sealed, masked and opened; numbers lost and reordered; keys changed in the
 * middle of it; and the hard stops.
 */
#include "test.h"

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "crypto/hash.h"
#include "session/keys.h"
#include "wire/packet.h"

#define PACKET_MAX 128

struct end {
    struct wf_keys keys;
    struct wf_replay rx;
    uint64_t next;  /* number to send */
    uint64_t acked; /* of what we sent */
    uint8_t cid[8]; /* by which the other end is called */
};

struct ends {
    struct wf_aead *aead;
    struct end client, server;
};

struct packet {
    uint8_t bytes[PACKET_MAX];
    size_t len;
    uint64_t number;
};

static struct wf_session_secrets some_secrets(void)
{
    struct wf_session_secrets s;

    memset(s.root_c2s, 0x11, 32);
    memset(s.root_s2c, 0x22, 32);
    memset(s.transcript, 0x33, 32);
    return s;
}

static void init_alg(struct ends *e, enum wf_aead_alg alg)
{
    struct wf_session_secrets s = some_secrets();

    memset(e, 0, sizeof *e);
    CHECK_OK(wf_crypto_init());
    CHECK_OK(wf_aead_new(&e->aead, WF_AEAD_BEST, test_mem()));
    wf_keys_init(&e->client.keys, WF_ROLE_CLIENT, alg, &s);
    wf_keys_init(&e->server.keys, WF_ROLE_SERVER, alg, &s);
    wf_replay_init(&e->client.rx, NULL);
    wf_replay_init(&e->server.rx, NULL);
    e->client.next = e->server.next = 1;
    memset(e->client.cid, 0xc1, 8);
    memset(e->server.cid, 0x5e, 8);
}

static void init(struct ends *e)
{
    init_alg(e, WF_AEAD_XCHACHA20_POLY1305);
}

static void done(struct ends *e)
{
    wf_aead_free(e->aead);
}

/* Frames that say which packet they are from. */
static size_t put_frames(uint8_t *out, uint64_t number)
{
    size_t len = (size_t)(number % 40);

    memset(out, (int)(number % 251), len);
    return len;
}

/* A packet with this first byte, not sealed yet. */
static struct wf_seal lay_out(struct end *from, struct packet *p, uint8_t first)
{
    p->number = from->next++;
    size_t width = wf_window_width(p->number, from->acked);
    size_t header_len = wf_packet_put_header(p->bytes, first, from->cid, p->number, width);
    size_t frames_len = put_frames(p->bytes + header_len, p->number);

    p->len = header_len + frames_len + WF_PACKET_TAG;
    return (struct wf_seal){p->bytes, header_len, frames_len, p->number};
}

static struct packet send_first(struct ends *e, struct end *from, uint8_t first)
{
    struct packet p;
    struct wf_seal s = lay_out(from, &p, first);

    wf_keys_seal(&from->keys, e->aead, &s, 1);
    return p;
}

static struct packet send(struct ends *e, struct end *from)
{
    return send_first(e, from, wf_keys_first_byte(&from->keys));
}

static struct wf_open recv_bytes(struct ends *e, struct end *to, const uint8_t *bytes, size_t len)
{
    uint8_t *copy = test_copy(bytes, len);
    struct wf_open o = {.packet = copy, .len = len};
    uint8_t want[PACKET_MAX];

    size_t opened = wf_keys_open(&to->keys, &to->rx, e->aead, &o, 1);
    CHECK_EQ(opened, o.ok ? 1 : 0);
    if (o.ok) {
        CHECK_EQ(o.frames.len, put_frames(want, o.number));
        CHECK_MEM_EQ(o.frames.data, want, o.frames.len);
        CHECK(!o.tag_failed);
    }
    free(copy);
    o.packet = NULL;
    o.frames.data = NULL;
    return o;
}

static struct wf_open recv(struct ends *e, struct end *to, const struct packet *p)
{
    return recv_bytes(e, to, p->bytes, p->len);
}

static void expect_opens(struct ends *e, struct end *to, const struct packet *p)
{
    struct wf_open o = recv(e, to, p);

    CHECK(o.ok);
    CHECK_EQ(o.number, p->number);
}

/* --- one packet --- */

TEST(what_one_end_seals_the_other_opens_and_itself_does_not)
{
    struct ends e;

    init(&e);
    for (int i = 0; i < 300; i++) {
        struct packet c = send(&e, &e.client);
        struct packet s = send(&e, &e.server);
        CHECK(!recv(&e, &e.client, &c).ok); /* reflected */
        CHECK(!recv(&e, &e.server, &s).ok);
        expect_opens(&e, &e.server, &c);
        expect_opens(&e, &e.client, &s);
    }
    done(&e);
}

TEST(both_algorithms_work_and_do_not_open_each_other)
{
    struct ends x;
    struct ends a;

    init(&x);
    init_alg(&a, WF_AEAD_AES256_GCM);
    if (!wf_aead_has(a.aead, WF_AEAD_AES256_GCM)) {
        done(&x);
        done(&a);
        return;
    }
    struct packet p = send(&a, &a.client);
    CHECK(!recv(&x, &x.server, &p).ok);
    expect_opens(&a, &a.server, &p);
    done(&x);
    done(&a);
}

TEST(the_header_on_the_wire_is_masked_as_the_spec_says)
{
    struct ends e;
    uint8_t mask[16], key[16];
    struct wf_session_secrets s = some_secrets();

    init(&e);
    wf_kdf(key, 16, s.root_c2s, "weft header key", (weft_span){0}); /* SPEC 2.4 */
    for (int i = 0; i < 200; i++) {
        struct packet p = send(&e, &e.client);
        wf_siphash128(mask, key, wf_span(p.bytes + p.len - 16, 16)); /* SPEC 2.1-2 */
        CHECK_EQ(p.bytes[0] ^ (mask[0] & 0x7f), 0x80);
        CHECK_MEM_EQ(p.bytes + 1, e.client.cid, 8);
        uint64_t w = 0;
        uint8_t window[9];
        for (size_t j = 0; j < 2; j++)
            window[j] = p.bytes[9 + j] ^ mask[1 + j];
        CHECK(wf_window_get(window, 2, &w) > 0);
        CHECK_EQ(w, p.number % 128 == w ? w : p.number);
    }
    done(&e);
}

TEST(masked_first_bytes_take_every_value_so_they_show_no_phase)
{
    struct ends e;
    bool seen[128] = {false};
    unsigned count = 0;

    init(&e);
    for (int i = 0; i < 4000; i++)
        seen[send(&e, &e.client).bytes[0] & 0x7f] = true;
    for (size_t i = 0; i < 128; i++)
        count += seen[i];
    CHECK_EQ(count, 128);
    done(&e);
}

TEST(only_packets_that_open_make_the_window_grow) /* SPEC 2.3-2 */
{
    struct wf_mem *mem = test_mem();
    struct ends e;

    init(&e);
    wf_replay_init(&e.server.rx, mem);
    struct packet p = send(&e, &e.client);
    expect_opens(&e, &e.server, &p);
    e.client.next += 5000;
    p = send(&e, &e.client);
    p.bytes[p.len - WF_PACKET_TAG - 1] ^= 1;
    CHECK(recv(&e, &e.server, &p).tag_failed);
    CHECK_EQ(e.server.rx.bits, WF_REPLAY_FIRST);
    CHECK_EQ(mem->attempts, 0);
    p.bytes[p.len - WF_PACKET_TAG - 1] ^= 1;
    expect_opens(&e, &e.server, &p);
    CHECK_EQ(e.server.rx.bits, 32768);
    CHECK_EQ(mem->held, 32768 / 8);
    wf_replay_deinit(&e.server.rx);
    done(&e);
}

TEST(every_flipped_bit_and_every_other_length_is_refused) /* SPEC 2.1-1 */
{
    struct ends e;

    init(&e);
    for (int i = 0; i < 10; i++)
        (void)send(&e, &e.client);
    struct packet p = send(&e, &e.client);
    for (size_t bit = 0; bit < 8 * p.len; bit++) {
        p.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct wf_open o = recv(&e, &e.server, &p);
        CHECK(!o.ok);
        CHECK_EQ(e.server.rx.highest, 0); /* the window did not move */
        p.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t len = 0; len < p.len; len++)
        CHECK(!recv_bytes(&e, &e.server, p.bytes, len).ok);
    p.bytes[p.len] = 0;
    CHECK(!recv_bytes(&e, &e.server, p.bytes, p.len + 1).ok);
    expect_opens(&e, &e.server, &p);
    done(&e);
}

TEST(what_is_too_short_is_malformed_and_costs_no_trial)
{
    struct ends e;
    uint8_t bytes[WF_PACKET_MIN - 1] = {0x80};

    init(&e);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        struct wf_open o = recv_bytes(&e, &e.server, bytes, len); /* SPEC 2.1-4 */
        CHECK(!o.ok);
        CHECK(!o.tag_failed);
    }
    CHECK_EQ(e.server.keys.forged, 0);
    done(&e);
}

TEST(other_modes_and_reserved_bits_are_refused_even_when_sealed_well)
{
    struct ends e;

    init(&e);
    for (unsigned first = 0; first < 256; first++) {
        struct packet p = send_first(&e, &e.client, (uint8_t)first);
        struct wf_open o = recv(&e, &e.server, &p);
        CHECK_EQ(o.ok, first == 0x80); /* SPEC 2.1-3 */
        CHECK(!o.tag_failed);
    }
    CHECK_EQ(e.server.keys.forged, 0);
    done(&e);
}

/* Turns what is to stand in the header into what has to be sent for it. */
static void mask_like(const struct wf_keys *receiver, uint8_t *bytes, size_t len)
{
    uint8_t mask[16];

    wf_siphash128(mask, receiver->header_rx, wf_span(bytes + len - 16, 16));
    bytes[0] ^= mask[0] & 0x7f;
    for (size_t i = 0; i < 9; i++)
        bytes[9 + i] ^= mask[1 + i];
}

TEST(a_window_number_that_does_not_end_within_nine_bytes_is_refused)
{
    struct ends e;
    uint8_t bytes[60] = {0x80};

    init(&e);
    for (size_t end = 7; end < 12; end++) {
        memset(bytes, 0, sizeof bytes);
        bytes[0] = 0x80;
        memset(bytes + 9, 0x80, end);
        mask_like(&e.server.keys, bytes, sizeof bytes);
        struct wf_open o = recv_bytes(&e, &e.server, bytes, sizeof bytes);
        CHECK(!o.ok);
        CHECK(!o.tag_failed); /* number 0, or no number at all: SPEC 2.2-3 */
    }
    /* Nor may it reach into the tag. */
    memset(bytes, 0xff, WF_PACKET_MIN);
    bytes[0] = 0x80;
    mask_like(&e.server.keys, bytes, WF_PACKET_MIN);
    bytes[9] |= 0x80;
    CHECK(!recv_bytes(&e, &e.server, bytes, WF_PACKET_MIN).ok);
    done(&e);
}

TEST(the_packets_header_is_left_as_it_came)
{
    struct ends e;

    init(&e);
    struct packet p = send(&e, &e.client);
    struct packet copy = p;
    struct wf_open o = {.packet = copy.bytes, .len = copy.len};
    CHECK_EQ(wf_keys_open(&e.server.keys, &e.server.rx, e.aead, &o, 1), 1);
    CHECK_MEM_EQ(copy.bytes, p.bytes, 10);
    CHECK_MEM_EQ(copy.bytes + p.len - 16, p.bytes + p.len - 16, 16);
    done(&e);
}

/* --- many packets --- */

TEST(each_packet_opens_once_alone_and_in_a_batch)
{
    struct ends e;

    init(&e);
    struct packet p = send(&e, &e.client);
    expect_opens(&e, &e.server, &p);
    for (int i = 0; i < 1000; i++) {
        struct wf_open o = recv(&e, &e.server, &p);
        CHECK(!o.ok);
        CHECK(!o.tag_failed);
    }
    struct packet q = send(&e, &e.client);
    struct packet copies[3] = {q, q, q};
    struct wf_open batch[3];
    for (size_t i = 0; i < 3; i++)
        batch[i] = (struct wf_open){.packet = copies[i].bytes, .len = copies[i].len};
    CHECK_EQ(wf_keys_open(&e.server.keys, &e.server.rx, e.aead, batch, 3), 1);
    CHECK(batch[0].ok && !batch[1].ok && !batch[2].ok);
    CHECK_EQ(e.server.keys.forged, 0);
    done(&e);
}

TEST(batches_of_every_size_give_what_single_packets_give)
{
    enum { MAX = 100 };
    static struct packet sent[MAX];
    struct wf_seal seals[MAX];
    struct wf_open opens[MAX];

    for (size_t count = 0; count <= MAX; count += count < 35 ? 1 : 13) {
        struct ends batch;
        struct ends single;
        init(&batch);
        init(&single);
        uint8_t first = wf_keys_first_byte(&batch.client.keys);
        for (size_t i = 0; i < count; i++)
            seals[i] = lay_out(&batch.client, &sent[i], first);
        wf_keys_seal(&batch.client.keys, batch.aead, seals, count);
        for (size_t i = 0; i < count; i++) {
            struct packet p = send(&single, &single.client);
            CHECK_EQ(p.len, sent[i].len);
            CHECK_MEM_EQ(p.bytes, sent[i].bytes, p.len);
            if (i % 7 == 3)
                sent[i].bytes[sent[i].len - 1] ^= 1; /* a forgery among them */
            opens[i] = (struct wf_open){.packet = sent[i].bytes, .len = sent[i].len};
        }
        size_t bad = (count + 3) / 7;
        CHECK_EQ(wf_keys_open(&batch.server.keys, &batch.server.rx, batch.aead, opens, count),
                 count - bad);
        for (size_t i = 0; i < count; i++) {
            CHECK_EQ(opens[i].ok, i % 7 != 3);
            CHECK(!opens[i].ok || opens[i].number == i + 1);
        }
        done(&batch);
        done(&single);
    }
}

/* A line that loses and delays each packet by its own number of rounds, below delay_max: more than
 * the 64 numbers that one byte of window leaves for latecomers would be a loss. */
struct line {
    struct packet held[64];
    uint64_t due[64];
    size_t count;
    uint64_t round, state;
    unsigned loss_percent, delay_max;
};

static void line_init(struct line *l, unsigned loss_percent, unsigned delay_max)
{
    *l = (struct line){.loss_percent = loss_percent, .delay_max = delay_max};
    l->state = test_seed() + loss_percent;
}

/* One packet a round. */
static void line_put(struct line *l, const struct packet *p)
{
    l->round++;
    if (test_next(&l->state) % 100 < l->loss_percent)
        return;
    CHECK(l->count < WF_ARRAY_LEN(l->held));
    l->due[l->count] = l->round + test_next(&l->state) % l->delay_max;
    l->held[l->count++] = *p;
}

static bool line_get(struct line *l, struct packet *out)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->due[i] > l->round)
            continue;
        *out = l->held[i];
        l->held[i] = l->held[--l->count];
        l->due[i] = l->due[l->count];
        return true;
    }
    return false;
}

TEST(whatever_is_lost_and_reordered_numbers_are_understood)
{
    for (unsigned loss = 0; loss <= 60; loss += 20) {
        struct ends e;
        struct line l;
        struct packet p;
        uint64_t opened = 0, arrived = 0;
        init(&e);
        line_init(&l, loss, 60);
        for (int i = 0; i < 8000; i++) {
            p = send(&e, &e.client);
            line_put(&l, &p);
            while (line_get(&l, &p)) {
                arrived++;
                struct wf_open o = recv(&e, &e.server, &p);
                CHECK(o.ok);
                CHECK_EQ(o.number, p.number); /* SPEC 2.2-1, 2.2-2 */
                opened++;
            }
            if (i % 500 == 499)
                e.client.acked = e.server.rx.highest; /* an ack gets through now and then */
        }
        CHECK_EQ(opened, arrived);
        CHECK(arrived > 2500);
        done(&e);
    }
}

TEST(a_number_that_is_too_narrow_fails_as_a_tag_and_never_opens_as_another)
{
    struct ends e;

    init(&e);
    for (int i = 0; i < 1000; i++)
        (void)send(&e, &e.client);
    e.client.acked = e.client.next - 1; /* it lies: nothing was acknowledged */
    struct packet p = send(&e, &e.client);
    struct wf_open o = recv(&e, &e.server, &p);
    CHECK(!o.ok);
    CHECK(o.tag_failed);
    CHECK_EQ(e.server.keys.forged, 1);
    done(&e);
}

TEST(a_number_far_ahead_costs_no_more_and_is_taken)
{
    struct ends e;

    init(&e);
    struct packet p = send(&e, &e.client);
    expect_opens(&e, &e.server, &p);
    e.client.next += (uint64_t)1 << 40;
    p = send(&e, &e.client);
    expect_opens(&e, &e.server, &p);
    CHECK_EQ(e.server.rx.highest, p.number);
    done(&e);
}

/* --- key change --- */

static void rekey(struct end *e, uint8_t seed)
{
    uint8_t dh[32], e_c[32], e_s[32];

    memset(dh, seed, 32);
    memset(e_c, seed + 1, 32);
    memset(e_s, seed + 2, 32);
    wf_keys_rekey(&e->keys, dh, e_c, e_s);
}

TEST(a_key_change_goes_step_by_step_as_the_spec_says)
{
    struct ends e;

    init(&e);
    struct packet late = send(&e, &e.client);
    rekey(&e.server, 1); /* it answers REKEY */
    CHECK_EQ(wf_keys_first_byte(&e.server.keys), 0x80);
    struct packet from_server = send(&e, &e.server);
    rekey(&e.client, 1); /* it has the answer */
    CHECK_EQ(wf_keys_first_byte(&e.client.keys), 0x90);
    struct wf_open o = recv(&e, &e.client, &from_server); /* still the old keys */
    CHECK(o.ok && !o.new_phase);

    struct packet first = send(&e, &e.client);
    struct packet second = send(&e, &e.client);
    CHECK(!e.server.keys.has_old_rx);
    o = recv(&e, &e.server, &second); /* SPEC 2.5-2: either order */
    CHECK(o.ok && o.new_phase);
    CHECK_EQ(e.server.keys.generation, 1);
    CHECK_EQ(e.server.keys.generation_rx, 1);
    CHECK_EQ(wf_keys_first_byte(&e.server.keys), 0x90);
    o = recv(&e, &e.server, &first);
    CHECK(o.ok && !o.new_phase);
    expect_opens(&e, &e.server, &late);

    from_server = send(&e, &e.server);
    struct packet again = send(&e, &e.server);
    o = recv(&e, &e.client, &from_server);
    CHECK(o.ok && o.new_phase);
    o = recv(&e, &e.client, &again);
    CHECK(o.ok && !o.new_phase);
    done(&e);
}

TEST(both_ends_derive_the_same_and_nothing_of_the_old_generation_stays)
{
    struct ends e;
    uint8_t old_root[32], old_key[32];

    init(&e);
    memcpy(old_root, e.client.keys.root_tx, 32);
    memcpy(old_key, e.client.keys.tx.key, 32);
    rekey(&e.server, 5);
    rekey(&e.client, 5);
    struct packet p = send(&e, &e.client);
    expect_opens(&e, &e.server, &p);
    CHECK_MEM_EQ(e.client.keys.root_tx, e.server.keys.root_rx, 32);
    CHECK_MEM_EQ(e.client.keys.root_rx, e.server.keys.root_tx, 32);
    CHECK_MEM_EQ(e.client.keys.transcript, e.server.keys.transcript, 32);
    CHECK(memcmp(old_root, e.client.keys.root_tx, 32) != 0);
    CHECK(memcmp(old_key, e.client.keys.tx.key, 32) != 0);
    const struct wf_keys *k = &e.server.keys;
    CHECK(wf_is_zero_ct(&k->tx_next, sizeof k->tx_next));
    CHECK(wf_is_zero_ct(&k->rx_next, sizeof k->rx_next));
    CHECK(wf_is_zero_ct(k->root_tx_next, 32));
    CHECK(!wf_is_zero_ct(&k->rx_old, sizeof k->rx_old));
    wf_keys_forget_old(&e.server.keys); /* SPEC 2.5-3 */
    CHECK(wf_is_zero_ct(&k->rx_old, sizeof k->rx_old));
    CHECK(!k->has_old_rx);
    done(&e);
}

TEST(the_roots_of_a_key_change_depend_on_every_input)
{
    struct ends base;
    uint8_t inputs[3][32] = {{1}, {2}, {3}};

    init(&base);
    wf_keys_rekey(&base.client.keys, inputs[0], inputs[1], inputs[2]);
    for (size_t i = 0; i < 3; i++) {
        struct ends e;
        init(&e);
        inputs[i][31] ^= 1;
        wf_keys_rekey(&e.client.keys, inputs[0], inputs[1], inputs[2]);
        inputs[i][31] ^= 1;
        CHECK(memcmp(e.client.keys.root_tx, base.client.keys.root_tx, 32) != 0);
        CHECK(memcmp(e.client.keys.root_rx, base.client.keys.root_rx, 32) != 0);
        done(&e);
    }
    done(&base);
}

TEST(header_keys_and_numbers_go_on_through_key_changes)
{
    struct ends e;
    uint8_t header_key[16];

    init(&e);
    memcpy(header_key, e.client.keys.header_tx, 16);
    for (uint8_t g = 1; g <= 5; g++) {
        rekey(&e.server, g);
        rekey(&e.client, g);
        struct packet p = send(&e, &e.client);
        CHECK_EQ(p.number, 2u * g - 1);
        expect_opens(&e, &e.server, &p);
        struct packet q = send(&e, &e.server);
        expect_opens(&e, &e.client, &q);
        (void)send(&e, &e.client);
        CHECK_MEM_EQ(e.client.keys.header_tx, header_key, 16);
    }
    done(&e);
}

TEST(late_packets_open_until_the_old_key_is_forgotten_and_not_after)
{
    struct ends e;
    struct packet late[4];

    init(&e);
    for (size_t i = 0; i < 4; i++)
        late[i] = send(&e, &e.client);
    rekey(&e.server, 1);
    expect_opens(&e, &e.server, &late[3]); /* before the change */
    rekey(&e.client, 1);
    struct packet p = send(&e, &e.client);
    expect_opens(&e, &e.server, &p);
    expect_opens(&e, &e.server, &late[0]); /* a lower number, the old key */
    wf_keys_forget_old(&e.server.keys);
    struct wf_open o = recv(&e, &e.server, &late[1]);
    CHECK(!o.ok);
    CHECK(!o.tag_failed); /* no key, no trial */

    /* Two generations on its phase bit is that of the present key: one trial, which fails. */
    rekey(&e.server, 2);
    rekey(&e.client, 2);
    p = send(&e, &e.client);
    expect_opens(&e, &e.server, &p);
    o = recv(&e, &e.server, &late[1]);
    CHECK(!o.ok);
    CHECK(o.tag_failed);
    done(&e);
}

TEST(a_forged_phase_bit_costs_at_most_one_trial_and_changes_nothing)
{
    struct ends e;

    init(&e);
    for (int state = 0; state < 4; state++) {
        if (state == 1)
            rekey(&e.server, 9); /* rx_next is there */
        if (state == 2) {
            rekey(&e.client, 9);
            struct packet q = send(&e, &e.client);
            expect_opens(&e, &e.server, &q); /* rx_old is there */
        }
        if (state == 3)
            wf_keys_forget_old(&e.server.keys);
        uint64_t generation = e.server.keys.generation;
        struct packet p = send(&e, &e.client);
        p.bytes[0] ^= WF_PACKET_PHASE_BIT;
        for (int i = 0; i < 100; i++) {
            uint64_t forged = e.server.keys.forged;
            struct wf_open o = recv(&e, &e.server, &p);
            CHECK(!o.ok);
            CHECK(!o.new_phase);
            CHECK_EQ(e.server.keys.forged - forged, state == 1 || state == 2);
            CHECK_EQ(o.tag_failed, state == 1 || state == 2);
        }
        CHECK_EQ(e.server.keys.generation, generation);
        p.bytes[0] ^= WF_PACKET_PHASE_BIT;
        expect_opens(&e, &e.server, &p);
    }
    done(&e);
}

TEST(one_batch_may_hold_both_generations_in_any_order)
{
    for (unsigned order = 0; order < 24; order++) {
        struct ends e;
        struct packet sent[4];
        struct wf_open batch[4];
        init(&e);
        sent[0] = send(&e, &e.client);
        sent[1] = send(&e, &e.client);
        rekey(&e.server, 1);
        rekey(&e.client, 1);
        sent[2] = send(&e, &e.client);
        sent[3] = send(&e, &e.client);
        size_t left[4] = {0, 1, 2, 3};
        for (size_t i = 0, rest = order; i < 4; i++) {
            size_t pick = rest % (4 - i);
            rest /= 4 - i;
            batch[i] =
                (struct wf_open){.packet = sent[left[pick]].bytes, .len = sent[left[pick]].len};
            memmove(left + pick, left + pick + 1, (3 - pick) * sizeof left[0]);
        }
        CHECK_EQ(wf_keys_open(&e.server.keys, &e.server.rx, e.aead, batch, 4), 4);
        unsigned phases = 0;
        for (size_t i = 0; i < 4; i++)
            phases += batch[i].new_phase;
        CHECK_EQ(phases, 1);
        done(&e);
    }
}

/* Two ends that change keys over a bad line, REKEY frames being delivered by hand. */
struct changing {
    struct ends e;
    struct line to_server, to_client;
    uint8_t generation; /* asked for by the client */
    uint64_t opened;
    int forget_in[2]; /* rounds until the old key goes: the server's, the client's */
};

static void deliver(struct changing *c, struct line *l, struct end *to, int *forget_in)
{
    struct packet p;

    while (line_get(l, &p)) {
        struct wf_open o = recv(&c->e, to, &p);
        CHECK(o.ok);
        CHECK_EQ(o.number, p.number);
        if (o.new_phase)
            *forget_in = 40;
        c->opened++;
    }
    if (*forget_in > 0 && --*forget_in == 0)
        wf_keys_forget_old(&to->keys);
}

/* Every 100 rounds a change begins; answer and completion come some rounds later. */
static void change_keys(struct changing *c, unsigned round)
{
    if (round % 100 == 0 && c->generation < 100) {
        c->generation++;
        rekey(&c->e.server, c->generation);
    }
    if (round % 100 == 15 && c->generation > c->e.client.keys.generation)
        rekey(&c->e.client, c->generation);
}

TEST(no_packet_is_lost_to_a_hundred_key_changes_under_loss_and_reordering)
{
    static struct changing c;

    memset(&c, 0, sizeof c);
    init(&c.e);
    line_init(&c.to_server, 10, 30);
    line_init(&c.to_client, 10, 30);
    for (unsigned round = 1; round <= 10100; round++) {
        change_keys(&c, round);
        struct packet p = send(&c.e, &c.e.client);
        line_put(&c.to_server, &p);
        p = send(&c.e, &c.e.server);
        line_put(&c.to_client, &p);
        deliver(&c, &c.to_server, &c.e.server, &c.forget_in[0]);
        deliver(&c, &c.to_client, &c.e.client, &c.forget_in[1]);
        c.e.client.acked = c.e.server.rx.highest;
        c.e.server.acked = c.e.client.rx.highest;
    }
    CHECK_EQ(c.e.client.keys.generation, 100);
    CHECK_EQ(c.e.client.keys.generation_rx, 100);
    CHECK(c.opened > 17000);
    CHECK_EQ(c.e.client.keys.forged + c.e.server.keys.forged, 0);
    done(&c.e);
}

/* --- hard stops --- */

TEST(the_last_packet_is_number_2_to_the_48)
{
    struct ends e;

    init(&e);
    e.client.next = WF_KEYS_PACKETS_MAX - 1;
    struct packet p = send(&e, &e.client);
    CHECK(!wf_keys_spent(&e.client.keys));
    expect_opens(&e, &e.server, &p);
    p = send(&e, &e.client); /* SPEC 2.5-4 */
    CHECK_EQ(p.number, WF_KEYS_PACKETS_MAX);
    CHECK(wf_keys_spent(&e.client.keys));
    expect_opens(&e, &e.server, &p);
    done(&e);
}

/* Sealed with the right key by somebody who does not stop. */
TEST(a_number_above_2_to_the_48_is_refused_though_it_is_authentic)
{
    struct ends e;
    struct packet p;

    init(&e);
    e.client.next = WF_KEYS_PACKETS_MAX + 1;
    struct wf_seal s = lay_out(&e.client, &p, 0x80);
    struct wf_aead_op op = {.number = s.number,
                            .ad = wf_span(s.buf, s.header_len),
                            .in = s.buf + s.header_len,
                            .in_len = s.frames_len,
                            .out = s.buf + s.header_len};
    wf_aead_seal(e.aead, &e.client.keys.tx, &op, 1);
    uint8_t mask[16];
    wf_siphash128(mask, e.client.keys.header_tx, wf_span(p.bytes + p.len - 16, 16));
    p.bytes[0] ^= mask[0] & 0x7f;
    for (size_t i = 9; i < s.header_len; i++)
        p.bytes[i] ^= mask[i - 8];
    struct wf_open o = recv(&e, &e.server, &p);
    CHECK(!o.ok);
    CHECK(!o.tag_failed);
    done(&e);
}

TEST(after_2_to_the_36_forgeries_nothing_opens_any_more)
{
    struct ends e;

    init(&e);
    e.server.keys.forged = WF_KEYS_FORGERIES_MAX - 1; /* the test's hook */
    struct packet good = send(&e, &e.client);
    struct packet bad = send(&e, &e.client);
    struct packet last = send(&e, &e.client);
    expect_opens(&e, &e.server, &good);
    CHECK(!wf_keys_spent(&e.server.keys));
    bad.bytes[10] ^= 1; /* in its frames: a flipped tag would spoil the header too */
    struct wf_open o = recv(&e, &e.server, &bad);
    CHECK(o.tag_failed);
    CHECK(wf_keys_spent(&e.server.keys)); /* SPEC 2.5-4 */
    o = recv(&e, &e.server, &last);
    CHECK(!o.ok);
    CHECK(!o.tag_failed);
    done(&e);
}

TEST(ten_thousand_forgeries_leave_a_session_as_it_was)
{
    struct ends e;
    uint8_t junk[60];

    init(&e);
    struct wf_rng *rng = test_rng(test_seed());
    for (int i = 0; i < 10000; i++) {
        wf_random(rng, junk, sizeof junk);
        junk[0] |= 0x80;
        memcpy(junk + 1, e.client.cid, 8);
        CHECK(!recv_bytes(&e, &e.server, junk, sizeof junk).ok);
        if (i % 100 == 0) {
            struct packet p = send(&e, &e.client);
            expect_opens(&e, &e.server, &p);
        }
    }
    CHECK_LE(e.server.keys.forged, 10000);
    CHECK_EQ(e.server.rx.highest, 100);
    done(&e);
}

/* --- key log --- */

struct log_line {
    uint8_t cid[8];
    unsigned phase;
    const char *direction;
    uint8_t root[32];
};

struct log {
    struct log_line lines[8];
    size_t count;
};

static void take_line(void *ctx, const uint8_t cid[8], unsigned phase, const char *direction,
                      const uint8_t root[32])
{
    struct log *log = ctx;
    struct log_line *line = &log->lines[log->count++];

    memcpy(line->cid, cid, 8);
    line->phase = phase;
    line->direction = direction;
    memcpy(line->root, root, 32);
}

TEST(both_ends_log_the_same_lines_for_every_generation)
{
    struct ends e;
    struct log a = {0};
    struct log b = {0};
    struct wf_keylog to_a = {take_line, &a};
    struct wf_keylog to_b = {take_line, &b};

    init(&e);
    wf_keys_log(&e.client.keys, NULL, e.client.cid, e.server.cid);
    for (uint8_t g = 0; g < 2; g++) {
        wf_keys_log(&e.client.keys, &to_a, e.client.cid, e.server.cid);
        wf_keys_log(&e.server.keys, &to_b, e.server.cid, e.client.cid);
        if (g == 0) {
            rekey(&e.client, 1);
            rekey(&e.server, 1); /* its tx has not changed yet: the log says what will come */
        }
    }
    CHECK_EQ(a.count, 4);
    CHECK_EQ(b.count, 4);
    struct wf_session_secrets s = some_secrets();
    CHECK_MEM_EQ(a.lines[0].root, s.root_c2s, 32);
    CHECK_MEM_EQ(a.lines[1].root, s.root_s2c, 32);
    for (size_t i = 0; i < 4; i++) {
        CHECK_STR_EQ(a.lines[i].direction, i % 2 == 0 ? "c2s" : "s2c");
        CHECK_STR_EQ(b.lines[i].direction, a.lines[i].direction);
        CHECK_EQ(a.lines[i].phase, i / 2);
        CHECK_EQ(b.lines[i].phase, i / 2);
        CHECK_MEM_EQ(a.lines[i].root, b.lines[i].root, 32);
        CHECK_MEM_EQ(a.lines[i].cid, b.lines[i].cid, 8);
        CHECK_MEM_EQ(a.lines[i].cid, i % 2 == 0 ? e.client.cid : e.server.cid, 8);
    }
    done(&e);
}
