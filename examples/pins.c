/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pins.c - a server loses its key, and its clients follow it to the new one: every function of
 * weft/pin.h once. The owner's key is used only to sign; the servers never see it.
 *
 * usage: pins
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "weft/weft.h"

#define HOUR 3600u

/* --- the owner, offline --- */

/* The text is what goes into a file and to the server. */
static weft_err state(const weft_identity *owner, const weft_key *key, uint64_t version, char *text)
{
    weft_statement s = WEFT_STATEMENT;
    weft_err err = WEFT_OK;

    (void)snprintf(s.name, sizeof s.name, "clock");
    s.version = version;
    s.key = *key;
    s.not_before_s = (uint64_t)time(NULL);
    s.not_after_s = s.not_before_s + 24 * HOUR;
    err = weft_statement_sign(&s, owner);
    return err == WEFT_OK ? weft_statement_text(text, &s) : err;
}

/* --- the server --- */

static void on_echo(weft_exchange *x, const weft_message *m, void *user)
{
    (void)user;
    (void)weft_reply(x, m->body, m->len);
}

static weft_err open_server(weft_node **out, const weft_identity *identity, const char *text)
{
    weft_node_params p = WEFT_NODE_PARAMS;
    weft_statement s;
    weft_err err = weft_statement_parse(&s, text);

    if (err == WEFT_OK)
        err = weft_statement_check(&s, (uint64_t)time(NULL));
    p.identity = identity;
    p.listen = "127.0.0.1:0";
    p.statement = &s;
    if (err == WEFT_OK)
        err = weft_node_open(out, &p);
    if (err == WEFT_OK)
        err = weft_node_serve(*out, "echo", on_echo, NULL);
    return err == WEFT_OK ? weft_node_allow(*out, NULL, "echo") : err;
}

/* --- the client --- */

/* A program writes the line into its file of pins. */
static void on_pin(const weft_pin *pin, const weft_key *before, void *user)
{
    char line[WEFT_PIN_TEXT_MAX];

    (void)before;
    (void)user;
    if (weft_pin_text(line, pin) == WEFT_OK)
        printf("the owner says that the key was replaced: %.60s...\n", line);
}

static weft_err open_client(weft_node **out, const weft_key *owner, const weft_key *key)
{
    weft_node_params p = WEFT_NODE_PARAMS;
    weft_identity *identity = NULL;
    char line[WEFT_PIN_TEXT_MAX];
    weft_pin pin = WEFT_PIN;
    weft_err err = weft_identity_new(&identity);

    (void)snprintf(pin.name, sizeof pin.name, "clock");
    pin.owner = *owner;
    pin.key = *key;
    p.identity = identity;
    if (err == WEFT_OK)
        err = weft_pin_text(line, &pin); /* as it would come from a file */
    if (err == WEFT_OK)
        err = weft_pin_parse(&pin, line);
    if (err == WEFT_OK)
        err = weft_node_open(out, &p);
    weft_identity_free(identity);
    return err == WEFT_OK ? weft_node_pin(*out, &pin, on_pin, NULL) : err;
}

struct answer {
    bool is_here;
    weft_err err;
};

static void on_pong(weft_err err, uint64_t rtt_us, uint64_t handshake_us, void *user)
{
    struct answer *a = user;

    (void)rtt_us;
    (void)handshake_us;
    *a = (struct answer){.is_here = true, .err = err};
}

static weft_err call(weft_node *client, weft_node *server)
{
    struct answer a = {.is_here = false};
    char address[64];
    char to[96];
    weft_err err = weft_node_address(server, address, sizeof address);

    (void)snprintf(to, sizeof to, "clock@%s", address);
    if (err == WEFT_OK)
        err = weft_node_ping(client, to, 5000, on_pong, &a);
    while (err == WEFT_OK && !a.is_here) {
        err = weft_node_poll(client, 1);
        if (err == WEFT_OK)
            err = weft_node_poll(server, 1);
    }
    if (err == WEFT_OK)
        err = a.err;
    if (err == WEFT_OK)
        printf("clock answers\n");
    return err;
}

int main(void)
{
    weft_identity *owner = NULL;
    weft_identity *lost = NULL;
    weft_identity *fresh = NULL;
    weft_node *server = NULL;
    weft_node *client = NULL;
    weft_key owner_key;
    weft_key key;
    char text[WEFT_STATEMENT_TEXT_MAX];
    weft_err err = weft_identity_new(&owner);

    if (err == WEFT_OK)
        err = weft_identity_new(&lost);
    if (err == WEFT_OK)
        err = weft_identity_new(&fresh);
    if (err == WEFT_OK) {
        owner_key = weft_identity_key(owner);
        key = weft_identity_key(fresh);
        err = state(owner, &key, 2, text);
    }
    if (err == WEFT_OK) {
        key = weft_identity_key(lost);
        err = open_client(&client, &owner_key, &key);
    }
    if (err == WEFT_OK)
        err = open_server(&server, fresh, text);
    if (err == WEFT_OK)
        err = call(client, server);
    weft_node_close(client);
    weft_node_close(server);
    weft_identity_free(owner);
    weft_identity_free(lost);
    weft_identity_free(fresh);
    return weft_exit(err);
}
