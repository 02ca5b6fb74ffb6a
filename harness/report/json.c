/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/report.h"
#include "report/many.h"
#include "report/operations.h"
#include "report/statistics.h"
#include "report/prose.h"
#include "base/each.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static const char *const ratio_kinds[] = {
	[COMPARE_RATIO_KNOWN] = "known",
	[COMPARE_RATIO_NEW] = "new",
	[COMPARE_RATIO_NONE] = "none",
	[COMPARE_RATIO_UNKNOWN] = "unknown",
};

json_t *report_json_text(const char *foreign)
{
	g_autofree char *valid = foreign ? g_utf8_make_valid(foreign, -1) : NULL;

	return valid ? json_string(valid) : json_null();
}

json_t *report_json_number(struct record_u64 number)
{
	return number.known ? record_u64_to_json(number.value) : json_null();
}

static json_t *seconds_or_null(double seconds)
{
	return seconds < 0 ? json_null() : json_real(round(seconds * 1000) / 1000);
}

/* Like record_u64_to_json, with a sign: what jansson's integers cannot hold is a string. */
static json_t *difference_to_json(const struct compare_row *row)
{
	g_autofree char *text = NULL;

	if (row->ratio_kind == COMPARE_RATIO_UNKNOWN)
		return json_null();
	if (row->increased)
		return record_u64_to_json(row->difference);
	if (row->difference <= INT64_MAX)
		return json_integer(-(json_int_t)row->difference);
	text = g_strdup_printf("-%" PRIu64, row->difference);
	return json_string(text);
}

static json_t *side_to_json(const struct compare_side *side)
{
	return json_pack("{s:o, s:o, s:o}", "count",
			 report_json_number((struct record_u64){ side->known, side->count }),
			 "share", side->known ? json_real(side->share) : json_null(), "cycles",
			 report_json_number(side->cycles));
}

/* What a row and the total have in common. */
static json_t *numbers_to_json(const struct compare_row *row, bool two_sides)
{
	if (!two_sides)
		return json_pack("{s:[o]}", "runs", side_to_json(&row->a));
	return json_pack("{s:[o, o], s:o, s:o, s:s}", "runs", side_to_json(&row->a),
			 side_to_json(&row->b), "difference", difference_to_json(row), "ratio",
			 row->ratio_kind == COMPARE_RATIO_KNOWN ? json_real(row->ratio)
								: json_null(),
			 "ratio_kind", ratio_kinds[row->ratio_kind]);
}

static json_t *rows_to_json(const struct comparison *comparison)
{
	json_t *rows = json_array();

	each_value (const struct compare_row, row, comparison->rows) {
		json_t *json =
			json_pack("{s:I, s:o, s:b}", "reason", (json_int_t)row->reason, "name",
				  report_json_text(row->name), "paging", row->paging);

		json_object_update_new(json, numbers_to_json(row, comparison->b != NULL));
		json_array_append_new(rows, json);
	}
	return rows;
}

static json_t *run_to_json(const struct record_run *run, const char *label)
{
	g_autofree char *command = prose_command(run);

	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o}", "label", report_json_text(label),
			 "config", report_json_text(run->config), "verdict",
			 record_verdict_name(run->verdict), "seconds",
			 seconds_or_null(run->seconds), "ticks", report_json_number(run->ticks),
			 "command", report_json_text(command));
}

static json_t *runs_to_json(const struct comparison *comparison)
{
	json_t *json = json_pack("[o]", run_to_json(comparison->a, comparison->label_a));

	if (comparison->b)
		json_array_append_new(json, run_to_json(comparison->b, comparison->label_b));
	return json;
}

/* Those that differ; null if they are not known of two runs. */
static json_t *inputs_to_json(const struct comparison *comparison)
{
	g_autoptr(GArray) differ = comparison_inputs(comparison);
	json_t *json = differ != NULL ? json_array() : json_null();

	each_value (const struct compare_input, one, differ)
		json_array_append_new(json, json_pack("{s:s, s:[s?, s?]}", "name", one->name,
						      "runs", one->a, one->b));
	return json;
}

static json_t *fit_to_json(const struct operation_fit *fit)
{
	return fit->known
		       ? json_pack("{s:f, s:f}", "per_op", fit->per_op, "residual", fit->residual)
		       : json_null();
}

