/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An L1 with more than one CPU: what L2 reads adds up while several of its vCPUs really exit at
 * once. `make test-smp` builds the kernels for that before; they are too many for `make test`.
 */
#include <stdlib.h>

#include "lab.h"
#include "tests/sample.h"
#include "tests/test.h"

/* The line that is built; "6.1-smp". */
static char *kernel_setting(void)
{
	return g_strconcat("experiment.kernel=", g_getenv("EPTLAB_SMP"), NULL);
}

/* What the line "KEY: NUMBER" says. */
static guint64 number_in(const char *text, const char *key)
{
	g_autofree char *lines = g_strconcat("\n", text, NULL);
	g_autofree char *begin = g_strdup_printf("\n%s: ", key);
	const char *found = strstr(lines, begin);

	if (found == NULL)
		fail_msg("there is no line %s in: %s", key, text);
	return g_ascii_strtoull(found + strlen(begin), NULL, 10);
}

/* many_cpuids has a process on each vCPU of L2, in ring 3. */
static void run_many(const char *vcpus)
{
	static const char *const configs[] = { "ept", "noept" };
	struct lab *lab = lab_new("tcg");
	g_autofree char *kernel = kernel_setting();
	g_autofree char *l2 = g_strconcat("l2.vcpus=", vcpus, NULL);
	g_autofree char *program = lab_built("tests/many_cpuids");
	struct record *record;

	lab_run(lab, 0, "run", "--set", kernel, "--set", "tcg.cpus=4", "--set", l2, "--put",
		program, "--", "./many_cpuids", vcpus, "4000", NULL);
	record = lab_newest(lab);
	assert_int_equal(record->platform.cpus.value, 4);
	test_each (config, configs) {
		g_autofree char *name = g_strconcat(*config, "/output.txt", NULL);
		g_autofree char *path = lab_newest_file(lab, name);
		g_autofree char *said = NULL;

		assert_true(g_file_get_contents(path, &said, NULL, NULL));
		printf("# %s with %s vCPUs: %s", *config, vcpus, said);
		assert_int_equal(number_in(said, "vcpus"), strtoul(vcpus, NULL, 10));
		assert_says(said, "at-once: yes\n");
		assert_int_equal(number_in(said, "counted"), number_in(said, "executed"));
		assert_true(number_in(said, "frozen") > 0);
		assert_int_equal(number_in(said, "wrong"), 0);
	}
	record_free(record);
	lab_assert_nothing_left(lab, 5);
	lab_free(lab);
}

TEST(two_vcpus_add_up_while_they_exit)
{
	run_many("2");
}

TEST(four_vcpus_add_up_while_they_exit)
{
	run_many("4");
}

static void is_valid(const char *vcpus, const char *setting)
{
	struct lab *lab = lab_new("tcg");
	g_autofree char *kernel = kernel_setting();

	lab_run(lab, 0, "run", "--set", kernel, "--set", "tcg.cpus=4", "--set", vcpus, "--set",
		setting, NULL);
	lab_free(lab);
}

/* The kernel's own histogram, which all CPUs of L1 add to. */
TEST(witness_agrees)
{
	is_valid("l2.vcpus=4", "experiment.witness=1");
}

TEST(doses_are_exact)
{
	is_valid("l2.vcpus=2", "experiment.workload=doses");
}

/* Those runs that have two vCPUs, two VMs, and hostile questions. */
TEST(conform_finds_nothing)
{
	struct lab *lab = lab_new("tcg");
	g_autofree char *kernel = kernel_setting();

	lab_run(lab, 0, "conform", "--set", kernel, "--set", "tcg.cpus=4", "--set",
		"conform.runs=two-vms;smp;abuse", NULL);
	assert_says(lab->output, "\nok 1 - ");
	assert_null(strstr(lab->output, "not ok"));
	lab_free(lab);
}

TEST(kunit_passes)
{
	struct lab *lab = lab_new("tcg");
	g_autofree char *kernel = kernel_setting();
	g_autofree char *folder = g_build_filename(lab->results, "kunit", NULL);

	lab_run(lab, 0, "kunit", "--set", kernel, "--set", "tcg.cpus=4", folder, NULL);
	lab_free(lab);
}
