/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys.c - identities and peers: every function of weft/key.h and weft/base.h once. Needs no
 * network.
 *
 * usage: keys
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "weft/weft.h"

/* A typo in a key is noticed. */
static weft_err write_and_read(const weft_key *key)
{
    char text[WEFT_KEY_TEXT_MAX];
    weft_key back;
    weft_err err = WEFT_OK;

    weft_key_text(text, key);
    printf("a public key: %s\n", text);
    err = weft_key_parse(&back, text);
    if (err != WEFT_OK || memcmp(back.bytes, key->bytes, WEFT_KEY_LEN) != 0)
        return WEFT_ERR_CRYPTO;
    text[20] = text[20] == 'q' ? 'p' : 'q';
    printf("with one wrong letter: %s\n", weft_strerror(weft_key_parse(&back, text)));
    return weft_key_is_nobody(&back) ? WEFT_ERR_CRYPTO : WEFT_OK; /* untouched by the error */
}

/* weft1…@host:port, as people hand it to each other. */
static weft_err name_a_peer(const weft_key *key)
{
    char text[WEFT_KEY_TEXT_MAX + 32];
    weft_peer peer;
    weft_err err = WEFT_OK;

    weft_key_text(text, key);
    (void)snprintf(text + strlen(text), 32, "@[2001:db8::1]:4871");
    err = weft_peer_parse(&peer, text);
    if (err == WEFT_OK)
        printf("a peer: host %s, port %u\n", peer.host, (unsigned)peer.port);
    return err;
}

/* Each server sees another key of ours, always the same: what its rules must name. */
static weft_err show_to(const weft_identity *identity, const weft_key *server)
{
    char text[WEFT_KEY_TEXT_MAX];
    weft_key shown;
    weft_err err = weft_identity_key_for(&shown, identity, server);

    if (err != WEFT_OK)
        return err;
    weft_key_text(text, &shown);
    printf("what a server sees: %s\n", text);
    return WEFT_OK;
}

/* The file has mode 0600; one that others can read, or a damaged one, is refused. */
static weft_err keep_in_a_file(const weft_identity *identity, const char *path)
{
    weft_identity *again = NULL;
    weft_err err = weft_identity_save(identity, path, "correct horse battery staple");

    if (err == WEFT_OK)
        printf("without its passphrase: %s\n",
               weft_strerror(weft_identity_load(&again, path, NULL)));
    if (err == WEFT_OK)
        err = weft_identity_load(&again, path, "correct horse battery staple");
    if (err == WEFT_OK) {
        weft_key one = weft_identity_key(identity);
        weft_key other = weft_identity_key(again);

        printf("from the file: %s key\n",
               memcmp(&one, &other, sizeof one) == 0 ? "the same" : "another");
    }
    weft_identity_free(again);
    return err;
}

int main(void)
{
    char folder[] = "/tmp/weft-keys-XXXXXX";
    char path[64];
    char own[4096];
    weft_identity *identity = NULL;
    weft_key key;
    weft_err err = WEFT_OK;

    printf("weft %s\n", weft_version());
    if (weft_identity_path(own, sizeof own) == WEFT_OK)
        printf("this user's key is kept in %s\n", own);
    if (mkdtemp(folder) == NULL)
        return weft_exit(WEFT_ERR_IO);
    (void)snprintf(path, sizeof path, "%s/key", folder);
    err = weft_identity_new(&identity);
    if (err == WEFT_OK) {
        key = weft_identity_key(identity);
        err = write_and_read(&key);
    }
    if (err == WEFT_OK)
        err = name_a_peer(&key);
    if (err == WEFT_OK)
        err = show_to(identity, &(weft_key){{9}});
    if (err == WEFT_OK)
        err = keep_in_a_file(identity, path);
    weft_identity_free(identity);
    (void)unlink(path);
    (void)rmdir(folder);
    return weft_exit(err);
}
