/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys_fold_test.c - keys of a session as bytes and back: both ends go on as if nothing had been,
 * also after key changes; what cannot be said in bytes is refused.
 */
#include "test.h"

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "session/keys.h"
#include "wire/packet.h"

struct end {
    struct wf_keys keys;
    struct wf_replay rx;
    uint64_t next;
};

struct ends {
    struct wf_aead *aead;
    struct end end[2];
};

static void init(struct ends *e)
{
    struct wf_session_secrets s;

    memset(e, 0, sizeof *e);
    memset(s.root_c2s, 0x11, 32);
    memset(s.root_s2c, 0x22, 32);
    memset(s.transcript, 0x33, 32);
    CHECK_OK(wf_crypto_init());
    CHECK_OK(wf_aead_new(&e->aead, WF_AEAD_BEST, test_mem()));
    for (int i = 0; i < 2; i++) {
        wf_keys_init(&e->end[i].keys, i == 0 ? WF_ROLE_CLIENT : WF_ROLE_SERVER,
                     WF_AEAD_XCHACHA20_POLY1305, &s);
        wf_replay_init(&e->end[i].rx, NULL);
        e->end[i].next = 1;
    }
}

/* One packet from an end to the other one; true when it opened. */
static bool pass(struct ends *e, int from, bool spoiled)
{
    static const uint8_t cid[8] = {1};
    struct end *a = &e->end[from];
    struct end *b = &e->end[1 - from];
    uint8_t buf[64] = {0};
    size_t header =
        wf_packet_put_header(buf, wf_keys_first_byte(&a->keys), cid, a->next, WF_WINDOW_BYTES_MAX);
    struct wf_seal s = {buf, header, 8, a->next++};
    struct wf_open o = {.packet = buf, .len = header + 8 + WF_PACKET_TAG};

    wf_keys_seal(&a->keys, e->aead, &s, 1);
    buf[header] ^= spoiled ? 1 : 0;
    (void)wf_keys_open(&b->keys, &b->rx, e->aead, &o, 1);
    CHECK_EQ(o.tag_failed, spoiled);
    return o.ok;
}

static void change_keys(struct ends *e, uint8_t seed)
{
    uint8_t dh[32], e_c[32], e_s[32];

    memset(dh, seed, 32);
    memset(e_c, seed + 1, 32);
    memset(e_s, seed + 2, 32);
    wf_keys_rekey(&e->end[1].keys, dh, e_c, e_s);
    wf_keys_rekey(&e->end[0].keys, dh, e_c, e_s);
}

static void fold_and_unfold(struct end *end)
{
    uint8_t bytes[WF_KEYS_FOLDED_MAX];
    struct wf_writer w = wf_writer_of(bytes, sizeof bytes);

    CHECK(wf_keys_can_fold(&end->keys));
    wf_keys_fold(&end->keys, &w);
    CHECK(wf_writer_ok(&w));
    struct wf_keys before = end->keys;
    uint8_t *copy = test_copy(bytes, w.len);
    struct wf_reader r = wf_reader_of((weft_span){copy, w.len});
    memset(&end->keys, 0xee, sizeof end->keys);
    CHECK_OK(wf_keys_unfold(&end->keys, &r));
    CHECK(wf_reader_done(&r));
    CHECK_MEM_EQ(&end->keys.tx, &before.tx, sizeof before.tx);
    CHECK_MEM_EQ(&end->keys.rx, &before.rx, sizeof before.rx);
    CHECK_EQ(end->keys.sealed_last, before.sealed_last);
    CHECK_EQ(end->keys.forged, before.forged);
    CHECK_EQ(end->keys.generation, before.generation);
    free(copy);
}

/* SPEC 4.6-1, 4.6-3 */
TEST(keys_go_on_after_they_were_bytes_through_key_changes)
{
    struct ends e;

    init(&e);
    for (uint8_t round = 0; round < 5; round++) {
        for (int from = 0; from < 2; from++) {
            CHECK(pass(&e, from, false));
            CHECK(!pass(&e, from, true));
        }
        fold_and_unfold(&e.end[round % 2]);
        CHECK(pass(&e, 0, false));
        CHECK(pass(&e, 1, false));
        fold_and_unfold(&e.end[0]);
        fold_and_unfold(&e.end[1]);
        change_keys(&e, round);
        CHECK(pass(&e, 0, false));
        CHECK(pass(&e, 1, false));
        wf_keys_forget_old(&e.end[0].keys);
        wf_keys_forget_old(&e.end[1].keys);
    }
    CHECK_EQ(e.end[0].keys.generation, 5);
    CHECK_EQ(e.end[1].keys.forged, 5);
    wf_aead_free(e.aead);
}

/* SPEC 4.6-2 */
TEST(keys_do_not_fold_while_they_change_nor_while_the_old_one_is_kept)
{
    struct ends e;

    init(&e);
    change_keys(&e, 1);
    CHECK(!wf_keys_can_fold(&e.end[0].keys));
    CHECK(!wf_keys_can_fold(&e.end[1].keys));
    CHECK(pass(&e, 0, false));
    wf_keys_forget_old(&e.end[1].keys);
    CHECK(wf_keys_can_fold(&e.end[1].keys));
    wf_keys_forget_old(&e.end[0].keys);
    CHECK(!wf_keys_can_fold(&e.end[0].keys)); /* nothing came under the new key yet */
    CHECK(pass(&e, 1, false));
    wf_keys_forget_old(&e.end[0].keys);
    CHECK(wf_keys_can_fold(&e.end[0].keys));
    wf_aead_free(e.aead);
}

TEST(bytes_that_are_cut_short_or_wrong_are_no_keys)
{
    struct ends e;
    uint8_t bytes[WF_KEYS_FOLDED_MAX];
    struct wf_writer w = wf_writer_of(bytes, sizeof bytes);
    struct wf_keys k;

    init(&e);
    wf_keys_fold(&e.end[0].keys, &w);
    for (size_t len = 0; len < w.len; len++) {
        uint8_t *cut = test_copy(bytes, len);
        struct wf_reader r = wf_reader_of((weft_span){cut, len});
        CHECK_EQ(wf_keys_unfold(&k, &r), WEFT_ERR_MALFORMED);
        CHECK(wf_is_zero_ct(&k, sizeof k));
        free(cut);
    }
    for (size_t at = 0; at < 2; at++) { /* role, algorithm */
        uint8_t *bad = test_copy(bytes, w.len);
        struct wf_reader r = wf_reader_of((weft_span){bad, w.len});
        bad[at] = at == 0 ? 2 : 3;
        CHECK_EQ(wf_keys_unfold(&k, &r), WEFT_ERR_MALFORMED);
        free(bad);
    }
    bytes[1] = 0;
    struct wf_reader r = wf_reader_of((weft_span){bytes, w.len});
    CHECK_EQ(wf_keys_unfold(&k, &r), WEFT_ERR_MALFORMED);
    wf_aead_free(e.aead);
}
