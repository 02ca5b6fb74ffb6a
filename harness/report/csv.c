/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/report.h"

#include <csv.h>
#include <string.h>

#include "base/each.h"
#include "report/columns.h"
#include "report/put.h"

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

char *report_csv(const struct report *report)
{
	const struct comparison *comparison = report->comparison;
	g_autoptr(GArray) columns = columns_of(comparison, all, G_N_ELEMENTS(all));
	GString *out = g_string_new(NULL);

	for (guint i = 0; i < columns->len; i++)
		put_cell(out, column_heading(comparison, &g_array_index(columns, struct column, i)),
			 i == columns->len - 1);
	each_value (const struct compare_row, row, comparison->rows)
		for (guint i = 0; i < columns->len; i++)
			put_cell(out, column_value(&g_array_index(columns, struct column, i), row),
				 i == columns->len - 1);
	return g_string_free(out, FALSE);
}
