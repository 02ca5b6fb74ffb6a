/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The platform local for real: in the emulators, where L1 is a machine of its own. The script
 * harness/tests/local/run is what happens there.
 */
#include <stdio.h>

#include "lab.h"
#include "tests/test.h"

/* parameters: as the kernel shows them by default. */
static void reload_measure_restore(const char *platform, const char *parameters)
{
	struct lab *lab = lab_new(platform);
	g_autofree char *out = g_build_filename(lab->results, "out", NULL);
	g_autofree char *timeout = g_strconcat(platform, ".timeout_seconds=1", NULL);
	g_autofree char *answers = NULL;
	g_autofree char *folder = NULL;
	static const char *const marks[] = { "before", "after-run", "after-interrupt", "after-next",
					     "after-all" };

	/* QEMU's capabilities, and the image with the probe, which is there when L1 is booted. */
	lab_run(lab, 0, "capabilities", NULL);
	answers = g_strndup(lab->output, strcspn(lab->output, "\n"));
	lab_run(lab, EPTLAB_ERROR_TIMEOUT, "run", "--set", timeout, NULL);
	folder = lab_l1_folder(lab, answers);
	lab_run(lab, 0, "in-l1", folder, out, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(marks); i++) {
		g_autofree char *line = g_strdup_printf("%s: %s", marks[i], parameters);

		lab_assert_line(lab, line);
	}
	lab_assert_line(lab, "run-status: 0");
	lab_assert_line(lab, "VALID: ");
	assert_null(strstr(lab->output, "left behind"));
	lab_assert_line(lab, "witness: armed");
	lab_assert_line(lab, "interrupted-status: 130");
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

TEST(local_on_vmx)
{
	reload_measure_restore("bochs", "ept=Y vpid=Y");
}

TEST(local_on_svm)
{
	reload_measure_restore("tcg", "npt=Y");
}
