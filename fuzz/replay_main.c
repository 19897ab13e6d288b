/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay_main.c - runs a fuzz target once over each file named, or found in the folders named, on
 * the command line, so that every build and every compiler sees the inputs that fuzzing has kept.
 *
 * It prints one line "replayed N inputs" and fails when there was none: a replay of nothing proves
 * nothing.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (1u << 20)
#define PATH_LEN_MAX 4096

static size_t replayed;

static void die(const char *what, const char *path)
{
    fprintf(stderr, "replay: %s: %s\n", what, path);
    exit(1);
}

/* The copy has exactly the input's size, so that a sanitizer sees one byte too many. */
static void replay_file(const char *path)
{
    static uint8_t buf[INPUT_MAX];
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        die("cannot open", path);
    size_t len = fread(buf, 1, sizeof buf, f);
    if (ferror(f) || fgetc(f) != EOF)
        die("unreadable or longer than 1 MiB", path);
    fclose(f);

    uint8_t *exact = malloc(len);
    if (exact == NULL && len != 0)
        die("no memory for", path);
    if (len != 0)
        memcpy(exact, buf, len);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    replayed++;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* In alphabetical order, so that two runs are alike. */
static void replay_folder(const char *path)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_visible, alphasort);
    if (count < 0)
        die("cannot list", path);
    for (int i = 0; i < count; i++) {
        char file[PATH_LEN_MAX];
        int len = snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        if (len < 0 || (size_t)len >= sizeof file)
            die("path too long in", path);
        replay_file(file);
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (stat(argv[i], &st) != 0)
            die("no such file or folder", argv[i]);
        if (S_ISDIR(st.st_mode))
            replay_folder(argv[i]);
        else
            replay_file(argv[i]);
    }
    printf("replayed %zu inputs\n", replayed);
    return replayed != 0 ? 0 : 1;
}
