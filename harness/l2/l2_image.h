/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_L2_L2_IMAGE_H
#define EPTLAB_L2_L2_IMAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

/*
 * What is agreed on about the L2 disk image, between the program that makes it
 * (guest-image/mkimage.c), the one that puts the probe into it, and L2's init.
 */
#define L2_IMAGE_LABEL	   "eptlab-l2"
#define L2_IMAGE_PROBE	   "/eptlab/probe"
#define L2_IMAGE_WORKLOADS "/eptlab/workloads"
#define L2_IMAGE_FILES	   "/eptlab/files" /* what is put in for a command */

/* Ours has 16 MiB. It is read whole, to know it by its digest. */
#define L2_IMAGE_MOST	   (G_GUINT64_CONSTANT(1) << 30)
#define L2_IMAGE_MOST_TEXT "1 GiB"

/* An L2 image as found. All in bytes. */
struct l2_image {
	uint64_t size;	 /* of the file */
	uint64_t start;	 /* of the file system, from the start of the file */
	uint64_t block;	 /* the file system's allocation unit */
	uint64_t unused; /* for files, of the file system */
};

/*
 * Look at an image without any VM: a raw disk with an MBR whose first partition holds a cleanly
 * unmounted ext2, 3 or 4 file system labelled L2_IMAGE_LABEL. Finding out costs two small reads;
 * libguestfs would need the boot of its appliance to say the same.
 *
 * Layout: MBR: UEFI specification 2.10, section 5.2.1. Superblock: the Linux kernel's
 * Documentation/filesystems/ext4/super.rst.
 *
 * False with EPTLAB_ERROR_MACHINE if it is anything else.
 */
bool l2_image_read(const char *path, struct l2_image *out, GError **error);

/* Put a file, or a folder's list of names, on the disk. False, and errno, if that fails. */
bool l2_image_flush(const char *path);

#endif
