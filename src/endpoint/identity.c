/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity.c - identities in memory and in key files.
 *
 *   weft key 1            what it is
 *   public weft1…         for people
 *   secret weftsec1…      the seed in bech32m; or
 *   sealed HEX            salt (16) | XChaCha20-Poly1305 box of the seed, under Argon2id of the
 * passphrase
 *
 * The public line is checked against the seed, so a damaged file is noticed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bech32.h"
#include "base/bytes.h"
#include "crypto/aead.h"
#include "crypto/crypto.h"
#include "crypto/secret.h"
#include "endpoint/identity_priv.h"
#include "endpoint/secret_file.h"
#include "net/mem_system.h"
#include "session/identity.h"

#define SEED_LEN 32u
#define BOX_LEN (SEED_LEN + WF_AEAD_TAG_LEN)
#define SEALED_LEN (WF_PASSPHRASE_SALT_LEN + BOX_LEN)
#define SECRET_PREFIX "weftsec"

static const char first_line[] = "weft key 1\n";

struct weft_identity {
    struct wf_mem mem;
    struct wf_secret_arena *arena;
    struct wf_identity *keys;
};

static weft_err identity_of_seed(weft_identity **out, const uint8_t seed[SEED_LEN])
{
    weft_identity *id = calloc(1, sizeof *id);
    weft_err err = WEFT_OK;

    if (id == NULL)
        return WEFT_ERR_NOMEM;
    wf_mem_system(&id->mem, 0);
    err = wf_secret_arena_new(&id->arena, &id->mem, sizeof *id->keys, 1);
    if (err == WEFT_OK) {
        id->keys = wf_secret_get(id->arena);
        err = id->keys == NULL ? WEFT_ERR_NOMEM : wf_identity_init(id->keys, seed);
    }
    if (err != WEFT_OK) {
        weft_identity_free(id);
        return err;
    }
    *out = id;
    return WEFT_OK;
}

weft_err weft_identity_new(weft_identity **out)
{
    uint8_t seed[SEED_LEN];
    weft_err err = wf_crypto_init();

    if (err != WEFT_OK)
        return err;
    wf_random(&wf_rng_system, seed, sizeof seed);
    err = identity_of_seed(out, seed);
    wf_wipe(seed, sizeof seed);
    return err;
}

void weft_identity_free(weft_identity *id)
{
    if (id == NULL)
        return;
    if (id->keys != NULL)
        wf_secret_put(id->arena, id->keys);
    wf_secret_arena_free(id->arena);
    free(id);
}

weft_key weft_identity_key(const weft_identity *id)
{
    weft_key key;

    memcpy(key.bytes, id->keys->public_key, sizeof key.bytes);
    return key;
}

weft_err weft_identity_key_for(weft_key *out, const weft_identity *id, const weft_key *owner)
{
    return wf_identity_key_for(out->bytes, id->keys, owner->bytes);
}

const struct wf_identity *identity_keys(const weft_identity *id)
{
    return id->keys;
}

void identity_seed(const weft_identity *id, uint8_t seed[32])
{
    memcpy(seed, id->keys->seed, SEED_LEN);
}

/* The key of the passphrase, ready to seal or open a box that holds one seed. */
static weft_err box_key(struct wf_aead_key *key, const char *passphrase, const uint8_t *salt)
{
    static const uint8_t prefix[16] = {0};
    uint8_t raw[WF_AEAD_KEY_LEN];
    weft_err err = wf_passphrase_key(raw, wf_span_of(passphrase), salt);

    if (err == WEFT_OK)
        wf_aead_key_init(key, WF_AEAD_XCHACHA20_POLY1305, raw, prefix);
    wf_wipe(raw, sizeof raw);
    return err;
}

