/* SPDX-License-Identifier: Apache-2.0 */
/*
 * time_client.c - asks a time_server, and is told the truth about the outcome.
 *
 * usage: time_client PEER
 */
#include <stdio.h>

#include "weft/weft.h"

static void on_answer(const weft_outcome *o, void *user)
{
    int *status = user;

    if (o->kind == WEFT_REPLIED) {
        printf("%.*s (%s)\n", (int)o->message->len, (const char *)o->message->body,
               weft_grade_text(o->grade));
        *status = 0;
    } else {
        fprintf(stderr, "no answer: %s\n", weft_outcome_text(o));
    }
    weft_node_stop(o->node);
}

int main(int argc, char **argv)
{
    weft_node_params params = WEFT_NODE_PARAMS;
    weft_send_params p = WEFT_SEND_PARAMS;
    weft_node *node = NULL;
    int status = 1;
    weft_err err = WEFT_OK;

    if (argc != 2) {
        fprintf(stderr, "usage: time_client weft1...@host:port\n");
        return 1;
    }
    params.anonymous = true; /* the time is nobody's secret: we need not show who asks */
    err = weft_node_open(&node, &params);
    p.to = argv[1];
    p.service = "time";
    p.reply_within_ms = 2000;
    p.on_outcome = on_answer; /* exactly once */
    p.user = &status;
    if (err == WEFT_OK)
        err = weft_node_send(node, &p, NULL);
    if (err == WEFT_OK)
        err = weft_node_run(node);
    weft_node_close(node);
    return err == WEFT_OK ? status : weft_exit(err);
}
