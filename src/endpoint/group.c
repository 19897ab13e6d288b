/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group.c - groups and invitations in memory and in files.
 *
 *   weft group 1
 *   secret weftgsec1…     the group's key in bech32m
 *
 * A file with an invitation holds its text, as it was handed over.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bech32.h"
#include "base/bytes.h"
#include "crypto/crypto.h"
#include "crypto/secret.h"
#include "endpoint/group_priv.h"
#include "endpoint/identity_priv.h"
#include "endpoint/secret_file.h"
#include "net/mem_system.h"
#include "session/identity.h"

#define SECRET_PREFIX "weftgsec"
#define BLANKS " \t\r\n"

_Static_assert(WEFT_INVITATION_TEXT_MAX > WF_INVITATION_TEXT_LEN, "room for the text");

static const char first_lines[] = "weft group 1\nsecret ";

/* One secret in locked memory. SPEC 1.10-12 */
struct box {
    struct wf_mem mem;
    struct wf_secret_arena *arena;
    void *secret;
};

struct weft_group {
    struct box box; /* of WF_GROUP_KEY_LEN bytes */
};

struct weft_invitation {
    struct box box; /* of a struct wf_invitation */
};

static weft_err box_init(struct box *b, const void *secret, size_t len)
{
    weft_err err = WEFT_OK;

    wf_mem_system(&b->mem, 0);
    err = wf_secret_arena_new(&b->arena, &b->mem, len, 1);
    if (err != WEFT_OK)
        return err;
    b->secret = wf_secret_get(b->arena);
    if (b->secret == NULL)
        return WEFT_ERR_NOMEM;
    memcpy(b->secret, secret, len);
    return WEFT_OK;
}

static void box_deinit(struct box *b)
{
    if (b->secret != NULL)
        wf_secret_put(b->arena, b->secret);
    wf_secret_arena_free(b->arena);
}

static weft_err group_of(weft_group **out, const uint8_t key[WF_GROUP_KEY_LEN])
{
    weft_group *g = calloc(1, sizeof *g);
    weft_err err = g == NULL ? WEFT_ERR_NOMEM : box_init(&g->box, key, WF_GROUP_KEY_LEN);

    if (err == WEFT_OK)
        *out = g;
    else
        weft_group_free(g);
    return err;
}

static weft_err invitation_new(weft_invitation **out, const struct wf_invitation *in)
{
    weft_invitation *i = calloc(1, sizeof *i);
    weft_err err = i == NULL ? WEFT_ERR_NOMEM : box_init(&i->box, in, sizeof *in);

    if (err == WEFT_OK)
        *out = i;
    else
        weft_invitation_free(i);
    return err;
}

const uint8_t *group_key(const weft_group *g)
{
    return g->box.secret;
}

const struct wf_invitation *invitation_of(const weft_invitation *i)
{
    return i->box.secret;
}

/* ---- groups ---- */

weft_err weft_group_new(weft_group **out)
{
    uint8_t key[WF_GROUP_KEY_LEN];
    weft_err err = wf_crypto_init();

    if (err != WEFT_OK)
        return err;
    wf_random(&wf_rng_system, key, sizeof key);
    err = group_of(out, key);
    wf_wipe(key, sizeof key);
    return err;
}

void weft_group_free(weft_group *g)
{
    if (g != NULL)
        box_deinit(&g->box);
    free(g);
}

weft_err weft_group_save(const weft_group *g, const char *path)
{
    char secret[WF_BECH32_TEXT_MAX + 1];
    char text[SECRET_FILE_MAX];
    weft_err err = wf_bech32_encode(secret, sizeof secret, SECRET_PREFIX,
                                    wf_span(group_key(g), WF_GROUP_KEY_LEN));

    if (err == WEFT_OK) {
        (void)snprintf(text, sizeof text, "%s%s\n", first_lines, secret);
        err = secret_file_create(path, text);
    }
    wf_wipe(secret, sizeof secret);
    wf_wipe(text, sizeof text);
    return err;
}

