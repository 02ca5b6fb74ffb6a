/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "base/error.h"
#include "wire/job.h"

/* Of the appliance. */
#define JOB	  "/job"
#define L2_FILES  "/run/l2"
#define LIBVIRT	  "/run/v"
#define QEMU_CONF "/etc/libvirt-embed/qemu.conf"

/* The appliance is a read-only file system: what is written to lies in a tmpfs. */
static const struct {
	const char *source;
	const char *target;
	const char *type;
	unsigned long flags;
} stage_mounts[] = {
	{ "proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "devtmpfs", "/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC },
	{ "run", "/run", "tmpfs", MS_NOSUID | MS_NODEV },
	{ "tmp", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV },
};

/* ISO 9660's primary volume descriptor is sector 16: its mark, and the name of the volume. */
#define VOLUME_MARK  (UINT64_C(16) * 2048 + 1)
#define VOLUME_NAME  (UINT64_C(16) * 2048 + 40)
#define SAYS_ISO9660 "CD001"

static bool says(int fd, uint64_t offset, const char *text)
{
	char read[16];
	const size_t length = strlen(text);

	return length <= sizeof(read) &&
	       pread(fd, read, length, (off_t)offset) == (ssize_t)length &&
	       memcmp(read, text, length) == 0;
}

static bool is_job(const char *device)
{
	const int fd = open(device, O_RDONLY | O_CLOEXEC);
	const bool is = fd >= 0 && says(fd, VOLUME_MARK, SAYS_ISO9660) &&
			says(fd, VOLUME_NAME, JOB_VOLUME " ");

	if (fd >= 0)
		close(fd);
	return is;
}

/* The root is a partition of its disk; a disk has 16 numbers (drivers/scsi/sd.c, virtio_blk.c). */
static bool is_root(const char *device)
{
	struct stat disk, root;

	return stat(device, &disk) == 0 && stat("/", &root) == 0 &&
	       disk.st_rdev == makedev(major(root.st_dev), minor(root.st_dev) & ~0xfU);
}

/* Those that L1 has. Owned strings; *job stays NULL if there is none, *l2 as well. */
static void find_disks(char **job, char **l2)
{
	g_autoptr(GDir) folder = g_dir_open("/sys/block", 0, NULL);
	const char *name;

	while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
		g_autofree char *device = g_strconcat("/dev/", name, NULL);

		if (!g_str_has_prefix(name, "sd") && !g_str_has_prefix(name, "vd"))
			continue;
		if (*job == NULL && is_job(device))
			*job = g_steal_pointer(&device);
		else if (*l2 == NULL && !is_root(device))
			*l2 = g_steal_pointer(&device);
	}
}

static bool mount_one(const char *source, const char *target, const char *type, unsigned long flags,
		      GError **error)
{
	if (mount(source, target, type, flags, NULL) == 0)
		return true;
	return eptlab_fail(error, EPTLAB_ERROR_L1, "L1: %s could not be mounted on %s (%s)", source,
			   target, g_strerror(errno));
}

static bool mount_all(char **l2_disk, GError **error)
{
	g_autofree char *job = NULL;

	for (unsigned int i = 0; i < G_N_ELEMENTS(stage_mounts); i++) {
		if (!mount_one(stage_mounts[i].source, stage_mounts[i].target, stage_mounts[i].type,
			       stage_mounts[i].flags, error))
			return false;
	}
	find_disks(&job, l2_disk);
	if (job == NULL)
		return eptlab_fail(error, EPTLAB_ERROR_L1,
				   "L1: no disk is the job medium, an ISO 9660 volume " JOB_VOLUME
				   "; L1's kernel needs the driver of its disk");
	return mount_one(job, JOB, "iso9660", MS_RDONLY | MS_NOSUID | MS_NODEV, error);
}

static bool make_folder(const char *path, GError **error)
{
	if (g_mkdir_with_parents(path, 0755) == 0)
		return true;
	return eptlab_fail(error, EPTLAB_ERROR_L1, "L1: the folder %s could not be made (%s)", path,
			   g_strerror(errno));
}

struct stage *stage_set(GError **error)
{
	g_autofree char *l2_disk = NULL;
	struct stage *stage;

	if (!mount_all(&l2_disk, error))
		return NULL;
	if (!make_folder(L2_FILES, error))
		return NULL;
	/* libvirt and QEMU look for a home and a PATH; the kernel gives pid 1 neither of use. */
	g_setenv("HOME", "/run", TRUE);
	g_setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", TRUE);
	stage = g_new(struct stage, 1);
	*stage = (struct stage){
		.job = g_strdup(JOB),
		.l2_files = g_strdup(L2_FILES),
		/* QEMU will say that it cannot open it. */
		.l2_disk =
			l2_disk != NULL ? g_steal_pointer(&l2_disk) : g_strdup("(no third disk)"),
		.l2_disk_format = "raw",
		.libvirt = g_strdup(LIBVIRT),
		.qemu_conf = g_strdup(QEMU_CONF),
	};
	return stage;
}

struct stage *stage_here(const char *folder, GError **error)
{
	g_autofree char *job = g_build_filename(folder, STAGE_HERE_JOB, NULL);
	g_autofree char *l2_files = g_build_filename(folder, "l2", NULL);
	g_autofree char *qcow2 = g_build_filename(job, JOB_DISK_QCOW2, NULL);
	const bool is_qcow2 = g_file_test(qcow2, G_FILE_TEST_EXISTS);
	struct stage *stage;

	if (!make_folder(l2_files, error))
		return NULL;
	stage = g_new(struct stage, 1);
	*stage = (struct stage){
		.l2_disk = g_build_filename(job, is_qcow2 ? JOB_DISK_QCOW2 : JOB_DISK_RAW, NULL),
		.l2_disk_format = is_qcow2 ? "qcow2" : "raw",
		.qemu_conf = g_build_filename(folder, STAGE_HERE_QEMU_CONF, NULL),
	};
	stage->job = g_steal_pointer(&job);
	stage->l2_files = g_steal_pointer(&l2_files);
	return stage;
}

void stage_free(struct stage *stage)
{
	if (stage == NULL)
		return;
	g_free(stage->job);
	g_free(stage->l2_files);
	g_free(stage->l2_disk);
	g_free(stage->libvirt);
	g_free(stage->qemu_conf);
	g_free(stage);
}

char *stage_job(const struct stage *stage, const char *name)
{
	return g_build_filename(stage->job, name, NULL);
}

void stage_leave(void)
{
	/* What is still in the UART when L1 powers off is lost. */
	tcdrain(STDERR_FILENO);
	reboot(RB_POWER_OFF);
	abort();
}
