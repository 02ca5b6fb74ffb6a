/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/operations.h"

#include <inttypes.h>
#include <math.h>

#include "record/words.h"
#include "report/grid.h"
#include "base/each.h"

/*
 * Interrupts of L1 and L2 that happen to fall on one side of a latch: each is up to three exits
 * (the interrupt, the window, the timer set again). Beside them a hundredth of what was counted.
 */
#define INTERRUPTS  6
#define ONE_PERCENT 0.01

/* The same in ticks, where they are emulated instructions: an interrupt costs L1 some ten thousand.
 */
#define INTERRUPT_TICKS 60000

/* Of a, of b, or of both. */
static void add_row(GArray *rows, const struct record_operation *a,
		    const struct record_operation *b)
{
	const struct record_operation *const both[] = { a, b };
	struct operation_row row = { .a = a, .b = b };

	for (int i = 0; i < 2; i++) {
		if (both[i] == NULL)
			continue;
		row.workload = both[i]->workload;
		row.exits[i] = operation_total(both[i]);
		row.ticks[i] = operation_ticks(both[i]);
	}
	g_array_append_val(rows, row);
}

GArray *operation_rows(const struct comparison *comparison)
{
	const struct record_run *a = comparison->a, *b = comparison->b;
	GArray *rows = g_array_new(FALSE, FALSE, sizeof(struct operation_row));

	for (guint i = 0; a->operations != NULL && i < a->operations->len; i++) {
		const struct record_operation *one = a->operations->pdata[i];

		add_row(rows, one, b != NULL ? operation_find(b, one->workload) : NULL);
	}
	for (guint i = 0; b != NULL && b->operations != NULL && i < b->operations->len; i++) {
		const struct record_operation *one = b->operations->pdata[i];

		if (operation_find(a, one->workload) == NULL)
			add_row(rows, NULL, one);
	}
	return rows;
}

static double range_of(const struct record_operation *operation)
{
	const GPtrArray *points = operation->points;
	double least = INFINITY, most = 0;

	for (guint i = 0; i < points->len; i++) {
		const double n = (double)((const struct record_point *)points->pdata[i])->n;

		least = fmin(least, n);
		most = fmax(most, n);
	}
	return most - least;
}

static bool is_near(const struct record_operation *operation, const struct operation_fit *fit,
		    double anyhow)
{
	return fit->known &&
	       fit->residual <= anyhow + ONE_PERCENT * fabs(fit->per_op) * range_of(operation);
}

bool operation_is_line(const struct record_operation *operation, const struct operation_fit *fit)
{
	return is_near(operation, fit, INTERRUPTS);
}

/* ---- Words ---- */

/* No count goes down: what is below 0 is as far off as it is. */
static double at_least_0(const struct operation_fit *fit)
{
	return fmax(fit->per_op, 0);
}

static char *number(double value)
{
	return value < 1000 ? words_double("%.2f", value) : words_count((uint64_t)(value + 0.5));
}

/* A number whose points are on no line says so. */
static char *marked(char *text, bool is_line)
{
	g_autofree char *plain = text;

	return is_line ? g_steal_pointer(&plain) : g_strconcat("~", plain, NULL);
}

static char *exits_words(const struct record_operation *operation, const struct operation_fit *fit)
{
	if (operation == NULL)
		return g_strdup("");
	if (operation->error != NULL)
		return g_strdup("failed");
	if (!fit->known)
		return g_strdup("?");
	return marked(number(at_least_0(fit)), operation_is_line(operation, fit));
}

char *operation_words(const struct record_operation *operation)
{
	const struct operation_fit fit = operation != NULL ? operation_total(operation)
							   : (struct operation_fit){ .per_op = 0 };

	return exits_words(operation, &fit);
}

static char *ticks_words(const struct record_operation *operation, const struct operation_fit *fit)
{
	if (!fit->known)
		return g_strdup("");
	return marked(words_count((uint64_t)(at_least_0(fit) + 0.5)),
		      is_near(operation, fit, INTERRUPT_TICKS));
}

/* "-" where both are as good as nothing: a timer's share says nothing about an operation. */
static char *ratio_words(const struct operation_fit fits[2], double least)
{
	const double a = at_least_0(&fits[0]), b = at_least_0(&fits[1]);

	if (!fits[0].known || !fits[1].known)
		return g_strdup("");
	if (a < least && b < least)
		return g_strdup("-");
	return a > 0 ? number(b / a) : g_strdup("new");
}

/* What there is most more of in the second run, by operation. */
static char *cause_words(const struct operation_row *row)
{
	g_autoptr(GArray) reasons = NULL;
	const struct record_exit *found = NULL;
	double most = 0.5;

	if (row->a == NULL || row->b == NULL)
		return g_strdup("");
	reasons = operation_reasons(row->b);
	for (guint i = 0; i < reasons->len; i++) {
		const uint32_t reason = g_array_index(reasons, uint32_t, i);
		const double more = operation_exits(row->b, reason).per_op -
				    operation_exits(row->a, reason).per_op;

		for (guint j = 0; more > most && j < row->b->points->len; j++) {
			const struct record_point *point = row->b->points->pdata[j];
			const struct record_exit *one = record_find_exit(point->exits, reason);

			if (one == NULL)
				continue;
			found = one;
			most = more;
		}
	}
	return found != NULL ? g_strdup_printf("%" PRIu32 " %s", found->reason,
					       found->name != NULL ? found->name : "")
			     : g_strdup("");
}

