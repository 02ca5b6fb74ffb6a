/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * eptlab grade on a class of six (tests/submissions): a right one, and five with what a teacher
 * meets. In one run that is killed in the middle and started again.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "grade/results.h"
#include "lab.h"
#include "tests/test.h"

#define CLASS "harness/tests/submissions"
#define SIX   6

static int make_lab(void **state)
{
	*state = lab_new(NULL);
	return 0;
}

static int remove_lab(void **state)
{
	lab_free(*state);
	return 0;
}

/* What is worth how much in configs/grade/assignment.conf; -1: whatever. */
struct row {
	const char *name, *summary;
	double applies, clean, builds, registers, undefined, never_enabled, kernel_log, doses, fast,
		two_vcpus, bounds, two_vms, fresh_vm, readme;
};

static const struct row rows[SIX] = {
	{ "does-not-apply", "does not apply", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
	{ "does-not-compile", "does not compile", 5, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
	{ "global-array", "marks are not ok", 5, 5, 10, 5, 10, 5, 5, 20, 5, 5, 10, 0, 0, 0 },
	/* One VM has oopsed the kernel of all. */
	{ "no-bounds", "marks are not ok", 5, 5, 10, -1, 0, -1, 0, 20, 5, -1, 0, 5, 5, 0 },
	{ "panics", "panic", 5, 5, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
	{ "right", "all marks are ok", 5, 5, 10, 5, 10, 5, 5, 20, 5, 5, 10, 5, 5, 5 },
};

static bool is_done(const struct lab *lab, const char *name)
{
	g_autofree char *path = g_strdup_printf("%s/class/%s/results.json", lab->results, name);

	return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* Starts the command, and kills it as soon as one of the class is done. */
static void grade_and_kill(const struct lab *lab)
{
	g_autofree char *program = lab_built("eptlab");
	g_autofree char *out = g_strdup_printf("--out=%s/class", lab->results);
	const char *argv[] = { "env", lab->tag, program, "grade", out, CLASS, NULL };
	g_autoptr(GError) error = NULL;
	unsigned int done = 0;
	int status;
	GPid pid;

	assert_true(g_spawn_async(NULL, (char **)argv, NULL,
				  G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
					  G_SPAWN_STDOUT_TO_DEV_NULL,
				  NULL, NULL, &pid, &error));
	while (done == 0 && waitpid(pid, &status, WNOHANG) == 0) {
		for (unsigned int i = 0; i < SIX; i++)
			done += is_done(lab, rows[i].name);
		g_usleep(20000);
	}
	assert_true(done > 0 && done < SIX);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status));
}

static void assert_points(const struct row *row, const struct grade_result *result)
{
	const double *wanted = &row->applies;

	assert_says(result->summary, row->summary);
	assert_int_equal(result->tests->len, 14);
	for (guint i = 0; i < result->tests->len; i++) {
		const struct grade_test *test = &g_array_index(result->tests, struct grade_test, i);

		if (wanted[i] >= 0 && test->score != wanted[i])
			fail_msg("%s: %s has %g points instead of %g: %s", row->name, test->name,
				 test->score, wanted[i], test->said);
	}
}

TEST_OF(struct lab *lab, make_lab, remove_lab, a_class_gets_the_right_marks)
{
	g_autofree char *out = g_strdup_printf("--out=%s/class", lab->results);
	g_autofree char *tree = lab_built("kernel/grade/6.1/tree.tar");

	if (!g_file_test(tree, G_FILE_TEST_EXISTS)) {
		printf("# a class is skipped: its patches are against Linux 6.1, which is not "
		       "this release's\n");
		skip();
	}
	grade_and_kill(lab);
	lab_run(lab, 0, "grade", out, CLASS, NULL);
	printf("# %s\n", lab->output);
	assert_says(lab->output, "done before");
	for (unsigned int i = 0; i < SIX; i++) {
		g_autofree char *folder =
			g_strdup_printf("%s/class/%s", lab->results, rows[i].name);
		g_autoptr(struct_grade_result) result =
			grade_result_load(folder, rows[i].name, NULL);

		assert_non_null(result);
		assert_points(&rows[i], result);
	}
	lab_shell("test $(wc -l <'%s/class/grades.csv') -eq %d", lab->results, SIX + 1);
	lab_assert_nothing_left(lab, 10);
}

/* As Gradescope runs it, on the cheapest submission; with namespaces or without. */
TEST_OF(struct lab *lab, make_lab, remove_lab, gradescope_gets_its_file)
{
	g_autofree char *tree = lab_built("kernel/grade/6.1/tree.tar");
	g_autofree char *json = g_build_filename(lab->results, "results/results.json", NULL);
	g_autofree char *text = NULL;

	if (!g_file_test(tree, G_FILE_TEST_EXISTS)) {
		printf("# Gradescope is skipped: the patch is against Linux 6.1, which is not this "
		       "release's\n");
		skip();
	}
	lab_shell("mkdir '%s/submission' && cp " CLASS "/does-not-apply/* '%s/submission/' && "
		  "AUTOGRADER='%s' EPTLAB=\"$PWD\" harness/grade/autograder/run_autograder",
		  lab->results, lab->results, lab->results);
	assert_true(g_file_get_contents(json, &text, NULL, NULL));
	assert_says(text, "does not apply");
}
