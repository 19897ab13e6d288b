/* SPDX-License-Identifier: Apache-2.0 */
/*
 * udp_test.c - sockets over loopback: bytes, boundaries, addresses, ECN, sizes. Loopback delivers
 * within the sending call, so what was sent is there when it returns.
 */
#include "net/udp.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "test.h"

#define BATCH 8u
#define BYTES_MAX 300000u
#define DATAGRAMS_MAX 4096u

/* What a receiver got: the bytes end to end, and where each datagram ends. */
struct heap {
    uint8_t bytes[BYTES_MAX];
    size_t len;
    size_t ends[DATAGRAMS_MAX];
    size_t count;
    size_t runs;
    struct wf_datagram last;
};

static struct heap heap;
static uint8_t pattern[BYTES_MAX];

static struct wf_addr addr(const char *text)
{
    struct wf_addr a = {0};
    CHECK_OK(wf_addr_parse(&a, wf_span_of(text)));
    return a;
}

static struct wf_udp *open_with(const struct wf_udp_config *config)
{
    struct wf_udp *u = NULL;
    CHECK_OK(wf_udp_open(&u, config, test_mem()));
    return u;
}

static struct wf_udp *open_at(const char *text)
{
    return open_with(&(struct wf_udp_config){.bind = addr(text)});
}

/* Machines without IPv6 are rare, but there are some. */
static bool has_v6(void)
{
    struct wf_udp *u = NULL;
    struct wf_udp_config config = {.bind = addr("[::1]:0")};
    if (wf_udp_open(&u, &config, test_mem()) != WEFT_OK)
        return false;
    wf_udp_close(u);
    return true;
}

static void fill_pattern(void)
{
    uint64_t state = 7;
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (uint8_t)test_next(&state);
}

static void take(const struct wf_datagram *d)
{
    size_t segment = d->segment == 0 ? d->len : d->segment;

    CHECK(d->len > 0);
    CHECK(d->segment < d->len);
    CHECK_LE(heap.len + d->len, BYTES_MAX);
    memcpy(heap.bytes + heap.len, d->data, d->len);
    for (size_t at = 0; at < d->len; at += segment) {
        CHECK(heap.count < DATAGRAMS_MAX);
        heap.ends[heap.count++] = heap.len + (at + segment < d->len ? at + segment : d->len);
    }
    heap.len += d->len;
    heap.runs++;
    heap.last = *d;
}

/* Takes everything that is waiting. */
static void drain(struct wf_udp *u)
{
    struct wf_udp_batch b;

    memset(&heap, 0, sizeof heap);
    CHECK_OK(wf_udp_batch_init(&b, BATCH, test_mem()));
    while (wf_udp_recv(u, &b) > 0) {
        for (size_t i = 0; i < b.count; i++)
            take(&b.items[i]);
    }
    heap.last.data = NULL; /* its buffer goes */
    wf_udp_batch_deinit(&b);
}

static enum wf_udp_fate send_to(struct wf_udp *u, struct wf_addr to, size_t len, size_t segment)
{
    struct wf_udp_out out = {.send = {.to = to, .len = len, .segment = segment}, .data = pattern};
    CHECK_EQ(wf_udp_send(u, &out, 1), 1);
    return out.fate;
}

/* The receiver got exactly the first len bytes of the pattern, cut into segments. */
static void check_cut(size_t len, size_t segment)
{
    size_t count = (len + segment - 1) / segment;

    CHECK_EQ(heap.len, len);
    CHECK_MEM_EQ(heap.bytes, pattern, len);
    CHECK_EQ(heap.count, count);
    for (size_t i = 0; i < count; i++)
        CHECK_EQ(heap.ends[i], (i + 1) * segment < len ? (i + 1) * segment : len);
}

static void one_datagram_between(const char *from, const char *to)
{
    struct wf_udp *a = open_at(from);
    struct wf_udp *b = open_at(to);
    struct wf_addr a_at = wf_udp_local(a);
    struct wf_addr b_at = wf_udp_local(b);

    CHECK(a_at.port != 0);
    CHECK_EQ(send_to(a, b_at, 100, 0), WF_UDP_SENT);
    drain(b);
    check_cut(100, 100);
    CHECK(wf_addr_equal(&heap.last.from, &a_at));
    CHECK(wf_addr_equal(&heap.last.to, &b_at));
    CHECK_EQ(heap.last.segment, 0);
    CHECK_EQ(heap.last.ecn, 0);
    wf_udp_close(a);
    wf_udp_close(b);
}

