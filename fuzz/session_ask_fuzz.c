/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_ask_fuzz.c - ASK and STATEMENT at both ends under a program of bytes: packets bent on
 * their way, statements with any fields signed by the owner or by others, time.
 *
 * What must hold: an ASK is answered with no more than it is, without memory or curves; the client
 * asks once, and changes its mind only for a statement that the owner signed about its name, in a
 * version above its pin's (or not below, where it has no key), in time.
 */
#include "feed.h"
#include "tests/session/pair.h"

#define STEPS_MAX 48
#define VERSION 5u

static struct wf_mem mem = FEED_HEAP;
static struct wf_rng_seeded rng;
static struct pair pair;
static struct wf_identity owner, other, before;
static struct wf_pin pin = {.name = "alice", .name_len = 5, .version = VERSION};
static struct wf_statement held;
static uint8_t held_bytes[WF_STATEMENT_MAX];
static uint8_t ask[WF_ASK_LEN];
static bool has_ask;

static void make_identity(struct wf_identity *id)
{
    uint8_t seed[32];

    wf_random(&rng.rng, seed, sizeof seed);
    PAIR_MUST(wf_identity_init(id, seed) == WEFT_OK);
}

static void set_up(void)
{
    wf_rng_seed(&rng, 1);
    pair_init(&pair, &mem, &rng.rng);
    make_identity(&owner);
    make_identity(&other);
    make_identity(&before);
    memcpy(pin.owner, owner.public_key, 32);
    held = (struct wf_statement){
        .name = "alice", .name_len = 5, .version = VERSION + 2, .not_after_s = UINT64_MAX};
    memcpy(held.key, pair.server_id.public_key, 32);
    wf_statement_sign(&held, &owner);
    pair.adm_config.table_max = 8;
    pair.adm_config.pool_max = 1;
    pair.adm_config.statement =
        wf_span(held_bytes, wf_statement_put(&held, held_bytes, sizeof held_bytes));
    pair.hs_config.pin = &pin;
    pair.hs_config.owner = pin.owner;
    pair.hs_config.effort_max = 64;
}

static void say(struct feed *f)
{
    uint8_t buf[WF_SOLVE_MAX];
    size_t len = 0;

    (void)f;
    wf_hs_send(pair.hs, pair.now, buf, sizeof buf, &len);
    PAIR_MUST(len == 0 || len == WF_HELLO_LEN || len == WF_ASK_LEN);
    if (len == 0 || buf[0] != WF_TYPE_ASK)
        return;
    PAIR_MUST(!has_ask || memcmp(ask, buf, len) == 0); /* one, again and again */
    memcpy(ask, buf, len);
    has_ask = true;
}

static void challenge(struct feed *f)
{
    memcpy(pair.hello, pair.hs->hello, sizeof pair.hello);
    pair_get_challenge(&pair);
    for (int i = next(f) % 3; i > 0; i--)
        pair.challenge[next(f) % pair.challenge_len] ^= next(f);
    pair_to_client(&pair, pair.challenge, pair.challenge_len);
}

/* The client may believe this, or must not change. */
static void tell(const uint8_t *packet, size_t len, bool is_good)
{
    uint8_t key[32];

    memcpy(key, pair.hs->server_key, sizeof key);
    pair_to_client(&pair, packet, len);
    PAIR_MUST(is_good || memcmp(key, pair.hs->server_key, sizeof key) == 0);
}

static void question(struct feed *f)
{
    uint64_t attempts = mem.attempts;
    uint64_t curves = wf_curve_operations();
    uint8_t at = next(f);
    uint8_t how = next(f);
    uint8_t bent[WF_ASK_LEN];
    size_t len = 0;

    memcpy(bent, ask, sizeof bent);
    bent[at] ^= how;
    len = next(f) % 8 == 0 ? next(f) : sizeof bent;
    enum wf_adm_kind kind = pair_to_server(&pair, bent, len);
    PAIR_MUST(mem.attempts == attempts && wf_curve_operations() == curves);
    PAIR_MUST(kind == WF_ADM_DROP || (kind == WF_ADM_REPLY && has_ask));
    PAIR_MUST(pair.result.reply_len <= len);
    if (kind == WF_ADM_REPLY)
        tell(pair.result.reply, pair.result.reply_len, true);
}

/* Any fields, signed by somebody. */
static void statement(struct feed *f)
{
    uint8_t bytes[WF_STATEMENT_MAX], packet[WF_STATEMENT_PACKET_MAX];
    struct wf_statement s = held;
    uint8_t how = next(f);
    bool by_owner = (how & 1) != 0;
    bool has_key = !wf_is_zero_ct(pair.hs->server_key, 32);

    s.version = VERSION + next(f) % 4 - 1;
    s.name_len = (how & 2) != 0 ? (uint8_t)(1 + next(f) % WF_NAME_MAX) : s.name_len;
    s.name[0] ^= (how & 4) != 0 ? next(f) : 0;
    s.not_after_s = (how & 8) != 0 ? PAIR_WALL_MS / 1000 + next(f) - 500 : UINT64_MAX;
    s.key[next(f) % 32] ^= (how & 16) != 0 ? next(f) : 0;
    wf_statement_sign(&s, by_owner ? &owner : &other);
    size_t len = wf_statement_put(&s, bytes, sizeof bytes);
    len = wf_statement_packet_put(pair.hs->n_c, wf_span(bytes, len), packet, sizeof packet);
    uint8_t bit = (how & 32) != 0 ? next(f) : 0;
    packet[next(f) % len] ^= bit;
    tell(packet, len,
         by_owner && bit == 0 && s.version >= VERSION + (has_key ? 1 : 0) && s.name_len == 5 &&
             memcmp(s.name, "alice", 5) == 0);
}

static void work(struct feed *f)
{
    wf_hs_work(pair.hs, pair.now, next(f));
}

static void pass_time(struct feed *f)
{
    pair.now += (weft_time)next(f) * 50000;
    wf_adm_tick(pair.adm, pair.now);
    wf_hs_tick(pair.hs, pair.now);
}

static void (*const steps[])(struct feed *) = {say,  challenge, question,  question,
                                               work, statement, statement, pass_time};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};

    if (pair.aead == NULL) {
        set_up();
    }
    wf_rng_seed(&rng, 2);
    pair.now = PAIR_START;
    has_ask = false;
    memset(ask, 0, sizeof ask);
    pair.adm_config.effort = next(&f) % 16;
    memcpy(pair.hs_config.server_key, before.public_key, 32);
    if (next(&f) % 4 == 0) {
        memset(pair.hs_config.server_key, 0, 32);
    }
    pair_server(&pair);
    pair_client(&pair, next(&f) % 2 == 0);
    for (int i = 0; i < STEPS_MAX && f.left > 0 && wf_hs_state(pair.hs) == WF_HS_HELLO; i++)
        steps[next(&f) % WF_ARRAY_LEN(steps)](&f);
    wf_hs_free(pair.hs);
    wf_adm_free(pair.adm);
    pair.hs = NULL;
    pair.adm = NULL;
    PAIR_MUST(mem.held > 0); /* the AEAD alone is kept */
    return 0;
}
