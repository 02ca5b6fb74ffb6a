/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_L2_USER_SYSTEM_H
#define EPTLAB_L2_USER_SYSTEM_H

#include <stdbool.h>
#include <glib.h>
#include <guestfs.h>

#include "base/error.h"

/*
 * The Linux in the user's own image: what it is, and how a probe gets into it. All errors are
 * EPTLAB_ERROR_MACHINE; image is for messages.
 */

/* Folder in the image with all that is put into it, but for the unit. */
#define USER_SYSTEM_FOLDER "/opt/eptlab"

/* "L0: the image IMAGE ...": why it cannot be taken. Returns false. */
#define user_system_refuse(error, image, format, ...)                                              \
	eptlab_fail(error, EPTLAB_ERROR_MACHINE, "L0: the image %s " format, image, ##__VA_ARGS__)

/*
 * Find out what is in there, and mount it. Refused: nothing that is known, an encrypted disk, more
 * than one system, another one than an x86-64 Linux, a file system that was not unmounted.
 */
bool user_system_mount(guestfs_h *g, const char *image, GError **error);

/* Files of L0. */
struct user_system_files {
	const char *probe;
	const char *workload;	/* the program between two readings; "": none */
	const char *name;	/* of the workload */
	const char *operations; /* after it; "": none */
	char **more;		/* pairs of a file and the path that it gets; NULL at the end */
};

/* Put them in, with a unit (systemd) or a script (init.d) that runs them once at the boot's end. */
bool user_system_install(guestfs_h *g, const char *image, const struct user_system_files *files,
			 GError **error);

#endif