static weft_err parse_group(weft_group **out, const char *text)
{
    const size_t head = sizeof first_lines - 1;
    uint8_t key[WF_GROUP_KEY_LEN];
    size_t len = 0;
    weft_err err = WEFT_ERR_KEY_FILE;

    if (strncmp(text, first_lines, head) != 0)
        return err;
    len = strcspn(text + head, "\n");
    if (strcmp(text + head + len, "\n") == 0 &&
        wf_bech32_decode(key, sizeof key, SECRET_PREFIX, wf_span(text + head, len)) == WEFT_OK)
        err = group_of(out, key);
    wf_wipe(key, sizeof key);
    return err;
}

weft_err weft_group_load(weft_group **out, const char *path)
{
    char text[SECRET_FILE_MAX];
    weft_err err = wf_crypto_init();

    if (err != WEFT_OK)
        return err;
    err = secret_file_read(path, text);
    if (err == WEFT_OK)
        err = parse_group(out, text);
    wf_wipe(text, sizeof text);
    return err;
}

/* ---- invitations ---- */

weft_err weft_group_invite(weft_invitation **out, const weft_group *g, const weft_identity *server)
{
    struct wf_invitation in;
    struct wf_identity id;
    uint8_t seed[32];
    weft_err err = WEFT_OK;

    identity_seed(server, seed);
    err = wf_identity_init(&id, seed);
    wf_wipe(seed, sizeof seed);
    if (err == WEFT_OK) {
        memcpy(in.group_key, group_key(g), sizeof in.group_key);
        memcpy(in.server.key, id.public_key, sizeof in.server.key);
        memcpy(in.server.dh, id.server_public, sizeof in.server.dh);
        err = invitation_new(out, &in);
    }
    wf_identity_wipe(&id);
    wf_wipe(&in, sizeof in);
    return err;
}

void weft_invitation_free(weft_invitation *i)
{
    if (i != NULL)
        box_deinit(&i->box);
    free(i);
}

weft_key weft_invitation_server(const weft_invitation *i)
{
    weft_key key;

    memcpy(key.bytes, invitation_of(i)->server.key, sizeof key.bytes);
    return key;
}

void weft_invitation_text(char out[WEFT_INVITATION_TEXT_MAX], const weft_invitation *i)
{
    wf_invitation_text(out, invitation_of(i));
}

static weft_err parse_invitation(weft_invitation **out, weft_span text)
{
    struct wf_invitation in;
    weft_err err = wf_crypto_init();

    if (err == WEFT_OK)
        err = wf_invitation_parse(&in, text);
    if (err == WEFT_OK)
        err = invitation_new(out, &in);
    wf_wipe(&in, sizeof in);
    return err;
}

weft_err weft_invitation_parse(weft_invitation **out, const char *text)
{
    return text == NULL ? WEFT_ERR_MALFORMED : parse_invitation(out, wf_span_of(text));
}

weft_err weft_invitation_save(const weft_invitation *i, const char *path)
{
    char text[WF_INVITATION_TEXT_LEN + 2];
    weft_err err = WEFT_OK;

    wf_invitation_text(text, invitation_of(i));
    memcpy(text + WF_INVITATION_TEXT_LEN, "\n", 2);
    err = secret_file_create(path, text);
    wf_wipe(text, sizeof text);
    return err;
}

weft_err weft_invitation_load(weft_invitation **out, const char *path)
{
    char text[SECRET_FILE_MAX];
    weft_err err = secret_file_read(path, text);

    if (err == WEFT_OK) {
        const char *begin = text + strspn(text, BLANKS);
        const size_t len = strcspn(begin, BLANKS);

        err = begin[len + strspn(begin + len, BLANKS)] != '\0'
                  ? WEFT_ERR_MALFORMED
                  : parse_invitation(out, wf_span(begin, len));
    }
    wf_wipe(text, sizeof text);
    return err == WEFT_ERR_MALFORMED ? WEFT_ERR_KEY_FILE : err;
}
