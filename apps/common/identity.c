/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity.c - this program's key: where it is, its passphrase, a new one at the first use.
 */
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/app.h"

#define PASSPHRASE_MAX 1024

weft_err app_key_path(struct app *a)
{
    weft_err err = WEFT_OK;

    if (a->key_path != NULL)
        return WEFT_OK;
    err = weft_identity_path(a->key_path_buf, sizeof a->key_path_buf);
    if (err == WEFT_OK)
        a->key_path = a->key_path_buf;
    return err;
}

void app_wipe(char *text)
{
    if (text == NULL)
        return;
    explicit_bzero(text, strlen(text));
    free(text);
}

/* One line, without echo when it is a terminal. The prompt (NULL: none) comes when the echo is off
 * and what was typed too early is gone. */
static char *read_line(FILE *in, const char *prompt)
{
    char *line = calloc(1, PASSPHRASE_MAX);
    struct termios old;
    bool is_tty = tcgetattr(fileno(in), &old) == 0;

    if (line == NULL)
        return NULL;
    if (is_tty) {
        struct termios silent = old;

        silent.c_lflag &= ~(tcflag_t)ECHO;
        (void)tcsetattr(fileno(in), TCSAFLUSH, &silent);
    }
    if (prompt != NULL) {
        (void)fprintf(stderr, "%s: ", prompt);
        (void)fflush(stderr);
    }
    if (fgets(line, PASSPHRASE_MAX, in) == NULL)
        line[0] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    if (is_tty) {
        (void)tcsetattr(fileno(in), TCSAFLUSH, &old);
        (void)fputc('\n', stderr);
    }
    return line;
}

static char *from_file(const char *path)
{
    FILE *f = fopen(path, "re");
    char *line = f == NULL ? NULL : read_line(f, NULL);

    if (f != NULL)
        (void)fclose(f);
    return line;
}

char *app_passphrase(const struct app *a, const char *prompt, bool twice)
{
    FILE *tty = NULL;
    char *first = NULL;
    char *second = NULL;

    if (a->passphrase_path != NULL)
        return from_file(a->passphrase_path);
    tty = fopen("/dev/tty", "re");
    if (tty == NULL)
        return NULL;
    first = read_line(tty, prompt);
    if (twice && first != NULL) {
        second = read_line(tty, "Once more");
        if (second == NULL || strcmp(first, second) != 0) {
            app_wipe(first);
            first = NULL;
        }
        app_wipe(second);
    }
    (void)fclose(tty);
    return first;
}

static int make_identity(struct app *a, weft_identity **out)
{
    weft_err err = weft_identity_new(out);

    if (err == WEFT_OK)
        err = weft_identity_save(*out, a->key_path, NULL);
    if (err != WEFT_OK) {
        weft_identity_free(*out);
        *out = NULL;
        return app_fail_err(a, err, "cannot make the key file %s", a->key_path);
    }
    if (!a->quiet)
        (void)fprintf(stderr, "%s: made a new key in %s\n", a->program, a->key_path);
    return 0;
}

int app_load_identity(struct app *a, bool make, weft_identity **out)
{
    weft_err err = app_key_path(a);
    char *passphrase = NULL;

    if (err != WEFT_OK)
        return app_fail_err(a, err, "cannot tell where the key file is (give --key)");
    err = weft_identity_load(out, a->key_path, NULL);
    if (err == WEFT_ERR_NOT_FOUND && make)
        return make_identity(a, out);
    if (err == WEFT_ERR_PASSPHRASE) {
        passphrase = app_passphrase(a, "Passphrase of the key", false);
        if (passphrase != NULL)
            err = weft_identity_load(out, a->key_path, passphrase);
        app_wipe(passphrase);
    }
    if (err == WEFT_ERR_NOT_FOUND)
        return app_fail(a, "there is no key file %s. Make one with `weft key new`.", a->key_path);
    return err == WEFT_OK ? 0 : app_fail_err(a, err, "cannot use the key file %s", a->key_path);
}
