/* SPDX-License-Identifier: GPL-2.0-only */
#include "grade/marks.h"

#include <stdio.h>
#include <string.h>

#include "base/each.h"
#include "record/record.h"
#include "record/words.h"

/* Of one mark; a page of Gradescope has room for no more. */
#define SAID_MAX 4000

static void mark_clear(void *data)
{
	struct grade_mark *mark = data;

	g_free(mark->name);
	g_free(mark->said);
}

static void test_clear(void *data)
{
	struct grade_test *test = data;

	g_free(test->name);
	g_free(test->said);
}

GArray *grade_marks_new(void)
{
	GArray *marks = g_array_new(FALSE, TRUE, sizeof(struct grade_mark));

	g_array_set_clear_func(marks, mark_clear);
	return marks;
}

GArray *grade_tests_new(void)
{
	GArray *tests = g_array_new(FALSE, TRUE, sizeof(struct grade_test));

	g_array_set_clear_func(tests, test_clear);
	return tests;
}

/* Foreign lines, each printable. */
static char *printable_lines(const char *text)
{
	g_autofree char *part = g_strndup(text, SAID_MAX);
	g_auto(GStrv) lines = g_strsplit(g_strchomp(part), "\n", -1);

	for (char **line = lines; *line != NULL; line++) {
		char *clean;

		g_strdelimit(*line, "\t", ' ');
		clean = words_printable(*line);
		g_free(*line);
		*line = clean;
	}
	return g_strjoinv("\n", lines);
}

void grade_mark_add(GArray *marks, const char *name, enum grade_verdict verdict, const char *said)
{
	struct grade_mark mark = {
		.name = words_printable(name),
		.verdict = verdict,
		.said = printable_lines(said != NULL ? said : ""),
	};

	g_array_append_val(marks, mark);
}

/* "not ok 3 - bounds", "ok 4 - sum # SKIP because". False: it is no such line. */
static bool parse_line(GArray *marks, const char *line)
{
	static const char skip[] = " # SKIP ";
	const bool bad = g_str_has_prefix(line, "not ok ");
	const char *name = strstr(line, " - "), *because;
	g_autofree char *clean = NULL;

	if ((!bad && !g_str_has_prefix(line, "ok ")) || name == NULL)
		return false;
	name += strlen(" - ");
	because = strstr(name, skip);
	clean = because != NULL ? g_strndup(name, (gsize)(because - name)) : g_strdup(name);
	grade_mark_add(marks, clean,
		       because != NULL ? GRADE_NOT_TRIED
		       : bad	       ? GRADE_FAILED
				       : GRADE_PASSED,
		       because != NULL ? because + strlen(skip) : NULL);
	return true;
}

/* "  saw: 'it''s'" below the last mark. */
static void parse_field(GArray *marks, const char *line)
{
	static const char *const keys[] = { "saw", "expected", "why" };
	struct grade_mark *last = &g_array_index(marks, struct grade_mark, marks->len - 1);

	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		g_autofree char *begin = g_strdup_printf("  %s: '", keys[i]);
		const char *text = line + strlen(begin);
		g_autofree char *value = NULL;
		g_auto(GStrv) parts = NULL;
		g_autofree char *joined = NULL;
		g_autofree char *more = NULL;
		g_autofree char *said = NULL;

		if (!g_str_has_prefix(line, begin) || !g_str_has_suffix(text, "'"))
			continue;
		value = g_strndup(text, strlen(text) - 1);
		parts = g_strsplit(value, "''", -1);
		joined = g_strjoinv("'", parts);
		more = printable_lines(joined);
		said = g_strdup_printf("%s%s%s: %s", last->said, *last->said != '\0' ? "\n" : "",
				       keys[i], more);
		record_set_string(&last->said, said);
	}
}

bool grade_marks_parse(GArray *marks, const char *tap)
{
	g_auto(GStrv) lines = g_strsplit(tap, "\n", -1);
	unsigned int planned = 0, seen = 0;

	for (char **line = lines; *line != NULL; line++) {
		if (sscanf(*line, "1..%u", &planned) == 1)
			continue;
		if (parse_line(marks, *line))
			seen++;
		else if (seen > 0)
			parse_field(marks, *line);
	}
	return planned > 0 && seen == planned;
}

static void say(GString *said, const struct grade_mark *mark, const char *alone)
{
	static const char *const words[] = {
		[GRADE_PASSED] = "ok",
		[GRADE_FAILED] = "not ok",
		[GRADE_NOT_TRIED] = "not tried",
	};

	if (mark->verdict == GRADE_PASSED && *mark->said == '\0')
		return;
	if (!g_str_equal(mark->name, alone))
		g_string_append_printf(said, "%s: ", mark->name);
	g_string_append_printf(said, "%s%s%s\n", words[mark->verdict],
			       *mark->said != '\0' ? "\n" : "", mark->said);
}

static struct grade_test test_of(const GArray *marks, const struct grade_points *points)
{
	struct grade_test test = {
		.name = words_printable(points->name),
		.most = points->points,
		.verdict = GRADE_NOT_TRIED,
	};
	GString *said = g_string_new(NULL);
	guint passed = 0, failed = 0;

	each_value (const struct grade_mark, mark, marks) {
		if (!grade_points_fit(points, mark->name))
			continue;
		passed += mark->verdict == GRADE_PASSED;
		failed += mark->verdict == GRADE_FAILED;
		say(said, mark, points->name);
	}
	if (passed + failed > 0) {
		test.score = points->points * passed / (passed + failed);
		test.verdict = failed > 0 ? GRADE_FAILED : GRADE_PASSED;
		if (failed > 0 && passed > 0)
			g_string_append_printf(said, "%u of %u are ok\n", passed, passed + failed);
	}
	test.said = g_strchomp(g_string_free(said, FALSE));
	return test;
}

GArray *grade_tests_of(const GArray *marks, const struct grade_settings *settings)
{
	GArray *tests = grade_tests_new();

	each_value (const struct grade_points, points, settings->points) {
		struct grade_test test = test_of(marks, points);

		g_array_append_val(tests, test);
	}
	return tests;
}

double grade_score(const GArray *tests)
{
	double sum = 0;

	each_value (const struct grade_test, test, tests)
		sum += test->score;
	return sum;
}

double grade_most(const GArray *tests)
{
	double sum = 0;

	each_value (const struct grade_test, test, tests)
		sum += test->most;
	return sum;
}
