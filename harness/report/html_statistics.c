/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/html_parts.h"
#include "report/statistics.h"

/* element: of all but the first, which is the row's heading. */
static void put_cells(xmlNode *parent, const char *element, char **cells)
{
	xmlNode *row = html_add(parent, "tr", NULL);

	for (guint i = 0; i < STATISTIC_CELLS; i++) {
		const bool is_text = i == 0 || i == STATISTIC_CELLS - 1;
		const bool is_heading = i == 0 || g_str_equal(element, "th");
		xmlNode *cell = html_add_class(row, is_heading ? "th" : element,
					       is_text ? "text" : "number", cells[i]);

		if (is_heading)
			html_set(cell, "scope", g_str_equal(element, "th") ? "col" : "row");
	}
}

void html_statistics(xmlNode *parent, const struct comparison *comparison)
{
	g_autoptr(GArray) rows = statistic_rows(comparison);
	g_autofree char *notes = statistic_notes(comparison);
	g_auto(GStrv) headings = statistic_cells(comparison, NULL);
	xmlNode *region, *table, *body;

	if (notes == NULL)
		return;
	html_add(parent, "h2", "What KVM itself counted");
	html_add(parent, "p", notes);
	region = html_add_class(parent, "div", "scroll", NULL);
	html_set(region, "role", "region");
	html_set(region, "tabindex", "0");
	html_set(region, "aria-label", "Table of KVM's statistics");
	table = html_add(region, "table", NULL);
	html_add(table, "caption", "KVM's own statistics");
	put_cells(html_add(table, "thead", NULL), "th", headings);
	body = html_add(table, "tbody", NULL);
	for (guint i = 0; i < rows->len; i++) {
		g_auto(GStrv) cells =
			statistic_cells(comparison, &g_array_index(rows, struct statistic_row, i));

		put_cells(body, "td", cells);
	}
}
