/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - the daemon `weftd`: a node that receives files, offers files and echoes, as its
 * configuration says.
 */
#include <string.h>

#include "config.h"

static const char help[] =
    "weftd - the weft daemon\n"
    "\n"
    "usage: weftd [--config FILE] [OPTION…]\n"
    "\n"
    "  -c, --config FILE         configuration (lines \"name = value\"; see weftd.conf); options "
    "win over it\n"
    "      --check-config        say whether the configuration is good, and end\n"
    "  -k, --key FILE            key file (default: ~/.config/weft/key; made if missing)\n"
    "      --passphrase-file F   passphrase of the key\n"
    "  -l, --listen ADDR:PORT    where to listen (default [::]:4870); port 0 takes a free one, "
    "which is printed\n"
    "      --rules FILE          rules of `weft allow` (default: beside this user's key)\n"
    "  -g, --group FILE          answer members of this group, too (see weft group --help)\n"
    "      --only-groups         answer nobody else\n"
    "      --stats-json FILE     counters, rewritten every second and at the end\n"
    "      --keylog FILE         session secrets for packet decoders\n"
    "      --congestion NAME     who says how fast to send: cubic or bbr (cubic)\n"
    "  -j, --json                one JSON object an event\n"
    "  -q, --quiet               no remarks\n"
    "      --version             version\n"
    "\n"
    "It ends cleanly on SIGTERM and SIGINT.\n";

struct options {
    const char *config;
    struct config *c;
    bool check, version;
};

static void set_config(void *ctx, const char *v)
{
    ((struct options *)ctx)->config = v;
}

static void set_check(void *ctx, const char *v)
{
    (void)v;
    ((struct options *)ctx)->check = true;
}

static void set_version(void *ctx, const char *v)
{
    (void)v;
    ((struct options *)ctx)->version = true;
}

static void add_group(void *ctx, const char *v)
{
    app_serve_add_group(&((struct options *)ctx)->c->serve, v);
}

static void set_only_groups(void *ctx, const char *v)
{
    (void)v;
    ((struct options *)ctx)->c->serve.only_groups = true;
}

static const struct app_option table[] = {
    {"config", 'c', true, set_config},          {"group", 'g', true, add_group},
    {"only-groups", 0, false, set_only_groups}, {"check-config", 0, false, set_check},
    {"version", 0, false, set_version},         {NULL, 0, false, NULL},
};

static int serve(struct config *c)
{
    weft_node *node = NULL;
    bool never = false;
    int status = 0;

    c->node.listen = "[::]:4870";
    c->node.serve = true;
    if (app_serve_statement(&c->serve, &c->node) != 0 ||
        app_open_node(c->app, &c->node, &node) != 0)
        return 1;
    status = app_serve_start(&c->serve, node);
    if (status == 0) {
        app_serve_announce(&c->serve, node);
        status = app_run(c->app, node, &never);
    }
    app_bar_clear(&c->serve.bar);
    weft_node_close(node);
    return status == 130 ? 0 : status;
}

int main(int argc, char **argv)
{
    static struct app a = {.program = "weftd"};
    static struct config c;
    struct options o = {.c = &c};
    int count = argc - 1;
    int status = 0;

    c.serve.app = &a;
    status = app_parse(&a, table, &o, argv + 1, &count);

    if (status == 2 || o.version) {
        (void)(o.version ? printf("weftd %s\n", weft_version()) : fputs(help, stdout));
        return 0;
    }
    if (status != 0)
        return 1;
    if (count != 0)
        return app_fail(&a, "\"%.40s\" is no option. See --help.", argv[1]);
    app_harden();
    c.app = &a;
    c.serve.echo = true;
    c.node = WEFT_NODE_PARAMS;
    status = config_read(&c, o.config);
    if (status == 0 && o.check)
        (void)printf("the configuration is good\n");
    else if (status == 0)
        status = serve(&c);
    config_free(&c);
    return status;
}
