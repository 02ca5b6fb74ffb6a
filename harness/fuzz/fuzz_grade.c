/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What eptlab grade reads. The parts of the input, with a byte 0x1e (ASCII's record separator)
 * between them: an assignment, the TAP of eptlab conform, and the results.json of a grading that
 * was begun before. The tables of a README are read by eptlab check: fuzz_foreign.
 */
#include "fuzz/check.h"
#include "fuzz/fuzz.h"
#include "fuzz/mutate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <glib/gstdio.h>
#include <libxml/parser.h>

#include "base/each.h"
#include "base/folder.h"
#include "grade/results.h"

#define SEPARATOR 0x1e

static char *folder, *assignment, *results, *junit, *tap;

static void remove_folder(void)
{
	folder_remove(folder);
}

static void ignore_xml(void *context G_GNUC_UNUSED, const char *format G_GNUC_UNUSED, ...)
{
}

int LLVMFuzzerInitialize(int *argc G_GNUC_UNUSED, char ***argv G_GNUC_UNUSED)
{
	folder = g_dir_make_tmp("fuzz-grade-XXXXXX", NULL);
	g_assert_nonnull(folder);
	assignment = g_build_filename(folder, "assignment.conf", NULL);
	results = g_build_filename(folder, "results.json", NULL);
	junit = g_build_filename(folder, "junit.xml", NULL);
	tap = g_build_filename(folder, "marks.tap", NULL);
	xmlSetGenericErrorFunc(NULL, ignore_xml);
	atexit(remove_folder);
	return 0;
}

/* ---- What is accepted is in range ---- */

static void check_settings(const struct grade_settings *settings)
{
	g_assert_true(settings->at_once >= 1 && settings->at_once <= 1024);
	g_assert_true(settings->build_seconds >= 1 && settings->boot_seconds >= 1);
	g_assert_cmpstr(settings->platform, !=, "local");
	g_assert_true(settings->repository == NULL || *settings->repository != '\0');
	g_assert_cmpuint(settings->points->len, >, 0);
	each_value (const struct grade_points, points, settings->points)
		g_assert_true(isfinite(points->points) && points->points >= 0);
}

static void check_tests(const GArray *tests)
{
	each_value (const struct grade_test, test, tests) {
		g_assert_true(test->score >= 0 && test->score <= test->most);
		g_assert_true(test->verdict == GRADE_PASSED	 ? test->score == test->most
			      : test->verdict == GRADE_NOT_TRIED ? test->score == 0
								 : true);
		check_printable(test->name, "");
		check_printable(test->said, "\n");
	}
}

/* ---- What is written says the same, in each form ---- */

static void check_loaded(const struct grade_result *result)
{
	g_autoptr(struct_grade_result) back = grade_result_load(folder, "name", "digest");

	g_assert_nonnull(back);
	g_assert_cmpuint(back->tests->len, ==, result->tests->len);
	for (guint i = 0; i < back->tests->len; i++) {
		const struct grade_test *one = &g_array_index(result->tests, struct grade_test, i);
		const struct grade_test *other = &g_array_index(back->tests, struct grade_test, i);

		g_assert_cmpstr(one->name, ==, other->name);
		g_assert_cmpstr(one->said, ==, other->said);
		g_assert_true(one->verdict == other->verdict);
		/* As many digits as are written. */
		g_assert_true(fabs(one->score - other->score) <= 1e-6 * one->most);
	}
}

static void check_tap(const struct grade_result *result)
{
	g_autoptr(GArray) marks = grade_marks_new();
	g_autofree char *text = NULL;

	g_assert_true(g_file_get_contents(tap, &text, NULL, NULL));
	g_assert_true(grade_marks_parse(marks, text));
	g_assert_cmpuint(marks->len, ==, result->tests->len);
	for (guint i = 0; i < marks->len; i++)
		g_assert_true(g_array_index(marks, struct grade_mark, i).verdict ==
			      g_array_index(result->tests, struct grade_test, i).verdict);
}

static void check_junit(void)
{
	xmlDoc *doc = xmlReadFile(junit, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR);

	g_assert_nonnull(doc);
	xmlFreeDoc(doc);
}

static void check_csv(struct grade_result *result)
{
	g_autoptr(GPtrArray) class = g_ptr_array_new();
	g_autofree char *text = NULL;

	g_ptr_array_add(class, result);
	text = grade_csv(class);
	check_table(text);
}

static void grade(const struct grade_settings *settings, const char *text)
{
	g_autoptr(GArray) marks = grade_marks_new();
	g_autoptr(struct_grade_result) result = grade_result_new("name");

	grade_marks_parse(marks, text);
	each_value (const struct grade_mark, mark, marks) {
		check_printable(mark->name, "");
		check_printable(mark->said, "\n");
	}
	g_free(result->digest);
	result->digest = g_strdup("digest");
	g_array_unref(result->tests);
	result->tests = grade_tests_of(marks, settings);
	g_assert_cmpuint(result->tests->len, ==, settings->points->len);
	check_tests(result->tests);
	g_assert_true(grade_score(result->tests) <= grade_most(result->tests));
	g_assert_true(grade_result_store(result, folder, NULL));
	check_loaded(result);
	check_tap(result);
	check_junit();
	check_csv(result);
}

/* What stands before the next separator, which is taken off with it. */
static const char *next_part(const char **text, size_t *size, size_t *length)
{
	const char *part = *text, *end = memchr(part, SEPARATOR, *size);

	*length = end != NULL ? (size_t)(end - part) : *size;
	*text += *length + (end != NULL);
	*size -= *length + (end != NULL);
	return part;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *part;
	g_autofree char *said = NULL;
	g_autoptr(struct_grade_settings) settings = NULL;
	g_autoptr(struct_grade_result) before = NULL;
	g_autoptr(GError) error = NULL;
	size_t length = 0;

	part = next_part(&text, &size, &length);
	g_assert_true(g_file_set_contents(assignment, part, (gssize)length, NULL));
	part = next_part(&text, &size, &length);
	said = g_strndup(part, length);
	settings = grade_settings_load(assignment, &error);
	check_outcome(settings != NULL, error, EPTLAB_ERROR_USAGE);
	if (settings != NULL) {
		check_settings(settings);
		grade(settings, said);
	}
	g_assert_true(g_file_set_contents(results, text, (gssize)size, NULL));
	before = grade_result_load(folder, "name", NULL);
	if (before != NULL)
		check_csv(before);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	return mutate_values(data, size, max, seed);
}
