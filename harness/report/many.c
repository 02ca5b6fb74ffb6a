/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/many.h"

#include <inttypes.h>

#include "report/columns.h"
#include "report/operations.h"
#include "base/each.h"

GPtrArray *many_comparisons(const struct report *report)
{
	GPtrArray *all;

	if (report->all == NULL) {
		all = g_ptr_array_new();
		if (report->comparison != NULL)
			g_ptr_array_add(all, (gpointer)report->comparison);
		return all;
	}
	all = g_ptr_array_new_with_free_func((GDestroyNotify)comparison_free);
	for (guint i = 1; i < report->all->len; i++)
		g_ptr_array_add(all, comparison_new(report->all->pdata[0], NULL,
						    report->all->pdata[i], NULL));
	return all;
}

GPtrArray *many_runs(const struct report *report)
{
	GPtrArray *runs = g_ptr_array_new();

	for (guint i = 0; report->all != NULL && i < report->all->len; i++)
		g_ptr_array_add(runs, report->all->pdata[i]);
	if (report->all != NULL || report->comparison == NULL)
		return runs;
	g_ptr_array_add(runs, (gpointer)report->comparison->a);
	if (report->comparison->b != NULL)
		g_ptr_array_add(runs, (gpointer)report->comparison->b);
	return runs;
}

const char *many_label(const GPtrArray *comparisons, guint run)
{
	const struct comparison *one = comparisons->pdata[run > 0 ? run - 1 : 0];

	return run > 0 ? one->label_b : one->label_a;
}

guint many_names(enum many_table table)
{
	static const guint names[] = {
		[MANY_COUNTS] = 2, [MANY_VALUES] = 3, [MANY_EXITS] = 1, [MANY_TICKS] = 1
	};

	return names[table];
}

const char *many_title(enum many_table table)
{
	static const char *const titles[] = {
		[MANY_COUNTS] = "Exits by reason",
		[MANY_VALUES] = "Exits by reason",
		[MANY_EXITS] = "Exits of one operation",
		[MANY_TICKS] = "Ticks of one operation",
	};

	return titles[table];
}

static void add(GPtrArray *cells, char *cell)
{
	g_ptr_array_add(cells, cell);
}

/* Takes cells. */
static void end_row(GPtrArray *rows, GPtrArray *cells)
{
	g_ptr_array_add(cells, NULL);
	g_ptr_array_add(rows, g_ptr_array_free(cells, FALSE));
}

static bool has_cycles(const GPtrArray *comparisons, enum many_table table)
{
	if (table != MANY_COUNTS && table != MANY_VALUES)
		return false;
	each (const struct comparison, one, comparisons)
		if (comparison_has_cycles(one))
			return true;
	return false;
}

static void add_headings(GPtrArray *rows, const GPtrArray *comparisons, enum many_table table)
{
	static const char *const names[][3] = {
		[MANY_COUNTS] = { "", "exit reason" },
		[MANY_VALUES] = { "reason", "name", "paging" },
		[MANY_EXITS] = { "exits of one" },
		[MANY_TICKS] = { "ticks of one" },
	};
	const struct comparison *first = comparisons->pdata[0];
	GPtrArray *cells = g_ptr_array_new();

	for (guint i = 0; i < many_names(table); i++)
		add(cells, g_strdup(names[table][i]));
	add(cells, g_strdup(first->label_a));
	each (const struct comparison, one, comparisons)
		add(cells, g_strdup(one->label_b));
	each (const struct comparison, one, comparisons) {
		if (table == MANY_VALUES)
			add(cells, g_strconcat("difference ", one->label_b, NULL));
		add(cells, table == MANY_VALUES
				   ? g_strconcat("ratio ", one->label_b, NULL)
				   : g_strconcat(one->label_b, "/", one->label_a, NULL));
	}
	if (has_cycles(comparisons, table))
		for (guint i = 0; i <= comparisons->len; i++)
			add(cells, g_strconcat("cycles ", many_label(comparisons, i), NULL));
	end_row(rows, cells);
}

/* ---- Counts ---- */

const struct compare_row *many_find_row(const struct comparison *comparison, uint32_t reason)
{
	each_value (const struct compare_row, row, comparison->rows) {
		if (row->reason == reason)
			return row;
	}
	return NULL;
}

static char *cell_of(const struct comparison *comparison, const struct compare_row *row,
		     enum column_kind kind, bool second, enum many_table table)
{
	const struct column column = { kind, second, "" };

	if (row == NULL)
		return g_strdup(table == MANY_VALUES ? "" : "?");
	return table == MANY_VALUES ? column_value(&column, row)
				    : column_words(comparison, &column, row);
}

/* One of the total is the comparison's own. */
static const struct compare_row *row_of(const struct comparison *comparison,
					const struct compare_row *like, bool total)
{
	return total ? &comparison->total : many_find_row(comparison, like->reason);
}

static void add_counts(GPtrArray *rows, const GPtrArray *comparisons,
		       const struct comparison *about, const struct compare_row *row,
		       enum many_table table)
{
	const bool total = row == &about->total;
	const struct comparison *first = comparisons->pdata[0];
	GPtrArray *cells = g_ptr_array_new();

