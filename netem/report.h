/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - what the emulator did, as one JSON object.
 */
#ifndef NETEM_REPORT_H
#define NETEM_REPORT_H

#include <stdio.h>

#include "netem/run.h"

/* One line. */
void netem_report_print(FILE *out, const struct netem *n, bool is_last);

/* To standard output or, whole or not at all, to the file of --json. False with errno. */
bool netem_report_write(const struct netem *n, bool is_last);

#endif
