/* SPDX-License-Identifier: GPL-2.0-only */
#include "config/paths.h"

#include <stddef.h>
#include <string.h>

#include "base/error.h"

/* What make builds must be there before L1 is booted. */
enum origin {
	GIVEN,
	BUILT,
	BUILT_OF_LINE, /* relative to the folder of the kernel line */
};

/* Relative to the folder of the program, which is build/. */
static const struct {
	size_t member;
	const char *path;
	enum origin origin;
} table[] = {
	{ offsetof(struct paths, configs), "../configs", GIVEN },
	{ offsetof(struct paths, results), "../results", GIVEN },
	{ offsetof(struct paths, deps), "../harness/deps", GIVEN },
	{ offsetof(struct paths, lines), "kernel/l1", GIVEN },
	{ offsetof(struct paths, kernel_conf), "kernel.conf", BUILT_OF_LINE },
	{ offsetof(struct paths, package_conf), "kernel/package/kernel.conf", GIVEN },
	{ offsetof(struct paths, l1_kernel), "bzImage", BUILT_OF_LINE },
	{ offsetof(struct paths, modules), "modules", BUILT_OF_LINE },
	{ offsetof(struct paths, extra_modules), "extra-modules", BUILT_OF_LINE },
	{ offsetof(struct paths, agent), "eptlab-agent", BUILT },
	{ offsetof(struct paths, appliance), "appliance.img", BUILT },
	{ offsetof(struct paths, capabilities), "capabilities", GIVEN },
	{ offsetof(struct paths, l2_kernel), "kernel/l2/vmlinux", BUILT },
	{ offsetof(struct paths, l2_kernel_smp), "kernel/l2-smp/vmlinux", GIVEN },
	{ offsetof(struct paths, l2_doses), "doses.elf", BUILT },
	{ offsetof(struct paths, l2_base_image), "l2-base.img", BUILT },
	{ offsetof(struct paths, l2_domain), "../guest-image/domain.xml", GIVEN },
	{ offsetof(struct paths, l1_domain), "../guest-image/l1-domain.xml", GIVEN },
	{ offsetof(struct paths, qemu_conf),
	  "../guest-image/appliance/root/etc/libvirt-embed/qemu.conf", GIVEN },
	{ offsetof(struct paths, grade_trees), "kernel/grade", GIVEN },
	{ offsetof(struct paths, grade_scripts), "../kernel/grade", GIVEN },
	{ offsetof(struct paths, probe), "probe", BUILT },
	{ offsetof(struct paths, workloads), "../guest-image/workloads", GIVEN },
	{ offsetof(struct paths, guestfs_helper), "eptlab-guestfs", BUILT },
	{ offsetof(struct paths, user_helper), "eptlab-user-image", BUILT },
	{ offsetof(struct paths, bochs_time), "bochs-time.so", BUILT },
};

/*
 * What lies elsewhere where it is installed, relative to the program's folder, which is
 * /usr/lib/eptlab then; "": nowhere, or in the user's own folders. The Makefile's target
 * install puts things there.
 */
#define SHARE "../../share/eptlab/"
static const struct {
	size_t member;
	const char *path;
} installed_table[] = {
	{ offsetof(struct paths, configs), "../../../etc/eptlab" },
	{ offsetof(struct paths, results), "" },
	{ offsetof(struct paths, deps), "" },
	{ offsetof(struct paths, capabilities), "" },
	{ offsetof(struct paths, made_capabilities), "capabilities" },
	{ offsetof(struct paths, made_guest), "guest" },
	{ offsetof(struct paths, l2_domain), SHARE "domain.xml" },
	{ offsetof(struct paths, l1_domain), SHARE "l1-domain.xml" },
	{ offsetof(struct paths, qemu_conf), SHARE "qemu.conf" },
	{ offsetof(struct paths, grade_scripts), SHARE "grade" },
	{ offsetof(struct paths, workloads), SHARE "workloads" },
};

static char **member(struct paths *paths, size_t offset)
{
	return (char **)(void *)((char *)paths + offset);
}

/* What a line of the kernel has; replaces what another one had. */
static void set_line(struct paths *paths, const char *line)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(table); i++) {
		char **path = member(paths, table[i].member);

		if (table[i].origin != BUILT_OF_LINE)
			continue;
		g_free(*path);
		*path = g_build_filename(paths->lines, line, table[i].path, NULL);
	}
}

