/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_REPORT_EXPECTATIONS_H
#define EPTLAB_REPORT_EXPECTATIONS_H

#include <glib.h>

#include "report/compare.h"
#include "record/reasons.h"

/*
 * Nested against shadow paging: is each paging-related reason as it must be? This is for prose in
 * reports; whether counts may be believed is for the rules (rules.h).
 */
enum expectation_verdict {
	EXPECTATION_MET,
	EXPECTATION_NOT_MET,
	EXPECTATION_SILENT,  /* 0 on both sides: this workload has none, which tells nothing */
	EXPECTATION_UNKNOWN, /* it was not read on one side */
};

struct expectation {
	const struct compare_row *row;
	const struct reason_paging *paging;
	enum expectation_verdict verdict;
	const struct compare_side *nested, *shadow; /* of row */
	const char *expected;			    /* "none with shadow paging" */
};

/*
 * One for each paging-related reason, in the comparison's order: an array of struct expectation,
 * which points into the comparison and which the caller owns. NULL if the comparison is not one of
 * nested with shadow paging: one run only, the same paging in both, or not known.
 */
GArray *expectations_of(const struct comparison *comparison);

/* "this is as expected", "this is NOT as expected", ...: for people. */
const char *expectation_verdict_words(enum expectation_verdict verdict);

#endif
