/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program that puts the probe into an overlay of the user's own image with libguestfs. The
 * harness runs it (guestfs_helper.h); nobody else need do.
 *
 *	eptlab-own-image IMAGE OVERLAY CACHE TMP PROBE PROGRAM HOLD
 *
 * OVERLAY is made, with IMAGE, which is not changed, behind it. PROGRAM is the workload, or empty;
 * HOLD is 1 if the VM is to stand still at its end. Prints "step" lines.
 */
#include <stdio.h>
#include <string.h>
#include <glib.h>
#include <guestfs.h>

#include "guest/appliance.h"
#include "guest/helper_side.h"
#include "guest/own_system.h"
#include "model/error.h"

struct job {
	const char *image;
	const char *overlay;
	const char *cache;
	const char *tmp;
	struct own_system_files files;
};

static bool make_overlay(guestfs_h *g, const struct job *job, GError **error)
{
	g_autofree char *format = guestfs_disk_format(g, job->image);

	if (format == NULL)
		return appliance_fail(g, "look at the image", error);
	if (strcmp(format, "qcow2") != 0 && strcmp(format, "raw") != 0)
		return own_system_refuse(error, job->image,
					 "is of the format %s, expected qcow2 or raw; convert it "
					 "with qemu-img convert -O qcow2",
					 format);
	return guestfs_disk_create(g, job->overlay, "qcow2", -1, GUESTFS_DISK_CREATE_BACKINGFILE,
				   job->image, GUESTFS_DISK_CREATE_BACKINGFORMAT, format,
				   -1) == 0 ||
	       appliance_fail(g, "make an overlay of the image", error);
}

static bool run(const struct job *job, GError **error)
{
	g_autoptr(guestfs_h) g = appliance_create(job->cache, job->tmp, error);

	if (g == NULL || !make_overlay(g, job, error) ||
	    !appliance_launch(g, job->overlay, "qcow2", error))
		return false;
	helper_side_step("looking at the system in the image");
	return own_system_mount(g, job->image, error) &&
	       own_system_install(g, job->image, &job->files, error) &&
	       appliance_close(g_steal_pointer(&g), error);
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	struct job job;

	if (argc != 8 || !helper_side_start(argv[4])) {
		fprintf(stderr, "usage: %s IMAGE OVERLAY CACHE TMP PROBE PROGRAM HOLD\n", argv[0]);
		return EPTLAB_ERROR_USAGE;
	}
	job = (struct job){
		.image = argv[1],
		.overlay = argv[2],
		.cache = argv[3],
		.tmp = g_getenv("TMPDIR"),
		.files = {
			.probe = argv[5],
			.workload = argv[6],
			.hold = strcmp(argv[7], "1") == 0,
		},
	};
	helper_side_step("booting the libguestfs appliance");
	run(&job, &error);
	return helper_side_end(error);
}
