/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_statement.c - `weft statement`: what the owner of a server's name says about the server's
 * key. Made where the owner's key is, which is not where the server is.
 */
#include <string.h>
#include <time.h>

#include "weft.h"

#define DAY_S 86400u
#define DAYS_DEFAULT 90u
#define DAYS_MAX 36500u

struct statement_options {
    const char *owner, *name, *version, *server, *days;
};

static void set_owner(void *ctx, const char *v)
{
    ((struct statement_options *)ctx)->owner = v;
}

static void set_name(void *ctx, const char *v)
{
    ((struct statement_options *)ctx)->name = v;
}

static void set_version(void *ctx, const char *v)
{
    ((struct statement_options *)ctx)->version = v;
}

static void set_server(void *ctx, const char *v)
{
    ((struct statement_options *)ctx)->server = v;
}

static void set_days(void *ctx, const char *v)
{
    ((struct statement_options *)ctx)->days = v;
}

static const struct app_option table[] = {
    {"owner", 'o', true, set_owner},     {"name", 'n', true, set_name},
    {"version", 'v', true, set_version}, {"server", 's', true, set_server},
    {"days", 'd', true, set_days},       {NULL, 0, false, NULL},
};

static const struct usage usage = {
    "usage: weft statement make --owner FILE --name NAME --version N --server KEY [--days D]\n"
    "       weft statement show FILE\n"
    "\n"
    "make prints what the owner of NAME says: from now on, for D days (90), the server of that "
    "name has this key. Put it into\n"
    "a file and give that to the server (`weft listen --statement FILE`, or `statement = FILE` of "
    "weftd). show tells what\n"
    "stands in such a file, and whether it is signed.\n"
    "  -o, --owner FILE          the owner's key file\n"
    "  -n, --name NAME           the server's name, for `weft pin`\n"
    "  -v, --version N           higher than in every statement before\n"
    "  -s, --server KEY          the server's key (weft1…)\n"
    "  -d, --days D              how long it counts\n",
    1, 2, table};

/* 0 or 1. */
static int read_options(struct app *a, const struct statement_options *o, weft_statement *s)
{
    uint64_t days = DAYS_DEFAULT;
    bool bad = false;

    if (o->owner == NULL || o->name == NULL || o->version == NULL || o->server == NULL)
        return app_fail(a, "make needs --owner, --name, --version and --server.");
    if (strlen(o->name) <= WEFT_NAME_MAX)
        memcpy(s->name, o->name, strlen(o->name) + 1);
    if (weft_key_parse(&s->key, o->server) != WEFT_OK)
        return app_fail(a, "\"%.80s\" is no key (weft1…): a character may be mistyped.", o->server);
    s->version = cmd_number(a, o->version, UINT64_MAX, &bad);
    if (o->days != NULL)
        days = cmd_number(a, o->days, DAYS_MAX, &bad);
    s->not_before_s = (uint64_t)time(NULL);
    s->not_after_s = s->not_before_s + days * DAY_S;
    return bad;
}

static int make(struct app *a, const struct statement_options *o)
{
    weft_statement s = WEFT_STATEMENT;
    weft_identity *owner = NULL;
    char text[WEFT_STATEMENT_TEXT_MAX];
    weft_err err = WEFT_OK;

    if (read_options(a, o, &s) != 0)
        return 1;
    a->key_path = o->owner;
    if (app_load_identity(a, false, &owner) != 0)
        return 1;
    err = weft_statement_sign(&s, owner);
    weft_identity_free(owner);
    if (err != WEFT_OK)
        return app_fail(a,
                        "a name has 1 to %d characters, no blanks, # and @, and versions begin "
                        "with 1.",
                        WEFT_NAME_MAX);
    err = weft_statement_text(text, &s);
    if (err != WEFT_OK)
        return app_fail_err(a, err, "cannot write the statement");
    (void)fputs(text, stdout);
    return 0;
}

static void print_time(const char *what, uint64_t seconds)
{
    char text[64];
    struct tm tm;
    time_t t = (time_t)seconds;

    if (seconds > INT32_MAX || gmtime_r(&t, &tm) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
        (void)snprintf(text, sizeof text, "%llu s after 1970", (unsigned long long)seconds);
    (void)printf("%s %s\n", what, text);
}

static void print_statement(const struct app *a, const weft_statement *s)
{
    char owner[WEFT_KEY_TEXT_MAX];
    char key[WEFT_KEY_TEXT_MAX];

    weft_key_text(owner, &s->owner);
    weft_key_text(key, &s->key);
    if (a->json) {
        (void)fputs("{\"name\":", stdout);
        app_json_string(stdout, s->name);
        (void)printf(",\"version\":%llu,\"owner\":\"%s\",\"key\":\"%s\",\"not_before\":%llu,"
                     "\"not_after\":%llu}\n",
                     (unsigned long long)s->version, owner, key,
                     (unsigned long long)s->not_before_s, (unsigned long long)s->not_after_s);
        return;
    }
    (void)printf("%s has the key %s\nsays its owner %s\nin version %llu, signed\n", s->name, key,
                 owner, (unsigned long long)s->version);
    print_time("from ", s->not_before_s);
    print_time("until", s->not_after_s);
}

int cmd_statement(struct app *a, int argc, char **argv)
{
    struct statement_options o = {.owner = NULL};
    weft_statement s;
    int status = cmd_options(a, &usage, &o, argv, &argc);

    if (status >= 0)
        return status;
    if (strcmp(argv[0], "make") == 0 && argc == 1)
        return make(a, &o);
    if (strcmp(argv[0], "show") != 0 || argc != 2)
        return app_fail(a, "there is no \"statement %.40s\" so. See weft statement --help.",
                        argv[0]);
    status = app_statement_load(a, argv[1], &s);
    if (status == 0)
        print_statement(a, &s);
    return status;
}
