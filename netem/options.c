/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c - options by their names. Whatever is refused is told in one sentence that says what
 * would do.
 */
#include "netem/options.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "netem/value.h"

#define DEVICE_MTU 1500u
#define DEVICE_MTU_MIN 576u
#define DEVICE_MTU_MAX 65535u
#define HELD_MIN 65536u
#define HELD_MAX (4u * 1000000000ull)
#define LINE_MAX_LEN 256u
#define EVERY_MIN_US 10000u

void netem_options_init(struct netem_options *o)
{
    memset(o, 0, sizeof *o);
    netem_plan_init(&o->plan);
    o->device_mtu = DEVICE_MTU;
    o->seed = 1;
    o->held_max = NETEM_HELD_DEFAULT;
}

static bool fail(struct netem_options *o, const char *what, const char *value, const char *wanted)
{
    (void)snprintf(o->error, sizeof o->error, "%.32s: \"%.64s\" is not understood; it takes %s.",
                   what, value, wanted);
    return false;
}

/* --- ends of a TUN link --- */

static bool set_net(struct netem_end *end, const char *text)
{
    char ip[WF_ADDR_TEXT_MAX];
    const char *rest = text;
    uint64_t prefix = 0;
    struct netem_net *net = &end->nets[end->net_count];

    if (end->net_count == NETEM_NETS_MAX || !netem_split(ip, sizeof ip, &rest, text, '/') ||
        wf_addr_parse_ip(&net->addr, wf_span_of(ip)) != WEFT_OK || !netem_number(&prefix, rest) ||
        prefix > (wf_addr_is_v4(&net->addr) ? 32u : 128u))
        return false;
    net->prefix = (uint8_t)prefix;
    end->net_count++;
    return true;
}

/* A name is that of `ip netns`, a number that of a process, and "-" means the present one. */
static bool set_space(struct netem_end *end, const char *name)
{
    const char *before = "/run/netns/";
    const char *behind = "";
    uint64_t pid = 0;

    end->space[0] = '\0';
    if (strcmp(name, "-") == 0)
        return true;
    if (strchr(name, '/') != NULL) {
        before = "";
    } else if (netem_number(&pid, name)) {
        before = "/proc/";
        behind = "/ns/net";
    } else if (name[0] == '\0' || name[0] == '.') {
        return false;
    }
    return snprintf(end->space, sizeof end->space, "%s%s%s", before, name, behind) <
           (int)sizeof end->space;
}

static bool is_device(const char *name)
{
    return name[0] != '\0' && strchr(name, '/') == NULL && strchr(name, '%') == NULL &&
           name[0] != '.';
}

static bool set_end(struct netem_options *o, const char *name, size_t which, const char *value)
{
    struct netem_end end = {.net_count = 0};
    char space[NETEM_SPACE_MAX - 16];
    char net[WF_ADDR_TEXT_MAX];
    const char *rest = value;
    bool good = netem_split(space, sizeof space, &rest, rest, ':') &&
                netem_split(end.device, sizeof end.device, &rest, rest, ':') &&
                set_space(&end, space) && is_device(end.device);

    while (good && netem_split(net, sizeof net, &rest, rest, ',')) {
        good = set_net(&end, net);
    }
    if (!good || !set_net(&end, rest))
        return fail(o, name, value, "NAMESPACE:DEVICE:ADDRESS/PREFIX such as left:we0:10.9.0.1/24");
    o->ends[which] = end;
    return true;
}

/* --- addresses --- */

static bool set_addr(struct netem_options *o, const char *name, struct wf_addr *out,
                     const char *value)
{
    if (wf_addr_parse(out, wf_span_of(value)) != WEFT_OK)
        return fail(o, name, value, "an address and port such as 127.0.0.1:4870");
    return true;
}

static bool set_source(struct netem_options *o, const char *name, const char *value)
{
    if (o->source_count == NETEM_SOURCES_MAX ||
        wf_addr_parse_ip(&o->sources[o->source_count], wf_span_of(value)) != WEFT_OK)
        return fail(o, name, value, "an address of this machine such as 127.0.0.2, 16 at most");
    o->source_count++;
    return true;
}

/* --- values --- */

static bool set_time(struct netem_options *o, const char *name, uint64_t *out, const char *value)
{
    if (!netem_time(out, value))
        return fail(o, name, value, "a time such as 5s");
    return true;
}

