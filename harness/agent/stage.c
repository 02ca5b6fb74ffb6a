/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/stage.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/reboot.h>
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

static char *disk(char letter)
{
	const char *kind = g_getenv("L1_DISKS");

	return g_strdup_printf("/dev/%s%c", kind != NULL ? kind : "sd", letter);
}

static bool mount_one(const char *source, const char *target, const char *type, unsigned long flags,
		      GError **error)
{
	if (mount(source, target, type, flags, NULL) == 0)
		return true;
	return eptlab_fail(error, EPTLAB_ERROR_L1, "L1: %s could not be mounted on %s (%s)", source,
			   target, g_strerror(errno));
}

static bool mount_all(GError **error)
{
	g_autofree char *medium = disk('a');

	for (unsigned int i = 0; i < G_N_ELEMENTS(stage_mounts); i++) {
		if (!mount_one(stage_mounts[i].source, stage_mounts[i].target, stage_mounts[i].type,
			       stage_mounts[i].flags, error))
			return false;
	}
	return mount_one(medium, JOB, "iso9660", MS_RDONLY | MS_NOSUID | MS_NODEV, error);
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
	struct stage *stage;

	if (!mount_all(error))
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
		.l2_disk = disk('c'),
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
