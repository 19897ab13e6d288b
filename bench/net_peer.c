/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_peer.c - both ends of weft for the benchmarks over emulated links, on the public interface
 * alone.
 *
 *   weft-bench-net-peer server ADDRESS:PORT
 *       prints its peer text, then each 100 ms what it has got: {"at_us":…,"bytes":…}
 *   weft-bench-net-peer send PEER SECONDS PRIORITY [bbr]
 *       one message without end, given up after so long
 *   weft-bench-net-peer ask PEER SECONDS EVERY_MS PRIORITY
 *       a request of 200 bytes each so often, and how long the replies took; PRIORITY is that of a
 *       message without end beside them, or none
 *
 * PRIORITY is normal, urgent or background. Times are those of CLOCK_MONOTONIC, so that programs of
 * one machine can be compared.
 */
#include <signal.h>
#include <string.h>

#include "sample.h"
#include "weft/weft.h"

#define REQUEST_BYTES 200
#define REPORT_NS 100000000u
#define POLL_MS 10
#define SAMPLES_MAX 100000u
#define SECOND_NS 1000000000u
/* Requests of this long are not counted: windows open meanwhile. */
#define WARM_NS 1000000000u

struct run {
    weft_node *node;
    const char *to;
    uint64_t start_ns, bytes, sent, failed;
    uint64_t message; /* the one without end */
    bool greeted, over;
    weft_err err;
    uint64_t *ns;
    size_t count;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static int die(const char *what, weft_err err)
{
    (void)fprintf(stderr, "weft-bench-net-peer: %s: %s\n", what, weft_strerror(err));
    return 1;
}

/* --- server --- */

static void on_ask(weft_exchange *x, const weft_message *m, void *user)
{
    (void)user;
    (void)weft_reply(x, m->body, m->len);
}

static weft_err on_open(weft_exchange *x, const weft_message *m, void *user, void **state)
{
    (void)x, (void)m;
    *state = user;
    return WEFT_OK;
}

static size_t on_data(weft_exchange *x, const uint8_t *data, size_t len, void *state)
{
    struct run *r = state;

    (void)x, (void)data;
    r->bytes += len;
    return len;
}

static void on_end(weft_exchange *x, weft_err err, void *state)
{
    (void)x, (void)err, (void)state;
}

static weft_err offer(struct run *r)
{
    static const weft_stream_handler sink = {
        .size = sizeof sink, .on_open = on_open, .on_data = on_data, .on_end = on_end};
    weft_err err = weft_node_serve(r->node, "ask", on_ask, r);

    if (err == WEFT_OK)
        err = weft_node_serve_stream(r->node, "sink", &sink, r);
    if (err == WEFT_OK)
        err = weft_node_allow(r->node, NULL, "*");
    return err;
}

static int serve(struct run *r)
{
    weft_key key = weft_node_key(r->node);
    char text[WEFT_KEY_TEXT_MAX];
    char address[64];
    uint64_t next = bench_now_ns();
    weft_err err = offer(r);

    if (err == WEFT_OK)
        err = weft_node_address(r->node, address, sizeof address);
    if (err != WEFT_OK)
        return die("serve", err);
    weft_key_text(text, &key);
    (void)printf("%s@%s\n", text, address);
    (void)fflush(stdout);
    while (!stopped && err == WEFT_OK) {
        err = weft_node_poll(r->node, POLL_MS);
        if (bench_now_ns() < next)
            continue;
        next = bench_now_ns() + REPORT_NS;
        (void)printf("{\"at_us\":%llu,\"bytes\":%llu}\n",
                     (unsigned long long)(bench_now_ns() / 1000), (unsigned long long)r->bytes);
        if (fflush(stdout) != 0)
            return 1;
    }
    return err == WEFT_OK ? 0 : die("run", err);
}

/* --- client --- */

static weft_err read_pattern(void *user, uint8_t *buf, size_t cap, size_t *len, bool *end)
{
    struct run *r = user;

    memset(buf, 0x5a, cap);
    r->sent += cap;
    *len = cap;
    *end = false;
    return WEFT_OK;
}

static void on_over(const weft_outcome *o, void *user)
{
    struct run *r = user;

    r->over = true;
    r->err = o->err;
}

static void on_greeted(weft_err err, uint64_t rtt_us, uint64_t handshake_us, void *user)
{
    struct run *r = user;

    (void)rtt_us, (void)handshake_us;
    r->greeted = true;
    r->err = err;
}

/* Makes the session, so that the handshake is not counted. */
static weft_err greet(struct run *r)
{
    weft_err err = weft_node_ping(r->node, r->to, 20000, on_greeted, r);

    while (err == WEFT_OK && !r->greeted && !stopped)
        err = weft_node_poll(r->node, POLL_MS);
    return err == WEFT_OK ? r->err : err;
}

static weft_err begin_message(struct run *r, weft_priority priority)
{
    weft_send_params p = WEFT_SEND_PARAMS;

    p.to = r->to;
    p.service = "sink";
    p.body = weft_body_reader(read_pattern, r, UINT64_MAX);
    p.priority = priority;
    p.on_outcome = on_over;
    p.user = r;
    return weft_node_send(r->node, &p, &r->message);
}

static void print_stats(const struct run *r)
{
    weft_stats s = {.size = sizeof s};

    weft_node_stats(r->node, &s);
    (void)printf("\"datagrams_out\":%llu,\"packets_lost\":%llu,\"frames_resent\":%llu}\n",
                 (unsigned long long)s.datagrams_out, (unsigned long long)s.packets_lost,
                 (unsigned long long)s.frames_resent);
}

static int send_for(struct run *r, uint64_t seconds, weft_priority priority)
{
    weft_err err = greet(r);

    r->start_ns = bench_now_ns();
    if (err == WEFT_OK)
        err = begin_message(r, priority);
    while (err == WEFT_OK && !r->over && !stopped &&
           bench_now_ns() - r->start_ns < seconds * SECOND_NS)
        err = weft_node_poll(r->node, POLL_MS);
    if (err != WEFT_OK || r->over)
        return die("send", err == WEFT_OK ? r->err : err);
    (void)printf("{\"start_us\":%llu,\"end_us\":%llu,", (unsigned long long)(r->start_ns / 1000),
                 (unsigned long long)(bench_now_ns() / 1000));
    print_stats(r);
    weft_node_cancel(r->node, r->message);
    return 0;
}

/* --- requests --- */

static void on_reply(const weft_outcome *o, void *user)
{
    struct run *r = user;

    if (o->kind != WEFT_REPLIED)
        r->failed++;
    else if (bench_now_ns() - r->start_ns > WARM_NS && r->count < SAMPLES_MAX)
        r->ns[r->count++] = o->took_us * 1000;
}

static weft_err ask(struct run *r)
{
    static const uint8_t body[REQUEST_BYTES];
    weft_send_params p = WEFT_SEND_PARAMS;

    p.to = r->to;
    p.service = "ask";
    p.body = weft_body_span(body, sizeof body);
    p.priority = WEFT_URGENT;
    p.expect_reply = true;
    p.on_outcome = on_reply;
    p.user = r;
    return weft_node_send(r->node, &p, NULL);
}

static weft_err ask_until(struct run *r, uint64_t end, uint64_t every_ns)
{
    weft_err err = WEFT_OK;
    uint64_t next = bench_now_ns();

    while (err == WEFT_OK && !stopped && bench_now_ns() < end) {
        const uint64_t now = bench_now_ns();

        if (now >= next) {
            err = ask(r);
            next += every_ns;
        }
        if (err == WEFT_OK)
            err = weft_node_poll(r->node, next <= now ? 0 : (int)((next - now) / 1000000 + 1));
    }
    return err;
}

/* --- the whole --- */

static bool priority_of(weft_priority *out, const char *name)
{
    static const char *const names[] = {"normal", "urgent", "background"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (weft_priority)i;
            return true;
        }
    }
    return false;
}