static bool set_between(struct netem_options *o, const char *name, uint64_t *out, const char *value)
{
    const bool is_mtu = out == &o->device_mtu;
    const uint64_t least = is_mtu ? DEVICE_MTU_MIN : HELD_MIN;
    const uint64_t most = is_mtu ? DEVICE_MTU_MAX : HELD_MAX;
    uint64_t v = 0;

    if (!netem_bytes(&v, value) || v < least || v > most)
        return fail(o, name, value,
                    is_mtu ? "576 to 65535 bytes" : "bytes from 65536 to 4000m such as 64m");
    *out = v;
    return true;
}

static bool set_at(struct netem_options *o, const char *name, const char *value)
{
    uint64_t at = 0;

    if (!netem_time(&at, value) || !netem_plan_add(&o->plan, at))
        return fail(o, name, value, "a time later than the one before, 63 of them at most");
    return true;
}

/* Options that a scenario may have too. */
static enum netem_set set_common(struct netem_options *o, const char *name, const char *value)
{
    const char *wanted = "";
    bool good = true;

    if (strcmp(name, "at") == 0) {
        good = set_at(o, name, value);
    } else if (strcmp(name, "seed") == 0) {
        good = netem_number(&o->seed, value) || fail(o, name, value, "a whole number");
    } else if (strcmp(name, "for") == 0) {
        good = set_time(o, name, &o->for_us, value);
    } else if (strcmp(name, "rebind") == 0) {
        good = set_time(o, name, &o->rebind_us, value);
    } else if (strcmp(name, "rebind-address") == 0) {
        good = set_source(o, name, value);
    } else {
        const enum netem_set set = netem_plan_set(&o->plan, name, value, &wanted);

        if (set == NETEM_BAD_VALUE) {
            (void)fail(o, name, value, wanted);
        }
        return set;
    }
    return good ? NETEM_SET : NETEM_BAD_VALUE;
}

/* Options of the command line alone. */
static enum netem_set set_own(struct netem_options *o, const char *name, const char *value)
{
    bool good = true;

    if (strcmp(name, "a") == 0 || strcmp(name, "b") == 0) {
        good = set_end(o, name, name[0] == 'b', value);
    } else if (strcmp(name, "device-mtu") == 0) {
        good = set_between(o, name, &o->device_mtu, value);
    } else if (strcmp(name, "listen") == 0) {
        good = set_addr(o, name, &o->listen, value);
    } else if (strcmp(name, "to") == 0) {
        good = set_addr(o, name, &o->to, value);
    } else if (strcmp(name, "every") == 0) {
        good = set_time(o, name, &o->every_us, value);
    } else if (strcmp(name, "held-max") == 0) {
        good = set_between(o, name, &o->held_max, value);
    } else if (strcmp(name, "json") == 0) {
        o->json = value;
    } else if (strcmp(name, "scenario") == 0) {
        o->scenario = value;
    } else {
        return NETEM_UNKNOWN;
    }
    return good ? NETEM_SET : NETEM_BAD_VALUE;
}

static bool unknown(struct netem_options *o, const char *name)
{
    (void)snprintf(o->error, sizeof o->error,
                   "there is no option \"%.40s\"; weft-netem --help lists them.", name);
    return false;
}

static bool set_mode(struct netem_options *o, const char *word)
{
    const enum netem_mode mode = strcmp(word, "tun") == 0   ? NETEM_TUN
                                 : strcmp(word, "udp") == 0 ? NETEM_UDP
                                                            : NETEM_NONE;

    if (mode == NETEM_NONE || o->mode != NETEM_NONE)
        return fail(o, "the mode", word, "tun or udp, once");
    o->mode = mode;
    return true;
}

bool netem_options_take(struct netem_options *o, int argc, char **argv, int *at)
{
    const char *arg = argv[(*at)++];
    enum netem_set set = NETEM_SET;

    if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
        o->mode = NETEM_HELP;
        return true;
    }
    if (strcmp(arg, "--version") == 0) {
        o->mode = NETEM_VERSION;
        return true;
    }
    if (arg[0] != '-')
        return set_mode(o, arg);
    if (strncmp(arg, "--", 2) != 0)
        return unknown(o, arg);
    if (*at >= argc) {
        (void)snprintf(o->error, sizeof o->error,
                       "%.40s stands alone; give it a value, or see weft-netem --help.", arg);
        return false;
    }
    set = set_own(o, arg + 2, argv[*at]);
    if (set == NETEM_UNKNOWN) {
        set = set_common(o, arg + 2, argv[*at]);
    }
    (*at)++;
    return set == NETEM_UNKNOWN ? unknown(o, arg) : set == NETEM_SET;
}

