/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>

#include "base/each.h"
#include "merge/html_maps.h"
#include "record/words.h"
#include "report/html_parts.h"

/* In pixels of height; widths are percents. */
#define AXIS_HEIGHT  18
#define LABEL_HEIGHT 17
#define LINE_HEIGHT  14
#define MARK	     4 /* half of its size */

/* What is to the right of the marks is the column's name. */
#define LEFT  3.0
#define WIDTH 74.0

/* More lines than that are no small picture. */
#define LINES_MOST 120

/* Less than this at every place is nothing to draw. */
#define LEAST 0.05

static const char *const classes[] = { "first", "second", "third", "fourth" };

struct multiples {
	const struct merge_map *map;
	double least, decades; /* powers of 10: where the scale begins, and how long it is */
	xmlNode *svg;
	int y;
};

struct panel {
	struct merge_reason reason;
	double most;
	double *values; /* by cell, then configuration; negative: not measured */
};

static guint count_of(const struct merge_map *map)
{
	return map->table->rows->len * map->table->columns->len;
}

static guint shown_configs(const struct merge_map *map)
{
	return MIN(map->configs->len, (guint)G_N_ELEMENTS(classes));
}

static void fill_panel(struct panel *panel, const struct merge_map *map, struct merge_cell *cells)
{
	const guint configs = shown_configs(map), count = count_of(map) * configs;

	panel->values = g_new(double, count);
	for (guint i = 0; i < count; i++) {
		panel->values[i] = cells[i].state == MERGE_MEASURED
					   ? merge_cell_reason(&cells[i], &panel->reason)
					   : -1;
		panel->most = fmax(panel->most, panel->values[i]);
	}
}

static int compare_panels(gconstpointer a, gconstpointer b)
{
	const struct panel *one = a, *other = b;

	return (one->most < other->most) - (one->most > other->most);
}

/* ---- Drawing ---- */

static double position(const struct multiples *all, double value)
{
	const double power = value > 0 ? log10(value) : all->least;

	return LEFT + fmax(power - all->least, 0) / all->decades * WIDTH;
}

static xmlNode *add_text(xmlNode *parent, const char *class, double x, int y, const char *anchor,
			 const char *text)
{
	xmlNode *node = html_add_class(parent, "text", class, text);

	html_set_percent(node, "x", x);
	html_set_number(node, "y", y);
	html_set(node, "text-anchor", anchor);
	return node;
}

/* Discs and squares, each filled or open. */
static void add_mark(xmlNode *svg, guint config, double x, int y)
{
	html_add_mark(svg, classes[config], config % 2 == 1, x, y, MARK);
}

static void add_axis(const struct multiples *all, int bottom)
{
	const int first = (int)ceil(all->least);
	const int last = (int)floor(all->least + all->decades);
	const int step = last - first > 4 ? 2 : 1;

	for (int power = first; power <= last; power++) {
		const double x = position(all, pow(10, power));
		xmlNode *line = html_add_class(all->svg, "line", "tick", NULL);
		g_autofree char *label = power < 0   ? words_double("%.1f", pow(10, power))
					 : power < 4 ? words_count((uint64_t)(pow(10, power) + 0.5))
						     : g_strdup_printf("1e%d", power);

		html_set_percent(line, "x1", x);
		html_set_percent(line, "x2", x);
		html_set_number(line, "y1", AXIS_HEIGHT);
		html_set_number(line, "y2", bottom);
		if ((power - first) % step == 0)
			add_text(all->svg, "soft", x, AXIS_HEIGHT - 4, "middle", label);
	}
}

/* The last configuration first, so that the base is on top. */
static void add_line(struct multiples *all, const struct panel *panel, guint cell,
		     const char *label)
{
	const guint configs = shown_configs(all->map);

	for (guint i = configs; i > 0; i--) {
		const double value = panel->values[cell * configs + i - 1];

		if (value >= 0)
			add_mark(all->svg, i - 1, position(all, value), all->y + LINE_HEIGHT / 2);
	}
	add_text(all->svg, "soft", 100, all->y + LINE_HEIGHT - 3, "end", label);
	all->y += LINE_HEIGHT;
}

static void add_lines(struct multiples *all, const struct panel *panel)
{
	const struct merge_table *table = all->map->table;

	for (guint i = 0; i < table->rows->len; i++) {
		g_autofree char *words = merge_line_words(table->rows->pdata[i]);

		add_text(all->svg, "label", 0, all->y + LABEL_HEIGHT - 4, "start", words);
		all->y += LABEL_HEIGHT;
		for (guint j = 0; j < table->columns->len; j++) {
			g_autofree char *label = merge_line_words(table->columns->pdata[j]);

			add_line(all, panel, i * table->columns->len + j, label);
		}
	}
}

static void put_panel(xmlNode *parent, struct multiples *all, const struct panel *panel)
{
	const struct merge_table *table = all->map->table;
	const int height = AXIS_HEIGHT + (int)table->rows->len * LABEL_HEIGHT +
			   (int)count_of(all->map) * LINE_HEIGHT + MARK;
	xmlNode *figure = html_add(parent, "figure", NULL);
	g_autofree char *id = g_strdup_printf("reason-%u", panel->reason.reason);

	html_add(figure, "figcaption", panel->reason.name);
	all->svg = html_add(figure, "svg", NULL);
	all->y = AXIS_HEIGHT;
	html_set(all->svg, "role", "img");
	html_set(all->svg, "aria-labelledby", id);
	html_set(html_addf(all->svg, "title", "%s on a log scale; the table below has the numbers",
			   panel->reason.name),
		 "id", id);
	html_set_number(all->svg, "height", height);
	add_axis(all, height);
	add_lines(all, panel);
}

