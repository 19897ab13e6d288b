/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan_liar.c - see chan_liar.h.
 */
#include "support/chan_liar.h"

void liar_new(struct liar *l, enum wf_role role, const struct wf_params *params)
{
    struct wf_chan_config config = {.role = role, .params = *params};
    struct wf_session_secrets s;
    enum wf_role other = role == WF_ROLE_CLIENT ? WF_ROLE_SERVER : WF_ROLE_CLIENT;

    memset(l, 0, sizeof *l);
    CHECK_OK(wf_crypto_init());
    l->mem = test_mem();
    l->rng = test_rng(test_seed());
    l->now = 1000000;
    l->next = 1;
    l->reads = true;
    l->w = wf_writer_of(l->frames, sizeof l->frames);
    l->addr = wf_addr_v4(10, 0, 0, 1, 1000);
    l->honest_addr = wf_addr_v4(10, 0, 0, 2, 2000);
    CHECK_OK(wf_aead_new(&l->aead, WF_AEAD_BEST, l->mem));
    CHECK_OK(wf_secret_arena_new(&l->secrets, l->mem, sizeof(struct wf_keys), 16));
    l->keys = wf_secret_get(l->secrets);
    wf_random(l->rng, (uint8_t *)&s, sizeof s);
    wf_random(l->rng, l->cid, sizeof l->cid);
    wf_keys_init(l->keys, other, WF_AEAD_XCHACHA20_POLY1305, &s);
    wf_replay_init(&l->replay, NULL);
    memcpy(config.cid_rx, l->cid, sizeof l->cid);
    config.mem = l->mem;
    config.rng = l->rng;
    config.aead = l->aead;
    config.secrets = l->secrets;
    CHECK_OK(wf_chan_new(&l->chan, &config, l->now));
    struct wf_chan_peer peer = {.params = *params, .remote = l->addr, .local = l->honest_addr};
    wf_chan_set_peer(l->chan, l->now, &peer);
    CHECK_OK(wf_chan_start(l->chan, l->now, &s, 20000));
}

void liar_free(struct liar *l)
{
    wf_chan_free(l->chan);
    wf_secret_put(l->secrets, l->keys);
    CHECK_EQ(wf_secret_held(l->secrets), 0);
    wf_secret_arena_free(l->secrets);
    wf_aead_free(l->aead);
    CHECK_EQ(l->mem->held, 0);
}

void liar_put(struct liar *l, const struct wf_frame *f)
{
    wf_frame_put(&l->w, f);
    CHECK(wf_writer_ok(&l->w));
}

void liar_ack(struct liar *l, uint64_t newest, uint64_t floor)
{
    struct wf_ack_run run = {floor, newest};
    struct wf_ack_put a = {.received = &run, .received_count = 1};

    CHECK(wf_ack_put(&l->w, &a));
}

static void drain(struct liar *l)
{
    struct wf_chan_event ev;

    while (wf_chan_next_event(l->chan, &ev)) {
        l->events[ev.kind]++;
        if (ev.kind == WF_CHAN_CLOSED)
            l->closed = ev;
        while (ev.kind == WF_CHAN_READABLE && l->reads) {
            bool at_end = false;
            weft_span s = wf_chan_peek(l->chan, ev.number, &at_end);
            wf_chan_consume(l->chan, ev.number, s.len);
            if (at_end)
                wf_chan_stop(l->chan, ev.number, 0);
            if (s.len == 0 || at_end)
                break;
        }
    }
    const char *broken = l->unchecked ? NULL : wf_chan_check(l->chan);
    if (broken != NULL)
        FAIL("%s", broken);
}

void liar_send_only(struct liar *l)
{
    size_t header =
        wf_packet_put_header(l->packet, wf_keys_first_byte(l->keys), l->cid, l->next, 9);
    struct wf_seal seal = {l->packet, header, l->w.len, l->next++};
    size_t len = header + l->w.len + WF_PACKET_TAG;

    memcpy(l->packet + header, l->frames, l->w.len);
    l->w = wf_writer_of(l->frames, sizeof l->frames);
    wf_keys_seal(l->keys, l->aead, &seal, 1);
    struct wf_chan_packet k = {test_copy(l->packet, len), len};
    struct wf_chan_arrival a = {.from = l->addr, .to = l->honest_addr, .packets = &k, .count = 1};
    wf_chan_recv(l->chan, l->now, &a);
    free(k.data);
    drain(l);
}

static void note_frames(struct liar *l, weft_span frames)
{
    struct wf_reader r = wf_reader_of(frames);
    struct wf_frame f;

    while (r.left > 0) {
        CHECK_OK(wf_frame_get(&r, &f));
        l->seen[f.type]++;
        l->last[f.type] = f;
        l->wants_ack = l->wants_ack || wf_frame_needs_ack(f.type);
        if (f.type == WF_FRAME_CLOSE)
            l->close_code = f.u.error.code;
    }
}

void liar_listen(struct liar *l)
{
    struct wf_send s;

    for (int i = 0; wf_chan_send(l->chan, l->now, l->train, sizeof l->train, &s); i++) {
        CHECK(i < 10000);
        size_t segment = s.segment == 0 ? s.len : s.segment;
        for (size_t at = 0; at < s.len; at += segment) {
            size_t len = s.len - at < segment ? s.len - at : segment;
            struct wf_open o = {.packet = l->train + at, .len = len};
            l->packets++;
            l->bytes += len;
            if (wf_keys_open(l->keys, &l->replay, l->aead, &o, 1) != 1)
                FAIL("a packet of the honest channel does not open");
            l->newest = o.number > l->newest ? o.number : l->newest;
            note_frames(l, o.frames);
        }
    }
    drain(l);
}

void liar_send(struct liar *l)
{
    liar_send_only(l);
    liar_listen(l);
}

void liar_wait(struct liar *l, uint64_t us)
{
    weft_time until = l->now + us;

    for (int i = 0; wf_chan_deadline(l->chan) <= until; i++) {
        CHECK(i < 100000);
        weft_time at = wf_chan_deadline(l->chan);
        l->now = at > l->now ? at : l->now;
        wf_chan_tick(l->chan, l->now);
        drain(l);
        liar_listen(l);
    }
    l->now = until;
}

struct wf_frame liar_open(uint64_t number, bool open_ended, uint64_t length)
{
    struct wf_frame f = {.type = WF_FRAME_MESSAGE_OPEN};

    f.u.open = (struct wf_frame_open){.number = number, .open_ended = open_ended, .length = length};
    return f;
}

struct wf_frame liar_data(uint64_t number, uint64_t offset, weft_span data, bool end)
{
    struct wf_frame f = {.type = WF_FRAME_MESSAGE_DATA};

    f.u.data = (struct wf_frame_data){.number = number, .offset = offset, .data = data, .end = end};
    return f;
}
