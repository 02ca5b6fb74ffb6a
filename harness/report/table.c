/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/table.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "report/grid.h"
#include "model/words.h"

#define NAME_WIDTH  20
#define COUNT_WIDTH 13 /* 9,999,999,999; what is longer is rounded */

/* With a sign in front ("", "+" or "-"); rounded if it must be. */
static char *format_count(const char *sign, uint64_t value)
{
	g_autofree char *grouped = words_count(value);
	g_autofree char *rounded = NULL;

	if (strlen(sign) + strlen(grouped) <= COUNT_WIDTH)
		return g_strconcat(sign, grouped, NULL);
	rounded = words_double("%.4e", (double)value);
	return g_strconcat(sign, rounded, NULL);
}

static char *format_side(const struct compare_side *side)
{
	return side->known ? format_count("", side->count) : g_strdup("?");
}

static char *format_difference(const struct compare_row *row)
{
	if (row->ratio_kind == COMPARE_RATIO_UNKNOWN)
		return g_strdup("?");
	return format_count(row->difference == 0 ? ""
			    : row->increased	 ? "+"
						 : "-",
			    row->difference);
}

/* On a log scale: exits span from ones to millions. 1 is not 0. */
static double bar_of(const struct compare_side *side)
{
	return side->known && side->count > 0 ? log10((double)side->count) + 0.3 : 0;
}

static double longest_bar(const GArray *rows)
{
	double longest = 0;

	for (guint i = 0; i < rows->len; i++) {
		const struct compare_row *row = &g_array_index(rows, struct compare_row, i);

		longest = MAX(longest, MAX(bar_of(&row->a), bar_of(&row->b)));
	}
	return longest;
}

static void add_row(struct grid *grid, const struct compare_row *row, const char *reason,
		    const char *name, bool two)
{
	g_autofree char *a = format_side(&row->a);
	g_autofree char *b = format_side(&row->b);
	g_autofree char *difference = format_difference(row);
	g_autofree char *ratio = words_ratio(row);
	g_autofree char *share_a = words_share(&row->a);
	g_autofree char *share_b = words_share(&row->b);
	const char *const cells_one[] = { reason, name, a, share_a };
	const char *const cells_two[] = { reason, name, a, b, difference, ratio, share_a, share_b };

	grid_add(grid, two ? cells_two : cells_one);
}

/* The rows of one kind. */
static void add_rows(struct grid *grid, const struct comparison *comparison, bool paging)
{
	const double longest = longest_bar(comparison->rows);

	for (guint i = 0; i < comparison->rows->len; i++) {
		const struct compare_row *row =
			&g_array_index(comparison->rows, struct compare_row, i);
		g_autofree char *reason = g_strdup_printf("%" PRIu32, row->reason);

		if (row->paging != paging || compare_row_is_empty(row))
			continue;
		add_row(grid, row, reason, row->name, comparison->b != NULL);
		grid_set_bar(grid, bar_of(&row->a),
			     comparison->b != NULL ? bar_of(&row->b) : bar_of(&row->a), longest);
	}
}

void table_put(const struct screen *screen, const struct comparison *comparison)
{
	const bool two = comparison->b != NULL;
	g_autofree char *percent_a = g_strconcat("% ", comparison->label_a, NULL);
	g_autofree char *percent_b = two ? g_strconcat("% ", comparison->label_b, NULL) : NULL;
	const struct grid_column one_run[] = {
		{ .heading = "", .most = NAME_WIDTH },
		{ .heading = "exit reason", .left = true, .most = NAME_WIDTH },
		{ .heading = comparison->label_a, .most = COUNT_WIDTH },
		{ .heading = "share" },
	};
	const struct grid_column two_runs[] = {
		{ .heading = "", .most = NAME_WIDTH },
		{ .heading = "exit reason", .left = true, .most = NAME_WIDTH },
		{ .heading = comparison->label_a, .most = COUNT_WIDTH },
		{ .heading = comparison->label_b, .most = COUNT_WIDTH },
		{ .heading = "difference" },
		{ .heading = "ratio" },
		{ .heading = percent_a, .optional = true, .most = COUNT_WIDTH },
		{ .heading = percent_b, .optional = true, .most = COUNT_WIDTH },
	};
	g_autoptr(struct_grid) grid = two ? grid_new(two_runs, G_N_ELEMENTS(two_runs))
					  : grid_new(one_run, G_N_ELEMENTS(one_run));

	grid_add_escape(grid, screen->colour ? SCREEN_BOLD : "");
	add_rows(grid, comparison, true);
	grid_add_escape(grid, screen->colour ? SCREEN_PLAIN : "");
	grid_add_gap(grid);
	add_rows(grid, comparison, false);
	grid_add_gap(grid);
	add_row(grid, &comparison->total, "", "total", two);
	grid_put(grid, screen->out, screen->width, "log scale");
}

