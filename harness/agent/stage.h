/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_AGENT_STAGE_H
#define EPTLAB_AGENT_STAGE_H

#include <stdbool.h>
#include <glib.h>

/* Where things are in L1. */
struct stage {
	char *job;		    /* folder of what L0 gives: wire/job.h */
	char *l2_files;		    /* folder of what L2's serial ports write */
	char *l2_disk;		    /* L2's disk: a block device or a file */
	const char *l2_disk_format; /* "raw", "qcow2" */
	char *libvirt;	 /* root of libvirt's embedded driver; NULL: one of this process's own */
	char *qemu_conf; /* its configuration */
};

/* The serial line of an appliance to L0. */
#define STAGE_LINK "/dev/ttyS1"

/*
 * What an init does before anything else can run: mounts /proc, /sys and the tmpfs folders, mounts
 * the job medium, and makes the folders. Only for pid 1 of the appliance. L1's disks (/dev/sdX,
 * /dev/vdX) are told apart by what they are, as their names depend on which one answers first: the
 * root's, that with the job's ISO 9660, and L2's, which is the third. Free with stage_free.
 * EPTLAB_ERROR_L1.
 */
struct stage *stage_set(GError **error);

/*
 * The same where L1 is this machine: all is below the folder, which l1/local.c has filled.
 * Nothing is mounted. EPTLAB_ERROR_L1.
 */
struct stage *stage_here(const char *folder, GError **error);

/* Files of that folder, beside those of stage.job: the FIFO to L0, and libvirt's qemu.conf. */
#define STAGE_HERE_JOB	     "job"
#define STAGE_HERE_LINK	     "frames.fifo"
#define STAGE_HERE_CONSOLE   "console.fifo"
#define STAGE_HERE_QEMU_CONF "qemu.conf"

void stage_free(struct stage *stage);

/* Files below the job medium's folder; the caller frees it. */
char *stage_job(const struct stage *stage, const char *name);

/* Power L1 off. Does not return. */
void stage_leave(void) G_GNUC_NORETURN;

#endif
