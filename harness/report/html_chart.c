/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "record/words.h"
#include "report/columns.h"
#include "report/html_parts.h"
#include "base/each.h"

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
};

/* shift: pixels to the right of x. */
static xmlNode *add_text(xmlNode *svg, const char *class, double x, int shift, int y,
			 const char *text)
{
	xmlNode *node = html_add_class(svg, "text", class, text);

	html_set_percent(node, "x", x);
	html_set_number(node, "dx", shift);
	html_set_number(node, "y", y);
	return node;
}

static void add_rect(xmlNode *svg, const char *class, double x, int y, const char *width)
{
	xmlNode *rect = html_add_class(svg, "rect", class, NULL);

	html_set_percent(rect, "x", x);
	html_set_number(rect, "y", y);
	html_set(rect, "width", width);
	html_set_number(rect, "height", BAR_HEIGHT);
}

/* Where 10^power stands. 1 has a bar, if a short one. */
static double position(const struct chart *chart, double power)
{
	return (power + 0.15) / (chart->decades + 0.15) * BAR_WIDTH;
}

static double decades_of(const struct comparison *comparison)
{
	uint64_t most = 1;

	each_value (const struct compare_row, row, comparison->rows) {
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
	double length =
		side->known && side->count > 0 ? position(chart, log10((double)side->count)) : 0;
	g_autofree char *count = count_of(side);
	g_autofree char *number = words_double("%.2f", length);
	g_autofree char *width = g_strconcat(number, "%", NULL);

	if (length > 0)
		add_rect(chart->svg, class, 0, chart->y, width);
	add_text(chart->svg, "count", length, 6, chart->y + BAR_HEIGHT - 1, count);
	chart->y += BAR_STEP;
}

static void add_group(struct chart *chart, const struct compare_row *row, bool two)
{
	g_autofree char *label =
		g_strdup_printf("%" PRIu32 " %s", row->reason, row->name != NULL ? row->name : "");

	add_text(chart->svg, "soft", 0, 0, chart->y + LABEL_HEIGHT - 5, label);
	chart->y += LABEL_HEIGHT;
	add_bar(chart, "first", &row->a);
	if (two)
		add_bar(chart, "second", &row->b);
	chart->y += GROUP_GAP;
}

/* At the powers of ten; every so many that their labels have room on a narrow screen. */
static void add_axis(struct chart *chart, int bottom)
{
	const int step = chart->decades > 8 ? 4 : chart->decades > 4 ? 2 : 1;

	for (int power = 0; power <= (int)chart->decades; power++) {
		double x = position(chart, power);
		xmlNode *line = html_add_class(chart->svg, "line", "tick", NULL);
		g_autofree char *label = power < 4 ? words_count((uint64_t)(pow(10, power) + 0.5))
						   : g_strdup_printf("1e%d", power);

		html_set_percent(line, "x1", x);
		html_set_percent(line, "x2", x);
		html_set_number(line, "y1", LEGEND_HEIGHT);
		html_set_number(line, "y2", bottom);
		if (power % step == 0)
			html_set(add_text(chart->svg, "soft", x, 0, LEGEND_HEIGHT - 4, label),
				 "text-anchor", "middle");
	}
}

static void add_legend(struct chart *chart, const char *class, double x, const char *label)
{
	if (label == NULL)
		return;
	add_rect(chart->svg, class, x, 3, "24");
	add_text(chart->svg, "label", x, 30, 13, label);
}

void html_chart(xmlNode *svg, const struct comparison *comparison)
{
	struct chart chart = {
		.svg = svg,
		.decades = decades_of(comparison),
		.y = LEGEND_HEIGHT + 4,
	};
	const bool two = comparison->b != NULL;
	const int groups = (int)(comparison->rows->len - columns_empty_rows(comparison));
	const int height = chart.y + groups * (LABEL_HEIGHT + (two ? 2 : 1) * BAR_STEP + GROUP_GAP);

	html_set_number(svg, "height", height);
	add_axis(&chart, height - GROUP_GAP);
	add_legend(&chart, "first", 0, comparison->label_a);
	add_legend(&chart, "second", 50, comparison->label_b);
	each_value (const struct compare_row, row, comparison->rows)
		if (!compare_row_is_empty(row))
			add_group(&chart, row, two);
}
