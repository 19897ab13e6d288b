/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - weft-attack: one attack, bounded, at a server of one's own; what came of it as a line of
 * JSON.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attack.h"
#include "base/bytes.h"
#include "weft/key.h"

#define COUNT_DEFAULT 1000u
#define SECONDS_DEFAULT 10u

static const char usage[] =
    "usage: weft-attack KIND --target PEER|ADDRESS:PORT [OPTION...]\n"
    "\n"
    "Attacks a weft server of your own on this machine, to see what it does. Only loopback is\n"
    "accepted, or a private address in a network namespace made for it (--namespace).\n"
    "\n"
    "kinds\n"
    "  garbage     any bytes at any length      --shape any|hello|solve|session|type\n"
    "  spoofed     true HELLOs from a million addresses\n"
    "  replay      a SOLVE that made a session, again; needs the key\n"
    "                                     --shape same|bits|boxes|cookie|nonce|bids|work\n"
    "  half-open   SOLVEs that nothing follows; needs the key\n"
    "  forged      packets of a session that nobody sealed, of the first that passes by in the\n"
    "              network namespace, or of --from and --cid; needs --namespace\n"
    "  relay       the same, by standing between client and server; needs --second to listen at\n"
    "  reflect     answers sent back, or on to --second, and their answers too\n"
    "\n"
    "options\n"
    "      --target PEER       weft1...@ADDRESS:PORT, or without the key where it is not needed\n"
    "      --second ADDRESS    another server (reflect), or where to listen (relay)\n"
    "      --count N           datagrams at most (1000; at most 10000000)\n"
    "      --seconds N         at most so long (10; at most 300)\n"
    "      --rate N            datagrams a second (0, as fast as it goes; at most 2000000)\n"
    "      --shape NAME        that way alone; all ways in turn without it\n"
    "      --from ADDRESS      sender of garbage, spoofed or forged ones, by a raw socket\n"
    "      --cid HEX           by which the client calls the server (forged)\n"
    "      --seed N            of what is random (1)\n"
    "      --deaf              leaves the answers lying: nobody reads what forged senders get\n"
    "      --namespace         the target is in the network namespace this runs in\n"
    "      --help\n";

static const struct {
    const char *name;
    bool (*run)(const struct attack *a, struct tally *t);
} kinds[] = {
    {"garbage", attack_garbage}, {"spoofed", attack_spoofed},     {"replay", attack_replay},
    {"forged", attack_forged},   {"half-open", attack_half_open}, {"relay", attack_relay},
    {"reflect", attack_reflect},
};

enum option_id {
    OPT_TARGET = 256,
    OPT_SECOND,
    OPT_COUNT,
    OPT_SECONDS,
    OPT_RATE,
    OPT_SHAPE,
    OPT_FROM,
    OPT_CID,
    OPT_SEED,
    OPT_DEAF,
    OPT_NAMESPACE,
    OPT_HELP,
};

static const struct option options[] = {
    {"target", required_argument, NULL, OPT_TARGET},
    {"second", required_argument, NULL, OPT_SECOND},
    {"count", required_argument, NULL, OPT_COUNT},
    {"seconds", required_argument, NULL, OPT_SECONDS},
    {"rate", required_argument, NULL, OPT_RATE},
    {"shape", required_argument, NULL, OPT_SHAPE},
    {"from", required_argument, NULL, OPT_FROM},
    {"cid", required_argument, NULL, OPT_CID},
    {"seed", required_argument, NULL, OPT_SEED},
    {"deaf", no_argument, NULL, OPT_DEAF},
    {"namespace", no_argument, NULL, OPT_NAMESPACE},
    {"help", no_argument, NULL, OPT_HELP},
    {0},
};

static bool number(uint64_t *out, const char *text, uint64_t most)
{
    char *end = NULL;
    unsigned long long v = strtoull(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || v > most)
        return false;
    *out = v;
    return true;
}

static bool target(struct attack *a, const char *text)
{
    const char *at = strchr(text, '@');
    weft_peer peer;

    if (at != NULL) {
        if (weft_peer_parse(&peer, text) != WEFT_OK)
            return false;
        memcpy(a->key, peer.key.bytes, sizeof a->key);
        a->has_key = true;
        text = at + 1;
    }
    return wf_addr_parse(&a->target, wf_span_of(text)) == WEFT_OK;
}

static bool option(struct attack *a, int id, const char *value)
{
    switch (id) {
    case OPT_TARGET:
        return target(a, value);
    case OPT_SECOND:
        return wf_addr_parse(&a->second, wf_span_of(value)) == WEFT_OK;
    case OPT_COUNT:
        return number(&a->count, value, ATTACK_COUNT_MAX);
    case OPT_SECONDS:
        if (!number(&a->ms, value, ATTACK_SECONDS_MAX))
            return false;
        a->ms *= 1000;
        return true;
    case OPT_RATE:
        return number(&a->rate, value, ATTACK_RATE_MAX);
    case OPT_SHAPE:
        a->shape = value;
        return true;
    case OPT_FROM:
        return wf_addr_parse(&a->from, wf_span_of(value)) == WEFT_OK;
    case OPT_CID:
        a->has_cid = wf_unhex(a->cid, sizeof a->cid, value);
        return a->has_cid;
    case OPT_SEED:
        return number(&a->seed, value, UINT64_MAX);
    case OPT_DEAF:
        a->is_deaf = true;
        return true;
    case OPT_NAMESPACE:
        a->in_namespace = true;
        return true;
    default:
        return false;
    }
}

static void print(const struct attack *a, const struct tally *t, uint64_t took_ns)
{
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"sent", t->sent},
        {"sent_bytes", t->sent_bytes},
        {"unsent", t->unsent},
        {"received", t->received},
        {"received_bytes", t->received_bytes},
        {"handshakes", t->handshakes},
        {"confirms", t->confirms},
        {"passed", t->passed},
        {"longest_chain", t->longest_chain},
        {"worst_growth", t->worst_growth},
    };

    (void)printf("{\"kind\":\"%s\",\"seconds\":%.3f", a->kind, (double)took_ns / 1e9);
    for (size_t i = 0; i < WF_ARRAY_LEN(rows); i++)
        (void)printf(",\"%s\":%llu", rows[i].name, (unsigned long long)rows[i].value);
    (void)printf("}\n");
}

static int run(const struct attack *a)
{
    struct tally t = {0};
    uint64_t began = attack_now_ns();
    const char *no = attack_refusal(a);

    for (size_t i = 0; no == NULL && i < WF_ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i].name, a->kind) != 0)
            continue;
        if (!kinds[i].run(a, &t))
            no = "it could not begin: nobody answered, or a key, a right or an option is missing";
    }
    if (no != NULL) {
        (void)fprintf(stderr, "weft-attack: %s.\n", no);
        return 1;
    }
    print(a, &t, attack_now_ns() - began);
    return 0;
}

static bool is_kind(const char *name)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    struct attack a = {
        .count = COUNT_DEFAULT, .ms = SECONDS_DEFAULT * 1000, .seed = 1, .shape = ""};
    int id = 0;

    while ((id = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (id == OPT_HELP) {
            (void)printf("%s", usage);
            return 0;
        }
        if (!option(&a, id, optarg)) {
            (void)fprintf(stderr, "weft-attack: an option is wrong; see --help.\n");
            return 2;
        }
    }
    if (optind + 1 != argc || !is_kind(argv[optind])) {
        (void)fprintf(stderr, "weft-attack: name one kind; see --help.\n");
        return 2;
    }
    a.kind = argv[optind];
    return run(&a);
}
