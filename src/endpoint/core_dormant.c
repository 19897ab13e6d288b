/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_dormant.c - those who have been at rest for long (docs/spec/4-transport.md 4.7): their
 * records lie in a file, sealed under the key of the vault, and only what finds them stays in
 * memory. One that is asked for becomes a presence again first.
 *
 * A stranger must never make the file be read: connection ids and names are compared in memory.
 * What the file gives back must be the very record that was put there last: its number is kept.
 */
#include <string.h>

#include "base/bytes.h"
#include "endpoint/core_fold.h"

#define BLOCK_ROWS 1024u
#define BLOCKS_FIRST 16u
#define NO_ROW UINT32_MAX
#define SEALED_MAX (PRESENCE_LEN + 32u)
#define DROPS_AT_ONCE 64u
#define RETRY_US 10000000u

/* A row of the file, and what finds it. */
struct sleeper {
    struct presence p; /* its list is of rows */
    uint64_t number;   /* with which the record was sealed */
    bool is_used;
};

static struct sleeper *at(const struct wf_core *c, uint32_t row)
{
    return &c->rest.file.blocks[row / BLOCK_ROWS][row % BLOCK_ROWS];
}

static bool has_file(const struct wf_core *c)
{
    return c->config.rest.put != NULL;
}

struct presence *dormant_at(const struct wf_core *c, uint32_t row)
{
    return &at(c, row)->p;
}

uint64_t dormant_after_us(const struct wf_core *c)
{
    return has_file(c) ? c->config.rest_memory_ms * 1000 : UINT64_MAX;
}

/* --- rows --- */

static weft_err more_blocks(struct wf_core *c)
{
    struct dormants *d = &c->rest.file;
    const size_t room = d->block_room == 0 ? BLOCKS_FIRST : d->block_room * 2;
    struct sleeper **blocks = NULL;

    if (d->rows / BLOCK_ROWS < d->block_room)
        return WEFT_OK;
    blocks = (struct sleeper **)wf_alloc_array(c->mem, room, sizeof(struct sleeper *));
    if (blocks == NULL)
        return WEFT_ERR_NOMEM;
    if (d->block_room > 0)
        memcpy(blocks, d->blocks, d->block_room * sizeof(struct sleeper *));
    wf_free(c->mem, d->blocks, d->block_room * sizeof(struct sleeper *));
    d->blocks = blocks;
    d->block_room = room;
    return WEFT_OK;
}

static void init_once(struct wf_core *c)
{
    struct dormants *d = &c->rest.file;

    if (d->rows > 0)
        return;
    d->oldest = NO_ROW;
    d->newest = NO_ROW;
    d->free_row = NO_ROW;
    wf_index_init(&d->index, c->mem, PRESENCE_IDS * CORE_DORMANTS_MAX);
}

static weft_err add_block(struct wf_core *c)
{
    struct dormants *d = &c->rest.file;
    struct sleeper *block = NULL;

    init_once(c);
    if (d->rows >= CORE_DORMANTS_MAX)
        return WEFT_ERR_LIMIT;
    if (more_blocks(c) != WEFT_OK)
        return WEFT_ERR_NOMEM;
    block = (struct sleeper *)wf_alloc_array(c->mem, BLOCK_ROWS, sizeof *block);
    if (block == NULL)
        return WEFT_ERR_NOMEM;
    d->blocks[d->rows / BLOCK_ROWS] = block;
    for (uint32_t i = BLOCK_ROWS; i > 0; i--) {
        block[i - 1].p.newer = d->free_row;
        d->free_row = d->rows + i - 1;
    }
    d->rows += BLOCK_ROWS;
    return WEFT_OK;
}

static void link_newest(struct wf_core *c, uint32_t row)
{
    struct dormants *d = &c->rest.file;
    struct presence *p = &at(c, row)->p;

    p->older = d->newest;
    p->newer = NO_ROW;
    if (d->newest == NO_ROW)
        d->oldest = row;
    else
        at(c, d->newest)->p.newer = row;
    d->newest = row;
}

