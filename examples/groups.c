/* SPDX-License-Identifier: Apache-2.0 */
/*
 * groups.c - a server that answers members of its group and is not there for anybody else: every
 * function of weft/group.h once. Both ends are in this program.
 *
 * usage: groups
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "weft/weft.h"

struct ends {
    weft_identity *server_id, *client_id;
    weft_node *server, *client;
    char to[WEFT_KEY_TEXT_MAX + 65];
    bool done;
    bool replied;
};

static void on_question(weft_exchange *x, const weft_message *m, void *user)
{
    (void)user;
    printf("in group %u, %s\n", (unsigned)m->group, weft_grade_text(m->grade));
    (void)weft_reply(x, "yes", 3);
}

static void on_outcome(const weft_outcome *o, void *user)
{
    struct ends *e = user;

    printf("%s\n", weft_outcome_text(o));
    e->replied = o->kind == WEFT_REPLIED;
    e->done = true;
}

/* Whoever runs the server keeps the group's key in a file, and hands an invitation to a member,
 * by a way that nobody else sees. */
static weft_err make_invitation(const weft_group *group, const weft_identity *server, char *path)
{
    weft_invitation *invitation = NULL;
    weft_err err = weft_group_invite(&invitation, group, server);

    if (err == WEFT_OK)
        err = weft_invitation_save(invitation, path);
    weft_invitation_free(invitation);
    return err;
}

/* A typo is noticed. */
static weft_err check_text(const weft_invitation *invitation)
{
    weft_invitation *again = NULL;
    char text[WEFT_INVITATION_TEXT_MAX];
    weft_err err = WEFT_OK;

    weft_invitation_text(text, invitation);
    err = weft_invitation_parse(&again, text);
    weft_invitation_free(again);
    memset(text, 0, sizeof text); /* it is a secret */
    return err;
}

static weft_err open_server(struct ends *e, const weft_group *group)
{
    weft_node_params p = WEFT_NODE_PARAMS;
    weft_err err = weft_identity_new(&e->server_id);

    p.identity = e->server_id;
    p.listen = "127.0.0.1:0";
    if (err == WEFT_OK)
        err = weft_node_open(&e->server, &p);
    if (err == WEFT_OK)
        err = weft_node_group(e->server, group);
    if (err == WEFT_OK)
        err = weft_node_only_groups(e->server);
    if (err == WEFT_OK)
        err = weft_node_serve(e->server, "question", on_question, NULL);
    return err == WEFT_OK ? weft_node_allow(e->server, NULL, "question") : err;
}

static weft_err open_client(struct ends *e, const char *path)
{
    weft_node_params p = WEFT_NODE_PARAMS;
    weft_invitation *invitation = NULL;
    weft_err err = weft_identity_new(&e->client_id);

    p.identity = e->client_id;
    if (err == WEFT_OK)
        err = weft_node_open(&e->client, &p);
    if (err == WEFT_OK)
        err = weft_invitation_load(&invitation, path);
    if (err == WEFT_OK)
        err = check_text(invitation);
    if (err == WEFT_OK) {
        weft_key key = weft_invitation_server(invitation);
        size_t len = 0;

        weft_key_text(e->to, &key);
        len = strlen(e->to);
        e->to[len] = '@';
        err = weft_node_address(e->server, e->to + len + 1, sizeof e->to - len - 1);
    }
    if (err == WEFT_OK)
        err = weft_node_join(e->client, invitation, false);
    weft_invitation_free(invitation);
    return err;
}

static weft_err talk(struct ends *e)
{
    weft_send_params p = WEFT_SEND_PARAMS;
    weft_err err = WEFT_OK;

    p.to = e->to;
    p.service = "question";
    p.body = weft_body_span("Anybody there?", 14);
    p.expect_reply = true;
    p.on_outcome = on_outcome;
    p.user = e;
    err = weft_node_send(e->client, &p, NULL);
    while (err == WEFT_OK && !e->done) {
        err = weft_node_poll(e->client, 1);
        if (err == WEFT_OK)
            err = weft_node_poll(e->server, 1);
    }
    return err == WEFT_OK && !e->replied ? WEFT_ERR_UNREACHABLE : err;
}

/* The group's key, from the file it is kept in. */
static weft_err make_group(weft_group **out, const char *path)
{
    weft_group *made = NULL;
    weft_err err = weft_group_new(&made);

    if (err == WEFT_OK)
        err = weft_group_save(made, path);
    weft_group_free(made);
    return err == WEFT_OK ? weft_group_load(out, path) : err;
}

int main(void)
{
    char folder[] = "/tmp/weft-groups-XXXXXX";
    char group_path[64];
    char invitation_path[64];
    struct ends e = {.done = false};
    weft_group *group = NULL;
    weft_err err = WEFT_OK;

    if (mkdtemp(folder) == NULL)
        return weft_exit(WEFT_ERR_IO);
    (void)snprintf(group_path, sizeof group_path, "%s/group", folder);
    (void)snprintf(invitation_path, sizeof invitation_path, "%s/invitation", folder);
    err = make_group(&group, group_path);
    if (err == WEFT_OK)
        err = open_server(&e, group);
    if (err == WEFT_OK)
        err = make_invitation(group, e.server_id, invitation_path);
    if (err == WEFT_OK)
        err = open_client(&e, invitation_path);
    if (err == WEFT_OK)
        err = talk(&e);
    weft_node_close(e.client);
    weft_node_close(e.server);
    weft_identity_free(e.client_id);
    weft_identity_free(e.server_id);
    weft_group_free(group);
    (void)unlink(group_path);
    (void)unlink(invitation_path);
    (void)rmdir(folder);
    return weft_exit(err);
}
