/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send_file.c - sends a file to a file_drop, a `weft listen` or a weftd. Start it again when it
 * broke off: it goes on where it ended.
 *
 * usage: send_file FILE PEER
 */
#include <stdio.h>

#include "weft/weft.h"

struct job {
    weft_node *node;
    weft_err err;
};

static void on_progress(const char *name, uint64_t done, uint64_t size, void *user)
{
    (void)user;
    fprintf(stderr, "\r%s: %3.0f %%", name,
            size == 0 ? 100.0 : 100.0 * (double)done / (double)size);
}

/* The server is busy and asks strangers for work first. */
static void on_work(const weft_work *w, void *user)
{
    (void)user;
    if (w->state == WEFT_WORK_GOES_ON)
        fprintf(stderr, "\rworking for the server: %llu of about %llu tries",
                (unsigned long long)w->tries, (unsigned long long)w->expected);
}

static void on_done(const weft_file_result *r, void *user)
{
    struct job *job = user;

    fputs("\n", stderr);
    if (r->err == WEFT_OK)
        printf("there as %s: %llu bytes, %llu of them now, in %.3f s\n", r->name,
               (unsigned long long)r->size, (unsigned long long)r->moved, (double)r->took_us / 1e6);
    job->err = r->err;
    weft_node_stop(job->node);
}

int main(int argc, char **argv)
{
    weft_file_params params = WEFT_FILE_PARAMS;
    struct job job = {.err = WEFT_OK};
    weft_err err = WEFT_OK;

    if (argc != 3) {
        fprintf(stderr, "usage: send_file FILE weft1...@host:port\n");
        return 1;
    }
    params.on_progress = on_progress;
    params.on_done = on_done; /* exactly once, unless weft_file_send itself fails */
    params.user = &job;
    err = weft_node_open(&job.node, NULL);
    if (err == WEFT_OK) {
        weft_node_on_work(job.node, on_work, &job);
        err = weft_file_send(job.node, argv[2], argv[1], &params);
    }
    if (err == WEFT_OK)
        err = weft_node_run(job.node);
    weft_node_close(job.node);
    return weft_exit(err == WEFT_OK ? job.err : err);
}
