/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_cat.c - `weft cat`: standard input and output of two programs joined, both directions, end of
 * file each way.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weft.h"

struct cat {
    struct app *app;
    weft_node *node;
    const char *allow;
    weft_exchange *exchange;  /* listening side */
    bool taken;               /* it has its peer */
    bool in_starved, in_over; /* standard input */
    bool out_blocked, out_over;
    bool out_broken;
    bool done;
    weft_err err;
};

static void set_allow(void *ctx, const char *v)
{
    ((struct cat *)ctx)->allow = v;
}

static const struct app_option table[] = {
    {"allow", 'a', true, set_allow},
    {NULL, 0, false, NULL},
};

static const struct usage usage = {
    "usage: weft cat PEER\n"
    "       weft cat --listen ADDR:PORT [--allow KEY|any]\n"
    "\n"
    "Joins standard input and output with those of the other side. Each direction ends by itself, "
    "when its input ends; the command ends\n"
    "when both have. The listening side takes one peer whom `weft allow … cat` or --allow lets "
    "in.\n"
    "  -a, --allow KEY|any       may connect, this time\n",
    0, 1, table};

static bool is_ready(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};

    return poll(&p, 1, 0) == 1;
}

/* Never waits: nothing there is an answer too. */
static weft_err read_input(void *user, uint8_t *buf, size_t cap, size_t *len, bool *end)
{
    struct cat *c = user;
    ssize_t got = 0;

    *len = 0;
    c->in_starved = !is_ready(STDIN_FILENO, POLLIN);
    if (c->in_starved)
        return WEFT_OK;
    got = read(STDIN_FILENO, buf, cap);
    if (got < 0) {
        c->in_starved = errno == EINTR || errno == EAGAIN;
        return c->in_starved ? WEFT_OK : WEFT_ERR_IO;
    }
    *len = (size_t)got;
    *end = got == 0;
    c->in_over = got == 0;
    return WEFT_OK;
}

/* More than this may make a write wait, although the file was ready; and while it waits nobody
 * answers for the session. A pipe that is ready takes that much (POSIX). */
static size_t write_max(void)
{
    struct stat st;

    return fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) ? 65536 : PIPE_BUF;
}

static size_t write_output(struct cat *c, const uint8_t *data, size_t len)
{
    size_t max = write_max();
    size_t at = 0;

    while (at < len && !c->out_broken) {
        ssize_t n = 0;

        if (!is_ready(STDOUT_FILENO, POLLOUT))
            break;
        n = write(STDOUT_FILENO, data + at, len - at < max ? len - at : max);
        if (n > 0)
            at += (size_t)n;
        else if (errno != EINTR && errno != EAGAIN)
            c->out_broken = true;
        else
            break;
    }
    c->out_blocked = at < len && !c->out_broken;
    return c->out_broken ? len : at;
}

/* Whoever reads our output learns that it is over, though our input may go on. Another file takes
 * its number, so that nothing else that is opened can. */
static void end_output(struct cat *c)
{
    int null = c->out_over ? -1 : open("/dev/null", O_WRONLY | O_CLOEXEC);

    c->out_over = true;
    if (null < 0)
        return;
    (void)dup2(null, STDOUT_FILENO);
    (void)close(null);
}

/* --- the side that calls --- */

static size_t on_reply_data(const uint8_t *data, size_t len, void *user)
{
    if (len == 0)
        end_output(user);
    return write_output(user, data, len);
}

static void on_outcome(const weft_outcome *o, void *user)
{
    struct cat *c = user;

    c->err = o->kind == WEFT_REPLIED ? WEFT_OK : (o->err == WEFT_OK ? WEFT_ERR_CLOSED : o->err);
    c->done = true;
}

