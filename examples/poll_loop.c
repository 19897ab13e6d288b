/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poll_loop.c - a node inside a loop that is not ours, here poll(2): no callbacks, the events are
 * fetched. Lines typed on one side appear on the other.
 *
 * usage: poll_loop              listens, and prints the lines that come
 *        poll_loop PEER         sends each line of standard input to the peer, and ends with it
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "weft/weft.h"

#define EVENTS_AT_ONCE 64

static weft_node *node; /* for the signal handler */
static volatile sig_atomic_t signalled;

static void on_signal(int number)
{
    (void)number;
    signalled = 1;
    weft_node_stop(node); /* makes its descriptor readable, so that poll returns */
}

static void on_end_signals(void (*handler)(int number))
{
    struct sigaction action = {.sa_handler = handler};

    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
}

/* False at the end of the input. */
static bool send_line(const char *to, weft_err *err)
{
    char line[1024];
    weft_send_params p = WEFT_SEND_PARAMS;
    ssize_t len = read(STDIN_FILENO, line, sizeof line);

    if (len <= 0)
        return false;
    p.to = to;
    p.service = "line";
    p.body = weft_body_span(line, (size_t)len);
    *err = weft_node_send(node, &p, NULL); /* no on_outcome: it becomes an event */
    return true;
}

static void handle(const weft_event *e)
{
    switch (e->kind) {
    case WEFT_EVENT_MESSAGE:
        (void)fwrite(e->message->body, 1, e->message->len, stdout);
        (void)fflush(stdout);
        weft_exchange_drop(e->exchange); /* it gets no reply */
        break;
    case WEFT_EVENT_OUTCOME:
        if (e->outcome->kind != WEFT_DELIVERED)
            (void)fprintf(stderr, "%s\n", weft_outcome_text(e->outcome));
        break;
    }
}

static void handle_events(void)
{
    weft_event events[EVENTS_AT_ONCE];
    size_t count = 0;

    do {
        count = weft_node_events(node, events, EVENTS_AT_ONCE);
        for (size_t i = 0; i < count; i++)
            handle(&events[i]);
    } while (count > 0);
}

static weft_err loop(const char *to)
{
    bool is_typing = to != NULL;
    weft_err err = WEFT_OK;

    while (err == WEFT_OK && signalled == 0) {
        struct pollfd fds[] = {
            {.fd = weft_node_fd(node), .events = POLLIN},
            {.fd = is_typing ? STDIN_FILENO : -1, .events = POLLIN},
        };

        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return WEFT_ERR_IO;
        if (fds[1].revents != 0)
            is_typing = send_line(to, &err);
        if (err == WEFT_OK)
            err = weft_node_poll(node, 0); /* does what is due, and never waits */
        handle_events();
        if (to != NULL && !is_typing && weft_node_is_idle(node))
            break;
    }
    return err;
}

static weft_err listen_for_lines(void)
{
    weft_key key = weft_node_key(node);
    char text[WEFT_KEY_TEXT_MAX];
    char address[64];
    weft_err err = weft_node_allow(node, NULL, "line");

    if (err == WEFT_OK)
        err = weft_node_serve(node, "line", NULL, NULL); /* no function: messages become events */
    if (err == WEFT_OK)
        err = weft_node_address(node, address, sizeof address);
    if (err != WEFT_OK)
        return err;
    weft_key_text(text, &key);
    (void)printf("%s@%s\n", text, address);
    (void)fflush(stdout);
    return WEFT_OK;
}

int main(int argc, char **argv)
{
    const char *to = argc > 1 ? argv[1] : NULL;
    weft_node_params params = WEFT_NODE_PARAMS;
    weft_err err = WEFT_OK;

    params.listen = to == NULL ? "127.0.0.1:0" : NULL;
    err = weft_node_open(&node, &params);
    if (err == WEFT_OK && to == NULL)
        err = listen_for_lines();
    if (err == WEFT_OK) {
        on_end_signals(on_signal);
        err = loop(to);
        on_end_signals(SIG_DFL); /* the handler looks at the node, which goes now */
    }
    weft_node_close(node);
    return weft_exit(err);
}
