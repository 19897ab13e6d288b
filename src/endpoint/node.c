/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node.c - opening, running and closing a node.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "endpoint/identity_priv.h"
#include "endpoint/node_priv.h"
#include "endpoint/pin_priv.h"
#include "net/clock.h"
#include "net/mem_system.h"

#define PATH_BYTES 4096
#define CLOSE_US 500000u

static void on_wake(void *ctx)
{
    weft_node *n = ctx;

    if (atomic_load(&n->stopped) && n->running)
        wf_loop_stop(n->loop);
    node_pump(n);
}

static void on_signal(void *ctx, int number)
{
    (void)number;
    weft_node_stop(ctx);
}

static void write_keylog(void *ctx, const uint8_t cid[8], unsigned phase, const char *direction,
                         const uint8_t root[32])
{
    weft_node *n = ctx;
    char cid_hex[17];
    char root_hex[65];

    wf_hex(cid_hex, cid, 8);
    wf_hex(root_hex, root, 32);
    (void)fprintf(n->keylog, "WEFT_SECRET %s %u %s %s\n", cid_hex, phase, direction, root_hex);
    (void)fflush(n->keylog);
    wf_wipe(root_hex, sizeof root_hex);
}

static weft_err open_keylog(weft_node *n, const char *path)
{
    if (path == NULL)
        return WEFT_OK;
    n->keylog = identity_open_private(path);
    if (n->keylog == NULL)
        return errno == EACCES || errno == EPERM ? WEFT_ERR_DENIED : WEFT_ERR_IO;
    n->keylog_fn = (struct wf_keylog){.line = write_keylog, .ctx = n};
    return WEFT_OK;
}

/* SPEC 1.12-5 */
static bool is_about(const weft_statement *s, const weft_identity *identity)
{
    weft_key key = weft_identity_key(identity);

    return memcmp(s->key.bytes, key.bytes, sizeof key.bytes) == 0 &&
           weft_statement_check(s, 0) == WEFT_OK;
}

static weft_err open_core(weft_node *n, const weft_node_params *p, const weft_identity *identity)
{
    struct wf_core_config config = {
        .mem = &n->mem,
        .rng = &wf_rng_system,
        .serve = p->serve,
        .effort = p->work_effort,
        .work_alg = (uint8_t)p->work_algorithm,
        .congestion = p->congestion == WEFT_CONGESTION_BBR ? WF_CC_BBR : WF_CC_CUBIC,
        .work_time_us = n->work_time_us,
        .work_outside = true,
        .effort_log2_max = (uint8_t)p->work_ceiling,
        .cookies_max = p->cookies_max,
        .wall_ms = wf_clock_wall_ms(),
        .sessions_max = p->sessions_max,
        .unread_us = (uint64_t)p->unread_s * 1000000,
        .fold_us = (uint64_t)p->fold_ms * 1000,
        .rest_ms = (uint64_t)p->rest_s * 1000,
        .presences_max = p->presences_max,
        .rest_memory_ms = (uint64_t)p->rest_memory_s * 1000,
        .keylog = n->keylog == NULL ? NULL : &n->keylog_fn,
    };
    struct wf_statement statement;
    uint8_t bytes[WF_STATEMENT_MAX];
    weft_err err = WEFT_OK;

    if (n->rest_file != NULL)
        config.rest = wf_rest_file_ops(n->rest_file);
    if (p->statement != NULL) {
        if (!is_about(p->statement, identity) || !statement_to_wire(&statement, p->statement))
            return WEFT_ERR_USAGE;
        config.statement = wf_span(bytes, wf_statement_put(&statement, bytes, sizeof bytes));
    }
    identity_seed(identity, config.seed);
    err = wf_core_new(&n->core, &config, wf_clock_now());
    wf_wipe(config.seed, sizeof config.seed);
    if (err == WEFT_OK)
        memcpy(n->key.bytes, wf_core_key(n->core), WEFT_KEY_LEN);
    return err;
}

