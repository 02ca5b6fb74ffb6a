/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_VIRT_REAPER_H
#define EPTLAB_VIRT_REAPER_H

#include <stdbool.h>
#include <glib.h>

#include "virt/hypervisor.h"

/*
 * libvirt's embedded driver has no autodestroy: its QEMUs outlive the process that started them. So
 * a process of its own waits for that one's end, kills what QEMU there is below the driver's root
 * and removes the root.
 */
struct reaper;

/* Start it for the embedded driver's root. Errors have the level's code. */
struct reaper *reaper_start(const struct virt_level *level, const char *root, GError **error);

/* Have it do its work now, wait until it has, and free the structure. */
void reaper_finish(struct reaper *reaper);

/* The other process: "eptlab reap ROOT", with the first one's pipe as its standard input. */
int reaper_main(const char *root);

#endif