/* ---- Cycles ---- */

static char *format_cycles(const struct compare_side *side)
{
	return side->cycles.known ? format_count("", side->cycles.value) : g_strdup("-");
}

static char *format_each(const struct compare_side *side)
{
	if (!side->cycles.known || !side->known || side->count == 0)
		return g_strdup("-");
	return words_count(side->cycles.value / side->count);
}

void table_put_cycles(const struct screen *screen, const struct comparison *comparison)
{
	const struct grid_column columns[] = {
		{ .heading = "", .most = NAME_WIDTH },
		{ .heading = "cycles outside", .left = true, .most = NAME_WIDTH },
		{ .heading = comparison->label_a, .most = COUNT_WIDTH },
		{ .heading = "an exit" },
		{ .heading = comparison->label_b, .most = COUNT_WIDTH },
		{ .heading = "an exit" },
	};
	g_autoptr(struct_grid) grid = grid_new(columns, comparison->b != NULL ? 6 : 4);

	if (!comparison_has_cycles(comparison))
		return;
	for (guint i = 0; i < comparison->rows->len; i++) {
		const struct compare_row *row =
			&g_array_index(comparison->rows, struct compare_row, i);
		g_autofree char *reason = g_strdup_printf("%" PRIu32, row->reason);
		g_autofree char *a = format_cycles(&row->a);
		g_autofree char *each_a = format_each(&row->a);
		g_autofree char *b = format_cycles(&row->b);
		g_autofree char *each_b = format_each(&row->b);
		const char *const cells[] = { reason, row->name, a, each_a, b, each_b };

		if (!compare_row_is_empty(row))
			grid_add(grid, cells);
	}
	g_string_append_c(screen->out, '\n');
	grid_put(grid, screen->out, screen->width, NULL);
}

/* ---- How to read it ---- */

static bool has_new(const GArray *rows)
{
	for (guint i = 0; i < rows->len; i++)
		if (g_array_index(rows, struct compare_row, i).ratio_kind == COMPARE_RATIO_NEW)
			return true;
	return false;
}

static guint empty_rows(const GArray *rows)
{
	guint empty = 0;

	for (guint i = 0; i < rows->len; i++)
		empty += compare_row_is_empty(&g_array_index(rows, struct compare_row, i));
	return empty;
}

void table_put_notes(const struct screen *screen, const struct comparison *comparison)
{
	const guint left_out = empty_rows(comparison->rows);
	GString *notes = g_string_new("The first rows are the paging-related reasons.");

	if (left_out > 0)
		g_string_append_printf(notes, " Left out: %u reason%s never seen.", left_out,
				       left_out == 1 ? "" : "s");
	if (comparison->b != NULL)
		g_string_append_printf(
			notes, " ratio: %s / %s%s. Bars: = in both, - more in %s, + more in %s.",
			comparison->label_b, comparison->label_a,
			has_new(comparison->rows) ? "; new: there is nothing to divide by" : "",
			comparison->label_a, comparison->label_b);
	screen_paragraph(screen, 0, 0, notes->str);
	g_string_free(notes, TRUE);
}
