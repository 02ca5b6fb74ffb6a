/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_L2_EXT4_STAMP_H
#define EPTLAB_L2_EXT4_STAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

/*
 * Replace whatever in an ext4 file system depends on when and where it was written by fixed values:
 * the times, generations and left-overs of inodes; in the superblock the times, the counts of
 * mounts and of kilobytes written, and the seed for hashed folders. Then the same files give the
 * same image, bit for bit, and its SHA-256 says what is in it. libguestfs has no calls for these
 * fields.
 *
 * The file system starts at the byte start of the file image, is not mounted, and has no
 * checksums of metadata (they depend on the generations) and no folder so large that it is hashed.
 *
 * False with EPTLAB_ERROR_MACHINE if it has, or if it cannot be read or written.
 */
bool ext4_stamp(const char *image, uint64_t start, GError **error);

#endif
