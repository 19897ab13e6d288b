/* SPDX-License-Identifier: Apache-2.0 */
/*
 * challenge_test.c - what CHALLENGE's signature and check cover, laid out by hand beside what the
 * code lays out.
 */
#include "test.h"

#include "pair.h"
#include "session/challenge.h"

/* The text of the spec, field by field. */
static size_t by_hand(uint8_t *out, const struct wf_identity *server, const struct wf_challenge *c)
{
    static const uint8_t label[] = "weft challenge 1";
    struct wf_writer w = wf_writer_of(out, WF_CHALLENGE_MESSAGE_MAX);

    wf_write_bytes(&w, label, 16);
    wf_write_bytes(&w, server->public_key, 32);
    wf_write_u8(&w, c->head.suite);
    wf_write_u64(&w, c->head.instance);
    wf_write_bytes(&w, server->server_public, 32);
    wf_write_u32(&w, c->head.ts_id);
    wf_write_bytes(&w, c->ts, 32);
    wf_write_u64(&w, c->not_after_s);
    wf_write_u8(&w, c->head.ceiling_log2);
    wf_write_u8(&w, (uint8_t)c->lists.len);
    wf_write_span(&w, c->lists);
    return w.len;
}

static struct wf_challenge first_challenge(struct pair *p)
{
    struct wf_challenge c;

    pair_init(p, test_mem(), test_rng(test_seed()));
    pair_server(p);
    pair_client(p, false);
    pair_say_hello(p);
    pair_get_challenge(p);
    CHECK_OK(wf_challenge_get(wf_span(p->challenge, p->challenge_len), &c));
    return c;
}

TEST(the_servers_identity_signs_just_what_the_spec_says) /* SPEC 1.2-2 */
{
    struct pair p;
    uint8_t message[WF_CHALLENGE_MESSAGE_MAX];
    struct wf_challenge c = first_challenge(&p);
    size_t len = by_hand(message, &p.server_id, &c);

    CHECK_OK(wf_verify(p.server_id.public_key, c.signature, wf_span(message, len)));
    for (size_t bit = 0; bit < 8 * len; bit++) {
        message[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(wf_verify(p.server_id.public_key, c.signature, wf_span(message, len)) != WEFT_OK);
        message[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    pair_free(&p);
}

TEST(one_signature_serves_every_hello_until_t_s_is_replaced) /* SPEC 1.2-2 */
{
    struct pair p;
    struct wf_challenge first = first_challenge(&p);
    struct wf_challenge again;

    pair_client(&p, false);
    pair_say_hello(&p);
    pair_get_challenge(&p);
    CHECK_OK(wf_challenge_get(wf_span(p.challenge, p.challenge_len), &again));
    CHECK_MEM_EQ(again.signature, first.signature, sizeof first.signature);
    CHECK(memcmp(again.cookie, first.cookie, sizeof first.cookie) != 0);
    pair_free(&p);
}

/* Offsets and all as the spec has them. */
TEST(the_check_covers_just_what_the_spec_says) /* SPEC 1.2-9 */
{
    struct pair p;
    uint8_t digest[32], text[256];
    struct wf_writer w = wf_writer_of(text, sizeof text);

    (void)first_challenge(&p);
    const weft_span parts[] = {wf_span(p.challenge + 28, 136),
                               wf_span(p.challenge + 196, p.challenge_len - 196)};
    wf_hash(digest, parts, WF_ARRAY_LEN(parts));
    wf_write_bytes(&w, p.challenge + 1, 27);
    wf_write_bytes(&w, p.challenge + 164, 16);
    wf_write_bytes(&w, digest, 8);
    wf_write_bytes(&w, p.hello + 4, 4);
    wf_write_bytes(&w, p.hello + 24, 1 + (size_t)p.hello[24]);
    CHECK(wf_writer_ok(&w));
    CHECK_EQ(wf_load_u64(p.challenge + 188), wf_siphash64(p.hello + 8, wf_span(text, w.len)));
    pair_free(&p);
}
