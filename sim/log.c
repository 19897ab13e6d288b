/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.c - trace hash, text and the first failure. It must never format a pointer.
 */
#include "sim/log.h"

#include <stdarg.h>
#include <string.h>

#define GOLDEN 0x9e3779b97f4a7c15u

uint64_t sim_mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* Little-endian whatever the machine is, so that hashes can be compared between machines. */
static uint64_t load_le(const uint8_t *p)
{
    uint64_t v = 0;

    for (unsigned i = 8; i > 0; i--) {
        v = v << 8 | p[i - 1];
    }
    return v;
}

uint64_t sim_hash(uint64_t start, const void *data, size_t len)
{
    const uint8_t *p = (const uint8_t *)data;
    uint64_t h = start ^ (len * GOLDEN);

    for (; len >= 8; p += 8, len -= 8) {
        h = (h ^ load_le(p)) * GOLDEN;
        h ^= h >> 32;
    }
    if (len > 0) {
        uint8_t rest[8] = {0};

        memcpy(rest, p, len);
        h = (h ^ load_le(rest)) * GOLDEN;
    }
    return sim_mix(h);
}

void sim_log_init(struct sim_log *log, uint64_t seed, FILE *text)
{
    *log = (struct sim_log){.hash = sim_mix(seed + GOLDEN), .text = text};
}

void sim_log_add(struct sim_log *log, const struct sim_log_line *line)
{
    const uint64_t numbers[4] = {log->now, line->host, line->a, line->b};

    log->lines++;
    for (size_t i = 0; i < WF_ARRAY_LEN(numbers); i++) {
        log->hash = sim_mix(log->hash ^ numbers[i]) + GOLDEN;
    }
    log->hash = sim_hash(log->hash, line->what, strlen(line->what));
    log->hash = sim_hash(log->hash, line->bytes.data, line->bytes.len);
    sim_log_say(log, "host %u %s %llu %llu", (unsigned)line->host, line->what,
                (unsigned long long)line->a, (unsigned long long)line->b);
}

static void print_time(struct sim_log *log)
{
    fprintf(log->text, "%6llu.%06llu  ", (unsigned long long)(log->now / 1000000),
            (unsigned long long)(log->now % 1000000));
}

void sim_log_say(struct sim_log *log, const char *fmt, ...)
{
    va_list args;

    if (log->text == NULL)
        return;
    print_time(log);
    va_start(args, fmt);
    vfprintf(log->text, fmt, args);
    va_end(args);
    fputc('\n', log->text);
}

void sim_fail(struct sim_log *log, const char *fmt, ...)
{
    va_list args;

    if (log->failed)
        return;
    log->failed = true;
    log->failed_at = log->now;
    va_start(args, fmt);
    (void)vsnprintf(log->failure, sizeof log->failure, fmt, args);
    va_end(args);
    sim_log_say(log, "BROKEN: %s", log->failure);
}
