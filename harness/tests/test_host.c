/* SPDX-License-Identifier: GPL-2.0-only */
/* What a machine can do, from faked files: nobody is fooled by a /dev/kvm. */
#include <unistd.h>
#include <glib/gstdio.h>

#include "kmod/holders.h"
#include "l1/host.h"
#include "tests/test.h"

static void put_cpu(const char *folder, const char *flags)
{
	g_autofree char *text = g_strdup_printf("processor\t: 0\nmodel name\t: A CPU\n"
						"flags\t\t: fpu %s lm\n",
						flags);

	test_put(folder, "proc/cpuinfo", text, -1);
}

static void assert_nests(const char *folder, bool expected, const char *part)
{
	g_autoptr(GError) error = NULL;
	struct host host;

	host_read(folder, &host);
	assert_int_equal(host_can_nest(&host, &error), expected);
	if (!expected) {
		assert_error(&error, EPTLAB_ERROR_MACHINE, part);
	}
	host_clear(&host);
}

TEST_IN_FOLDER(device_without_virtualization)
{
	/* A word that begins with vmx is not vmx. */
	put_cpu(folder, "vmx_unused");
	test_put(folder, "dev/kvm", "", -1);
	assert_nests(folder, false, "so its /dev/kvm cannot nest");
}

TEST_IN_FOLDER(nothing_at_all)
{
	assert_nests(folder, false, "neither vmx nor svm");
}

TEST_IN_FOLDER(intel_step_by_step)
{
	struct host host;

	put_cpu(folder, "vmx");
	assert_nests(folder, false, "the module kvm_intel is not loaded");
	test_put(folder, "sys/module/kvm_intel/parameters/nested", "N\n", -1);
	assert_nests(folder, false, "there is no /dev/kvm");
	test_put(folder, "dev/kvm", "", -1);
	assert_nests(folder, false, "its parameter nested is off");
	test_put(folder, "sys/module/kvm_intel/parameters/nested", "Y\n", -1);
	assert_nests(folder, true, NULL);
	host_read(folder, &host);
	assert_string_equal(host.cpu, "A CPU");
	assert_string_equal(host.vendor, "vmx");
	host_clear(&host);
}

/* kvm_amd shows its as a number. */
TEST_IN_FOLDER(amd_nests)
{
	put_cpu(folder, "svm");
	test_put(folder, "dev/kvm", "", -1);
	test_put(folder, "sys/module/kvm_amd/parameters/nested", "1\n", -1);
	assert_nests(folder, true, NULL);
	test_put(folder, "sys/module/kvm_amd/parameters/nested", "0\n", -1);
	assert_nests(folder, false, "kvm_amd");
}

static void put_link(const char *folder, const char *path, const char *target)
{
	g_autofree char *file = g_build_filename(folder, path, NULL);
	g_autofree char *above = g_path_get_dirname(file);

	assert_int_equal(g_mkdir_with_parents(above, 0755), 0);
	assert_int_equal(symlink(target, file), 0);
}

TEST_IN_FOLDER(holders_are_named)
{
	g_autofree char *who = holders_of_kvm(folder);

	assert_null(who);
	test_put(folder, "proc/12345678/comm", "idle\n", -1);
	put_link(folder, "proc/12345678/fd/0", "/dev/null");
	put_link(folder, "proc/self/fd/0", "/dev/kvm");
	who = holders_of_kvm(folder);
	assert_null(who);
	test_put(folder, "proc/12345679/comm", "qemu\n", -1);
	put_link(folder, "proc/12345679/fd/7", "anon_inode:kvm-vm");
	who = holders_of_kvm(folder);
	assert_string_equal(who, "qemu (process 12345679)");
}
