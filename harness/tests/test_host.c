/* SPDX-License-Identifier: GPL-2.0-only */
/* What a machine can do, from faked files: nobody is fooled by a /dev/kvm. */
#include <unistd.h>
#include <glib/gstdio.h>

#include "kmod/holders.h"
#include "base/folder.h"
#include "l1/holes.h"
#include "l1/host.h"
#include "l1/libvirt.h"
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

/* It decides which modules must be loaded. */
TEST(vendor_is_that_of_the_model)
{
	static const struct {
		const char *setting, *vendor;
	} rows[] = {
		{ "bochs.cpu=corei7_haswell_4770", "vmx" },
		{ "bochs.cpu=corei3_cnl", "vmx" },
		{ "bochs.cpu=ryzen", "svm" },
		{ "bochs.cpu=zambezi", "svm" },
	};

	test_each (row, rows) {
		const char *const settings[] = { row->setting, NULL };
		g_autoptr(struct_config) config = config_load("configs", NULL, settings, NULL);
		struct record *record = record_new("", "", "bochs", "boot");

		assert_non_null(config);
		platform_bochs.describe(config, &record->platform);
		assert_string_equal(record->platform.vendor, row->vendor);
		record_free(record);
	}
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

/* The last kernel with a hole, and the first without; as distributions write their numbers. */
TEST(holes_of_kernels)
{
	static const char debian[] = "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-10)";
	static const struct {
		const char *release, *version;
		const char *first,
			*second; /* what is said of the two holes; NULL: they are mended */
	} cases[] = {
		{ "6.1.174", "#1", "46113 (fixed in 6.1.175)", "64561 (fixed in 6.1.183)" },
		{ "6.1.175", "#1", NULL, "64561 (fixed in 6.1.183)" },
		{ "6.1.182", "#1", NULL, "64561 (fixed in 6.1.183)" },
		{ "6.1.183", "#1", NULL, NULL },
		{ "6.1.192-eptlab", "#1", NULL, NULL },
		{ "6.6.139", "#1", "46113 (fixed in 6.6.140)", "64561 (fixed in 6.6.148)" },
		{ "6.6.140", "#1", NULL, "64561 (fixed in 6.6.148)" },
		{ "6.6.148", "#1", NULL, NULL },
		{ "6.12.90+deb13.1-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.12.90-1", NULL,
		  "64561 (fixed in 6.12.101)" },
		{ "6.12.87+deb13-amd64", "#1", "46113 (fixed in 6.12.88)",
		  "64561 (fixed in 6.12.101)" },
		{ "6.12.101+deb13-amd64", "#1", NULL, NULL },
		{ "6.18.29-200.fc43.x86_64", "#1", "46113 (fixed in 6.18.30)",
		  "64561 (fixed in 6.18.42)" },
		{ "6.18.42", "#1", NULL, NULL },
		{ "7.0.6", "#1", "46113 (fixed in 7.0.7)", "64561 (no fix of 7.0 is known)" },
		{ "7.0.7", "#1", NULL, "64561 (no fix of 7.0 is known)" },
		{ "7.1.0", "#1", NULL, "64561 (fixed in 7.1.6)" },
		{ "7.1", "#1", NULL, "64561 (fixed in 7.1.6)" },
		{ "7.1.6", "#1", NULL, NULL },
		{ "7.2.0-rc1", "#1", NULL, NULL },
		{ "7.3.4", "#1", NULL, NULL },
		{ "6.8.12", "#1", "46113 (no fix of 6.8 is known)",
		  "64561 (no fix of 6.8 is known)" },
		/* Debian 12 has the kernel's number in the version only. */
		{ "6.1.0-56-amd64", debian, NULL, NULL },
		{ "6.1.0-40-amd64", "#1 SMP Debian 6.1.174-1 (2026-05-01)",
		  "46113 (fixed in 6.1.175)", "64561 (fixed in 6.1.183)" },
		/* Nobody knows. */
		{ "6.8.0-45-generic", "#45-Ubuntu SMP", "cannot be told", "cannot be told" },
		{ "5.14.0-427.el9.x86_64", "#1", "cannot be told", "cannot be told" },
		{ "mine", "#1", "cannot be told", "cannot be told" },
		{ "", "", "cannot be told", "cannot be told" },
	};

	test_each (row, cases) {
		g_autofree char *words = holes_words(row->release, row->version);
		const char *said = words != NULL ? words : "";

		if ((row->first == NULL && row->second == NULL) != (words == NULL))
			fail_msg("%s: %s", row->release, said);
		if (row->first != NULL && strstr(said, row->first) == NULL)
			fail_msg("%s: %s", row->release, said);
		if (row->second != NULL && strstr(said, row->second) == NULL)
			fail_msg("%s: %s", row->release, said);
		if (row->first == NULL && strstr(said, "46113") != NULL)
			fail_msg("%s: %s", row->release, said);
	}
}

static void add_run(struct job *job, const char *name, bool ept)
{
	struct job_run *run = g_new0(struct job_run, 1);

	run->name = g_strdup(name);
	run->ept = ept;
	g_ptr_array_add(job->runs, run);
}

/* A QEMU whose guests read the wrong CR3 is not asked for shadow paging, and only it. */
TEST(tcg_without_npt_needs_a_qemu_that_can)
{
	g_autoptr(struct_job) job = job_empty();
	g_autoptr(GError) error = NULL;

	add_run(job, "ept", true);
	assert_true(tcg_fits(job, 10000013, &error));
	add_run(job, "flat", false);
	assert_true(tcg_fits(job, 7002022, &error));
	assert_true(tcg_fits(job, 9000999, &error));
	assert_true(tcg_fits(job, 10001000, &error));
	assert_false(tcg_fits(job, 9001000, NULL));
	assert_false(tcg_fits(job, 10000013, &error));
	assert_error(&error, EPTLAB_ERROR_MACHINE, "QEMU 10.0, which");
}
