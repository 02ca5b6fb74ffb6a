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

#include "guest/appliance.h"
#include "guest/ext4_stamp.h"
#include "guest/helper_side.h"
#include "model/error.h"

#define PARTITION "/dev/sda1"

struct file {
	const char *host;
	const char *guest;
	const char *sha256;
};

struct job {
	const char *image;
	guint64 start;
	const char *cache;
	const char *tmp;
	const struct file *files;
	size_t count;
};

static bool put_files(guestfs_h *g, const struct job *job, GError **error)
{
	size_t i;

	helper_side_step("writing probe and workloads into the L2 image");
	if (guestfs_mount(g, PARTITION, "/") < 0)
		return appliance_fail(g, "mount the L2 image", error);
	for (i = 0; i < job->count; i++)
		if (!appliance_upload(g, job->files[i].host, job->files[i].guest, error))
			return false;
	return true;
}

static bool verify_files(guestfs_h *g, const struct job *job, GError **error)
{
	size_t i;

	helper_side_step("reading probe and workloads back");
	if (!appliance_remount(g, PARTITION, error))
		return false;
	for (i = 0; i < job->count; i++)
		if (!appliance_verify(g, job->files[i].guest, job->files[i].sha256, error))
			return false;
	return true;
}

static bool run(const struct job *job, GError **error)
{
	g_autoptr(guestfs_h) g = NULL;

	helper_side_step("booting the libguestfs appliance");
	g = appliance_open(job->image, job->cache, job->tmp, error);
	return g && put_files(g, job, error) && verify_files(g, job, error) &&
	       appliance_close(g_steal_pointer(&g), error) &&
	       ext4_stamp(job->image, job->start, error);
}

int main(int argc, char **argv)
{
	g_autofree struct file *files = g_new0(struct file, argc);
	struct job job = { .files = files };
	g_autoptr(GError) error = NULL;
	int i;

	if (argc < 8 || (argc - 5) % 3 != 0 || !helper_side_start(argv[4])) {
		fprintf(stderr, "usage: %s IMAGE START CACHE TMP (FILE PATH SHA256)...\n", argv[0]);
		return EPTLAB_ERROR_USAGE;
	}
	job.image = argv[1];
	job.start = g_ascii_strtoull(argv[2], NULL, 10);
	job.cache = argv[3];
	job.tmp = g_getenv("TMPDIR");
	for (i = 5; i < argc; i += 3)
		files[job.count++] = (struct file){ argv[i], argv[i + 1], argv[i + 2] };
	run(&job, &error);
	return helper_side_end(error);
}
