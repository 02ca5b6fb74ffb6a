/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>

#include "record/words.h"
#include "report/html_parts.h"
#include "report/many.h"
#include "report/operations.h"
#include "base/each.h"

/* In pixels of height; widths are percents of what is to the right of 0. */
#define LEGEND_HEIGHT 44
#define LABEL_HEIGHT  18
#define MARK_HEIGHT   26
#define MARK	      5 /* half of its size */

/* An operation that causes no exit has its mark here, below the least that is told apart. */
#define LEAST_POWER (-1.0)
#define WIDTH	    92.0

struct chart {
	xmlNode *svg;
	double decades; /* from LEAST_POWER to the longest */
	int y;
};

static double position(const struct chart *chart, double per_op)
{
	const double power = per_op > 0 ? log10(per_op) : LEAST_POWER;

	return 3 + fmax(power - LEAST_POWER, 0) / chart->decades * WIDTH;
}

static void add_text(const struct chart *chart, const char *class, double x, int y,
		     const char *anchor, const char *text)
{
	xmlNode *node = html_add_class(chart->svg, "text", class, text);

	html_set_percent(node, "x", x);
	html_set_number(node, "y", y);
	html_set(node, "text-anchor", anchor);
}

static void add_line(const struct chart *chart, const char *class, double x1, int y1, double x2,
		     int y2)
{
	xmlNode *line = html_add_class(chart->svg, "line", class, NULL);

	html_set_percent(line, "x1", x1);
	html_set_percent(line, "x2", x2);
	html_set_number(line, "y1", y1);
	html_set_number(line, "y2", y2);
}

/* The first run's is a disc, the second's a square that is hatched. */
static void add_mark(const struct chart *chart, bool second, double x, int y)
{
	html_add_mark(chart->svg, second ? "second" : "first", second, x, y, MARK);
}

static void add_operation(struct chart *chart, const struct operation_row *row)
{
	const struct record_operation *const sides[] = { row->a, row->b };
	double x[2] = { 0 };
	bool known[2];

	for (int i = 0; i < 2; i++) {
		known[i] = sides[i] != NULL && row->exits[i].known;
		x[i] = position(chart, row->exits[i].per_op);
	}
	add_text(chart, "soft", 0, chart->y + LABEL_HEIGHT - 5, "start", row->workload);
	chart->y += LABEL_HEIGHT;
	if (known[0] && known[1])
		add_line(chart, "between", x[0], chart->y + MARK, x[1], chart->y + MARK);
	for (int i = 1; i >= 0; i--)
		if (known[i])
			add_mark(chart, i == 1, x[i], chart->y + MARK);
	chart->y += MARK_HEIGHT - MARK;
}

static double decades_of(const GArray *rows)
{
	double most = 10;

	for (guint i = 0; i < rows->len; i++) {
		const struct operation_row *row = &g_array_index(rows, struct operation_row, i);

		most = fmax(most, fmax(row->exits[0].per_op, row->exits[1].per_op));
	}
	return log10(most) - LEAST_POWER;
}

static void add_axis(const struct chart *chart, int bottom)
{
	for (int power = (int)LEAST_POWER; power <= (int)(chart->decades + LEAST_POWER); power++) {
		const double x = position(chart, pow(10, power));
		g_autofree char *label =
			power < 0 ? g_strdup("0.1") : words_count((uint64_t)(pow(10, power) + 0.5));

		add_line(chart, "tick", x, LEGEND_HEIGHT, x, bottom);
		add_text(chart, "soft", x, LEGEND_HEIGHT - 4, "middle", label);
	}
}

static void add_legend(const struct chart *chart, bool second, double x, const char *label)
{
	xmlNode *text;

	if (label == NULL)
		return;
	add_mark(chart, second, x + 3, 9);
	text = html_add_class(chart->svg, "text", "label", label);
	html_set_percent(text, "x", x + 3);
	html_set_number(text, "dx", 12);
	html_set_number(text, "y", 13);
}