static void unlink_row(struct wf_core *c, const struct presence *p)
{
    struct dormants *d = &c->rest.file;

    if (p->older == NO_ROW)
        d->oldest = p->newer;
    else
        at(c, p->older)->p.newer = p->newer;
    if (p->newer == NO_ROW)
        d->newest = p->older;
    else
        at(c, p->newer)->p.older = p->older;
}

static void forget(struct wf_core *c, uint32_t row)
{
    struct dormants *d = &c->rest.file;
    struct sleeper *s = at(c, row);

    presence_leave_index(&d->index, row, &s->p);
    unlink_row(c, &s->p);
    *s = (struct sleeper){.p.newer = d->free_row};
    d->free_row = row;
    d->count--;
    c->config.rest.drop(c->config.rest.user, row);
}

/* --- to the file --- */

/* SPEC 4.7-2 */
static weft_err write_row(struct wf_core *c, uint32_t row, uint32_t slot)
{
    uint8_t sealed[SEALED_MAX];
    const size_t len = wf_vault_outside_len(c->rest.vault);

    WEFT_ASSERT(len <= sizeof sealed);
    if (!wf_vault_get(c->rest.vault, slot, c->rest.scratch->record))
        return WEFT_ERR_MALFORMED;
    wf_vault_seal_outside(c->rest.vault, row, c->rest.scratch->record, sealed);
    wf_wipe(c->rest.scratch->record, PRESENCE_LEN);
    at(c, row)->number = wf_load_u64(sealed);
    return c->config.rest.put(c->config.rest.user, row, wf_span(sealed, len));
}

bool dormant_put(struct wf_core *c, weft_time now, uint32_t slot)
{
    struct dormants *d = &c->rest.file;
    struct sleeper *s = NULL;
    uint32_t row = NO_ROW;

    if (!has_file(c) || now < d->retry_at)
        return false;
    if ((d->rows == 0 || d->free_row == NO_ROW) && add_block(c) != WEFT_OK)
        return false;
    row = d->free_row;
    s = at(c, row);
    s->p.name = 0;
    if (write_row(c, row, slot) != WEFT_OK) {
        d->retry_at = now + RETRY_US; /* a full disk, for one */
        return false;
    }

    const uint32_t next = s->p.newer;

    s->p = *(const struct presence *)wf_vault_clear(c->rest.vault, slot);
    if (presence_enter_index(c, &d->index, row, &s->p) != WEFT_OK) {
        s->p.newer = next;
        c->config.rest.drop(c->config.rest.user, row);
        return false;
    }
    d->free_row = next;
    s->is_used = true;
    link_newest(c, row);
    d->count++;
    c->stats.dormant_put++;
    return true;
}

/* --- and back --- */

static bool read_row(struct wf_core *c, uint32_t row)
{
    uint8_t sealed[SEALED_MAX] = {0};
    const size_t len = wf_vault_outside_len(c->rest.vault);

    if (c->config.rest.get(c->config.rest.user, row, sealed, len) != WEFT_OK)
        return false;
    if (wf_load_u64(sealed) != at(c, row)->number) /* SPEC 4.7-3 */
        return false;
    return wf_vault_open_outside(c->rest.vault, row, sealed, c->rest.scratch->record);
}

/* What cannot be read is lost: its peer gets a HINT, and calls anew. */
static void recall(struct wf_core *c, weft_time now, uint32_t row)
{
    weft_err err = WEFT_ERR_MALFORMED;

    presence_make_place(c, now);
    if (read_row(c, row))
        err = presence_keep(c, &at(c, row)->p);
    wf_wipe(c->rest.scratch->record, PRESENCE_LEN);
    if (err == WEFT_ERR_NOMEM || err == WEFT_ERR_LIMIT)
        return; /* another time */
    c->stats.dormant_recalled += err == WEFT_OK;
    c->stats.presences_dropped += err != WEFT_OK;
    forget(c, row);
}

