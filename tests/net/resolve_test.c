/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve_test.c - host names, with a resolver of the test's own that answers when it is told to.
 * No network.
 */
#include "net/resolve.h"

#include <pthread.h>

#include "base/bytes.h"
#include "test.h"

/* Look-ups wait here for the gate. Names decide the answer. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static bool gate_is_open;
static size_t inside;
static size_t inside_max;
static size_t left_count;

static weft_err look_up(struct wf_resolved *out, const char *host, uint16_t port)
{
    (void)pthread_mutex_lock(&lock);
    inside++;
    inside_max = inside > inside_max ? inside : inside_max;
    (void)pthread_cond_broadcast(&change);
    while (!gate_is_open) {
        (void)pthread_cond_wait(&change, &lock);
    }
    inside--;
    left_count++;
    (void)pthread_cond_broadcast(&change);
    (void)pthread_mutex_unlock(&lock);
    if (strcmp(host, "none.example") == 0)
        return WEFT_ERR_NOT_FOUND;
    out->count = 1;
    out->addrs[0] = wf_addr_v4(10, 0, 0, (uint8_t)host[0], port);
    return WEFT_OK;
}

static void set_gate(bool is_open)
{
    (void)pthread_mutex_lock(&lock);
    gate_is_open = is_open;
    (void)pthread_cond_broadcast(&change);
    (void)pthread_mutex_unlock(&lock);
}

/* Until so many look-ups wait inside, or so many have left. */
static void wait_for(const size_t *what, size_t count)
{
    (void)pthread_mutex_lock(&lock);
    while (*what < count) {
        (void)pthread_cond_wait(&change, &lock);
    }
    (void)pthread_mutex_unlock(&lock);
}

struct answer {
    size_t count;
    weft_err err;
    struct wf_addr addr;
    struct wf_resolver **free_it;
};

static struct wf_loop *loop;
static struct wf_resolver *resolver;

static void on_answer(void *ctx, weft_err err, const struct wf_resolved *found)
{
    struct answer *a = ctx;

    a->count++;
    a->err = err;
    CHECK_EQ(found == NULL, err != WEFT_OK);
    if (found != NULL) {
        a->addr = found->addrs[0];
    }
    if (a->free_it != NULL) {
        wf_resolver_free(*a->free_it);
        *a->free_it = NULL;
    }
}

static void start(bool gate)
{
    inside = inside_max = left_count = 0;
    set_gate(gate);
    CHECK_OK(wf_loop_new(&loop, test_mem()));
    CHECK_OK(wf_resolver_new(&resolver, loop, look_up));
}

static void stop(void)
{
    set_gate(true);
    wf_resolver_free(resolver);
    resolver = NULL;
    wf_loop_free(loop);
}

static weft_err ask(const char *host, struct answer *a, uint64_t *id)
{
    char *copy = (char *)test_copy(host, strlen(host) + 1);
    struct wf_resolve_want want = {.host = copy, .port = 7, .fn = on_answer, .ctx = a};
    weft_err err = wf_resolver_start(resolver, &want, id);
    free(copy);
    return err;
}

static void run_until(const struct answer *a)
{
    while (a->count == 0)
        CHECK_OK(wf_loop_run_once(loop, WEFT_TIME_NEVER));
}

TEST(an_answer_arrives_in_the_loop)
{
    struct answer a = {0};
    uint64_t id = 0;

    start(true);
    CHECK_OK(ask("a.example", &a, &id));
    CHECK(id != 0);
    CHECK_EQ(a.count, 0);
    run_until(&a);
    CHECK_OK(a.err);
    struct wf_addr want = wf_addr_v4(10, 0, 0, 'a', 7);
    CHECK(wf_addr_equal(&a.addr, &want));
    wf_resolver_cancel(resolver, id); /* too late: harmless */
    stop();
    CHECK_EQ(a.count, 1);
}

TEST(a_name_that_is_not_there_is_an_error)
{
    struct answer a = {0};
    uint64_t id = 0;

    start(true);
    CHECK_OK(ask("none.example", &a, &id));
    run_until(&a);
    CHECK_EQ(a.err, WEFT_ERR_NOT_FOUND);
    stop();
}

TEST(many_names_take_few_threads_and_each_is_answered_once)
{
    enum { NAMES = 40 };
    struct answer answers[NAMES] = {0};
    uint64_t last = 0;

    start(false);
    for (size_t i = 0; i < NAMES; i++) {
        char host[] = "?.example";
        uint64_t id = 0;
        host[0] = (char)('A' + i);
        CHECK_OK(ask(host, &answers[i], &id));
        CHECK(id != last);
        last = id;
    }
    wait_for(&inside, WF_RESOLVE_THREADS_MAX);
    set_gate(true);
    for (size_t i = 0; i < NAMES; i++)
        run_until(&answers[i]);
    CHECK_EQ(inside_max, WF_RESOLVE_THREADS_MAX);
    for (size_t i = 0; i < NAMES; i++) {
        CHECK_EQ(answers[i].count, 1);
        CHECK_EQ(answers[i].addr.ip[3], 'A' + i);
    }
    stop();
}

