/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_L2_APPLIANCE_H
#define EPTLAB_L2_APPLIANCE_H

#include <stdbool.h>
#include <glib.h>
#include <guestfs.h>

/*
 * The libguestfs appliance with one raw disk in it, for the two programs that change an L2 image:
 * guest-image/mkimage.c and harness/l2/inject_helper.c.
 *
 * All errors are EPTLAB_ERROR_MACHINE, level L0.
 */

/*
 * A handle that is set up and not yet launched. The appliance itself is
 * built once, by supermin, and kept in the folder cache (some 370 MB of disk); temporary files go
 * to the folder tmp. Both must exist. The backend is "direct", and KVM is left alone where
 * /proc/cpuinfo says that the CPU cannot do it: a /dev/kvm may be there all the same.
 *
 * Returns a handle for appliance_close, or NULL.
 */
guestfs_h *appliance_create(const char *cache, const char *tmp, GError **error);

/* Boot the appliance with a disk image of that format ("raw", "qcow2") as its only disk, /dev/sda.
 */
bool appliance_launch(guestfs_h *g, const char *image, const char *format, GError **error);

/* Both, for a raw image. */
guestfs_h *appliance_open(const char *image, const char *cache, const char *tmp, GError **error);

/* Set *error to what libguestfs says about its last call, which was to do what. Returns false. */
bool appliance_fail(guestfs_h *g, const char *what, GError **error);

/*
 * Copy the file host to the path guest, owned by root with mode 0755, and write it to the disk at
 * once: so the blocks that it gets do not depend on how fast this machine is. Folders on the way
 * are made.
 */
bool appliance_upload(guestfs_h *g, const char *host, const char *guest, GError **error);

/*
 * Read the file guest back from the disk and compare its SHA-256. The file system must have been
 * mounted anew since it was written (appliance_remount), or the page cache would answer.
 */
bool appliance_verify(guestfs_h *g, const char *guest, const char *sha256, GError **error);

/* Unmount the file system on device, and mount it again read-only. */
bool appliance_remount(guestfs_h *g, const char *device, GError **error);

/*
 * Power the appliance off and free the handle. guestfs_shutdown comes first and is checked: write
 * errors of the disk show only there.
 */
bool appliance_close(guestfs_h *g, GError **error);

/* For the way out after an error: no check. */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(guestfs_h, guestfs_close)

#endif
