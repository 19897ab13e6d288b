/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_stats.c - what a node did and holds, as a struct and as JSON.
 */
#include <jansson.h>
#include <string.h>

#include "endpoint/node_priv.h"
#include "net/process.h"

#define PEERS_MAX 1000u /* rows of peers in the JSON; the totals cover all */

void weft_node_stats(const weft_node *n, weft_stats *out)
{
    struct wf_core_stats c;
    const size_t size = out->size;
    weft_stats all;

    wf_core_stats(n->core, &c);
    all = (weft_stats){
        .size = size,
        .datagrams_in = c.datagrams_in,
        .datagrams_out = c.datagrams_out,
        .bytes_in = c.bytes_in,
        .bytes_out = c.bytes_out,
        .dropped = c.dropped_unknown + c.dropped_malformed,
        .sessions = c.sessions,
        .sessions_total = c.sessions_total,
        .sessions_evicted = c.sessions_evicted,
        .handshakes_failed = c.handshakes_failed,
        .messages_in = c.messages_in,
        .messages_out = c.messages_out,
        .packets_lost = c.packets_lost,
        .frames_resent = c.frames_resent,
        .packets_forged = c.packets_forged,
        .packets_replayed = c.packets_replayed,
        .memory_held = c.memory_held,
        .memory_max = c.memory_max,
        .memory_cap = n->mem.cap,
        .secret_held = c.secret_held,
        .rss = wf_process_resident_bytes(),
        .allocations = c.allocations,
        .presences = c.presences,
        .presence_bytes = c.presence_bytes,
        .folds = c.folds,
        .wakes = c.wakes,
        .presences_dropped = c.presences_dropped,
        .dormant = c.dormant,
        .dormant_recalled = c.dormant_recalled,
        .curve_operations = c.curve_operations,
        .work_price = c.adm.price,
        .handshakes_waiting = c.adm.queued,
        .handshakes_underpaid = c.adm.solve_underpaid,
        .handshakes_crowded_out =
            c.adm.solve_queue_full + c.adm.solve_expired + c.adm.solve_table_full,
        .handshakes_deranked = c.adm.solve_deranked,
        .messages_open_in = c.messages_open_in,
        .messages_open_out = c.messages_open_out,
        .messages_held_back = c.messages_held_back,
        .messages_cut_off = c.messages_cut_off,
        .pushed_back = c.pushed_back,
        .bytes_unread = c.bytes_unread,
        .bytes_waiting = c.bytes_waiting,
        .bytes_unacknowledged = c.bytes_unacknowledged,
        .bytes_control = c.bytes_control,
        .bytes_application = c.bytes_application,
    };
    /* Who was built against a shorter struct has room for no more. */
    memcpy(out, &all, size < sizeof all ? size : sizeof all);
}

static json_t *number(uint64_t v)
{
    return json_integer((json_int_t)v);
}

/* Named numbers into one object. */
struct named {
    const char *name;
    uint64_t value;
};

static json_t *object_of(const struct named *rows, size_t count)
{
    json_t *o = json_object();

    for (size_t i = 0; i < count; i++)
        (void)json_object_set_new(o, rows[i].name, number(rows[i].value));
    return o;
}

static json_t *admission(const struct wf_adm_stats *a)
{
    const struct named rows[] = {
        {"hello", a->hello},
        {"hello_bad", a->hello_bad},
        {"challenge", a->challenge},
        {"ask", a->ask},
        {"ask_bad", a->ask_bad},
        {"solve", a->solve},
        {"solve_bad_length", a->solve_bad_length},
        {"solve_bad_epoch", a->solve_bad_epoch},
        {"solve_bad_cookie", a->solve_bad_cookie},
        {"solve_bad_prefix", a->solve_bad_prefix},
        {"solve_bad_work", a->solve_bad_work},
        {"solve_bad_box", a->solve_bad_box},
        {"solve_duplicate", a->solve_duplicate},
        {"solve_deranked", a->solve_deranked},
        {"solve_underpaid", a->solve_underpaid},
        {"solve_queue_full", a->solve_queue_full},
        {"solve_expired", a->solve_expired},
        {"solve_table_full", a->solve_table_full},
        {"accepted", a->accepted},
        {"accepted_limited", a->accepted_limited},
        {"decoys", a->decoys},
        {"confirmed", a->confirmed},
        {"confirm_resent", a->confirm_resent},
        {"price", a->price},
        {"queued", a->queued},
        {"table_entries", a->table_entries},
        {"confirm_bytes", a->confirm_bytes},
        {"pool_keys", a->pool_keys},
    };

    return object_of(rows, WF_ARRAY_LEN(rows));
}

static uint64_t overhead_of(const struct wf_core_peer_stats *p)
{
    const struct wf_chan_account *a = &p->account;
    uint64_t named = a->unread + a->waiting + a->unacknowledged + a->control + a->datagrams;

    return p->bytes_held > named ? p->bytes_held - named : 0;
}

