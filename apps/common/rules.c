/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules.c - who may use which service: a text file of lines "KEY|any SERVICE", and what the node is
 * told of it.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/app.h"

#define LINE_MAX_BYTES 512
#define SERVICE_BYTES_MAX 64

weft_err app_rules_path(struct app *a)
{
    weft_err err = WEFT_OK;

    if (a->allow_path != NULL)
        return WEFT_OK;
    err = app_path_beside_key(a->allow_path_buf, sizeof a->allow_path_buf, "allow");
    if (err == WEFT_OK)
        a->allow_path = a->allow_path_buf;
    return err;
}

int app_rule_give(const struct app *a, weft_node *node, const char *who, const char *service)
{
    weft_key key;
    bool anybody = strcmp(who, "any") == 0;
    weft_err err = anybody ? WEFT_OK : weft_key_parse(&key, who);

    if (err != WEFT_OK)
        return app_fail(
            a, "\"%.80s\" is no key (weft1…) and not \"any\": a character may be mistyped.", who);
    if (strlen(service) > SERVICE_BYTES_MAX)
        return app_fail(a, "\"%.80s\" is no service: a name has at most %d characters.", service,
                        SERVICE_BYTES_MAX);
    err = weft_node_allow(node, anybody ? NULL : &key, service);
    return err == WEFT_OK
               ? 0
               : app_fail_err(a, err, "cannot use the rule \"%.80s %.64s\"", who, service);
}

/* The two words of a line; 0 none (empty or comment), 2 good, 1 or 3 bad. */
static int split(char *line, char **who, char **service)
{
    char *save = NULL;
    char *rest = NULL;

    line[strcspn(line, "#\r\n")] = '\0';
    *who = strtok_r(line, " \t", &save);
    *service = *who == NULL ? NULL : strtok_r(NULL, " \t", &save);
    rest = *service == NULL ? NULL : strtok_r(NULL, " \t", &save);
    if (*who == NULL)
        return 0;
    if (*service == NULL)
        return 1;
    return rest == NULL ? 2 : 3;
}

static int load_file(struct app *a, FILE *f, weft_node *node, size_t *count)
{
    char line[LINE_MAX_BYTES];
    unsigned number = 0;

    while (fgets(line, sizeof line, f) != NULL) {
        char *who = NULL;
        char *service = NULL;
        bool is_whole = strlen(line) + 1 < sizeof line || line[sizeof line - 2] == '\n';
        int words = split(line, &who, &service);

        number++;
        if (words == 0 && is_whole)
            continue;
        if (words != 2 || !is_whole)
            return app_fail(a, "%s, line %u: expected \"KEY SERVICE\" or \"any SERVICE\".",
                            a->allow_path, number);
        if (app_rule_give(a, node, who, service) != 0)
            return 1;
        (*count)++;
    }
    return 0;
}

/* Who may write the rules lets himself in. */
static int check_writers(const struct app *a, FILE *f)
{
    struct stat st;

    if (fstat(fileno(f), &st) != 0 || (st.st_mode & S_IWOTH) == 0 || !S_ISREG(st.st_mode))
        return 0;
    return app_fail(a, "everybody may write the rules in %s: run `chmod o-w` on it and look at it.",
                    a->allow_path);
}

int app_rules_load(struct app *a, weft_node *node, size_t *count)
{
    weft_err err = app_rules_path(a);
    FILE *f = err == WEFT_OK ? fopen(a->allow_path, "re") : NULL;
    int status = 0;

    *count = 0;
    if (err != WEFT_OK)
        return app_fail_err(a, err, "cannot tell where the rules are (give --rules)");
    if (f == NULL)
        return errno == ENOENT ? 0
                               : app_fail(a, "cannot read the rules in %s: %s.", a->allow_path,
                                          strerror(errno));
    status = check_writers(a, f);
    if (status == 0)
        status = load_file(a, f, node, count);
    (void)fclose(f);
    return status;
}

struct new_rule {
    const char *who, *service;
};

/* Old lines and the new one. */
static bool fill(FILE *old, FILE *f, void *ctx)
{
    const struct new_rule *r = ctx;
    int last = '\n';

    for (int c = old == NULL ? EOF : getc(old); c != EOF; c = getc(old)) {
        (void)putc(c, f);
        last = c;
    }
    if (last != '\n')
        (void)putc('\n', f);
    (void)fprintf(f, "%s %s\n", r->who, r->service);
    return true;
}

int app_rules_add(struct app *a, const char *who, const char *service)
{
    struct new_rule r = {.who = who, .service = service};
    weft_err err = app_rules_path(a);

    if (err != WEFT_OK)
        return app_fail_err(a, err, "cannot tell where the rules are (give --rules)");
    return app_rewrite(a, a->allow_path, fill, &r);
}