static void put_chart(xmlNode *parent, const struct comparison *comparison, const GArray *rows)
{
	struct chart chart = {
		.svg = html_add(parent, "svg", NULL),
		.decades = decades_of(rows),
		.y = LEGEND_HEIGHT + 4,
	};
	const int height = chart.y + (int)rows->len * (LABEL_HEIGHT + MARK_HEIGHT - MARK) + MARK;

	html_set(chart.svg, "role", "img");
	html_set(chart.svg, "aria-labelledby", "operations-title operations-text");
	html_set(html_add(chart.svg, "title", "Exits of one operation, on a log scale"), "id",
		 "operations-title");
	html_set(
		html_add(chart.svg, "desc",
			 "For each operation two marks and a line between: the first run's is a "
			 "disc, the second's a hatched square. 0.1 and less stand at the left. The "
			 "table above has the same numbers."),
		"id", "operations-text");
	html_set_number(chart.svg, "height", height);
	add_axis(&chart, height);
	add_legend(&chart, false, 0, comparison->label_a);
	add_legend(&chart, true, 50, comparison->label_b);
	for (guint i = 0; i < rows->len; i++)
		add_operation(&chart, &g_array_index(rows, struct operation_row, i));
}

static void put_table(xmlNode *parent, const struct comparison *comparison, const GArray *rows)
{
	xmlNode *table, *body;
	g_auto(GStrv) headings = operation_cells(comparison, NULL);

	table = html_add(html_add_scroll(parent, "Table of operations"), "table", NULL);
	html_add(table, "caption", "Exits and ticks of one operation");
	html_add_cells(html_add(table, "thead", NULL), "th", headings, OPERATION_CELLS);
	body = html_add(table, "tbody", NULL);
	for (guint i = 0; i < rows->len; i++) {
		g_auto(GStrv) cells =
			operation_cells(comparison, &g_array_index(rows, struct operation_row, i));

		html_add_cells(body, "td", cells, OPERATION_CELLS);
	}
}

/* ---- More than two runs: each has a line of its own ---- */

static double most_of(const GPtrArray *runs)
{
	double most = 10;

	each (const struct record_run, run, runs) {
		each (const struct record_operation, operation, run->operations) {
			const struct operation_fit fit = operation_total(operation);

			most = fmax(most, fit.per_op);
		}
	}
	return most;
}

static void add_bars(struct html_bars *bars, const GPtrArray *runs, const GPtrArray *comparisons,
		     const char *workload)
{
	html_bars_group(bars, workload);
	for (guint i = 0; i < runs->len; i++) {
		const struct record_run *run = runs->pdata[i];
		const struct record_operation *one = operation_find(run, workload);
		const struct operation_fit fit =
			one != NULL ? operation_total(one) : (struct operation_fit){ .per_op = 0 };
		g_autofree char *words = operation_words(one);

		html_bars_add(bars, html_bars_class(run), many_label(comparisons, i), fit.per_op,
			      *words != '\0' ? words : "none");
	}
	html_bars_end_group(bars);
}

static void put_bars(xmlNode *parent, const struct report *report, const GPtrArray *comparisons,
		     const GPtrArray *workloads)
{
	xmlNode *svg = html_add(parent, "svg", NULL);
	struct html_bars bars;

	html_set(svg, "role", "img");
	html_set(svg, "aria-labelledby", "operations-title operations-text");
	html_set(html_add(svg, "title", "Exits of one operation, on a log scale"), "id",
		 "operations-title");
	html_set(html_add(svg, "desc",
			  "For each operation a bar of each run, whose name stands before it; with "
			  "shadow paging it is hatched. What is below a tenth has none. The table "
			  "above has the same numbers."),
		 "id", "operations-text");
	html_bars_begin(&bars, svg, (int)LEAST_POWER, most_of(report->all), true);
	html_bars_legend(&bars);
	each (const char, workload, workloads)
		add_bars(&bars, report->all, comparisons, workload);
	html_bars_end(&bars);
}

void html_operations(xmlNode *parent, const struct report *report)
{
	const struct comparison *comparison = report->comparison;
	g_autoptr(GPtrArray) comparisons = many_comparisons(report);
	g_autoptr(GPtrArray) workloads = many_workloads(comparisons);
	g_autoptr(GArray) rows = operation_rows(comparison);
	g_autofree char *notes = operation_notes(comparison);

	if (workloads->len == 0)
		return;
	html_add(parent, "h2", "What one operation costs");
	if (notes != NULL)
		html_add(parent, "p", notes);
	if (report->all != NULL) {
		html_many(parent, report, MANY_EXITS);
		html_many(parent, report, MANY_TICKS);
		put_bars(parent, report, comparisons, workloads);
	} else {
		put_table(parent, comparison, rows);
		put_chart(parent, comparison, rows);
	}
}
