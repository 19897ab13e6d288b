/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - what the command line and a scenario ask for. Nothing here touches a file or a
 * socket.
 */
#ifndef NETEM_OPTIONS_H
#define NETEM_OPTIONS_H

#include "base/addr.h"
#include "netem/plan.h"

#define NETEM_SPACE_MAX 256u  /* bytes of a namespace's name or path */
#define NETEM_DEVICE_MAX 16u  /* bytes of a device's name */
#define NETEM_NETS_MAX 4u     /* addresses of a device */
#define NETEM_SOURCES_MAX 16u /* addresses to rebind among */
#define NETEM_ERROR_MAX 320u
#define NETEM_SCENARIO_MAX 65536u /* bytes of a scenario */
#define NETEM_HELD_DEFAULT (256u << 20)

enum netem_mode {
    NETEM_NONE,
    NETEM_TUN,
    NETEM_UDP,
    NETEM_HELP,
    NETEM_VERSION,
};

struct netem_net {
    struct wf_addr addr;
    uint8_t prefix;
};

struct netem_end {
    char space[NETEM_SPACE_MAX]; /* a path, or empty: the present network namespace */
    char device[NETEM_DEVICE_MAX];
    struct netem_net nets[NETEM_NETS_MAX];
    size_t net_count;
};

struct netem_options {
    enum netem_mode mode;
    struct netem_plan plan;
    struct netem_end ends[2]; /* a, b */
    uint64_t device_mtu;
    struct wf_addr listen, to;
    uint64_t rebind_us; /* 0: never */
    struct wf_addr sources[NETEM_SOURCES_MAX];
    size_t source_count;
    uint64_t seed;
    uint64_t for_us, every_us;   /* 0: until a signal; only at the end */
    uint64_t held_max;           /* bytes, of both directions together */
    const char *json;            /* a path, "-", or NULL; borrowed from the command line */
    const char *scenario;        /* a path to be read before the next argument, or NULL; borrowed */
    char error[NETEM_ERROR_MAX]; /* one sentence, when something was refused */
};

void netem_options_init(struct netem_options *o);

/* Takes argv[*at] and what belongs to it, and moves *at behind. False: o->error says why. With
 * o->scenario set afterwards, the caller reads that file and hands it to netem_options_text. */
bool netem_options_take(struct netem_options *o, int argc, char **argv, int *at);

/* The lines of a scenario: "NAME VALUE" with the names of the command line, without the dashes; a
 * line that begins with # is a comment. */
bool netem_options_text(struct netem_options *o, weft_span text);

/* After the last: is everything there? */
bool netem_options_finish(struct netem_options *o);

#endif
