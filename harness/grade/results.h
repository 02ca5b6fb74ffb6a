/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_GRADE_RESULTS_H
#define EPTLAB_GRADE_RESULTS_H

#include <stdbool.h>
#include <glib.h>

#include "grade/marks.h"

/* What became of one submission. */
struct grade_result {
	char *name;
	char *summary; /* one line */
	char *remarks; /* lines on how it was applied and built; "" is none */
	char *digest;  /* of what it depends on */
	double seconds;
	GArray *tests;
};

struct grade_result *grade_result_new(const char *name);
void grade_result_free(struct grade_result *result);
typedef struct grade_result struct_grade_result;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_grade_result, grade_result_free)

/*
 * results.json as Gradescope's autograders write it, junit.xml, and marks.tap, into a folder;
 * results.json comes last, and whole: where it is, the submission is done. EPTLAB_ERROR_MACHINE.
 */
bool grade_result_store(const struct grade_result *result, const char *folder, GError **error);

/* What is in a folder, if it is done and depends on the same (digest NULL: on whatever); NULL if
 * not. */
struct grade_result *grade_result_load(const char *folder, const char *name, const char *digest);

/* One line for each result: name, score, most, seconds, the score of each test, summary. */
char *grade_csv(const GPtrArray *results);

#endif
