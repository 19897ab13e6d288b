/* SPDX-License-Identifier: Apache-2.0 */
/*
 * say.c - sentences for people, and strings for programs.
 */
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/app.h"

/* Names may hold what moves a terminal's cursor; a sentence stays one line of text. */
static void put_sentence(const struct app *a, const char *fmt, va_list args) WEFT_PRINTF(2, 0);

static void put_sentence(const struct app *a, const char *fmt, va_list args)
{
    char text[2 * APP_TEXT_MAX];

    (void)vsnprintf(text, sizeof text, fmt, args);
    for (char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    }
    (void)fprintf(stderr, "%s: %s", a->program, text);
}

int app_fail(const struct app *a, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    put_sentence(a, fmt, args);
    va_end(args);
    (void)fputc('\n', stderr);
    return 1;
}

const char *app_way_out(weft_err err)
{
    switch (err) {
    case WEFT_ERR_KEY_EXPOSED:
        return "Run `chmod 600` on it, and make a new key if somebody may have read it.";
    case WEFT_ERR_KEY_FILE:
        return "Restore it from a copy, or make a new one with `weft key new`.";
    case WEFT_ERR_PASSPHRASE:
        return "Give it on the terminal or with --passphrase-file.";
    case WEFT_ERR_IN_USE:
        return "Stop the other program, or choose another port; port 0 takes any free one.";
    case WEFT_ERR_UNREACHABLE:
        return "Check the address and port, and that the other side is running.";
    case WEFT_ERR_ADDRESS:
        return "Check the host's name and port; a peer is written weft1…@host:port.";
    case WEFT_ERR_WRONG_KEY:
        return "Ask for the key again by a way you trust, for this may be somebody else.";
    case WEFT_ERR_DENIED:
        return "Ask the owner of the other side for `weft allow`, or check the permissions of the "
               "file.";
    case WEFT_ERR_REFUSED:
        return "The other side does not offer that service.";
    case WEFT_ERR_NO_SPACE:
        return "Make room and try again; what arrived is kept and resumed.";
    case WEFT_ERR_TIMEOUT:
    case WEFT_ERR_CLOSED:
        return "Try again; a transfer goes on where it broke off.";
    case WEFT_ERR_MALFORMED:
        return "A peer is written weft1…@host:port.";
    case WEFT_ERR_STATE:
        return "Perhaps it is under way already; try again when that has ended.";
    default:
        return NULL;
    }
}

int app_fail_err(const struct app *a, weft_err err, const char *fmt, ...)
{
    const char *way_out = app_way_out(err);
    va_list args;

    va_start(args, fmt);
    put_sentence(a, fmt, args);
    va_end(args);
    (void)fprintf(stderr, ": %s.%s%s\n", weft_strerror(err), way_out == NULL ? "" : " ",
                  way_out == NULL ? "" : way_out);
    return 1;
}

void app_json_string(FILE *out, const char *text)
{
    (void)fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            (void)fprintf(out, "\\%c", *c);
        else if (*c < ' ' || *c == 0x7f)
            (void)fprintf(out, "\\u%04x", (unsigned)*c);
        else
            (void)fputc(*c, out);
    }
    (void)fputc('"', out);
}

const char *app_size_text(uint64_t bytes)
{
    static _Thread_local char texts[4][32];
    static _Thread_local unsigned next;
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    char *text = texts[next++ % 4];
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 1024.0 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1024.0;
        unit++;
    }
    (void)snprintf(text, sizeof texts[0], unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return text;
}

uint64_t app_now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void app_digest_text(char out[65], const uint8_t digest[WEFT_DIGEST_LEN])
{
    for (size_t i = 0; i < WEFT_DIGEST_LEN; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", (unsigned)digest[i]);
}