static weft_err run_box(struct wf_aead_op *op, const char *passphrase, const uint8_t *salt,
                        bool seal)
{
    struct wf_mem mem;
    struct wf_aead *aead = NULL;
    struct wf_aead_key key;
    weft_err err = box_key(&key, passphrase, salt);

    wf_mem_system(&mem, 0);
    if (err == WEFT_OK)
        err = wf_aead_new(&aead, WF_AEAD_SODIUM, &mem);
    if (err == WEFT_OK) {
        if (seal)
            wf_aead_seal(aead, &key, op, 1);
        else if (wf_aead_open(aead, &key, op, 1) != 1)
            err = WEFT_ERR_PASSPHRASE;
    }
    wf_aead_free(aead);
    wf_wipe(&key, sizeof key);
    return err;
}

static weft_err write_sealed(char *text, size_t cap, const weft_identity *id,
                             const char *passphrase)
{
    uint8_t sealed[SEALED_LEN];
    char hex[2 * SEALED_LEN + 1];
    struct wf_aead_op op = {.in = id->keys->seed,
                            .in_len = SEED_LEN,
                            .ad = wf_span(id->keys->public_key, WEFT_KEY_LEN),
                            .out = sealed + WF_PASSPHRASE_SALT_LEN};
    weft_err err = WEFT_OK;

    wf_random(&wf_rng_system, sealed, WF_PASSPHRASE_SALT_LEN);
    err = run_box(&op, passphrase, sealed, true);
    if (err != WEFT_OK)
        return err;
    wf_hex(hex, sealed, sizeof sealed);
    (void)snprintf(text, cap, "sealed %s\n", hex);
    return WEFT_OK;
}

static weft_err write_secret(char *text, size_t cap, const weft_identity *id,
                             const char *passphrase)
{
    char secret[WF_BECH32_TEXT_MAX + 1];
    weft_err err = WEFT_OK;

    if (passphrase != NULL)
        return write_sealed(text, cap, id, passphrase);
    err = wf_bech32_encode(secret, sizeof secret, SECRET_PREFIX, wf_span(id->keys->seed, SEED_LEN));
    if (err == WEFT_OK)
        (void)snprintf(text, cap, "secret %s\n", secret);
    wf_wipe(secret, sizeof secret);
    return err;
}

weft_err weft_identity_save(const weft_identity *id, const char *path, const char *passphrase)
{
    char text[SECRET_FILE_MAX];
    char secret[SECRET_FILE_MAX / 2];
    char public_text[WEFT_KEY_TEXT_MAX];
    weft_key key = weft_identity_key(id);
    weft_err err = write_secret(secret, sizeof secret, id, passphrase);

    weft_key_text(public_text, &key);
    if (err == WEFT_OK) {
        (void)snprintf(text, sizeof text, "%spublic %s\n%s", first_line, public_text, secret);
        err = secret_file_create(path, text);
    }
    wf_wipe(text, sizeof text);
    wf_wipe(secret, sizeof secret);
    return err;
}

/* --- reading --- */

/* The value of the line that begins with name and a space; NULL when the next line is another.
 * *text moves on behind it. */
static char *take_line(char **text, const char *name)
{
    size_t len = strlen(name);
    char *value = NULL;
    char *end = NULL;

    if (strncmp(*text, name, len) != 0 || (*text)[len] != ' ')
        return NULL;
    value = *text + len + 1;
    end = strchr(value, '\n');
    if (end == NULL)
        return NULL;
    *end = '\0';
    *text = end + 1;
    return value;
}

static weft_err open_sealed(uint8_t seed[SEED_LEN], const char *hex, const weft_key *key,
                            const char *passphrase)
{
    uint8_t sealed[SEALED_LEN];
    struct wf_aead_op op = {.in = sealed + WF_PASSPHRASE_SALT_LEN,
                            .in_len = BOX_LEN,
                            .ad = wf_span(key->bytes, WEFT_KEY_LEN),
                            .out = seed};

    if (strlen(hex) != 2 * sizeof sealed || !wf_unhex(sealed, sizeof sealed, hex))
        return WEFT_ERR_KEY_FILE;
    if (passphrase == NULL)
        return WEFT_ERR_PASSPHRASE;
    return run_box(&op, passphrase, sealed, false);
}

