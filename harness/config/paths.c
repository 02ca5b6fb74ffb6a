/* SPDX-License-Identifier: GPL-2.0-only */
#include "config/paths.h"

#include <stddef.h>

#include "base/error.h"

/* Relative to the folder of the program, which is build/. */
static const struct {
	size_t member;
	const char *path;
	bool built; /* by make: it must be there before L1 is booted */
} table[] = {
	{ offsetof(struct paths, configs), "../configs", false },
	{ offsetof(struct paths, results), "../results", false },
	{ offsetof(struct paths, deps), "../harness/deps", false },
	{ offsetof(struct paths, kernel_conf), "kernel/l1/kernel.conf", true },
	{ offsetof(struct paths, package_conf), "kernel/package/kernel.conf", false },
	{ offsetof(struct paths, l1_kernel), "kernel/l1/bzImage", true },
	{ offsetof(struct paths, modules), "kernel/l1/modules", true },
	{ offsetof(struct paths, extra_modules), "kernel/l1/extra-modules", true },
	{ offsetof(struct paths, agent), "eptlab-agent", true },
	{ offsetof(struct paths, appliance), "appliance.img", true },
	{ offsetof(struct paths, capabilities), "capabilities", false },
	{ offsetof(struct paths, l2_kernel), "kernel/l2/vmlinux", true },
	{ offsetof(struct paths, l2_doses), "doses.elf", true },
	{ offsetof(struct paths, l2_base_image), "l2-base.img", true },
	{ offsetof(struct paths, l2_domain), "../guest-image/domain.xml", false },
	{ offsetof(struct paths, l1_domain), "../guest-image/l1-domain.xml", false },
	{ offsetof(struct paths, qemu_conf),
	  "../guest-image/appliance/root/etc/libvirt-embed/qemu.conf", false },
	{ offsetof(struct paths, probe), "probe", true },
	{ offsetof(struct paths, workloads), "../guest-image/workloads", false },
	{ offsetof(struct paths, guestfs_helper), "eptlab-guestfs", true },
	{ offsetof(struct paths, own_helper), "eptlab-own-image", true },
	{ offsetof(struct paths, bochs_time), "bochs-time.so", true },
};

static char **member(struct paths *paths, size_t offset)
{
	return (char **)(void *)((char *)paths + offset);
}

struct paths *paths_find(GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autofree char *program = g_file_read_link("/proc/self/exe", &cause);
	g_autofree char *folder = program != NULL ? g_path_get_dirname(program) : NULL;
	struct paths *paths;

	if (folder == NULL)
		return eptlab_null(error, EPTLAB_ERROR_MACHINE,
				   "L0: eptlab cannot find its own program (%s); mount /proc",
				   cause->message);
	paths = g_new0(struct paths, 1);
	for (unsigned int i = 0; i < G_N_ELEMENTS(table); i++)
		*member(paths, table[i].member) = g_canonicalize_filename(table[i].path, folder);
	paths->guest_cache = g_build_filename(g_get_user_cache_dir(), "eptlab", "guest", NULL);
	paths->libvirt_cache = g_build_filename(g_get_user_cache_dir(), "eptlab", "libvirt", NULL);
	return paths;
}

const char *paths_installed_conf(const struct paths *paths)
{
	return g_file_test(paths->package_conf, G_FILE_TEST_EXISTS) ? paths->package_conf
								    : paths->kernel_conf;
}

static bool is_there(const char *path, GError **error)
{
	if (g_file_test(path, G_FILE_TEST_EXISTS))
		return true;
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE, "L0: %s has not been built; run \"make\"",
			   path);
}

bool paths_are_built(const struct paths *paths, GError **error)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(table); i++) {
		if (table[i].built && !is_there(*member((void *)paths, table[i].member), error))
			return false;
	}
	return true;
}

void paths_free(struct paths *paths)
{
	if (paths == NULL)
		return;
	for (unsigned int i = 0; i < G_N_ELEMENTS(table); i++)
		g_free(*member(paths, table[i].member));
	g_free(paths->guest_cache);
	g_free(paths->libvirt_cache);
	g_free(paths);
}
