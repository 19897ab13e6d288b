/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cc_cubic.c - CUBIC (RFC 9438) in integers. Windows are bytes, times 1/1024 s; all products fit 64
 * bits because a window is at most 2^30, a datagram less than 2^16 and the distance from the
 * cubic's turning point at most 2^17 (128 s).
 *
 *   W(t) = 0.4 * datagram * (t - K)^3 + W_max        K = cube root of ((W_max - window) / (0.4 *
 * datagram))
 */
#include "base/assert.h"
#include "transport/cc.h"

#define TICKS_MAX (1ull << 17)

/* beta is 7/10; with it Reno's additive increase for equal shares is 3 (1 - beta) / (1 + beta) =
 * 9/17. */
#define BETA_NUM 7u
#define BETA_DEN 10u
#define ALPHA_NUM 9u
#define ALPHA_DEN 17u

/* Bit by bit: 22 rounds, no division. */
uint64_t wf_cc_cube_root(uint64_t v)
{
    uint64_t root = 0;

    for (unsigned shift = 66; shift > 0;) {
        shift -= 3;
        root *= 2;
        const uint64_t step = 3 * root * (root + 1) + 1; /* (root + 1)^3 - root^3 */

        if (v >> shift >= step) {
            v -= step << shift;
            root++;
        }
    }
    return root;
}

static uint64_t ticks_of(uint64_t us)
{
    const uint64_t most = TICKS_MAX * 15625 / 16;

    return us < most ? us * 16 / 15625 : TICKS_MAX;
}

/* 0.4 * datagram * d^3 in bytes, for d ticks. */
static uint64_t cube_bytes(uint64_t ticks, uint64_t datagram_len)
{
    const uint64_t d = ticks < TICKS_MAX ? ticks : TICKS_MAX;

    return ((d * d * d >> 10) * datagram_len * 2 / 5) >> 20;
}

static uint64_t cubic_at(const struct wf_cc *cc, uint64_t us)
{
    const struct wf_cubic *c = &cc->cubic;
    const uint64_t t = ticks_of(us);

    if (t >= c->k)
        return c->w_max + cube_bytes(t - c->k, cc->datagram_len);
    const uint64_t below = cube_bytes(c->k - t, cc->datagram_len);

    return below < c->w_max ? c->w_max - below : 0;
}

static void cubic_init(struct wf_cc *cc)
{
    cc->cubic = (struct wf_cubic){0};
}

static void begin_epoch(struct wf_cc *cc, weft_time now)
{
    struct wf_cubic *c = &cc->cubic;

    c->has_epoch = true;
    c->epoch_at = now;
    c->w_est = cc->window;
    c->w_est_part = 0;
    c->grow_part = 0;
    if (cc->window < c->w_max) {
        /* (2^30 * 2^30 * 5) / 2 fits: w_max - window is at most 2^30. */
        const uint64_t cube = ((c->w_max - cc->window) * 5 << 30) / (2 * cc->datagram_len);

        c->k = wf_cc_cube_root(cube);
    } else {
        c->w_max = cc->window;
        c->k = 0;
    }
    if (c->w_prior < cc->window) {
        c->w_prior = cc->window;
    }
}

/* num / den bytes, with what is left over kept for the next time. */
static uint64_t share(uint64_t num, uint64_t den, uint64_t *part)
{
    const uint64_t sum = num + (*part < den ? *part : 0);

    WEFT_ASSERT(den > 0);
    *part = sum % den;
    return sum / den;
}

/* What Reno with this beta would have by now. */
static void grow_estimate(struct wf_cc *cc, uint64_t bytes)
{
    struct wf_cubic *c = &cc->cubic;
    const bool is_past = c->w_est >= c->w_prior;
    const uint64_t num = (is_past ? ALPHA_DEN : ALPHA_NUM) * cc->datagram_len * bytes;

    c->w_est += share(num, ALPHA_DEN * cc->window, &c->w_est_part);
    if (c->w_est > WF_CC_WINDOW_MAX) {
        c->w_est = WF_CC_WINDOW_MAX;
    }
}

static uint64_t target(const struct wf_cc *cc, uint64_t us)
{
    const uint64_t t = cubic_at(cc, us);
    const uint64_t most = cc->window + cc->window / 2;

    if (t < cc->window)
        return cc->window;
    return t < most ? t : most;
}

static void cubic_on_ack(struct wf_cc *cc, const struct wf_cc_ack *a)
{
    struct wf_cubic *c = &cc->cubic;
    const uint64_t bytes = a->bytes < cc->window ? a->bytes : cc->window;

    if (!c->has_epoch) {
        begin_epoch(cc, a->now);
    }
    c->last_ack_at = a->now;
    const uint64_t t = a->now - c->epoch_at;

    grow_estimate(cc, bytes);
    if (cubic_at(cc, t) < c->w_est) {
        wf_cc_set_window(cc, c->w_est > cc->window ? c->w_est : cc->window);
        return;
    }
    const uint64_t ahead = target(cc, t + a->srtt_us) - cc->window;

    wf_cc_set_window(cc, cc->window + share(ahead * bytes, cc->window, &c->grow_part));
}

static void cubic_reduce(struct wf_cc *cc, weft_time now)
{
    struct wf_cubic *c = &cc->cubic;
    const uint64_t w = cc->window;

    (void)now;
    cc->cubic_before = *c;
    /* Fast convergence: who falls before it reached its old peak leaves room for others. */
    c->w_max = w < c->w_max ? w * (BETA_DEN + BETA_NUM) / (2 * BETA_DEN) : w;
    c->w_prior = w;
    c->has_epoch = false;
    wf_cc_set_window(cc, w * BETA_NUM / BETA_DEN);
    cc->ssthresh = cc->window;
}

static void cubic_restore(struct wf_cc *cc)
{
    cc->cubic = cc->cubic_before;
}

/* RFC 9438 section 4.8: what comes after slow start has its turning point where that ended. */
static void cubic_collapse(struct wf_cc *cc)
{
    cc->cubic.has_epoch = false;
    cc->cubic.w_max = 0;
    cc->cubic.w_prior = 0;
}

/* The cubic's clock stands still while the window is not used, else it would jump afterwards. */
static void cubic_on_unused(struct wf_cc *cc, const struct wf_cc_ack *a)
{
    struct wf_cubic *c = &cc->cubic;

    if (!c->has_epoch)
        return;
    c->epoch_at += a->now - c->last_ack_at;
    c->last_ack_at = a->now;
}

const struct wf_cc_ops wf_cc_cubic = {
    .name = "cubic",
    .init = cubic_init,
    .on_ack = cubic_on_ack,
    .reduce = cubic_reduce,
    .restore = cubic_restore,
    .collapse = cubic_collapse,
    .on_unused = cubic_on_unused,
};
