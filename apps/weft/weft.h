/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weft.h - the subcommands of `weft`. Each gets the arguments behind its name and returns an exit
 * status.
 */
#ifndef WEFT_APPS_WEFT_H
#define WEFT_APPS_WEFT_H

#include "common/app.h"

int cmd_key(struct app *a, int argc, char **argv);
int cmd_allow(struct app *a, int argc, char **argv);
int cmd_pin(struct app *a, int argc, char **argv);
int cmd_statement(struct app *a, int argc, char **argv);
int cmd_group(struct app *a, int argc, char **argv);
int cmd_listen(struct app *a, int argc, char **argv);
int cmd_send(struct app *a, int argc, char **argv);
int cmd_get(struct app *a, int argc, char **argv);
int cmd_ping(struct app *a, int argc, char **argv);
int cmd_echo(struct app *a, int argc, char **argv);
int cmd_cat(struct app *a, int argc, char **argv);

/* What a command takes besides the common options. */
struct usage {
    const char *text;
    int min, max;                     /* arguments; max -1: any number */
    const struct app_option *options; /* NULL: none of its own */
};

/* Parses the options (ctx goes to the command's own), then checks the number of other arguments;
 * prints the usage when help was asked for or the number is wrong. -1: go on; else the exit status.
 */
int cmd_options(struct app *a, const struct usage *u, void *ctx, char **argv, int *argc);

/* A number of an option, from min to max; says what is wrong and exits the program's way through
 * *bad. */
uint64_t cmd_number(struct app *a, const char *text, uint64_t max, bool *bad);

#endif
