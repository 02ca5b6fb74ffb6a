/* SPDX-License-Identifier: GPL-2.0-only */
#include "l2/appliance.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

/* In MiB. Enough for what is done here, and half of what libguestfs takes by itself. */
#define MEMORY 512

bool appliance_fail(guestfs_h *g, const char *what, GError **error)
{
	const char *message = guestfs_last_error(g);
	g_autofree char *line = NULL;

	/* libguestfs adds paragraphs of advice to some messages. */
	line = g_strndup(message ? message : "", message ? strcspn(message, "\n") : 0);
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: cannot %s: libguestfs says '%s'; run `make deps`, then "
			   "LIBGUESTFS_DEBUG=1 shows more",
			   what, line);
}

/* Does a line "flags : …" of /proc/cpuinfo have the word? */
static bool cpu_has_flag(const char *cpuinfo, const char *flag)
{
	g_autofree char *pattern = g_strdup_printf("^flags\\s*:.*\\b%s\\b", flag);

	return g_regex_match_simple(pattern, cpuinfo, G_REGEX_MULTILINE, 0);
}

static bool cpu_has_virtualization(void)
{
	g_autofree char *cpuinfo = NULL;

	if (!g_file_get_contents("/proc/cpuinfo", &cpuinfo, NULL, NULL))
		return false;
	return cpu_has_flag(cpuinfo, "vmx") || cpu_has_flag(cpuinfo, "svm");
}

static bool configure(guestfs_h *g, const char *cache, const char *tmp)
{
	/* One vCPU: the order of writes, and with it the image, is then the same each time. */
	return guestfs_set_backend(g, "direct") == 0 &&
	       (cpu_has_virtualization() ||
		guestfs_set_backend_setting(g, "force_tcg", "1") == 0) &&
	       guestfs_set_cachedir(g, cache) == 0 && guestfs_set_tmpdir(g, tmp) == 0 &&
	       guestfs_set_memsize(g, MEMORY) == 0 && guestfs_set_smp(g, 1) == 0;
}

guestfs_h *appliance_create(const char *cache, const char *tmp, GError **error)
{
	g_autoptr(guestfs_h) g = guestfs_create();

	if (!g)
		return eptlab_null(error, EPTLAB_ERROR_MACHINE,
				   "L0: libguestfs has no memory for a handle: %s",
				   g_strerror(errno));
	guestfs_set_error_handler(g, NULL, NULL);
	if (!configure(g, cache, tmp)) {
		appliance_fail(g, "set up libguestfs", error);
		return NULL;
	}
	return g_steal_pointer(&g);
}

bool appliance_launch(guestfs_h *g, const char *image, const char *format, GError **error)
{
	return (guestfs_add_drive_opts(g, image, GUESTFS_ADD_DRIVE_OPTS_FORMAT, format, -1) == 0 &&
		guestfs_launch(g) == 0) ||
	       appliance_fail(g, "boot the libguestfs appliance", error);
}

guestfs_h *appliance_open(const char *image, const char *cache, const char *tmp, GError **error)
{
	g_autoptr(guestfs_h) g = appliance_create(cache, tmp, error);

	return g && appliance_launch(g, image, "raw", error) ? g_steal_pointer(&g) : NULL;
}

bool appliance_upload(guestfs_h *g, const char *host, const char *guest, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(guest);
	g_autofree char *what = NULL;

	if ((guestfs_is_dir(g, folder) == 1 || guestfs_mkdir_p(g, folder) == 0) &&
	    guestfs_upload(g, host, guest) == 0 && guestfs_chmod(g, 0755, guest) == 0 &&
	    guestfs_sync(g) == 0)
		return true;
	what = g_strdup_printf("write %s into the L2 image", guest);
	return appliance_fail(g, what, error);
}

bool appliance_verify(guestfs_h *g, const char *guest, const char *sha256, GError **error)
{
	g_autofree char *what = NULL;
	char *found = guestfs_checksum(g, "sha256", guest);
	bool same;

	if (!found) {
		what = g_strdup_printf("read %s back from the L2 image", guest);
		return appliance_fail(g, what, error);
	}
	same = strcmp(found, sha256) == 0;
	if (!same)
		eptlab_fail(
			error, EPTLAB_ERROR_MACHINE,
			"L0: %s reads back from the L2 image with SHA-256 %s, expected %s; "
			"check this machine's disk, and that nothing rebuilds the files meanwhile",
			guest, found, sha256);
	free(found);
	return same;
}

bool appliance_remount(guestfs_h *g, const char *device, GError **error)
{
	if (guestfs_umount(g, "/") == 0 && guestfs_mount_ro(g, device, "/") == 0)
		return true;
	return appliance_fail(g, "mount the L2 image again", error);
}

bool appliance_close(guestfs_h *g, GError **error)
{
	bool ok = guestfs_shutdown(g) == 0;

	if (!ok)
		appliance_fail(g, "finish writing the L2 image", error);
	guestfs_close(g);
	return ok;
}
