/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pin.c - pins as text, and the pins of a node.
 */
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "endpoint/node_priv.h"
#include "endpoint/pin_priv.h"

#define NODE_PINS_MAX 4096u
#define PIN_WORDS 4u

static const char no_key[] = "-";

/* One name of a node. It stays where it is as long as the node lives. */
struct node_pin {
    struct wf_link link; /* in node->pins */
    weft_pin pin;
    weft_pin_fn fn;
    void *user;
};

/* --- text --- */

weft_err weft_pin_text(char out[WEFT_PIN_TEXT_MAX], const weft_pin *pin)
{
    char owner[WEFT_KEY_TEXT_MAX];
    char key[WEFT_KEY_TEXT_MAX];
    size_t len = strnlen(pin->name, sizeof pin->name);

    if (!wf_name_valid(wf_span(pin->name, len)))
        return WEFT_ERR_MALFORMED;
    weft_key_text(owner, &pin->owner);
    weft_key_text(key, &pin->key);
    (void)snprintf(out, WEFT_PIN_TEXT_MAX, "%s %s %s %" PRIu64, pin->name, owner,
                   weft_key_is_nobody(&pin->key) ? no_key : key, pin->version);
    return WEFT_OK;
}

/* The words of a line, cut apart in place. False: not so many. */
static bool split(char *line, char *words[PIN_WORDS])
{
    for (size_t i = 0; i < PIN_WORDS; i++) {
        char *end = strchr(line, ' ');

        if ((end == NULL) != (i + 1 == PIN_WORDS))
            return false;
        words[i] = line;
        if (end != NULL) {
            *end = '\0';
            line = end + 1;
        }
    }
    return true;
}

weft_err weft_pin_parse(weft_pin *out, const char *text)
{
    char line[WEFT_PIN_TEXT_MAX];
    char *words[PIN_WORDS];
    weft_pin p = WEFT_PIN;
    size_t len = strlen(text);

    if (len >= sizeof line)
        return WEFT_ERR_MALFORMED;
    memcpy(line, text, len + 1);
    if (!split(line, words) || !pin_read_name(words[0], p.name) ||
        weft_key_parse(&p.owner, words[1]) != WEFT_OK || !pin_read_number(words[3], &p.version))
        return WEFT_ERR_MALFORMED;
    if (strcmp(words[2], no_key) != 0 && weft_key_parse(&p.key, words[2]) != WEFT_OK)
        return WEFT_ERR_MALFORMED;
    *out = p;
    return WEFT_OK;
}

/* --- of a node --- */

static struct node_pin *find(const weft_node *n, weft_span name)
{
    for (struct wf_link *l = n->pins.first; l != NULL; l = l->next) {
        struct node_pin *p = WF_CONTAINER_OF(l, struct node_pin, link);

        if (strlen(p->pin.name) == name.len && memcmp(p->pin.name, name.data, name.len) == 0)
            return p;
    }
    return NULL;
}

static weft_err add(weft_node *n, struct node_pin **out)
{
    struct node_pin *p = NULL;

    if (n->pins.count >= NODE_PINS_MAX)
        return WEFT_ERR_LIMIT;
    p = wf_alloc(&n->mem, sizeof *p);
    if (p == NULL)
        return WEFT_ERR_NOMEM;
    wf_list_push_back(&n->pins, &p->link);
    *out = p;
    return WEFT_OK;
}

weft_err weft_node_pin(weft_node *n, const weft_pin *pin, weft_pin_fn fn, void *user)
{
    weft_span name = wf_span(pin->name, strnlen(pin->name, sizeof pin->name));
    struct node_pin *p = NULL;
    weft_err err = WEFT_OK;

    if (pin->size < sizeof *pin)
        return WEFT_ERR_USAGE;
    if (!wf_name_valid(name))
        return WEFT_ERR_MALFORMED;
    p = find(n, name);
    if (p == NULL)
        err = add(n, &p);
    if (err != WEFT_OK)
        return err;
    p->pin = *pin;
    p->fn = fn;
    p->user = user;
    return WEFT_OK;
}

void node_pins_free(weft_node *n)
{
    for (struct wf_link *l = wf_list_pop_front(&n->pins); l != NULL;
         l = wf_list_pop_front(&n->pins))
        wf_free(&n->mem, WF_CONTAINER_OF(l, struct node_pin, link), sizeof(struct node_pin));
}

/* NAME@host:port is read as a key with that address would be. */
weft_err node_peer_parse(const weft_node *n, const char *text, weft_peer *out,
                         const struct node_pin **pin)
{
    char whole[WEFT_KEY_TEXT_MAX + WEFT_HOST_MAX + 16];
    weft_err err = weft_peer_parse(out, text);
    size_t len = text == NULL ? 0 : strcspn(text, "@");

    *pin = NULL;
    if (err != WEFT_ERR_MALFORMED || text == NULL)
        return err;
    *pin = find(n, wf_span(text, len));
    if (*pin == NULL || strlen(text + len) >= sizeof whole - WEFT_KEY_TEXT_MAX)
        return *pin == NULL ? WEFT_ERR_MALFORMED : WEFT_ERR_ADDRESS;
    weft_key_text(whole, &(*pin)->pin.key);
    (void)snprintf(whole + strlen(whole), sizeof whole - strlen(whole), "%s", text + len);
    return weft_peer_parse(out, whole);
}

void node_pin_use(const struct node_pin *p, struct wf_pin *out, uint8_t key[32])
{
    *out = (struct wf_pin){.name_len = (uint8_t)strlen(p->pin.name), .version = p->pin.version};
    memcpy(out->name, p->pin.name, out->name_len);
    memcpy(out->owner, p->pin.owner.bytes, sizeof out->owner);
    memcpy(key, p->pin.key.bytes, WEFT_KEY_LEN);
}

/* SPEC 1.12-12: the pin follows, if nobody changed it meanwhile, and never to a lower version. */
void node_pin_learned(weft_node *n, const struct wf_core_event *e)
{
    struct node_pin *p = find(n, wf_span(e->pin.name, e->pin.name_len));
    weft_key before;

    if (p == NULL || memcmp(p->pin.owner.bytes, e->pin.owner, sizeof e->pin.owner) != 0 ||
        e->pin.version < p->pin.version)
        return;
    before = p->pin.key;
    memcpy(p->pin.key.bytes, e->peer, WEFT_KEY_LEN);
    p->pin.version = e->pin.version;
    if (p->fn != NULL)
        p->fn(&p->pin, &before, p->user);
}
