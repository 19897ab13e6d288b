/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c - the command line: common options and those of a subcommand, wherever they stand among
 * the arguments.
 */
#include <string.h>

#include "common/app.h"

static void set_key(void *ctx, const char *v)
{
    ((struct app *)ctx)->key_path = v;
}

static void set_listen(void *ctx, const char *v)
{
    ((struct app *)ctx)->listen = v;
}

static void set_stats(void *ctx, const char *v)
{
    ((struct app *)ctx)->stats_path = v;
}

static void set_keylog(void *ctx, const char *v)
{
    ((struct app *)ctx)->keylog_path = v;
}

static void set_passphrase(void *ctx, const char *v)
{
    ((struct app *)ctx)->passphrase_path = v;
}

static void set_rules(void *ctx, const char *v)
{
    ((struct app *)ctx)->allow_path = v;
}

static void set_work_time(void *ctx, const char *v)
{
    ((struct app *)ctx)->work_time = v;
}

static void set_congestion(void *ctx, const char *v)
{
    ((struct app *)ctx)->congestion = v;
}

static void set_json(void *ctx, const char *v)
{
    (void)v;
    ((struct app *)ctx)->json = true;
}

static void set_quiet(void *ctx, const char *v)
{
    (void)v;
    ((struct app *)ctx)->quiet = true;
}

static void set_invitation(void *ctx, const char *v)
{
    ((struct app *)ctx)->invitation_path = v;
}

static void set_first_data(void *ctx, const char *v)
{
    (void)v;
    ((struct app *)ctx)->first_data = true;
}

static void set_as_self(void *ctx, const char *v)
{
    (void)v;
    ((struct app *)ctx)->as_self = true;
}

static const struct app_option common[] = {
    {"key", 'k', true, set_key},
    {"listen", 'l', true, set_listen},
    {"stats-json", 0, true, set_stats},
    {"keylog", 0, true, set_keylog},
    {"passphrase-file", 0, true, set_passphrase},
    {"rules", 0, true, set_rules},
    {"work-time", 0, true, set_work_time},
    {"congestion", 0, true, set_congestion},
    {"json", 'j', false, set_json},
    {"quiet", 'q', false, set_quiet},
    {"as-self", 0, false, set_as_self},
    {"invitation", 0, true, set_invitation},
    {"first-data", 0, false, set_first_data},
    {NULL, 0, false, NULL},
};

/* "--name", "--name=value" or "-n"; *value is what stands behind "=", else NULL. */
static const struct app_option *match(const struct app_option *table, const char *arg,
                                      const char **value)
{
    const char *equal = strchr(arg, '=');
    size_t len = equal == NULL ? strlen(arg) : (size_t)(equal - arg);

    *value = NULL;
    for (; table != NULL && table->name != NULL; table++) {
        if (arg[1] != '-') {
            if (arg[1] == table->letter && table->letter != 0 && arg[2] == '\0')
                return table;
        } else if (strlen(table->name) + 2 == len && strncmp(arg + 2, table->name, len - 2) == 0) {
            *value = equal == NULL ? NULL : equal + 1;
            return table;
        }
    }
    return NULL;
}

static bool is_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

/* Takes one option and its value; how many arguments it used, 0 when it was wrong. */
static int take(struct app *a, const struct app_option *more, void *ctx, char **argv, int left)
{
    const char *value = NULL;
    void *to = a;
    const struct app_option *o = match(common, argv[0], &value);
    int used = 1;

    if (o == NULL) {
        to = ctx;
        o = match(more, argv[0], &value);
    }
    if (o == NULL) {
        (void)app_fail(a, "there is no option %s here. See --help.", argv[0]);
        return 0;
    }
    if (o->has_value && value == NULL) {
        if (left < 2) {
            (void)app_fail(a, "the option --%s needs a value. See --help.", o->name);
            return 0;
        }
        value = argv[1];
        used = 2;
    } else if (!o->has_value && value != NULL) {
        (void)app_fail(a, "the option --%s takes no value. See --help.", o->name);
        return 0;
    }
    o->set(to, value);
    return used;
}

int app_parse(struct app *a, const struct app_option *more, void *ctx, char **argv, int *count)
{
    int kept = 0;
    int i = 0;

    while (i < *count) {
        int used = 0;

        if (is_help(argv[i]))
            return 2;
        if (strcmp(argv[i], "--") == 0) {
            for (i++; i < *count; i++)
                argv[kept++] = argv[i];
            break;
        }
        if (argv[i][0] != '-' || argv[i][1] == '\0') {
            argv[kept++] = argv[i++];
            continue;
        }
        used = take(a, more, ctx, argv + i, *count - i);
        if (used == 0)
            return 1;
        i += used;
    }
    *count = kept;
    return 0;
}
