/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/grid.h"

#include <stdlib.h>
#include <string.h>
#include <libsmartcols.h>

#include "record/words.h"
#include "report/screen.h"

/* A bar that is shorter says nothing, a longer one does not say more. */
#define BAR_LEAST 10
#define BAR_MOST  48

struct row {
	double first, second, longest; /* of the bar; longest 0: none */
	bool bold;
};

struct grid {
	const struct grid_column *columns;
	size_t count;
	struct libscols_table *table;
	GArray *rows; /* of struct row: what smartcols does not know */
};

/* At most width characters; '~' says that there were more. */
static char *shortened(const char *foreign, size_t width)
{
	char *text = words_printable(foreign);

	if (width > 0 && strlen(text) > width) {
		text[width - 1] = '~';
		text[width] = '\0';
	}
	return text;
}

struct grid *grid_new(const struct grid_column *columns, size_t count)
{
	struct grid *grid = g_new0(struct grid, 1);

	grid->columns = columns;
	grid->count = count;
	grid->table = scols_new_table();
	grid->rows = g_array_new(FALSE, TRUE, sizeof(struct row));
	/* The terminal's width is what the caller says; smartcols would cut cells, not columns. */
	scols_table_set_termforce(grid->table, SCOLS_TERMFORCE_NEVER);
	scols_table_enable_noheadings(grid->table, columns[0].heading == NULL);
	for (size_t i = 0; i < count; i++) {
		g_autofree char *heading = shortened(columns[i].heading, columns[i].most);

		scols_table_new_column(grid->table, heading, 0,
				       columns[i].left || columns[i].bar ? 0 : SCOLS_FL_RIGHT);
	}
	return grid;
}

void grid_free(struct grid *grid)
{
	if (grid == NULL)
		return;
	scols_unref_table(grid->table);
	g_array_unref(grid->rows);
	g_free(grid);
}

void grid_add_gap(struct grid *grid)
{
	scols_table_new_line(grid->table, NULL);
	g_array_set_size(grid->rows, grid->rows->len + 1);
}

static struct row *last_row(struct grid *grid)
{
	return &g_array_index(grid->rows, struct row, grid->rows->len - 1);
}

void grid_add(struct grid *grid, const char *const *cells)
{
	grid_add_gap(grid);
	for (size_t i = 0; i < grid->count && !grid->columns[i].bar; i++) {
		g_autofree char *cell = shortened(cells[i], grid->columns[i].most);

		scols_line_set_data(scols_table_get_line(grid->table, grid->rows->len - 1), i,
				    cell);
	}
}

void grid_set_bar(struct grid *grid, double first, double second, double longest)
{
	struct row *row = last_row(grid);

	row->first = first;
	row->second = second;
	row->longest = longest;
}

void grid_set_bold(struct grid *grid)
{
	last_row(grid)->bold = true;
}

/* ---- Width ---- */

/* The lines without blanks at their ends; *width: of the longest one, as smartcols made it. */
static char **lines_of(struct grid *grid, size_t *width)
{
	char *text = NULL;
	char **lines;

	scols_print_table_to_string(grid->table, &text);
	lines = g_strsplit(text != NULL ? text : "", "\n", -1);
	free(text);
	*width = 0;
	for (char **line = lines; *line != NULL; line++) {
		*width = MAX(*width, strlen(*line));
		g_strchomp(*line);
	}
	return lines;
}

static void show(struct grid *grid, size_t column, bool shown)
{
	struct libscols_column *one = scols_table_get_column(grid->table, column);
	int flags = scols_column_get_flags(one);

	scols_column_set_flags(one, shown ? flags & ~SCOLS_FL_HIDDEN : flags | SCOLS_FL_HIDDEN);
}

static size_t width_of(struct grid *grid)
{
	size_t width;

	g_strfreev(lines_of(grid, &width));
	return width;
}

/* ---- Bars ---- */

/* What is not 0 is seen. */
static size_t bar_length(double value, double longest, size_t width)
{
	size_t length = value > 0 ? (size_t)(value / longest * (double)width + 0.5) : 0;

	return value > 0 ? CLAMP(length, 1, width) : 0;
}

static void set_bars(struct grid *grid, size_t column, size_t width)
{
	for (guint i = 0; i < grid->rows->len; i++) {
		const struct row *row = &g_array_index(grid->rows, struct row, i);
		size_t first = bar_length(row->first, row->longest, width);
		size_t second = bar_length(row->second, row->longest, width);
		g_autofree char *both = g_strnfill(MIN(first, second), '=');
		g_autofree char *more = g_strnfill(MAX(first, second) - MIN(first, second),
						   first > second ? '-' : '+');
		g_autofree char *bar = g_strconcat(both, more, NULL);

		scols_line_set_data(scols_table_get_line(grid->table, i), column, bar);
	}
}

/* Leaves out what does not fit; bars are made for what is left. */
static void fit(struct grid *grid, size_t width)
{
	const bool bars = grid->columns[grid->count - 1].bar;
	const size_t columns = grid->count - bars;
	size_t taken;

	if (bars)
		show(grid, columns, false);
	for (size_t i = columns; i > 0 && width_of(grid) > width; i--)
		if (grid->columns[i - 1].optional)
			show(grid, i - 1, false);
	taken = width_of(grid) + 1;
	if (bars && width >= taken + BAR_LEAST) {
		set_bars(grid, columns, MIN(width - taken, BAR_MOST));
		show(grid, columns, true);
	}
}

void grid_put(struct grid *grid, GString *out, size_t width)
{
	const guint headings = grid->columns[0].heading != NULL ? 1 : 0;
	g_auto(GStrv) lines = NULL;
	size_t made;

	for (size_t i = 0; i < grid->count; i++)
		show(grid, i, true);
	fit(grid, width);
	lines = lines_of(grid, &made);
	for (guint i = 0; i < grid->rows->len + headings && lines[i] != NULL; i++) {
		bool bold =
			i >= headings && g_array_index(grid->rows, struct row, i - headings).bold;

		g_string_append_printf(out, "%s%s%s\n", bold ? SCREEN_BOLD : "", lines[i],
				       bold ? SCREEN_PLAIN : "");
	}
}
