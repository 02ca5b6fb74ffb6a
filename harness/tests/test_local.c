/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The platform local for real: in the emulators, where L1 is a machine of its own. The script
 * harness/tests/local/run is what happens there.
 */
#include <stdio.h>

#include "lab.h"
#include "tests/test.h"

static void assert_parameters(const struct lab *lab, const char *mark, const char *parameters)
{
	g_autofree char *line = g_strdup_printf("%s: %s", mark, parameters);

	lab_assert_line(lab, line);
}

/* parameters: as the kernel shows them by default. */
static struct lab *reload_measure_restore(const char *platform, const char *parameters)
{
	struct lab *lab = lab_new(platform);
	g_autofree char *out = g_build_filename(lab->results, "out", NULL);
	g_autofree char *folder = lab_l1_folder(lab);

	lab_run(lab, 0, "in-l1", folder, out, NULL);
	test_each_of (mark, "before", "after-run", "after-interrupt")
		assert_parameters(lab, *mark, parameters);
	lab_assert_line(lab, "run-status: 0");
	lab_assert_line(lab, "VALID: ");
	assert_null(strstr(lab->output, "left behind"));
	lab_assert_line(lab, "witness: armed");
	lab_assert_line(lab, "interrupted-status: 130");
	return lab;
}

TEST(local_on_vmx)
{
	lab_free(reload_measure_restore("bochs", "ept=Y vpid=Y"));
}

TEST(local_on_svm)
{
	struct lab *lab = reload_measure_restore("tcg", "npt=Y");

	test_each_of (mark, "after-next", "after-all")
		assert_parameters(lab, *mark, "npt=Y");
	lab_assert_line(lab, "between: unloaded");
	lab_assert_line(lab, "An earlier eptlab was killed while KVM was reloaded; restored: ");
	lab_assert_line(lab, "next-status: 0");
	lab_assert_line(lab, "held-status: 2");
	/* By the shell, and not by the processes above eptlab, which inherit it. */
	assert_null(strstr(lab->output, ", eptlab (process"));
	lab_assert_line(lab, "eptlab: L0: KVM is in use by busybox");
	lab_assert_line(lab, "foreign-status: 2");
	lab_assert_line(lab, "eptlab: L0: the module kvm of /job/script/stock has the build-id");
	lab_free(lab);
}