/* SPEC 4.7-4 */
void dormant_recall_cid(struct wf_core *c, weft_time now, const uint8_t cid[WF_CID_LEN])
{
    struct dormants *d = &c->rest.file;
    uint32_t id = WF_INDEX_NONE;

    if (d->count == 0)
        return;
    id = wf_index_first(&d->index, presence_hash(c, cid, WF_CID_LEN));
    while (id != WF_INDEX_NONE && !presence_has_cid(&at(c, id / PRESENCE_IDS)->p, id, cid))
        id = wf_index_next(&d->index, id);
    if (id != WF_INDEX_NONE)
        recall(c, now, id / PRESENCE_IDS);
}

/* The newest alone: one is enough to talk to the peer. */
void dormant_recall_name(struct wf_core *c, weft_time now, uint64_t name)
{
    struct dormants *d = &c->rest.file;
    uint32_t id = WF_INDEX_NONE;

    if (d->count == 0)
        return;
    id = wf_index_first(&d->index, name);
    while (id != WF_INDEX_NONE &&
           (id % PRESENCE_IDS != PRESENCE_NAME_AT || at(c, id / PRESENCE_IDS)->p.name != name))
        id = wf_index_next(&d->index, id);
    if (id != WF_INDEX_NONE)
        recall(c, now, id / PRESENCE_IDS);
}

/* --- time --- */

static weft_time ends_at(const struct wf_core *c, uint32_t row)
{
    const uint64_t us = c->config.rest_ms * 1000;
    const weft_time from = at(c, row)->p.folded_at;

    return us > WEFT_TIME_NEVER - from ? WEFT_TIME_NEVER : from + us;
}

weft_time dormant_deadline(const struct wf_core *c)
{
    return c->rest.file.count == 0 ? WEFT_TIME_NEVER : ends_at(c, c->rest.file.oldest);
}

void dormant_tick(struct wf_core *c, weft_time now)
{
    for (unsigned i = 0; i < DROPS_AT_ONCE && now >= dormant_deadline(c); i++) {
        forget(c, c->rest.file.oldest);
        c->stats.presences_dropped++;
    }
}

/* Nothing of the file is worth anything without the vault's key. */
void dormant_clear(struct wf_core *c)
{
    struct dormants *d = &c->rest.file;

    if (d->block_room == 0)
        return; /* with room for blocks and without memory for one there is something to free */
    for (uint32_t i = 0; i < d->rows / BLOCK_ROWS; i++)
        wf_free(c->mem, d->blocks[i], BLOCK_ROWS * sizeof *d->blocks[i]);
    wf_free(c->mem, d->blocks, d->block_room * sizeof(struct sleeper *));
    wf_index_deinit(&d->index);
    *d = (struct dormants){0};
}

const char *dormant_check(const struct wf_core *c)
{
    const struct dormants *d = &c->rest.file;
    size_t entries = 0;
    size_t count = 0;

    if (d->rows == 0)
        return d->count == 0 ? NULL : "sleepers without rows";
    for (uint32_t row = d->oldest; row != NO_ROW; row = at(c, row)->p.newer) {
        const struct sleeper *s = at(c, row);

        if (++count > d->count || !s->is_used)
            return "the list of sleepers is wrong";
        entries += s->p.cid_count + (s->p.has_name ? 1u : 0u);
        for (size_t i = 0; i < s->p.cid_count; i++) {
            if (wf_table_get(&c->sessions, wf_span(s->p.cids[i], WF_CID_LEN)) != NULL)
                return "a connection id is of a session and of a sleeper";
        }
    }
    if (count != d->count)
        return "sleepers are miscounted";
    return entries == wf_index_count(&d->index) ? NULL : "the index of sleepers is wrong";
}
