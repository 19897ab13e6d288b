/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_drop.c - a folder that anybody may put files into. They get their names only when they are
 * whole; nothing that exists is replaced; a transfer that broke off goes on where it ended.
 *
 * usage: file_drop FOLDER [ADDRESS:PORT]      then: send_file FILE PEER
 */
#include <stdio.h>

#include "weft/weft.h"

static void on_done(const weft_file_result *r, void *user)
{
    (void)user;
    if (r->err == WEFT_OK)
        printf("%s: %llu bytes\n", r->name, (unsigned long long)r->size);
    else
        fprintf(stderr, "%s: not whole yet: %s\n", r->name, weft_strerror(r->err));
    (void)fflush(stdout);
}

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
    weft_node_params params = WEFT_NODE_PARAMS;
    weft_file_params files = WEFT_FILE_PARAMS;
    weft_node *node = NULL;
    weft_err err = WEFT_OK;

    if (argc < 2) {
        fprintf(stderr, "usage: file_drop FOLDER [ADDRESS:PORT]\n");
        return 1;
    }
    params.listen = argc > 2 ? argv[2] : "127.0.0.1:4870";
    files.on_done = on_done;
    err = weft_node_open(&node, &params);
    if (err == WEFT_OK)
        err = weft_file_receive(node, argv[1], &files);
    if (err == WEFT_OK)
        err = weft_node_allow(node, NULL, "file.offer"); /* where to go on */
    if (err == WEFT_OK)
        err = weft_node_allow(node, NULL, "file.put");
    if (err == WEFT_OK)
        err = print_peer(node);
    if (err == WEFT_OK)
        err = weft_node_run(node);
    weft_node_close(node);
    return weft_exit(err);
}
