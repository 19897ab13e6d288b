/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.c - every function of weft/file.h: two nodes in one process; one receives into a folder and
 * offers a file, the other sends one, lists and fetches.
 *
 * usage: files
 */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "weft/weft.h"

#define PATH_BYTES 64

struct world {
    weft_node *server, *client;
    char to[WEFT_KEY_TEXT_MAX + 64];
    char folder[32];
    char sent[PATH_BYTES];  /* a file of the client's, in folder; fetched ones come there too */
    char inbox[PATH_BYTES]; /* where the server receives */
    bool done;
    weft_err err;
};

static void on_done(const weft_file_result *r, void *user)
{
    struct world *w = user;

    printf("%s: %llu bytes, %s\n", r->name, (unsigned long long)r->size, weft_strerror(r->err));
    w->err = r->err;
    w->done = true;
}

static void on_received(const weft_file_result *r, void *user)
{
    char from[WEFT_KEY_TEXT_MAX];

    (void)user;
    weft_key_text(from, &r->peer);
    printf("%s came from %.12s..., SHA-256 %02x%02x%02x%02x...\n", r->name, from, r->digest[0],
           r->digest[1], r->digest[2], r->digest[3]);
}

static void on_listed(weft_err err, const char *name, uint64_t size, void *user)
{
    struct world *w = user;

    if (name != NULL) {
        printf("on offer: %s, %llu bytes\n", name, (unsigned long long)size);
        return;
    }
    w->err = err; /* the end of the list */
    w->done = true;
}

/* Runs both until the call that gave err is done. */
static weft_err finish(struct world *w, weft_err err)
{
    while (err == WEFT_OK && !w->done) {
        struct pollfd fds[] = {{.fd = weft_node_fd(w->server), .events = POLLIN},
                               {.fd = weft_node_fd(w->client), .events = POLLIN}};

        if (poll(fds, 2, -1) < 0)
            return WEFT_ERR_IO;
        err = weft_node_poll(w->server, 0);
        if (err == WEFT_OK)
            err = weft_node_poll(w->client, 0);
    }
    w->done = false;
    return err == WEFT_OK ? w->err : err;
}

static weft_err serve(struct world *w)
{
    weft_file_params received = WEFT_FILE_PARAMS;
    weft_err err = WEFT_OK;

    received.on_done = on_received;
    err = weft_file_receive(w->server, w->inbox, &received);
    if (err == WEFT_OK)
        err = weft_file_offer(w->server, w->sent);
    return err == WEFT_OK ? weft_node_allow(w->server, NULL, "*") : err;
}

static weft_err move_files(struct world *w)
{
    weft_file_params params = WEFT_FILE_PARAMS;
    weft_err err = WEFT_OK;

    params.on_done = on_done;
    params.user = w;
    err = finish(w, weft_file_send(w->client, w->to, w->sent, &params));
    if (err == WEFT_OK) /* what is there is never replaced: it becomes letter.txt.1 */
        err = finish(w, weft_file_send(w->client, w->to, w->sent, &params));
    if (err == WEFT_OK)
        err = finish(w, weft_file_list(w->client, w->to, on_listed, w));
    if (err == WEFT_OK)
        err = finish(w, weft_file_fetch(w->client, w->to, "letter.txt", w->folder, &params));
    return err;
}

static weft_err open_nodes(struct world *w)
{
    weft_identity *one = NULL;
    weft_identity *other = NULL;
    weft_node_params params = WEFT_NODE_PARAMS;
    weft_err err = weft_identity_new(&one);

    if (err == WEFT_OK)
        err = weft_identity_new(&other);
    params.identity = one;
    params.listen = "127.0.0.1:0";
    if (err == WEFT_OK)
        err = weft_node_open(&w->server, &params);
    params.identity = other;
    params.listen = NULL;
    if (err == WEFT_OK)
        err = weft_node_open(&w->client, &params);
    if (err == WEFT_OK) {
        weft_key key = weft_identity_key(one);
        char text[WEFT_KEY_TEXT_MAX];
        char address[64];

        err = weft_node_address(w->server, address, sizeof address);
        weft_key_text(text, &key);
        (void)snprintf(w->to, sizeof w->to, "%s@%s", text, err == WEFT_OK ? address : "");
    }
    weft_identity_free(one);
    weft_identity_free(other);
    return err;
}

static weft_err prepare(struct world *w)
{
    FILE *f = NULL;
    bool ok = false;

    (void)snprintf(w->folder, sizeof w->folder, "/tmp/weft-files-XXXXXX");
    if (mkdtemp(w->folder) == NULL)
        return WEFT_ERR_IO;
    (void)snprintf(w->sent, sizeof w->sent, "%s/letter.txt", w->folder);
    (void)snprintf(w->inbox, sizeof w->inbox, "%s/inbox", w->folder);
    f = fopen(w->sent, "w");
    if (f == NULL)
        return WEFT_ERR_IO;
    ok = fputs("trust a key, seal the message, let anything carry it\n", f) >= 0;
    return fclose(f) == 0 && ok ? WEFT_OK : WEFT_ERR_NO_SPACE;
}

static void clean_up(const struct world *w)
{
    static const char *const names[] = {"inbox/letter.txt", "inbox/letter.txt.1", "letter.txt",
                                        "letter.txt.1"};
    char path[PATH_BYTES];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", w->folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(w->inbox);
    (void)rmdir(w->folder);
}

int main(void)
{
    static struct world w;
    weft_err err = prepare(&w);

    if (err == WEFT_OK)
        err = open_nodes(&w);
    if (err == WEFT_OK)
        err = serve(&w);
    if (err == WEFT_OK)
        err = move_files(&w);
    weft_node_close(w.client);
    weft_node_close(w.server);
    clean_up(&w);
    return weft_exit(err);
}
