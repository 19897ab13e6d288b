/* SPDX-License-Identifier: Apache-2.0 */
/*
 * addr_test.c - addresses: text, classes, comparison, the mapped form.
 */
#include "base/addr.h"

#include "base/bytes.h"
#include "base/datagram.h"
#include "test.h"

/* Parses an exactly sized copy, so that a byte read too far is seen. */
static weft_err parse(struct wf_addr *out, const char *text)
{
    size_t len = strlen(text);
    uint8_t *copy = test_copy(text, len);
    weft_err err = wf_addr_parse(out, wf_span(copy, len));
    free(copy);
    return err;
}

static weft_err parse_ip(struct wf_addr *out, const char *text)
{
    size_t len = strlen(text);
    uint8_t *copy = test_copy(text, len);
    weft_err err = wf_addr_parse_ip(out, wf_span(copy, len));
    free(copy);
    return err;
}

static struct wf_addr ip_of(const char *text)
{
    struct wf_addr a = {0};
    test_note("%s", text);
    CHECK_OK(parse_ip(&a, text));
    return a;
}

static const char *const canonical[] = {
    "0.0.0.0:0",
    "1.2.3.4:5",
    "255.255.255.255:65535",
    "10.0.0.1:443",
    "[::]:0",
    "[::1]:5",
    "[1::]:1",
    "[1:2:3:4:5:6:7:8]:9",
    "[1::8]:9",
    "[1:0:0:4::8]:9",
    "[1::4:5:0:0:8]:9",
    "[1:2:3:4:5:6:0:8]:9",
    "[2001:db8::ff00:42:8329]:65535",
    "[fe80::1%2]:5",
    "[fe80::1%4294967295]:65535",
    "[ff02::1%7]:5",
    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
    "[::1:0:0:0]:80",
    "[1:1:1:1:1:1:1:0]:80",
    "[64:ff9b::102:304]:80",
};

TEST(canonical_text_survives_a_round_trip)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(canonical); i++) {
        struct wf_addr a = {0};
        char text[WF_ADDR_TEXT_MAX];
        test_note("%s", canonical[i]);
        CHECK_OK(parse(&a, canonical[i]));
        CHECK_EQ(wf_addr_format(text, &a), strlen(canonical[i]));
        CHECK_STR_EQ(text, canonical[i]);
    }
}

TEST(other_spellings_of_an_address_are_understood)
{
    static const char *const pairs[][2] = {
        {"[0:0:0:0:0:0:0:1]:5", "[::1]:5"},
        {"[2001:DB8::FF]:5", "[2001:db8::ff]:5"},
        {"[0001:0002:3::]:5", "[1:2:3::]:5"},
        {"[1:2:3:4:5:6:7::]:5", "[1:2:3:4:5:6:7:0]:5"},
        {"[::2:3:4:5:6:7:8]:5", "[0:2:3:4:5:6:7:8]:5"},
        {"[::ffff:1.2.3.4]:5", "1.2.3.4:5"},
        {"[::FFFF:102:304]:5", "1.2.3.4:5"},
        {"[64:ff9b::1.2.3.4]:5", "[64:ff9b::102:304]:5"},
        {"[::1.2.3.4]:5", "[::102:304]:5"},
        {"[1:2:3:4:5:6:1.2.3.4]:5", "[1:2:3:4:5:6:102:304]:5"},
    };

    for (size_t i = 0; i < WF_ARRAY_LEN(pairs); i++) {
        struct wf_addr a = {0};
        char text[WF_ADDR_TEXT_MAX];
        test_note("%s", pairs[i][0]);
        CHECK_OK(parse(&a, pairs[i][0]));
        (void)wf_addr_format(text, &a);
        CHECK_STR_EQ(text, pairs[i][1]);
    }
}

