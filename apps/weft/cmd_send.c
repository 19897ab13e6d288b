/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_send.c - `weft send` and `weft get`: files one after the other.
 */
#include <string.h>

#include "common/serve.h"
#include "weft.h"

struct transfer {
    struct app *app;
    struct app_bar bar;
    const char *verb;
    bool done;
    bool failed;
    bool interrupted; /* said already; what the end of the node brings is no news */
    size_t listed;
    weft_priority priority;
};

static void on_done(const weft_file_result *r, void *user)
{
    struct transfer *t = user;

    app_bar_clear(&t->bar);
    if (!t->interrupted || t->app->json)
        app_print_file(t->app, t->verb, r);
    t->failed = t->failed || r->err != WEFT_OK;
    t->done = true;
}

static void on_progress(const char *name, uint64_t done, uint64_t size, void *user)
{
    struct transfer *t = user;

    app_bar_show(&t->bar, name, done, size);
}

static void say_interrupted(struct transfer *t, const char *where)
{
    t->interrupted = true;
    app_bar_clear(&t->bar);
    (void)app_fail(
        t->app, "interrupted; what arrived is kept %s, and the next time goes on with it.", where);
}

static weft_file_params params_of(struct transfer *t)
{
    weft_file_params p = WEFT_FILE_PARAMS;

    p.on_done = on_done;
    p.on_progress = on_progress;
    p.user = t;
    p.priority = t->priority;
    app_bar_init(&t->bar, t->app);
    t->done = false;
    return p;
}

static void set_priority(void *ctx, const char *v)
{
    *(const char **)ctx = v;
}

static const struct app_option send_table[] = {
    {"priority", 'p', true, set_priority},
    {NULL, 0, false, NULL},
};

static const struct usage send_usage = {
    "usage: weft send [--priority P] FILE… TO\n"
    "\n"
    "Sends files to a peer (weft1…@host:port) that runs `weft listen --dir` or `weftd`. A transfer "
    "that broke off goes on where it\n"
    "ended when the command is repeated. With --json one object a file.\n"
    "  -p, --priority P          normal, urgent, or background, which leaves the line to others\n",
    2, -1, send_table};

/* NULL is normal. False: told. */
static bool priority_of(struct transfer *t, const char *text)
{
    static const char *const names[] = {
        [WEFT_NORMAL] = "normal", [WEFT_URGENT] = "urgent", [WEFT_BACKGROUND] = "background"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (text == NULL || strcmp(text, names[i]) == 0) {
            t->priority = (weft_priority)i;
            return true;
        }
    }
    (void)app_fail(t->app, "\"%.40s\" is no priority; there are normal, urgent and background.",
                   text);
    return false;
}

/* 0, 1 or 130. */
static int send_one(struct transfer *t, weft_node *node, const char *to, const char *path)
{
    weft_file_params p = params_of(t);
    weft_err err = weft_file_send(node, to, path, &p);

    if (err == WEFT_ERR_USAGE) {
        t->failed = true;
        (void)app_fail(
            t->app, "cannot send %s: only regular files with a name of plain text are sent.", path);
        return 0;
    }
    if (err != WEFT_OK) {
        t->failed = true;
        (void)app_fail_err(t->app, err, "cannot send %s to %.100s", path, to);
        return 0;
    }
    return app_run(t->app, node, &t->done);
}

int cmd_send(struct app *a, int argc, char **argv)
{
    struct transfer t = {.app = a, .verb = "sent"};
    weft_node_params p = WEFT_NODE_PARAMS;
    weft_node *node = NULL;
    const char *to = NULL;
    const char *priority = NULL;
    int status = cmd_options(a, &send_usage, &priority, argv, &argc);

    if (status >= 0)
        return status;
    if (!priority_of(&t, priority))
        return 1;
    to = argv[argc - 1];
    if (app_open_to(a, &p, &to, &node) != 0)
        return 1;
    status = 0;
    for (int i = 0; i + 1 < argc && status == 0; i++)
        status = send_one(&t, node, to, argv[i]);
    app_bar_clear(&t.bar);
    if (status == 130)
        say_interrupted(&t, "there");
    app_write_stats(a, node);
    weft_node_close(node);
    return status != 0 ? status : (int)t.failed;
}

static void set_dir(void *ctx, const char *v)
{
    *(const char **)ctx = v;
}

static const struct app_option get_table[] = {
    {"dir", 'd', true, set_dir},
    {NULL, 0, false, NULL},
};

static const struct usage get_usage = {
    "usage: weft get PEER [NAME] [--dir D]\n"
    "\n"
    "Fetches a file that a peer offers into the present folder, or D. Without NAME it lists what "
    "is offered.\n"
    "A transfer that broke off is kept aside and goes on when the command is repeated.\n"
    "  -d, --dir D               where to put it\n",
    1, 2, get_table};

static void on_listed(weft_err err, const char *name, uint64_t size, void *user)
{
    struct transfer *t = user;

    if (name == NULL) {
        t->failed = err != WEFT_OK;
        t->done = true;
        if (err != WEFT_OK)
            (void)app_fail_err(t->app, err, "cannot list");
        else if (t->listed == 0 && !t->app->json)
            (void)fprintf(stderr, "%s: nothing is offered there\n", t->app->program);
        return;
    }
    t->listed++;
    if (t->app->json) {
        (void)fputs("{\"name\":", stdout);
        app_json_string(stdout, name);
        (void)printf(",\"size\":%llu}\n", (unsigned long long)size);
    } else {
        (void)printf("%s\t%s\n", name, app_size_text(size));
    }
}

int cmd_get(struct app *a, int argc, char **argv)
{
    struct transfer t = {.app = a, .verb = "fetched"};
    weft_node_params np = WEFT_NODE_PARAMS;
    weft_file_params p;
    weft_node *node = NULL;
    const char *to = NULL;
    const char *dir = ".";
    weft_err err = WEFT_OK;
    int status = cmd_options(a, &get_usage, &dir, argv, &argc);

    if (status >= 0)
        return status;
    to = argv[0];
    if (app_open_to(a, &np, &to, &node) != 0)
        return 1;
    p = params_of(&t);
    err = argc == 1 ? weft_file_list(node, to, on_listed, &t)
                    : weft_file_fetch(node, to, argv[1], dir, &p);
    if (err != WEFT_OK)
        status = app_fail_err(a, err, "cannot fetch %s from %.100s",
                              argc == 1 ? "the list" : argv[1], to);
    else
        status = app_run(a, node, &t.done);
    if (status == 130)
        say_interrupted(&t, "aside");
    app_bar_clear(&t.bar);
    app_write_stats(a, node);
    weft_node_close(node);
    return status != 0 ? status : (int)t.failed;
}