static weft_err read_seed(char *text, uint8_t seed[SEED_LEN], weft_key *key, const char *passphrase)
{
    const char *public_text = NULL;
    char *value = NULL;
    weft_err err = WEFT_OK;

    if (strncmp(text, first_line, sizeof first_line - 1) != 0)
        return WEFT_ERR_KEY_FILE;
    text += sizeof first_line - 1;
    public_text = take_line(&text, "public");
    if (public_text == NULL || weft_key_parse(key, public_text) != WEFT_OK)
        return WEFT_ERR_KEY_FILE;
    value = take_line(&text, "secret");
    if (value != NULL) {
        err = wf_bech32_decode(seed, SEED_LEN, SECRET_PREFIX, wf_span_of(value));
        return err == WEFT_OK && *text == '\0' ? WEFT_OK : WEFT_ERR_KEY_FILE;
    }
    value = take_line(&text, "sealed");
    if (value == NULL || *text != '\0')
        return WEFT_ERR_KEY_FILE;
    return open_sealed(seed, value, key, passphrase);
}

static weft_err parse_file(weft_identity **out, char *text, const char *passphrase)
{
    uint8_t seed[SEED_LEN] = {0};
    weft_identity *id = NULL;
    weft_key key;
    weft_err err = read_seed(text, seed, &key, passphrase);

    if (err == WEFT_OK)
        err = identity_of_seed(&id, seed);
    wf_wipe(seed, sizeof seed);
    if (err != WEFT_OK)
        return err;
    if (memcmp(id->keys->public_key, key.bytes, WEFT_KEY_LEN) != 0) {
        weft_identity_free(id);
        return WEFT_ERR_KEY_FILE;
    }
    *out = id;
    return WEFT_OK;
}

weft_err weft_identity_load(weft_identity **out, const char *path, const char *passphrase)
{
    char text[SECRET_FILE_MAX];
    weft_err err = wf_crypto_init();

    if (err != WEFT_OK)
        return err;
    err = secret_file_read(path, text);
    if (err == WEFT_OK)
        err = parse_file(out, text, passphrase);
    wf_wipe(text, sizeof text);
    return err;
}

/* What holds the key, and what follows it in the key's path; NULL: no home folder. */
static const char *key_home(const char **rest)
{
    const char *weft_home = getenv("WEFT_HOME");
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");

    *rest = "/key";
    if (weft_home != NULL && weft_home[0] != '\0')
        return weft_home;
    *rest = "/weft/key";
    if (config != NULL && config[0] == '/')
        return config;
    *rest = "/.config/weft/key";
    return home != NULL && home[0] == '/' ? home : NULL;
}

weft_err weft_identity_path(char *out, size_t cap)
{
    const char *rest = NULL;
    const char *home = key_home(&rest);

    if (home == NULL)
        return WEFT_ERR_NOT_FOUND;
    if (strlen(home) + strlen(rest) >= cap)
        return WEFT_ERR_LIMIT;
    (void)snprintf(out, cap, "%s%s", home, rest);
    return WEFT_OK;
}

/* A file of ours and nothing else: a device would lose its mode, a pipe would hold us up, and the
 * owner of somebody else's file could read it. */
static bool is_own_file(int fd)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return false;
    errno = EACCES;
    return S_ISREG(st.st_mode) && st.st_uid == geteuid();
}

FILE *identity_open_private(const char *path)
{
    int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    int fd = open(path, flags, 0600);
    FILE *f = NULL;

    if (fd < 0)
        return NULL;
    if (is_own_file(fd) && fchmod(fd, 0600) == 0)
        f = fdopen(fd, "a");
    if (f == NULL)
        (void)close(fd);
    return f;
}