static const char *const malformed[] = {
    "",
    ":",
    "1",
    "1.2.3.4",
    "1.2.3.4:",
    ":5",
    "1.2.3:5",
    "1.2.3.4.5:6",
    "1.2.3.:5",
    ".1.2.3:5",
    "1..3.4:5",
    "256.1.1.1:5",
    "1.2.3.256:5",
    "01.2.3.4:5",
    "1.2.3.00:5",
    "0x1.2.3.4:5",
    "1.2.3.4:05",
    "1.2.3.4:00",
    "1.2.3.4:65536",
    "1.2.3.4:99999999999999999999",
    "1.2.3.4:-1",
    "1.2.3.4:+1",
    "1.2.3.4: 1",
    " 1.2.3.4:1",
    "1.2.3.4:1 ",
    "1.2.3.4:1\n",
    "1.2.3.4 :1",
    "1.2.3.4:a",
    "1.2.3.4:5:6",
    "[1.2.3.4]:5",
    "[]:5",
    "[",
    "]",
    "[]",
    "[::",
    "[::]",
    "[::]:",
    "[::]5",
    "::1",
    "::1:5",
    "[::1]:65536",
    "[::1]:05",
    "[::1]]:5",
    "[[::1]]:5",
    "[::1]:5]",
    "[:::]:5",
    "[::1::]:5",
    "[1:2:3:4:5:6:7]:5",
    "[1:2:3:4:5:6:7:8:9]:5",
    "[1:2:3:4:5:6:7:8::]:5",
    "[::1:2:3:4:5:6:7:8]:5",
    "[1:2:3:4::5:6:7:8]:5",
    "[1:2:3:4:5:6:7:]:5",
    "[:1:2:3:4:5:6:7]:5",
    "[12345::]:5",
    "[00001::]:5",
    "[g::]:5",
    "[1:]:5",
    "[:1]:5",
    "[1]:5",
    "[:]:5",
    "[::1.2.3]:5",
    "[::1.2.3.256]:5",
    "[::1.2.3.4:1]:5",
    "[::1.2.3.4::]:5",
    "[1.2.3.4::]:5",
    "[1:2:3:4:5:6:7:1.2.3.4]:5",
    "[1:2:3:4:5:1.2.3.4]:5",
    "[::01.2.3.4]:5",
    "[fe80::1%]:5",
    "[fe80::1%0]:5",
    "[fe80::1%eth0]:5",
    "[fe80::1%01]:5",
    "[fe80::1%4294967296]:5",
    "[fe80::1%1%1]:5",
    "[::1%1]:5",
    "[2001:db8::1%3]:5",
    "[::ffff:1.2.3.4%3]:5",
    "[fe80::1%-1]:5",
    "1.2.3.4%1:5",
    "localhost:5",
    "example.org:443",
    "[::1] :5",
};

TEST(every_malformed_address_is_refused_and_leaves_the_result_alone)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(malformed); i++) {
        struct wf_addr a = wf_addr_v4(9, 9, 9, 9, 99);
        struct wf_addr before = a;
        test_note("\"%s\"", malformed[i]);
        CHECK_EQ(parse(&a, malformed[i]), WEFT_ERR_ADDRESS);
        CHECK(wf_addr_equal(&a, &before));
    }
}

TEST(every_prefix_of_an_address_is_refused_or_a_shorter_port)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(canonical); i++) {
        const char *text = canonical[i];
        size_t colon = (size_t)(strrchr(text, ':') - text);
        for (size_t len = 0; len < strlen(text); len++) {
            struct wf_addr a = {0};
            uint8_t *copy = test_copy(text, len);
            weft_err err = wf_addr_parse(&a, wf_span(copy, len));
            free(copy);
            test_note("%zu bytes of %s", len, text);
            CHECK_EQ(err, len > colon + 1 ? WEFT_OK : WEFT_ERR_ADDRESS);
        }
    }
}

TEST(any_byte_changed_is_refused_or_reads_as_what_it_prints)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(canonical); i++) {
        size_t len = strlen(canonical[i]);
        for (size_t at = 0; at < len; at++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                struct wf_addr a = {0};
                struct wf_addr again = {0};
                char text[WF_ADDR_TEXT_MAX];
                uint8_t *copy = test_copy(canonical[i], len);
                copy[at] = (uint8_t)byte;
                weft_err err = wf_addr_parse(&a, wf_span(copy, len));
                free(copy);
                if (err != WEFT_OK)
                    continue;
                test_note("%s with byte %zu as %u", canonical[i], at, byte);
                CHECK(wf_addr_format(text, &a) < sizeof text);
                CHECK_OK(parse(&again, text));
                CHECK(wf_addr_equal(&a, &again));
            }
        }
    }
}

