/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/report.h"

#include <csv.h>
#include <inttypes.h>
#include <string.h>

#include "base/each.h"
#include "record/words.h"
#include "report/columns.h"
#include "report/many.h"
#include "report/operations.h"
#include "report/put.h"
#include "report/statistics.h"

static const struct column all[] = {
	{ COLUMN_REASON, false, "reason" }, { COLUMN_NAME, false, "name" },
	{ COLUMN_PAGING, false, "paging" }, { COLUMN_COUNT, false, "" },
	{ COLUMN_COUNT, true, "" },	    { COLUMN_DIFFERENCE, false, "difference" },
	{ COLUMN_RATIO, false, "ratio" },   { COLUMN_SHARE, false, "share " },
	{ COLUMN_SHARE, true, "share " },   { COLUMN_CYCLES, false, "cycles " },
	{ COLUMN_CYCLES, true, "cycles " },
};

/* Quoted if it must be, which csv_write() alone does always. */
void csv_put(GString *out, const char *text, bool last)
{
	size_t length = strlen(text);

	if (strpbrk(text, "\",\r\n") != NULL) {
		size_t quoted = csv_write(NULL, 0, text, length);
		size_t at = out->len;

		g_string_set_size(out, at + quoted);
		csv_write(out->str + at, quoted, text, length);
	} else {
		g_string_append(out, text);
	}
	g_string_append(out, last ? "\r\n" : ",");
}

/* Takes text. */
static void put_cell(GString *out, char *text, bool last)
{
	csv_put(out, text, last);
	g_free(text);
}

static char *csv_of_many(const struct report *report)
{
	g_autoptr(GPtrArray) rows = many_rows(report, MANY_VALUES);
	GString *out = g_string_new(NULL);

	for (guint i = 0; i < rows->len; i++)
		for (char **cell = rows->pdata[i]; *cell != NULL; cell++)
			put_cell(out, g_strdup(*cell), cell[1] == NULL);
	return g_string_free(out, FALSE);
}

/* ---- Operations ---- */

/* "4=30;8=60;12=90": what was counted with so many. reason NULL: ticks; *reason OF_ALL: all exits.
 */
#define OF_ALL UINT32_MAX

static char *points_of(const struct record_operation *operation, const uint32_t *reason)
{
	GString *text = g_string_new(NULL);

	each (const struct record_point, point, operation->points) {
		const struct record_u64 sum = exits_sum(point->exits);
		const uint64_t value = reason == NULL	   ? point->ticks
				       : *reason == OF_ALL ? sum.value
							   : exits_count(point->exits, *reason);

		g_string_append_printf(text, "%s%" PRIu64 "=%" PRIu64, text->len > 0 ? ";" : "",
				       point->n, value);
	}
	return g_string_free(text, FALSE);
}

static void put_fit(GString *out, const struct record_run *run,
		    const struct record_operation *operation, const struct operation_fit *fit,
		    const uint32_t *reason)
{
	const bool of_one = reason != NULL && *reason != OF_ALL;

	put_cell(out, g_strdup(operation->workload), false);
	put_cell(out, g_strdup(run->config), false);
	put_cell(out,
		 of_one		  ? g_strdup_printf("%" PRIu32, *reason)
		 : reason != NULL ? g_strdup("exits")
				  : g_strdup("ticks"),
		 false);
	put_cell(out, fit->known ? words_double("%.6f", fit->per_op) : g_strdup(""), false);
	put_cell(out, fit->known ? words_double("%.6f", fit->residual) : g_strdup(""), false);
	put_cell(out, points_of(operation, reason), false);
	put_cell(out, g_strdup(operation->error != NULL ? operation->error : ""), true);
}

static void put_operation(GString *out, const struct record_run *run,
			  const struct record_operation *operation)
{
	const uint32_t all_reasons = OF_ALL;
	const struct operation_fit total = operation_total(operation),
				   ticks = operation_ticks(operation);
	g_autoptr(GArray) reasons = operation_reasons(operation);

	put_fit(out, run, operation, &total, &all_reasons);
	put_fit(out, run, operation, &ticks, NULL);
	for (guint i = 0; i < reasons->len; i++) {
		const uint32_t reason = g_array_index(reasons, uint32_t, i);
		const struct operation_fit fit = operation_exits(operation, reason);

		put_fit(out, run, operation, &fit, &reason);
	}
}

static void put_run(GString *out, const struct record_run *run)
{
	for (guint i = 0; run != NULL && run->operations != NULL && i < run->operations->len; i++)
		put_operation(out, run, run->operations->pdata[i]);
}

char *report_operations_csv(const struct report *report)
{
	GString *out = g_string_new("operation,run,what,per_op,residual,points,error\r\n");

	put_run(out, report->comparison->a);
	put_run(out, report->comparison->b);
	for (guint i = 2; report->all != NULL && i < report->all->len; i++)
		put_run(out, report->all->pdata[i]);
	return g_string_free(out, FALSE);
}

/* ---- KVM's own statistics ---- */

static const GPtrArray *statistics_of(const struct record_run *run, bool of_vcpu)
{
	return of_vcpu ? run->mmu.vcpu : run->mmu.vm;
}

static void put_statistic(GString *out, const GPtrArray *runs, bool of_vcpu, const char *name)
{
	const char *source = NULL;
	const char *meaning = statistic_meaning(name, &source);

	put_cell(out, g_strdup(name), false);
	put_cell(out, g_strdup(of_vcpu ? "vcpu" : "vm"), false);
	each (const struct record_run, run, runs) {
		const struct record_statistic *one =
			record_find_statistic(statistics_of(run, of_vcpu), name);

		put_cell(out, one != NULL ? g_strdup_printf("%" PRIu64, one->value) : g_strdup(""),
			 false);
	}
	put_cell(out, g_strdup(meaning != NULL ? meaning : ""), false);
	put_cell(out, g_strdup(source != NULL ? source : ""), true);
}

/* In KVM's order, what only later runs have behind it. */
static void put_statistics(GString *out, const GPtrArray *runs, bool of_vcpu)
{
	g_autoptr(GHashTable) done = g_hash_table_new(g_str_hash, g_str_equal);

	each (const struct record_run, run, runs) {
		each (const struct record_statistic, one, statistics_of(run, of_vcpu))
			if (g_hash_table_add(done, one->name))
				put_statistic(out, runs, of_vcpu, one->name);
	}
}

char *report_statistics_csv(const struct report *report)
{
	g_autoptr(GPtrArray) runs = many_runs(report);
	g_autoptr(GPtrArray) comparisons = many_comparisons(report);
	GString *out = g_string_new("statistic,of,");

	for (guint i = 0; i < runs->len; i++)
		put_cell(out, g_strdup(many_label(comparisons, i)), false);
	g_string_append(out, "what it counts,where\r\n");
	put_statistics(out, runs, false);
	put_statistics(out, runs, true);
	return g_string_free(out, FALSE);
}

char *report_csv(const struct report *report)
{
	const struct comparison *comparison = report->comparison;
	g_autoptr(GArray) columns = columns_of(comparison, all, G_N_ELEMENTS(all));
	GString *out;

	if (report->all != NULL)
		return csv_of_many(report);
	out = g_string_new(NULL);
	for (guint i = 0; i < columns->len; i++)
		put_cell(out, column_heading(comparison, &g_array_index(columns, struct column, i)),
			 i == columns->len - 1);
	each_value (const struct compare_row, row, comparison->rows)
		for (guint i = 0; i < columns->len; i++)
			put_cell(out, column_value(&g_array_index(columns, struct column, i), row),
				 i == columns->len - 1);
	return g_string_free(out, FALSE);
}
