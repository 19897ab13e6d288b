/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_group.c - limited circulation (docs/spec/1-handshake.md, 1.10): the groups whose members we
 * answer, and the servers that we call inside a group and in no other way.
 */
#include <string.h>

#include "base/bytes.h"
#include "endpoint/core_priv.h"

const struct group_call *group_call_of(const struct wf_core *c, const uint8_t key[32])
{
    for (size_t i = 0; i < c->group_call_count; i++) {
        if (memcmp(c->group_calls[i]->invitation.server.key, key, 32) == 0)
            return c->group_calls[i];
    }
    return NULL;
}

static weft_err find_place(struct wf_core *c, const uint8_t key[32], struct group_call **out)
{
    weft_err err = WEFT_OK;

    for (size_t i = 0; i < c->group_call_count; i++) {
        *out = c->group_calls[i];
        if (memcmp((*out)->invitation.server.key, key, 32) == 0)
            return WEFT_OK;
    }
    if (c->group_call_count == CORE_GROUP_CALLS_MAX)
        return WEFT_ERR_LIMIT;
    if (c->group_arena == NULL)
        err = wf_secret_arena_new(&c->group_arena, c->mem, sizeof **out, CORE_GROUP_CALLS_MAX);
    if (err != WEFT_OK)
        return err;
    *out = wf_secret_get(c->group_arena);
    if (*out == NULL)
        return WEFT_ERR_NOMEM;
    c->group_calls[c->group_call_count++] = *out;
    return WEFT_OK;
}

weft_err wf_core_join(struct wf_core *c, const struct wf_invitation *invitation, bool first_data)
{
    struct group_call *call = NULL;
    weft_err err = WEFT_OK;

    if (memcmp(invitation->server.key, c->identity->public_key, 32) == 0)
        return WEFT_ERR_USAGE; /* SPEC 1.3-6 */
    err = find_place(c, invitation->server.key, &call);
    if (err == WEFT_OK)
        *call = (struct group_call){.invitation = *invitation, .first_data = first_data};
    return err;
}

weft_err wf_core_group(struct wf_core *c, weft_time now, const uint8_t key[32])
{
    weft_err err = wf_core_serve(c, now);

    return err == WEFT_OK ? wf_adm_group_add(c->adm, key) : err;
}

weft_err wf_core_only_groups(struct wf_core *c, weft_time now)
{
    weft_err err = wf_core_serve(c, now);

    return err == WEFT_OK ? wf_adm_only_groups(c->adm) : err;
}

void group_free(struct wf_core *c)
{
    while (c->group_call_count > 0)
        wf_secret_put(c->group_arena, c->group_calls[--c->group_call_count]);
    wf_secret_arena_free(c->group_arena);
}