static void put_legend(xmlNode *parent, const struct merge_map *map)
{
	xmlNode *svg = html_add(parent, "svg", NULL);
	const guint configs = shown_configs(map);

	html_set_number(svg, "height", 22);
	html_set(svg, "role", "img");
	html_set(svg, "aria-label", "Which mark is of which configuration");
	for (guint i = 0; i < configs; i++) {
		const double x = 2 + i * 98.0 / configs;

		add_mark(svg, i, x, 9);
		html_set_number(add_text(svg, "label", x, 13, "start", map->configs->pdata[i]),
				"dx", 10);
	}
}

/* ---- The same as a table ---- */

static void put_numbers(xmlNode *parent, const struct merge_map *map, const GArray *panels)
{
	const struct merge_table *table = map->table;
	const guint configs = shown_configs(map);
	xmlNode *details = html_add(parent, "details", NULL), *node, *row, *body;

	html_add(details, "summary", "The same as a table");
	node = html_add(html_add_scroll(details, "Table by reason"), "table", NULL);
	row = html_add(html_add(node, "thead", NULL), "tr", NULL);
	html_set(html_add_class(row, "th", "text", "reason"), "scope", "col");
	for (guint i = 0; i < table->rows->len; i++)
		for (guint j = 0; j < table->columns->len; j++)
			for (guint k = 0; k < configs; k++) {
				g_autofree char *down = merge_line_words(table->rows->pdata[i]);
				g_autofree char *along = merge_line_words(table->columns->pdata[j]);

				html_set(html_addf(row, "th", "%s %s %s", down, along,
						   (const char *)map->configs->pdata[k]),
					 "scope", "col");
			}
	body = html_add(node, "tbody", NULL);
	each_value (const struct panel, panel, panels) {
		row = html_add(body, "tr", NULL);
		html_set(html_add_class(row, "th", "text", panel->reason.name), "scope", "row");
		for (guint i = 0; i < count_of(map) * configs; i++) {
			g_autofree char *words =
				panel->values[i] >= 0
					? merge_number(table->set->value, panel->values[i])
					: g_strdup("-");

			html_add_class(row, "td", "number", words);
		}
	}
}

/* ---- All of them ---- */

static struct merge_cell *cells_by_config(const struct merge_map *map)
{
	const guint configs = shown_configs(map), count = count_of(map);
	struct merge_cell *cells = g_new0(struct merge_cell, (gsize)count * configs);

	for (guint i = 0; i < count; i++)
		for (guint j = 0; j < configs; j++)
			merge_cell_fill(&cells[i * configs + j], map->table->cells[i].samples,
					MERGE_AXIS_CONFIG, map->configs->pdata[j]);
	return cells;
}

static void panel_clear(void *data)
{
	g_free(((struct panel *)data)->values);
}

static GArray *panels_of(const struct merge_map *map)
{
	g_autoptr(GArray) reasons = merge_reasons(map->table->set->samples);
	g_autofree struct merge_cell *cells = cells_by_config(map);
	GArray *panels = g_array_new(FALSE, FALSE, sizeof(struct panel));

	g_array_set_clear_func(panels, panel_clear);
	each_value (const struct merge_reason, reason, reasons) {
		struct panel panel = { .reason = *reason };

		fill_panel(&panel, map, cells);
		if (panel.most < LEAST)
			panel_clear(&panel);
		else
			g_array_append_val(panels, panel);
	}
	for (guint i = 0; i < count_of(map) * shown_configs(map); i++)
		g_ptr_array_unref(cells[i].samples);
	g_array_sort(panels, compare_panels);
	return panels;
}

void merge_html_multiples(xmlNode *parent, const struct merge_map *map)
{
	struct multiples all = { .map = map };
	g_autoptr(GArray) panels = NULL;
	xmlNode *grid;

	if (!merge_value_has_reasons(map->table->set->value) || map->configs->len == 0)
		return;
	html_add(parent, "h2", "By reason");
	if (count_of(map) > LINES_MOST) {
		html_addf(parent, "p",
			  "Pictures by reason have %d lines at most, and these would have %u: "
			  "choose some with --where, or take reason as an axis.",
			  LINES_MOST, count_of(map));
		return;
	}
	panels = panels_of(map);
	if (panels->len == 0) {
		html_add(parent, "p", "Not one reason was seen.");
		return;
	}
	all.least = map->table->set->value == MERGE_EXITS_PER_OP ? -1 : -0.3;
	all.decades = fmax(log10(g_array_index(panels, struct panel, 0).most), 1) - all.least;
	html_add(parent, "p",
		 "Each picture is of one reason, all are on the same log scale; what is next to "
		 "nothing stands at the left. What was not measured has no mark.");
	put_legend(parent, map);
	grid = html_add_class(parent, "div", "multiples", NULL);
	each_value (const struct panel, panel, panels)
		put_panel(grid, &all, panel);
	put_numbers(parent, map, panels);
}
