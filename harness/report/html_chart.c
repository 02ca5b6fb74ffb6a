/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "record/words.h"
#include "report/columns.h"
#include "report/html_parts.h"
#include "report/many.h"
#include "base/each.h"

/* In pixels of height; widths are percents, so that the page's width does not shrink the letters.
 */
#define LEGEND_HEIGHT 44
#define LABEL_HEIGHT  18
#define BAR_HEIGHT    12
#define BAR_STEP      16
#define GROUP_GAP     10

/*
 * Behind the longest bar its count must have room, on a narrow screen too, and before it the run's
 * name where there are more than two.
 */
#define BAR_WIDTH  68.0
#define COUNT_MOST 13
#define NAME_WIDTH 30.0
#define NAME_MOST  12 /* characters */

/* ---- Bars on a log scale, in groups ---- */

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

static double left_of(const struct html_bars *bars)
{
	return bars->named ? NAME_WIDTH : 0;
}

/* How long a bar of 10^power is. The least has one, if a short one. */
static double length_of(const struct html_bars *bars, double power)
{
	return fmax(power - bars->least + 0.15, 0) / (bars->decades + 0.15) *
	       (BAR_WIDTH - left_of(bars));
}

void html_bars_begin(struct html_bars *bars, xmlNode *svg, int least, double most, bool named)
{
	*bars = (struct html_bars){
		.svg = svg,
		.axis = html_add(svg, "g", NULL),
		.least = least,
		.decades = fmax(log10(fmax(most, 1)) - least, 1),
		.named = named,
		.y = LEGEND_HEIGHT + 4,
	};
}

void html_bars_group(struct html_bars *bars, const char *label)
{
	add_text(bars->svg, "soft", 0, 0, bars->y + LABEL_HEIGHT - 5, label);
	bars->y += LABEL_HEIGHT;
}

static void add_name(const struct html_bars *bars, const char *name)
{
	g_autofree char *valid = g_utf8_make_valid(name, -1);
	g_autofree char *head =
		g_utf8_substring(valid, 0, MIN(g_utf8_strlen(valid, -1), (glong)NAME_MOST));
	const bool whole = g_str_equal(head, valid);
	g_autofree char *shown = g_strconcat(head, whole ? "" : "\xe2\x80\xa6", NULL);
	xmlNode *text = add_text(bars->svg, "label", 0, 0, bars->y + BAR_HEIGHT - 1, shown);

	if (!whole)
		html_add(text, "title", valid);
}

void html_bars_add(struct html_bars *bars, const char *class, const char *name, double value,
		   const char *text)
{
	const double left = left_of(bars);
	const double length = value > 0 ? length_of(bars, log10(value)) : 0;
	g_autofree char *number = words_double("%.2f", length);
	g_autofree char *width = g_strconcat(number, "%", NULL);

	if (bars->named)
		add_name(bars, name);
	if (length > 0)
		add_rect(bars->svg, class, left, bars->y, width);
	add_text(bars->svg, "count", left + length, 6, bars->y + BAR_HEIGHT - 1, text);
	bars->y += BAR_STEP;
}

void html_bars_end_group(struct html_bars *bars)
{
	bars->y += GROUP_GAP;
}

/* At the powers of ten; every so many that their labels have room on a narrow screen. */
void html_bars_end(const struct html_bars *bars)
{
	const double room = bars->named ? bars->decades * 2 : bars->decades;
	const int step = room > 8 ? 4 : room > 4 ? 2 : 1;

	for (int power = bars->least; power <= (int)floor(bars->least + bars->decades); power++) {
		const double x = left_of(bars) + length_of(bars, power);
		xmlNode *line = html_add_class(bars->axis, "line", "tick", NULL);
		g_autofree char *label = power < 0   ? words_double("%.1f", pow(10, power))
					 : power < 4 ? words_count((uint64_t)(pow(10, power) + 0.5))
						     : g_strdup_printf("1e%d", power);

		html_set_percent(line, "x1", x);
		html_set_percent(line, "x2", x);
		html_set_number(line, "y1", LEGEND_HEIGHT);
		html_set_number(line, "y2", bars->y - GROUP_GAP);
		if ((power - bars->least) % step == 0)
			html_set(add_text(bars->axis, "soft", x, 0, LEGEND_HEIGHT - 4, label),
				 "text-anchor", "middle");
	}
	html_set_number(bars->svg, "height", bars->y);
}

const char *html_bars_class(const struct record_run *run)
{
	return record_run_nested(run) == RECORD_FALSE ? "second" : "first";
}

static void add_legend(xmlNode *svg, const char *class, double x, const char *label)
{
	if (label == NULL)
		return;
	add_rect(svg, class, x, 3, "24");
	add_text(svg, "label", x, 30, 13, label);
}

void html_bars_legend(const struct html_bars *bars)
{
	add_legend(bars->svg, "first", 0, "nested paging");
	add_legend(bars->svg, "second", 50, "shadow paging");
}

/* ---- The counts ---- */

static double most_of(const GPtrArray *comparisons)
{
	uint64_t most = 1;

	each (const struct comparison, one, comparisons)
		each_value (const struct compare_row, row, one->rows)
			most = MAX(most, MAX(row->a.count, row->b.count));
	return (double)most;
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

/* Of two runs the legend says whose bar it is, of more its name. */
static void add_bar(struct html_bars *bars, const struct report *report, const char *name,
		    const struct record_run *run, const struct compare_side *side)
{
	g_autofree char *count = count_of(side);
	const bool second = report->comparison->b == run;

	html_bars_add(bars,
		      report->all != NULL ? html_bars_class(run)
		      : second		  ? "second"
					  : "first",
		      name, side->known ? (double)side->count : 0, count);
}

static void add_reason(struct html_bars *bars, const struct report *report,
		       const GPtrArray *comparisons, const struct compare_row *about)
{
	const struct comparison *first = comparisons->pdata[0];
	const struct compare_row *of_first = many_find_row(first, about->reason);
	static const struct compare_side not_read = { .known = false };
	g_autofree char *label = g_strdup_printf("%" PRIu32 " %s", about->reason,
						 about->name != NULL ? about->name : "");

	html_bars_group(bars, label);
	add_bar(bars, report, first->label_a, first->a,
		of_first != NULL ? &of_first->a : &not_read);
	each (const struct comparison, one, comparisons) {
		const struct compare_row *row = many_find_row(one, about->reason);

		if (one->b != NULL)
			add_bar(bars, report, one->label_b, one->b,
				row != NULL ? &row->b : &not_read);
	}
	html_bars_end_group(bars);
}

void html_chart(xmlNode *svg, const struct report *report)
{
	g_autoptr(GPtrArray) comparisons = many_comparisons(report);
	g_autoptr(GPtrArray) rows = many_seen_rows(comparisons);
	const bool many = report->all != NULL;
	struct html_bars bars;

	html_set(html_add(svg, "desc",
			  many ? "For each reason a bar of each run, whose name stands before it; "
				 "with shadow paging it is hatched. The table below has the same "
				 "numbers."
			       : "For each reason a bar; of two runs the first's is solid, the "
				 "second's hatched. The table below has the same numbers."),
		 "id", "chart-text");
	html_bars_begin(&bars, svg, 0, most_of(comparisons), many);
	if (many) {
		html_bars_legend(&bars);
	} else {
		add_legend(svg, "first", 0, report->comparison->label_a);
		add_legend(svg, "second", 50, report->comparison->label_b);
	}
	each (const struct compare_row, row, rows)
		add_reason(&bars, report, comparisons, row);
	html_bars_end(&bars);
}
