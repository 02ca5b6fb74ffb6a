/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_MERGE_TABLE_H
#define EPTLAB_MERGE_TABLE_H

#include "merge/set.h"

/* Samples that differ in nothing but the repeat, as one number. */
struct merge_cell {
	GPtrArray *samples; /* of struct merge_sample, borrowed */
	/* Measured if one of them at least is: what is not is counted below, and in no number. */
	enum merge_state state;
	double median, least, most;
	guint measured, others; /* samples by whether they are */
	const char *why;	/* of the first that is not measured; NULL: all are */
	bool differ;		/* measured ones were made of different inputs */
};

struct merge_line {
	GPtrArray *values; /* of char *, one for each of the table's axes there; borrowed */
};

struct merge_table {
	const struct merge_set *set;
	GPtrArray *row_axes, *column_axes; /* of char * */
	GPtrArray *rows, *columns;	   /* of struct merge_line */
	struct merge_cell *cells;	   /* by row, then column */
};

typedef struct merge_table struct_merge_table;

/*
 * rows and columns are names of axes, NULL-terminated. Axes that are neither, and in which samples
 * of one cell would differ, become rows as well, but for those in apart (NULL: none): no cell mixes
 * what is not a repeat. A sample that is no measurement and is nowhere on an axis stands in all
 * places of it. set must outlive the table. Free with merge_table_free. EPTLAB_ERROR_USAGE if an
 * axis is none that any sample is on.
 */
struct merge_table *merge_table_new(const struct merge_set *set, char **rows, char **columns,
				    const char *apart, GError **error);
void merge_table_free(struct merge_table *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_merge_table, merge_table_free)

struct merge_cell *merge_table_at(const struct merge_table *table, guint row, guint column);

/* The values of a row or column in one text, "6.12 ept". The caller frees it. */
char *merge_line_words(const struct merge_line *line);

/*
 * Sum up what of samples has that value on that axis (axis NULL: all). cell->samples is new; free
 * it with g_ptr_array_unref.
 */
void merge_cell_fill(struct merge_cell *cell, const GPtrArray *samples, const char *axis,
		     const char *value);

/* The median of one reason over the measured samples of a cell, of which there must be one. */
double merge_cell_reason(const struct merge_cell *cell, const struct merge_reason *reason);

/* "57.12", "57.12 (57.10-57.20)", "invalid", ...: without the number of a note. The caller frees.
 */
char *merge_cell_words(const struct merge_table *table, const struct merge_cell *cell);

/* What is to be said below a table about cells that are not whole. */
struct merge_note {
	enum merge_state state;
	const char *why;
	const char *record; /* the first of them that has one, or NULL */
	guint samples;
	guint number; /* from 1 */
};

/* An array of struct merge_note; free with g_array_unref. */
GArray *merge_notes(const struct merge_table *table);

/* The number of the note on a cell; 0: there is none. */
guint merge_note_of(const GArray *notes, const struct merge_cell *cell);

/* "invalid, 3 times, first in RECORD: why". The caller frees it. */
char *merge_note_words(const struct merge_note *note);

/* How the numbers came about, in sentences. The caller frees it. */
char *merge_table_words(const struct merge_table *table);

#endif
