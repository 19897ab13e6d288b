/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - the command `weft`: finds the subcommand.
 */
#include <stdlib.h>
#include <string.h>

#include "weft/weft.h"

#include "weft.h"

static const char help[] =
    "weft - messages that carry their own security\n"
    "\n"
    "usage: weft COMMAND [OPTION…] [ARGUMENT…]\n"
    "\n"
    "  key new|show [--for S]    make this user's key; show its public half, or what server S "
    "sees\n"
    "  allow KEY|any SERVICE     let somebody use a service (\"*\": every one)\n"
    "  pin add|list|remove       know servers by name; their owners say which key they have\n"
    "  statement make|show       say it, as an owner\n"
    "  group new|invite FILE     make a group whose talk is nobody else's business; invite to it\n"
    "  listen --dir D            receive files into a folder; offer others with --offer PATH\n"
    "  send FILE… TO             send files\n"
    "  get PEER [NAME]           fetch an offered file; without NAME list what is offered\n"
    "  ping PEER                 measure round trips\n"
    "  echo PEER [TEXT…]         send a text and print the answer\n"
    "  cat PEER, cat --listen A  join standard input and output of two programs\n"
    "\n"
    "A peer is written weft1…@host:port, or NAME@host:port after `weft pin`. Options everywhere:\n"
    "  -k, --key FILE            key file (default: ~/.config/weft/key)\n"
    "      --passphrase-file F   passphrase of the key\n"
    "  -l, --listen ADDR:PORT    local address; port 0 takes a free one\n"
    "      --rules FILE          rules of `weft allow` (default: beside the key)\n"
    "      --stats-json FILE     counters, rewritten every second and at the end\n"
    "      --keylog FILE         session secrets for packet decoders\n"
    "      --invitation FILE     call inside a group (weft group --help); a peer is then "
    "@host:port\n"
    "      --first-data          with --invitation: messages may ride in the handshake\n"
    "      --as-self             show this user's own key, the same everywhere\n"
    "      --work-time SECONDS   most work done for a server that asks for some (10)\n"
    "      --congestion NAME     who says how fast to send: cubic or bbr (cubic)\n"
    "  -j, --json                one JSON object a result\n"
    "  -q, --quiet               no progress, no remarks\n"
    "  -h, --help                this, or help for one command\n"
    "      --version             version\n";

static const struct {
    const char *name;
    int (*run)(struct app *a, int argc, char **argv);
} commands[] = {
    {"key", cmd_key},     {"allow", cmd_allow},   {"pin", cmd_pin},   {"statement", cmd_statement},
    {"group", cmd_group}, {"listen", cmd_listen}, {"send", cmd_send}, {"get", cmd_get},
    {"ping", cmd_ping},   {"echo", cmd_echo},     {"cat", cmd_cat},
};

int cmd_options(struct app *a, const struct usage *u, void *ctx, char **argv, int *argc)
{
    int wrong = app_parse(a, u->options, ctx, argv, argc);

    if (wrong == 2) {
        (void)fputs(u->text, stdout);
        return 0;
    }
    if (wrong != 0)
        return 1;
    if (*argc < u->min || (u->max >= 0 && *argc > u->max)) {
        (void)fputs(u->text, stderr);
        return 1;
    }
    return -1;
}

uint64_t cmd_number(struct app *a, const char *text, uint64_t max, bool *bad)
{
    char *end = NULL;
    unsigned long long v = text[0] >= '0' && text[0] <= '9' ? strtoull(text, &end, 10) : 0;

    if (end == NULL || *end != '\0' || v > max) {
        (void)app_fail(a, "\"%.40s\" is no number from 0 to %llu.", text, (unsigned long long)max);
        *bad = true;
        return 0;
    }
    return v;
}

static int run(struct app *a, int argc, char **argv)
{
    if (argc < 2) {
        (void)fputs(help, stderr);
        return 1;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        (void)fputs(help, stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)printf("weft %s\n", weft_version());
        return 0;
    }
    app_harden();
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(a, argc - 2, argv + 2);
    }
    if (argv[1][0] == '-')
        return app_fail(a, "options come after the command: weft COMMAND %.40s … See weft --help.",
                        argv[1]);
    return app_fail(a, "there is no command \"%.40s\". See weft --help.", argv[1]);
}

int main(int argc, char **argv)
{
    static struct app a = {.program = "weft"};

    return app_finish(&a, run(&a, argc, argv));
}
