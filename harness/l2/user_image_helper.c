/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program that puts the probe into an overlay of the user's own image with libguestfs. The
 * harness runs it (guestfs_helper.h); nobody else need do.
 *
 *	eptlab-user-image IMAGE OVERLAY CACHE TMP PROBE PROGRAM NAME OPERATIONS (FILE PATH)...
 *
 * OVERLAY is made, with IMAGE, which is not changed, behind it. PROGRAM is the workload, or empty;
 * NAME is the workload's, OPERATIONS what it does after it. Each FILE of this machine becomes PATH
 * in the overlay. Prints "step" lines.
 */
#include <stdio.h>
#include <string.h>
#include <glib.h>
#include <guestfs.h>

#include "l2/appliance.h"
#include "l2/helper_side.h"
#include "l2/user_system.h"
#include "base/error.h"

enum { IMAGE = 1, OVERLAY, CACHE, TMP, PROBE, PROGRAM, NAME, OPERATIONS, FILES };

/* Of each file. */
#define FILE_ARGUMENTS 2

static bool make_overlay(guestfs_h *g, char **argv, GError **error)
{
	g_autofree char *format = guestfs_disk_format(g, argv[IMAGE]);

	if (format == NULL)
		return appliance_fail(g, "look at the image", error);
	if (strcmp(format, "qcow2") != 0 && strcmp(format, "raw") != 0)
		return user_system_refuse(error, argv[IMAGE],
					  "is of the format %s, expected qcow2 or raw; convert it "
					  "with qemu-img convert -O qcow2",
					  format);
	return guestfs_disk_create(g, argv[OVERLAY], "qcow2", -1, GUESTFS_DISK_CREATE_BACKINGFILE,
				   argv[IMAGE], GUESTFS_DISK_CREATE_BACKINGFORMAT, format,
				   -1) == 0 ||
	       appliance_fail(g, "make an overlay of the image", error);
}

static bool run(char **argv, GError **error)
{
	const struct user_system_files files = {
		.probe = argv[PROBE],
		.workload = argv[PROGRAM],
		.name = argv[NAME],
		.operations = argv[OPERATIONS],
		.more = argv + FILES,
	};
	g_autoptr(guestfs_h) g = NULL;

	helper_side_step("booting the libguestfs appliance");
	g = appliance_create(argv[CACHE], g_getenv("TMPDIR"), error);
	if (g == NULL || !make_overlay(g, argv, error) ||
	    !appliance_launch(g, argv[OVERLAY], "qcow2", error))
		return false;
	helper_side_step("looking at the system in the image");
	return user_system_mount(g, argv[IMAGE], error) &&
	       user_system_install(g, argv[IMAGE], &files, error) &&
	       appliance_close(g_steal_pointer(&g), error);
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;

	if (argc < FILES || (argc - FILES) % FILE_ARGUMENTS != 0 || !helper_side_start(argv[TMP])) {
		fprintf(stderr,
			"usage: %s IMAGE OVERLAY CACHE TMP PROBE PROGRAM NAME OPERATIONS "
			"(FILE PATH)...\n",
			argv[0]);
		return EPTLAB_ERROR_USAGE;
	}
	run(argv, &error);
	return helper_side_end(error);
}
