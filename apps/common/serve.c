/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve.c - files received and offered, echo, and who may use them.
 */
#include "common/serve.h"

#include <string.h>

static void print_json(const struct app *a, const char *verb, const weft_file_result *r)
{
    char key[WEFT_KEY_TEXT_MAX];
    char digest[65];

    (void)a;
    weft_key_text(key, &r->peer);
    app_digest_text(digest, r->digest);
    (void)printf("{\"event\":\"%s\",\"ok\":%s,\"name\":", verb,
                 r->err == WEFT_OK ? "true" : "false");
    app_json_string(stdout, r->name);
    (void)printf(
        ",\"size\":%llu,\"moved\":%llu,\"resumed_at\":%llu,\"peer\":\"%s\",\"took_us\":%llu,"
        "\"first_reply_us\":%llu,\"first_packets\":%llu,\"handshake_us\":%llu,\"resent\":%llu",
        (unsigned long long)r->size, (unsigned long long)r->moved,
        (unsigned long long)r->resumed_at, key, (unsigned long long)r->took_us,
        (unsigned long long)r->first_reply_us, (unsigned long long)r->first_packets,
        (unsigned long long)r->handshake_us, (unsigned long long)r->resent);
    if (r->err == WEFT_OK)
        (void)printf(",\"sha256\":\"%s\"}\n", digest);
    else
        (void)printf(",\"error\":\"%s\"}\n", weft_strerror(r->err));
    (void)fflush(stdout);
}

void app_print_file(const struct app *a, const char *verb, const weft_file_result *r)
{
    char digest[65];

    if (a->json) {
        print_json(a, verb, r);
        return;
    }
    if (r->err != WEFT_OK) {
        (void)app_fail_err(a, r->err, "%s: not %s", r->name, verb);
        return;
    }
    app_digest_text(digest, r->digest);
    (void)printf("%s %s: %s in %.2f s", verb, r->name, app_size_text(r->size),
                 (double)r->took_us / 1e6);
    if (r->took_us > 0)
        (void)printf(" (%s/s)",
                     app_size_text((uint64_t)((double)r->moved * 1e6 / (double)r->took_us)));
    if (r->resumed_at > 0)
        (void)printf(", resumed at %s", app_size_text(r->resumed_at));
    (void)printf(", sha256 %s\n", digest);
    (void)fflush(stdout);
}

static void on_received(const weft_file_result *r, void *user)
{
    struct app_serve *s = user;

    app_bar_clear(&s->bar);
    app_print_file(s->app, "received", r);
    app_bar_init(&s->bar, s->app);
}

static void on_progress(const char *name, uint64_t done, uint64_t size, void *user)
{
    struct app_serve *s = user;

    app_bar_show(&s->bar, name, done, size);
}

static void on_echo(weft_exchange *x, const weft_message *m, void *user)
{
    (void)user;
    (void)weft_reply(x, m->body, m->len);
}

static int start_folder(struct app_serve *s, weft_node *node)
{
    weft_file_params p = WEFT_FILE_PARAMS;
    weft_err err = WEFT_OK;

    p.on_done = on_received;
    p.on_progress = on_progress;
    p.user = s;
    err = weft_file_receive(node, s->folder, &p);
    return err == WEFT_OK ? 0
                          : app_fail_err(s->app, err, "cannot receive files into %s", s->folder);
}

void app_serve_add_group(struct app_serve *s, const char *path)
{
    if (s->group_count < APP_LIST_MAX)
        s->groups[s->group_count++] = path;
    else
        (void)app_fail(s->app, "at most %d groups can be answered; %s is left out.", APP_LIST_MAX,
                       path);
}

int app_serve_statement(struct app_serve *s, weft_node_params *p)
{
    if (s->statement == NULL)
        return 0;
    p->statement = &s->loaded;
    return app_statement_load(s->app, s->statement, &s->loaded);
}

static int give_group(const struct app_serve *s, weft_node *node, const char *path)
{
    weft_group *group = NULL;
    weft_err err = WEFT_OK;

    if (app_group_load(s->app, path, &group) != 0)
        return 1;
    err = weft_node_group(node, group);
    weft_group_free(group);
    if (err == WEFT_ERR_EXISTS)
        return app_fail(s->app, "the group of %s was given twice.", path);
    return err == WEFT_OK ? 0 : app_fail_err(s->app, err, "cannot answer the group of %s", path);
}

static int start_groups(const struct app_serve *s, weft_node *node)
{
    weft_err err = WEFT_OK;

    if (s->app->invitation_path != NULL || s->app->first_data)
        return app_fail(s->app, "an invitation is for calling; who listens gives --group FILE.");
    if (s->only_groups && s->group_count == 0)
        return app_fail(s->app, "to answer only groups give at least one with --group FILE.");
    for (size_t i = 0; i < s->group_count; i++) {
        if (give_group(s, node, s->groups[i]) != 0)
            return 1;
    }
    if (s->only_groups)
        err = weft_node_only_groups(node);
    return err == WEFT_OK ? 0 : app_fail_err(s->app, err, "cannot answer only groups");
}

int app_serve_start(struct app_serve *s, weft_node *node)
{
    weft_err err = WEFT_OK;
    size_t rules = 0;

    app_bar_init(&s->bar, s->app);
    if (start_groups(s, node) != 0)
        return 1;
    if (s->folder != NULL && start_folder(s, node) != 0)
        return 1;
    for (size_t i = 0; i < s->offer_count; i++) {
        err = weft_file_offer(node, s->offers[i]);
        if (err != WEFT_OK)
            return app_fail_err(s->app, err, "cannot offer %s", s->offers[i]);
    }
    if (s->echo)
        err = weft_node_serve(node, "echo", on_echo, s);
    if (err != WEFT_OK)
        return app_fail_err(s->app, err, "cannot serve echo");
    if (app_rules_load(s->app, node, &rules) != 0)
        return 1;
    for (size_t i = 0; i < s->rule_count; i++) {
        if (app_rule_give(s->app, node, s->rules[i].who, s->rules[i].service) != 0)
            return 1;
    }
    if (rules + s->rule_count == 0 && !s->app->quiet)
        (void)fprintf(
            stderr,
            "%s: nobody is allowed anything yet; let somebody in with `weft allow KEY SERVICE`\n",
            s->app->program);
    return 0;
}

void app_serve_announce(const struct app_serve *s, const weft_node *node)
{
    char peer[APP_PEER_MAX];
    char bound[64];
    const char *at = NULL;

    app_peer_text(node, peer);
    at = strchr(peer, '@');
    if (weft_node_address(node, bound, sizeof bound) != WEFT_OK)
        bound[0] = '\0';
    if (s->app->json)
        (void)printf(
            "{\"event\":\"listening\",\"key\":\"%.*s\",\"address\":\"%s\",\"peer\":\"%s\"}\n",
            (int)(at - peer), peer, bound, peer);
    else
        (void)printf("listening as %s\n", peer);
    (void)fflush(stdout);
}
