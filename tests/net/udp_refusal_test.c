/* SPDX-License-Identifier: Apache-2.0 */
/*
 * udp_refusal_test.c - what a kernel may answer to a send. This program has a sendmmsg of its own,
 * which says what the test tells it to say and otherwise notes what it was given.
 */
#include <errno.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "net/udp.h"
#include "test.h"

#define CALLS_MAX 256

/* One answer: a count of messages taken (above 0), or an errno as a negative number. 0: take all.
 */
static int script[CALLS_MAX];
static size_t script_len;
static size_t calls;
/* What went out: lengths of the messages, and whether each was to be cut. */
static size_t went_len[CALLS_MAX];
static bool went_cut[CALLS_MAX];
static size_t went;
/* Refuse what is to be cut with this errno, whatever the script says. */
static int refuse_cut;

static bool is_cut(struct msghdr *h)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
        if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_SEGMENT)
            return true;
    }
    return false;
}

static int refuse(int code)
{
    errno = code;
    return -1;
}

int sendmmsg(int fd, struct mmsghdr *msgs, unsigned count, int flags)
{
    int answer = calls < script_len ? script[calls] : 0;

    (void)fd;
    (void)flags;
    if (++calls == CALLS_MAX)
        abort(); /* the sender does not stop */
    if (answer < 0)
        return refuse(-answer);
    unsigned take = answer > 0 && (unsigned)answer < count ? (unsigned)answer : count;
    for (unsigned i = 0; i < take; i++) {
        bool cut = is_cut(&msgs[i].msg_hdr);
        if (cut && refuse_cut != 0)
            return i > 0 ? (int)i : refuse(refuse_cut);
        went_len[went] = msgs[i].msg_hdr.msg_iov->iov_len;
        went_cut[went++] = cut;
    }
    return (int)take;
}

static struct wf_udp *open_one(void)
{
    struct wf_udp *u = NULL;
    struct wf_udp_config config = {.bind = wf_addr_v4(127, 0, 0, 1, 0)};

    script_len = calls = went = 0;
    refuse_cut = 0;
    CHECK_OK(wf_udp_open(&u, &config, test_mem()));
    return u;
}

static void say(int answer)
{
    script[script_len++] = answer;
}

static struct wf_udp_out message(uint8_t host, size_t len, size_t segment)
{
    static const uint8_t data[70000];
    return (struct wf_udp_out){
        .send = {.to = wf_addr_v4(10, 0, 0, host, 9), .len = len, .segment = segment},
        .data = data};
}

TEST(a_full_send_buffer_stops_the_batch_and_the_rest_goes_out_later)
{
    struct wf_udp *u = open_one();
    struct wf_udp_out out[5];

    for (uint8_t i = 0; i < 5; i++)
        out[i] = message(1, 10u + i, 0);
    say(2);
    say(-EAGAIN);
    CHECK_EQ(wf_udp_send(u, out, 5), 2);
    CHECK_EQ(out[1].fate, WF_UDP_SENT);
    CHECK_EQ(out[2].fate, WF_UDP_PENDING);
    CHECK_EQ(wf_udp_stats(u)->send_blocked, 1);
    CHECK_EQ(wf_udp_send(u, out + 2, 3), 3);
    CHECK_EQ(went, 5);
    for (size_t i = 0; i < 5; i++)
        CHECK_EQ(went_len[i], 10 + i);
    wf_udp_close(u);
}

TEST(a_message_that_went_out_in_part_goes_on_where_it_stopped)
{
    struct wf_udp *u = open_one();
    struct wf_udp_out out = message(1, 70000, 1000); /* pieces of 64 and 6 segments */

    say(1);
    say(-EAGAIN);
    CHECK_EQ(wf_udp_send(u, &out, 1), 0);
    CHECK_EQ(out.done, 64000);
    CHECK_EQ(wf_udp_send(u, &out, 1), 1);
    CHECK_EQ(out.fate, WF_UDP_SENT);
    CHECK_EQ(went, 2);
    CHECK_EQ(went_len[0], 64000);
    CHECK_EQ(went_len[1], 6000);
    CHECK_EQ(wf_udp_stats(u)->sent_datagrams, 70);
    wf_udp_close(u);
}

static void falls_back_on(int code)
{
    struct wf_udp *u = open_one();
    struct wf_udp_out out[2] = {message(1, 2500, 1000), message(2, 2000, 1000)};

    refuse_cut = code;
    CHECK_EQ(wf_udp_send(u, out, 1), 1);
    CHECK_EQ(out[0].fate, WF_UDP_SENT);
    CHECK_EQ(went, 3);
    CHECK_EQ(went_len[2], 500);
    CHECK_EQ(wf_udp_stats(u)->gso_refused, 1);

    /* Remembered for that host, and for that host alone. */
    refuse_cut = 0;
    out[0] = message(1, 2500, 1000);
    CHECK_EQ(wf_udp_send(u, out, 2), 2);
    CHECK_EQ(went, 7);
    CHECK(!went_cut[3] && !went_cut[4] && !went_cut[5]);
    CHECK(went_cut[6]);
    CHECK_EQ(wf_udp_stats(u)->gso_refused, 1);
    wf_udp_close(u);
}

