/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device.h - a TUN device in some network namespace.
 */
#ifndef NETEM_DEVICE_H
#define NETEM_DEVICE_H

#include "netem/options.h"

struct netem_device {
    int fd;       /* of whole IP packets; -1: not open */
    int stats_fd; /* the namespace's /proc/net/dev; -1: none */
    char name[NETEM_DEVICE_MAX];
};

/* Makes the device, gives it its addresses and takes it up. The process is in its own namespace
 * again afterwards. False: standard error says why. */
bool netem_device_open(struct netem_device *d, const struct netem_end *end, uint64_t mtu);

/* The device goes with it. Harmless when it is not open. */
void netem_device_close(struct netem_device *d);

/* Packets that the kernel had for us and dropped because they were not read in time. */
uint64_t netem_device_dropped(const struct netem_device *d);

#endif
