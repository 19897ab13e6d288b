/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules.c - who may use which service: a text file of lines "KEY|any SERVICE", and what the node is
 * told of it.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/app.h"

#define LINE_MAX_BYTES 512
#define SERVICE_BYTES_MAX 64

weft_err app_rules_path(struct app *a)
{
    char key_path[APP_TEXT_MAX];
    char *slash = NULL;
    weft_err err = WEFT_OK;

    if (a->allow_path != NULL)
        return WEFT_OK;
    err = weft_identity_path(key_path, sizeof key_path);
    if (err != WEFT_OK)
        return err;
    slash = strrchr(key_path, '/');
    if (slash == NULL || (size_t)(slash - key_path) + sizeof "/allow" > sizeof a->allow_path_buf)
        return WEFT_ERR_LIMIT;
    *slash = '\0';
    (void)snprintf(a->allow_path_buf, sizeof a->allow_path_buf, "%.*s/allow", APP_TEXT_MAX - 16,
                   key_path);
    a->allow_path = a->allow_path_buf;
    return WEFT_OK;
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

/* Old lines and the new one into a file beside it, which then takes its place. */
static int rewrite(struct app *a, FILE *old, FILE *f, const char *who, const char *service)
{
    int last = '\n';

    for (int c = old == NULL ? EOF : getc(old); c != EOF; c = getc(old)) {
        (void)putc(c, f);
        last = c;
    }
    if (last != '\n')
        (void)putc('\n', f);
    (void)fprintf(f, "%s %s\n", who, service);
    if ((old != NULL && ferror(old) != 0) || ferror(f) != 0 || fflush(f) != 0 ||
        fsync(fileno(f)) != 0)
        return app_fail(a, "cannot write the rules: %s.", strerror(errno));
    return 0;
}

/* The folders above the file, for their owner alone; opening the file tells whether they are there.
 */
static void make_folders(const char *path)
{
    char whole[APP_TEXT_MAX];

    (void)snprintf(whole, sizeof whole, "%s", path);
    for (char *c = whole + (whole[0] == '/'); *c != '\0'; c++) {
        if (*c != '/')
            continue;
        *c = '\0';
        (void)mkdir(whole, 0700);
        *c = '/';
    }
}

int app_rules_add(struct app *a, const char *who, const char *service)
{
    char temp[APP_TEXT_MAX + 16];
    weft_err err = app_rules_path(a);
    FILE *old = NULL;
    FILE *f = NULL;
    int fd = -1;
    int status = 0;

    if (err != WEFT_OK)
        return app_fail_err(a, err, "cannot tell where the rules are (give --rules)");
    make_folders(a->allow_path);
    (void)snprintf(temp, sizeof temp, "%s.XXXXXX", a->allow_path);
    fd = mkstemp(temp);
    f = fd < 0 ? NULL : fdopen(fd, "w");
    if (f == NULL)
        return app_fail(a, "cannot write beside %s: %s.", a->allow_path, strerror(errno));
    old = fopen(a->allow_path, "re");
    status = rewrite(a, old, f, who, service);
    if (old != NULL)
        (void)fclose(old);
    (void)fclose(f);
    if (status == 0 && rename(temp, a->allow_path) != 0)
        status = app_fail(a, "cannot replace %s: %s.", a->allow_path, strerror(errno));
    if (status != 0)
        (void)unlink(temp);
    return status;
}