/* The key of this user, made at the first use. */
static weft_err own_identity(weft_identity **out)
{
    char path[PATH_BYTES];
    weft_err err = weft_identity_path(path, sizeof path);

    if (err == WEFT_OK)
        err = weft_identity_load(out, path, NULL);
    if (err != WEFT_ERR_NOT_FOUND)
        return err;
    err = weft_identity_new(out);
    if (err == WEFT_OK)
        err = weft_identity_save(*out, path, NULL);
    if (err != WEFT_OK) {
        weft_identity_free(*out);
        *out = NULL;
    }
    return err;
}

static weft_err open_parts(weft_node *n, const weft_node_params *p)
{
    weft_identity *own = NULL;
    weft_err err = wf_loop_new(&n->loop, &n->mem);

    if (err == WEFT_OK)
        err = open_keylog(n, p->keylog_path);
    if (err == WEFT_OK && p->rest_path != NULL)
        err = wf_rest_file_open(&n->rest_file, p->rest_path, &n->mem, NULL);
    if (err == WEFT_OK && p->identity == NULL)
        err = own_identity(&own);
    if (err == WEFT_OK)
        err = open_core(n, p, p->identity == NULL ? own : p->identity);
    weft_identity_free(own);
    if (err == WEFT_OK)
        err = node_open_io(n, p->listen);
    if (err != WEFT_OK)
        return err;
    wf_loop_set_spin(n->loop, NODE_SPIN_US);
    n->stopper = (struct wf_waker){.fn = on_wake, .ctx = n};
    wf_loop_add_waker(n->loop, &n->stopper);
    node_pump(n);
    return WEFT_OK;
}

weft_err weft_node_open(weft_node **out, const weft_node_params *params)
{
    weft_node_params p = params == NULL ? WEFT_NODE_PARAMS : *params;
    struct wf_mem mem;
    weft_node *n = NULL;
    weft_err err = wf_crypto_init();

    if (err != WEFT_OK)
        return err;
    if (p.size < sizeof p || p.work_algorithm > WEFT_WORK_PROGRAM ||
        p.congestion > WEFT_CONGESTION_BBR || p.work_ceiling > WF_EFFORT_LOG2_MAX)
        return WEFT_ERR_USAGE;
    wf_mem_system(&mem, p.memory_max == 0 ? NODE_MEMORY_MAX : (size_t)p.memory_max);
    n = wf_alloc(&mem, sizeof *n);
    if (n == NULL)
        return WEFT_ERR_NOMEM;
    n->mem = mem;
    n->anonymous = p.anonymous;
    n->show_own_key = p.show_own_key;
    n->message_max = p.message_max == 0 ? NODE_MESSAGE_MAX : p.message_max;
    n->next_handle = 1;
    n->work_time_us = (uint64_t)(p.work_ms == 0 ? NODE_WORK_MS : p.work_ms) * 1000;
    err = open_parts(n, &p);
    if (err != WEFT_OK) {
        weft_node_close(n);
        return err;
    }
    *out = n;
    return WEFT_OK;
}

/* A goodbye to every peer; whoever misses it finds out by himself. */
static void say_goodbye(weft_node *n)
{
    weft_time until = wf_clock_now() + CLOSE_US;

    wf_core_shut(n->core, wf_clock_now());
    node_pump(n);
    while (n->out_count > 0 && wf_clock_now() < until) {
        if (wf_loop_run_once(n->loop, 1000) != WEFT_OK)
            break;
        node_pump(n);
    }
}

static void free_owned(weft_node *n)
{
    struct wf_link *l = NULL;

    for (l = n->sendings.first; l != NULL; l = l->next) {
        struct sending *s = WF_CONTAINER_OF(l, struct sending, link);

        sending_close(s);
        sending_kill(s);
    }
    for (l = n->exchanges.first; l != NULL; l = l->next)
        exchange_end(WF_CONTAINER_OF(l, struct weft_exchange, link), WEFT_ERR_CLOSED);
    for (l = n->exchanges.first; l != NULL; l = l->next) {
        struct weft_exchange *x = WF_CONTAINER_OF(l, struct weft_exchange, link);

        x->is_listed = false;
        exchange_kill(x);
    }
    while (n->taken_exchanges.first != NULL)
        wf_list_push_back(&n->dead_exchanges, wf_list_pop_front(&n->taken_exchanges));
    node_sweep(n);
}

