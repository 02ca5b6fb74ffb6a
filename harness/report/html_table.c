/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>

#include "report/columns.h"
#include "report/html_parts.h"
#include "base/each.h"

static const struct column all[] = {
	{ COLUMN_REASON, false, "No." },
	{ COLUMN_NAME, false, "Exit reason" },
	{ COLUMN_COUNT, false, "" },
	{ COLUMN_COUNT, true, "" },
	{ COLUMN_DIFFERENCE, false, "Difference" },
	{ COLUMN_RATIO, false, "Ratio" },
	{ COLUMN_SHARE, false, "Share of " },
	{ COLUMN_SHARE, true, "Share of " },
	{ COLUMN_CYCLES, false, "Cycles " },
	{ COLUMN_CYCLES, true, "Cycles " },
};

struct table {
	const struct comparison *comparison;
	GArray *columns;
};

static void add_headings(xmlNode *table_node, const struct table *table)
{
	xmlNode *row = html_add(html_add(table_node, "thead", NULL), "tr", NULL);

	each_value (const struct column, column, table->columns) {
		g_autofree char *heading = column_heading(table->comparison, column);

		html_set(html_add_class(row, "th", column->kind == COLUMN_NAME ? "text" : "number",
					heading),
			 "scope", "col");
	}
}

/* A long name may be broken behind its underscores. */
static void add_name(xmlNode *row, const char *name)
{
	xmlNode *cell = html_add_class(row, "th", "text", NULL);
	g_auto(GStrv) words = g_strsplit(name, "_", -1);

	html_set(cell, "scope", "row");
	for (guint i = 0; words[i] != NULL; i++) {
		g_autofree char *word =
			g_strconcat(words[i], words[i + 1] != NULL ? "_" : "", NULL);

		html_add_text(cell, word);
		if (words[i + 1] != NULL)
			html_add(cell, "wbr", NULL);
	}
}

/* What a column is sorted by. What is new has no ratio, but is more than any. */
static void set_value(xmlNode *cell, const struct column *column, const struct compare_row *row)
{
	g_autofree char *value = column_value(column, row);

	html_set(cell, "data-value",
		 column->kind == COLUMN_RATIO && row->ratio_kind == COMPARE_RATIO_NEW ? "1e99"
										      : value);
}

static void add_row(xmlNode *parent, const struct table *table, const struct compare_row *row)
{
	xmlNode *node = html_add(parent, "tr", NULL);

	if (row->paging)
		html_set(node, "class", "paging");
	each_value (const struct column, column, table->columns) {
		g_autofree char *words = column_words(table->comparison, column, row);

		if (column->kind == COLUMN_NAME)
			add_name(node, *words != '\0' ? words : "(without a name)");
		else
			set_value(html_add(node, "td", words), column, row);
	}
}

static void add_never_seen(xmlNode *parent, const struct comparison *comparison)
{
	g_autoptr(GString) names = g_string_new(NULL);
	const guint count = columns_empty_rows(comparison);
	xmlNode *details;

	if (count == 0)
		return;
	each_value (const struct compare_row, row, comparison->rows) {
		if (compare_row_is_empty(row))
			g_string_append_printf(names, "%s%" PRIu32 " %s",
					       names->len > 0 ? ", " : "", row->reason,
					       row->name != NULL ? row->name : "");
	}
	details = html_add(parent, "details", NULL);
	html_addf(details, "summary", "%u reasons were never seen", count);
	html_add(details, "p", names->str);
}

void html_table(xmlNode *parent, const struct comparison *comparison)
{
	g_autoptr(GArray) columns = columns_of(comparison, all, G_N_ELEMENTS(all));
	const struct table table = { comparison, columns };
	xmlNode *node, *body;

	html_add(parent, "p",
		 "The paging-related reasons come first, in bold. On a narrow screen the table "
		 "scrolls sideways.");
	if (comparison->b != NULL)
		html_add(parent, "p",
			 "Ratio is the second run's count by the first's; new: there is nothing to "
			 "divide by.");
	node = html_add_class(html_add_scroll(parent, "Table of counts"), "table", "counts", NULL);
	html_add(node, "caption", "VM exits by reason");
	add_headings(node, &table);
	body = html_add(node, "tbody", NULL);
	each_value (const struct compare_row, row, comparison->rows)
		if (!compare_row_is_empty(row))
			add_row(body, &table, row);
	add_row(html_add(node, "tfoot", NULL), &table, &comparison->total);
	add_never_seen(parent, comparison);
}
