/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_GRADE_MARKS_H
#define EPTLAB_GRADE_MARKS_H

#include <stdbool.h>
#include <glib.h>

#include "grade/settings.h"

enum grade_verdict {
	GRADE_PASSED,
	GRADE_FAILED,
	GRADE_NOT_TRIED, /* what comes before it has failed, or this CPU cannot do it */
};

/* One thing that was looked at; of conform's, or of grade's own. */
struct grade_mark {
	char *name;
	enum grade_verdict verdict;
	char *said; /* what was seen, expected, why; printable. "" is nothing */
};

/* Points, as they stand in results: one for each of the settings' points. */
struct grade_test {
	char *name;
	enum grade_verdict verdict; /* passed: all of them; failed: one at least */
	double score, most;
	char *said;
};

/* Arrays of these structures, which own what they point to. */
GArray *grade_marks_new(void);
GArray *grade_tests_new(void);

/* said may be any text; NULL is "". */
void grade_mark_add(GArray *marks, const char *name, enum grade_verdict verdict, const char *said);

/* Add what TAP of eptlab conform says. False if it has no plan, or fewer tests than planned. */
bool grade_marks_parse(GArray *marks, const char *tap);

/* Each of the settings' points, with the marks that fit it. What no mark fits is not tried. */
GArray *grade_tests_of(const GArray *marks, const struct grade_settings *settings);

double grade_score(const GArray *tests);
double grade_most(const GArray *tests);

#endif
