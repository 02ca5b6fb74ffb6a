/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/html_parts.h"
#include "report/many.h"
#include "report/statistics.h"

void html_statistics(xmlNode *parent, const struct report *report)
{
	g_autoptr(GPtrArray) runs = many_runs(report);
	g_autoptr(GArray) rows = statistic_rows(runs);
	g_autofree char *notes = statistic_notes(report);
	g_auto(GStrv) headings = statistic_cells(report, NULL);
	const guint count = g_strv_length(headings);
	xmlNode *table, *body;

	if (notes == NULL)
		return;
	html_add(parent, "h2", "What KVM itself counted");
	html_add(parent, "p", notes);
	table = html_add(html_add_scroll(parent, "Table of KVM's statistics"), "table", NULL);
	html_add(table, "caption", "KVM's own statistics");
	html_add_cells(html_add(table, "thead", NULL), "th", headings, count);
	body = html_add(table, "tbody", NULL);
	for (guint i = 0; i < rows->len; i++) {
		g_auto(GStrv) cells =
			statistic_cells(report, &g_array_index(rows, struct statistic_row, i));

		html_add_cells(body, "td", cells, count);
	}
}
