/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - weft-netem: a link that is bad on purpose, between network namespaces or UDP ports.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netem/run.h"
#include "weft/base.h"

static const char usage[] =
    "weft-netem: a link that is bad on purpose, for real programs\n"
    "\n"
    "usage: weft-netem tun --a END --b END [OPTION VALUE]...\n"
    "       weft-netem udp --listen ADDRESS:PORT --to ADDRESS:PORT [OPTION VALUE]...\n"
    "\n"
    "  tun    joins two network namespaces by a TUN device in each (needs root); carries every IP\n"
    "         packet. END is NAMESPACE:DEVICE:ADDRESS/PREFIX[,ADDRESS/PREFIX...]; a namespace is "
    "a\n"
    "         name of `ip netns`, a process id, a path, or - for the present one\n"
    "  udp    relays datagrams between clients and one server; port 0 takes a free one\n"
    "\n"
    "the link: for both directions, or as --up-NAME (a to b, client to server) or --down-NAME\n"
    "  --delay TIME              one way, such as 25ms\n"
    "  --jitter TIME             0 to this much is added\n"
    "  --keep-order yes|no       jitter makes nothing overtake (yes)\n"
    "  --loss SHARE              such as 2%\n"
    "  --burst IN,OUT,LOSS       Gilbert: into a bad state, out of it, lost inside: 1%,20%,90%\n"
    "  --reorder SHARE           these are held back by\n"
    "  --reorder-by TIME         this much (10ms)\n"
    "  --duplicate SHARE         come twice\n"
    "  --corrupt SHARE           one bit flips; of UDP in the payload, and the checksum is mended\n"
    "  --rate RATE               such as 10mbit\n"
    "  --queue BYTES|TIME        may wait for the rate (100ms); what is more is dropped\n"
    "  --ecn-mark BYTES|TIME     waiting ones from which on ECT becomes CE\n"
    "  --ecn-bleach yes|no       clears the ECN bits\n"
    "  --mtu BYTES               of an IP packet; larger ones are dropped, in tun mode with ICMP\n"
    "  --mtu-silent yes|no       without ICMP\n"
    "  --cut yes|no              nothing passes\n"
    "  --blackout START+LENGTH[/EVERY]   nothing passes for a while, such as 5s+2s/20s\n"
    "  --drop FROM-TO            loses packets of these numbers; the first is 1\n"
    "  --fault-packets N         loss, reordering, copies and flips hit the first N alone\n"
    "  --at TIME                 what follows holds from then on\n"
    "\n"
    "  --scenario FILE           lines NAME VALUE, named as here without the dashes\n"
    "  --rebind TIME             udp: so often each client gets another port toward the server\n"
    "  --rebind-address ADDRESS  and the next of these addresses (again for more)\n"
    "  --device-mtu BYTES        of the TUN devices (1500)\n"
    "  --seed N                  decides whatever chance decides (1)\n"
    "  --for TIME                ends by itself; else by SIGINT or SIGTERM\n"
    "  --json FILE|-             what it did, at the end\n"
    "  --every TIME              and so often\n"
    "  --held-max BYTES          of memory for packets under way (256m)\n"
    "  --help, --version\n";

/* The whole file, or NULL; at most NETEM_SCENARIO_MAX. */
static char *read_scenario(const char *path, size_t *len)
{
    FILE *in = fopen(path, "r");
    char *text = in == NULL ? NULL : malloc(NETEM_SCENARIO_MAX + 1);

    if (text == NULL) {
        (void)netem_refuse("the scenario %.200s cannot be read: %s; name another file.", path,
                           strerror(errno));
    } else {
        *len = fread(text, 1, NETEM_SCENARIO_MAX + 1, in);
        if (ferror(in) != 0 || *len > NETEM_SCENARIO_MAX) {
            (void)netem_refuse("the scenario %.200s is no text of at most %u bytes; make it "
                               "shorter.",
                               path, NETEM_SCENARIO_MAX);
            free(text);
            text = NULL;
        }
    }
    if (in != NULL) {
        (void)fclose(in);
    }
    return text;
}

static bool take_scenario(struct netem_options *o)
{
    size_t len = 0;
    char *text = read_scenario(o->scenario, &len);
    bool good = false;

    o->scenario = NULL;
    if (text == NULL)
        return false;
    good = netem_options_text(o, (weft_span){(const uint8_t *)text, len}) ||
           netem_refuse("%s", o->error);
    free(text);
    return good;
}

static bool parse(struct netem_options *o, int argc, char **argv)
{
    netem_options_init(o);
    for (int at = 1; at < argc;) {
        if (!netem_options_take(o, argc, argv, &at))
            return netem_refuse("%s", o->error);
        if (o->mode == NETEM_HELP || o->mode == NETEM_VERSION)
            return true;
        if (o->scenario != NULL && !take_scenario(o))
            return false;
    }
    return netem_options_finish(o) || netem_refuse("%s", o->error);
}

static bool run(struct netem *n)
{
    bool good = netem_open(n);

    if (good) {
        good = n->options.mode == NETEM_TUN ? netem_tun(n) : netem_udp(n);
    }
    netem_close(n);
    return good;
}

int main(int argc, char **argv)
{
    static struct netem n;

    if (!parse(&n.options, argc, argv))
        return 1;
    if (n.options.mode == NETEM_HELP) {
        return fputs(usage, stdout) < 0 || fflush(stdout) != 0;
    }
    if (n.options.mode == NETEM_VERSION) {
        return printf("weft-netem %s\n", weft_version()) < 0 || fflush(stdout) != 0;
    }
    return run(&n) ? 0 : 1;
}