static char **headings(const struct comparison *comparison)
{
	const bool two = comparison->b != NULL;
	char **cells = g_new0(char *, OPERATION_CELLS + 1);

	cells[0] = g_strdup("one operation");
	cells[1] = g_strdup_printf("exits %s", comparison->label_a);
	cells[2] = two ? g_strdup_printf("%s", comparison->label_b) : g_strdup("");
	cells[3] = g_strdup(two ? "ratio" : "");
	cells[4] = g_strdup_printf("ticks %s", comparison->label_a);
	cells[5] = two ? g_strdup_printf("%s", comparison->label_b) : g_strdup("");
	cells[6] = g_strdup(two ? "ratio" : "");
	cells[7] = g_strdup(two ? "mostly" : "");
	return cells;
}

char **operation_cells(const struct comparison *comparison, const struct operation_row *row)
{
	char **cells;

	if (row == NULL)
		return headings(comparison);
	cells = g_new0(char *, OPERATION_CELLS + 1);
	cells[0] = g_strdup(row->workload);
	cells[1] = exits_words(row->a, &row->exits[0]);
	cells[2] = exits_words(row->b, &row->exits[1]);
	cells[3] = ratio_words(row->exits, 0.5);
	cells[4] = ticks_words(row->a, &row->ticks[0]);
	cells[5] = ticks_words(row->b, &row->ticks[1]);
	cells[6] = ratio_words(row->ticks, 1);
	cells[7] = cause_words(row);
	return cells;
}

static bool has_no_line(const struct comparison *comparison, const GArray *rows)
{
	for (guint i = 0; i < rows->len; i++) {
		g_auto(GStrv) cells =
			operation_cells(comparison, &g_array_index(rows, struct operation_row, i));

		for (char **cell = cells; *cell != NULL; cell++)
			if (**cell == '~')
				return true;
	}
	return false;
}

/* n, 2 n and 3 n: what is done where nobody has asked for other numbers (wire/operations.h). */
static bool has_multiples(const struct record_operation *operation)
{
	const GPtrArray *points = operation != NULL ? operation->points : NULL;
	const uint64_t n = points != NULL && points->len > 0
				   ? ((const struct record_point *)points->pdata[0])->n
				   : 0;

	if (points == NULL || points->len == 0)
		return true;
	for (guint i = 0; i < points->len; i++)
		if (((const struct record_point *)points->pdata[i])->n / (i + 1) != n ||
		    ((const struct record_point *)points->pdata[i])->n % n != 0)
			return false;
	return points->len == 3;
}

char *operation_notes(const struct comparison *comparison)
{
	g_autoptr(GArray) rows = operation_rows(comparison);
	bool multiples = true;

	if (rows->len == 0)
		return NULL;
	each_value (const struct operation_row, row, rows)
		multiples = multiples && has_multiples(row->a) && has_multiples(row->b);
	return g_strdup_printf(
		"Exits and ticks of L2's time-stamp counter for one operation: the slope over "
		"%s, so that what is not the operation falls out.%s",
		multiples ? "n, 2 n and 3 n of them" : "the numbers that were asked for",
		has_no_line(comparison, rows)
			? " ~: the points are on no line, so the slope means little."
			: "");
}

void operations_put(const struct screen *screen, const struct comparison *comparison)
{
	g_autoptr(GArray) rows = operation_rows(comparison);
	g_auto(GStrv) names = operation_cells(comparison, NULL);
	g_autofree char *notes = operation_notes(comparison);
	struct grid_column columns[OPERATION_CELLS];
	g_autoptr(struct_grid) grid = NULL;

	if (rows->len == 0)
		return;
	for (guint i = 0; i < OPERATION_CELLS; i++)
		columns[i] = (struct grid_column){
			.heading = names[i],
			.left = i == 0 || i == OPERATION_CELLS - 1,
			.optional = i == 6,
			.most = 20,
		};
	/* Of one run there is nothing to compare: operation, exits, ticks. */
	if (comparison->b == NULL)
		columns[2] = columns[4];
	grid = grid_new(columns, comparison->b != NULL ? OPERATION_CELLS : 3);
	for (guint i = 0; i < rows->len; i++) {
		g_auto(GStrv) cells =
			operation_cells(comparison, &g_array_index(rows, struct operation_row, i));

		if (comparison->b == NULL) {
			char *swap = cells[2];

			cells[2] = cells[4];
			cells[4] = swap;
		}
		grid_add(grid, (const char *const *)cells);
	}
	grid_put(grid, screen->out, screen->width);
	g_string_append_c(screen->out, '\n');
	screen_paragraph(screen, 0, 0, notes);
	g_string_append_c(screen->out, '\n');
}