TEST(a_bare_ip_has_no_port_and_no_brackets)
{
    struct wf_addr a = {0};
    char text[WF_ADDR_TEXT_MAX];

    CHECK_OK(parse_ip(&a, "fe80::1%2"));
    CHECK_EQ(a.scope, 2);
    CHECK_EQ(a.port, 0);
    CHECK_EQ(wf_addr_format_ip(text, &a), 9);
    CHECK_STR_EQ(text, "fe80::1%2");
    CHECK_OK(parse_ip(&a, "1.2.3.4"));
    (void)wf_addr_format_ip(text, &a);
    CHECK_STR_EQ(text, "1.2.3.4");
    CHECK_EQ(parse_ip(&a, "1.2.3.4:5"), WEFT_ERR_ADDRESS);
    CHECK_EQ(parse_ip(&a, "[::1]"), WEFT_ERR_ADDRESS);
    CHECK_EQ(parse_ip(&a, ""), WEFT_ERR_ADDRESS);
    CHECK_EQ(parse_ip(&a, "1.2.3"), WEFT_ERR_ADDRESS);
}

TEST(a_port_is_a_plain_decimal_up_to_65535)
{
    uint16_t port = 7;

    CHECK_EQ(wf_addr_parse_port(&port, wf_span_of("")), WEFT_ERR_ADDRESS);
    CHECK_EQ(wf_addr_parse_port(&port, wf_span_of("65536")), WEFT_ERR_ADDRESS);
    CHECK_EQ(wf_addr_parse_port(&port, wf_span_of("01")), WEFT_ERR_ADDRESS);
    CHECK_EQ(wf_addr_parse_port(&port, wf_span_of("1x")), WEFT_ERR_ADDRESS);
    CHECK_EQ(port, 7);
    CHECK_OK(wf_addr_parse_port(&port, wf_span_of("65535")));
    CHECK_EQ(port, 65535);
    CHECK_OK(wf_addr_parse_port(&port, wf_span_of("0")));
    CHECK_EQ(port, 0);
}

TEST(an_unset_address_prints_as_a_dash)
{
    struct wf_addr none = {0};
    char text[WF_ADDR_TEXT_MAX];

    CHECK(!wf_addr_is_set(&none));
    CHECK_EQ(wf_addr_format(text, &none), 1);
    CHECK_STR_EQ(text, "-");
}

