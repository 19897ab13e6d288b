/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_ping.c - `weft ping` and `weft echo`: round trips, of the session and of a message.
 */
#include <string.h>

#include "weft.h"

#define COUNT_MAX 1000000
#define TEXT_BYTES 65536

struct pinger {
    struct app *app;
    uint64_t count, interval_ms, within_ms, seq, good;
    const char *count_text, *interval_text, *within_text;
    bool done;
    weft_err err;
    uint64_t min_us, max_us, sum_us;
};

static void set_count(void *ctx, const char *v)
{
    ((struct pinger *)ctx)->count_text = v;
}

static void set_interval(void *ctx, const char *v)
{
    ((struct pinger *)ctx)->interval_text = v;
}

static void set_within(void *ctx, const char *v)
{
    ((struct pinger *)ctx)->within_text = v;
}

static const struct app_option table[] = {
    {"count", 'n', true, set_count},
    {"interval", 'i', true, set_interval},
    {"within", 'w', true, set_within},
    {NULL, 0, false, NULL},
};

static const struct usage ping_usage = {
    "usage: weft ping [-n N] [-i MS] [-w MS] PEER\n"
    "\n"
    "Measures round trips inside the session; the first one makes the session.\n"
    "  -n, --count N             how many (4)\n"
    "  -i, --interval MS         milliseconds between them (1000)\n"
    "  -w, --within MS           how long to wait for each (10000)\n",
    1, 1, table};

static void print_result(struct pinger *p, weft_err err, uint64_t rtt_us, uint64_t handshake_us)
{
    if (p->app->json) {
        (void)printf("{\"seq\":%llu,\"ok\":%s,\"rtt_us\":%llu,\"handshake_us\":%llu",
                     (unsigned long long)p->seq, err == WEFT_OK ? "true" : "false",
                     (unsigned long long)rtt_us, (unsigned long long)handshake_us);
        (void)(err == WEFT_OK ? puts("}") : printf(",\"error\":\"%s\"}\n", weft_strerror(err)));
    } else if (err != WEFT_OK) {
        (void)app_fail_err(p->app, err, "ping %llu", (unsigned long long)p->seq);
    } else if (handshake_us > 0 && p->seq == 1) {
        (void)printf("%llu: %.3f ms (handshake %.3f ms)\n", (unsigned long long)p->seq,
                     (double)rtt_us / 1000, (double)handshake_us / 1000);
    } else {
        (void)printf("%llu: %.3f ms\n", (unsigned long long)p->seq, (double)rtt_us / 1000);
    }
    (void)fflush(stdout);
}

static void count_result(struct pinger *p, weft_err err, uint64_t us)
{
    p->err = err;
    p->done = true;
    if (err != WEFT_OK)
        return;
    p->good++;
    p->sum_us += us;
    p->min_us = p->good == 1 || us < p->min_us ? us : p->min_us;
    p->max_us = us > p->max_us ? us : p->max_us;
}

static void on_pong(weft_err err, uint64_t rtt_us, uint64_t handshake_us, void *user)
{
    struct pinger *p = user;

    count_result(p, err, rtt_us);
    print_result(p, err, rtt_us, handshake_us);
}

static int read_options(struct pinger *p)
{
    bool bad = false;

    if (p->count_text != NULL)
        p->count = cmd_number(p->app, p->count_text, COUNT_MAX, &bad);
    if (p->interval_text != NULL)
        p->interval_ms = cmd_number(p->app, p->interval_text, 3600000, &bad);
    if (p->within_text != NULL)
        p->within_ms = cmd_number(p->app, p->within_text, 3600000, &bad);
    return bad;
}

static void summary(const struct pinger *p)
{
    if (p->app->json || p->app->quiet || p->seq == 0)
        return;
    (void)printf("%llu of %llu answered", (unsigned long long)p->good, (unsigned long long)p->seq);
    if (p->good > 0)
        (void)printf("; least %.3f, mean %.3f, most %.3f ms", (double)p->min_us / 1000,
                     (double)p->sum_us / (double)p->good / 1000, (double)p->max_us / 1000);
    (void)puts("");
}

int cmd_ping(struct app *a, int argc, char **argv)
{
    struct pinger p = {.app = a, .count = 4, .interval_ms = 1000, .within_ms = 10000};
    weft_node_params np = WEFT_NODE_PARAMS;
    weft_node *node = NULL;
    const char *to = NULL;
    int status = cmd_options(a, &ping_usage, &p, argv, &argc);

    if (status >= 0)
        return status;
    to = argv[0];
    if (read_options(&p) != 0 || app_open_to(a, &np, &to, &node) != 0)
        return 1;
    status = 0;
    while (p.seq < p.count && status == 0) {
        weft_err err = WEFT_OK;

        p.seq++;
        p.done = false;
        err = weft_node_ping(node, to, (uint32_t)p.within_ms, on_pong, &p);
        if (err != WEFT_OK)
            status = app_fail_err(a, err, "cannot ping %.100s", to);
        else
            status = app_run(a, node, &p.done);
        if (status == 0 && p.seq < p.count && p.interval_ms > 0 &&
            !app_rest(a, node, p.interval_ms))
            status = 130;
    }
    summary(&p);
    app_write_stats(a, node);
    weft_node_close(node);
    return status != 0 ? status : (p.good == p.seq ? 0 : 1);
}