	for (guint kind = COLUMN_REASON; kind < many_names(table); kind++)
		add(cells, cell_of(about, row, kind, false, table));
	add(cells, cell_of(first, row_of(first, row, total), COLUMN_COUNT, false, table));
	each (const struct comparison, one, comparisons)
		add(cells, cell_of(one, row_of(one, row, total), COLUMN_COUNT, true, table));
	each (const struct comparison, one, comparisons) {
		if (table == MANY_VALUES)
			add(cells,
			    cell_of(one, row_of(one, row, total), COLUMN_DIFFERENCE, true, table));
		add(cells, cell_of(one, row_of(one, row, total), COLUMN_RATIO, true, table));
	}
	for (guint i = 0; has_cycles(comparisons, table) && i <= comparisons->len; i++) {
		const struct comparison *one = comparisons->pdata[i > 0 ? i - 1 : 0];

		add(cells, cell_of(one, row_of(one, row, total), COLUMN_CYCLES, i > 0, table));
	}
	end_row(rows, cells);
}

static bool is_empty(const GPtrArray *comparisons, uint32_t reason)
{
	each (const struct comparison, one, comparisons) {
		const struct compare_row *row = many_find_row(one, reason);

		if (row != NULL && !compare_row_is_empty(row))
			return false;
	}
	return true;
}

/* Those of the first comparison, and then what the others alone have. */
static GPtrArray *all_rows(const GPtrArray *comparisons, bool seen)
{
	g_autoptr(GHashTable) done = g_hash_table_new(NULL, NULL);
	GPtrArray *rows = g_ptr_array_new();

	each (const struct comparison, one, comparisons)
		each_value (struct compare_row, row, one->rows)
			if (g_hash_table_add(done, GUINT_TO_POINTER(row->reason)) &&
			    !(seen && is_empty(comparisons, row->reason)))
				g_ptr_array_add(rows, row);
	return rows;
}

GPtrArray *many_seen_rows(const GPtrArray *comparisons)
{
	return all_rows(comparisons, true);
}

static void add_all_counts(GPtrArray *rows, const GPtrArray *comparisons, enum many_table table)
{
	const struct comparison *first = comparisons->pdata[0];
	g_autoptr(GPtrArray) reasons = all_rows(comparisons, table == MANY_COUNTS);

	each (const struct compare_row, row, reasons)
		add_counts(rows, comparisons, first, row, table);
	if (table == MANY_COUNTS)
		add_counts(rows, comparisons, first, &first->total, table);
}

/* ---- Operations ---- */

/* Cells of operation_cells(): exits or ticks of the first run, of the second, their ratio. */
static char **cells_of(const struct comparison *comparison, const char *workload)
{
	g_autoptr(GArray) all = operation_rows(comparison);

	for (guint i = 0; i < all->len; i++) {
		const struct operation_row *row = &g_array_index(all, struct operation_row, i);

		if (g_str_equal(row->workload, workload))
			return operation_cells(comparison, row);
	}
	return NULL;
}

static void add_operation(GPtrArray *rows, const GPtrArray *comparisons, const char *workload,
			  guint at)
{
	GPtrArray *cells = g_ptr_array_new(), *ratios = g_ptr_array_new();

	add(cells, g_strdup(workload));
	for (guint i = 0; i < comparisons->len; i++) {
		g_auto(GStrv) of = cells_of(comparisons->pdata[i], workload);

		if (i == 0)
			add(cells, g_strdup(of != NULL ? of[at] : ""));
		add(cells, g_strdup(of != NULL ? of[at + 1] : ""));
		add(ratios, g_strdup(of != NULL ? of[at + 2] : ""));
	}
	g_ptr_array_extend_and_steal(cells, ratios);
	end_row(rows, cells);
}

GPtrArray *many_workloads(const GPtrArray *comparisons)
{
	g_autoptr(GHashTable) done = g_hash_table_new(g_str_hash, g_str_equal);
	GPtrArray *names = g_ptr_array_new();

	each (const struct comparison, one, comparisons) {
		g_autoptr(GArray) all = operation_rows(one);

		for (guint i = 0; i < all->len; i++) {
			const char *name = g_array_index(all, struct operation_row, i).workload;

			if (g_hash_table_add(done, (gpointer)name))
				g_ptr_array_add(names, (gpointer)name);
		}
	}
	return names;
}

GPtrArray *many_rows(const struct report *report, enum many_table table)
{
	g_autoptr(GPtrArray) comparisons = many_comparisons(report);
	GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);

	add_headings(rows, comparisons, table);
	if (table == MANY_COUNTS || table == MANY_VALUES) {
		add_all_counts(rows, comparisons, table);
	} else {
		g_autoptr(GPtrArray) workloads = many_workloads(comparisons);

		each (const char, workload, workloads)
			add_operation(rows, comparisons, workload, table == MANY_EXITS ? 1 : 4);
	}
	return rows;
}
