/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_early_test.c - messages that ride in the handshake: whole and in part, against any credit,
 * acknowledged without an ACK, answered in CONFIRM.
 */
#include "support/chan_pair.h"

static struct pair p;

static void with_message(uint64_t length, bool open_ended, const struct wf_params *server)
{
    struct pair_options o = {.seed = test_seed()};
    struct pair_source s = {.who = 0, .length = length, .open_ended = open_ended};

    if (server != NULL)
        o.config[1].params = *server;
    pair_new(&p, &o);
    pair_open(&p, &s, WF_PRIORITY_NORMAL);
    (void)pair_push(&p, &s);
    pair_start(&p, true);
}

TEST(
    a_message_that_fits_arrives_with_the_handshake_and_is_delivered_without_an_ack) /* SPEC 4.1-5 */
{
    static const uint64_t lengths[] = {0, 1, 100, 900};

    for (size_t i = 0; i < 8; i++) {
        with_message(lengths[i % 4], i >= 4, NULL);
        CHECK(pair_message(&p, 1, true, 1)->at_end);
        CHECK_EQ(pair_message(&p, 0, false, 1)->delivered, 1); /* by CONFIRM */
        (void)pair_run(&p, p.now + 1000000);
        CHECK_EQ(pair_message(&p, 0, false, 1)->delivered, 1);
        CHECK_EQ(p.end[1].confirmed, 1);
        pair_free(&p);
    }
}

TEST(a_longer_message_goes_on_after_the_handshake)
{
    with_message(100000, false, NULL);
    CHECK_EQ(pair_message(&p, 1, true, 1)->opened, 1);
    CHECK(pair_message(&p, 1, true, 1)->received > 900);
    (void)pair_run(&p, p.now + 3000000);
    CHECK(pair_message(&p, 1, true, 1)->at_end);
    CHECK(pair_message(&p, 1, true, 1)->is_right);
    CHECK_EQ(pair_message(&p, 0, false, 1)->delivered, 1);
    pair_free(&p);
}

TEST(a_server_with_little_or_no_credit_takes_what_came_early_and_holds_the_rest) /* SPEC 3.4-2 */
{
    for (uint64_t credit = 0; credit < 400; credit += 100) {
        struct wf_params server = pair_params();
        server.node_credit = credit;
        server.message_credit = credit;
        server.message_count = credit / 100;
        with_message(2000, false, &server);
        CHECK_EQ(p.end[1].closed, 0);
        (void)pair_run(&p, p.now + 20000000);
        CHECK_EQ(p.end[1].closed, 0);
        CHECK_EQ(pair_message(&p, 1, true, 1)->at_end, credit > 0);
        CHECK(pair_message(&p, 1, true, 1)->received > 900);
        pair_free(&p);
    }
}

TEST(the_reply_rides_in_confirm)
{
    struct pair_options o = {.seed = test_seed()};
    struct pair_source ask = {.who = 0, .length = 10}, reply = {.who = 1, .length = 50};
    uint8_t frames[900];
    struct wf_chan_event ev;

    pair_new(&p, &o);
    pair_open(&p, &ask, WF_PRIORITY_NORMAL);
    CHECK(pair_push(&p, &ask));
    size_t len = wf_chan_early_write(p.end[0].chan, p.now, frames, sizeof frames);
    CHECK(len > 10);
    CHECK_EQ(wf_chan_early_write(p.end[0].chan, p.now, frames, sizeof frames), 0); /* once */
    struct wf_chan_peer peer = {
        .params = pair_params(), .remote = p.end[0].addr, .local = p.end[1].addr};
    memcpy(peer.cid, p.end[0].cids[0], 8);
    wf_chan_set_peer(p.end[1].chan, p.now, &peer);
    wf_chan_early_recv(p.end[1].chan, p.now, (weft_span){frames, len});
    CHECK(wf_chan_next_event(p.end[1].chan, &ev));
    CHECK_EQ(ev.kind, WF_CHAN_OPENED);
    pair_message(&p, 1, true, ev.number)->opened = 1;
    struct wf_message_params mp = {.reply_to = ev.number, .length = 50};
    CHECK_OK(wf_chan_open(p.end[1].chan, &mp, &reply.number));
    CHECK(pair_push(&p, &reply));
    len = wf_chan_early_write(p.end[1].chan, p.now, frames, sizeof frames);
    CHECK_OK(wf_chan_start(p.end[1].chan, p.now, &p.secrets, 0));
    peer = (struct wf_chan_peer){
        .params = pair_params(), .remote = p.end[1].addr, .local = p.end[0].addr};
    memcpy(peer.cid, p.end[1].cids[0], 8);
    wf_chan_set_peer(p.end[0].chan, p.now, &peer);
    CHECK_OK(wf_chan_start(p.end[0].chan, p.now, &p.secrets, 20000));
    wf_chan_early_recv(p.end[0].chan, p.now, (weft_span){frames, len});
    pair_flush(&p, 0);
    CHECK(pair_message(&p, 0, true, reply.number)->at_end);
    CHECK_EQ(pair_message(&p, 0, true, reply.number)->open.reply_to, ask.number);
    CHECK_EQ(p.end[0].datagrams_out, 1); /* SPEC 1.4-4 */
    pair_flush(&p, 1);
    CHECK_EQ(pair_message(&p, 1, false, reply.number)->delivered, 0);
    (void)pair_run(&p, p.now + p.link.delay_us);
    CHECK_EQ(pair_message(&p, 1, false, reply.number)->delivered,
             1); /* by the client's first packet */
    CHECK_EQ(p.end[1].confirmed, 1);
    pair_free(&p);
}

TEST(frames_that_do_not_belong_into_a_handshake_close)
{
    static const uint8_t types[] = {WF_FRAME_PATH_CHALLENGE, WF_FRAME_PATH_RESPONSE,
                                    WF_FRAME_NEW_ID,         WF_FRAME_RETIRE_ID,
                                    WF_FRAME_REKEY,          0x55};

    for (size_t i = 0; i < sizeof types; i++) {
        struct pair_options o = {.seed = test_seed()};
        uint8_t bytes[64] = {types[i]};
        struct wf_chan_event ev;
        pair_new(&p, &o);
        struct wf_chan_peer peer = {
            .params = pair_params(), .remote = p.end[0].addr, .local = p.end[1].addr};
        wf_chan_set_peer(p.end[1].chan, p.now, &peer);
        wf_chan_early_recv(p.end[1].chan, p.now, (weft_span){bytes, sizeof bytes});
        CHECK(wf_chan_next_event(p.end[1].chan, &ev));
        CHECK_EQ(ev.kind, WF_CHAN_CLOSED);
        CHECK_EQ(ev.err, WEFT_ERR_PROTOCOL);
        pair_free(&p);
    }
}