TEST(a_host_beyond_a_device_without_segmentation_gets_single_datagrams)
{
    falls_back_on(EIO);
    falls_back_on(EINVAL);
}

TEST(a_size_refused_as_invalid_is_not_held_against_the_host)
{
    struct wf_udp *u = open_one();
    struct wf_udp_out out = message(1, 3000, 1000);

    say(-EINVAL); /* an older kernel, about segments larger than the path */
    say(-EMSGSIZE);
    CHECK_EQ(wf_udp_send(u, &out, 1), 1);
    CHECK_EQ(out.fate, WF_UDP_TOO_BIG);
    out = message(1, 3000, 900);
    CHECK_EQ(wf_udp_send(u, &out, 1), 1);
    CHECK_EQ(went, 1);
    CHECK(went_cut[0]);
    wf_udp_close(u);
}

TEST(many_hosts_that_refuse_segments_are_all_reached)
{
    enum { HOSTS = 200 };
    static struct wf_udp_out out[HOSTS];

    for (int round = 0; round < 2; round++) {
        struct wf_udp *u = open_one();
        refuse_cut = EIO;
        size_t reached = 0;
        for (size_t i = 0; i < HOSTS / 2; i++) { /* each costs up to two calls */
            out[i] = message((uint8_t)i, 2000, 1000);
            reached += wf_udp_send(u, &out[i], 1);
            went = calls = 0;
            CHECK_EQ(out[i].fate, WF_UDP_SENT);
        }
        CHECK_EQ(reached, HOSTS / 2);
        wf_udp_close(u);
    }
}

TEST(a_kernel_without_memory_loses_the_message_and_goes_on)
{
    struct wf_udp *u = open_one();
    struct wf_udp_out out[3] = {message(1, 1, 0), message(1, 2, 0), message(1, 3, 0)};

    say(-ENOBUFS);
    say(-ENOMEM);
    CHECK_EQ(wf_udp_send(u, out, 3), 3);
    CHECK_EQ(out[0].fate, WF_UDP_DROPPED);
    CHECK_EQ(out[1].fate, WF_UDP_DROPPED);
    CHECK_EQ(out[2].fate, WF_UDP_SENT);
    CHECK_EQ(wf_udp_stats(u)->send_dropped, 2);
    wf_udp_close(u);
}

TEST(no_way_to_one_host_does_not_hold_up_the_others)
{
    static const int codes[] = {EPERM,    EACCES, ENETUNREACH, EHOSTUNREACH,
                                ENETDOWN, EINVAL, EIO,         EADDRNOTAVAIL};

    for (size_t i = 0; i < WF_ARRAY_LEN(codes); i++) {
        struct wf_udp *u = open_one();
        struct wf_udp_out out[2] = {message(1, 1, 0), message(2, 2, 0)};
        test_note("errno %d", codes[i]);
        say(-codes[i]);
        CHECK_EQ(wf_udp_send(u, out, 2), 2);
        CHECK_EQ(out[0].fate, WF_UDP_UNREACHABLE);
        CHECK_EQ(out[1].fate, WF_UDP_SENT);
        CHECK_EQ(wf_udp_stats(u)->send_unreachable, 1);
        wf_udp_close(u);
    }
}

TEST(an_error_about_an_earlier_datagram_costs_this_one_nothing)
{
    struct wf_udp *u = open_one();
    struct wf_udp_out out = message(1, 1, 0);

    say(-EINTR);
    say(-ECONNREFUSED);
    say(-ECONNREFUSED);
    CHECK_EQ(wf_udp_send(u, &out, 1), 1);
    CHECK_EQ(out.fate, WF_UDP_SENT);
    CHECK_EQ(wf_udp_stats(u)->network_errors, 2);
    wf_udp_close(u);
}

TEST(a_stream_of_such_errors_ends)
{
    struct wf_udp *u = open_one();
    struct wf_udp_out out = message(1, 1, 0);

    for (int i = 0; i < 100; i++)
        say(-ECONNREFUSED);
    CHECK_EQ(wf_udp_send(u, &out, 1), 1);
    CHECK_EQ(out.fate, WF_UDP_UNREACHABLE);
    CHECK_LE(calls, 16);
    wf_udp_close(u);
}
