/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_VIRT_EMBEDDED_H
#define EPTLAB_VIRT_EMBEDDED_H

#include <stdbool.h>

#include "virt/hypervisor.h"

/*
 * libvirt's qemu driver inside this process (qemu:///embed): no daemon. All of its files are below
 * a folder, the root. QEMU's sockets lie there too, and a socket's path ends at 108 bytes.
 */
#define EMBEDDED_CAPABILITIES "cache/qemu/capabilities"

/*
 * Fill the root, which is made: qemu_conf becomes its configuration, and the files in the folder
 * capabilities (or NULL, or one that is not there) are answers of an earlier libvirt about QEMU:
 * libvirt itself decides whether they still hold. Errors have the level's code.
 */
bool embedded_prepare(const struct virt_level *level, const char *root, const char *qemu_conf,
		      const char *capabilities, GError **error);

/*
 * The same for this machine's own libvirt, with a root in /tmp that is made at the first call, and
 * is this process's: the driver takes no second one. Its supervisor removes it (virt/supervisor.h),
 * and ends what QEMU is left: this driver has no autodestroy. Returns the root; NULL on errors.
 */
const char *embedded_root(const struct virt_level *level, const char *qemu_conf,
			  const char *capabilities, GError **error);

/*
 * Keep what libvirt has found out about QEMU in the folder capabilities, which is made; each file
 * appears whole or not at all. What fails there costs time only, and is no error.
 */
void embedded_keep(const char *root, const char *capabilities);

/* The URI to give to hypervisor_open; the caller frees it. */
char *embedded_uri(const char *root);

#endif