static json_t *peer_row(const struct wf_core_peer_stats *p)
{
    const struct named rows[] = {
        {"bytes_held", p->bytes_held},
        {"bytes_cap", p->bytes_cap},
        {"bytes_unread", p->account.unread},
        {"bytes_waiting", p->account.waiting},
        {"bytes_unacknowledged", p->account.unacknowledged},
        {"bytes_control", p->account.control + p->account.datagrams},
        {"bytes_overhead", overhead_of(p)},
        {"bytes_application", p->bytes_application},
        {"credit_left", p->chan.credit_left},
        {"messages_open_in", p->chan.messages_open_in},
        {"messages_open_out", p->chan.messages_open_out},
        {"messages_held_back", p->account.messages_held_back},
        {"messages_cut_off", p->messages_cut_off},
        {"pushed_back", p->chan.pushed_back},
        {"handshake_us", p->handshake_us},
        {"srtt_us", p->chan.srtt_us},
        {"min_rtt_us", p->chan.min_rtt_us},
        {"cwnd", p->chan.cwnd},
        {"in_flight", p->chan.in_flight},
        {"bandwidth", p->chan.bandwidth},
        {"pacing_rate", p->chan.pacing_rate},
        {"datagram_len", p->chan.datagram_len},
        {"packets_sent", p->chan.packets_sent},
        {"packets_received", p->chan.packets_received},
        {"packets_lost", p->chan.packets_lost},
        {"packets_forged", p->chan.packets_forged},
        {"frames_resent", p->chan.frames_resent},
        {"bytes_sent", p->chan.bytes_sent},
        {"bytes_received", p->chan.bytes_received},
        {"messages_out", p->chan.messages_out},
        {"messages_in", p->chan.messages_in},
        {"rekeys", p->chan.rekeys},
        {"path_changes", p->chan.path_changes},
    };
    json_t *o = object_of(rows, WF_ARRAY_LEN(rows));
    char address[WF_ADDR_TEXT_MAX];
    char key_text[WEFT_KEY_TEXT_MAX];
    weft_key key;

    memcpy(key.bytes, p->peer, WEFT_KEY_LEN);
    weft_key_text(key_text, &key);
    (void)wf_addr_format(address, &p->address);
    (void)json_object_set_new(o, "peer", json_string(p->nobody ? "nobody" : key_text));
    (void)json_object_set_new(o, "address", json_string(address));
    (void)json_object_set_new(o, "congestion", json_string(p->chan.congestion));
    (void)json_object_set_new(o, "open", json_boolean(p->started));
    return o;
}

static json_t *peers(const weft_node *n)
{
    json_t *list = json_array();
    struct wf_core_peer_stats p;

    for (size_t i = 0; i < PEERS_MAX && wf_core_peer_stats(n->core, i, &p); i++)
        (void)json_array_append_new(list, peer_row(&p));
    return list;
}

static json_t *whole(const weft_node *n)
{
    weft_stats s = {.size = sizeof s};
    struct wf_core_stats c;
    json_t *o = NULL;

    weft_node_stats(n, &s);
    wf_core_stats(n->core, &c);
    const struct named rows[] = {
        {"datagrams_in", s.datagrams_in},
        {"datagrams_out", s.datagrams_out},
        {"bytes_in", s.bytes_in},
        {"bytes_out", s.bytes_out},
        {"dropped_unknown", c.dropped_unknown},
        {"dropped_malformed", c.dropped_malformed},
        {"sessions", s.sessions},
        {"sessions_coming", c.sessions_coming},
        {"sessions_total", s.sessions_total},
        {"sessions_evicted", s.sessions_evicted},
        {"presences", s.presences},
        {"presence_bytes", s.presence_bytes},
        {"folds", s.folds},
        {"wakes", s.wakes},
        {"presences_dropped", s.presences_dropped},
        {"dormant", s.dormant},
        {"dormant_recalled", s.dormant_recalled},
        {"handshakes_started", c.handshakes_started},
        {"handshakes_failed", s.handshakes_failed},
        {"messages_in", s.messages_in},
        {"messages_out", s.messages_out},
        {"messages_open", c.messages_open},
        {"messages_open_in", s.messages_open_in},
        {"messages_open_out", s.messages_open_out},
        {"messages_held_back", s.messages_held_back},
        {"messages_cut_off", s.messages_cut_off},
        {"pushed_back", s.pushed_back},
        {"bytes_unread", s.bytes_unread},
        {"bytes_waiting", s.bytes_waiting},
        {"bytes_unacknowledged", s.bytes_unacknowledged},
        {"bytes_control", s.bytes_control},
        {"bytes_application", s.bytes_application},
        {"packets_lost", s.packets_lost},
        {"frames_resent", s.frames_resent},
        {"packets_forged", s.packets_forged},
        {"packets_replayed", s.packets_replayed},
        {"memory_held", s.memory_held},
        {"memory_max", s.memory_max},
        {"memory_cap", s.memory_cap},
        {"secret_held", s.secret_held},
        {"rss", s.rss},
        {"allocations", s.allocations},
        {"curve_operations", s.curve_operations},
    };
    o = object_of(rows, WF_ARRAY_LEN(rows));
    (void)json_object_set_new(o, "admission", admission(&c.adm));
    (void)json_object_set_new(o, "peers", peers(n));
    return o;
}

weft_err weft_node_stats_json(const weft_node *n, char *out, size_t cap, size_t *len)
{
    json_t *o = whole(n);
    size_t need = o == NULL ? 0 : json_dumpb(o, NULL, 0, JSON_COMPACT);
    weft_err err = WEFT_OK;

    if (need == 0)
        err = WEFT_ERR_NOMEM;
    else if (need + 1 > cap)
        err = WEFT_ERR_LIMIT;
    else
        (void)json_dumpb(o, out, cap, JSON_COMPACT);
    if (err == WEFT_OK)
        out[need] = '\0';
    if (err == WEFT_OK || err == WEFT_ERR_LIMIT)
        *len = need;
    json_decref(o);
    return err;
}
