/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.h - what a program that holds keys does with its own process, once, at its start.
 */
#ifndef WF_NET_PROCESS_H
#define WF_NET_PROCESS_H

#include "base/compiler.h"

/* No core dumps, no ptrace by other processes of the same user, and a broken pipe or a full file is
 * an error code and not a signal. Never fails as a whole: what the system refuses is left as it
 * was; true when all of it took. */
bool wf_process_harden(void);

/* Raises the limit on open files as far as allowed, at most to want. Returns the limit now in
 * force. */
size_t wf_process_raise_files(size_t want);

/* Bytes of memory the process holds resident; 0 when the system does not say. */
size_t wf_process_resident_bytes(void);

/* Microseconds of processor time, user and system, used so far. */
uint64_t wf_process_cpu_us(void);

#endif
