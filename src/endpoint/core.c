/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core.c - making and ending a core, its configuration and what it tells about itself.
 */
#include "endpoint/core_priv.h"

#include <string.h>

#include "base/bytes.h"
#include "crypto/crypto.h"

static const uint8_t protocol_lists[] = {1, WF_PROTOCOL_V1};

static void fill_defaults(struct wf_core_config *c)
{
    if (c->sessions_max == 0)
        c->sessions_max = CORE_SESSIONS_MAX;
    if (c->messages_in_max == 0)
        c->messages_in_max = CORE_MESSAGES_IN_MAX;
    if (c->node_credit == 0)
        c->node_credit = CORE_NODE_CREDIT;
    if (c->message_credit == 0)
        c->message_credit = CORE_MESSAGE_CREDIT;
    if (c->datagram_max == 0)
        c->datagram_max = CORE_DATAGRAM_MAX;
    if (c->effort_log2_max == 0) {
        c->effort_log2_max = CORE_EFFORT_LOG2_MAX;
        while (c->effort > (uint64_t)1 << c->effort_log2_max)
            c->effort_log2_max++;
    }
    if (c->idle_ms == 0)
        c->idle_ms = CORE_IDLE_MS;
    if (c->fold_us == 0)
        c->fold_us = CORE_FOLD_US;
    if (c->rest_ms == 0)
        c->rest_ms = CORE_REST_MS;
    if (c->rest_memory_ms == 0)
        c->rest_memory_ms = CORE_REST_MEMORY_MS;
    if (c->presences_max == 0)
        c->presences_max = CORE_PRESENCES_MAX;
    if (c->handshake_timeout_us == 0)
        c->handshake_timeout_us = CORE_HANDSHAKE_TIMEOUT_US;
    if (c->effort_max == 0)
        c->effort_max = CORE_EFFORT_MAX;
    if (c->work_time_us == 0)
        c->work_time_us = CORE_WORK_TIME_US;
    if (c->unread_us == 0)
        c->unread_us = CORE_UNREAD_US;
    if (c->peer_memory_max == 0)
        c->peer_memory_max = CORE_PEER_MEMORY_MAX;
}

/* What stands there for strangers takes a small part of the memory that there may be. */
static void fit_memory(struct wf_core_config *c)
{
    size_t cookies = c->mem->cap / CORE_COOKIES_PART / CORE_COOKIE_BYTES;
    size_t solves = c->mem->cap / CORE_SOLVES_PART / CORE_SOLVE_BYTES;
    size_t presences = c->mem->cap / CORE_PRESENCES_PART / CORE_PRESENCE_BYTES;

    if (c->cookies_max == 0)
        c->cookies_max = CORE_COOKIES_MAX;
    if (c->solves_max == 0)
        c->solves_max = CORE_SOLVES_MAX;
    if (c->mem->cap == 0)
        return;
    if (c->cookies_max > cookies)
        c->cookies_max = cookies == 0 ? 1 : cookies;
    if (c->solves_max > solves)
        c->solves_max = solves == 0 ? 1 : solves;
    /* Who rests does not make memory short: that would forget others by the slab. */
    if (c->presences_max > presences)
        c->presences_max = presences == 0 ? 1 : (uint32_t)presences;
}

static weft_err make_identity(struct wf_core *c)
{
    weft_err err = wf_secret_arena_new(&c->identity_arena, c->mem, sizeof(struct wf_identity), 1);

    if (err != WEFT_OK)
        return err;
    c->identity = wf_secret_get(c->identity_arena);
    if (c->identity == NULL)
        return WEFT_ERR_NOMEM;
    err = wf_identity_init(c->identity, c->config.seed);
    wf_wipe(c->config.seed, sizeof c->config.seed);
    return err;
}

static weft_err make_admission(struct wf_core *c, weft_time now)
{
    struct wf_adm_config config = {
        .mem = c->mem,
        .rng = c->rng,
        .aead = c->aead,
        .identity = c->identity,
        .lists = {protocol_lists, sizeof protocol_lists},
        .effort = c->config.effort,
        .work_alg = c->config.work_alg,
        .ceiling_log2 = c->config.effort_log2_max,
        .table_max = c->config.cookies_max,
        .queue_max = c->config.solves_max,
        .instance = c->config.shards.instance,
        .shard = c->config.shards.ids.shard,
        .shard_count = c->config.shards.ids.count,
    };

    if (!c->config.serve || c->adm != NULL)
        return WEFT_OK;
    config.wall_ms = core_wall_ms(c, now);
    config.statement = c->config.statement;
    if (c->result == NULL)
        c->result = wf_alloc(c->mem, sizeof *c->result);
    if (c->result == NULL)
        return WEFT_ERR_NOMEM;
    return wf_adm_new(&c->adm, &config, now);
}

static void init_tables(struct wf_core *c)
{
    uint8_t key[WF_TABLE_SIP_KEY_LEN];

    wf_random(c->rng, key, sizeof key);
    wf_table_init(&c->sessions, c->mem, key, c->config.sessions_max * CORE_CIDS_MAX);
    wf_table_init(&c->peers, c->mem, key, c->config.sessions_max);
    wf_table_init(&c->messages, c->mem, key, CORE_MESSAGES_MAX);
    wf_table_init(&c->numbers, c->mem, key, CORE_MESSAGES_MAX);
    wf_pipes_init(&c->pipes, c->mem, c->rng, c->config.sessions_max,
                  c->mem->cap == 0 ? WF_PIPES_KEPT_MAX : c->mem->cap / CORE_PATH_PART);
    wf_heap_init(&c->timers, c->mem, c->config.sessions_max);
    wf_heap_init(&c->expiries, c->mem, CORE_MESSAGES_MAX);
    wf_heap_init(&c->ping_timers, c->mem, CORE_PINGS_MAX);
    wf_random(c->rng, c->place_key, sizeof c->place_key);
    presences_init(c);
    wf_wipe(key, sizeof key);
}

