/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_AGENT_STAGE_H
#define EPTLAB_AGENT_STAGE_H

#include <stdbool.h>
#include <glib.h>

/* Where things are in L1, once stage_set has run. */
#define STAGE_LINK	"/dev/ttyS1" /* serial line to L0 */
#define STAGE_JOB	"/job"	     /* the job medium (model/job.h), read-only */
#define STAGE_JOB_DISK	"/dev/sda"   /* what L1 was booted from; sdb is its root, sdc L2's disk */
#define STAGE_L2_FILES	"/run/l2"    /* what L2's serial ports write */
#define STAGE_LIBVIRT	"/run/v"     /* root of libvirt's embedded driver; short: socket paths */
#define STAGE_QEMU_CONF "/etc/libvirt-embed/qemu.conf"

/*
 * What an init does before anything else can run: mounts /proc, /sys and the tmpfs folders, mounts
 * the job medium, and makes the folders above. Only for pid 1. EPTLAB_ERROR_L1.
 */
bool stage_set(GError **error);

/* Power L1 off. Does not return. */
void stage_leave(void) G_GNUC_NORETURN;

#endif
