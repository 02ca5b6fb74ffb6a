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

/*
 * The base against each of the others: an array of struct comparison, which the caller owns. With
 * one run or two it is the report's own comparison.
 */
GPtrArray *many_comparisons(const struct report *report);

/* The row of a reason, or NULL. */
const struct compare_row *many_find_row(const struct comparison *comparison, uint32_t reason);

/*
 * Reasons that a run has seen at least, those of the first comparison first: an array of struct
 * compare_row, which the caller owns and they not. Only reason, name and paging are of all runs.
 */
GPtrArray *many_seen_rows(const GPtrArray *comparisons);

/* Operations that a run has at least, by name, those of the first comparison first: the same. */
GPtrArray *many_workloads(const GPtrArray *comparisons);

/* All runs of a report: an array of struct record_run, which the caller owns and they not. */
GPtrArray *many_runs(const struct report *report);

/* The heading of a run, by its place among them. Borrowed from comparisons. */
const char *many_label(const GPtrArray *comparisons, guint run);

#endif
