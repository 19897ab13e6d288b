/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_pin.c - `weft pin`: servers by name, whose owner says which key they have.
 */
#include <string.h>

#include "weft.h"

struct pin_options {
    const char *owner, *server;
};

static void set_owner(void *ctx, const char *v)
{
    ((struct pin_options *)ctx)->owner = v;
}

static void set_server(void *ctx, const char *v)
{
    ((struct pin_options *)ctx)->server = v;
}

static const struct app_option table[] = {
    {"owner", 'o', true, set_owner},
    {"server", 's', true, set_server},
    {NULL, 0, false, NULL},
};

static const struct usage usage = {
    "usage: weft pin add NAME --owner KEY [--server KEY]\n"
    "       weft pin list\n"
    "       weft pin remove NAME\n"
    "\n"
    "Keeps servers by name, in a file beside this user's key; NAME@host:port is a peer then. When "
    "a server has another key than\n"
    "expected, its owner is asked, and what the owner says is followed.\n"
    "  -o, --owner KEY           who answers for the name (weft1…)\n"
    "  -s, --server KEY          the server's own key; without it the owner is asked at once\n",
    1, 2, table};

static int read_key(const struct app *a, const char *text, weft_key *out)
{
    if (weft_key_parse(out, text) == WEFT_OK)
        return 0;
    return app_fail(a, "\"%.80s\" is no key (weft1…): a character may be mistyped.", text);
}

static int pin_add(const struct app *a, const struct pin_options *o, const char *name)
{
    weft_pin pin = WEFT_PIN;
    char text[WEFT_PIN_TEXT_MAX];

    if (o->owner == NULL)
        return app_fail(a, "say who answers for %.80s with --owner KEY.", name);
    if (strlen(name) <= WEFT_NAME_MAX)
        memcpy(pin.name, name, strlen(name) + 1);
    if (weft_pin_text(text, &pin) != WEFT_OK)
        return app_fail(a, "\"%.80s\" is no name: it has 1 to %d characters, no blanks, # and @.",
                        name, WEFT_NAME_MAX);
    if (read_key(a, o->owner, &pin.owner) != 0 ||
        (o->server != NULL && read_key(a, o->server, &pin.key) != 0))
        return 1;
    return app_pin_put(a, &pin, true);
}

static void print_pin(const struct app *a, const weft_pin *pin)
{
    char owner[WEFT_KEY_TEXT_MAX];
    char key[WEFT_KEY_TEXT_MAX];
    char text[WEFT_PIN_TEXT_MAX];

    if (!a->json && weft_pin_text(text, pin) == WEFT_OK) {
        (void)puts(text);
        return;
    }
    weft_key_text(owner, &pin->owner);
    weft_key_text(key, &pin->key);
    (void)fputs("{\"name\":", stdout);
    app_json_string(stdout, pin->name);
    (void)printf(",\"owner\":\"%s\",\"key\":", owner);
    (void)(weft_key_is_nobody(&pin->key) ? printf("null") : printf("\"%s\"", key));
    (void)printf(",\"version\":%llu}\n", (unsigned long long)pin->version);
}

int cmd_pin(struct app *a, int argc, char **argv)
{
    struct pin_options o = {.owner = NULL};
    int status = cmd_options(a, &usage, &o, argv, &argc);

    if (status >= 0)
        return status;
    if (strcmp(argv[0], "list") == 0 && argc == 1)
        return app_pin_each(a, print_pin);
    if (strcmp(argv[0], "add") == 0 && argc == 2)
        return pin_add(a, &o, argv[1]);
    if (strcmp(argv[0], "remove") == 0 && argc == 2)
        return app_pin_remove(a, argv[1]);
    return app_fail(a, "there is no \"pin %.40s\" with %d arguments. See weft pin --help.", argv[0],
                    argc - 1);
}