TEST(the_edges_of_every_net_have_their_class)
{
    static const struct {
        const char *ip;
        enum wf_addr_class class;
    } rows[] = {
        {"0.0.0.0", WF_ADDR_CLASS_ANY},
        {"0.255.255.255", WF_ADDR_CLASS_ANY},
        {"1.0.0.0", WF_ADDR_CLASS_GLOBAL},
        {"9.255.255.255", WF_ADDR_CLASS_GLOBAL},
        {"10.0.0.0", WF_ADDR_CLASS_PRIVATE},
        {"10.255.255.255", WF_ADDR_CLASS_PRIVATE},
        {"11.0.0.0", WF_ADDR_CLASS_GLOBAL},
        {"100.63.255.255", WF_ADDR_CLASS_GLOBAL},
        {"100.64.0.0", WF_ADDR_CLASS_PRIVATE},
        {"100.127.255.255", WF_ADDR_CLASS_PRIVATE},
        {"100.128.0.0", WF_ADDR_CLASS_GLOBAL},
        {"126.255.255.255", WF_ADDR_CLASS_GLOBAL},
        {"127.0.0.0", WF_ADDR_CLASS_LOOPBACK},
        {"127.255.255.255", WF_ADDR_CLASS_LOOPBACK},
        {"128.0.0.0", WF_ADDR_CLASS_GLOBAL},
        {"169.253.255.255", WF_ADDR_CLASS_GLOBAL},
        {"169.254.0.0", WF_ADDR_CLASS_LINK_LOCAL},
        {"169.254.255.255", WF_ADDR_CLASS_LINK_LOCAL},
        {"169.255.0.0", WF_ADDR_CLASS_GLOBAL},
        {"172.15.255.255", WF_ADDR_CLASS_GLOBAL},
        {"172.16.0.0", WF_ADDR_CLASS_PRIVATE},
        {"172.31.255.255", WF_ADDR_CLASS_PRIVATE},
        {"172.32.0.0", WF_ADDR_CLASS_GLOBAL},
        {"192.0.0.1", WF_ADDR_CLASS_RESERVED},
        {"192.168.0.0", WF_ADDR_CLASS_PRIVATE},
        {"192.168.255.255", WF_ADDR_CLASS_PRIVATE},
        {"192.169.0.0", WF_ADDR_CLASS_GLOBAL},
        {"198.18.0.0", WF_ADDR_CLASS_RESERVED},
        {"198.20.0.0", WF_ADDR_CLASS_GLOBAL},
        {"198.51.100.9", WF_ADDR_CLASS_RESERVED},
        {"203.0.113.9", WF_ADDR_CLASS_RESERVED},
        {"223.255.255.255", WF_ADDR_CLASS_GLOBAL},
        {"224.0.0.0", WF_ADDR_CLASS_MULTICAST},
        {"239.255.255.255", WF_ADDR_CLASS_MULTICAST},
        {"240.0.0.0", WF_ADDR_CLASS_RESERVED},
        {"255.255.255.255", WF_ADDR_CLASS_RESERVED},
        {"::", WF_ADDR_CLASS_ANY},
        {"::1", WF_ADDR_CLASS_LOOPBACK},
        {"::2", WF_ADDR_CLASS_RESERVED},
        {"::ffff:127.0.0.1", WF_ADDR_CLASS_LOOPBACK},
        {"1fff:ffff::", WF_ADDR_CLASS_RESERVED},
        {"2000::", WF_ADDR_CLASS_GLOBAL},
        {"2001:db7:ffff::", WF_ADDR_CLASS_GLOBAL},
        {"2001:db8::1", WF_ADDR_CLASS_RESERVED},
        {"2001:db9::", WF_ADDR_CLASS_GLOBAL},
        {"3fff:ffff::", WF_ADDR_CLASS_GLOBAL},
        {"4000::", WF_ADDR_CLASS_RESERVED},
        {"64:ff9b::808:808", WF_ADDR_CLASS_GLOBAL},
        {"fbff::", WF_ADDR_CLASS_RESERVED},
        {"fc00::", WF_ADDR_CLASS_PRIVATE},
        {"fdff:ffff::", WF_ADDR_CLASS_PRIVATE},
        {"fe00::", WF_ADDR_CLASS_RESERVED},
        {"fe80::", WF_ADDR_CLASS_LINK_LOCAL},
        {"febf:ffff::", WF_ADDR_CLASS_LINK_LOCAL},
        {"fec0::", WF_ADDR_CLASS_RESERVED},
        {"ff02::1", WF_ADDR_CLASS_MULTICAST},
    };

    for (size_t i = 0; i < WF_ARRAY_LEN(rows); i++) {
        struct wf_addr a = ip_of(rows[i].ip);
        CHECK_EQ(wf_addr_class(&a), rows[i].class);
    }
    CHECK_EQ(wf_addr_class(&(struct wf_addr){0}), WF_ADDR_CLASS_NONE);
}

