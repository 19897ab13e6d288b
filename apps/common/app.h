/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app.h - what the command and the daemon share: options, sentences, the identity, the node's loop,
 * counters.
 *
 * It stands on the public headers of the library alone.
 */
#ifndef WEFT_APPS_APP_H
#define WEFT_APPS_APP_H

#include <stdio.h>

#include "weft/weft.h"

#define APP_TEXT_MAX 4096
#define APP_LIST_MAX 64

/* Options that every subcommand and the daemon understand. */
struct app {
    const char *program;           /* how errors begin */
    const char *key_path;          /* --key */
    const char *listen;            /* --listen */
    const char *stats_path;        /* --stats-json */
    const char *keylog_path;       /* --keylog */
    const char *passphrase_path;   /* --passphrase-file */
    const char *allow_path;        /* --rules */
    const char *work_time;         /* --work-time */
    const char *congestion;        /* --congestion */
    bool json;                     /* --json */
    bool quiet;                    /* --quiet */
    const char *invitation_path;   /* --invitation */
    bool first_data;               /* --first-data */
    bool as_self;                  /* --as-self: show this user's own key, the same to everybody */
    char shown[WEFT_KEY_TEXT_MAX]; /* the key shown to whom this command calls; "": none yet */
    bool work_shown;               /* a line on the terminal */
    char work_text[256];           /* why a server's work was refused; "": none was */
    char to[WEFT_KEY_TEXT_MAX + WEFT_HOST_MAX + 16]; /* who is called with an invitation */
    char key_path_buf[APP_TEXT_MAX];
    char allow_path_buf[APP_TEXT_MAX];
};

/* --- saying things --- */

/* One sentence on standard error: "weft: …". Returns 1, for exit. */
int app_fail(const struct app *a, const char *fmt, ...) WEFT_PRINTF(2, 3);
/* Last of all: the exit status, a failure too when standard output did not take all that was
 * printed (and somebody still reads it). */
int app_finish(const struct app *a, int status);

/* The same for an error of the library: what was tried, its sentence, and a way out where there is
 * one. */
int app_fail_err(const struct app *a, weft_err err, const char *fmt, ...) WEFT_PRINTF(3, 4);

/* A string as JSON, with quotes; what is no UTF-8 becomes U+FFFD. */
void app_json_string(FILE *out, const char *text);

/* Bytes of a peer: as they are into a file or a pipe; on a terminal without what would move its
 * cursor. */
void app_put_bytes(FILE *out, const void *data, size_t len);

/* "1.5 GiB"; the buffer is the calling thread's until its next but third call. */
const char *app_size_text(uint64_t bytes);

/* --- the identity --- */

/* Where the key is: --key, or this user's. */
weft_err app_key_path(struct app *a);

/* Loads the key; a missing one is made when `make` is set. Asks for a passphrase on a terminal.
 * Says what is wrong itself; 0 or 1. */
int app_load_identity(struct app *a, bool make, weft_identity **out);

/* A passphrase from --passphrase-file, or from the terminal ("twice": asked again and compared);
 * NULL: none to be had. Wipe with app_wipe. */
char *app_passphrase(const struct app *a, const char *prompt, bool twice);
void app_wipe(char *text);

/* --- files of lines --- */

/* A file in the folder of this user's key. */
weft_err app_path_beside_key(char *out, size_t cap, const char *name);

/* The whole file, NUL-terminated; says what is wrong itself. 0 or 1. */
int app_read_text(const struct app *a, const char *path, char *out, size_t cap);

/* Writes what comes in the place of the old file (NULL: there is none); false: leave that alone. */
typedef bool (*app_fill_fn)(FILE *old, FILE *f, void *ctx);
/* Replaces it, whole or not at all; makes the folders. Says what is wrong itself; 0 or 1. */
int app_rewrite(const struct app *a, const char *path, app_fill_fn fill, void *ctx);

/* --- pins --- */

/* The pin of that name (up to an "@"), from the file beside this user's key. 0: it is in *out; 1:
 * there is none, or the file is not good, which was said; *wrong tells which. */
int app_pin_find(const struct app *a, const char *name, weft_pin *out, bool *wrong);
/* Puts it in the place of the one of the same name, unless that has a higher version and `force`
 * is not set. */
