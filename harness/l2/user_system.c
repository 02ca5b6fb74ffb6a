/* SPDX-License-Identifier: GPL-2.0-only */
#include "l2/user_system.h"

#include <string.h>

#include "l2/appliance.h"
#include "l2/helper_side.h"
#include "base/error.h"

#define UNIT_NAME "eptlab.service"
#define UNIT	  "/etc/systemd/system/" UNIT_NAME
#define WANTS	  "/etc/systemd/system/multi-user.target.wants"
#define SCRIPT	  "/etc/init.d/eptlab"
#define PROBE	  USER_SYSTEM_FOLDER "/probe"
#define WORKLOAD  USER_SYSTEM_FOLDER "/workload"
#define RUN	  USER_SYSTEM_FOLDER "/run"

/* ---- What it is ---- */

/*
 * An ext file system whose journal is not empty, or any that says so itself, was mounted when the
 * image was last used, or still is.
 */
static bool is_clean(guestfs_h *g, const char *image, const char *device, GError **error)
{
	g_autofree char *type = guestfs_vfs_type(g, device);
	g_auto(GStrv) table = NULL;

	if (type == NULL || !g_str_has_prefix(type, "ext"))
		return true;
	table = guestfs_tune2fs_l(g, device);
	for (char **pair = table; pair != NULL && *pair != NULL; pair += 2) {
		bool dirty =
			(strcmp(pair[0], "Filesystem features") == 0 &&
			 strstr(pair[1], "needs_recovery") != NULL) ||
			(strcmp(pair[0], "Filesystem state") == 0 && strcmp(pair[1], "clean") != 0);

		if (dirty)
			return user_system_refuse(
				error, image,
				"was not shut down cleanly (%s of %s: %s); boot it once and "
				"power it off, or end the VM that uses it",
				pair[0], device, pair[1]);
	}
	return true;
}

/* To be asked first: libguestfs mounts what it inspects, and the kernel then empties the journal.
 */
static bool all_are_clean(guestfs_h *g, const char *image, GError **error)
{
	g_auto(GStrv) filesystems = guestfs_list_filesystems(g);

	if (filesystems == NULL)
		return appliance_fail(g, "list the file systems of the image", error);
	for (char **pair = filesystems; *pair != NULL; pair += 2) {
		if (!is_clean(g, image, pair[0], error))
			return false;
	}
	return true;
}

static bool is_encrypted(guestfs_h *g, const char *device)
{
	g_autofree char *type = guestfs_vfs_type(g, device);

	return g_strcmp0(type, "crypto_LUKS") == 0 || g_strcmp0(type, "BitLocker") == 0;
}

/* Why libguestfs sees no system. What is encrypted is none of its file systems. */
static bool refuse_unknown(guestfs_h *g, const char *image, GError **error)
{
	g_auto(GStrv) partitions = guestfs_list_partitions(g);

	if (partitions == NULL)
		return appliance_fail(g, "list the partitions of the image", error);
	for (char **device = partitions; *device != NULL; device++) {
		if (is_encrypted(g, *device))
			return user_system_refuse(
				error, image,
				"is encrypted (%s), and no probe can be put into it; give an "
				"image that is not",
				*device);
	}
	return user_system_refuse(
		error, image,
		"has no system that libguestfs knows; expected a disk with one Linux on it");
}

static bool is_suitable(guestfs_h *g, const char *image, const char *root, GError **error)
{
	g_autofree char *type = guestfs_inspect_get_type(g, root);
	g_autofree char *arch = guestfs_inspect_get_arch(g, root);
	g_autofree char *product = guestfs_inspect_get_product_name(g, root);

	if (type == NULL || arch == NULL)
		return appliance_fail(g, "find out what is in the image", error);
	if (strcmp(type, "linux") != 0)
		return user_system_refuse(error, image, "has %s on it (%s), expected a Linux", type,
					  product != NULL ? product : "of unknown name");
	if (strcmp(arch, "x86_64") != 0)
		return user_system_refuse(error, image, "has a Linux for %s on it, expected x86_64",
					  arch);
	return true;
}

static char *find_root(guestfs_h *g, const char *image, GError **error)
{
	g_auto(GStrv) roots = guestfs_inspect_os(g);

	if (roots == NULL) {
		appliance_fail(g, "find out what is in the image", error);
		return NULL;
	}
	if (roots[0] == NULL) {
		refuse_unknown(g, image, error);
		return NULL;
	}
	if (roots[1] != NULL) {
		g_autofree char *list = g_strjoinv(", ", roots);

		user_system_refuse(
			error, image,
			"has more than one system on it (%s), and which one would boot is not "
			"known; give an image with one",
			list);
		return NULL;
	}
	return is_suitable(g, image, roots[0], error) ? g_strdup(roots[0]) : NULL;
}

static int by_length(const void *left, const void *right)
{
	const char *const *a = *(const char *const *const *)left;
	const char *const *b = *(const char *const *const *)right;

	return (int)strlen(*a) - (int)strlen(*b);
}

