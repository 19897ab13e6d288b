/* SPDX-License-Identifier: Apache-2.0 */
/*
 * time_server.c - a whole server: it tells anybody the time.
 *
 * usage: time_server [ADDRESS:PORT]      then: time_client PEER, with the peer that is printed
 */
#include <stdio.h>
#include <time.h>

#include "weft/weft.h"

/* Length of the text. */
static size_t format_time(char *buf, size_t cap)
{
    time_t now = time(NULL);

    return strftime(buf, cap, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
}

static void on_time(weft_exchange *x, const weft_message *m, void *user)
{
    char buf[32];

    (void)m;
    (void)user;
    weft_reply(x, buf, format_time(buf, sizeof buf));
}

/* What others type to reach us. */
static weft_err print_peer(const weft_node *node)
{
    weft_key key = weft_node_key(node);
    char text[WEFT_KEY_TEXT_MAX];
    char address[64];
    weft_err err = weft_node_address(node, address, sizeof address);

    if (err != WEFT_OK)
        return err;
    weft_key_text(text, &key);
    printf("%s@%s\n", text, address);
    return fflush(stdout) == 0 ? WEFT_OK : WEFT_ERR_IO;
}

int main(int argc, char **argv)
{
    weft_node_params params = WEFT_NODE_PARAMS; /* no identity given: this user's key */
    weft_node *node = NULL;
    weft_err err = WEFT_OK;

    params.listen = argc > 1 ? argv[1] : "127.0.0.1:4870";
    err = weft_node_open(&node, &params);
    if (err == WEFT_OK)
        err = weft_node_allow(node, NULL, "time"); /* without a rule nobody is answered */
    if (err == WEFT_OK)
        err = weft_node_serve(node, "time", on_time, NULL);
    if (err == WEFT_OK)
        err = print_peer(node);
    if (err == WEFT_OK)
        err = weft_node_run(node); /* until SIGTERM, SIGINT or weft_node_stop */
    weft_node_close(node);
    return weft_exit(err); /* says what went wrong, in a sentence */
}
