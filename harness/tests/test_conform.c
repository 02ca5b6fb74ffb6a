/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * eptlab conform on real kernels: ours conforms, and of those with one planted fault each is found
 * by name (kernel/faults). Each dose in a VM of its own, with EPT and without, the kernel's own
 * tracepoint compared after each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <glib.h>

#include "lab.h"
#include "judge/doses.h"
#include "base/error.h"

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

/* Nothing is skipped: each mark has been earned. */
static void our_kernel_conforms(void **state)
{
	struct lab *lab = *state;

	lab_run(lab, 0, "conform", "--set", "conform.each=1", NULL);
	assert_true(g_str_has_prefix(lab->output, "TAP version 14\n1.."));
	assert_null(strstr(lab->output, "# SKIP"));
	assert_null(strstr(lab->output, "not ok"));
	for (size_t i = 0; i < doses_count(); i++) {
		const char *dose = doses_at(i)->name;
		g_autofree char *with = g_strdup_printf("dose-%s-ept", dose);
		g_autofree char *without = g_strdup_printf("dose-%s-noept", dose);

		/* These have marks of other names. */
		if (strcmp(dose, "wrmsr-fast") == 0 || strcmp(dose, "abuse") == 0 ||
		    strcmp(dose, "smp") == 0)
			continue;
		assert_mark(lab, with);
		assert_mark(lab, without);
	}
	assert_mark(lab, "fast-path-ept");
	assert_mark(lab, "fast-path-noept");
	assert_mark(lab, "two-vcpus");
	assert_mark(lab, "two-vms");
	assert_mark(lab, "bounds");
	assert_mark(lab, "witness");
	lab_assert_nothing_left(lab, 0);
}

/* The fault is found, by these marks and no others. */
static void finds(struct lab *lab, const char *fault, const char *runs, const char *marks)
{
	g_autofree char *folder = g_build_filename("kernel/faults", fault, NULL);
	g_autofree char *built = lab_built(folder);
	g_autofree char *modules = g_strconcat("conform.modules=", built, NULL);
	g_autofree char *only = g_strconcat("conform.runs=", runs, NULL);
	g_autofree char *found = NULL;

	lab_run(lab, EPTLAB_ERROR_INVALID, "conform", "--set", modules, "--set", only, NULL);
	found = not_ok(lab);
	assert_string_equal(found, marks);
	lab_assert_nothing_left(lab, 0);
}

/* A large number is a page fault in L1's kernel, at which the VM dies. */
static void no_bounds_is_found(void **state)
{
	finds(*state, "no-bounds", "abuse", "kernel-log bounds ");
}

static void global_array_is_found(void **state)
{
	finds(*state, "global-array", "two-vms", "two-vms ");
}

/* The kernel's own counters see what this one does not. */
static void handler_only_is_found(void **state)
{
	finds(*state, "handler-only", "ept", "witness witness-end vcpu-exits fast-path-ept ");
}

/* Two vCPUs at once get wrong answers, too. */
static void stock_answer_is_found(void **state)
{
	finds(*state, "stock-answer", "smp", "undefined bounds ");
}

/* Nor have the kernel's own counters what is left of another VM. */
static void not_reset_is_found(void **state)
{
	finds(*state, "not-reset", "two-vms;same-module;vendor-reload",
	      "witness witness-end vcpu-exits fresh-vm fresh-reload ");
}

/* Without our leaves there is nothing behind the two that are assigned. */
static void stock_kernel_does_not_conform(void **state)
{
	struct lab *lab = *state;
	g_autofree char *built = lab_built("kernel/stock");
	g_autofree char *modules = g_strconcat("conform.modules=", built, NULL);
	g_autofree char *found = NULL;

	lab_run(lab, EPTLAB_ERROR_INVALID, "conform", "--set", modules, "--set", "conform.runs=smp",
		"--set", "conform.ours=0", NULL);
	found = not_ok(lab);
	assert_true(g_str_has_prefix(found, "registers undefined "));
}

static void nonsense_is_refused(void **state)
{
	struct lab *lab = *state;

	lab_run(lab, EPTLAB_ERROR_USAGE, "conform", "--set", "conform.runs=dance", NULL);
	assert_non_null(strstr(lab->errors, "dance"));
	lab_run(lab, EPTLAB_ERROR_USAGE, "conform", "--set", "conform.runs=same-module", NULL);
	lab_run(lab, EPTLAB_ERROR_USAGE, "conform", "bzImage", NULL);
	lab_run(lab, EPTLAB_ERROR_MACHINE, "conform", "/nonexistent/bzImage", "/nonexistent", NULL);
	/* It would mark the kernel that this machine runs. */
	lab_run(lab, EPTLAB_ERROR_USAGE, "conform", "--set", "experiment.platform=local", "bzImage",
		"modules", NULL);
	assert_non_null(strstr(lab->errors, "marks the kernel that this machine runs"));
	lab_run(lab, EPTLAB_ERROR_USAGE, "run", "--set", "experiment.platform=local", "--set",
		"l1.modules=modules", NULL);
	assert_non_null(strstr(lab->errors, "modules in [l1]"));
	lab_assert_nothing_left(lab, 0);
}

#define test(function) cmocka_unit_test_setup_teardown(function, make_lab, remove_lab)

/* An argument is a pattern of the tests to run. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		test(our_kernel_conforms),   test(no_bounds_is_found),
		test(global_array_is_found), test(handler_only_is_found),
		test(stock_answer_is_found), test(not_reset_is_found),
		test(nonsense_is_refused),   test(stock_kernel_does_not_conform),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
