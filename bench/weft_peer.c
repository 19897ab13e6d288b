/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weft_peer.c - both ends of weft for the benchmarks, on the public interface alone.
 *
 *   weft-bench-weft-peer server                 prints its peer text, then serves "rr" and "sink"
 * until it is ended weft-bench-weft-peer rr PEER COUNT          64 bytes there and back, one after
 * the other weft-bench-weft-peer bulk PEER BYTES        one message of that size from memory
 */
#include <string.h>

#include "sample.h"
#include "weft/weft.h"

#define CHUNK 65536

struct run {
    weft_node *node;
    const char *to;
    uint64_t left, start_ns, *ns;
    size_t count, at;
    bool failed;
};

static int die(const char *what, weft_err err)
{
    (void)fprintf(stderr, "weft-bench-weft-peer: %s: %s\n", what, weft_strerror(err));
    return 1;
}

/* --- server --- */

static void on_rr(weft_exchange *x, const weft_message *m, void *user)
{
    (void)user;
    (void)weft_reply(x, m->body, m->len);
}

static weft_err on_open(weft_exchange *x, const weft_message *m, void *user, void **state)
{
    (void)x, (void)m, (void)user;
    *state = NULL;
    return WEFT_OK;
}

static size_t on_data(weft_exchange *x, const uint8_t *data, size_t len, void *state)
{
    (void)x, (void)data, (void)state;
    return len;
}

static void on_end(weft_exchange *x, weft_err err, void *state)
{
    (void)state;
    if (err == WEFT_OK)
        (void)weft_reply(x, "ok", 2);
}

static int serve(weft_node *node)
{
    static const weft_stream_handler sink = {
        .size = sizeof sink, .on_open = on_open, .on_data = on_data, .on_end = on_end};
    weft_key key = weft_node_key(node);
    char text[WEFT_KEY_TEXT_MAX];
    char address[64];
    weft_err err = weft_node_serve(node, "rr", on_rr, NULL);

    if (err == WEFT_OK)
        err = weft_node_serve_stream(node, "sink", &sink, NULL);
    if (err == WEFT_OK)
        err = weft_node_allow(node, NULL, "*");
    if (err == WEFT_OK)
        err = weft_node_address(node, address, sizeof address);
    if (err != WEFT_OK)
        return die("serve", err);
    weft_key_text(text, &key);
    (void)printf("%s@%s\n", text, address);
    (void)fflush(stdout);
    err = weft_node_run(node);
    return err == WEFT_OK ? 0 : die("run", err);
}

/* --- round trips --- */

static void ask(struct run *r);

static void on_reply(const weft_outcome *o, void *user)
{
    struct run *r = user;

    r->failed = o->kind != WEFT_REPLIED || o->message->len != RR_BYTES;
    if (r->at >= RR_WARM)
        r->ns[r->at - RR_WARM] = bench_now_ns() - r->start_ns;
    r->at++;
    if (r->failed || r->at == r->count + RR_WARM)
        weft_node_stop(r->node);
    else
        ask(r);
}

static void ask(struct run *r)
{
    static const uint8_t body[RR_BYTES];
    weft_send_params p = WEFT_SEND_PARAMS;

    p.to = r->to;
    p.service = "rr";
    p.body = weft_body_span(body, sizeof body);
    p.expect_reply = true;
    p.on_outcome = on_reply;
    p.user = r;
    r->start_ns = bench_now_ns();
    if (weft_node_send(r->node, &p, NULL) != WEFT_OK) {
        r->failed = true;
        weft_node_stop(r->node);
    }
}

static int round_trips(struct run *r, size_t count)
{
    weft_err err = WEFT_OK;

    r->count = count;
    r->ns = calloc(count, sizeof *r->ns);
    if (r->ns == NULL || count == 0)
        return die("rr", WEFT_ERR_NOMEM);
    ask(r);
    err = weft_node_run(r->node);
    if (err != WEFT_OK || r->failed)
        return die("rr", err == WEFT_OK ? WEFT_ERR_CLOSED : err);
    bench_print_rr(r->ns, count);
    free(r->ns);
    return 0;
}

/* --- bulk --- */

static weft_err read_zeros(void *user, uint8_t *buf, size_t cap, size_t *len, bool *end)
{
    struct run *r = user;

    *len = r->left < cap ? (size_t)r->left : cap;
    memset(buf, 0x5a, *len);
    r->left -= *len;
    *end = r->left == 0;
    return WEFT_OK;
}

static void on_sunk(const weft_outcome *o, void *user)
{
    struct run *r = user;

    r->failed = o->kind != WEFT_REPLIED;
    weft_node_stop(r->node);
}

static void on_warm(weft_err err, uint64_t rtt_us, uint64_t handshake_us, void *user)
{
    struct run *r = user;

    (void)rtt_us, (void)handshake_us;
    r->failed = err != WEFT_OK;
    weft_node_stop(r->node);
}

static int bulk(struct run *r, uint64_t bytes)
{
    weft_send_params p = WEFT_SEND_PARAMS;
    weft_err err =
        weft_node_ping(r->node, r->to, 5000, on_warm, r); /* the handshake is not counted */

    if (err == WEFT_OK)
        err = weft_node_run(r->node);
    p.to = r->to;
    p.service = "sink";
    p.body = weft_body_reader(read_zeros, r, bytes);
    p.expect_reply = true;
    p.on_outcome = on_sunk;
    p.user = r;
    r->left = bytes;
    r->start_ns = bench_now_ns();
    if (err == WEFT_OK && !r->failed)
        err = weft_node_send(r->node, &p, NULL);
    if (err == WEFT_OK && !r->failed)
        err = weft_node_run(r->node);
    if (err != WEFT_OK || r->failed)
        return die("bulk", err == WEFT_OK ? WEFT_ERR_CLOSED : err);
    bench_print_bulk(bytes, bench_now_ns() - r->start_ns);
    return 0;
}

int main(int argc, char **argv)
{
    weft_node_params p = WEFT_NODE_PARAMS;
    weft_identity *identity = NULL;
    struct run r = {.node = NULL};
    weft_err err = weft_identity_new(&identity);
    int status = 1;

    p.identity = identity;
    p.listen = "127.0.0.1:0";
    if (err == WEFT_OK)
        err = weft_node_open(&r.node, &p);
    weft_identity_free(identity);
    if (err != WEFT_OK)
        return die("open", err);
    r.to = argc > 2 ? argv[2] : NULL;
    if (argc == 2 && strcmp(argv[1], "server") == 0)
        status = serve(r.node);
    else if (argc == 4 && strcmp(argv[1], "rr") == 0)
        status = round_trips(&r, strtoull(argv[3], NULL, 10));
    else if (argc == 4 && strcmp(argv[1], "bulk") == 0)
        status = bulk(&r, strtoull(argv[3], NULL, 10));
    else
        (void)fprintf(stderr,
                      "usage: weft-bench-weft-peer server | rr PEER COUNT | bulk PEER BYTES\n");
    weft_node_close(r.node);
    return status;
}
