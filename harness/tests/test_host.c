/* SPDX-License-Identifier: GPL-2.0-only */
/* What a machine can do, from faked files: nobody is fooled by a /dev/kvm. */
#include <unistd.h>
#include <glib/gstdio.h>

#include "kmod/holders.h"
#include "base/folder.h"
#include "l1/host.h"
#include "tests/test.h"

static int make_root(void **state)
{
	*state = g_dir_make_tmp("eptlab-host-XXXXXX", NULL);
	assert_non_null(*state);
	return 0;
}

static int remove_root(void **state)
{
	folder_remove(*state);
	g_free(*state);
	return 0;
}

#define TEST_ROOT(name) TEST_OF(char *root G_GNUC_UNUSED, make_root, remove_root, name)

static void put(const char *root, const char *path, const char *text)
{
	g_autofree char *file = g_build_filename(root, path, NULL);
	g_autofree char *folder = g_path_get_dirname(file);

	assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
	assert_true(g_file_set_contents(file, text, -1, NULL));
}

static void put_cpu(const char *root, const char *flags)
{
	g_autofree char *text = g_strdup_printf("processor\t: 0\nmodel name\t: A CPU\n"
						"flags\t\t: fpu %s lm\n",
						flags);

	put(root, "proc/cpuinfo", text);
}

static void assert_nests(const char *root, bool expected, const char *part)
{
	g_autoptr(GError) error = NULL;
	struct host host;

	host_read(root, &host);
	assert_int_equal(host_can_nest(&host, &error), expected);
	if (!expected) {
		assert_error(&error, EPTLAB_ERROR_MACHINE, part);
	}
	host_clear(&host);
}

TEST_ROOT(device_without_virtualization)
{
	/* A word that begins with vmx is not vmx. */
	put_cpu(root, "vmx_unused");
	put(root, "dev/kvm", "");
	assert_nests(root, false, "so its /dev/kvm cannot nest");
}

TEST_ROOT(nothing_at_all)
{
	assert_nests(root, false, "neither vmx nor svm");
}

TEST_ROOT(intel_step_by_step)
{
	struct host host;

	put_cpu(root, "vmx");
	assert_nests(root, false, "the module kvm_intel is not loaded");
	put(root, "sys/module/kvm_intel/parameters/nested", "N\n");
	assert_nests(root, false, "there is no /dev/kvm");
	put(root, "dev/kvm", "");
	assert_nests(root, false, "its parameter nested is off");
	put(root, "sys/module/kvm_intel/parameters/nested", "Y\n");
	assert_nests(root, true, NULL);
	host_read(root, &host);
	assert_string_equal(host.cpu, "A CPU");
	assert_string_equal(host.vendor, "vmx");
	host_clear(&host);
}

/* kvm_amd shows its as a number. */
TEST_ROOT(amd_nests)
{
	put_cpu(root, "svm");
	put(root, "dev/kvm", "");
	put(root, "sys/module/kvm_amd/parameters/nested", "1\n");
	assert_nests(root, true, NULL);
	put(root, "sys/module/kvm_amd/parameters/nested", "0\n");
	assert_nests(root, false, "kvm_amd");
}

static void put_link(const char *root, const char *path, const char *target)
{
	g_autofree char *file = g_build_filename(root, path, NULL);
	g_autofree char *folder = g_path_get_dirname(file);

	assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
	assert_int_equal(symlink(target, file), 0);
}

TEST_ROOT(holders_are_named)
{
	g_autofree char *who = holders_of_kvm(root);

	assert_null(who);
	put(root, "proc/12345678/comm", "idle\n");
	put_link(root, "proc/12345678/fd/0", "/dev/null");
	put_link(root, "proc/self/fd/0", "/dev/kvm");
	who = holders_of_kvm(root);
	assert_null(who);
	put(root, "proc/12345679/comm", "qemu\n");
	put_link(root, "proc/12345679/fd/7", "anon_inode:kvm-vm");
	who = holders_of_kvm(root);
	assert_string_equal(who, "qemu (process 12345679)");
}