static int ask_for(struct run *r, uint64_t seconds, uint64_t every_ms, const char *beside)
{
    static uint64_t ns[SAMPLES_MAX];
    weft_priority priority = WEFT_NORMAL;
    weft_err err = greet(r);

    r->ns = ns;
    r->start_ns = bench_now_ns();
    if (err == WEFT_OK && priority_of(&priority, beside))
        err = begin_message(r, priority);
    if (err == WEFT_OK)
        err = ask_until(r, r->start_ns + seconds * SECOND_NS, every_ms * 1000000);
    if (err != WEFT_OK || r->count == 0 || r->failed > 0)
        return die("ask", err == WEFT_OK ? WEFT_ERR_TIMEOUT : err);
    bench_print_rr(r->ns, r->count);
    weft_node_cancel(r->node, r->message);
    return 0;
}

static int run(struct run *r, int argc, char **argv)
{
    weft_priority priority = WEFT_NORMAL;

    if (argc == 3 && strcmp(argv[1], "server") == 0)
        return serve(r);
    if (argc >= 5 && strcmp(argv[1], "send") == 0 && priority_of(&priority, argv[4]))
        return send_for(r, strtoull(argv[3], NULL, 10), priority);
    if (argc == 6 && strcmp(argv[1], "ask") == 0)
        return ask_for(r, strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10), argv[5]);
    (void)fprintf(stderr, "usage: weft-bench-net-peer server ADDRESS:PORT | send PEER SECONDS "
                          "PRIORITY [bbr] | ask PEER SECONDS EVERY_MS PRIORITY|none\n");
    return 1;
}

int main(int argc, char **argv)
{
    weft_node_params p = WEFT_NODE_PARAMS;
    weft_identity *identity = NULL;
    struct run r = {.to = argc > 2 ? argv[2] : NULL};
    weft_err err = weft_identity_new(&identity);
    int status = 1;

    (void)signal(SIGTERM, on_signal);
    (void)signal(SIGINT, on_signal);
    p.identity = identity;
    if (argc == 3)
        p.listen = argv[2];
    if (argc == 6 && strcmp(argv[5], "bbr") == 0)
        p.congestion = WEFT_CONGESTION_BBR;
    if (err == WEFT_OK)
        err = weft_node_open(&r.node, &p);
    weft_identity_free(identity);
    if (err != WEFT_OK)
        return die("open", err);
    status = run(&r, argc, argv);
    weft_node_close(r.node);
    return status;
}