TEST(a_cancelled_look_up_is_never_answered_in_any_stage)
{
    struct answer running = {0};
    struct answer waiting = {0};
    struct answer kept = {0};
    uint64_t running_id = 0;
    uint64_t waiting_id = 0;
    uint64_t id = 0;

    start(false);
    CHECK_OK(ask("r.example", &running, &running_id));
    for (size_t i = 1; i < WF_RESOLVE_THREADS_MAX; i++)
        CHECK_OK(ask("f.example", &(struct answer){0}, &id));
    wf_resolver_cancel(resolver, id);
    wf_resolver_cancel(resolver, id - 1);
    wf_resolver_cancel(resolver, id - 2);
    wait_for(&inside, WF_RESOLVE_THREADS_MAX);
    CHECK_OK(ask("w.example", &waiting, &waiting_id));
    CHECK_OK(ask("k.example", &kept, &id));
    wf_resolver_cancel(resolver, running_id);
    wf_resolver_cancel(resolver, waiting_id);
    wf_resolver_cancel(resolver, 999);
    set_gate(true);
    run_until(&kept);
    wait_for(&left_count, WF_RESOLVE_THREADS_MAX + 2);
    for (int i = 0; i < 10; i++)
        CHECK_OK(wf_loop_run_once(loop, 0));
    CHECK_EQ(running.count, 0);
    CHECK_EQ(waiting.count, 0);
    stop();
}

TEST(freeing_does_not_wait_for_a_look_up_that_hangs)
{
    struct answer a = {0};
    uint64_t id = 0;

    start(false);
    CHECK_OK(ask("a.example", &a, &id));
    wait_for(&inside, 1);
    wf_resolver_free(resolver); /* would hang here for ever */
    resolver = NULL;
    set_gate(true);
    wait_for(&left_count, 1);
    CHECK_OK(wf_loop_run_once(loop, 0));
    CHECK_EQ(a.count, 0);
    stop();
}

TEST(an_answer_may_free_the_resolver)
{
    struct answer a = {.free_it = &resolver};
    struct answer b = {0};
    uint64_t id = 0;

    start(true);
    CHECK_OK(ask("a.example", &a, &id));
    run_until(&a);
    CHECK(resolver == NULL);
    CHECK_OK(wf_loop_run_once(loop, 0));
    CHECK_EQ(b.count, 0);
    stop();
}

TEST(look_ups_have_a_limit)
{
    static struct answer answers[WF_RESOLVE_PENDING_MAX + 1];
    uint64_t id = 0;

    memset(answers, 0, sizeof answers);
    start(false);
    for (size_t i = 0; i < WF_RESOLVE_PENDING_MAX; i++)
        CHECK_OK(ask("a.example", &answers[i], &id));
    CHECK_EQ(ask("a.example", &answers[WF_RESOLVE_PENDING_MAX], &id), WEFT_ERR_LIMIT);
    set_gate(true);
    run_until(&answers[0]);
    CHECK_OK(ask("b.example", &answers[WF_RESOLVE_PENDING_MAX], &id));
    run_until(&answers[WF_RESOLVE_PENDING_MAX]);
    stop();
}

TEST(what_is_no_host_name_is_refused)
{
    static const char *const bad[] = {"", " ", "a b", "a\n", "\x1b[2J", "caf\xc3\xa9", "a\x7f"};
    struct wf_resolved found = {.count = 99};
    struct answer a = {0};
    uint64_t id = 9;
    char text[WF_RESOLVE_HOST_MAX + 2];

    start(true);
    for (size_t i = 0; i < WF_ARRAY_LEN(bad); i++) {
        test_note("row %zu", i);
        CHECK_EQ(wf_resolve_blocking(&found, bad[i], 1), WEFT_ERR_ADDRESS);
        CHECK_EQ(ask(bad[i], &a, &id), WEFT_ERR_ADDRESS);
    }
    memset(text, 'a', sizeof text);
    text[WF_RESOLVE_HOST_MAX + 1] = '\0';
    CHECK(!wf_resolve_host_ok(text));
    CHECK(wf_resolve_host_ok(text + 1));
    CHECK_EQ(found.count, 99);
    CHECK_EQ(id, 9);
    stop();
}

TEST(numeric_addresses_need_no_resolver)
{
    struct wf_resolved found = {0};
    struct wf_addr v6 = {0};

    CHECK_OK(wf_resolve_blocking(&found, "127.0.0.1", 7));
    struct wf_addr v4 = wf_addr_v4(127, 0, 0, 1, 7);
    CHECK_EQ(found.count, 1);
    CHECK(wf_addr_equal(&found.addrs[0], &v4));
    CHECK_OK(wf_resolve_blocking(&found, "::1", 7));
    CHECK_OK(wf_addr_parse(&v6, wf_span_of("[::1]:7")));
    CHECK(wf_addr_equal(&found.addrs[0], &v6));
}

TEST(the_system_knows_localhost)
{
    struct wf_resolved found = {0};

    CHECK_OK(wf_resolve_blocking(&found, "localhost", 7));
    CHECK(found.count > 0);
    for (size_t i = 0; i < found.count; i++) {
        CHECK_EQ(wf_addr_class(&found.addrs[i]), WF_ADDR_CLASS_LOOPBACK);
        CHECK_EQ(found.addrs[i].port, 7);
    }
}