void weft_node_close(weft_node *n)
{
    struct wf_mem mem;

    if (n == NULL)
        return;
    WEFT_ASSERT(n->busy == 0);
    n->busy++;
    n->closing = true;
    if (n->udp != NULL && n->core != NULL && n->trains != NULL)
        say_goodbye(n);
    free_owned(n);
    node_files_free(n);
    node_pins_free(n);
    node_work_free(n);
    wf_resolver_free(n->resolver);
    if (n->stopper.loop != NULL)
        wf_loop_remove_waker(n->loop, &n->stopper);
    node_close_io(n);
    wf_core_free(n->core);
    wf_rest_file_close(n->rest_file);
    wf_loop_free(n->loop);
    wf_free(&n->mem, n->rules, n->rule_cap * sizeof *n->rules);
    wf_free(&n->mem, n->events, NODE_EVENTS_MAX * sizeof *n->events);
    if (n->keylog != NULL)
        (void)fclose(n->keylog);
    mem = n->mem; /* the account that pays for the node itself */
    wf_free(&mem, n, sizeof *n);
}

weft_key weft_node_key(const weft_node *n)
{
    return n->key;
}

weft_err weft_node_key_for(weft_key *out, const weft_node *n, const weft_key *server)
{
    weft_key none = {{0}};

    if (!n->anonymous && !n->show_own_key)
        return wf_core_key_for(n->core, out->bytes, server->bytes);
    *out = n->anonymous ? none : n->key;
    return WEFT_OK;
}

weft_err weft_node_address(const weft_node *n, char *out, size_t cap)
{
    struct wf_addr local = wf_udp_local(n->udp);
    char text[WF_ADDR_TEXT_MAX];
    size_t len = wf_addr_format(text, &local);

    if (len + 1 > cap)
        return WEFT_ERR_LIMIT;
    memcpy(out, text, len + 1);
    return WEFT_OK;
}

void weft_node_stop(weft_node *n)
{
    atomic_store(&n->stopped, true);
    wf_waker_wake(&n->stopper);
}

int weft_node_fd(const weft_node *n)
{
    return wf_loop_fd(n->loop);
}

weft_err weft_node_run(weft_node *n)
{
    static const int numbers[] = {SIGTERM, SIGINT, 0};
    weft_err err = WEFT_OK;

    if (n->busy > 0)
        return WEFT_ERR_USAGE;
    n->signals = (struct wf_signals){.fn = on_signal, .ctx = n};
    err = wf_signals_open(&n->signals, n->loop, numbers);
    if (err != WEFT_OK)
        return err;
    n->busy++;
    n->running = true;
    if (!atomic_load(&n->stopped))
        err = wf_loop_run(n->loop);
    n->running = false;
    n->busy--;
    atomic_store(&n->stopped, false);
    wf_signals_close(&n->signals);
    return err;
}

weft_err weft_node_poll(weft_node *n, int timeout_ms)
{
    uint64_t wait = timeout_ms < 0 ? WEFT_TIME_NEVER : (uint64_t)timeout_ms * 1000;
    weft_err err = WEFT_OK;

    if (n->busy > 0)
        return WEFT_ERR_USAGE; /* from a function that the node called */
    n->busy++;
    err = wf_loop_run_once(n->loop, n->event_count > 0 ? 0 : wait);
    n->busy--;
    return err;
}

bool weft_node_is_idle(const weft_node *n)
{
    size_t over = n->dead_sendings.count + n->taken.count + n->dead_exchanges.count +
                  n->taken_exchanges.count;

    return n->sendings.count + n->exchanges.count == over;
}