TEST(a_datagram_arrives_with_both_its_addresses)
{
    one_datagram_between("127.0.0.1:0", "127.0.0.1:0");
    if (has_v6()) {
        one_datagram_between("[::1]:0", "[::1]:0");
    }
}

TEST(a_socket_of_both_families_speaks_both)
{
    struct wf_udp *both = open_with(&(struct wf_udp_config){0});
    struct wf_addr at = wf_udp_local(both);
    struct wf_udp *v4 = open_at("127.0.0.1:0");
    struct wf_addr v4_at = wf_udp_local(v4);

    CHECK(wf_udp_speaks(both, WF_ADDR_V4));
    CHECK_EQ(wf_udp_speaks(both, WF_ADDR_V6), has_v6());
    CHECK(!wf_udp_speaks(v4, WF_ADDR_V6));
    CHECK_EQ(send_to(v4, wf_addr_v4(127, 0, 0, 1, at.port), 10, 0), WF_UDP_SENT);
    drain(both);
    CHECK_EQ(heap.count, 1);
    CHECK(wf_addr_equal(&heap.last.from, &v4_at)); /* IPv4, not the mapped form */
    struct wf_addr want = wf_addr_v4(127, 0, 0, 1, at.port);
    CHECK(wf_addr_equal(&heap.last.to, &want));
    CHECK_EQ(send_to(both, v4_at, 20, 0), WF_UDP_SENT);
    drain(v4);
    check_cut(20, 20);
    CHECK(wf_addr_equal(&heap.last.from, &want));
    if (has_v6()) {
        struct wf_udp *v6 = open_at("[::1]:0");
        struct wf_addr v6_at = wf_udp_local(v6);
        CHECK_EQ(send_to(both, v6_at, 30, 0), WF_UDP_SENT);
        drain(v6);
        check_cut(30, 30);
        CHECK_EQ(heap.last.from.family, WF_ADDR_V6);
        wf_udp_close(v6);
    }
    wf_udp_close(both);
    wf_udp_close(v4);
}

TEST(an_ipv4_socket_cannot_reach_ipv6_and_the_next_message_goes_out)
{
    struct wf_udp *a = open_at("127.0.0.1:0");
    struct wf_addr at = wf_udp_local(a);
    struct wf_udp_out out[3] = {
        {.send = {.to = at, .len = 1}, .data = pattern},
        {.send = {.to = addr("[::1]:9"), .len = 1}, .data = pattern},
        {.send = {.to = at, .len = 1}, .data = pattern},
    };

    CHECK_EQ(wf_udp_send(a, out, 3), 3);
    CHECK_EQ(out[0].fate, WF_UDP_SENT);
    CHECK_EQ(out[1].fate, WF_UDP_UNREACHABLE);
    CHECK_EQ(out[2].fate, WF_UDP_SENT);
    CHECK_EQ(wf_udp_stats(a)->send_unreachable, 1);
    drain(a);
    CHECK_EQ(heap.count, 2);
    wf_udp_close(a);
}

static void cuts_arrive(const struct wf_udp_config *from, const struct wf_udp_config *to)
{
    static const size_t cuts[][2] = {
        {1, 1},          {2, 1},         {64, 1},       {65, 1},        {130, 1},
        {1200, 1200},    {1201, 1200},   {2400, 1200},  {64400, 1400},  {65507, 1400},
        {65488, 65488},  {65507, 32754}, {89600, 1400}, {100001, 1400}, {200000, 1452},
        {120000, 60000}, {9000, 8999},
    };
    struct wf_udp *a = open_with(from);
    struct wf_udp *b = open_with(to);

    fill_pattern();
    for (size_t i = 0; i < WF_ARRAY_LEN(cuts); i++) {
        test_note("%zu bytes in segments of %zu", cuts[i][0], cuts[i][1]);
        CHECK_EQ(send_to(a, wf_udp_local(b), cuts[i][0], cuts[i][1]), WF_UDP_SENT);
        drain(b);
        check_cut(cuts[i][0], cuts[i][1]);
    }
    CHECK_EQ(wf_udp_stats(b)->recv_datagrams, wf_udp_stats(a)->sent_datagrams);
    CHECK_EQ(wf_udp_stats(b)->recv_bytes, wf_udp_stats(a)->sent_bytes);
    CHECK_EQ(wf_udp_stats(b)->recv_kernel_drops, 0);
    wf_udp_close(a);
    wf_udp_close(b);
}

