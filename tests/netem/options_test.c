/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options_test.c - command lines and scenarios: what they mean, and one sentence for each that
 * means nothing.
 */
#include "base/bytes.h"
#include "netem/options.h"
#include "test.h"

#define ARGS_MAX 24

static struct netem_options o;

/* Words of a command line, without the program. */
static bool take(const char *line)
{
    char *text = (char *)test_copy(line, strlen(line) + 1);
    char *argv[ARGS_MAX] = {NULL};
    char *word = text;
    int argc = 0;
    int at = 0;
    bool good = true;

    for (char *end = text; *end != '\0'; word = end) {
        word += strspn(word, " ");
        end = word + strcspn(word, " ");
        argv[argc++] = word;
        if (*end != '\0') {
            *end++ = '\0';
        }
    }
    netem_options_init(&o);
    while (good && at < argc) {
        good = netem_options_take(&o, argc, argv, &at);
    }
    good = good && netem_options_finish(&o);
    o.json = o.scenario = NULL; /* they pointed into the text */
    free(text);
    return good;
}

static bool is_sentence(const char *s)
{
    const size_t len = strlen(s);

    return len > 20 && s[len - 1] == '.' && strchr(s, '\n') == NULL;
}

TEST(both_ends_of_a_tun_link_have_namespace_device_and_addresses)
{
    CHECK(take("tun --a left:we0:10.9.0.1/24,fd09::1/64 --b 4711:we1:10.9.0.2/24"));
    CHECK_EQ(o.mode, NETEM_TUN);
    CHECK_STR_EQ(o.ends[0].space, "/run/netns/left");
    CHECK_STR_EQ(o.ends[0].device, "we0");
    CHECK_EQ(o.ends[0].net_count, 2);
    CHECK_EQ(o.ends[0].nets[1].prefix, 64);
    CHECK(!wf_addr_is_v4(&o.ends[0].nets[1].addr));
    CHECK_STR_EQ(o.ends[1].space, "/proc/4711/ns/net");
    CHECK(take("tun --a -:we0:10.9.0.1/24 --b /run/x/y:we1:10.9.0.2/0"));
    CHECK_STR_EQ(o.ends[0].space, "");
    CHECK_STR_EQ(o.ends[1].space, "/run/x/y");
    CHECK_EQ(o.device_mtu, 1500);
}

TEST(a_relay_has_two_addresses_and_may_rebind)
{
    CHECK(take("udp --listen 127.0.0.1:0 --to 127.0.0.1:4870 --rebind 2s --rebind-address "
               "127.0.0.2 --rebind-address 127.0.0.3 --seed 9 --for 5s --held-max 64m"));
    CHECK_EQ(o.mode, NETEM_UDP);
    CHECK_EQ(o.to.port, 4870);
    CHECK_EQ(o.rebind_us, 2000000);
    CHECK_EQ(o.source_count, 2);
    CHECK_EQ(o.seed, 9);
    CHECK_EQ(o.for_us, 5000000);
    CHECK_EQ(o.held_max, 64000000);
}

TEST(what_follows_at_holds_from_then_on)
{
    CHECK(take("udp --listen 127.0.0.1:0 --to 127.0.0.1:1 --delay 5ms --at 3s --up-delay 50ms"));
    CHECK_EQ(o.plan.count, 2);
    CHECK_EQ(o.plan.stages[1].at, 3000000);
    CHECK_EQ(o.plan.stages[1].legs[NETEM_UP].link.delay_us, 50000);
    CHECK_EQ(o.plan.stages[1].legs[NETEM_DOWN].link.delay_us, 5000);
}

#define UDP "udp --listen 127.0.0.1:0 --to 127.0.0.1:1 "

