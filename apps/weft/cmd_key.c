/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_key.c - `weft key new` and `weft key show`; `weft allow`.
 */
#include <string.h>

#include "weft.h"

struct key_options {
    bool passphrase;
    const char *server; /* --for */
};

static void set_passphrase(void *ctx, const char *v)
{
    (void)v;
    ((struct key_options *)ctx)->passphrase = true;
}

static void set_server(void *ctx, const char *v)
{
    ((struct key_options *)ctx)->server = v;
}

static const struct app_option key_table[] = {
    {"passphrase", 'p', false, set_passphrase},
    {"for", 'f', true, set_server},
    {NULL, 0, false, NULL},
};

static const struct usage key_usage = {
    "usage: weft key new [--key FILE] [--passphrase]\n"
    "       weft key show [--key FILE] [--for SERVER]\n"
    "\n"
    "new makes a key file of mode 0600 (it never replaces one) "
    "and prints the public key; with --passphrase the file\n"
    "is sealed. show prints the public key of a file.\n"
    "\n"
    "Each server sees another key of yours, so that servers "
    "cannot compare their visitors: --for SERVER (weft1…,\n"
    "weft1…@host:port or the name of a pin) prints the one that this server sees. It "
    "is the one to give to who runs it, for `weft allow`.\n",
    1, 1, key_table};

static void print_key(const struct app *a, const weft_key *key)
{
    char text[WEFT_KEY_TEXT_MAX];

    weft_key_text(text, key);
    if (!a->json) {
        (void)puts(text);
        return;
    }
    (void)printf("{\"key\":\"%s\",\"file\":", text);
    app_json_string(stdout, a->key_path);
    (void)puts("}");
}

static int key_new(struct app *a, bool sealed)
{
    weft_identity *id = NULL;
    char *passphrase = NULL;
    weft_err err = app_key_path(a);
    weft_key key;
    int status = 0;

    if (err != WEFT_OK)
        return app_fail_err(a, err, "cannot tell where the key file is (give --key)");
    if (sealed || a->passphrase_path != NULL) {
        passphrase = app_passphrase(a, "New passphrase", true);
        if (passphrase == NULL || passphrase[0] == '\0') {
            app_wipe(passphrase);
            return app_fail(a, "no passphrase, or two different ones; nothing was written.");
        }
    }
    err = weft_identity_new(&id);
    if (err == WEFT_OK)
        err = weft_identity_save(id, a->key_path, passphrase);
    app_wipe(passphrase);
    if (err != WEFT_OK) {
        status = app_fail_err(a, err, "cannot make the key file %s", a->key_path);
    } else {
        key = weft_identity_key(id);
        print_key(a, &key);
    }
    weft_identity_free(id);
    return status;
}

/* What the server sees; without one our own. */
static int key_for(const struct app *a, const weft_identity *id, const char *server, weft_key *out)
{
    weft_peer peer;
    weft_pin pin;
    weft_err err = WEFT_OK;
    bool wrong = false;

    *out = weft_identity_key(id);
    if (server == NULL)
        return 0;
    err = weft_peer_parse(&peer, server);
    if (err == WEFT_ERR_MALFORMED && app_pin_find(a, server, &pin, &wrong) == 0) {
        peer.key = pin.owner;
        err = WEFT_OK;
    }
    if (wrong)
        return 1;
    if (err == WEFT_OK)
        err = weft_identity_key_for(out, id, &peer.key);
    return err == WEFT_OK ? 0 : app_fail_err(a, err, "cannot use \"%.100s\"", server);
}

static int key_show(struct app *a, const char *server)
{
    weft_identity *id = NULL;
    weft_key key;
    int status = app_load_identity(a, false, &id);

    if (status == 0)
        status = key_for(a, id, server, &key);
    if (status == 0)
        print_key(a, &key);
    weft_identity_free(id);
    return status;
}

int cmd_key(struct app *a, int argc, char **argv)
{
    struct key_options o = {.passphrase = false};
    int status = cmd_options(a, &key_usage, &o, argv, &argc);

    if (status >= 0)
        return status;
    if (strcmp(argv[0], "new") == 0)
        return key_new(a, o.passphrase);
    if (strcmp(argv[0], "show") == 0)
        return key_show(a, o.server);
    return app_fail(a, "there is no \"key %.40s\". See weft key --help.", argv[0]);
}

static const struct usage allow_usage = {
    "usage: weft allow KEY|any SERVICE\n"
    "\n"
    "Adds a line to the file of rules (--rules FILE; by default beside this user's key). `weft "
    "listen` and `weftd` refuse\n"
    "everybody whom no rule lets in. Services: file.offer and file.put (send us files), file.list "
    "and file.get (fetch what\n"
    "we offer), echo, cat; \"file\" stands for the four of files, \"*\" for every service.\n",
    2, 2, NULL};

static int add_all_file(struct app *a, const char *who)
{
    static const char *const names[] = {"file.offer", "file.put", "file.list", "file.get"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (app_rules_add(a, who, names[i]) != 0)
            return 1;
    }
    return 0;
}

int cmd_allow(struct app *a, int argc, char **argv)
{
    weft_key key;
    int status = cmd_options(a, &allow_usage, NULL, argv, &argc);

    if (status >= 0)
        return status;
    if (strcmp(argv[0], "any") != 0 && weft_key_parse(&key, argv[0]) != WEFT_OK)
        return app_fail(
            a, "\"%.80s\" is no key (weft1…) and not \"any\": a character may be mistyped.",
            argv[0]);
    if (strlen(argv[1]) > 64 || strpbrk(argv[1], " \t\r\n#") != NULL || argv[1][0] == '\0')
        return app_fail(a, "a service has 1 to 64 characters without blanks and #.");
    status = strcmp(argv[1], "file") == 0 ? add_all_file(a, argv[0])
                                          : app_rules_add(a, argv[0], argv[1]);
    if (status == 0 && !a->quiet && !a->json)
        (void)printf("%s may use \"%s\" (%s)\n", argv[0], argv[1], a->allow_path);
    return status;
}
