/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_REPORT_MANY_H
#define EPTLAB_REPORT_MANY_H

#include "report/report.h"

/* Tables of more than two runs side by side, of which the first is the base: report->all. */
enum many_table {
	MANY_COUNTS, /* by reason, for people: reasons that were never seen are left out */
	MANY_VALUES, /* the same for programs: every reason, all digits, "" for what is not known */
	MANY_EXITS,  /* of one operation */
	MANY_TICKS,
};

/*
 * Rows of cells (char **), the headings first: what the row is about, each run, and what each but
 * the first has against the first. There is one row only if there is nothing to say. The caller
 * owns it.
 */
GPtrArray *many_rows(const struct report *report, enum many_table table);

/* Columns before those of the runs. */
guint many_names(enum many_table table);

/* "Exit reasons", ...: what the rows are. */
const char *many_title(enum many_table table);

/* The base against each of the others: an array of struct comparison, which the caller owns. */
GPtrArray *many_comparisons(const struct report *report);

#endif
