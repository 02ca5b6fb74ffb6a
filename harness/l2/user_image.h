/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_L2_USER_IMAGE_H
#define EPTLAB_L2_USER_IMAGE_H

#include <stdbool.h>
#include <gio/gio.h>

#include "l2/guestfs_helper.h"

/* In it, what is put in for a command. */
#define USER_IMAGE_FILES "/opt/eptlab/files"

/* The user's own image, and what is to be put into an overlay of it. */
struct user_image_request {
	const char *image;	/* qcow2 or raw; never changed */
	const char *probe;	/* the static program */
	const char *workload;	/* the program between two readings; "": none, the boot */
	const char *name;	/* of the workload */
	const char *operations; /* after it: WORKLOAD_PARAMETER; "": none */
	const GPtrArray *files; /* of struct guest_file: more of them; NULL: none */
	const char *cache;	/* of libguestfs' appliance */
	const char *helper;	/* the program eptlab-user-image (user_image_helper.c) */
	unsigned int seconds;	/* time-out, wall clock */
	guest_progress_func progress;
	void *progress_data;
	GCancellable *cancellable;
};

struct user_image {
	char *folder;  /* temporary */
	char *overlay; /* qcow2, in the folder */
	char *image_sha256;
	char *probe_sha256;
};

/*
 * Make the overlay with the probe in it. Each is a new one. False with EPTLAB_ERROR_MACHINE (the
 * image is not what is expected: user_system.h), _TIMEOUT or _INTERRUPTED; then nothing is left.
 */
bool user_image_make(const struct user_image_request *request, struct user_image *made,
		     GError **error);

/* Has the image the SHA-256 that it had? EPTLAB_ERROR_MACHINE if not. */
bool user_image_is_unchanged(const struct user_image *made, const char *image, GError **error);

/* Remove the overlay. */
void user_image_clear(struct user_image *made);

#endif