/* --- echo --- */

static const struct usage echo_usage = {
    "usage: weft echo [-n N] [-i MS] [-w MS] PEER [TEXT…]\n"
    "\n"
    "Sends TEXT (or standard input, at most 64 KiB) to the service \"echo\" and prints what comes "
    "back.\n"
    "  -n, --count N             how often (1)\n"
    "  -i, --interval MS         milliseconds between them (1000)\n"
    "  -w, --within MS           how long to wait for each answer (10000)\n",
    1, -1, table};

static void on_outcome(const weft_outcome *o, void *user)
{
    struct pinger *p = user;
    weft_err err =
        o->kind == WEFT_REPLIED ? WEFT_OK : (o->err == WEFT_OK ? WEFT_ERR_TIMEOUT : o->err);

    count_result(p, err, o->took_us);
    if (p->app->json) {
        (void)printf(
            "{\"seq\":%llu,\"ok\":%s,\"took_us\":%llu,\"handshake_us\":%llu,\"packets\":%llu",
            (unsigned long long)p->seq, err == WEFT_OK ? "true" : "false",
            (unsigned long long)o->took_us, (unsigned long long)o->handshake_us,
            (unsigned long long)o->packets);
        (void)(err == WEFT_OK ? printf(",\"bytes\":%zu,\"grade\":\"%s\"}\n", o->message->len,
                                       weft_grade_text(o->grade))
                              : printf(",\"error\":\"%s\"}\n", weft_strerror(err)));
    } else if (err != WEFT_OK) {
        (void)app_fail_err(p->app, err, "no echo");
    } else {
        app_put_bytes(stdout, o->message->body, o->message->len);
        if (o->message->len == 0 || o->message->body[o->message->len - 1] != '\n')
            (void)putchar('\n');
    }
    (void)fflush(stdout);
}

/* More than TEXT_BYTES when it is too long; text has room for one byte more. */
static size_t gather(char *text, int argc, char **argv)
{
    size_t len = 0;

    if (argc == 0)
        return fread(text, 1, TEXT_BYTES + 1, stdin);
    for (int i = 0; i < argc; i++) {
        size_t n = strlen(argv[i]);

        if (n + 1 > TEXT_BYTES - len)
            return TEXT_BYTES + 1;
        if (i > 0)
            text[len++] = ' ';
        memcpy(text + len, argv[i], n);
        len += n;
    }
    return len;
}

static int echo_once(struct pinger *p, weft_node *node, const char *to, weft_body body)
{
    weft_send_params sp = WEFT_SEND_PARAMS;
    weft_err err = WEFT_OK;

    sp.to = to;
    sp.service = "echo";
    sp.body = body;
    sp.reply_within_ms = (uint32_t)p->within_ms;
    sp.expect_reply = true;
    sp.on_outcome = on_outcome;
    sp.user = p;
    p->done = false;
    err = weft_node_send(node, &sp, NULL);
    if (err != WEFT_OK)
        return app_fail_err(p->app, err, "cannot send to %.100s", to);
    return app_run(p->app, node, &p->done);
}

int cmd_echo(struct app *a, int argc, char **argv)
{
    static char text[TEXT_BYTES + 1];
    struct pinger p = {.app = a, .count = 1, .interval_ms = 1000, .within_ms = 10000};
    weft_node_params np = WEFT_NODE_PARAMS;
    weft_node *node = NULL;
    const char *to = NULL;
    size_t len = 0;
    int status = cmd_options(a, &echo_usage, &p, argv, &argc);

    if (status >= 0)
        return status;
    if (read_options(&p) != 0)
        return 1;
    len = gather(text, argc - 1, argv + 1);
    if (len > TEXT_BYTES)
        return app_fail(a, "a text has at most 64 KiB; `weft cat` and `weft send` carry more.");
    to = argv[0];
    if (app_open_to(a, &np, &to, &node) != 0)
        return 1;
    status = 0;
    while (p.seq < p.count && status == 0) {
        p.seq++;
        status = echo_once(&p, node, to, weft_body_span(text, len));
        if (status == 0 && p.seq < p.count && p.interval_ms > 0 &&
            !app_rest(a, node, p.interval_ms))
            status = 130;
    }
    app_write_stats(a, node);
    weft_node_close(node);
    return status != 0 ? status : (p.good == p.seq ? 0 : 1);
}
