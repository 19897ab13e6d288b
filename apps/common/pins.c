/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pins.c - servers by name: a text file of lines "NAME OWNER KEY VERSION" beside this user's key,
 * which follows what owners say; and statements of owners in files.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/app.h"

#define LINE_BYTES (WEFT_PIN_TEXT_MAX + 64)

static weft_err pins_path(char out[APP_TEXT_MAX])
{
    return app_path_beside_key(out, APP_TEXT_MAX, "pins");
}

/* 1: a pin; 0: nothing (empty or comment); -1: neither. */
static int read_line(char *line, weft_pin *out)
{
    line[strcspn(line, "\r\n")] = '\0';
    if (line[0] == '\0' || line[0] == '#')
        return 0;
    return weft_pin_parse(out, line) == WEFT_OK ? 1 : -1;
}

/* Calls fn for each pin until it returns true. 0, or 1 when something is wrong with the file. */
static int walk(const struct app *a, bool (*fn)(const weft_pin *pin, void *ctx), void *ctx)
{
    char path[APP_TEXT_MAX];
    char line[LINE_BYTES];
    unsigned number = 0;
    weft_err err = pins_path(path);
    FILE *f = err == WEFT_OK ? fopen(path, "re") : NULL;
    int status = 0;
    bool done = false;

    if (err != WEFT_OK)
        return app_fail_err(a, err, "cannot tell where the pins are");
    if (f == NULL)
        return errno == ENOENT
                   ? 0
                   : app_fail(a, "cannot read the pins in %s: %s.", path, strerror(errno));
    while (!done && status == 0 && fgets(line, sizeof line, f) != NULL) {
        weft_pin pin;
        int found = read_line(line, &pin);

        number++;
        if (found > 0)
            done = fn(&pin, ctx);
        else if (found < 0)
            status = app_fail(a, "%s, line %u: expected \"NAME OWNER KEY VERSION\".", path, number);
    }
    (void)fclose(f);
    return status;
}

struct search {
    const char *name;
    size_t len;
    weft_pin *out;
    bool found;
};

static bool is_it(const weft_pin *pin, void *ctx)
{
    struct search *s = ctx;

    if (strlen(pin->name) != s->len || memcmp(pin->name, s->name, s->len) != 0)
        return false;
    *s->out = *pin;
    s->found = true;
    return true;
}

int app_pin_find(const struct app *a, const char *name, weft_pin *out, bool *wrong)
{
    struct search s = {.name = name, .len = strcspn(name, "@"), .out = out};

    *wrong = walk(a, is_it, &s) != 0;
    return s.found ? 0 : 1;
}

struct listing {
    const struct app *app;
    void (*fn)(const struct app *a, const weft_pin *pin);
};

static bool list_one(const weft_pin *pin, void *ctx)
{
    const struct listing *l = ctx;

    l->fn(l->app, pin);
    return false;
}

int app_pin_each(const struct app *a, void (*fn)(const struct app *a, const weft_pin *pin))
{
    struct listing l = {.app = a, .fn = fn};

    return walk(a, list_one, &l);
}

/* --- writing --- */

struct change {
    const char *name;
    const weft_pin *pin; /* NULL: it goes */
    bool force;
    bool found;
};

/* The other lines as they are, and the new one at the end. */
static bool fill(FILE *old, FILE *f, void *ctx)
{
    struct change *c = ctx;
    char line[LINE_BYTES];
    char text[WEFT_PIN_TEXT_MAX];
    weft_pin pin;

    while (old != NULL && fgets(line, sizeof line, old) != NULL) {
        if (read_line(line, &pin) <= 0 || strcmp(pin.name, c->name) != 0) {
            (void)fprintf(f, "%s\n", line);
            continue;
        }
        c->found = true;
        if (c->pin != NULL && !c->force && pin.version > c->pin->version)
            return false; /* SPEC 1.12-12: another program of this user was faster */
    }
    if (c->pin == NULL)
        return c->found;
    if (weft_pin_text(text, c->pin) != WEFT_OK)
        return false;
    (void)fprintf(f, "%s\n", text);
    return true;
}

static int change(const struct app *a, struct change *c)
{
    char path[APP_TEXT_MAX];
    weft_err err = pins_path(path);

    if (err != WEFT_OK)
        return app_fail_err(a, err, "cannot tell where the pins are");
    return app_rewrite(a, path, fill, c);
}

int app_pin_put(const struct app *a, const weft_pin *pin, bool force)
{
    struct change c = {.name = pin->name, .pin = pin, .force = force};

    return change(a, &c);
}

int app_pin_remove(const struct app *a, const char *name)
{
    struct change c = {.name = name};
    int status = change(a, &c);

    return status == 0 && !c.found ? app_fail(a, "there is no pin \"%.80s\".", name) : status;
}

/* --- following --- */

static void on_pin(const weft_pin *pin, const weft_key *before, void *user)
{
    const struct app *a = user;
    char key[WEFT_KEY_TEXT_MAX];

    weft_key_text(key, &pin->key);
    if (!a->quiet)
        (void)fprintf(stderr, "%s: %s %s, as its owner says (version %llu): %s\n", a->program,
                      weft_key_is_nobody(before) ? "this is the key of" : "there is a new key for",
                      pin->name, (unsigned long long)pin->version, key);
    (void)app_pin_put(a, pin, false);
}

int app_pin_use(struct app *a, weft_node *node, const weft_pin *pin)
{
    weft_err err = weft_node_pin(node, pin, on_pin, a);

    return err == WEFT_OK ? 0 : app_fail_err(a, err, "cannot use the pin %s", pin->name);
}

/* --- statements --- */

int app_statement_load(const struct app *a, const char *path, weft_statement *out)
{
    char text[2 * WEFT_STATEMENT_TEXT_MAX];
    weft_err err = WEFT_OK;

    if (app_read_text(a, path, text, sizeof text) != 0)
        return 1;
    if (weft_statement_parse(out, text) != WEFT_OK)
        return app_fail(a, "%s is no statement.", path);
    err = weft_statement_check(out, (uint64_t)time(NULL));
    if (err == WEFT_ERR_STATE && !a->quiet)
        (void)fprintf(stderr, "%s: the statement %s does not count yet, or no more.\n", a->program,
                      path);
    if (err != WEFT_OK && err != WEFT_ERR_STATE)
        return app_fail(a, "the statement %s was not signed by the owner it names.", path);
    return 0;
}