/* In one run; the record has the points. */
static json_t *operation_to_json(const struct record_operation *operation)
{
	const struct operation_fit total = operation_total(operation),
				   ticks = operation_ticks(operation);
	g_autoptr(GArray) reasons = operation_reasons(operation);
	json_t *json = json_object(), *n = json_array(), *exits = json_array();

	for (guint i = 0; i < operation->points->len; i++)
		json_array_append_new(
			n, record_u64_to_json(
				   ((const struct record_point *)operation->points->pdata[i])->n));
	for (guint i = 0; i < reasons->len; i++) {
		const uint32_t reason = g_array_index(reasons, uint32_t, i);
		const struct operation_fit fit = operation_exits(operation, reason);
		json_t *one = json_object();

		json_object_set_new(one, "reason", json_integer(reason));
		json_object_set_new(one, "exits", fit_to_json(&fit));
		json_array_append_new(exits, one);
	}
	json_object_set_new(json, "error", report_json_text(operation->error));
	json_object_set_new(json, "n", n);
	json_object_set_new(json, "exits", fit_to_json(&total));
	json_object_set_new(json, "ticks", fit_to_json(&ticks));
	json_object_set_new(json, "line", json_boolean(operation_is_line(operation, &total)));
	json_object_set_new(json, "by_reason", exits);
	return json;
}

static json_t *operations_to_json(const struct comparison *comparison)
{
	g_autoptr(GArray) rows = operation_rows(comparison);
	json_t *json = json_array();

	for (guint i = 0; i < rows->len; i++) {
		const struct operation_row *row = &g_array_index(rows, struct operation_row, i);
		json_t *one = json_object(), *runs = json_array();

		json_array_append_new(runs, row->a ? operation_to_json(row->a) : json_null());
		if (comparison->b)
			json_array_append_new(runs,
					      row->b ? operation_to_json(row->b) : json_null());
		json_object_set_new(one, "workload", report_json_text(row->workload));
		json_object_set_new(one, "runs", runs);
		json_array_append_new(json, one);
	}
	return json;
}

static json_t *statistics_to_json(const struct comparison *comparison)
{
	const struct report pair = { .comparison = comparison };
	g_autoptr(GPtrArray) runs = many_runs(&pair);
	g_autoptr(GArray) rows = statistic_rows(runs);
	json_t *json = json_array();

	for (guint i = 0; i < rows->len; i++) {
		const struct statistic_row *row = &g_array_index(rows, struct statistic_row, i);
		json_t *values = json_array();

		for (guint run = 0; run < runs->len; run++)
			json_array_append_new(values, report_json_number(row->values[run]));
		json_array_append_new(json, json_pack("{s:s, s:s, s:s, s:o}", "name", row->name,
						      "meaning", row->meaning, "source",
						      row->source, "runs", values));
	}
	return json;
}

static json_t *checks_to_json(const GPtrArray *checks)
{
	json_t *json = json_array();

	each (const struct record_check, check, checks)
		json_array_append_new(json, record_check_to_json(check));
	return json;
}

char *report_json_dump(json_t *json)
{
	char *dump = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	char *text = g_strconcat(dump, "\n", NULL);

	free(dump);
	json_decref(json);
	return text;
}

/* The first run against the third, the fourth...: as at the top, of the two. */
static json_t *further_to_json(const struct report *report)
{
	g_autoptr(GPtrArray) comparisons = many_comparisons(report);
	json_t *further = json_array();

	for (guint i = 1; i < comparisons->len; i++) {
		const struct comparison *one = comparisons->pdata[i];

		json_array_append_new(further,
				      json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "runs",
						runs_to_json(one), "inputs_that_differ",
						inputs_to_json(one), "rows", rows_to_json(one),
						"total", numbers_to_json(&one->total, true),
						"operations", operations_to_json(one), "statistics",
						statistics_to_json(one)));
	}
	return further;
}

char *report_json(const struct report *report)
{
	const struct comparison *comparison = report->comparison;
	json_t *json;

	json = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "verdict",
			 record_verdict_name(report->verdict), "error",
			 report_json_text(report->error), "title", report_json_text(report->title),
			 "seconds", seconds_or_null(report->seconds), "ticks",
			 report_json_number(report->ticks), "runs", runs_to_json(comparison),
			 "inputs_that_differ", inputs_to_json(comparison), "rows",
			 rows_to_json(comparison), "total",
			 numbers_to_json(&comparison->total, comparison->b != NULL), "operations",
			 operations_to_json(comparison), "statistics",
			 statistics_to_json(comparison), "checks", checks_to_json(report->checks));
	if (report->all != NULL)
		json_object_set_new(json, "further", further_to_json(report));
	return report_json_dump(json);
}
