/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_REPORT_HTML_PARTS_H
#define EPTLAB_REPORT_HTML_PARTS_H

#include <glib.h>
#include <libxml/tree.h>

#include "report/many.h"
#include "report/report.h"

/*
 * Building a page with libxml2. Text and attributes may be foreign: they are made valid UTF-8
 * without control characters here, and escaped when the page is written. Nodes belong to their
 * document.
 */

/*
 * A page from a template of page/: well-formed XML, so that it is a tree like any other; elements
 * with an id are filled in. html_close() puts the style in, frees the tree, and returns the text,
 * which the caller frees.
 */
xmlDoc *html_open(const char *name);
char *html_close(xmlDoc *doc);

/* Append an element, with text in it if that is not NULL. */
xmlNode *html_add(xmlNode *parent, const char *name, const char *text);

/* The same with a class. */
xmlNode *html_add_class(xmlNode *parent, const char *name, const char *class, const char *text);

/* The same with a printf format. */
xmlNode *html_addf(xmlNode *parent, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Append text. */
void html_add_text(xmlNode *parent, const char *text);
void html_add_textf(xmlNode *parent, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Set an attribute. */
void html_set(xmlNode *node, const char *name, const char *value);

/* The same of a number, and of a share of the page's width, "12.50%". */
void html_set_number(xmlNode *node, const char *name, int value);
void html_set_percent(xmlNode *node, const char *name, double value);

/* A region for a table or a picture that may be wider than the screen: scrolled, by keyboard as
 * well. */
xmlNode *html_add_scroll(xmlNode *parent, const char *label);

/*
 * A row of n cells: the first is the row's heading, it and the last one are text, the others
 * numbers. element: "th" for a row of headings, else "td".
 */
void html_add_cells(xmlNode *parent, const char *element, char **cells, guint n);

/* A mark of a picture around a point, a disc or a square: half, half of its size, in pixels. */
void html_add_mark(xmlNode *svg, const char *class, bool square, double x, int y, int half);

/* The element with that id, which must be there. */
xmlNode *html_find(xmlDoc *doc, const char *id);

/* Internal to html*.c: the larger parts of the page, appended to parent. */

/*
 * A picture of bars on a log scale, in groups. Of two runs it is the class that tells them apart
 * ("first" is solid, "second" hatched), of more the name before each bar.
 */
struct html_bars {
	xmlNode *svg, *axis;
	int least; /* power of ten where it begins */
	double decades;
	bool named;
	int y; /* where the next bar or group stands, in pixels */
};

/* least: a power of ten; most: the longest bar. What is less than 10^least has no bar. */
void html_bars_begin(struct html_bars *bars, xmlNode *svg, int least, double most, bool named);
void html_bars_group(struct html_bars *bars, const char *label);
void html_bars_add(struct html_bars *bars, const char *class, const char *name, double value,
		   const char *text);
void html_bars_end_group(struct html_bars *bars);
void html_bars_end(const struct html_bars *bars);

/* By the run's paging, where there are more than two; and the legend that says so. */
const char *html_bars_class(const struct record_run *run);
void html_bars_legend(const struct html_bars *bars);

/* Each reason that was seen as bars of all runs. */
void html_chart(xmlNode *svg, const struct report *report);

/* What one operation of L2's Linux costs, as a table and as a picture; nothing if there are none.
 */
void html_operations(xmlNode *parent, const struct report *report);

/* KVM's own statistics, each with what it counts; nothing if nobody looked. */
void html_statistics(xmlNode *parent, const struct report *report);

/* The counts, the reasons that were never seen apart. */
void html_table(xmlNode *parent, const struct report *report);

/* A table of many_rows() as it is, without its last row if that is a foot. */
void html_many(xmlNode *parent, const struct report *report, enum many_table kind);

#endif
