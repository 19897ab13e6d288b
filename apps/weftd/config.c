/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.c - reads the daemon's configuration. A table says which names there are; everything else
 * is refused with its line.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* NULL when the value is good, else what is wrong with it. */
typedef const char *(*set_fn)(struct config *c, char *value);

static const char *set_string(const char **to, char *value, bool overridden)
{
    if (!overridden)
        *to = value;
    return NULL;
}

static const char *set_key(struct config *c, char *v)
{
    return set_string(&c->app->key_path, v, c->app->key_path != NULL);
}

static const char *set_listen(struct config *c, char *v)
{
    return set_string(&c->app->listen, v, c->app->listen != NULL);
}

static const char *set_stats(struct config *c, char *v)
{
    return set_string(&c->app->stats_path, v, c->app->stats_path != NULL);
}

static const char *set_keylog(struct config *c, char *v)
{
    return set_string(&c->app->keylog_path, v, c->app->keylog_path != NULL);
}

static const char *set_passphrase(struct config *c, char *v)
{
    return set_string(&c->app->passphrase_path, v, c->app->passphrase_path != NULL);
}

static const char *set_rules(struct config *c, char *v)
{
    return set_string(&c->app->allow_path, v, c->app->allow_path != NULL);
}

static const char *set_receive(struct config *c, char *v)
{
    return set_string(&c->serve.folder, v, c->serve.folder != NULL);
}

static const char *set_statement(struct config *c, char *v)
{
    return set_string(&c->serve.statement, v, c->serve.statement != NULL);
}

static const char *add_offer(struct config *c, char *v)
{
    if (c->serve.offer_count == APP_LIST_MAX)
        return "more than 64 offers";
    c->serve.offers[c->serve.offer_count++] = v;
    return NULL;
}

/* "KEY|any SERVICE" */
static const char *add_allow(struct config *c, char *v)
{
    char *blank = strpbrk(v, " \t");
    weft_key key;

    if (c->serve.rule_count == APP_LIST_MAX)
        return "more than 64 rules; put them into the file of `rules`";
    if (blank == NULL)
        return "expected a key (or any) and a service";
    *blank++ = '\0';
    while (*blank == ' ' || *blank == '\t')
        blank++;
    if (*blank == '\0' || strpbrk(blank, " \t") != NULL || strlen(blank) > 64)
        return "expected a key (or any) and a service";
    if (strcmp(v, "any") != 0 && weft_key_parse(&key, v) != WEFT_OK)
        return "that is no key (weft1…) and not any; a character may be mistyped";
    c->serve.rules[c->serve.rule_count++] = (struct app_rule){.who = v, .service = blank};
    return NULL;
}

static const char *add_group(struct config *c, char *v)
{
    if (c->serve.group_count == APP_LIST_MAX)
        return "more than 64 groups";
    c->serve.groups[c->serve.group_count++] = v;
    return NULL;
}

static const char *set_only_groups(struct config *c, char *v)
{
    if (strcmp(v, "yes") != 0 && strcmp(v, "no") != 0)
        return "expected yes or no";
    c->serve.only_groups = c->serve.only_groups || strcmp(v, "yes") == 0;
    return NULL;
}

static const char *set_echo(struct config *c, char *v)
{
    if (strcmp(v, "yes") != 0 && strcmp(v, "no") != 0)
        return "expected yes or no";
    c->serve.echo = strcmp(v, "yes") == 0;
    return NULL;
}

/* A role is what a daemon is good for; this version has one. */
static const char *set_role(struct config *c, char *v)
{
    (void)c;
    return strcmp(v, "node") == 0 ? NULL : "the only role of this version is node";
}

static const char *read_number(const char *v, uint64_t least, uint64_t most, uint64_t *out)
{
    char *end = NULL;
    unsigned long long n = 0;

    errno = 0;
    n = isdigit((unsigned char)v[0]) ? strtoull(v, &end, 10) : 0;
    if (end == NULL || *end != '\0' || errno != 0 || n < least || n > most)
        return "that is no number, or out of range";
    *out = n;
    return NULL;
}

static const char *read_u32(const char *v, uint32_t least, uint32_t most, uint32_t *out)
{
    uint64_t n = 0;
    const char *wrong = read_number(v, least, most, &n);

    *out = (uint32_t)n;
    return wrong;
}

static const char *set_memory(struct config *c, char *v)
{
    return read_number(v, 16u << 20, 1ull << 40, &c->node.memory_max);
}

static const char *set_sessions(struct config *c, char *v)
{
    return read_u32(v, 1, 1000000, &c->node.sessions_max);
}

static const char *set_unread(struct config *c, char *v)
{
    return read_u32(v, 1, 1000000, &c->node.unread_s);
}

static const char *set_fold(struct config *c, char *v)
{
    const char *wrong = read_u32(v, 1, 1000000, &c->node.fold_ms);

    c->node.fold_ms *= 1000; /* seconds stand in the file */
    return wrong;
}

static const char *set_rest(struct config *c, char *v)
{
    return read_u32(v, 60, 1u << 30, &c->node.rest_s);
}

