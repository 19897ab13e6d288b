/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crowd.c - many clients at once, each a node with a key and a socket of its own: all call
 * one server, then ask it something again and again, so that it has so many sessions at work. On
 * the public interface alone.
 *
 *   weft-bench-crowd PEER CLIENTS SECONDS EVERY_MS
 *
 * Prints a line when all have been answered once, waits for a line of input, asks for SECONDS (each
 * client once in EVERY_MS), and prints what it measured.
 */
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "sample.h"
#include "weft/weft.h"

#define CALLS_AT_ONCE 16u /* handshakes under way; more only wait for each other's curves */
#define SAMPLES_MAX 4000000u
#define EVENTS 256
#define PATIENCE_MS 60000u

struct crowd;

struct client {
    struct crowd *crowd;
    weft_node *node;
    uint64_t asked_ns, next_ns;
    bool is_asking;
};

struct crowd {
    const char *to;
    struct client *clients;
    size_t count, called, answered, failed, sample_count;
    uint64_t *samples;
    uint64_t every_ns;
    bool is_measuring;
    int epoll;
};

static int die(const char *what, weft_err err)
{
    (void)fprintf(stderr, "weft-bench-crowd: %s: %s\n", what, weft_strerror(err));
    return 1;
}

static void on_reply(const weft_outcome *o, void *user)
{
    struct client *c = user;
    struct crowd *crowd = c->crowd;

    c->is_asking = false;
    if (o->kind != WEFT_REPLIED) {
        crowd->failed++;
        return;
    }
    crowd->answered++;
    if (crowd->is_measuring && crowd->sample_count < SAMPLES_MAX)
        crowd->samples[crowd->sample_count++] = bench_now_ns() - c->asked_ns;
}

static weft_err ask(struct client *c)
{
    static const uint8_t body[RR_BYTES];
    weft_send_params p = WEFT_SEND_PARAMS;

    p.to = c->crowd->to;
    p.service = "rr";
    p.body = weft_body_span(body, sizeof body);
    p.expect_reply = true;
    p.reach_within_ms = PATIENCE_MS;
    p.reply_within_ms = PATIENCE_MS;
    p.on_outcome = on_reply;
    p.user = c;
    c->is_asking = true;
    c->asked_ns = bench_now_ns();
    return weft_node_send(c->node, &p, NULL);
}

static weft_err open_client(struct crowd *crowd, struct client *c)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    weft_node_params p = WEFT_NODE_PARAMS;
    weft_identity *identity = NULL;
    weft_err err = weft_identity_new(&identity);

    c->crowd = crowd;
    p.identity = identity;
    p.listen = "127.0.0.1:0";
    if (err == WEFT_OK)
        err = weft_node_open(&c->node, &p);
    weft_identity_free(identity);
    if (err == WEFT_OK && epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, weft_node_fd(c->node), &e) != 0)
        err = WEFT_ERR_IO;
    return err == WEFT_OK ? ask(c) : err;
}

static weft_err turn(struct crowd *crowd, int timeout_ms)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(crowd->epoll, events, EVENTS, timeout_ms);
    weft_err err = WEFT_OK;

    for (int i = 0; i < n && err == WEFT_OK; i++)
        err = weft_node_poll(((struct client *)events[i].data.ptr)->node, 0);
    return err;
}

/* Every client opens its session, a few at a time. */
static weft_err connect_all(struct crowd *crowd)
{
    weft_err err = WEFT_OK;

    while (err == WEFT_OK && crowd->answered + crowd->failed < crowd->count) {
        size_t done = crowd->answered + crowd->failed;

        if (crowd->called < crowd->count && crowd->called - done < CALLS_AT_ONCE)
            err = open_client(crowd, &crowd->clients[crowd->called++]);
        else
            err = turn(crowd, 10);
    }
    return err;
}

/* Each asks once in every_ns, all of them spread evenly over it. */
static weft_err measure(struct crowd *crowd, uint64_t seconds)
{
    uint64_t start = bench_now_ns();
    uint64_t now = start;
    weft_err err = WEFT_OK;
    size_t at = 0;

    for (size_t i = 0; i < crowd->count; i++)
        crowd->clients[i].next_ns = start + crowd->every_ns * i / crowd->count;
    crowd->is_measuring = true;
    while (err == WEFT_OK && now - start < seconds * 1000000000u) {
        struct client *c = &crowd->clients[at];

        if (now < c->next_ns) {
            err = turn(crowd, c->next_ns - now > 2000000u ? 1 : 0);
        } else {
            c->next_ns += crowd->every_ns;
            at = (at + 1) % crowd->count;
            if (!c->is_asking)
                err = ask(c);
        }
        now = bench_now_ns();
    }
    return err;
}

static void allow_many_files(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
        r.rlim_cur = r.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &r);
    }
}

static int run(struct crowd *crowd, uint64_t seconds)
{
    char line[16];
    uint64_t start = bench_now_ns();
    weft_err err = connect_all(crowd);

    if (err != WEFT_OK)
        return die("connect", err);
    (void)printf("{\"clients\":%zu,\"answered\":%zu,\"failed\":%zu,\"seconds\":%.2f}\n",
                 crowd->count, crowd->answered, crowd->failed,
                 (double)(bench_now_ns() - start) / 1e9);
    (void)fflush(stdout);
    if (seconds == 0 || fgets(line, sizeof line, stdin) == NULL)
        return crowd->failed == 0 ? 0 : 1;
    err = measure(crowd, seconds);
    if (err != WEFT_OK)
        return die("measure", err);
    bench_print_rr(crowd->samples, crowd->sample_count);
    (void)fflush(stdout);
    /* The sessions stay until they have been looked at. */
    while (fgets(line, sizeof line, stdin) != NULL)
        continue;
    return crowd->failed == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct crowd crowd = {.epoll = epoll_create1(EPOLL_CLOEXEC)};
    int status = 1;

    if (argc != 5) {
        (void)fprintf(stderr, "usage: weft-bench-crowd PEER CLIENTS SECONDS EVERY_MS\n");
        return 2;
    }
    crowd.to = argv[1];
    crowd.count = strtoull(argv[2], NULL, 10);
    crowd.every_ns = strtoull(argv[4], NULL, 10) * 1000000u;
    crowd.clients = calloc(crowd.count, sizeof *crowd.clients);
    crowd.samples = calloc(SAMPLES_MAX, sizeof *crowd.samples);
    allow_many_files();
    if (crowd.clients != NULL && crowd.samples != NULL && crowd.count > 0)
        status = run(&crowd, strtoull(argv[3], NULL, 10));
    for (size_t i = 0; crowd.clients != NULL && i < crowd.called; i++)
        weft_node_close(crowd.clients[i].node);
    free(crowd.clients);
    free(crowd.samples);
    return status;
}