TEST(segments_arrive_with_their_bytes_and_boundaries)
{
    struct wf_udp_config plain = {.bind = addr("127.0.0.1:0")};
    struct wf_udp_config no_gso = {.bind = plain.bind, .no_gso = true};
    struct wf_udp_config no_gro = {.bind = plain.bind, .no_gro = true};

    cuts_arrive(&plain, &plain);
    cuts_arrive(&no_gso, &plain);
    cuts_arrive(&plain, &no_gro);
    cuts_arrive(&no_gso, &no_gro);
    if (has_v6()) {
        struct wf_udp_config v6 = {.bind = addr("[::1]:0")};
        cuts_arrive(&v6, &v6);
    }
}

TEST(a_run_of_segments_is_one_message_on_both_sides)
{
    struct wf_udp *a = open_at("127.0.0.1:0");
    struct wf_udp *b = open_at("127.0.0.1:0");

    fill_pattern();
    CHECK_EQ(send_to(a, wf_udp_local(b), 46u * 1400u, 1400), WF_UDP_SENT);
    drain(b);
    check_cut(46u * 1400u, 1400);
    CHECK_EQ(wf_udp_stats(a)->sent_datagrams, 46);
    if (wf_udp_stats(a)->gso_refused == 0 && wf_udp_has_gro(b)) {
        CHECK_EQ(wf_udp_stats(a)->sent_messages, 1);
        CHECK_EQ(heap.runs, 1);
        CHECK_EQ(heap.last.segment, 1400);
    }
    wf_udp_close(a);
    wf_udp_close(b);
}

TEST(a_batch_goes_out_in_order_in_few_calls)
{
    enum { COUNT = 200 };
    static struct wf_udp_out out[COUNT];
    struct wf_udp *a = open_at("127.0.0.1:0");
    struct wf_udp *b =
        open_with(&(struct wf_udp_config){.bind = addr("127.0.0.1:0"), .no_gro = true});

    fill_pattern();
    for (size_t i = 0; i < COUNT; i++) {
        out[i] = (struct wf_udp_out){.send = {.to = wf_udp_local(b), .len = 10},
                                     .data = pattern + 10 * i};
    }
    CHECK_EQ(wf_udp_send(a, out, COUNT), COUNT);
    drain(b);
    check_cut(10 * COUNT, 10);
    CHECK_LE(wf_udp_stats(a)->send_calls, 4);
    CHECK_EQ(wf_udp_send(a, out, COUNT), COUNT); /* all have their fate: nothing is sent twice */
    drain(b);
    CHECK_EQ(heap.count, 0);
    wf_udp_close(a);
    wf_udp_close(b);
}

static void ecn_between(const char *from, const char *to, struct wf_addr target)
{
    struct wf_udp *a = from == NULL ? open_with(&(struct wf_udp_config){0}) : open_at(from);
    struct wf_udp *b = to == NULL ? open_with(&(struct wf_udp_config){0}) : open_at(to);

    target.port = wf_udp_local(b).port;
    for (uint8_t ecn = 0; ecn < 4; ecn++) {
        struct wf_udp_out out = {.send = {.to = target, .ecn = ecn, .len = 30, .segment = 10},
                                 .data = pattern};
        CHECK_EQ(wf_udp_send(a, &out, 1), 1);
        CHECK_EQ(out.fate, WF_UDP_SENT);
        drain(b);
        CHECK_EQ(heap.count, 3);
        CHECK_EQ(heap.last.ecn, ecn);
    }
    wf_udp_close(a);
    wf_udp_close(b);
}

TEST(ecn_bits_arrive_in_both_families)
{
    ecn_between("127.0.0.1:0", "127.0.0.1:0", addr("127.0.0.1:1"));
    ecn_between(NULL, NULL, addr("127.0.0.1:1"));
    if (has_v6()) {
        ecn_between("[::1]:0", "[::1]:0", addr("[::1]:1"));
        ecn_between(NULL, NULL, addr("[::1]:1"));
    }
}