/* "/" before "/boot" before "/boot/efi". */
bool user_system_mount(guestfs_h *g, const char *image, GError **error)
{
	g_autofree char *root = all_are_clean(g, image, error) ? find_root(g, image, error) : NULL;
	g_auto(GStrv) points = root != NULL ? guestfs_inspect_get_mountpoints(g, root) : NULL;
	g_autoptr(GPtrArray) sorted = g_ptr_array_new();

	if (root == NULL)
		return false;
	if (points == NULL)
		return appliance_fail(g, "find the mount points of the image", error);
	for (char **pair = points; *pair != NULL; pair += 2)
		g_ptr_array_add(sorted, pair);
	g_ptr_array_sort(sorted, by_length);
	for (guint i = 0; i < sorted->len; i++) {
		char **pair = g_ptr_array_index(sorted, i);

		/* What fstab has beside its root may be missing from this disk. */
		if (guestfs_mount(g, pair[1], pair[0]) < 0 && strcmp(pair[0], "/") == 0)
			return appliance_fail(g, "mount the image", error);
	}
	return true;
}

/* ---- Putting the probe in ---- */

/*
 * What runs at the boot's end. The kernel log goes to the console, once all has been counted: an
 * image of which nobody knows whether it has a console there can be judged all the same.
 */
static char *run_script(const struct user_system_files *files)
{
	return g_strdup_printf(
		"#!/bin/sh\n"
		"# Put here by eptlab: the counts of VM exits go to the second serial port.\n" PROBE
		" /dev/ttyS1 %s '%s'%s || echo 'eptlab: no counts from this boot' > /dev/ttyS0\n"
		"{ echo 'eptlab: the kernel log, from warnings up'\n"
		"  dmesg -l emerg,alert,crit,err,warn 2> /dev/null || dmesg\n"
		"} > /dev/ttyS0\n"
		"echo 'eptlab: held' > /dev/ttyS0\n"
		"exec sleep 2147483647\n",
		files->name, files->operations, *files->workload != '\0' ? " " WORKLOAD : "");
}

static const char unit[] = "# Put here by eptlab.\n"
			   "[Unit]\n"
			   "Description=Read the counts of VM exits\n"
			   "After=multi-user.target\n"
			   "[Service]\n"
			   "Type=oneshot\n"
			   "TimeoutStartSec=infinity\n"
			   "ExecStart=" RUN "\n"
			   "[Install]\n"
			   "WantedBy=multi-user.target\n";

static const char init_script[] = "#!/bin/sh\n"
				  "### BEGIN INIT INFO\n"
				  "# Provides:          eptlab\n"
				  "# Required-Start:    $all\n"
				  "# Required-Stop:\n"
				  "# Default-Start:     2 3 4 5\n"
				  "# Default-Stop:\n"
				  "# Short-Description: Read the counts of VM exits\n"
				  "### END INIT INFO\n"
				  "[ \"$1\" = start ] && exec " RUN "\n";

static bool write_file(guestfs_h *g, const char *path, const char *text, int mode, GError **error)
{
	g_autofree char *what = g_strdup_printf("write %s into the image", path);

	return (guestfs_write(g, path, text, strlen(text)) == 0 &&
		guestfs_chmod(g, mode, path) == 0) ||
	       appliance_fail(g, what, error);
}

static bool install_unit(guestfs_h *g, GError **error)
{
	return write_file(g, UNIT, unit, 0644, error) &&
	       ((guestfs_mkdir_p(g, WANTS) == 0 &&
		 guestfs_ln_sf(g, UNIT, WANTS "/" UNIT_NAME) == 0) ||
		appliance_fail(g, "enable the unit in the image", error));
}

/* S99: the last of its runlevel. */
static bool install_init_script(guestfs_h *g, GError **error)
{
	if (!write_file(g, SCRIPT, init_script, 0755, error))
		return false;
	for (int level = 2; level <= 5; level++) {
		g_autofree char *link = g_strdup_printf("/etc/rc%d.d/S99eptlab", level);
		g_autofree char *folder = g_path_get_dirname(link);

		if (guestfs_is_dir(g, folder) == 1 && guestfs_ln_sf(g, SCRIPT, link) < 0)
			return appliance_fail(g, "enable the script in the image", error);
	}
	return true;
}

static bool install_starter(guestfs_h *g, const char *image, GError **error)
{
	if (guestfs_is_file(g, "/usr/lib/systemd/systemd") == 1 ||
	    guestfs_is_file(g, "/lib/systemd/systemd") == 1)
		return install_unit(g, error);
	if (guestfs_is_dir(g, "/etc/init.d") == 1 && guestfs_is_dir(g, "/etc/rc2.d") == 1)
		return install_init_script(g, error);
	return user_system_refuse(
		error, image,
		"has neither systemd nor /etc/init.d with /etc/rc2.d, so that nothing would "
		"start the probe; give an image with one of them");
}

static bool upload_more(guestfs_h *g, char **more, GError **error)
{
	for (; *more != NULL; more += 2)
		if (!appliance_upload(g, more[0], more[1], error))
			return false;
	return true;
}

bool user_system_install(guestfs_h *g, const char *image, const struct user_system_files *files,
			 GError **error)
{
	g_autofree char *script = run_script(files);

	helper_side_step("writing the probe into an overlay of the image");
	if (guestfs_mkdir_p(g, USER_SYSTEM_FOLDER) < 0)
		return appliance_fail(g, "make a folder in the image", error);
	return appliance_upload(g, files->probe, PROBE, error) &&
	       (*files->workload == '\0' ||
		appliance_upload(g, files->workload, WORKLOAD, error)) &&
	       upload_more(g, files->more, error) && write_file(g, RUN, script, 0755, error) &&
	       install_starter(g, image, error);
}
