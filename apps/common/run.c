/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.c - opening a node and keeping it going until the work is done or somebody ends the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/app.h"

#define STATS_EVERY_MS 1000
#define WAITS_MAX 8

static volatile sig_atomic_t signalled;
static weft_node *running;

static void on_signal(int number)
{
    (void)number;
    signalled = 1;
    if (running != NULL)
        weft_node_stop(running); /* wakes its wait */
}

static void catch_signals(weft_node *node)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    running = node;
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
}

static int check_statement(const struct app *a, const weft_node_params *p)
{
    weft_key key = weft_identity_key(p->identity);

    if (p->statement == NULL || memcmp(&p->statement->key, &key, sizeof key) == 0)
        return 0;
    return app_fail(a, "the statement is about another key than the one in %s.", a->key_path);
}

static int read_congestion(struct app *a, weft_node_params *p)
{
    if (a->congestion == NULL)
        return 0;
    if (strcmp(a->congestion, "bbr") == 0) {
        p->congestion = WEFT_CONGESTION_BBR;
    } else if (strcmp(a->congestion, "cubic") == 0) {
        p->congestion = WEFT_CONGESTION_CUBIC;
    } else {
        return app_fail(a, "--congestion is cubic or bbr, and nothing else.");
    }
    return 0;
}

int app_open_node(struct app *a, weft_node_params *p, weft_node **out)
{
    weft_identity *identity = NULL;
    weft_err err = WEFT_OK;

    if (app_work_option(a, p) != 0 || read_congestion(a, p) != 0 ||
        app_load_identity(a, true, &identity) != 0)
        return 1;
    p->identity = identity;
    if (check_statement(a, p) != 0) {
        weft_identity_free(identity);
        return 1;
    }
    if (a->listen != NULL)
        p->listen = a->listen;
    p->keylog_path = a->keylog_path;
    p->show_own_key = a->as_self;
    err = weft_node_open(out, p);
    weft_identity_free(identity);
    if (err == WEFT_OK) {
        catch_signals(*out);
        app_work_show(a, *out);
        return 0;
    }
    if (p->rest_path != NULL && err == WEFT_ERR_EXISTS)
        return app_fail(
            a,
            "The rest file %s holds something else, and was left alone. Move it away, or "
            "name a file that is not there yet.",
            p->rest_path);
    if (p->rest_path != NULL)
        return app_fail_err(a, err, "cannot open a node at %s with the rest file %s",
                            p->listen == NULL ? "any address" : p->listen, p->rest_path);
    if (p->listen != NULL)
        return app_fail_err(a, err, "cannot open a node at %s", p->listen);
    return app_fail_err(a, err, "cannot open a node");
}

/* A name stands for the key of its pin, and its owner decides which key is shown. 0 or 1; the error
 * of reading what was given is in *err. */
static int read_peer(struct app *a, weft_node *node, const char *to, weft_peer *peer, weft_err *err)
{
    char text[WEFT_KEY_TEXT_MAX + WEFT_HOST_MAX + 16];
    weft_pin pin;
    weft_key owner;
    weft_key shown;
    bool wrong = false;

    *err = weft_peer_parse(peer, to);
    owner = peer->key;
    if (*err == WEFT_ERR_MALFORMED && app_pin_find(a, to, &pin, &wrong) == 0) {
        weft_key_text(text, &pin.key);
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s",
                       to + strlen(pin.name));
        *err = weft_peer_parse(peer, text);
        owner = pin.owner;
        if (*err == WEFT_OK && app_pin_use(a, node, &pin) != 0)
            return 1;
    }
    if (*err == WEFT_OK && weft_node_key_for(&shown, node, &owner) == WEFT_OK)
        weft_key_text(a->shown, &shown);
    return wrong;
}

static int check_peer(struct app *a, weft_node *node, const char *to)
{
    weft_peer peer = {.port = 0};
    weft_key own = weft_node_key(node);
    weft_err err = WEFT_OK;

    if (read_peer(a, node, to, &peer, &err) != 0)
        return 1;
    if (err == WEFT_ERR_MALFORMED)
        return app_fail(a,
                        "\"%.100s\" is no peer: it is written weft1…@host:port (a character of the "
                        "key may be mistyped), or begins with a name that `weft pin list` shows.",
                        to);
    if (err != WEFT_OK || peer.host[0] == '\0')
        return app_fail(a, "\"%.100s\" has no good address: a peer is written weft1…@host:port.",
                        to);
    if (memcmp(peer.key.bytes, own.bytes, sizeof own.bytes) == 0)
        return app_fail(a, "\"%.100s\" is your own key: give the key of the other side.", to);
    return 0;
}

