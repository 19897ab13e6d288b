/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statement.c - see statement.h. What costs nothing is looked at first; the signature last.
 */
#include "session/statement.h"

#include <string.h>

#include "base/bytes.h"

void wf_statement_sign(struct wf_statement *s, const struct wf_identity *owner)
{
    uint8_t message[WF_STATEMENT_MESSAGE_MAX];

    memcpy(s->owner, owner->public_key, sizeof s->owner);
    size_t len = wf_statement_message(s, message);
    wf_sign(s->signature, owner->sign_secret, wf_span(message, len));
}

bool wf_statement_is_signed(const struct wf_statement *s)
{
    uint8_t message[WF_STATEMENT_MESSAGE_MAX];
    size_t len = wf_statement_message(s, message);

    return wf_verify(s->owner, s->signature, wf_span(message, len)) == WEFT_OK;
}

/* SPEC 1.12-9 */
bool wf_statement_is_timely(const struct wf_statement *s, uint64_t wall_s)
{
    bool is_early = s->not_before_s > wall_s && s->not_before_s - wall_s > WF_STATEMENT_SLACK_S;
    bool is_late = wall_s > s->not_after_s && wall_s - s->not_after_s > WF_STATEMENT_SLACK_S;

    return !is_early && !is_late;
}

/* SPEC 1.12-10 */
static bool is_newer(const struct wf_statement *s, const struct wf_pin *pin, const uint8_t key[32])
{
    if (wf_is_zero_ct(key, 32))
        return s->version >= pin->version;
    return memcmp(s->key, key, 32) != 0 && s->version > pin->version;
}

/* SPEC 1.12-8 */
bool wf_statement_is_news(const struct wf_statement *s, const struct wf_pin *pin,
                          const uint8_t key[32], uint64_t wall_s)
{
    return s->name_len == pin->name_len && memcmp(s->name, pin->name, pin->name_len) == 0 &&
           memcmp(s->owner, pin->owner, sizeof s->owner) == 0 && is_newer(s, pin, key) &&
           wf_statement_is_timely(s, wall_s) && wf_statement_is_signed(s);
}
