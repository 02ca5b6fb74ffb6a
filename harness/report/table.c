/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/table.h"

#include <math.h>
#include <string.h>

#include "record/words.h"
#include "report/columns.h"
#include "report/grid.h"
#include "base/each.h"

#define NAME_WIDTH  20
#define COUNT_WIDTH 13 /* 9,999,999,999; what is longer is rounded */

/* The lists end with bars, which are none of the comparison's columns. */
static const struct column counts[] = {
	{ COLUMN_REASON, false, "" },
	{ COLUMN_NAME, false, "exit reason" },
	{ COLUMN_COUNT, false, "" },
	{ COLUMN_COUNT, true, "" },
	{ COLUMN_DIFFERENCE, false, "difference" },
	{ COLUMN_RATIO, false, "ratio" },
	{ COLUMN_SHARE, false, "% " },
	{ COLUMN_SHARE, true, "% " },
};

static const struct column cycles[] = {
	{ COLUMN_REASON, false, "" }, { COLUMN_NAME, false, "cycles outside" },
	{ COLUMN_CYCLES, false, "" }, { COLUMN_CYCLES_OF, false, "an exit" },
	{ COLUMN_CYCLES, true, "" },  { COLUMN_CYCLES_OF, true, "an exit" },
};

struct table {
	const struct comparison *comparison;
	GArray *columns; /* of struct column */
	struct grid_column *grid_columns;
	char **headings;
	struct grid *grid;
};

static void table_begin(struct table *table, const struct comparison *comparison,
			const struct column *all, size_t count)
{
	GArray *columns = columns_of(comparison, all, count);

	table->comparison = comparison;
	table->columns = columns;
	table->headings = g_new0(char *, columns->len + 1);
	table->grid_columns = g_new0(struct grid_column, columns->len + 1);
	for (guint i = 0; i < columns->len; i++) {
		const struct column *column = &g_array_index(columns, struct column, i);

		table->headings[i] = column_heading(comparison, column);
		table->grid_columns[i] = (struct grid_column){
			.heading = table->headings[i],
			.left = column->kind == COLUMN_NAME,
			.optional = column->kind == COLUMN_SHARE && comparison->b != NULL,
			.most = column->kind <= COLUMN_NAME ? NAME_WIDTH : COUNT_WIDTH,
		};
	}
	table->grid_columns[columns->len] =
		(struct grid_column){ .heading = "log scale", .bar = true };
	table->grid = grid_new(table->grid_columns, columns->len + (all == counts));
}

static void table_end(struct table *table, const struct screen *screen)
{
	grid_put(table->grid, screen->out, screen->width);
	grid_free(table->grid);
	g_free(table->grid_columns);
	g_strfreev(table->headings);
	g_array_unref(table->columns);
}

/* Rounded if it must be; a sign stays. */
static char *format_cell(const struct comparison *comparison, const struct column *column,
			 const struct compare_row *row)
{
	g_autofree char *words = column_words(comparison, column, row);
	g_autofree char *value = NULL;

	if (column->kind <= COLUMN_NAME || strlen(words) <= COUNT_WIDTH)
		return g_steal_pointer(&words);
	value = column_value(column, row);
	return words_double(*words == '+' ? "%+.4e" : "%.4e", g_ascii_strtod(value, NULL));
}

static void add_row(struct table *table, const struct compare_row *row)
{
	g_auto(GStrv) cells = g_new0(char *, table->columns->len + 1);

	for (guint i = 0; i < table->columns->len; i++)
		cells[i] = format_cell(table->comparison,
				       &g_array_index(table->columns, struct column, i), row);
	grid_add(table->grid, (const char *const *)cells);
}

/* On a log scale: exits span from ones to millions. 1 is not 0. */
static double bar_of(const struct compare_side *side)
{
	return side->known && side->count > 0 ? log10((double)side->count) + 0.3 : 0;
}

static double longest_bar(const struct comparison *comparison)
{
	double longest = 0;

	each_value (const struct compare_row, row, comparison->rows) {
		longest = MAX(longest, MAX(bar_of(&row->a), bar_of(&row->b)));
	}
	return longest;
}

/* The rows of one kind. */
static void add_rows(struct table *table, bool paging, bool bold)
{
	const struct comparison *comparison = table->comparison;
	const double longest = longest_bar(comparison);

	each_value (const struct compare_row, row, comparison->rows) {
		if (row->paging != paging || compare_row_is_empty(row))
			continue;
		add_row(table, row);
		grid_set_bar(table->grid, bar_of(&row->a),
			     bar_of(comparison->b != NULL ? &row->b : &row->a), longest);
		if (bold)
			grid_set_bold(table->grid);
	}
}

void table_put(const struct screen *screen, const struct comparison *comparison)
{
	struct table table;

	table_begin(&table, comparison, counts, G_N_ELEMENTS(counts));
	add_rows(&table, true, screen->colour);
	grid_add_gap(table.grid);
	add_rows(&table, false, false);
	grid_add_gap(table.grid);
	add_row(&table, &comparison->total);
	table_end(&table, screen);
}

void table_put_cycles(const struct screen *screen, const struct comparison *comparison)
{
	struct table table;

	if (!comparison_has_cycles(comparison))
		return;
	table_begin(&table, comparison, cycles, G_N_ELEMENTS(cycles));
	each_value (const struct compare_row, row, comparison->rows)
		if (!compare_row_is_empty(row))
			add_row(&table, row);
	g_string_append_c(screen->out, '\n');
	table_end(&table, screen);
}

/* ---- How to read it ---- */

static bool has_new(const struct comparison *comparison)
{
	each_value (const struct compare_row, row, comparison->rows)
		if (row->ratio_kind == COMPARE_RATIO_NEW)
			return true;
	return false;
}

void table_put_notes(const struct screen *screen, const struct comparison *comparison)
{
	const guint left_out = columns_empty_rows(comparison);
	GString *notes = g_string_new("The first rows are the paging-related reasons.");

	if (left_out > 0)
		g_string_append_printf(notes, " Left out: %u reason%s never seen.", left_out,
				       left_out == 1 ? "" : "s");
	if (comparison->b != NULL)
		g_string_append_printf(
			notes, " ratio: %s / %s%s. Bars: = in both, - more in %s, + more in %s.",
			comparison->label_b, comparison->label_a,
			has_new(comparison) ? "; new: there is nothing to divide by" : "",
			comparison->label_a, comparison->label_b);
	screen_paragraph(screen, 0, 0, notes->str);
	g_string_free(notes, TRUE);
}
