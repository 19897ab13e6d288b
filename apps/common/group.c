/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group.c - groups and invitations of the programs: their files, and what is said when one is no
 * good. Nothing of a secret goes into a sentence.
 */
#include <string.h>

#include "common/app.h"

int app_group_load(const struct app *a, const char *path, weft_group **out)
{
    weft_err err = weft_group_load(out, path);

    switch (err) {
    case WEFT_OK:
        return 0;
    case WEFT_ERR_NOT_FOUND:
        return app_fail(a, "there is no group file %s. Make one with `weft group new`.", path);
    case WEFT_ERR_KEY_EXPOSED:
        return app_fail(a,
                        "others can read the group file %s: run `chmod 600` on it, and make a new "
                        "group if somebody may have read it.",
                        path);
    case WEFT_ERR_KEY_FILE:
        return app_fail(a,
                        "%s is damaged or no group file. Restore it from a copy, or make a new "
                        "group with `weft group new`.",
                        path);
    default:
        return app_fail_err(a, err, "cannot use the group file %s", path);
    }
}

static int load_invitation(const struct app *a, weft_invitation **out)
{
    const char *path = a->invitation_path;
    weft_err err = weft_invitation_load(out, path);

    switch (err) {
    case WEFT_OK:
        return 0;
    case WEFT_ERR_NOT_FOUND:
        return app_fail(a,
                        "there is no file %s with an invitation. Put the text that you were given "
                        "(weftgrp1…) there, and run `chmod 600` on it.",
                        path);
    case WEFT_ERR_KEY_EXPOSED:
        return app_fail(a,
                        "others can read the invitation in %s: run `chmod 600` on it, and tell who "
                        "gave it to you if somebody may have read it.",
                        path);
    case WEFT_ERR_KEY_FILE:
        return app_fail(a,
                        "%s holds no invitation (weftgrp1…), or one with a typo in it. Ask for it "
                        "again.",
                        path);
    default:
        return app_fail_err(a, err, "cannot use the invitation in %s", path);
    }
}

/* "@host:port" gets the key of the invitation in front; a whole peer must have that key. Names are
 * not looked up: nothing may go to another server than that of the invitation, outside the group.
 */
static int complete(struct app *a, const weft_invitation *invitation, const char **to)
{
    const weft_key server = weft_invitation_server(invitation);
    char key[WEFT_KEY_TEXT_MAX];
    size_t len = 0;
    weft_peer peer;

    weft_key_text(key, &server);
    if ((*to)[0] != '@') {
        if (weft_peer_parse(&peer, *to) != WEFT_OK)
            return app_fail(
                a, "\"%.100s\" is no peer: with an invitation it is written @host:port.", *to);
        if (memcmp(peer.key.bytes, server.bytes, sizeof server.bytes) == 0)
            return 0;
        return app_fail(a, "the invitation in %s is for another server than \"%.100s\".",
                        a->invitation_path, *to);
    }
    len = strlen(key);
    if (len + strlen(*to) >= sizeof a->to)
        return app_fail(a, "\"%.100s\" has no good address: with an invitation it is @host:port.",
                        *to);
    memcpy(a->to, key, len);
    memcpy(a->to + len, *to, strlen(*to) + 1);
    *to = a->to;
    return 0;
}

int app_invitation_load(struct app *a, const char **to, weft_invitation **out)
{
    *out = NULL;
    if (strncmp(*to, "weftgrp", 7) == 0)
        return app_fail(a, "others can read the command line: put the invitation into a file, give "
                           "--invitation FILE, and write @host:port here.");
    if (a->invitation_path == NULL)
        return a->first_data ? app_fail(a, "--first-data is for calls with --invitation FILE.") : 0;
    if (load_invitation(a, out) != 0)
        return 1;
    if (complete(a, *out, to) == 0)
        return 0;
    weft_invitation_free(*out);
    *out = NULL;
    return 1;
}

int app_invitation_join(const struct app *a, weft_node *node, const weft_invitation *invitation)
{
    weft_err err = invitation == NULL ? WEFT_OK : weft_node_join(node, invitation, a->first_data);

    return err == WEFT_OK
               ? 0
               : app_fail_err(a, err, "cannot use the invitation in %s", a->invitation_path);
}
