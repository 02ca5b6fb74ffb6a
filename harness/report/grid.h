/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_REPORT_GRID_H
#define EPTLAB_REPORT_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <glib.h>

/*
 * Rows of cells as aligned columns of text (libsmartcols), each as wide as it must be. What does
 * not fit into the width that there is, is left out: columns that say so, the last ones first.
 */
struct grid;
typedef struct grid struct_grid; /* for g_autoptr, which needs a name without a blank */

struct grid_column {
	const char *heading;
	bool left;     /* aligned to the left; numbers are not */
	bool optional; /* may be left out where there is no room */
	bool bar;      /* the last one, of bars: it takes the room that the others leave */
	size_t most;   /* characters; a longer cell is cut off and ends in '~'. 0: any */
};

/*
 * count columns; what column points at must outlive the grid. Headings are printed if the first
 * column has one. Free with grid_free.
 */
struct grid *grid_new(const struct grid_column *columns, size_t count);
void grid_free(struct grid *grid);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_grid, grid_free)

/* A row; cells are the columns' but for bars, and are copied as printable ASCII. */
void grid_add(struct grid *grid, const char *const *cells);

/*
 * The bar of the row that was added last, from 0 to longest: in both as '=', what only the second
 * has as '+', what only the first has as '-'.
 */
void grid_set_bar(struct grid *grid, double first, double second, double longest);

/* The row that was added last is printed in bold, by ANSI escape sequences. */
void grid_set_bold(struct grid *grid);

/* Begin a new paragraph: an empty line. */
void grid_add_gap(struct grid *grid);

/*
 * Append everything to out, in width characters a line at most if the columns that are not optional
 * fit in that.
 */
void grid_put(struct grid *grid, GString *out, size_t width);

#endif