static weft_err call(struct cat *c, const char *to)
{
    weft_send_params p = WEFT_SEND_PARAMS;

    p.to = to;
    p.service = "cat";
    p.body = weft_body_reader(read_input, c, UINT64_MAX);
    p.expect_reply = true;
    p.on_reply_data = on_reply_data;
    p.on_outcome = on_outcome;
    p.user = c;
    return weft_node_send(c->node, &p, NULL);
}

/* --- the side that listens --- */

static weft_err on_open(weft_exchange *x, const weft_message *m, void *user, void **state)
{
    struct cat *c = user;
    weft_body body = weft_body_reader(read_input, c, UINT64_MAX);

    (void)m;
    if (c->taken)
        return WEFT_ERR_LIMIT;
    c->taken = true;
    c->exchange = x;
    *state = c;
    return weft_reply_body(x, &body);
}

static size_t on_data(weft_exchange *x, const uint8_t *data, size_t len, void *state)
{
    (void)x;
    return write_output(state, data, len);
}

static void on_end(weft_exchange *x, weft_err err, void *state)
{
    struct cat *c = state;

    (void)x;
    c->exchange = NULL;
    end_output(c);
    if (err != WEFT_OK) {
        c->err = err;
        c->done = true;
    }
}

static int serve(struct cat *c)
{
    static const weft_stream_handler handler = {
        .size = sizeof handler, .on_open = on_open, .on_data = on_data, .on_end = on_end};
    char peer[APP_PEER_MAX];
    size_t rules = 0;
    weft_err err = weft_node_serve_stream(c->node, "cat", &handler, c);

    if (err != WEFT_OK)
        return app_fail_err(c->app, err, "cannot serve cat");
    if (app_rules_load(c->app, c->node, &rules) != 0)
        return 1;
    if (c->allow != NULL && app_rule_give(c->app, c->node, c->allow, "cat") != 0)
        return 1;
    app_peer_text(c->node, peer);
    if (!c->app->quiet)
        (void)fprintf(stderr, "listening as %s\n", peer);
    return 0;
}

/* Goes on until both directions are over. 0, or 130 after a signal. */
static int run(struct cat *c)
{
    while (!c->done) {
        struct app_wait waits[] = {
            {.fd = c->in_starved && !c->in_over ? STDIN_FILENO : -1, .events = POLLIN},
            {.fd = c->out_blocked ? STDOUT_FILENO : -1, .events = POLLOUT},
        };

        if (!app_turn(c->app, c->node, waits, 2))
            return 130;
        if (waits[0].ready || waits[1].ready) {
            if (waits[1].ready && c->exchange != NULL)
                weft_exchange_resume(c->exchange);
            weft_node_resume(c->node);
        }
        if (c->taken && c->out_over && weft_node_is_idle(c->node))
            c->done = true;
    }
    return 0;
}

int cmd_cat(struct app *a, int argc, char **argv)
{
    static struct cat c;
    weft_node_params p = WEFT_NODE_PARAMS;
    const char *to = NULL;
    weft_err err = WEFT_OK;
    int status = 0;

    c.app = a;
    status = cmd_options(a, &usage, &c, argv, &argc);
    if (status >= 0)
        return status;
    if ((argc == 0) == (a->listen == NULL))
        return app_fail(a, "give either a peer to call or --listen ADDR:PORT to be called.");
    to = argv[0];
    status = argc == 1 ? app_open_to(a, &p, &to, &c.node) : app_open_node(a, &p, &c.node);
    if (status != 0)
        return 1;
    if (argc == 1) {
        err = call(&c, to);
        status = err == WEFT_OK ? 0 : app_fail_err(a, err, "cannot call %.100s", to);
    } else {
        status = serve(&c);
    }
    if (status == 0)
        status = run(&c);
    if (status == 0 && c.err != WEFT_OK)
        status = app_fail_err(a, c.err, "it broke off");
    if (status == 0 && c.out_broken)
        status = app_fail(a, "standard output was closed; the rest was thrown away.");
    app_write_stats(a, c.node);
    weft_node_close(c.node);
    return status;
}
