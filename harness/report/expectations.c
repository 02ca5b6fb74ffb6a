/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/expectations.h"
#include "base/each.h"

static const char *const expected_words[] = {
	[REASON_NESTED_ONLY] = "none with shadow paging",
	[REASON_SHADOW_ONLY] = "none with nested paging",
	[REASON_SHADOW_MORE] = "more with shadow paging",
};

static const char *const verdict_words[] = {
	[EXPECTATION_MET] = "this is as expected",
	[EXPECTATION_NOT_MET] = "this is NOT as expected",
	[EXPECTATION_SILENT] = "there is none in either run, which tells nothing",
	[EXPECTATION_UNKNOWN] = "it was not read in both runs",
};

const char *expectation_verdict_words(enum expectation_verdict verdict)
{
	return verdict_words[verdict];
}

static bool is_met(enum reason_where where, uint64_t nested, uint64_t shadow)
{
	switch (where) {
	case REASON_NESTED_ONLY:
		return shadow == 0;
	case REASON_SHADOW_ONLY:
		return nested == 0;
	case REASON_SHADOW_MORE:
		break;
	}
	return shadow > nested;
}

static enum expectation_verdict judge(const struct expectation *expectation)
{
	const struct compare_side *nested = expectation->nested, *shadow = expectation->shadow;

	if (!nested->known || !shadow->known)
		return EXPECTATION_UNKNOWN;
	if (nested->count == 0 && shadow->count == 0)
		return EXPECTATION_SILENT;
	return is_met(expectation->paging->where, nested->count, shadow->count)
		       ? EXPECTATION_MET
		       : EXPECTATION_NOT_MET;
}

GArray *expectations_of(const struct comparison *comparison)
{
	enum record_bool a = record_run_nested(comparison->a);
	enum record_bool b = comparison->b ? record_run_nested(comparison->b) : RECORD_UNKNOWN;
	GArray *expectations;

	if (a == RECORD_UNKNOWN || b == RECORD_UNKNOWN || a == b)
		return NULL;
	expectations = g_array_new(FALSE, FALSE, sizeof(struct expectation));
	each_value (const struct compare_row, row, comparison->rows) {
		struct expectation one = {
			.row = row,
			.paging = reason_paging(record_run_vendor(comparison->a), row->reason),
			.nested = a == RECORD_TRUE ? &row->a : &row->b,
			.shadow = a == RECORD_TRUE ? &row->b : &row->a,
		};

		if (one.paging == NULL)
			continue;
		one.expected = expected_words[one.paging->where];
		one.verdict = judge(&one);
		g_array_append_val(expectations, one);
	}
	return expectations;
}
