/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gun.c - datagrams in batches, at a rate, with whatever source is wanted.
 */
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "attack.h"
#include "base/bytes.h"
#include "net/sockaddr.h"

#define SECOND_NS 1000000000u
#define ANSWER_PEEK 16u    /* bytes looked at of an answer; its length is told in full */
#define RATE_BATCHES 2000u /* a second, at least, so that a slow rate is even */

uint64_t attack_now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

void attack_random(struct wf_prng *p, uint8_t *out, size_t len)
{
    for (; len >= 8; out += 8, len -= 8)
        wf_store_u64(out, wf_prng_next(p));
    for (uint64_t last = wf_prng_next(p); len > 0; len--, last >>= 8)
        out[len - 1] = (uint8_t)last;
}

socklen_t attack_sockaddr(struct sockaddr_storage *out, const struct wf_addr *a)
{
    union wf_sockaddr name;
    socklen_t len = wf_sockaddr_of(&name, a, a->family == WF_ADDR_V4 ? AF_INET : AF_INET6);

    memset(out, 0, sizeof *out);
    memcpy(out, &name, len);
    return len;
}

int attack_socket(const struct wf_addr *target)
{
    struct sockaddr_storage any;
    struct wf_addr here = wf_addr_any(target->family, 0);
    socklen_t len = attack_sockaddr(&any, &here);
    int size = 4 << 20;
    int fd = socket(any.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&any, len) != 0) {
        (void)close(fd);
        return -1;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return fd;
}

void gun_load(struct gun *g, const struct attack *a, struct tally *t, int fd)
{
    memset(g, 0, sizeof *g);
    g->attack = a;
    g->tally = t;
    g->fd = fd;
    g->is_deaf = a->is_deaf;
    g->to_len = attack_sockaddr(&g->to, &a->target);
    g->batch = GUN_BATCH;
    if (a->rate > 0 && a->rate / RATE_BATCHES < GUN_BATCH)
        g->batch = a->rate / RATE_BATCHES + 1;
    g->began_ns = attack_now_ns();
}

uint8_t *gun_room(struct gun *g)
{
    return g->data[g->used] + GUN_HEAD;
}

/* The kernel fills in the length and the checksum of the IP header; over IPv4 UDP needs none. */
static void put_headers(struct gun *g, uint8_t *at, size_t len)
{
    memset(at, 0, GUN_HEAD);
    at[0] = 0x45;
    at[8] = 64;
    at[9] = IPPROTO_UDP;
    memcpy(at + 12, g->from.ip, 4);
    memcpy(at + 16, g->attack->target.ip, 4);
    at[20] = (uint8_t)(g->from.port >> 8);
    at[21] = (uint8_t)g->from.port;
    at[22] = (uint8_t)(g->attack->target.port >> 8);
    at[23] = (uint8_t)g->attack->target.port;
    at[24] = (uint8_t)((len + 8) >> 8);
    at[25] = (uint8_t)(len + 8);
}

static void put_source(struct gun *g, struct msghdr *h)
{
    struct in_pktinfo info = {0};
    struct cmsghdr *c = NULL;

    h->msg_control = g->control[g->used];
    h->msg_controllen = sizeof g->control[g->used];
    c = CMSG_FIRSTHDR(h);
    c->cmsg_level = IPPROTO_IP;
    c->cmsg_type = IP_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof info);
    memcpy(&info.ipi_spec_dst, g->from.ip, 4);
    memcpy(CMSG_DATA(c), &info, sizeof info);
}

void gun_put(struct gun *g, size_t len)
{
    struct msghdr *h = &g->msgs[g->used].msg_hdr;
    uint8_t *data = g->data[g->used];
    size_t head = g->is_raw ? GUN_HEAD : 0;

    if (g->is_raw)
        put_headers(g, data, len);
    g->iov[g->used] = (struct iovec){data + GUN_HEAD - head, len + head};
    *h = (struct msghdr){
        .msg_iov = &g->iov[g->used], .msg_iovlen = 1, .msg_name = &g->to, .msg_namelen = g->to_len};
    if (g->is_spoofing)
        put_source(g, h);
    g->tally->sent_bytes += len;
    g->fired++;
    if (++g->used == g->batch)
        gun_fire(g);
}

static void take_answers(struct gun *g)
{
    static uint8_t peek[GUN_BATCH][ANSWER_PEEK];
    struct iovec iov[GUN_BATCH];
    struct mmsghdr msgs[GUN_BATCH] = {{{0}, 0}};
    int got = GUN_BATCH;

    for (size_t i = 0; i < GUN_BATCH; i++) {
        iov[i] = (struct iovec){peek[i], sizeof peek[i]};
        msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
    }
    while (!g->is_raw && !g->is_deaf && got == GUN_BATCH) {
        got = recvmmsg(g->fd, msgs, GUN_BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
        for (int i = 0; i < got; i++) {
            g->tally->received++;
            g->tally->received_bytes += msgs[i].msg_len;
            g->tally->confirms += peek[i][0] == WF_TYPE_CONFIRM;
        }
    }
}

static void wait_for_turn(const struct gun *g)
{
    uint64_t due = 0;
    uint64_t now = attack_now_ns();

    if (g->attack->rate == 0)
        return;
    due = g->began_ns + g->fired * SECOND_NS / g->attack->rate;
    if (due > now) {
        struct timespec left = {(time_t)((due - now) / SECOND_NS), (long)((due - now) % SECOND_NS)};
        (void)nanosleep(&left, NULL);
    }
}

/* What the kernel refuses is not sent again. */
void gun_fire(struct gun *g)
{
    size_t done = 0;

    while (done < g->used) {
        int n = sendmmsg(g->fd, g->msgs + done, (unsigned)(g->used - done), 0);

        g->tally->sent += n > 0 ? (uint64_t)n : 0;
        g->tally->unsent += n <= 0;
        done += n > 0 ? (size_t)n : 1;
    }
    g->used = 0;
    take_answers(g);
    wait_for_turn(g);
}

bool gun_goes_on(struct gun *g)
{
    bool is_over = g->fired >= g->attack->count;

    if (!is_over && g->used == 0)
        is_over = attack_now_ns() - g->began_ns >= g->attack->ms * 1000000u;
    if (is_over)
        gun_fire(g);
    return !is_over;
}

void gun_linger(struct gun *g)
{
    struct pollfd p = {.fd = g->fd, .events = POLLIN};

    while (!g->is_raw && !g->is_deaf && poll(&p, 1, (int)ATTACK_LINGER_MS) > 0)
        take_answers(g);
}
