/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_listen.c - `weft listen`: files into a folder, files on offer, until it is ended.
 */
#include "common/serve.h"
#include "weft.h"

static void set_dir(void *ctx, const char *v)
{
    ((struct app_serve *)ctx)->folder = v;
}

static void add_offer(void *ctx, const char *v)
{
    struct app_serve *s = ctx;

    if (s->offer_count < APP_LIST_MAX)
        s->offers[s->offer_count++] = v;
    else
        (void)app_fail(s->app, "at most %d files can be offered; %s is left out.", APP_LIST_MAX, v);
}

static void add_rule(void *ctx, const char *v)
{
    struct app_serve *s = ctx;

    if (s->rule_count < APP_LIST_MAX)
        s->rules[s->rule_count++] = (struct app_rule){.who = v, .service = "*"};
    else
        (void)app_fail(s->app, "at most %d times --allow; use `weft allow` for more.",
                       APP_LIST_MAX);
}

static void set_statement(void *ctx, const char *v)
{
    ((struct app_serve *)ctx)->statement = v;
}

static void set_effort(void *ctx, const char *v)
{
    ((struct app_serve *)ctx)->work_effort = v;
}

static void set_algorithm(void *ctx, const char *v)
{
    ((struct app_serve *)ctx)->work_algorithm = v;
}

static void add_group(void *ctx, const char *v)
{
    app_serve_add_group(ctx, v);
}

static void set_only_groups(void *ctx, const char *v)
{
    (void)v;
    ((struct app_serve *)ctx)->only_groups = true;
}

static const struct app_option table[] = {
    {"statement", 's', true, set_statement},
    {"dir", 'd', true, set_dir},
    {"offer", 'o', true, add_offer},
    {"allow", 'a', true, add_rule},
    {"work-effort", 0, true, set_effort},
    {"work-algorithm", 0, true, set_algorithm},
    {"group", 'g', true, add_group},
    {"only-groups", 0, false, set_only_groups},
    {NULL, 0, false, NULL},
};

static const struct usage usage = {
    "usage: weft listen [--dir D] [--offer PATH…] [--allow KEY|any] [--listen ADDR:PORT]\n"
    "                   [--statement FILE]\n"
    "\n"
    "Receives files into the folder D, offers the files given with --offer (once for each), and "
    "answers echo. Only those may\n"
    "use it whom `weft allow` or --allow (for this run; every service) lets in. Prints the peer "
    "text to hand out.\n"
    "  -d, --dir D               folder for what comes in; made if need be\n"
    "  -o, --offer PATH          a file to offer\n"
    "  -a, --allow KEY|any       may use everything here, this time\n"
    "  -s, --statement FILE      what the owner says about our key, for clients that expect "
    "another\n"
    "      --work-effort N       tries of work asked of strangers (0)\n"
    "      --work-algorithm 1|2  1: a hash, 2: random programs (1)\n"
    "  -g, --group FILE          answer members of this group (see weft group), too\n"
    "      --only-groups         answer nobody else\n"
    "Without --listen it listens on every address at port 4870.\n",
    0, 0, table};

static int read_work(const struct app_serve *s, weft_node_params *p)
{
    bool bad = false;

    if (s->work_effort != NULL)
        p->work_effort = (uint32_t)cmd_number(s->app, s->work_effort, 1u << 30, &bad);
    if (s->work_algorithm != NULL)
        p->work_algorithm =
            (uint32_t)cmd_number(s->app, s->work_algorithm, WEFT_WORK_PROGRAM, &bad);
    return bad ? 1 : 0;
}

int cmd_listen(struct app *a, int argc, char **argv)
{
    static struct app_serve s = {.echo = true};
    weft_node_params p = WEFT_NODE_PARAMS;
    weft_node *node = NULL;
    bool never = false;
    int status = 0;

    s.app = a;
    status = cmd_options(a, &usage, &s, argv, &argc);
    if (status >= 0)
        return status;
    if (s.folder == NULL && s.offer_count == 0)
        return app_fail(a, "give a folder with --dir D, a file with --offer PATH, or both.");
    p.listen = "[::]:4870";
    p.serve = true;
    if (read_work(&s, &p) != 0 || app_serve_statement(&s, &p) != 0)
        return 1;
    if (app_open_node(a, &p, &node) != 0)
        return 1;
    status = app_serve_start(&s, node);
    if (status == 0) {
        app_serve_announce(&s, node);
        status = app_run(a, node, &never);
    }
    app_bar_clear(&s.bar);
    weft_node_close(node);
    return status == 130 ? 0 : status; /* ending it is how it is ended */
}
