/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/stage.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "model/error.h"

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
	{ STAGE_JOB_DISK, STAGE_JOB, "iso9660", MS_RDONLY | MS_NOSUID | MS_NODEV },
};

static const char *const stage_folders[] = {
	STAGE_L2_FILES,
	STAGE_LIBVIRT "/etc",
	STAGE_LIBVIRT "/cache/qemu/capabilities",
};

bool stage_set(GError **error)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(stage_mounts); i++) {
		if (mount(stage_mounts[i].source, stage_mounts[i].target, stage_mounts[i].type,
			  stage_mounts[i].flags, NULL) != 0) {
			g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
				    "L1: %s could not be mounted on %s (%s)",
				    stage_mounts[i].source, stage_mounts[i].target,
				    g_strerror(errno));
			return false;
		}
	}
	for (unsigned int i = 0; i < G_N_ELEMENTS(stage_folders); i++) {
		if (g_mkdir_with_parents(stage_folders[i], 0755) != 0) {
			g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
				    "L1: the folder %s could not be made (%s)", stage_folders[i],
				    g_strerror(errno));
			return false;
		}
	}
	/* libvirt and QEMU look for a home and a PATH; the kernel gives pid 1 neither of use. */
	g_setenv("HOME", "/run", TRUE);
	g_setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", TRUE);
	return true;
}

void stage_leave(void)
{
	/* What is still in the UART when L1 powers off is lost. */
	tcdrain(STDERR_FILENO);
	reboot(RB_POWER_OFF);
	abort();
}