TEST(only_one_host_with_a_port_may_be_a_peer)
{
    static const struct {
        const char *text;
        bool fit;
    } rows[] = {
        {"1.2.3.4:1", true},    {"127.0.0.1:1", true},        {"10.1.1.1:65535", true},
        {"1.2.3.4:0", false},   {"0.0.0.0:1", false},         {"224.0.0.1:1", false},
        {"[ff02::1]:1", false}, {"255.255.255.255:1", false}, {"[::]:1", false},
        {"[::1]:1", true},      {"[fe80::1%2]:1", true},      {"198.18.0.1:1", true},
        {"[::1]:0", false},     {"[2001:db8::1]:1", true},
    };

    for (size_t i = 0; i < WF_ARRAY_LEN(rows); i++) {
        struct wf_addr a = {0};
        test_note("%s", rows[i].text);
        CHECK_OK(parse(&a, rows[i].text));
        CHECK_EQ(wf_addr_is_unicast_peer(&a), rows[i].fit);
    }
    CHECK(!wf_addr_is_unicast_peer(&(struct wf_addr){.port = 1}));

    struct wf_addr broadcast = wf_addr_v4(255, 255, 255, 255, 1);
    struct wf_addr mapped = wf_addr_to_v6(&broadcast);
    CHECK(!wf_addr_is_unicast_peer(&mapped));
}

TEST(a_mapped_address_and_its_ipv4_form_are_one)
{
    struct wf_addr v4 = wf_addr_v4(1, 2, 3, 4, 5);
    struct wf_addr mapped = wf_addr_to_v6(&v4);

    CHECK_EQ(mapped.family, WF_ADDR_V6);
    CHECK(!wf_addr_equal(&v4, &mapped));
    struct wf_addr back = wf_addr_normalise(&mapped);
    CHECK(wf_addr_equal(&v4, &back));
    CHECK(wf_addr_is_v4(&back));
    struct wf_addr again = wf_addr_to_v6(&mapped);
    CHECK(wf_addr_equal(&mapped, &again));
}

TEST(normalising_drops_a_scope_that_means_nothing_and_bytes_behind_ipv4)
{
    struct wf_addr global = ip_of("2001:db9::1");
    struct wf_addr local = ip_of("fe80::1");
    struct wf_addr dirty = wf_addr_v4(1, 2, 3, 4, 5);
    struct wf_addr clean = dirty;

    global.scope = 3;
    local.scope = 3;
    dirty.ip[4] = 9;
    dirty.scope = 9;
    CHECK_EQ(wf_addr_normalise(&global).scope, 0);
    CHECK_EQ(wf_addr_normalise(&local).scope, 3);
    dirty = wf_addr_normalise(&dirty);
    CHECK(wf_addr_equal(&dirty, &clean));
    CHECK(!wf_addr_is_set(&(struct wf_addr){0}));
    struct wf_addr none = {.port = 9};
    CHECK_EQ(wf_addr_normalise(&none).port, 0);
}

TEST(equality_and_the_key_see_every_field)
{
    struct wf_addr a = ip_of("fe80::1%2");
    uint8_t key[WF_ADDR_KEY_LEN];
    uint8_t other[WF_ADDR_KEY_LEN];

    a.port = 1;
    wf_addr_key(key, &a);
    for (size_t field = 0; field < 19; field++) {
        struct wf_addr b = a;
        b.family = field == 16 ? WF_ADDR_V4 : b.family;
        b.port = field == 17 ? 256 : b.port;
        b.scope = field == 18 ? 3 : b.scope;
        if (field < 16) {
            b.ip[field] ^= 1;
        }
        test_note("field %zu", field);
        CHECK(!wf_addr_equal(&a, &b));
        CHECK_EQ(wf_addr_same_host(&a, &b), field == 17);
        wf_addr_key(other, &b);
        CHECK(memcmp(key, other, sizeof key) != 0);
    }
    CHECK(wf_addr_equal(&a, &a));
}

TEST(the_any_address_holds_its_family_and_port)
{
    struct wf_addr any = wf_addr_any(WF_ADDR_V6, 7);
    char text[WF_ADDR_TEXT_MAX];

    (void)wf_addr_format(text, &any);
    CHECK_STR_EQ(text, "[::]:7");
    any = wf_addr_any(WF_ADDR_V4, 7);
    (void)wf_addr_format(text, &any);
    CHECK_STR_EQ(text, "0.0.0.0:7");
}
