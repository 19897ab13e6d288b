/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_adm_fuzz.c - the server's side of the handshake under a program of bytes: HELLOs, SOLVEs
 * whose fields are changed and then sealed again with a good cookie, time, tickets, and plain
 * garbage.
 *
 * What must hold after every step: no answer is longer than its question, nothing is allocated for
 * a stranger, one cookie makes one session, everything stays within its cap.
 */
#include "feed.h"
#include "tests/session/pair.h"

#define STEPS_MAX 64
#define TICKETS 8

static struct wf_mem mem = FEED_HEAP;
static struct wf_rng_seeded rng;
static struct pair pair;
static uint64_t tickets[TICKETS];
static size_t ticket_count;

static void set_up(void)
{
    wf_rng_seed(&rng, 1);
    pair_init(&pair, &mem, &rng.rng);
    pair.adm_config.table_max = 8;
    pair.adm_config.pool_max = 2;
    pair.adm_config.confirm_pool = 1000;
}

/* Sends a datagram and checks what holds for every one. */
static void question(const uint8_t *data, size_t len)
{
    uint64_t attempts = mem.attempts;
    uint64_t accepted = pair_stats(&pair).accepted;
    enum wf_adm_kind kind = pair_to_server(&pair, data, len);

    PAIR_MUST(mem.attempts == attempts);
    PAIR_MUST(pair.result.reply_len <= len);
    PAIR_MUST((kind == WF_ADM_REPLY) == (pair.result.reply_len > 0));
    PAIR_MUST(pair_stats(&pair).accepted - accepted == (kind == WF_ADM_ACCEPT));
    if (kind == WF_ADM_ACCEPT) {
        PAIR_MUST(pair.result.body.frames.len <= sizeof pair.result.plain);
        tickets[ticket_count++ % TICKETS] = pair.result.ticket;
    }
}

static void hello(struct feed *f)
{
    uint8_t at = next(f);

    wf_store_u32(pair.hello + 8, next(f));
    pair.hello[at] ^= next(f);
    question(pair.hello, sizeof pair.hello);
    if (pair.result.kind == WF_ADM_REPLY) {
        memcpy(pair.challenge, pair.result.reply, pair.result.reply_len);
        pair.challenge_len = pair.result.reply_len;
    }
}

/* Changes that keep the packet one that can be laid out; the cookie is made good again, or not. */
static void bend(struct forge *f, struct feed *feed)
{
    switch (next(feed) % 12) {
    case 0:
        f->solve.head.epoch = next(feed);
        break;
    case 1:
        f->solve.head.ts_id = next(feed);
        break;
    case 2:
        f->solve.prefix[next(feed) % 4] ^= next(feed);
        break;
    case 3:
        f->mode = next(feed);
        break;
    case 4:
        f->client_key[next(feed) % 32] ^= next(feed);
        break;
    case 5:
        f->box0_key[next(feed) % 32] ^= next(feed);
        break;
    case 6:
        f->body.choices[0] = next(feed);
        f->body.choice_count = next(feed) % (WF_GROUPS_MAX + 1);
        break;
    case 7:
        f->hide_client = true;
        break;
    case 8:
        f->solve.head.effort = next(feed) % 8;
        f->solve.bid = next(feed) % 8;
        break;
    case 9:
        f->solve.e_c[next(feed) % 32] ^= next(feed);
        break;
    case 10: { /* a body of any bytes */
        size_t len = next(feed);
        len = len < feed->left ? len : feed->left;
        f->raw_body = wf_span(feed->data, len < 100 ? len : 100);
        break;
    }
    default:
        f->len = WF_SOLVE_MIN + 100 + next(feed) * 2u;
        break;
    }
}

static void solve(struct feed *feed)
{
    static const uint8_t secret[32] = {42};
    struct wf_hello h;
    struct forge f;
    uint8_t out[WF_SOLVE_MAX];
    uint8_t how = next(feed);

    if (pair.challenge_len == 0 ||
        wf_hello_get(wf_span(pair.hello, sizeof pair.hello), &h) != WEFT_OK)
        return;
    forge_init(&f, &pair, secret);
    for (int i = how % 4; i > 0; i--)
        bend(&f, feed);
    if ((how & 4) != 0) {
        forge_cookie(&f, &pair);
    }
    forge_solve(&f, pair.aead, out);
    if ((how & 8) != 0 && f.solve.bid > 0) {
        forge_work(&f, out);
    }
    if ((how & 16) != 0) {
        out[(size_t)next(feed) * 4 % f.len] ^= next(feed);
    }
    question(out, f.len);
}

static void garbage(struct feed *f)
{
    size_t len = next(f) * 5u;

    len = len < f->left ? len : f->left;
    question(f->data, len);
    f->data += len;
    f->left -= len;
}

static void owner(struct feed *f)
{
    uint64_t ticket = tickets[next(f) % TICKETS];

    switch (next(f) % 3) {
    case 0:
        pair.result.ticket = ticket;
        (void)pair_make_confirm(&pair);
        break;
    case 1:
        wf_adm_refuse(pair.adm, ticket);
        break;
    default:
        wf_adm_confirmed(pair.adm, ticket);
        break;
    }
}

static void pass_time(struct feed *f)
{
    pair.now += (weft_time)next(f) * next(f) * 10000;
    wf_adm_tick(pair.adm, pair.now);
    PAIR_MUST(wf_adm_deadline(pair.adm) > pair.now);
}

static void step(struct feed *f)
{
    switch (next(f) % 8) {
    case 0:
    case 1:
        hello(f);
        break;
    case 2:
    case 3:
    case 4:
        solve(f);
        break;
    case 5:
        garbage(f);
        break;
    case 6:
        owner(f);
        break;
    default:
        pass_time(f);
        break;
    }
    struct wf_adm_stats s = pair_stats(&pair);
    PAIR_MUST(s.table_entries <= 8);
    PAIR_MUST(s.confirm_bytes <= 1000);
    PAIR_MUST(s.pool_keys <= 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};

    if (pair.aead == NULL) {
        set_up();
    }
    wf_rng_seed(&rng, 2);
    pair.now = PAIR_START;
    pair.challenge_len = 0;
    memset(tickets, 0, sizeof tickets);
    ticket_count = 0;
    pair_server(&pair);
    pair_client(&pair, false);
    pair_say_hello(&pair);
    for (int i = 0; i < STEPS_MAX && f.left > 0; i++)
        step(&f);
    wf_hs_free(pair.hs);
    wf_adm_free(pair.adm);
    pair.hs = NULL;
    pair.adm = NULL;
    return 0;
}
