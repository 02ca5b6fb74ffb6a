/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_L2_INJECT_H
#define EPTLAB_L2_INJECT_H

#include <stdbool.h>
#include <gio/gio.h>

#include "l2/guestfs_helper.h"

/* What is to be put into the L2 image. All are needed unless said otherwise. */
struct guest_inject_request {
	const char *base_image; /* made by guest-image/mkimage.c; never changed */
	const char *probe;	/* the static program; becomes /eptlab/probe */
	const char *workloads;	/* a folder; each file in it becomes /eptlab/workloads/FILE */
	const GPtrArray *files; /* of struct guest_file: more of them; NULL: none */
	const char *made;	/* a folder that may have the image already; NULL: none */
	const char *cache;	/* a folder, made if missing; nothing outside of it is written */
	const char *helper;	/* the program eptlab-guestfs (inject_helper.c) */
	unsigned int seconds;	/* time-out, wall clock */
	guest_progress_func progress; /* NULL: not wanted */
	void *progress_data;
	GCancellable *cancellable; /* NULL, or cancelled by another thread: this call blocks */
};

/* What came of it; free with guest_injected_clear. */
struct guest_injected {
	char *image; /* the path of the L2 image, in the cache; read-only, not to be changed */
	char *image_sha256;
	char *base_sha256;
	char *probe_sha256;
	bool from_cache; /* nothing had to be done */
};

/*
 * Put probe and workloads into a copy of the L2 image with libguestfs, and read them back from it.
 *
 * The copy is kept in the cache under a name made of the SHA-256 of all that went into it, with its
 * own SHA-256 beside it. When it is there and has that SHA-256, libguestfs is not started at all;
 * when it is damaged that is told as a step and it is made again. Where the folder made has it
 * under that name, whole, nothing at all is written. The same inputs give the same image, bit for
 * bit (ext4_stamp.h). It appears complete and on the disk, or not at all; what a killed harness
 * left half-done is removed by the next call. One call works on a cache at a time, others wait.
 *
 * The libguestfs appliance is kept in the cache too, some 370 MB.
 *
 * False with EPTLAB_ERROR_MACHINE (an input is not what it should be, the image is too full, no
 * free disk space, libguestfs fails), EPTLAB_ERROR_TIMEOUT or EPTLAB_ERROR_INTERRUPTED; then no
 * process of libguestfs is left, and *out is all zeros.
 */
bool guest_inject(const struct guest_inject_request *request, struct guest_injected *out,
		  GError **error);

void guest_injected_clear(struct guest_injected *injected);

#endif