static void answer_leaves_from(struct wf_udp *server, struct wf_addr asked)
{
    struct wf_udp *client = open_at("127.0.0.1:0");

    asked.port = wf_udp_local(server).port;
    CHECK_EQ(send_to(client, asked, 10, 0), WF_UDP_SENT);
    drain(server);
    CHECK_EQ(heap.count, 1);
    CHECK(wf_addr_equal(&heap.last.to, &asked));

    struct wf_udp_out out = {.send = {.to = heap.last.from, .from = heap.last.to, .len = 10},
                             .data = pattern};
    CHECK_EQ(wf_udp_send(server, &out, 1), 1);
    CHECK_EQ(out.fate, WF_UDP_SENT);
    drain(client);
    CHECK_EQ(heap.count, 1);
    CHECK(wf_addr_equal(&heap.last.from, &asked));
    wf_udp_close(client);
}

TEST(an_answer_leaves_from_the_address_that_was_asked)
{
    struct wf_udp *v4 = open_at("0.0.0.0:0");
    struct wf_udp *both = open_with(&(struct wf_udp_config){0});

    answer_leaves_from(v4, addr("127.0.0.5:1"));
    answer_leaves_from(v4, addr("127.0.0.1:1"));
    answer_leaves_from(both, addr("127.0.0.5:1"));
    wf_udp_close(v4);
    wf_udp_close(both);
}

TEST(an_address_that_is_not_ours_gives_way_to_one_that_is)
{
    struct wf_udp *a = open_at("0.0.0.0:0");
    struct wf_addr at = wf_addr_v4(127, 0, 0, 1, wf_udp_local(a).port);
    const size_t segments[] = {0, 10};

    for (size_t i = 0; i < WF_ARRAY_LEN(segments); i++) {
        struct wf_udp_out out = {
            .send = {.to = at, .from = addr("198.51.100.7:1"), .len = 30, .segment = segments[i]},
            .data = pattern};

        CHECK_EQ(wf_udp_send(a, &out, 1), 1);
        CHECK_EQ(out.fate, WF_UDP_SENT);
        drain(a);
        CHECK_EQ(heap.count, segments[i] == 0 ? 1 : 3);
        CHECK(wf_addr_equal(&heap.last.from, &at));
    }
    wf_udp_close(a);
}

TEST(a_source_that_is_no_sender_is_left_to_the_kernel)
{
    static const char *const sources[] = {"224.0.0.1:1", "0.0.0.0:1", "[::1]:1"};
    struct wf_udp *a = open_at("0.0.0.0:0");
    struct wf_addr at = wf_addr_v4(127, 0, 0, 1, wf_udp_local(a).port);

    for (size_t i = 0; i < WF_ARRAY_LEN(sources); i++) {
        struct wf_udp_out out = {.send = {.to = at, .from = addr(sources[i]), .len = 1},
                                 .data = pattern};
        CHECK_EQ(wf_udp_send(a, &out, 1), 1);
        CHECK_EQ(out.fate, WF_UDP_SENT);
        drain(a);
        CHECK(wf_addr_equal(&heap.last.from, &at));
    }
    wf_udp_close(a);
}

TEST(a_port_in_use_is_said_to_be_and_can_be_shared_on_request)
{
    struct wf_udp *first = open_at("127.0.0.1:0");
    struct wf_udp *second = NULL;
    struct wf_udp_config config = {.bind = wf_udp_local(first)};

    CHECK_EQ(wf_udp_open(&second, &config, test_mem()), WEFT_ERR_IN_USE);
    CHECK(second == NULL);
    wf_udp_close(first);

    config.reuse_port = true;
    first = open_with(&config);
    second = open_with(&config);
    CHECK_EQ(wf_udp_local(second).port, config.bind.port);
    wf_udp_close(first);
    wf_udp_close(second);
}

TEST(an_address_of_another_machine_cannot_be_opened)
{
    struct wf_udp *u = NULL;
    struct wf_udp_config config = {.bind = addr("198.51.100.7:0")};

    CHECK_EQ(wf_udp_open(&u, &config, test_mem()), WEFT_ERR_IO);
    CHECK(u == NULL);
}

TEST(a_socket_of_ipv6_alone_leaves_the_ipv4_port_free)
{
    if (!has_v6())
        return;
    struct wf_udp *v6 = open_with(&(struct wf_udp_config){.v6_only = true});
    struct wf_udp *v4 =
        open_with(&(struct wf_udp_config){.bind = wf_addr_any(WF_ADDR_V4, wf_udp_local(v6).port)});

    CHECK(!wf_udp_speaks(v6, WF_ADDR_V4));
    wf_udp_close(v6);
    wf_udp_close(v4);
}

