/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bare_peer.c - the least that can be done with a datagram: a socket with weft's own options and a
 * loop that takes batches of weft's size, and drops them or sends them back. What weft costs more
 * than this is its own.
 *
 *   weft-bench-bare-peer sink      prints its address, then drops what comes until it is ended
 *   weft-bench-bare-peer echo      sends each datagram back, cut to the length of a CHALLENGE
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "endpoint/node_priv.h"
#include "net/mem_system.h"
#include "net/sockaddr.h"
#include "net/udp.h"

#define CONTROL_LEN 160
#define ECHO_LEN 191u /* of weftd's CHALLENGE */

static uint8_t buffers[NODE_BATCH_SMALL][WF_UDP_RECV_BYTES];
static uint8_t control[NODE_BATCH_SMALL][CONTROL_LEN];
static union wf_sockaddr names[NODE_BATCH_SMALL];
static struct iovec iov[NODE_BATCH_SMALL];
static struct mmsghdr msgs[NODE_BATCH_SMALL];

static void prepare(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        iov[i] = (struct iovec){buffers[i], sizeof buffers[i]};
        msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i],
                                          .msg_iovlen = 1,
                                          .msg_name = &names[i],
                                          .msg_namelen = sizeof names[i],
                                          .msg_control = control[i],
                                          .msg_controllen = sizeof control[i]};
    }
}

static void send_back(int fd, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        iov[i].iov_len = msgs[i].msg_len < ECHO_LEN ? msgs[i].msg_len : ECHO_LEN;
        msgs[i].msg_hdr.msg_control = NULL;
        msgs[i].msg_hdr.msg_controllen = 0;
    }
    /* What the kernel does not take is lost, as it would be on the way. */
    (void)sendmmsg(fd, msgs, (unsigned)count, MSG_DONTWAIT);
}

_Noreturn static void serve(int fd, bool echo)
{
    prepare(NODE_BATCH_SMALL);
    for (;;) {
        int n = recvmmsg(fd, msgs, NODE_BATCH_SMALL, MSG_DONTWAIT, NULL);

        if (n > 0 && echo)
            send_back(fd, (size_t)n);
        if (n > 0)
            prepare((size_t)n);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd p = {.fd = fd, .events = POLLIN};

            (void)poll(&p, 1, -1);
        }
    }
}

int main(int argc, char **argv)
{
    struct wf_udp_config config = {.bind = wf_addr_v4(127, 0, 0, 1, 0)};
    char text[WF_ADDR_TEXT_MAX];
    struct wf_udp *udp = NULL;
    struct wf_mem mem;
    struct wf_addr here;

    if (argc != 2 || (strcmp(argv[1], "sink") != 0 && strcmp(argv[1], "echo") != 0)) {
        (void)fprintf(stderr, "usage: weft-bench-bare-peer sink | echo\n");
        return 2;
    }
    wf_mem_system(&mem, SIZE_MAX);
    if (wf_udp_open(&udp, &config, &mem) != WEFT_OK) {
        (void)fprintf(stderr, "weft-bench-bare-peer: no socket.\n");
        return 1;
    }
    here = wf_udp_local(udp);
    (void)wf_addr_format(text, &here);
    (void)printf("%s\n", text);
    (void)fflush(stdout);
    serve(wf_udp_fd(udp), strcmp(argv[1], "echo") == 0);
}