/* --- scenarios --- */

static bool line_taken(struct netem_options *o, char *line)
{
    static const char blank[] = " \t\r";
    char *name = line + strspn(line, blank);
    char *value = name + strcspn(name, blank);

    if (name[0] == '\0' || name[0] == '#')
        return true;
    if (value[0] != '\0') {
        *value++ = '\0';
        value += strspn(value, blank);
        value[strcspn(value, blank)] = '\0';
    }

    const enum netem_set set = set_common(o, name, value);

    return set == NETEM_UNKNOWN ? unknown(o, name) : set == NETEM_SET;
}

static void blame_line(struct netem_options *o, size_t number)
{
    char said[NETEM_ERROR_MAX];

    memcpy(said, o->error, sizeof said);
    (void)snprintf(o->error, sizeof o->error, "line %zu of the scenario: %.280s", number, said);
}

bool netem_options_text(struct netem_options *o, weft_span text)
{
    char line[LINE_MAX_LEN];
    size_t at = 0;

    for (size_t number = 1; at < text.len; number++) {
        const uint8_t *end = memchr(text.data + at, '\n', text.len - at);
        const size_t len = end == NULL ? text.len - at : (size_t)(end - text.data) - at;

        if (len >= sizeof line || memchr(text.data + at, '\0', len) != NULL) {
            (void)snprintf(o->error, sizeof o->error,
                           "line %zu of the scenario is no text of at most 255 bytes; write one "
                           "property and its value on each line.",
                           number);
            return false;
        }
        memcpy(line, text.data + at, len);
        line[len] = '\0';
        if (!line_taken(o, line)) {
            blame_line(o, number);
            return false;
        }
        at += len + 1;
    }
    return true;
}

/* --- is it all there --- */

static const char *lacks(const struct netem_options *o)
{
    if (o->mode == NETEM_NONE)
        return "say first what to join: weft-netem tun or weft-netem udp; see --help.";
    if (o->mode == NETEM_TUN && (o->ends[0].net_count == 0 || o->ends[1].net_count == 0))
        return "tun needs both ends: --a and --b NAMESPACE:DEVICE:ADDRESS/PREFIX.";
    if (o->mode == NETEM_TUN && (o->rebind_us > 0 || o->source_count > 0))
        return "rebinding is for udp; in tun mode put a NAT into a namespace.";
    if (o->mode == NETEM_UDP && (!wf_addr_is_set(&o->listen) || o->to.port == 0))
        return "udp needs both ends: --listen ADDRESS:PORT and --to ADDRESS:PORT.";
    if (o->mode == NETEM_UDP && (o->ends[0].net_count > 0 || o->ends[1].net_count > 0))
        return "--a and --b are for tun; udp takes --listen and --to.";
    if (o->mode == NETEM_TUN && (wf_addr_is_set(&o->listen) || wf_addr_is_set(&o->to)))
        return "--listen and --to are for udp; tun takes --a and --b.";
    if (o->every_us > 0 && (o->json == NULL || o->every_us < EVERY_MIN_US))
        return "--every needs --json FILE, and at least 10ms.";
    return NULL;
}

static const char *bad_sources(const struct netem_options *o)
{
    for (size_t i = 0; i < o->source_count; i++) {
        if (wf_addr_is_v4(&o->sources[i]) != wf_addr_is_v4(&o->to))
            return "each --rebind-address must be of the family of --to.";
    }
    return o->source_count > 0 && o->rebind_us == 0
               ? "--rebind-address needs --rebind TIME, which says how often."
               : NULL;
}

bool netem_options_finish(struct netem_options *o)
{
    const char *no = lacks(o);

    if (no == NULL) {
        no = bad_sources(o);
    }
    if (no != NULL) {
        (void)snprintf(o->error, sizeof o->error, "%s", no);
        return false;
    }
    netem_plan_finish(&o->plan);
    return true;
}