int app_pin_put(const struct app *a, const weft_pin *pin, bool force);
int app_pin_remove(const struct app *a, const char *name);
/* All of them. */
int app_pin_each(const struct app *a, void (*fn)(const struct app *a, const weft_pin *pin));
/* Makes the node know the pin, and follows it. */
int app_pin_use(struct app *a, weft_node *node, const weft_pin *pin);

/* A statement from a file; says what is wrong itself; 0 or 1. One whose time is over or to come is
 * taken with a remark. */
int app_statement_load(const struct app *a, const char *path, weft_statement *out);

/* --- rules --- */

/* The file of rules: --rules, else beside this user's key. Lines "KEY|any SERVICE"; # begins a
 * comment. */
weft_err app_rules_path(struct app *a);
/* Adds a rule to the file, whole or not at all. */
int app_rules_add(struct app *a, const char *who, const char *service);
/* Gives all rules of the file to the node; *count says how many. A missing file has none. */
int app_rules_load(struct app *a, weft_node *node, size_t *count);
/* One rule from text: who is a key or "any". */
int app_rule_give(const struct app *a, weft_node *node, const char *who, const char *service);

/* --- groups --- */

/* Says what is wrong itself; 0 or 1. */
int app_group_load(const struct app *a, const char *path, weft_group **out);
/* The one of --invitation, NULL without it; *to becomes the whole peer. 0 or 1. */
int app_invitation_load(struct app *a, const char **to, weft_invitation **out);
/* What the node sends to that server goes inside its group. invitation NULL: nothing. 0 or 1. */
int app_invitation_join(const struct app *a, weft_node *node, const weft_invitation *invitation);

/* --- the node --- */

/* Opens it with the options of a; p may carry more. Says what is wrong itself; 0 or 1. */
int app_open_node(struct app *a, weft_node_params *p, weft_node **out);

/* The same for a command that calls *to, which must be a peer with an address and not ourselves.
 * With --invitation it may be "@host:port", and becomes the whole peer. */
int app_open_to(struct app *a, weft_node_params *p, const char **to, weft_node **out);

/* `weft1…@address:port` of the node, for others to use. */
#define APP_PEER_MAX (WEFT_KEY_TEXT_MAX + 64)
void app_peer_text(const weft_node *node, char out[APP_PEER_MAX]);

/* No core dumps, no tracing by others, and a full disk or a closed pipe is an error instead of the
 * end. */
void app_harden(void);

/* Runs until *done, SIGTERM or SIGINT; rewrites the counters every second and at the end. 0, or 130
 * after a signal. */
int app_run(struct app *a, weft_node *node, const bool *done);

/* As one turn of app_run, for programs that wait for other files too: fds and what to wait for; -1
 * fds are left out. False after a signal. */
struct app_wait {
    int fd;
    short events;
    bool ready;
};
bool app_turn(struct app *a, weft_node *node, struct app_wait *waits, size_t count);

/* Goes on answering for so long. False after a signal. */
bool app_rest(struct app *a, weft_node *node, uint64_t ms);

/* The last counters. */
void app_write_stats(struct app *a, const weft_node *node);

/* --- work that a server asks for --- */

/* --work-time into the parameters; says what is wrong itself, 0 or 1. */
int app_work_option(struct app *a, weft_node_params *p);
/* From now on it is shown on a terminal. */
void app_work_show(struct app *a, weft_node *node);

/* --- progress --- */
struct app_bar {
    bool is_on; /* standard error is a terminal, and neither --quiet nor --json */
    uint64_t last_ms, started_ms;
};
void app_bar_init(struct app_bar *b, const struct app *a);
void app_bar_show(struct app_bar *b, const char *name, uint64_t done, uint64_t size);
void app_bar_clear(struct app_bar *b);

/* Milliseconds of a clock that never steps back. */
uint64_t app_now_ms(void);

/* The SHA-256 as text, 65 bytes. */
void app_digest_text(char out[65], const uint8_t digest[WEFT_DIGEST_LEN]);

/* --- options --- */

/* The options every command has; parsed wherever they stand. Further ones are given as a table. */
struct app_option {
    const char *name; /* long name */
    char letter;      /* 0: none */
    bool has_value;
    void (*set)(void *ctx, const char *value);
};

/* Leaves the other arguments in argv[0..*count). 0: go on; 1: wrong (said so); 2: --help. */
int app_parse(struct app *a, const struct app_option *more, void *ctx, char **argv, int *count);

#endif
