/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/compare.h"

#include <string.h>

#include "record/reasons.h"
#include "record/words.h"
#include "base/each.h"

static void set_side(struct compare_side *side, bool known, uint64_t count,
		     const struct record_run *run)
{
	const bool has_total = run && run->total.known && run->total.value > 0;

	side->known = known;
	side->count = known ? count : 0;
	side->share = has_total ? (double)side->count / (double)run->total.value : 0;
}

static void set_difference(struct compare_row *row)
{
	const uint64_t a = row->a.count, b = row->b.count;

	if (!row->a.known || !row->b.known) {
		row->ratio_kind = COMPARE_RATIO_UNKNOWN;
		return;
	}
	row->increased = b > a;
	row->difference = b > a ? b - a : a - b;
	if (a > 0) {
		row->ratio_kind = COMPARE_RATIO_KNOWN;
		row->ratio = (double)b / (double)a;
	} else {
		row->ratio_kind = b > 0 ? COMPARE_RATIO_NEW : COMPARE_RATIO_NONE;
	}
}

static void add_row(struct comparison *comparison, uint32_t reason)
{
	const struct record_exit *a = record_find_exit(comparison->a->exits, reason);
	const struct record_exit *b =
		comparison->b ? record_find_exit(comparison->b->exits, reason) : NULL;
	struct compare_row row = {
		.reason = reason,
		.name = a && a->name ? a->name
			: b	     ? b->name
				     : NULL,
		.paging = reason_paging(record_run_vendor(comparison->a), reason) != NULL,
	};

	set_side(&row.a, a != NULL, a ? a->count : 0, comparison->a);
	set_side(&row.b, b != NULL, b ? b->count : 0, comparison->b);
	row.a.cycles = a ? a->cycles : (struct record_u64){ .known = false };
	row.b.cycles = b ? b->cycles : (struct record_u64){ .known = false };
	set_difference(&row);
	g_array_append_val(comparison->rows, row);
}

static void add_reasons(GArray *reasons, const struct record_run *run)
{
	for (guint i = 0; run && run->exits && i < run->exits->len; i++) {
		const struct record_exit *one = run->exits->pdata[i];

		g_array_append_val(reasons, one->reason);
	}
}

/* Paging-related reasons first, then by number. */
static int order_reasons(gconstpointer left, gconstpointer right, gpointer run)
{
	const uint32_t vendor = record_run_vendor(run);
	const uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	const bool a_paging = reason_paging(vendor, a) != NULL;
	const bool b_paging = reason_paging(vendor, b) != NULL;

	if (a_paging != b_paging)
		return a_paging ? -1 : 1;
	return (a > b) - (a < b);
}

static void add_rows(struct comparison *comparison)
{
	g_autoptr(GArray) reasons = record_reasons_new();

	add_reasons(reasons, comparison->a);
	add_reasons(reasons, comparison->b);
	g_array_sort_with_data(reasons, order_reasons, (gpointer)comparison->a);
	for (guint i = 0; i < reasons->len; i++) {
		uint32_t reason = g_array_index(reasons, uint32_t, i);

		if (i == 0 || reason != g_array_index(reasons, uint32_t, i - 1))
			add_row(comparison, reason);
	}
}

static const char *find_input(const GPtrArray *inputs, const char *name)
{
	each (const struct record_input, input, inputs) {
		if (strcmp(input->name, name) == 0)
			return input->sha256;
	}
	return NULL;
}

static void add_input(GArray *differ, const char *name, const char *a, const char *b)
{
	const struct compare_input input = { name, a, b };

	if (strcmp(name, RECORD_INPUTS_ALL) != 0 && g_strcmp0(a, b) != 0)
		g_array_append_val(differ, input);
}

GArray *comparison_inputs(const struct comparison *comparison)
{
	const GPtrArray *a = comparison->a->inputs;
	const GPtrArray *b = comparison->b ? comparison->b->inputs : NULL;
	GArray *differ;

	if (!a || !b)
		return NULL;
	differ = g_array_new(FALSE, FALSE, sizeof(struct compare_input));
	each (const struct record_input, input, a) {
		add_input(differ, input->name, input->sha256, find_input(b, input->name));
	}
	each (const struct record_input, input, b) {
		if (!find_input(a, input->name))
			add_input(differ, input->name, NULL, input->sha256);
	}
	return differ;
}

bool comparison_has_cycles(const struct comparison *comparison)
{
	each_value (const struct compare_row, row, comparison->rows) {
		if (row->a.cycles.known || row->b.cycles.known)
			return true;
	}
	return false;
}

static void set_total(struct compare_side *side, const struct record_run *run)
{
	set_side(side, run && run->total.known, run ? run->total.value : 0, run);
}

struct comparison *comparison_new(const struct record_run *a, const char *label_a,
				  const struct record_run *b, const char *label_b)
{
	struct comparison *comparison = g_new0(struct comparison, 1);

	comparison->a = a;
	comparison->b = b;
	comparison->label_a = g_strdup(label_a ? label_a : a->config);
	if (b)
		comparison->label_b = g_strdup(label_b ? label_b : b->config);
	comparison->rows = g_array_new(FALSE, FALSE, sizeof(struct compare_row));
	add_rows(comparison);
	set_total(&comparison->total.a, a);
	set_total(&comparison->total.b, b);
	set_difference(&comparison->total);
	return comparison;
}

void comparison_free(struct comparison *comparison)
{
	if (!comparison)
		return;
	g_free(comparison->label_a);
	g_free(comparison->label_b);
	g_array_unref(comparison->rows);
	g_free(comparison);
}

bool compare_row_is_empty(const struct compare_row *row)
{
	return row->a.count == 0 && row->b.count == 0;
}

/* ---- As all reports for people write it ---- */

char *compare_side_words(const struct compare_side *side)
{
	return side->known ? words_count(side->count) : g_strdup("?");
}

char *compare_difference_words(const struct compare_row *row)
{
	g_autofree char *count = words_count(row->difference);

	if (row->ratio_kind == COMPARE_RATIO_UNKNOWN)
		return g_strdup("?");
	return g_strconcat(row->difference == 0 ? "" : row->increased ? "+" : "-", count, NULL);
}

char *compare_ratio_words(const struct compare_row *row)
{
	switch (row->ratio_kind) {
	case COMPARE_RATIO_KNOWN:
		/* 0.00 is for what has become 0. */
		if (row->ratio > 0 && row->ratio < 0.005)
			return g_strdup("<0.01");
		return words_double(row->ratio < 100000 ? "%.2f" : "%.2e", row->ratio);
	case COMPARE_RATIO_NEW:
		return g_strdup("new");
	case COMPARE_RATIO_NONE:
		return g_strdup("-");
	case COMPARE_RATIO_UNKNOWN:
		break;
	}
	return g_strdup("?");
}

char *compare_share_words(const struct compare_side *side)
{
	g_autofree char *percent = words_double("%.2f", side->share * 100);

	return side->known ? g_strconcat(percent, "%", NULL) : g_strdup("?");
}
