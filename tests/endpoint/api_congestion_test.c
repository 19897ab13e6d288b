/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_congestion_test.c - the choice of who says how fast to send, as a program sees it.
 */
#include "test.h"

#include "api_pair.h"

static unsigned outcomes;

static void on_end(const weft_outcome *o, void *user)
{
    (void)user;
    CHECK_EQ(o->kind, WEFT_REPLIED);
    outcomes++;
}

static void on_echo_back(weft_exchange *x, const weft_message *m, void *user)
{
    (void)user;
    CHECK_OK(weft_reply(x, m->body, m->len));
}

TEST(a_controller_that_is_none_is_a_usage_error)
{
    weft_node_params params = WEFT_NODE_PARAMS;
    weft_node *node = NULL;

    params.congestion = WEFT_CONGESTION_BBR + 1;
    CHECK_EQ(weft_node_open(&node, &params), WEFT_ERR_USAGE);
}

TEST(each_end_has_the_controller_of_its_choice_and_says_which)
{
    static const char *const names[] = {"cubic", "bbr"};
    static char text[65536];

    for (uint32_t k = WEFT_CONGESTION_CUBIC; k <= WEFT_CONGESTION_BBR; k++) {
        weft_node_params server = WEFT_NODE_PARAMS;
        weft_node_params client = WEFT_NODE_PARAMS;
        weft_send_params sp = WEFT_SEND_PARAMS;
        struct pair p;
        size_t len = 0;

        outcomes = 0;
        client.congestion = k;
        pair_open_with(&p, &server, &client);
        CHECK_OK(weft_node_allow(p.server, NULL, "*"));
        CHECK_OK(weft_node_serve(p.server, "echo", on_echo_back, NULL));
        sp.to = p.to;
        sp.service = "echo";
        sp.body = weft_body_span("hello", 5);
        sp.expect_reply = true;
        sp.on_outcome = on_end;
        CHECK_OK(weft_node_send(p.client, &sp, NULL));
        pair_until(&p, &outcomes, 1);
        CHECK_OK(weft_node_stats_json(p.client, text, sizeof text, &len));
        CHECK(strstr(text, "\"congestion\"") != NULL);
        CHECK_EQ(strstr(text, names[k]) != NULL, true);
        CHECK_EQ(strstr(text, names[1 - k]) != NULL, false);
        pair_close(&p);
    }
}
