/* SPDX-License-Identifier: Apache-2.0 */
/*
 * textfile.c - small files of lines that programs share: where they are, read whole, and replaced
 * whole or not at all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/app.h"

weft_err app_path_beside_key(char *out, size_t cap, const char *name)
{
    char key_path[APP_TEXT_MAX];
    char *slash = NULL;
    weft_err err = weft_identity_path(key_path, sizeof key_path);

    if (err != WEFT_OK)
        return err;
    slash = strrchr(key_path, '/');
    if (slash == NULL || (size_t)(slash - key_path) + strlen(name) + 2 > cap)
        return WEFT_ERR_LIMIT;
    *slash = '\0';
    (void)snprintf(out, cap, "%s/%s", key_path, name);
    return WEFT_OK;
}

int app_read_text(const struct app *a, const char *path, char *out, size_t cap)
{
    FILE *f = fopen(path, "re");
    size_t len = 0;
    bool failed = false;

    if (f == NULL)
        return app_fail(a, "cannot read %s: %s.", path, strerror(errno));
    len = fread(out, 1, cap - 1, f);
    failed = ferror(f) != 0;
    (void)fclose(f);
    out[len] = '\0';
    if (failed || len == cap - 1 || strlen(out) != len)
        return app_fail(a, "%s is too long or no text.", path);
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

static int write_new(const struct app *a, FILE *old, FILE *f, app_fill_fn fill, void *ctx)
{
    bool wanted = fill(old, f, ctx);

    if ((old != NULL && ferror(old) != 0) || ferror(f) != 0 || fflush(f) != 0 ||
        fsync(fileno(f)) != 0)
        return app_fail(a, "cannot write it: %s.", strerror(errno));
    return wanted ? 0 : -1;
}

int app_rewrite(const struct app *a, const char *path, app_fill_fn fill, void *ctx)
{
    char temp[APP_TEXT_MAX + 16];
    FILE *old = NULL;
    FILE *f = NULL;
    int fd = -1;
    int status = 0;

    make_folders(path);
    (void)snprintf(temp, sizeof temp, "%s.XXXXXX", path);
    fd = mkstemp(temp);
    f = fd < 0 ? NULL : fdopen(fd, "w");
    if (f == NULL)
        return app_fail(a, "cannot write beside %s: %s.", path, strerror(errno));
    old = fopen(path, "re");
    status = write_new(a, old, f, fill, ctx);
    if (old != NULL)
        (void)fclose(old);
    (void)fclose(f);
    if (status == 0 && rename(temp, path) != 0)
        status = app_fail(a, "cannot replace %s: %s.", path, strerror(errno));
    if (status != 0)
        (void)unlink(temp);
    return status < 0 ? 0 : status;
}
