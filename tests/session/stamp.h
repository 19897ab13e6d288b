/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stamp.h - what an attacker does who changes a handshake's datagrams on their way and has seen the
 * ones before: the checks are right again, so that what comes after them is put to the test.
 */
#ifndef WEFT_TESTS_SESSION_STAMP_H
#define WEFT_TESTS_SESSION_STAMP_H

#include <string.h>

#include "base/bytes.h"
#include "crypto/hash.h"
#include "session/challenge.h"
#include "session/work.h"

/* Of a CHALLENGE that answers this HELLO; nothing happens to what is none. */
static inline void stamp_challenge(uint8_t *challenge, size_t len, const uint8_t *hello)
{
    uint8_t digest[WF_CHECK_LEN];
    struct wf_hello h;

    if (len < WF_CHALLENGE_FIXED || wf_hello_get(wf_span(hello, WF_HELLO_LEN), &h) != WEFT_OK)
        return;
    wf_challenge_digest(digest, wf_span(challenge, len));
    wf_challenge_stamp(challenge, digest, &h);
}

/* Of a SOLVE of which no effort was asked. */
static inline void stamp_solve(uint8_t *solve, size_t len)
{
    struct wf_work work = {0};
    struct wf_solve s;

    if (wf_solve_get(wf_span(solve, len), &s) != WEFT_OK || s.head.effort != 0)
        return;
    const weft_span boxes = wf_span(solve + s.clear.len, len - s.clear.len);
    work.bid = s.bid;
    memcpy(work.cookie, s.cookie, sizeof work.cookie);
    memcpy(work.n_c, s.n_c, sizeof work.n_c);
    memcpy(work.e_c, s.e_c, sizeof work.e_c);
    wf_hash(work.boxes_hash, &boxes, 1);
    wf_store_u64(solve + WF_SOLVE_WORK_OFFSET, wf_work_unpaid(&work));
}

#endif
