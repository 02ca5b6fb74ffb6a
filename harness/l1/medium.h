/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_L1_MEDIUM_H
#define EPTLAB_L1_MEDIUM_H

#include <stdbool.h>

#include "l1/platform.h"

/* The boot loader, of the packages isolinux and syslinux-common. */
#define ISOLINUX_BIN "/usr/lib/ISOLINUX/isolinux.bin"
#define ISOLINUX_MBR "/usr/lib/ISOLINUX/isohdpfx.bin"
#define LDLINUX_C32  "/usr/lib/syslinux/modules/bios/ldlinux.c32"

/*
 * Make the job medium (wire/job.h) in the file path: an ISO 9660 image that a BIOS boots from as a
 * hard disk (isolinux), with L1's kernel and cmdline. The same request gives the same bytes.
 * EPTLAB_ERROR_MACHINE, EPTLAB_ERROR_INTERRUPTED.
 */
bool medium_make(const struct platform_request *request, const char *cmdline, const char *path,
		 GError **error);

/*
 * The command line of L1's kernel that boots the appliance, which is found by the signature that
 * mkappliance.sh gives it, whatever disk it is; then append. The caller frees it.
 */
char *medium_cmdline(const char *append);

#endif
