/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_REPORT_GRID_H
#define EPTLAB_REPORT_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <glib.h>

/*
 * Rows of cells as aligned columns of text, each as wide as it must be. What does not fit into the
 * width that there is, is left out: columns that say so, the last ones first.
 */
/* For g_autoptr, which needs a name without a blank: g_autoptr(struct_grid). */
struct grid;
typedef struct grid struct_grid;

struct grid_column {
	const char *heading;
	bool left;     /* aligned to the left; numbers are not */
	bool optional; /* may be left out where there is no room */
	size_t most;   /* characters; a longer cell is cut off and ends in '~'. 0: any */
};

/* count columns; what column points at must outlive the grid. Free with grid_free. */
struct grid *grid_new(const struct grid_column *columns, size_t count);
void grid_free(struct grid *grid);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_grid, grid_free)

/* A row; cells are the columns', and are copied as printable ASCII. */
void grid_add(struct grid *grid, const char *const *cells);

/*
 * A bar at the end of the row that was added last, from 0 to longest: in both as '=', what only the
 * second has as '+', what only the first has as '-'. It takes the room that the columns leave.
 */
void grid_set_bar(struct grid *grid, double first, double second, double longest);

/* Begin a new paragraph (an empty line), or switch to other ANSI escape sequences ("": none). */
void grid_add_gap(struct grid *grid);
void grid_add_escape(struct grid *grid, const char *sequence);

/*
 * Append everything to out, in width characters a line at most if the columns that are not optional
 * fit in that. Where there is room for bars, they stand below bar_heading.
 */
void grid_put(const struct grid *grid, GString *out, size_t width, const char *bar_heading);

#endif
