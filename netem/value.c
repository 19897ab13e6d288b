/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value.c - numbers with units. It must never round a value that can be said exactly.
 */
#include "netem/value.h"

#include <string.h>

#define PARTS 1000000u /* digits behind the point count this finely */

struct unit {
    const char *name;
    uint64_t size;
};

static const struct unit times[] = {
    {"us", 1}, {"ms", 1000}, {"s", 1000000}, {"min", 60000000}, {NULL, 0}};
static const struct unit shares[] = {{"%", 10000}, {NULL, 0}};
static const struct unit sizes[] = {{"", 1}, {"k", 1000}, {"m", 1000000}, {NULL, 0}};
static const struct unit rates[] = {
    {"kbit", 125}, {"mbit", 125000}, {"gbit", 125000000}, {NULL, 0}};
static const struct unit numbers[] = {{"", 1}, {NULL, 0}};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits in front of the point; false above NETEM_VALUE_MAX, or when there is none. */
static bool whole(uint64_t *out, const char **text)
{
    uint64_t v = 0;

    if (!is_digit(**text))
        return false;
    for (; is_digit(**text); (*text)++) {
        v = v * 10 + (uint64_t)(**text - '0');
        if (v > NETEM_VALUE_MAX)
            return false;
    }
    *out = v;
    return true;
}

/* Digits behind the point, in PARTS; false when there is none or are too many. */
static bool parts(uint64_t *out, const char **text)
{
    uint64_t scale = PARTS;

    *out = 0;
    if (**text != '.')
        return true;
    (*text)++;
    if (!is_digit(**text))
        return false;
    for (; is_digit(**text); (*text)++) {
        scale /= 10;
        if (scale == 0)
            return false;
        *out += scale * (uint64_t)(**text - '0');
    }
    return true;
}

static bool scaled(uint64_t *out, const char *text, const struct unit *units)
{
    uint64_t v = 0;
    uint64_t part = 0;

    if (!whole(&v, &text) || !parts(&part, &text))
        return false;
    for (; units->name != NULL; units++) {
        if (strcmp(units->name, text) == 0) {
            *out = v * units->size + part * units->size / PARTS;
            return true;
        }
    }
    return false;
}

bool netem_time(uint64_t *out, const char *text)
{
    return scaled(out, text, times);
}

bool netem_share(uint64_t *out, const char *text)
{
    uint64_t v = 0;

    if (!scaled(&v, text, shares) || v > 1000000)
        return false;
    *out = v;
    return true;
}

bool netem_bytes(uint64_t *out, const char *text)
{
    return scaled(out, text, sizes);
}

bool netem_rate(uint64_t *out, const char *text)
{
    return scaled(out, text, rates);
}

bool netem_number(uint64_t *out, const char *text)
{
    return strchr(text, '.') == NULL && scaled(out, text, numbers);
}

bool netem_yes(uint64_t *out, const char *text)
{
    const bool yes = strcmp(text, "yes") == 0;

    if (!yes && strcmp(text, "no") != 0)
        return false;
    *out = yes;
    return true;
}

bool netem_split(char *head, size_t cap, const char **rest, const char *text, char mark)
{
    const char *at = strchr(text, mark);

    if (at == NULL || (size_t)(at - text) >= cap)
        return false;
    memcpy(head, text, (size_t)(at - text));
    head[at - text] = '\0';
    *rest = at + 1;
    return true;
}
