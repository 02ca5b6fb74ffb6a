/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_REPORT_OPERATIONS_H
#define EPTLAB_REPORT_OPERATIONS_H

#include <stdbool.h>
#include <glib.h>

#include "record/operations.h"
#include "report/compare.h"
#include "report/screen.h"

/* One operation of L2's Linux in the runs of a comparison. Nothing is owned but cause. */
struct operation_row {
	const char *workload;
	const struct record_operation *a, *b; /* NULL: that run has none, or there is no run */
	struct operation_fit exits[2];	      /* per operation, in a and b */
	struct operation_fit ticks[2];
};

/* Of both runs, in the order of the first: an array of struct operation_row. The caller owns it. */
GArray *operation_rows(const struct comparison *comparison);

/*
 * Are the points on a line, but for the interrupts that come when they come? The number means
 * little where they are not.
 */
bool operation_is_line(const struct record_operation *operation, const struct operation_fit *fit);

/*
 * As all reports for people write it: cells of a table, the headings if row is NULL. In this order:
 * operation, exits of each run, their ratio, ticks of each run, their ratio, what there is more of
 * in the second. The caller frees it with g_strfreev.
 */
#define OPERATION_CELLS 8
char **operation_cells(const struct comparison *comparison, const struct operation_row *row);

/* Exits of one, as they stand in a cell: "61.12", "~61.12", "failed", ""; the caller frees it. */
char *operation_words(const struct record_operation *operation);

/* How to read it: what n was, what "~" means. The caller frees it; NULL if there are none. */
char *operation_notes(const struct comparison *comparison);

/* The table for a terminal, and its notes; nothing if there are none. */
void operations_put(const struct screen *screen, const struct comparison *comparison);

#endif
