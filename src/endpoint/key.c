/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key.c - keys and peers as text.
 */
#include <string.h>

#include "base/addr.h"
#include "base/bech32.h"
#include "base/bytes.h"
#include "weft/key.h"

#define KEY_PREFIX "weft"

void weft_key_text(char out[WEFT_KEY_TEXT_MAX], const weft_key *key)
{
    if (wf_bech32_encode(out, WEFT_KEY_TEXT_MAX, KEY_PREFIX, wf_span(key->bytes, WEFT_KEY_LEN)) !=
        WEFT_OK)
        out[0] = '\0'; /* not reached: the length is right by construction */
}

/* SPEC 5.1-1 */
weft_err weft_key_parse(weft_key *out, const char *text)
{
    if (text == NULL)
        return WEFT_ERR_MALFORMED;
    return wf_bech32_decode(out->bytes, WEFT_KEY_LEN, KEY_PREFIX, wf_span_of(text));
}

bool weft_key_is_nobody(const weft_key *key)
{
    return wf_is_zero_ct(key->bytes, WEFT_KEY_LEN);
}

static weft_err set_host(weft_peer *p, weft_span host)
{
    if (host.len == 0 || host.len > WEFT_HOST_MAX)
        return WEFT_ERR_ADDRESS;
    for (size_t i = 0; i < host.len; i++) {
        if (host.data[i] <= ' ' || host.data[i] > '~' || host.data[i] == '@')
            return WEFT_ERR_ADDRESS;
    }
    memcpy(p->host, host.data, host.len);
    p->host[host.len] = '\0';
    return WEFT_OK;
}

static weft_err set_port(weft_peer *p, const char *text)
{
    weft_err err = wf_addr_parse_port(&p->port, wf_span_of(text));

    return err == WEFT_OK && p->port == 0 ? WEFT_ERR_ADDRESS : err;
}

/* "[v6]", "[v6]:port", "host", "host:port". SPEC 5.1-2 */
static weft_err parse_address(weft_peer *p, const char *text)
{
    const char *end = NULL;
    const char *rest = NULL;
    weft_err err = WEFT_OK;

    p->port = WEFT_PORT_DEFAULT;
    if (text[0] == '[') {
        text++;
        end = strchr(text, ']');
        rest = end == NULL ? NULL : end + 1;
    } else {
        end = strchr(text, ':');
        if (end == NULL)
            end = text + strlen(text);
        rest = end;
    }
    if (end == NULL)
        return WEFT_ERR_ADDRESS;
    err = set_host(p, wf_span(text, (size_t)(end - text)));
    if (err != WEFT_OK || rest[0] == '\0')
        return err;
    return rest[0] == ':' ? set_port(p, rest + 1) : WEFT_ERR_ADDRESS;
}

weft_err weft_peer_parse(weft_peer *out, const char *text)
{
    weft_peer p = {.port = 0};
    char key[WEFT_KEY_TEXT_MAX];
    const char *at = text == NULL ? NULL : strchr(text, '@');
    size_t len = text == NULL ? 0 : (at == NULL ? strlen(text) : (size_t)(at - text));
    weft_err err = WEFT_OK;

    if (len == 0 || len >= sizeof key)
        return WEFT_ERR_MALFORMED;
    memcpy(key, text, len);
    key[len] = '\0';
    err = weft_key_parse(&p.key, key);
    if (err == WEFT_OK && at != NULL)
        err = parse_address(&p, at + 1);
    if (err == WEFT_OK)
        *out = p;
    return err;
}
