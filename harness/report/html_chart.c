/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "model/words.h"
#include "report/html_parts.h"
#include "report/html_tree.h"

/* In pixels of height; widths are percents, so that the page's width does not shrink the letters.
 */
#define LEGEND_HEIGHT 44
#define LABEL_HEIGHT  18
#define BAR_HEIGHT    12
#define BAR_STEP      16
#define GROUP_GAP     10

/* Behind the longest bar its count must have room, on a narrow screen too. */
#define BAR_WIDTH  68.0
#define COUNT_MOST 13

struct chart {
	xmlNode *svg;
	double decades; /* of the longest bar */
	int y;
	int bars; /* of one reason: 1 or 2 */
};

static void set_number(xmlNode *node, const char *name, int value)
{
	g_autofree char *text = g_strdup_printf("%d", value);

	html_set(node, name, text);
}

static void set_percent(xmlNode *node, const char *name, double value)
{
	g_autofree char *number = words_double("%.2f", value);
	g_autofree char *text = g_strconcat(number, "%", NULL);

	html_set(node, name, text);
}

static xmlNode *add_text(xmlNode *svg, const char *class, double x_percent, int y, const char *text)
{
	xmlNode *node = html_add(svg, "text", text);

	if (class != NULL)
		html_set(node, "class", class);
	set_percent(node, "x", x_percent);
	set_number(node, "y", y);
	return node;
}

/* 1 has a bar, if a short one; 0 has none. */
static double bar_length(const struct chart *chart, uint64_t count)
{
	return count == 0 ? 0 : (log10((double)count) + 0.15) / (chart->decades + 0.15) * BAR_WIDTH;
}

static double decades_of(const struct comparison *comparison)
{
	uint64_t most = 1;

	for (guint i = 0; i < comparison->rows->len; i++) {
		const struct compare_row *row =
			&g_array_index(comparison->rows, struct compare_row, i);

		most = MAX(most, MAX(row->a.count, row->b.count));
	}
	return MAX(log10((double)most), 1);
}

/* What has no room behind its bar on a narrow screen is rounded: the table has each digit. */
static char *count_of(const struct compare_side *side)
{
	g_autofree char *exact = words_count(side->count);

	if (!side->known)
		return g_strdup("not read");
	return strlen(exact) <= COUNT_MOST ? g_steal_pointer(&exact)
					   : words_double("%.2e", (double)side->count);
}

static void add_bar(struct chart *chart, const char *class, const struct compare_side *side)
{
	double length = side->known ? bar_length(chart, side->count) : 0;
	g_autofree char *count = count_of(side);
	xmlNode *text;

	if (length > 0) {
		xmlNode *bar = html_add_class(chart->svg, "rect", class, NULL);

		html_set(bar, "x", "0");
		set_number(bar, "y", chart->y);
		set_percent(bar, "width", length);
		set_number(bar, "height", BAR_HEIGHT);
	}
	text = add_text(chart->svg, NULL, length, chart->y + BAR_HEIGHT - 1, count);
	html_set(text, "dx", "6");
	chart->y += BAR_STEP;
}

static void add_group(struct chart *chart, const struct compare_row *row)
{
	g_autofree char *label =
		g_strdup_printf("%" PRIu32 " %s", row->reason, row->name != NULL ? row->name : "");

	add_text(chart->svg, "soft", 0, chart->y + LABEL_HEIGHT - 5, label);
	chart->y += LABEL_HEIGHT;
	add_bar(chart, "first", &row->a);
	if (chart->bars > 1)
		add_bar(chart, "second", &row->b);
	chart->y += GROUP_GAP;
}

/* At the powers of ten; every so many that their labels have room on a narrow screen. */
static void add_axis(struct chart *chart, int bottom)
{
	const int step = chart->decades > 8 ? 4 : chart->decades > 4 ? 2 : 1;

	for (int power = 0; power <= (int)chart->decades; power++) {
		double x = (power + 0.15) / (chart->decades + 0.15) * BAR_WIDTH;
		xmlNode *line = html_add_class(chart->svg, "line", "tick", NULL);

		set_percent(line, "x1", x);
		set_percent(line, "x2", x);
		set_number(line, "y1", LEGEND_HEIGHT);
		set_number(line, "y2", bottom);
		if (power % step == 0) {
			g_autofree char *label =
				power < 4 ? words_count((uint64_t)(pow(10, power) + 0.5))
					  : g_strdup_printf("1e%d", power);
			xmlNode *text = add_text(chart->svg, "soft", x, LEGEND_HEIGHT - 4, label);

			html_set(text, "text-anchor", "middle");
		}
	}
}

static void add_legend_of(struct chart *chart, const char *class, double x, const char *label)
{
	xmlNode *box = html_add_class(chart->svg, "rect", class, NULL);
	xmlNode *text = add_text(chart->svg, NULL, x, 13, label);

	set_percent(box, "x", x);
	html_set(box, "y", "3");
	html_set(box, "width", "24");
	set_number(box, "height", BAR_HEIGHT);
	html_set(text, "dx", "30");
}

/* Hatching, so that the two runs differ without colour. */
static void add_hatch(xmlNode *svg)
{
	xmlNode *pattern = html_add(html_add(svg, "defs", NULL), "pattern", NULL);

	html_set(pattern, "id", "hatch");
	html_set(pattern, "width", "6");
	html_set(pattern, "height", "6");
	html_set(pattern, "patternUnits", "userSpaceOnUse");
	html_set(html_add(pattern, "path", NULL), "d", "M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2");
}

static xmlNode *add_svg(xmlNode *parent, const struct comparison *comparison)
{
	xmlNode *svg = html_add(parent, "svg", NULL);

	html_set(svg, "xmlns", "http://www.w3.org/2000/svg");
	html_set(svg, "role", "img");
	html_set(svg, "aria-labelledby", "chart-title chart-text");
	html_set(html_add(svg, "title", "VM exits by reason, on a log scale"), "id", "chart-title");
	html_set(html_add(svg, "desc",
			  comparison->b != NULL
				  ? "For each reason two bars, solid for the first run and hatched "
				    "for the second. The table below has the same numbers."
				  : "For each reason a bar. The table below has the same numbers."),
		 "id", "chart-text");
	return svg;
}

static int groups_of(const struct comparison *comparison)
{
	int groups = 0;

	for (guint i = 0; i < comparison->rows->len; i++)
		groups += !compare_row_is_empty(
			&g_array_index(comparison->rows, struct compare_row, i));
	return groups;
}

void html_chart(xmlNode *parent, const struct comparison *comparison)
{
	struct chart chart = {
		.svg = add_svg(parent, comparison),
		.decades = decades_of(comparison),
		.y = LEGEND_HEIGHT + 4,
		.bars = comparison->b != NULL ? 2 : 1,
	};
	const int height = chart.y + groups_of(comparison) *
					     (LABEL_HEIGHT + chart.bars * BAR_STEP + GROUP_GAP);

	set_number(chart.svg, "height", height);
	add_hatch(chart.svg);
	add_axis(&chart, height - GROUP_GAP);
	add_legend_of(&chart, "first", 0, comparison->label_a);
	if (comparison->b != NULL)
		add_legend_of(&chart, "second", 50, comparison->label_b);
	for (guint i = 0; i < comparison->rows->len; i++) {
		const struct compare_row *row =
			&g_array_index(comparison->rows, struct compare_row, i);

		if (!compare_row_is_empty(row))
			add_group(&chart, row);
	}
}
