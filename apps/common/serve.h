/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve.h - what `weft listen` and `weftd` both serve: files into a folder, files on offer, echo.
 */
#ifndef WEFT_APPS_SERVE_H
#define WEFT_APPS_SERVE_H

#include "common/app.h"

struct app_rule {
    const char *who, *service;
};

struct app_serve {
    struct app *app;
    const char *folder; /* NULL: receives nothing */
    const char *offers[APP_LIST_MAX];
    size_t offer_count;
    struct app_rule rules[APP_LIST_MAX];
    size_t rule_count;
    const char *statement; /* file of what the owner says about our key; NULL: none */
    weft_statement loaded; /* from it */
    const char *work_effort, *work_algorithm; /* as given; `weft listen` */
    const char *groups[APP_LIST_MAX];         /* group files */
    size_t group_count;
    bool only_groups;
    bool echo;
    struct app_bar bar;
};

/* One more group file of the options; says so itself when there are too many. */
void app_serve_add_group(struct app_serve *s, const char *path);

/* Before the node is opened. Says what is wrong itself; 0 or 1. */
int app_serve_statement(struct app_serve *s, weft_node_params *p);

/* Sets services, rules and offers up. Says what is wrong itself; 0 or 1. */
int app_serve_start(struct app_serve *s, weft_node *node);

/* Says where it listens and how to reach it. */
void app_serve_announce(const struct app_serve *s, const weft_node *node);

/* One line for a file that came or went: words, or JSON with --json. */
void app_print_file(const struct app *a, const char *verb, const weft_file_result *r);

#endif
