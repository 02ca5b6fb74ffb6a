/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_REPORT_COLUMNS_H
#define EPTLAB_REPORT_COLUMNS_H

#include <stdbool.h>
#include <glib.h>

#include "report/compare.h"

/* What a table of counts shows, whatever its format: each format is a list of these. */
enum column_kind {
	COLUMN_REASON,
	COLUMN_NAME,
	COLUMN_PAGING, /* "yes" or "no" */
	COLUMN_COUNT,
	COLUMN_DIFFERENCE,
	COLUMN_RATIO,
	COLUMN_SHARE,
	COLUMN_CYCLES,	 /* only if any were counted */
	COLUMN_CYCLES_OF /* the same for one exit */
};

struct column {
	enum column_kind kind;
	bool second;	     /* of side b */
	const char *heading; /* the run's label follows if the column is of a side */
};

/*
 * Those columns that the comparison has: an array of struct column, which the caller owns. The
 * reason stands in a column before all others if it is one, then the name.
 */
GArray *columns_of(const struct comparison *comparison, const struct column *all, size_t count);

/*
 * Text of a cell; row is the comparison's total or one of its rows. The caller frees it. Names are
 * as foreign as the record.
 */
char *column_heading(const struct comparison *comparison, const struct column *column);

/* For people: "6,184", "-6,184", "new", "79.99%"; "?" or "-" for what is not known. */
char *column_words(const struct comparison *comparison, const struct column *column,
		   const struct compare_row *row);

/* For programs: all digits, and nothing for what is not known. */
char *column_value(const struct column *column, const struct compare_row *row);

/* How many rows are 0 everywhere, which tables leave out. */
guint columns_empty_rows(const struct comparison *comparison);

#endif
