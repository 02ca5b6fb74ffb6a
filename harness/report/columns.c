/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/columns.h"

#include <inttypes.h>

#include "record/words.h"
#include "base/each.h"

GArray *columns_of(const struct comparison *comparison, const struct column *all, size_t count)
{
	const bool cycles = comparison_has_cycles(comparison);
	GArray *columns = g_array_new(FALSE, FALSE, sizeof(struct column));

	for (size_t i = 0; i < count; i++) {
		enum column_kind kind = all[i].kind;
		bool of_two = all[i].second || kind == COLUMN_DIFFERENCE || kind == COLUMN_RATIO;

		if ((of_two && comparison->b == NULL) || (kind >= COLUMN_CYCLES && !cycles))
			continue;
		g_array_append_val(columns, all[i]);
	}
	return columns;
}

char *column_heading(const struct comparison *comparison, const struct column *column)
{
	switch (column->kind) {
	case COLUMN_COUNT:
	case COLUMN_SHARE:
	case COLUMN_CYCLES:
		return g_strconcat(column->heading,
				   column->second ? comparison->label_b : comparison->label_a,
				   NULL);
	case COLUMN_REASON:
	case COLUMN_NAME:
	case COLUMN_PAGING:
	case COLUMN_DIFFERENCE:
	case COLUMN_RATIO:
	case COLUMN_CYCLES_OF:
		break;
	}
	return g_strdup(column->heading);
}

static const struct compare_side *side_of(const struct column *column,
					  const struct compare_row *row)
{
	return column->second ? &row->b : &row->a;
}

static bool has_cycles_of(const struct compare_side *side)
{
	return side->cycles.known && side->known && side->count > 0;
}

char *column_words(const struct comparison *comparison, const struct column *column,
		   const struct compare_row *row)
{
	const struct compare_side *side = side_of(column, row);
	const bool is_total = row == &comparison->total;

	switch (column->kind) {
	case COLUMN_NAME:
		return g_strdup(is_total ? "total" : row->name != NULL ? row->name : "");
	case COLUMN_COUNT:
		return compare_side_words(side);
	case COLUMN_DIFFERENCE:
		return compare_difference_words(row);
	case COLUMN_RATIO:
		return compare_ratio_words(row);
	case COLUMN_SHARE:
		return compare_share_words(side);
	case COLUMN_CYCLES:
		return is_total		    ? g_strdup("")
		       : side->cycles.known ? words_count(side->cycles.value)
					    : g_strdup("-");
	case COLUMN_CYCLES_OF:
		return has_cycles_of(side) ? words_count(side->cycles.value / side->count)
					   : g_strdup("-");
	case COLUMN_REASON:
	case COLUMN_PAGING:
		break;
	}
	return is_total ? g_strdup("") : column_value(column, row);
}

static char *number(bool known, const char *sign, uint64_t value)
{
	return known ? g_strdup_printf("%s%" PRIu64, sign, value) : g_strdup("");
}

char *column_value(const struct column *column, const struct compare_row *row)
{
	const struct compare_side *side = side_of(column, row);

	switch (column->kind) {
	case COLUMN_REASON:
		return number(true, "", row->reason);
	case COLUMN_NAME:
		return g_strdup(row->name != NULL ? row->name : "");
	case COLUMN_PAGING:
		return g_strdup(row->paging ? "yes" : "no");
	case COLUMN_COUNT:
		return number(side->known, "", side->count);
	case COLUMN_DIFFERENCE:
		return number(row->ratio_kind != COMPARE_RATIO_UNKNOWN,
			      row->increased || row->difference == 0 ? "" : "-", row->difference);
	case COLUMN_RATIO:
		return row->ratio_kind == COMPARE_RATIO_KNOWN ? words_double("%.6f", row->ratio)
							      : g_strdup("");
	case COLUMN_SHARE:
		return side->known ? words_double("%.6f", side->share) : g_strdup("");
	case COLUMN_CYCLES:
		return number(side->cycles.known, "", side->cycles.value);
	case COLUMN_CYCLES_OF:
		break;
	}
	return number(has_cycles_of(side), "",
		      has_cycles_of(side) ? side->cycles.value / side->count : 0);
}

guint columns_empty_rows(const struct comparison *comparison)
{
	guint empty = 0;

	each_value (const struct compare_row, row, comparison->rows)
		empty += compare_row_is_empty(row);
	return empty;
}
