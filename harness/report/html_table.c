/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>

#include "report/columns.h"
#include "report/html_parts.h"
#include "record/reasons.h"
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

static bool is_seen(const GPtrArray *seen, uint32_t reason)
{
	each (const struct compare_row, row, seen)
		if (row->reason == reason)
			return true;
	return false;
}

static void add_never_seen(xmlNode *parent, const struct report *report)
{
	g_autoptr(GPtrArray) comparisons = many_comparisons(report);
	g_autoptr(GPtrArray) seen = many_seen_rows(comparisons);
	g_autoptr(GString) names = g_string_new(NULL);
	guint count = 0;
	xmlNode *details;

	each_value (const struct compare_row, row, report->comparison->rows) {
		if (is_seen(seen, row->reason))
			continue;
		g_string_append_printf(names, "%s%" PRIu32 " %s", count > 0 ? ", " : "",
				       row->reason, row->name != NULL ? row->name : "");
		count++;
	}
	if (count == 0)
		return;
	details = html_add(parent, "details", NULL);
	html_addf(details, "summary", "%u reasons were never seen", count);
	html_add(details, "p", names->str);
}

/* What it is sorted by: "6,184" is 6184; what is new has no ratio, but is more than any. */
static char *value_of(const char *words)
{
	g_auto(GStrv) groups = g_strsplit(words, ",", -1);

	if (g_str_equal(words, "new"))
		return g_strdup("1e99");
	return g_ascii_isdigit(*words) ? g_strjoinv("", groups) : g_strdup("");
}

static xmlNode *add_many_row(xmlNode *parent, char **cells, guint names, bool is_heading)
{
	xmlNode *row = html_add(parent, "tr", NULL);

	for (guint i = 0; cells[i] != NULL; i++) {
		const bool is_name = i + 1 == names;
		xmlNode *cell;

		if (is_name && !is_heading) {
			add_name(row, cells[i]);
			continue;
		}
		cell = html_add_class(row, is_heading ? "th" : "td", is_name ? "text" : "number",
				      cells[i]);
		if (is_heading) {
			html_set(cell, "scope", "col");
		} else {
			g_autofree char *value = value_of(cells[i]);

			html_set(cell, "data-value", value);
		}
	}
	return row;
}

void html_many(xmlNode *parent, const struct report *report, enum many_table kind)
{
	g_autoptr(GPtrArray) rows = many_rows(report, kind);
	const guint names = many_names(kind);
	const bool counts = kind == MANY_COUNTS;
	const uint32_t vendor = record_run_vendor(report->comparison->a);
	xmlNode *table, *body;

	table = html_add_class(html_add_scroll(parent, many_title(kind)), "table",
			       counts ? "counts" : "many", NULL);
	html_add(table, "caption", many_title(kind));
	add_many_row(html_add(table, "thead", NULL), rows->pdata[0], names, true);
	body = html_add(table, "tbody", NULL);
	for (guint i = 1; i < rows->len; i++) {
		char **cells = rows->pdata[i];
		const bool total = counts && i == rows->len - 1;
		xmlNode *row = add_many_row(total ? html_add(table, "tfoot", NULL) : body, cells,
					    names, false);

		if (counts && !total &&
		    reason_paging(vendor, (uint32_t)g_ascii_strtoull(cells[0], NULL, 10)) != NULL)
			html_set(row, "class", "paging");
	}
}

static void put_two(xmlNode *parent, const struct comparison *comparison)
{
	g_autoptr(GArray) columns = columns_of(comparison, all, G_N_ELEMENTS(all));
	const struct table table = { comparison, columns };
	xmlNode *node, *body;

	node = html_add_class(html_add_scroll(parent, "Table of counts"), "table", "counts", NULL);
	html_add(node, "caption", "VM exits by reason");
	add_headings(node, &table);
	body = html_add(node, "tbody", NULL);
	each_value (const struct compare_row, row, comparison->rows)
		if (!compare_row_is_empty(row))
			add_row(body, &table, row);
	add_row(html_add(node, "tfoot", NULL), &table, &comparison->total);
}

void html_table(xmlNode *parent, const struct report *report)
{
	html_add(parent, "p",
		 "The paging-related reasons come first, in bold. On a narrow screen the table "
		 "scrolls sideways.");
	if (report->comparison->b != NULL)
		html_addf(parent, "p",
			  "Ratio is the %s run's count by the first's; new: there is nothing to "
			  "divide by.",
			  report->all != NULL ? "other" : "second");
	if (report->all != NULL)
		html_many(parent, report, MANY_COUNTS);
	else
		put_two(parent, report->comparison);
	add_never_seen(parent, report);
}