int app_open_to(struct app *a, weft_node_params *p, const char **to, weft_node **out)
{
    weft_invitation *invitation = NULL;
    int status = app_invitation_load(a, to, &invitation);

    if (status == 0)
        status = app_open_node(a, p, out);
    if (status == 0 &&
        (check_peer(a, *out, *to) != 0 || app_invitation_join(a, *out, invitation) != 0)) {
        weft_node_close(*out);
        *out = NULL;
        status = 1;
    }
    weft_invitation_free(invitation);
    return status;
}

void app_harden(void)
{
    const struct rlimit none = {0, 0};

    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* Somebody may have put a link there: what is there goes, and only a file we make is written to. */
static FILE *open_new(const char *path)
{
    int fd = -1;
    FILE *f = NULL;

    (void)unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    f = fd < 0 ? NULL : fdopen(fd, "w");
    if (f == NULL && fd >= 0)
        (void)close(fd);
    return f;
}

static bool write_whole(const char *path, const char *text, size_t len)
{
    char temp[APP_TEXT_MAX + 32];
    FILE *f = NULL;
    bool ok = false;

    (void)snprintf(temp, sizeof temp, "%s.%ld.new", path, (long)getpid());
    f = open_new(temp);
    if (f == NULL)
        return false;
    ok = fwrite(text, 1, len, f) == len && fputc('\n', f) != EOF;
    ok = fclose(f) == 0 && ok;
    return ok && rename(temp, path) == 0;
}

/* A reader never sees half of it: it is written beside and renamed. */
void app_write_stats(struct app *a, const weft_node *node)
{
    size_t cap = 1u << 16;
    size_t len = 0;
    char *text = NULL;
    weft_err err = WEFT_ERR_LIMIT;

    if (a->stats_path == NULL)
        return;
    while (err == WEFT_ERR_LIMIT) {
        char *grown = realloc(text, cap);

        if (grown == NULL)
            break;
        text = grown;
        err = weft_node_stats_json(node, text, cap, &len);
        cap = len + 4096;
    }
    if (err == WEFT_OK && !write_whole(a->stats_path, text, len)) {
        (void)app_fail(a, "cannot write the counters to %s: %s. They are no longer written.",
                       a->stats_path, strerror(errno));
        a->stats_path = NULL;
    }
    free(text);
}

static void stats_if_due(struct app *a, const weft_node *node)
{
    static uint64_t last_ms;
    uint64_t now = app_now_ms();

    if (a->stats_path == NULL || (last_ms != 0 && now - last_ms < STATS_EVERY_MS))
        return;
    last_ms = now;
    app_write_stats(a, node);
}

static bool turn(struct app *a, weft_node *node, struct app_wait *waits, size_t count, int wait_ms)
{
    struct pollfd fds[WAITS_MAX + 1] = {{.fd = weft_node_fd(node), .events = POLLIN}};

    for (size_t i = 0; i < count && i < WAITS_MAX; i++)
        fds[i + 1] = (struct pollfd){.fd = waits[i].fd, .events = waits[i].events};
    if (poll(fds, count + 1, wait_ms) < 0 && errno != EINTR)
        return false;
    for (size_t i = 0; i < count && i < WAITS_MAX; i++)
        waits[i].ready = fds[i + 1].revents != 0;
    if (weft_node_poll(node, 0) != WEFT_OK)
        return false;
    stats_if_due(a, node);
    return signalled == 0;
}

bool app_turn(struct app *a, weft_node *node, struct app_wait *waits, size_t count)
{
    return turn(a, node, waits, count, a->stats_path == NULL ? -1 : STATS_EVERY_MS);
}

bool app_rest(struct app *a, weft_node *node, uint64_t ms)
{
    uint64_t until = app_now_ms() + ms;

    for (uint64_t now = app_now_ms(); now < until; now = app_now_ms()) {
        uint64_t left = until - now;

        if (!turn(a, node, NULL, 0, left < STATS_EVERY_MS ? (int)left : STATS_EVERY_MS))
            return false;
    }
    return true;
}

int app_run(struct app *a, weft_node *node, const bool *done)
{
    int wait_ms = a->stats_path == NULL ? -1 : STATS_EVERY_MS;

    while (!*done && signalled == 0) {
        weft_err err = weft_node_poll(node, wait_ms);

        if (err != WEFT_OK)
            return app_fail_err(a, err, "the node stopped");
        stats_if_due(a, node);
    }
    app_write_stats(a, node);
    return signalled != 0 ? 130 : 0;
}
