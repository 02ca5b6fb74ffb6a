/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Build-time tool: make the L2 disk image with libguestfs.
 *
 *	mkimage INIT BUSYBOX CACHE IMAGE
 *
 * The image is a raw disk with an MBR and one partition, an ext4 file system without a journal (L2
 * mounts it read-only) and without checksums of metadata (L2 would have to compute them): a static
 * busybox as /bin/sh for workloads that are scripts, /sbin/init, and empty folders. Probe and
 * workloads come in at run time (harness/l2/inject.h).
 *
 * The same two files give the same image, bit for bit. It appears under its name when it is
 * complete and on the disk, or not at all.
 */
#include <errno.h>
#include <unistd.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <guestfs.h>

#include "l2/appliance.h"
#include "l2/digest.h"
#include "l2/ext4_stamp.h"
#include "l2/l2_image.h"
#include "base/error.h"

#define IMAGE_SIZE   ((off_t)16 * 1024 * 1024)
#define FIRST_SECTOR 2048 /* 1 MiB, where partitioning tools start */
#define DEVICE	     "/dev/sda"
#define PARTITION    "/dev/sda1"
#define MBR_LINUX    0x83

/* Fixed, so that two builds do not differ. */
#define UUID		 "0e971ab0-4c32-4ab0-9f2e-6c2d6c326c61"
#define SIGNATURE	 "ept2" /* of the disk, in the MBR */
#define SIGNATURE_LENGTH 4
#define SIGNATURE_OFFSET 440

#define BLOCK_SIZE 4096
#define INODES	   256

#define BUSYBOX_PATH "/bin/busybox"
#define SHELL_PATH   "/bin/sh"
#define INIT_PATH    "/sbin/init"
#define TMP_PATH     "/tmp"
#define TMP_MODE     01777

static const char *const folders[] = {
	"/bin", "/dev", "/proc", "/sbin", "/sys", TMP_PATH, "/eptlab", L2_IMAGE_WORKLOADS,
};

/*
 * INIT is the program that is pid 1 in L2, BUSYBOX a static one, CACHE the folder in which
 * libguestfs keeps its appliance.
 */
enum { INIT = 1, BUSYBOX, CACHE, IMAGE, ARGUMENTS };

static bool make_partition(guestfs_h *g, GError **error)
{
	if (guestfs_part_init(g, DEVICE, "mbr") == 0 &&
	    guestfs_part_add(g, DEVICE, "primary", FIRST_SECTOR, -1) == 0 &&
	    guestfs_part_set_mbr_id(g, DEVICE, 1, MBR_LINUX) == 0 &&
	    guestfs_pwrite_device(g, DEVICE, SIGNATURE, SIGNATURE_LENGTH, SIGNATURE_OFFSET) ==
		    SIGNATURE_LENGTH)
		return true;
	return appliance_fail(g, "partition the L2 image", error);
}

static bool make_file_system(guestfs_h *g, GError **error)
{
	/*
	 * What mke2fs calls ext4 has metadata checksums, and libguestfs cannot turn them off. The
	 * features of ext2 and extents are an ext4 file system without them.
	 */
	if (guestfs_mke2fs(g, PARTITION, GUESTFS_MKE2FS_FSTYPE, "ext2", GUESTFS_MKE2FS_EXTENT, 1,
			   GUESTFS_MKE2FS_HASJOURNAL, 0, GUESTFS_MKE2FS_RESIZEINODE, 0,
			   GUESTFS_MKE2FS_LAZYITABLEINIT, 0, GUESTFS_MKE2FS_LABEL, L2_IMAGE_LABEL,
			   GUESTFS_MKE2FS_UUID, UUID, GUESTFS_MKE2FS_BLOCKSIZE, (int64_t)BLOCK_SIZE,
			   GUESTFS_MKE2FS_NUMBEROFINODES, (int64_t)INODES,
			   GUESTFS_MKE2FS_RESERVEDBLOCKSPERCENTAGE, 0, -1) == 0 &&
	    guestfs_mount(g, PARTITION, "/") == 0)
		return true;
	return appliance_fail(g, "make the file system of the L2 image", error);
}

static bool make_folders(guestfs_h *g, GError **error)
{
	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++)
		if (guestfs_mkdir(g, folders[i]) < 0)
			return appliance_fail(g, "make a folder in the L2 image", error);
	if (guestfs_chmod(g, TMP_MODE, TMP_PATH) == 0 &&
	    guestfs_ln_s(g, BUSYBOX_PATH, SHELL_PATH) == 0)
		return true;
	return appliance_fail(g, "furnish the L2 image", error);
}

static bool put_files(guestfs_h *g, char **argv, GError **error)
{
	g_autofree char *busybox = digest_file(argv[BUSYBOX], error);
	g_autofree char *init = busybox ? digest_file(argv[INIT], error) : NULL;

	return init && appliance_upload(g, argv[BUSYBOX], BUSYBOX_PATH, error) &&
	       appliance_upload(g, argv[INIT], INIT_PATH, error) &&
	       appliance_remount(g, PARTITION, error) &&
	       appliance_verify(g, BUSYBOX_PATH, busybox, error) &&
	       appliance_verify(g, INIT_PATH, init, error);
}

static bool fill(const char *image, char **argv, GError **error)
{
	g_autoptr(guestfs_h) g = appliance_open(image, argv[CACHE], argv[CACHE], error);

	return g && make_partition(g, error) && make_file_system(g, error) &&
	       make_folders(g, error) && put_files(g, argv, error) &&
	       appliance_close(g_steal_pointer(&g), error);
}

/* By errno. */
static bool fail(const char *what, const char *path, GError **error)
{
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: cannot %s %s: %s; check the folder and the free space of its disk",
			   what, path, g_strerror(errno));
}

/* All zeros, and so without blocks on the disk as yet. */
static bool create_empty(const char *path, GError **error)
{
	return (g_file_set_contents(path, "", 0, NULL) && truncate(path, IMAGE_SIZE) == 0) ||
	       fail("create", path, error);
}

static bool make_image(char **argv, GError **error)
{
	g_autofree char *temporary = g_strconcat(argv[IMAGE], ".tmp", NULL);
	struct l2_image made;

	if (g_mkdir_with_parents(argv[CACHE], 0755) < 0)
		return fail("make", argv[CACHE], error);
	if (create_empty(temporary, error) && fill(temporary, argv, error) &&
	    l2_image_read(temporary, &made, error) && ext4_stamp(temporary, made.start, error) &&
	    (l2_image_flush(temporary) || fail("write", temporary, error))) {
		if (g_rename(temporary, argv[IMAGE]) == 0)
			return true;
		fail("rename", temporary, error);
	}
	g_unlink(temporary);
	return false;
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;

	if (argc != ARGUMENTS) {
		g_printerr("usage: %s INIT BUSYBOX CACHE IMAGE\n", argv[0]);
		return EPTLAB_ERROR_USAGE;
	}
	if (make_image(argv, &error))
		return 0;
	g_printerr("mkimage: %s\n", error->message);
	return error->code;
}
