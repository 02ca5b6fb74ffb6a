/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * eptlab conform on real kernels: ours conforms, and of those with one planted fault each is found
 * by name (kernel/faults). With EPT and without, the kernel's own tracepoint compared after each
 * VM.
 */

#include "lab.h"
#include "judge/doses.h"
#include "tests/test.h"

static int make_lab(void **state)
{
	*state = lab_new("bochs");
	return 0;
}

static int remove_lab(void **state)
{
	lab_free(*state);
	return 0;
}

#define TEST_LAB(name) TEST_OF(struct lab *lab, make_lab, remove_lab, name)

/* The names of the marks that are not ok, with a blank after each. */
static char *not_ok(const struct lab *lab)
{
	g_auto(GStrv) lines = g_strsplit(lab->output, "\n", -1);
	GString *names = g_string_new(NULL);

	for (char **line = lines; *line != NULL; line++) {
		const char *name = strstr(*line, " - ");

		if (g_str_has_prefix(*line, "not ok ") && name != NULL)
			g_string_append_printf(names, "%s ", name + strlen(" - "));
	}
	return g_string_free(names, FALSE);
}

static void assert_mark(const struct lab *lab, const char *mark)
{
	g_autofree char *wanted = g_strdup_printf(" - %s\n", mark);
	const char *found = strstr(lab->output, wanted);

	if (found == NULL)
		fail_msg("there is no mark %s without a skip in:\n%s", mark, lab->output);
}

/* There are all marks, but those of a dose that is skipped; "" for none. */
static void assert_all_marks(const struct lab *lab, const char *skipped)
{
	assert_begins(lab->output, "TAP version 14\n1..");
	assert_null(strstr(lab->output, "not ok"));
	for (size_t i = 0; i < doses_count(); i++) {
		const char *dose = doses_at(i)->name;
		g_autofree char *with = g_strdup_printf("dose-%s-ept", dose);
		g_autofree char *without = g_strdup_printf("dose-%s-noept", dose);

		/* These have marks of other names. */
		if (strcmp(dose, "wrmsr-fast") == 0 || strcmp(dose, "abuse") == 0 ||
		    strcmp(dose, "smp") == 0 || strcmp(dose, skipped) == 0)
			continue;
		assert_mark(lab, with);
		assert_mark(lab, without);
	}
	test_each_of (mark, "fast-path-ept", "fast-path-noept", "two-vcpus", "two-vms", "bounds",
		      "witness")
		assert_mark(lab, *mark);
	lab_assert_nothing_left(lab, 0);
}

/* Nothing is skipped: each mark has been earned. */
TEST_LAB(our_kernel_conforms)
{
	lab_run(lab, 0, "conform", NULL);
	assert_null(strstr(lab->output, "# SKIP"));
	assert_all_marks(lab, "");
}

/* What QEMU's CPU does not have: PCIDs, and the reasons of Intel that cannot come. */
TEST_LAB(each_dose_has_a_vm_of_its_own)
{
	lab_run(lab, 0, "conform", "--set", "experiment.platform=tcg", "--set", "conform.each=1",
		NULL);
	assert_says(lab->output,
		    " - dose-cr3-pcid-ept # SKIP this CPU cannot take it: CPUID has no PCID");
	assert_says(lab->output,
		    " - dose-cr3-pcid-noept # SKIP this CPU cannot take it: CPUID has no PCID");
	assert_all_marks(lab, "cr3-pcid");
}

/* Which marks are not ok, of modules of the build folder. */
static char *marks_of(struct lab *lab, const char *folder, const char *runs, const char *ours)
{
	g_autofree char *built = lab_built(folder);
	g_autofree char *modules = g_strconcat("conform.modules=", built, NULL);
	g_autofree char *only = g_strconcat("conform.runs=", runs, NULL);

	lab_run(lab, EPTLAB_ERROR_INVALID, "conform", "--set", modules, "--set", only, "--set",
		ours, NULL);
	lab_assert_nothing_left(lab, 0);
	return not_ok(lab);
}

/* The fault is found, by these marks and no others. */
#define TEST_FAULT(name, fault, runs, marks)                                                       \
	TEST_LAB(name)                                                                             \
	{                                                                                          \
		g_autofree char *found =                                                           \
			marks_of(lab, "kernel/faults/" fault, runs, "conform.ours=1");             \
                                                                                                   \
		assert_string_equal(found, marks);                                                 \
	}

/* A large number is a page fault in L1's kernel, at which the VM dies. */
TEST_FAULT(no_bounds_is_found, "no-bounds", "abuse", "kernel-log bounds ")
TEST_FAULT(global_array_is_found, "global-array", "two-vms", "vcpu-exits statistic two-vms ")
/* The kernel's own counters see what this one does not. */
TEST_FAULT(handler_only_is_found, "handler-only", "ept",
	   "witness witness-end vcpu-exits fast-path-ept ")
/* The reasons that are answered before KVM's table of handlers stay 0: HLT, MSR_WRITE and others.
 */
TEST_FAULT(table_only_is_found, "table-only", "ept",
	   "witness witness-end vcpu-exits dose-hlt-ept dose-wrmsr-ept fast-path-ept ")
/* Two vCPUs at once get wrong answers, too. */
TEST_FAULT(stock_answer_is_found, "stock-answer", "smp", "undefined bounds ")
/* Nor have the kernel's own counters what is left of another VM. */
TEST_FAULT(not_reset_is_found, "not-reset", "two-vms;same-module;vendor-reload",
	   "witness witness-end vcpu-exits statistic fresh-vm fresh-reload ")

/* Without our leaves there is nothing behind the two that are assigned. */
TEST_LAB(stock_kernel_does_not_conform)
{
	g_autofree char *found = marks_of(lab, "kernel/stock", "smp", "conform.ours=0");

	assert_begins(found, "registers undefined ");
}

TEST_LAB(nonsense_is_refused)
{
	lab_run(lab, EPTLAB_ERROR_USAGE, "conform", "--set", "conform.runs=dance", NULL);
	assert_says(lab->errors, "dance");
	lab_run(lab, EPTLAB_ERROR_USAGE, "conform", "--set", "conform.runs=same-module", NULL);
	lab_run(lab, EPTLAB_ERROR_USAGE, "conform", "bzImage", NULL);
	lab_run(lab, EPTLAB_ERROR_MACHINE, "conform", "/nonexistent/bzImage", "/nonexistent", NULL);
	/* It would mark the kernel that this machine runs. */
	lab_run(lab, EPTLAB_ERROR_USAGE, "conform", "--set", "experiment.platform=local", "bzImage",
		"modules", NULL);
	assert_says(lab->errors, "marks the kernel that this machine runs");
	lab_run(lab, EPTLAB_ERROR_USAGE, "run", "--set", "experiment.platform=local", "--set",
		"l1.modules=modules", NULL);
	assert_says(lab->errors, "modules in [l1]");
	lab_assert_nothing_left(lab, 0);
}