TEST(every_refusal_is_one_sentence)
{
    static const char *const lines[] = {
        "--delay 5ms",
        "udp",
        "tun",
        "udp udp",
        "bridge",
        "udp --listen 127.0.0.1:0 --to 127.0.0.1:0",
        UDP "--delay",
        UDP "--delay 5",
        UDP "--speed 5",
        UDP "-d 5ms",
        UDP "--at 0s",
        UDP "--seed x",
        UDP "--for ever",
        UDP "--every 1s",
        UDP "--every 1ms --json -",
        UDP "--rebind-address 127.0.0.2",
        UDP "--rebind 1s --rebind-address ::1",
        UDP "--rebind 1s --rebind-address localhost",
        UDP "--held-max 65535",
        UDP "--device-mtu 575",
        UDP "--a -:we0:10.9.0.1/24",
        "udp --listen localhost:1 --to 127.0.0.1:1",
        "tun --a x:we0:10.9.0.1/24",
        "tun --a x:we0:10.9.0.1/24 --b y:we1:10.9.0.2/24 --rebind 1s",
        "tun --a x:we0:10.9.0.1/24 --b y:we1:10.9.0.2/24 --to 127.0.0.1:1",
        "tun --a x:we0:10.9.0.1/33 --b y:we1:10.9.0.2/24",
        "tun --a x:we0:10.9.0.1 --b y:we1:10.9.0.2/24",
        "tun --a x:a-name-of-16-by:10.9.0.1/24x --b y:we1:10.9.0.2/24",
        "tun --a x:a-name-of-16-byt:10.9.0.1/24 --b y:we1:10.9.0.2/24",
        "tun --a x:we/0:10.9.0.1/24 --b y:we1:10.9.0.2/24",
        "tun --a ..:we0:10.9.0.1/24 --b y:we1:10.9.0.2/24",
        "tun --a x:we%d:10.9.0.1/24 --b y:we1:10.9.0.2/24",
        "tun --a x::10.9.0.1/24 --b y:we1:10.9.0.2/24",
        "tun --a x:we0:1.1.1.1/8,1.1.1.2/8,1.1.1.3/8,1.1.1.4/8,1.1.1.5/8 --b y:we1:10.9.0.2/24",
    };

    for (size_t i = 0; i < WF_ARRAY_LEN(lines); i++) {
        test_note("%s", lines[i]);
        CHECK(!take(lines[i]));
        CHECK(is_sentence(o.error));
    }
}

TEST(limits_themselves_are_accepted)
{
    CHECK(take(UDP "--held-max 65536"));
    CHECK(take("tun --a x:a-name-of-15-by:10.9.0.1/32 --b y:b:fd00::1/128 --device-mtu 576"));
    CHECK(take(UDP "--every 10ms --json -"));
}

TEST(help_and_version_need_nothing_else)
{
    char *argv[] = {(char *)test_copy("--help", 7), (char *)test_copy("--version", 10)};
    int at = 0;

    netem_options_init(&o);
    CHECK(netem_options_take(&o, 2, argv, &at));
    CHECK_EQ(o.mode, NETEM_HELP);
    CHECK(netem_options_take(&o, 2, argv, &at));
    CHECK_EQ(o.mode, NETEM_VERSION);
    free(argv[0]);
    free(argv[1]);
}

static bool text(const char *scenario)
{
    uint8_t *in = test_copy(scenario, strlen(scenario));
    bool good = false;

    netem_options_init(&o);
    good = netem_options_text(&o, (weft_span){in, strlen(scenario)});
    free(in);
    return good;
}

TEST(a_scenario_says_the_same_without_dashes)
{
    CHECK(text("# a bad evening\n\n  delay   20ms  \nup-loss 2%\r\nat 5s\ncut yes\nseed 4"));
    CHECK_EQ(o.plan.count, 2);
    CHECK_EQ(o.plan.stages[0].legs[NETEM_DOWN].link.delay_us, 20000);
    CHECK_EQ(o.plan.stages[0].legs[NETEM_UP].link.loss_ppm, 20000);
    CHECK(!o.plan.stages[0].legs[NETEM_UP].link.cut);
    CHECK(o.plan.stages[1].legs[NETEM_UP].link.cut);
    CHECK_EQ(o.seed, 4);
}

TEST(a_bad_line_of_a_scenario_is_named)
{
    static const char *const bad[] = {
        "delay 20ms\nspeed 5", "delay 20ms\ndelay",     "delay 1ms\nlisten 127.0.0.1:1",
        "delay 1ms\njson x",   "delay 1ms\nscenario x", "delay 1ms\nat 0s",
    };

    for (size_t i = 0; i < WF_ARRAY_LEN(bad); i++) {
        test_note("%s", bad[i]);
        CHECK(!text(bad[i]));
        CHECK(strncmp(o.error, "line 2 of the scenario: ", 24) == 0);
        CHECK(is_sentence(o.error));
    }
}

TEST(lines_of_a_scenario_are_text_and_not_too_long)
{
    char line[300];
    uint8_t *in = NULL;

    memset(line, '#', sizeof line);
    netem_options_init(&o);
    in = test_copy(line, 255);
    CHECK(netem_options_text(&o, (weft_span){in, 255}));
    free(in);
    in = test_copy(line, 256);
    CHECK(!netem_options_text(&o, (weft_span){in, 256}));
    CHECK(is_sentence(o.error));
    free(in);
    in = test_copy("#\0#", 3);
    CHECK(!netem_options_text(&o, (weft_span){in, 3}));
    free(in);
}