static const char *set_presences(struct config *c, char *v)
{
    return read_u32(v, 1, 1u << 24, &c->node.presences_max);
}

static const char *set_rest_file(struct config *c, char *v)
{
    return set_string(&c->node.rest_path, v, c->node.rest_path != NULL);
}

static const char *set_rest_memory(struct config *c, char *v)
{
    return read_u32(v, 1, 1u << 30, &c->node.rest_memory_s);
}

static const char *set_effort(struct config *c, char *v)
{
    return read_u32(v, 0, 1u << 30, &c->node.work_effort);
}

static const char *set_ceiling(struct config *c, char *v)
{
    return read_u32(v, 1, 32, &c->node.work_ceiling);
}

static const char *set_cookies(struct config *c, char *v)
{
    return read_u32(v, 1024, 1u << 28, &c->node.cookies_max);
}

static const char *set_algorithm(struct config *c, char *v)
{
    return read_u32(v, WEFT_WORK_HASH, WEFT_WORK_PROGRAM, &c->node.work_algorithm);
}

static const char *set_congestion(struct config *c, char *v)
{
    if (strcmp(v, "cubic") != 0 && strcmp(v, "bbr") != 0)
        return "cubic or bbr";
    return set_string(&c->app->congestion, v, c->app->congestion != NULL);
}

static const struct {
    const char *name;
    set_fn set;
    bool many; /* may stand again */
} names[] = {
    {"role", set_role, false},
    {"key", set_key, false},
    {"passphrase-file", set_passphrase, false},
    {"listen", set_listen, false},
    {"statement", set_statement, false},
    {"receive", set_receive, false},
    {"offer", add_offer, true},
    {"allow", add_allow, true},
    {"rules", set_rules, false},
    {"group", add_group, true},
    {"only-groups", set_only_groups, false},
    {"echo", set_echo, false},
    {"stats-json", set_stats, false},
    {"keylog", set_keylog, false},
    {"memory-max", set_memory, false},
    {"sessions-max", set_sessions, false},
    {"unread-time", set_unread, false},
    {"fold-time", set_fold, false},
    {"rest-time", set_rest, false},
    {"presences-max", set_presences, false},
    {"rest-file", set_rest_file, false},
    {"rest-memory-time", set_rest_memory, false},
    {"work-effort", set_effort, false},
    {"work-ceiling", set_ceiling, false},
    {"cookies-max", set_cookies, false},
    {"work-algorithm", set_algorithm, false},
    {"congestion", set_congestion, false},
};

_Static_assert(sizeof names / sizeof names[0] <= 32, "config.seen has a bit for each");

static char *trim(char *s)
{
    size_t len = 0;

    while (isspace((unsigned char)*s))
        s++;
    len = strlen(s);
    while (len > 0 && isspace((unsigned char)s[len - 1]))
        s[--len] = '\0';
    return s;
}

/* NULL when the line is good. */
static const char *take_line(struct config *c, char *line)
{
    char *name = trim(line);
    char *equal = NULL;
    const char *wrong = NULL;

    if (name[0] == '\0' || name[0] == '#')
        return NULL;
    equal = strchr(name, '=');
    if (equal == NULL)
        return "expected name = value";
    *equal = '\0';
    name = trim(name);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *value = trim(equal + 1);

        if (strcmp(name, names[i].name) != 0)
            continue;
        if (value[0] == '\0')
            return "the value is missing";
        wrong = names[i].set(c, value);
        if (wrong == NULL && !names[i].many && (c->seen & 1u << i) != 0)
            wrong = "that name stands here twice";
        c->seen |= 1u << i;
        return wrong;
    }
    return "there is no such name; see weftd.conf";
}

static int take_text(struct config *c, const char *path)
{
    unsigned number = 0;
    char *next = c->text;

    while (next != NULL) {
        char *line = next;
        char *end = strchr(line, '\n');
        const char *wrong = NULL;

        next = end == NULL ? NULL : end + 1;
        if (end != NULL)
            *end = '\0';
        number++;
        wrong = take_line(c, line);
        if (wrong != NULL)
            return app_fail(c->app, "%s, line %u: %s.", path, number, wrong);
    }
    return 0;
}

int config_read(struct config *c, const char *path)
{
    FILE *f = NULL;
    size_t len = 0;
    bool failed = false;

    if (path == NULL)
        return 0;
    f = fopen(path, "re");
    if (f == NULL)
        return app_fail(c->app, "cannot read the configuration %s: %s.", path, strerror(errno));
    c->text = calloc(1, CONFIG_BYTES_MAX + 1);
    if (c->text != NULL)
        len = fread(c->text, 1, CONFIG_BYTES_MAX + 1, f);
    failed = c->text == NULL || ferror(f) != 0;
    (void)fclose(f);
    if (failed)
        return app_fail(c->app, "cannot read the configuration %s.", path);
    if (len > CONFIG_BYTES_MAX || strlen(c->text) != len)
        return app_fail(c->app, "the configuration %s is longer than 64 KiB or no text.", path);
    return take_text(c, path);
}

void config_free(struct config *c)
{
    free(c->text);
    c->text = NULL;
}
