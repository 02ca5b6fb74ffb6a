/* SPDX-License-Identifier: GPL-2.0-only */
/* What a machine can do, from faked files: nobody is fooled by a /dev/kvm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <glib/gstdio.h>

#include "kmod/holders.h"
#include "model/error.h"
#include "model/tree.h"
#include "platform/host.h"

static int make_root(void **state)
{
	*state = g_dir_make_tmp("eptlab-host-XXXXXX", NULL);
	assert_non_null(*state);
	return 0;
}

static int remove_root(void **state)
{
	tree_remove(*state);
	g_free(*state);
	return 0;
}

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
		assert_true(g_error_matches(error, EPTLAB_ERROR, EPTLAB_ERROR_MACHINE));
		if (strstr(error->message, part) == NULL)
			fail_msg("expected \"%s\", saw: %s", part, error->message);
	}
	host_clear(&host);
}

static void device_without_virtualization(void **state)
{
	/* A word that begins with vmx is not vmx. */
	put_cpu(*state, "vmx_unused");
	put(*state, "dev/kvm", "");
	assert_nests(*state, false, "so its /dev/kvm cannot nest");
}

static void nothing_at_all(void **state)
{
	assert_nests(*state, false, "neither vmx nor svm");
}

static void intel_step_by_step(void **state)
{
	struct host host;

	put_cpu(*state, "vmx");
	assert_nests(*state, false, "the module kvm_intel is not loaded");
	put(*state, "sys/module/kvm_intel/parameters/nested", "N\n");
	assert_nests(*state, false, "there is no /dev/kvm");
	put(*state, "dev/kvm", "");
	assert_nests(*state, false, "its parameter nested is off");
	put(*state, "sys/module/kvm_intel/parameters/nested", "Y\n");
	assert_nests(*state, true, NULL);
	host_read(*state, &host);
	assert_string_equal(host.cpu, "A CPU");
	assert_string_equal(host.vendor, "vmx");
	host_clear(&host);
}

/* kvm_amd shows its as a number. */
static void amd_nests(void **state)
{
	put_cpu(*state, "svm");
	put(*state, "dev/kvm", "");
	put(*state, "sys/module/kvm_amd/parameters/nested", "1\n");
	assert_nests(*state, true, NULL);
	put(*state, "sys/module/kvm_amd/parameters/nested", "0\n");
	assert_nests(*state, false, "kvm_amd");
}

static void put_link(const char *root, const char *path, const char *target)
{
	g_autofree char *file = g_build_filename(root, path, NULL);
	g_autofree char *folder = g_path_get_dirname(file);

	assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
	assert_int_equal(symlink(target, file), 0);
}

static void holders_are_named(void **state)
{
	g_autofree char *who = holders_of_kvm(*state);

	assert_null(who);
	put(*state, "proc/12345678/comm", "idle\n");
	put_link(*state, "proc/12345678/fd/0", "/dev/null");
	put_link(*state, "proc/self/fd/0", "/dev/kvm");
	who = holders_of_kvm(*state);
	assert_null(who);
	put(*state, "proc/12345679/comm", "qemu\n");
	put_link(*state, "proc/12345679/fd/7", "anon_inode:kvm-vm");
	who = holders_of_kvm(*state);
	assert_string_equal(who, "qemu (process 12345679)");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(device_without_virtualization),
		TEST(nothing_at_all),
		TEST(intel_step_by_step),
		TEST(amd_nests),
		TEST(holders_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
