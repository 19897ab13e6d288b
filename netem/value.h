/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value.h - numbers with units, as people write them: "20ms", "2.5%", "10mbit", "64k". Each
 * function is false for anything else and then leaves *out alone.
 */
#ifndef NETEM_VALUE_H
#define NETEM_VALUE_H

#include "base/compiler.h"

/* No time, size or rate is above its unit times this. */
#define NETEM_VALUE_MAX 1000000000u

/* Microseconds from "5us", "20ms", "1.5s", "2min". */
bool netem_time(uint64_t *out, const char *text);

/* Millionths from "2.5%"; at most 100%. */
bool netem_share(uint64_t *out, const char *text);

/* Bytes from "1500", "64k", "2m" (thousands and millions). */
bool netem_bytes(uint64_t *out, const char *text);

/* Bytes a second from "56kbit", "10mbit", "1gbit". */
bool netem_rate(uint64_t *out, const char *text);

/* A whole number without unit. */
bool netem_number(uint64_t *out, const char *text);

/* 1 from "yes", 0 from "no". */
bool netem_yes(uint64_t *out, const char *text);

/* The text in front of the first `mark`, copied to head; *rest is what stands behind it. False when
 * there is no mark or head is too small; nothing is written then. */
bool netem_split(char *head, size_t cap, const char **rest, const char *text, char mark);

#endif