TEST(what_is_too_big_is_refused_alone)
{
    struct wf_udp *a = open_at("127.0.0.1:0");
    struct wf_addr at = wf_udp_local(a);
    struct wf_udp_out out[4] = {
        {.send = {.to = at, .len = 1}, .data = pattern},
        {.send = {.to = at, .len = WF_DATAGRAM_BYTES_MAX + 1, .probe = true}, .data = pattern},
        {.send = {.to = at, .len = 2}, .data = pattern},
        {.send = {.to = at, .len = WF_DATAGRAM_BYTES_MAX}, .data = pattern},
    };

    CHECK_EQ(wf_udp_send(a, out, 4), 4);
    CHECK_EQ(out[0].fate, WF_UDP_SENT);
    CHECK_EQ(out[1].fate, WF_UDP_TOO_BIG);
    CHECK_EQ(out[2].fate, WF_UDP_SENT);
    CHECK_EQ(out[3].fate, WF_UDP_SENT);
    CHECK_EQ(wf_udp_stats(a)->send_too_big, 1);
    drain(a);
    CHECK_EQ(heap.count, 3);
    CHECK_EQ(heap.len, 3 + WF_DATAGRAM_BYTES_MAX);
    wf_udp_close(a);
}

static bool loopback_up(int mtu)
{
    struct ifreq lo = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    lo.ifr_mtu = mtu;
    bool ok = fd >= 0 && ioctl(fd, SIOCSIFMTU, &lo) == 0;
    lo.ifr_flags = IFF_UP;
    ok = ok && ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
    (void)close(fd);
    return ok;
}

/* In a child, in a network of its own with an MTU of 1500: 0 when all went as it should. */
static int probe_small_path(void)
{
    struct wf_mem *mem = test_mem();
    struct wf_udp_config config = {.bind = addr("127.0.0.1:0")};
    struct wf_udp *a = NULL;

    if (wf_udp_open(&a, &config, mem) != WEFT_OK)
        return 1;
    struct wf_addr at = wf_udp_local(a);
    if (send_to(a, at, 1472, 0) != WF_UDP_SENT)
        return 2;
    if (send_to(a, at, 1473, 0) != WF_UDP_TOO_BIG)
        return 3;
    if (send_to(a, at, 14730, 1473) != WF_UDP_TOO_BIG)
        return 4;
    /* A refusal for the size is no refusal of segments. */
    if (send_to(a, at, 14720, 1472) != WF_UDP_SENT)
        return 5;
    drain(a);
    if (heap.count != 11 || wf_udp_stats(a)->sent_messages != 2)
        return 6;
    wf_udp_close(a);
    return 0;
}

TEST(a_path_of_1500_bytes_takes_1472_and_never_a_fragment)
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0 || !loopback_up(1500))
            _exit(77); /* not allowed here */
        _exit(probe_small_path());
    }
    int status = 0;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    if (WEXITSTATUS(status) != 77) {
        CHECK_EQ(WEXITSTATUS(status), 0);
    }
}

TEST(an_empty_datagram_is_discarded_and_counted)
{
    struct wf_udp *a = open_at("127.0.0.1:0");
    struct wf_addr at = wf_udp_local(a);
    struct sockaddr_storage name = {0};
    socklen_t len = sizeof name;
    int fd = wf_udp_fd(a);

    CHECK_EQ(getsockname(fd, (struct sockaddr *)&name, &len), 0);
    CHECK_EQ(sendto(fd, "", 0, 0, (struct sockaddr *)&name, len), 0);
    CHECK_EQ(send_to(a, at, 1, 0), WF_UDP_SENT);
    drain(a);
    CHECK_EQ(heap.count, 1);
    CHECK_EQ(wf_udp_stats(a)->recv_discarded, 1);
    CHECK_EQ(wf_udp_stats(a)->recv_datagrams, 1);
    wf_udp_close(a);
}

TEST(a_full_batch_says_that_more_may_wait)
{
    struct wf_udp *a =
        open_with(&(struct wf_udp_config){.bind = addr("127.0.0.1:0"), .no_gro = true});
    struct wf_mem *mem = test_mem();
    struct wf_udp_batch b;

    CHECK_OK(wf_udp_batch_init(&b, 2, mem));
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQ(send_to(a, wf_udp_local(a), 1, 0), WF_UDP_SENT);
    }
    CHECK_EQ(wf_udp_recv(a, &b), 2);
    CHECK(b.more);
    CHECK_EQ(wf_udp_recv(a, &b), 1);
    CHECK(!b.more);
    CHECK_EQ(wf_udp_recv(a, &b), 0);
    CHECK(!b.more);
    wf_udp_batch_deinit(&b);
    wf_udp_batch_deinit(&b);
    wf_udp_close(a);
}