/* The folder of this program; NULL: why is in *cause. */
static char *own_folder(GError **cause)
{
	g_autofree char *program = g_file_read_link("/proc/self/exe", cause);

	return program != NULL ? g_path_get_dirname(program) : NULL;
}

/* A clone's is called build. */
static bool is_installed(const char *folder)
{
	return g_str_has_suffix(folder, "/lib/eptlab");
}

bool paths_is_installed(void)
{
	g_autofree char *folder = own_folder(NULL);

	return folder != NULL && is_installed(folder);
}

/* What an installed program writes, it writes into the user's own folders. */
static void use_installed(struct paths *paths, const char *folder)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(installed_table); i++) {
		char **path = member(paths, installed_table[i].member);

		g_free(*path);
		*path = *installed_table[i].path != '\0'
				? g_canonicalize_filename(installed_table[i].path, folder)
				: NULL;
	}
	paths->results = g_build_filename(g_get_user_state_dir(), "eptlab", NULL);
	paths->capabilities =
		g_build_filename(g_get_user_cache_dir(), "eptlab", "capabilities", NULL);
}

struct paths *paths_find(GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autofree char *folder = own_folder(&cause);
	struct paths *paths;

	if (folder == NULL)
		return eptlab_null(error, EPTLAB_ERROR_MACHINE,
				   "L0: eptlab cannot find its own program (%s); mount /proc",
				   cause->message);
	paths = g_new0(struct paths, 1);
	for (unsigned int i = 0; i < G_N_ELEMENTS(table); i++)
		*member(paths, table[i].member) = g_canonicalize_filename(table[i].path, folder);
	if (is_installed(folder))
		use_installed(paths, folder);
	set_line(paths, PATHS_DEFAULT_LINE);
	paths->guest_cache = g_build_filename(g_get_user_cache_dir(), "eptlab", "guest", NULL);
	paths->libvirt_cache = g_build_filename(g_get_user_cache_dir(), "eptlab", "libvirt", NULL);
	return paths;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

/* The lines that have been built, the oldest first; NULL-terminated. */
static GPtrArray *built_lines(const struct paths *paths)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) folder = g_dir_open(paths->lines, 0, NULL);
	const char *name;

	while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
		g_autofree char *conf = g_build_filename(paths->lines, name, "kernel.conf", NULL);

		if (!g_str_equal(name, PATHS_DEFAULT_LINE) && g_file_test(conf, G_FILE_TEST_EXISTS))
			g_ptr_array_add(lines, g_strdup(name));
	}
	g_ptr_array_sort(lines, compare_names);
	g_ptr_array_add(lines, NULL);
	return lines;
}

bool paths_choose_line(struct paths *paths, const char *line, GError **error)
{
	g_autoptr(GPtrArray) lines = built_lines(paths);
	g_autofree char *list = NULL;

	if (*line == '\0')
		return true;
	if (g_strv_contains((const char *const *)lines->pdata, line)) {
		set_line(paths, line);
		return true;
	}
	list = g_strjoinv(", ", (char **)lines->pdata);
	return eptlab_fail(
		error, EPTLAB_ERROR_USAGE,
		"L0: no kernel of the line \"%s\" has been built for L1, but: %s; give "
		"experiment.kernel one of these, or \"make kernel KERNEL=LINE\" %sbuilds "
		"another one of kernel/lines",
		line, lines->len > 1 ? list : "none",
		paths_is_installed() ? "in a clone of the sources " : "");
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
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE, "L0: %s %s; %s", path,
			   paths_is_installed() ? "is missing" : "has not been built",
			   paths_get_built());
}

bool paths_are_built(const struct paths *paths, GError **error)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(table); i++) {
		if (table[i].origin != GIVEN &&
		    !is_there(*member((void *)paths, table[i].member), error))
			return false;
	}
	return true;
}

const char *paths_get_built(void)
{
	return paths_is_installed() ? "install the packages eptlab and eptlab-kernels again, both "
				      "of the same version"
				    : "run \"make\"";
}

const char *paths_get_packages(void)
{
	return paths_is_installed() ? "install it, as the package eptlab suggests "
				      "(\"apt-cache show eptlab\")"
				    : "run \"make deps\" as root";
}

void paths_free(struct paths *paths)
{
	if (paths == NULL)
		return;
	for (unsigned int i = 0; i < G_N_ELEMENTS(table); i++)
		g_free(*member(paths, table[i].member));
	g_free(paths->made_capabilities);
	g_free(paths->made_guest);
	g_free(paths->guest_cache);
	g_free(paths->libvirt_cache);
	g_free(paths);
}
