/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program that puts files into an L2 image with libguestfs. The harness runs it
 * (guestfs_helper.h has how they talk, and why it is a program of its own); nobody else need do.
 *
 *	eptlab-guestfs IMAGE START CACHE TMP (FILE PATH SHA256)...
 *
 * IMAGE is changed in place, so it is a copy; its file system starts at byte START. Each FILE of
 * this machine becomes PATH in the image and must read back from it with that SHA256.
 */
#include <stdio.h>
#include <glib.h>
#include <guestfs.h>

#include "l2/appliance.h"
#include "l2/ext4_stamp.h"
#include "l2/helper_side.h"
#include "base/error.h"

#define PARTITION "/dev/sda1"

/* The arguments: those of the program, and of each file. */
enum { IMAGE = 1, START, CACHE, TMP, FILES };
enum { HOST, GUEST, SHA256, FILE_ARGUMENTS };

static bool put_files(guestfs_h *g, char **file, GError **error)
{
	helper_side_step("writing probe and workloads into the L2 image");
	if (guestfs_mount(g, PARTITION, "/") < 0)
		return appliance_fail(g, "mount the L2 image", error);
	for (; *file; file += FILE_ARGUMENTS)
		if (!appliance_upload(g, file[HOST], file[GUEST], error))
			return false;
	return true;
}

static bool verify_files(guestfs_h *g, char **file, GError **error)
{
	helper_side_step("reading probe and workloads back");
	if (!appliance_remount(g, PARTITION, error))
		return false;
	for (; *file; file += FILE_ARGUMENTS)
		if (!appliance_verify(g, file[GUEST], file[SHA256], error))
			return false;
	return true;
}

static bool run(char **argv, GError **error)
{
	g_autoptr(guestfs_h) g = NULL;

	helper_side_step("booting the libguestfs appliance");
	g = appliance_open(argv[IMAGE], argv[CACHE], g_getenv("TMPDIR"), error);
	return g && put_files(g, argv + FILES, error) && verify_files(g, argv + FILES, error) &&
	       appliance_close(g_steal_pointer(&g), error) &&
	       ext4_stamp(argv[IMAGE], g_ascii_strtoull(argv[START], NULL, 10), error);
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;

	if (argc <= FILES || (argc - FILES) % FILE_ARGUMENTS != 0 ||
	    !helper_side_start(argv[TMP])) {
		fprintf(stderr, "usage: %s IMAGE START CACHE TMP (FILE PATH SHA256)...\n", argv[0]);
		return EPTLAB_ERROR_USAGE;
	}
	run(argv, &error);
	return helper_side_end(error);
}
