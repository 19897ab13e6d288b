/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mtu.c - see mtu.h. A size is used only after a probe of it was acknowledged under our own keys;
 * what a router or the kernel says can only end a probe or lower the size to the base.
 */
#include "transport/mtu.h"

/* UDP payloads of links that exist: tunnels, PPPoE, Ethernet, jumbo frames and the loopback, each
 * over IPv6 and IPv4. */
static const uint32_t common[] = {1232, 1392, 1432, 1452, 1472, 8952, 8972, 65487};

static bool is_common(const struct wf_mtu *m, uint64_t size)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(common); i++) {
        if (size == common[i])
            return true;
    }
    return size == m->max;
}

/* The least size worth a probe between what works and what does not; 0: none. */
static uint64_t next_common(const struct wf_mtu *m)
{
    for (size_t i = 0; i < WF_ARRAY_LEN(common); i++) {
        if (common[i] > m->size && common[i] < m->max && common[i] < m->failed)
            return common[i];
    }
    return m->size < m->max && m->max < m->failed ? m->max : 0;
}

static void choose(struct wf_mtu *m, weft_time now)
{
    m->lost = 0;
    m->in_flight = false;
    m->again_at = WEFT_TIME_NEVER;
    m->probing = 0;
    if (m->size >= m->max)
        return;
    m->probing = m->tried_max ? next_common(m) : m->max;
    if (m->probing == 0 && m->failed - m->size > WF_MTU_STEP) {
        m->probing = m->size + (m->failed - m->size) / 2;
    }
    if (m->probing == 0) {
        m->again_at = now + WF_MTU_RAISE_US;
    }
}

void wf_mtu_init(struct wf_mtu *m, uint64_t max)
{
    max = max < WF_MTU_MAX ? max : WF_MTU_MAX;
    *m = (struct wf_mtu){.max = max > WF_MTU_BASE ? max : WF_MTU_BASE};
    wf_mtu_reset(m);
}

void wf_mtu_reset(struct wf_mtu *m)
{
    *m = (struct wf_mtu){.max = m->max, .size = WF_MTU_BASE, .failed = m->max + 1};
    choose(m, 0);
}

void wf_mtu_restore(struct wf_mtu *m, weft_time now, uint64_t size, uint64_t failed, bool tried_max)
{
    if (m->is_fixed || size < m->size || size > m->max || failed <= size || failed > m->max + 1)
        return;
    m->size = size;
    m->failed = failed;
    m->tried_max = tried_max;
    choose(m, now);
}

/* SPEC 4.4-12 */
void wf_mtu_fix(struct wf_mtu *m, uint64_t size)
{
    wf_mtu_reset(m);
    m->size = size < m->max ? size : m->max;
    m->is_fixed = true;
    m->probing = 0;
    m->again_at = WEFT_TIME_NEVER;
}

uint64_t wf_mtu_size(const struct wf_mtu *m)
{
    return m->size;
}

static void begin_search(struct wf_mtu *m, weft_time now)
{
    m->failed = m->max + 1;
    m->tried_max = false;
    choose(m, now);
}

uint64_t wf_mtu_probe(struct wf_mtu *m, weft_time now)
{
    if (m->in_flight || m->is_stalled || m->is_fixed)
        return 0;
    if (m->probing == 0 && now >= m->again_at) {
        begin_search(m, now);
    }
    return m->probing;
}

void wf_mtu_on_probe_sent(struct wf_mtu *m, uint64_t size)
{
    m->in_flight = m->in_flight || size == m->probing;
}

bool wf_mtu_on_probe_acked(struct wf_mtu *m, weft_time now, uint64_t size)
{
    m->is_stalled = false;
    if (size == m->probing) {
        m->in_flight = false;
    }
    if (size <= m->size || size > m->max)
        return false;
    m->size = size;
    m->big_lost = 0;
    if (m->failed <= size) {
        m->failed = m->max + 1; /* it had only been late */
    }
    choose(m, now);
    return true;
}

/* The jump to the largest and the halving try a size once: losing them by bad luck costs little. */
static uint32_t tries_of(const struct wf_mtu *m, uint64_t size)
{
    return m->tried_max && is_common(m, size) ? WF_MTU_PROBES_MAX : 1;
}

void wf_mtu_on_probe_lost(struct wf_mtu *m, weft_time now, uint64_t size)
{
    if (size != m->probing || !m->in_flight)
        return;
    m->in_flight = false;
    m->lost++;
    if (m->lost < tries_of(m, size))
        return;
    if (m->tried_max) {
        m->failed = size;
    }
    m->tried_max = true;
    choose(m, now);
}

/* Back to what always works; sizes are searched upwards again. */
static bool fall(struct wf_mtu *m)
{
    if (m->size == WF_MTU_BASE || m->is_fixed)
        return false;
    m->size = WF_MTU_BASE;
    m->failed = m->max + 1;
    m->tried_max = true;
    m->big_lost = 0;
    choose(m, 0);
    return true;
}

bool wf_mtu_on_too_big(struct wf_mtu *m, weft_time now, uint64_t size)
{
    if (size <= WF_MTU_BASE || size > m->max || m->is_fixed)
        return false;

    const bool has_fallen = size <= m->size && fall(m);

    m->tried_max = true;
    m->failed = size < m->failed ? size : m->failed;
    if (has_fallen || (m->probing >= m->failed)) {
        choose(m, now);
    }
    return has_fallen;
}

bool wf_mtu_on_pto(struct wf_mtu *m, uint32_t count)
{
    m->is_stalled = m->is_stalled || count > 0;
    return count >= WF_MTU_PTO_MAX && fall(m); /* SPEC 4.4-1 */
}

void wf_mtu_on_acked(struct wf_mtu *m, uint64_t largest)
{
    m->is_stalled = false;
    if (largest > WF_MTU_BASE) {
        m->big_lost = 0;
    }
}

bool wf_mtu_on_lost(struct wf_mtu *m, uint64_t largest)
{
    if (largest <= WF_MTU_BASE || m->size == WF_MTU_BASE)
        return false;
    m->big_lost++;
    return m->big_lost >= WF_MTU_BIG_LOST_MAX && fall(m);
}

weft_time wf_mtu_deadline(const struct wf_mtu *m)
{
    return m->probing == 0 ? m->again_at : WEFT_TIME_NEVER;
}