TEST(a_batch_takes_no_more_than_its_user_wants_at_a_time)
{
    struct wf_udp *a =
        open_with(&(struct wf_udp_config){.bind = addr("127.0.0.1:0"), .no_gro = true});
    struct wf_udp_batch b;

    CHECK_OK(wf_udp_batch_init(&b, 4, test_mem()));
    CHECK_EQ(b.limit, 4);
    for (size_t i = 0; i < 6; i++) {
        CHECK_EQ(send_to(a, wf_udp_local(a), 1, 0), WF_UDP_SENT);
    }
    b.limit = 2;
    CHECK_EQ(wf_udp_recv(a, &b), 2);
    CHECK(b.more);
    b.limit = 3;
    CHECK_EQ(wf_udp_recv(a, &b), 3);
    CHECK(b.more);
    b.limit = b.cap;
    CHECK_EQ(wf_udp_recv(a, &b), 1);
    CHECK(!b.more);
    wf_udp_batch_deinit(&b);
    wf_udp_close(a);
}

TEST(datagrams_that_found_no_room_are_counted)
{
    enum { COUNT = 200 };
    struct wf_udp *a = open_at("127.0.0.1:0");
    struct wf_udp *b = open_with(&(struct wf_udp_config){
        .bind = addr("127.0.0.1:0"), .no_gro = true, .recv_buffer_wanted = 4096});

    CHECK_LE(wf_udp_recv_buffer(b), 16384);
    for (size_t i = 0; i < COUNT; i++) {
        CHECK_EQ(send_to(a, wf_udp_local(b), 1000, 0), WF_UDP_SENT);
    }
    drain(b);
    size_t got = heap.count;
    CHECK(got > 0 && got < COUNT);
    CHECK_EQ(send_to(a, wf_udp_local(b), 1000, 0), WF_UDP_SENT); /* brings the count */
    drain(b);
    CHECK_EQ(heap.count, 1);
    CHECK_EQ(wf_udp_stats(b)->recv_kernel_drops + got, COUNT);
    wf_udp_close(a);
    wf_udp_close(b);
}

TEST(a_port_where_nobody_listens_is_no_error)
{
    struct wf_udp *a = open_at("127.0.0.1:0");
    struct wf_udp *b = open_at("127.0.0.1:0");
    struct wf_addr gone = wf_udp_local(b);

    wf_udp_close(b);
    for (size_t i = 0; i < 5; i++) {
        CHECK_EQ(send_to(a, gone, 10, 0), WF_UDP_SENT);
    }
    drain(a);
    CHECK_EQ(heap.count, 0);
    CHECK_EQ(send_to(a, wf_udp_local(a), 10, 0), WF_UDP_SENT);
    drain(a);
    CHECK_EQ(heap.count, 1);
    wf_udp_close(a);
}

TEST(buffers_are_granted_and_reported)
{
    struct wf_udp *small = open_with(&(struct wf_udp_config){
        .bind = addr("127.0.0.1:0"), .recv_buffer_wanted = 8192, .send_buffer_wanted = 8192});
    struct wf_udp *large = open_at("127.0.0.1:0");

    CHECK(wf_udp_recv_buffer(small) >= 8192);
    CHECK(wf_udp_send_buffer(small) >= 8192);
    CHECK(wf_udp_recv_buffer(large) > wf_udp_recv_buffer(small));
    CHECK(wf_udp_send_buffer(large) > wf_udp_send_buffer(small));
    wf_udp_close(small);
    wf_udp_close(large);
}

TEST(every_failing_allocation_is_reported_and_leaks_nothing)
{
    struct wf_mem *mem = test_mem();
    struct wf_udp_config config = {.bind = addr("127.0.0.1:0")};
    struct wf_udp *u = NULL;
    struct wf_udp_batch b;

    mem->fail_at = 1;
    CHECK_EQ(wf_udp_open(&u, &config, mem), WEFT_ERR_NOMEM);
    CHECK(u == NULL);
    for (uint64_t n = 1; n <= 2; n++) {
        mem->fail_at = mem->attempts + n;
        CHECK_EQ(wf_udp_batch_init(&b, 1, mem), WEFT_ERR_NOMEM);
        CHECK_EQ(mem->held, 0);
    }
    wf_udp_close(NULL);
}
