/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_L2_OWN_IMAGE_H
#define EPTLAB_L2_OWN_IMAGE_H

#include <stdbool.h>
#include <gio/gio.h>

#include "l2/guestfs_helper.h"

/* The user's own image, and what is to be put into an overlay of it. */
struct own_image_request {
	const char *image;    /* qcow2 or raw; never changed */
	const char *probe;    /* the static program */
	const char *workload; /* the program between two readings; "": none, the boot */
	bool hold;	      /* L2 is to stand still at its end */
	const char *cache;    /* of libguestfs' appliance */
	const char *helper;   /* the program eptlab-own-image (own_helper.c) */
	unsigned int seconds; /* time-out, wall clock */
	guest_progress_func progress;
	void *progress_data;
	GCancellable *cancellable;
};

struct own_image {
	char *folder;  /* temporary */
	char *overlay; /* qcow2, in the folder */
	char *image_sha256;
	char *probe_sha256;
};

/*
 * Make the overlay with the probe in it. Each is a new one. False with EPTLAB_ERROR_MACHINE (the
 * image is not what is expected: own_system.h), _TIMEOUT or _INTERRUPTED; then nothing is left.
 */
bool own_image_make(const struct own_image_request *request, struct own_image *own, GError **error);

/* Has the image the SHA-256 that it had? EPTLAB_ERROR_MACHINE if not. */
bool own_image_is_unchanged(const struct own_image *own, const char *image, GError **error);

/* Remove the overlay. */
void own_image_clear(struct own_image *own);

#endif
