/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/report.h"
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
	json_t *json = json_object();

	json_object_set_new(json, "count",
			    report_json_number((struct record_u64){ side->known, side->count }));
	json_object_set_new(json, "share", side->known ? json_real(side->share) : json_null());
	json_object_set_new(json, "cycles", report_json_number(side->cycles));
	return json;
}

/* What a row and the total have in common. */
static void set_numbers(json_t *json, const struct compare_row *row, bool two_sides)
{
	json_t *sides = json_array();

	json_array_append_new(sides, side_to_json(&row->a));
	if (two_sides)
		json_array_append_new(sides, side_to_json(&row->b));
	json_object_set_new(json, "runs", sides);
	if (!two_sides)
		return;
	json_object_set_new(json, "difference", difference_to_json(row));
	json_object_set_new(json, "ratio",
			    row->ratio_kind == COMPARE_RATIO_KNOWN ? json_real(row->ratio)
								   : json_null());
	json_object_set_new(json, "ratio_kind", json_string(ratio_kinds[row->ratio_kind]));
}

static json_t *row_to_json(const struct compare_row *row, bool two_sides)
{
	json_t *json = json_object();

	json_object_set_new(json, "reason", json_integer(row->reason));
	json_object_set_new(json, "name", report_json_text(row->name));
	json_object_set_new(json, "paging", json_boolean(row->paging));
	set_numbers(json, row, two_sides);
	return json;
}

static json_t *run_to_json(const struct record_run *run, const char *label)
{
	json_t *json = json_object();

	json_object_set_new(json, "label", report_json_text(label));
	json_object_set_new(json, "config", report_json_text(run->config));
	json_object_set_new(json, "verdict", json_string(record_verdict_name(run->verdict)));
	json_object_set_new(json, "seconds", seconds_or_null(run->seconds));
	json_object_set_new(json, "ticks", report_json_number(run->ticks));
	return json;
}

static json_t *runs_to_json(const struct comparison *comparison)
{
	json_t *json = json_array();

	json_array_append_new(json, run_to_json(comparison->a, comparison->label_a));
	if (comparison->b)
		json_array_append_new(json, run_to_json(comparison->b, comparison->label_b));
	return json;
}

static json_t *rows_to_json(const struct comparison *comparison)
{
	json_t *json = json_array();

	for (guint i = 0; i < comparison->rows->len; i++)
		json_array_append_new(
			json, row_to_json(&g_array_index(comparison->rows, struct compare_row, i),
					  comparison->b != NULL));
	return json;
}

/* Those that differ; null if they are not known of two runs. */
static json_t *inputs_to_json(const struct comparison *comparison)
{
	g_autoptr(GArray) differ = comparison_inputs(comparison);
	json_t *json = json_array();

	if (differ == NULL) {
		json_decref(json);
		return json_null();
	}
	each_value (const struct compare_input, one, differ) {
		json_array_append_new(json, json_pack("{s:s, s:[s?, s?]}", "name", one->name,
						      "runs", one->a, one->b));
	}
	return json;
}

static json_t *checks_to_json(const GPtrArray *checks)
{
	json_t *json = json_array();

	for (guint i = 0; checks && i < checks->len; i++)
		json_array_append_new(json, record_check_to_json(checks->pdata[i]));
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

char *report_json(const struct report *report)
{
	const struct comparison *comparison = report->comparison;
	json_t *json = json_object();
	json_t *total = json_object();

	set_numbers(total, &comparison->total, comparison->b != NULL);
	json_object_set_new(json, "verdict", json_string(record_verdict_name(report->verdict)));
	json_object_set_new(json, "error", report_json_text(report->error));
	json_object_set_new(json, "title", report_json_text(report->title));
	json_object_set_new(json, "seconds", seconds_or_null(report->seconds));
	json_object_set_new(json, "ticks", report_json_number(report->ticks));
	json_object_set_new(json, "runs", runs_to_json(comparison));
	json_object_set_new(json, "inputs_that_differ", inputs_to_json(comparison));
	json_object_set_new(json, "rows", rows_to_json(comparison));
	json_object_set_new(json, "total", total);
	json_object_set_new(json, "checks", checks_to_json(report->checks));
	return report_json_dump(json);
}
