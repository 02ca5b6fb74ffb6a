/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every line of kernel/lines, as docs/kernels.md claims: the boot, all doses, the kernel's own
 * witness and KUnit. `make test-lines` builds the kernels before; they are too many for `make
 * test`.
 */
#include <stdio.h>

#include "base/folder.h"
#include "lab.h"
#include "tests/sample.h"
#include "tests/test.h"

static void is_valid(const char *line, const char *platform, const char *setting)
{
	struct lab *lab = lab_new(platform);
	g_autofree char *kernel = g_strconcat("experiment.kernel=", line, NULL);
	struct record *record;

	lab_run(lab, 0, "run", "--set", kernel, "--set", setting, NULL);
	record = lab_newest(lab);
	assert_int_equal(record->verdict, RECORD_VALID);
	assert_string_equal(record->kernel.line, line);
	lab_assert_nothing_left(lab, 5);
	record_free(record);
	lab_free(lab);
}

static void each_line(const char *platform, const char *setting)
{
	g_auto(GStrv) lines = folder_names("kernel/lines", NULL);

	assert_non_null(lines);
	assert_true(g_strv_length(lines) > 1);
	for (char **line = lines; *line != NULL; line++) {
		test_row(*line, TEST_TEXT);
		is_valid(*line, platform, setting);
	}
	test_row(NULL, 0);
}

TEST(boots_on_bochs)
{
	each_line("bochs", "experiment.operations=none");
}

TEST(boots_on_tcg)
{
	each_line("tcg", "experiment.operations=none");
}

TEST(doses_are_exact)
{
	each_line("bochs", "experiment.workload=doses");
}

TEST(doses_are_exact_on_amd)
{
	each_line("tcg", "experiment.workload=doses");
}

TEST(witness_agrees)
{
	each_line("bochs", "experiment.witness=1");
}

TEST(kunit_passes)
{
	g_auto(GStrv) lines = folder_names("kernel/lines", NULL);

	for (char **line = lines; *line != NULL; line++) {
		struct lab *lab = lab_new("bochs");
		g_autofree char *kernel = g_strconcat("experiment.kernel=", *line, NULL);
		g_autofree char *folder = g_build_filename(lab->results, "kunit", NULL);

		lab_run(lab, 0, "kunit", "--set", kernel, folder, NULL);
		lab_free(lab);
	}
}

TEST(conform_finds_nothing)
{
	g_auto(GStrv) lines = folder_names("kernel/lines", NULL);

	for (char **line = lines; *line != NULL; line++) {
		struct lab *lab = lab_new("bochs");
		g_autofree char *kernel = g_strconcat("experiment.kernel=", *line, NULL);

		lab_run(lab, 0, "conform", "--set", kernel, NULL);
		/* TAP, as the output is no terminal's. */
		assert_says(lab->output, "\nok 1 - ");
		assert_null(strstr(lab->output, "not ok"));
		lab_free(lab);
	}
}