static weft_err make_parts(struct wf_core *c, weft_time now)
{
    weft_err err = make_identity(c);

    if (err == WEFT_OK)
        err = wf_aead_new(&c->aead, WF_AEAD_BEST, c->mem);
    if (err == WEFT_OK)
        err = wf_secret_arena_new(&c->secrets, c->mem, sizeof(struct wf_keys),
                                  c->config.sessions_max);
    if (err == WEFT_OK)
        err = wf_heap_reserve(&c->timers, c->config.sessions_max);
    if (err == WEFT_OK)
        err = make_admission(c, now);
    if (err != WEFT_OK)
        return err;
    c->replies = wf_alloc_array(c->mem, CORE_REPLIES_MAX, sizeof *c->replies);
    return c->replies == NULL ? WEFT_ERR_NOMEM : WEFT_OK;
}

weft_err wf_core_new(struct wf_core **out, const struct wf_core_config *config, weft_time now)
{
    weft_err err = wf_crypto_init();
    struct wf_core *c = NULL;

    if (err != WEFT_OK)
        return err;
    if (!shards_are_sound(&config->shards))
        return WEFT_ERR_USAGE;
    c = wf_alloc(config->mem, sizeof *c);
    if (c == NULL)
        return WEFT_ERR_NOMEM;
    if (config->statement.len > sizeof c->statement) {
        wf_free(config->mem, c, sizeof *c);
        return WEFT_ERR_USAGE;
    }
    c->config = *config;
    if (config->statement.len > 0) {
        memcpy(c->statement, config->statement.data, config->statement.len);
        c->config.statement.data = c->statement;
    }
    c->mem = config->mem;
    c->rng = config->rng;
    c->started = now;
    c->next_session = 1;
    c->next_message = 1;
    fill_defaults(&c->config);
    fit_memory(&c->config);
    init_tables(c);
    err = make_parts(c, now);
    if (err != WEFT_OK) {
        wf_core_free(c);
        return err;
    }
    *out = c;
    return WEFT_OK;
}

static void free_messages(struct wf_core *c)
{
    uint64_t cursor = 0;
    struct message *m = wf_table_next(&c->messages, &cursor);

    while (m != NULL) {
        message_free(c, m);
        m = wf_table_next(&c->messages, &cursor);
    }
}

/* Pings whose answer was listed and not taken are in no session any more. */
static void free_notes(struct wf_core *c)
{
    struct wf_link *link = wf_list_pop_front(&c->notes);

    while (link != NULL) {
        struct note *n = WF_CONTAINER_OF(link, struct note, link);

        if (n->kind == NOTE_PING)
            ping_free(c, WF_CONTAINER_OF(n, struct ping, note));
        link = wf_list_pop_front(&c->notes);
    }
}

void wf_core_free(struct wf_core *c)
{
    if (c == NULL)
        return;
    core_release_taken(c);
    free_notes(c);
    free_messages(c);
    while (c->all.first != NULL)
        session_free(WF_CONTAINER_OF(c->all.first, struct session, all_link));
    presences_deinit(c);
    wf_adm_free(c->adm);
    wf_free(c->mem, c->result, sizeof *c->result);
    wf_free(c->mem, c->replies, CORE_REPLIES_MAX * sizeof *c->replies);
    wf_pipes_deinit(&c->pipes);
    wf_table_deinit(&c->sessions);
    wf_table_deinit(&c->peers);
    wf_table_deinit(&c->messages);
    wf_table_deinit(&c->numbers);
    wf_heap_deinit(&c->timers);
    wf_heap_deinit(&c->expiries);
    wf_heap_deinit(&c->ping_timers);
    wf_aead_free(c->aead);
    wf_secret_arena_free(c->secrets);
    group_free(c);
    if (c->identity != NULL) {
        wf_identity_wipe(c->identity);
        wf_secret_put(c->identity_arena, c->identity);
    }
    wf_secret_arena_free(c->identity_arena);
    wf_wipe(c->config.seed, sizeof c->config.seed);
    wf_free(c->mem, c, sizeof *c);
}

weft_err wf_core_serve(struct wf_core *c, weft_time now)
{
    c->config.serve = true;
    return make_admission(c, core_time(c, now));
}

const uint8_t *wf_core_key(const struct wf_core *c)
{
    return c->identity->public_key;
}

weft_err wf_core_key_for(const struct wf_core *c, uint8_t out[32], const uint8_t owner[32])
{
    return wf_identity_key_for(out, c->identity, owner);
}

uint64_t core_wall_ms(const struct wf_core *c, weft_time now)
{
    return c->config.wall_ms == 0 ? 0 : c->config.wall_ms + (now - c->started) / 1000;
}

struct wf_params core_params(const struct wf_core *c)
{
    return (struct wf_params){
        .node_credit = c->config.node_credit,
        .message_credit = c->config.message_credit,
        .message_count = c->config.messages_in_max,
        .ack_delay_us = wf_params_default.ack_delay_us,
        .idle_ms = c->config.idle_ms,
        .datagram_max = c->config.datagram_max,
    };
}
