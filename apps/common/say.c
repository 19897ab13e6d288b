/* SPDX-License-Identifier: Apache-2.0 */
/*
 * say.c - sentences for people, and strings for programs.
 */
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/app.h"

/* Length of the character at the front, 0 when it is no UTF-8. len > 0. */
static size_t character_len(const unsigned char *text, size_t len)
{
    size_t n = text[0] < 0x80 ? 1 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
    bool is_lead = text[0] < 0x80 || (text[0] >= 0xc2 && text[0] < 0xf5);

    if (!is_lead || n > len)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    if (n >= 3 && ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] >= 0xa0)))
        return 0;
    if (n == 4 && ((text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] >= 0x90)))
        return 0;
    return n;
}

/* A terminal obeys these: C0, DEL and, as two bytes, C1. */
static bool is_control(const unsigned char *text, size_t len)
{
    return text[0] < ' ' || text[0] == 0x7f || (len == 2 && text[0] == 0xc2 && text[1] < 0xa0);
}

/* Everything a terminal would obey, but for what stands in `but`, becomes a question mark. */
static void put_safe(FILE *out, const unsigned char *text, size_t len, const char *but)
{
    for (size_t at = 0, n = 0; at < len; at += n) {
        n = character_len(text + at, len - at);
        if (n == 0 || (is_control(text + at, n) && (text[at] == 0 || !strchr(but, text[at])))) {
            (void)fputc('?', out);
            n = n == 0 ? 1 : n;
        } else {
            (void)fwrite(text + at, 1, n, out);
        }
    }
}

void app_put_bytes(FILE *out, const void *data, size_t len)
{
    if (isatty(fileno(out)) != 0)
        put_safe(out, data, len, "\n\t");
    else if (len > 0)
        (void)fwrite(data, 1, len, out);
}

/* Names may hold what moves a terminal's cursor; a sentence stays one line of text. */
static void put_sentence(const struct app *a, const char *fmt, va_list args) WEFT_PRINTF(2, 0);

static void put_sentence(const struct app *a, const char *fmt, va_list args)
{
    char text[2 * APP_TEXT_MAX];

    (void)vsnprintf(text, sizeof text, fmt, args);
    (void)fprintf(stderr, "%s: ", a->program);
    put_safe(stderr, (const unsigned char *)text, strlen(text), "");
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

/* Rules go by the key that the other side saw. */
static const char *way_in(const struct app *a)
{
    static char text[256];

    if (a->shown[0] == '\0')
        return "Check the permissions of the file.";
    (void)snprintf(text, sizeof text,
                   "Ask the owner of the other side for `weft allow %s SERVICE` (that is the key "
                   "shown there), or check the permissions of the file.",
                   a->shown);
    return text;
}

/* What a person can do about it; NULL where there is nothing to add. */
static const char *way_out_of(const struct app *a, weft_err err)
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
        if (a->invitation_path != NULL)
            return "Check the address and port, that the other side is running, and that it still "
                   "answers the group of the invitation.";
        return "Check the address and port, and that the other side is running.";
    case WEFT_ERR_ADDRESS:
        return "Check the host's name and port; a peer is written weft1…@host:port.";
    case WEFT_ERR_WRONG_KEY:
        return "Ask for the key again by a way you trust, for this may be somebody else.";
    case WEFT_ERR_DENIED:
        return way_in(a);
    case WEFT_ERR_REFUSED:
        return "The other side does not offer that service.";
    case WEFT_ERR_UNREAD:
        return "The program that should read it stands still; look there, then try again.";
    case WEFT_ERR_NO_SPACE:
        return "Make room and try again; what arrived is kept and resumed.";
    case WEFT_ERR_TIMEOUT:
    case WEFT_ERR_CLOSED:
        return "Try again; a transfer goes on where it broke off.";
    case WEFT_ERR_MALFORMED:
        return "A peer is written weft1…@host:port.";
    case WEFT_ERR_STATE:
        return "Perhaps it is under way already, or the file changed meanwhile; try again later.";
    case WEFT_ERR_LIMIT:
        return a->work_text[0] == '\0' ? NULL : a->work_text;
    default:
        return NULL;
    }
}

int app_fail_err(const struct app *a, weft_err err, const char *fmt, ...)
{
    const char *way_out = way_out_of(a, err);
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
    const unsigned char *c = (const unsigned char *)text;
    size_t left = strlen(text);

    (void)fputc('"', out);
    for (size_t n = 0; left > 0; c += n, left -= n) {
        n = character_len(c, left);
        if (n == 0)
            (void)fputs("\\ufffd", out);
        else if (*c == '"' || *c == '\\')
            (void)fprintf(out, "\\%c", *c);
        else if (is_control(c, n))
            (void)fprintf(out, "\\u%04x", (unsigned)c[n - 1]);
        else
            (void)fwrite(c, 1, n, out);
        n = n == 0 ? 1 : n;
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

/* Who reads no more, as `head` does, has had enough. */
static bool is_reader_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};

    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

int app_finish(const struct app *a, int status)
{
    if ((fflush(stdout) == 0 && ferror(stdout) == 0) || is_reader_gone())
        return status;
    return app_fail(a, "the output could not be written whole. Is the disk full?");
}
