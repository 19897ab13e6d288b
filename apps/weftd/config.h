/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h - the daemon's configuration file: lines "name = value", # begins a comment.
 */
#ifndef WEFT_APPS_WEFTD_CONFIG_H
#define WEFT_APPS_WEFTD_CONFIG_H

#include "common/serve.h"

#define CONFIG_BYTES_MAX 65536

struct config {
    struct app *app;
    struct app_serve serve;
    weft_node_params node;
    char *text;    /* of the file; values point into it */
    unsigned seen; /* names that stood in it, a bit each */
};

/* Reads the file; says what is wrong itself, with the line. 0 or 1. path NULL: the defaults. */
int config_read(struct config *c, const char *path);
void config_free(struct config *c);

#endif
