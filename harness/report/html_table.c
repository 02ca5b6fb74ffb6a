/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>

#include "model/words.h"
#include "report/html_parts.h"
#include "report/html_tree.h"

static xmlNode *add_heading(xmlNode *row, const char *class, const char *text)
{
	xmlNode *cell = html_add_class(row, "th", class, text);

	html_set(cell, "scope", "col");
	return cell;
}

static void add_headings(xmlNode *table, const struct comparison *comparison)
{
	xmlNode *row = html_add(html_add(table, "thead", NULL), "tr", NULL);
	const char *const labels[] = { comparison->label_a, comparison->label_b };
	const unsigned int sides = comparison->b != NULL ? 2 : 1;

	add_heading(row, "number", "No.");
	add_heading(row, "text", "Exit reason");
	for (unsigned int i = 0; i < sides; i++)
		add_heading(row, "number", labels[i]);
	if (comparison->b != NULL) {
		add_heading(row, "number", "Difference");
		add_heading(row, "number", "Ratio");
	}
	for (unsigned int i = 0; i < sides; i++) {
		g_autofree char *share = g_strdup_printf("Share of %s", labels[i]);

		add_heading(row, "number", share);
	}
	for (unsigned int i = 0; i < sides && comparison_has_cycles(comparison); i++) {
		g_autofree char *cycles = g_strdup_printf("Cycles %s", labels[i]);

		add_heading(row, "number", cycles);
	}
}

/* Takes both. value is what the column is sorted by: digits, or "" for what is not known. */
static void add_number(xmlNode *row, char *text, char *value)
{
	xmlNode *cell = html_add(row, "td", text);

	html_set(cell, "data-value", value);
	g_free(text);
	g_free(value);
}

static char *digits(bool known, uint64_t value)
{
	return known ? g_strdup_printf("%" PRIu64, value) : g_strdup("");
}

static void add_side(xmlNode *row, const struct compare_side *side)
{
	add_number(row, words_side(side), digits(side->known, side->count));
}

static void add_share(xmlNode *row, const struct compare_side *side)
{
	add_number(row, words_share(side),
		   side->known ? words_double("%.9f", side->share) : g_strdup(""));
}

static void add_cycles(xmlNode *row, const struct compare_side *side)
{
	add_number(row,
		   side->cycles.known ? words_count(side->cycles.value) : g_strdup("not counted"),
		   digits(side->cycles.known, side->cycles.value));
}

/* What is new has no ratio, but is more than any. */
static char *ratio_value(const struct compare_row *row)
{
	if (row->ratio_kind == COMPARE_RATIO_KNOWN)
		return words_double("%.9f", row->ratio);
	return g_strdup(row->ratio_kind == COMPARE_RATIO_NEW ? "1e99" : "");
}

static void add_change(xmlNode *cells, const struct compare_row *row)
{
	char *difference =
		row->ratio_kind == COMPARE_RATIO_UNKNOWN
			? g_strdup("")
			: g_strdup_printf("%s%" PRIu64, row->increased ? "" : "-", row->difference);

	add_number(cells, words_difference(row), difference);
	add_number(cells, words_ratio(row), ratio_value(row));
}

static void add_cells(xmlNode *cells, const struct comparison *comparison,
		      const struct compare_row *row, bool cycles)
{
	const bool two = comparison->b != NULL;

	add_side(cells, &row->a);
	if (two) {
		add_side(cells, &row->b);
		add_change(cells, row);
	}
	add_share(cells, &row->a);
	if (two)
		add_share(cells, &row->b);
	if (!cycles)
		return;
	add_cycles(cells, &row->a);
	if (two)
		add_cycles(cells, &row->b);
}

/* A long name may be broken behind its underscores. */
static void add_name(xmlNode *cell, const char *name)
{
	g_auto(GStrv) words = g_strsplit(name, "_", -1);

	for (guint i = 0; words[i] != NULL; i++) {
		g_autofree char *word =
			g_strconcat(words[i], words[i + 1] != NULL ? "_" : "", NULL);

		html_add_text(cell, word);
		if (words[i + 1] != NULL)
			html_add(cell, "wbr", NULL);
	}
}

static void add_row(xmlNode *body, const struct comparison *comparison,
		    const struct compare_row *row)
{
	xmlNode *cells = html_add(body, "tr", NULL);
	g_autofree char *reason = g_strdup_printf("%" PRIu32, row->reason);
	xmlNode *name;

	if (row->paging)
		html_set(cells, "class", "paging");
	add_number(cells, g_strdup(reason), g_strdup(reason));
	name = html_add_class(cells, "th", "text", NULL);
	add_name(name, row->name != NULL ? row->name : "(without a name)");
	html_set(name, "scope", "row");
	add_cells(cells, comparison, row, comparison_has_cycles(comparison));
}

static void add_total(xmlNode *table, const struct comparison *comparison)
{
	xmlNode *row = html_add(html_add(table, "tfoot", NULL), "tr", NULL);
	xmlNode *name;

	html_add(row, "td", "");
	name = html_add_class(row, "th", "text", "total");
	html_set(name, "scope", "row");
	add_cells(row, comparison, &comparison->total, false);
	if (comparison_has_cycles(comparison)) {
		html_add(row, "td", "");
		if (comparison->b != NULL)
			html_add(row, "td", "");
	}
}

static void add_never_seen(xmlNode *parent, const struct comparison *comparison)
{
	GString *names = g_string_new(NULL);
	g_autofree char *summary = NULL;
	guint count = 0;
	xmlNode *details;

	for (guint i = 0; i < comparison->rows->len; i++) {
		const struct compare_row *row =
			&g_array_index(comparison->rows, struct compare_row, i);

		if (compare_row_is_empty(row))
			g_string_append_printf(names, "%s%" PRIu32 " %s", count++ > 0 ? ", " : "",
					       row->reason, row->name != NULL ? row->name : "");
	}
	summary = g_strdup_printf("%u reasons were never seen", count);
	if (count > 0) {
		details = html_add(parent, "details", NULL);
		html_add(details, "summary", summary);
		html_add(details, "p", names->str);
	}
	g_string_free(names, TRUE);
}

void html_table(xmlNode *parent, const struct comparison *comparison)
{
	xmlNode *region, *table, *body;

	html_add(parent, "p",
		 "The paging-related reasons come first, in bold. On a narrow screen the table "
		 "scrolls sideways.");
	if (comparison->b != NULL)
		html_add(parent, "p",
			 "Ratio is the second run's count by the first's; new: there is nothing to "
			 "divide by.");
	region = html_add_class(parent, "div", "scroll", NULL);
	/* May be wider than a narrow screen: then it is scrolled, by keyboard as well. */
	html_set(region, "role", "region");
	html_set(region, "tabindex", "0");
	html_set(region, "aria-label", "Table of counts");
	table = html_add_class(region, "table", "counts", NULL);
	html_add(table, "caption", "VM exits by reason");
	add_headings(table, comparison);
	body = html_add(table, "tbody", NULL);
	for (guint i = 0; i < comparison->rows->len; i++) {
		const struct compare_row *row =
			&g_array_index(comparison->rows, struct compare_row, i);

		if (!compare_row_is_empty(row))
			add_row(body, comparison, row);
	}
	add_total(table, comparison);
	add_never_seen(parent, comparison);
}
