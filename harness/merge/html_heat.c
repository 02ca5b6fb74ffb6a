/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>

#include "base/each.h"
#include "merge/html_maps.h"
#include "record/words.h"
#include "report/html_parts.h"

/* In pixels; a cell's width is a percent, but not less than what its number needs. */
#define HEADING_HEIGHT 20
#define LABEL_HEIGHT   20
#define CELL_HEIGHT    30
#define CELL_WIDTH     76
#define BAR_HEIGHT     5

#define SHADES 5

/* The cell of one configuration, as many times the base. */
struct ratio {
	struct merge_cell cell, base;
	bool known;
	double times; /* INFINITY: the base is 0; NAN: both are as good as nothing */
};

struct heat {
	const struct merge_map *map;
	const char *config;
	xmlNode *svg;
	struct ratio *ratios; /* by row, then column */
	double least, most;   /* of 1 and those that are finite and not 0, as powers of 10 */
};

static void fill_ratio(struct ratio *ratio, const struct merge_map *map, const char *config,
		       const GPtrArray *samples)
{
	merge_cell_fill(&ratio->cell, samples, MERGE_AXIS_CONFIG, config);
	merge_cell_fill(&ratio->base, samples, MERGE_AXIS_CONFIG, map->configs->pdata[0]);
	ratio->known = ratio->cell.state == MERGE_MEASURED && ratio->base.state == MERGE_MEASURED;
	if (!ratio->known)
		return;
	if (fmax(ratio->cell.median, ratio->base.median) <
	    merge_value_least(map->table->set->value))
		ratio->times = NAN;
	else if (ratio->base.median > 0)
		ratio->times = ratio->cell.median / ratio->base.median;
	else
		ratio->times = INFINITY;
}

static const struct merge_cell *worse_of(const struct ratio *ratio)
{
	return ratio->cell.state != MERGE_MEASURED ? &ratio->cell : &ratio->base;
}

/* "38.1", "new" (there is nothing to divide by), "-" (nor divided), "invalid". The caller frees it.
 */
static char *ratio_words(const struct ratio *ratio)
{
	if (!ratio->known)
		return g_strdup(merge_state_name(worse_of(ratio)->state));
	if (isnan(ratio->times))
		return g_strdup("-");
	if (isinf(ratio->times))
		return g_strdup("new");
	return words_double(ratio->times < 100 ? "%.2f" : "%.0f", ratio->times);
}

/* Where it is between the least and the most, on a log scale, 0 to 1. */
static double height_of(const struct heat *heat, const struct ratio *ratio)
{
	if (isinf(ratio->times))
		return 1;
	if (!(ratio->times > 0) || heat->most <= heat->least)
		return 0;
	return (log10(ratio->times) - heat->least) / (heat->most - heat->least);
}

/* The whole in words: what a cell is called where it is not seen. */
static char *cell_says(const struct heat *heat, const struct ratio *ratio, guint row, guint column)
{
	const struct merge_table *table = heat->map->table;
	g_autofree char *words = ratio_words(ratio);
	g_autofree char *down = merge_line_words(table->rows->pdata[row]);
	g_autofree char *along = merge_line_words(table->columns->pdata[column]);
	g_autofree char *cell = merge_cell_words(table, &ratio->cell);
	g_autofree char *base = merge_cell_words(table, &ratio->base);
	const char *why = ratio->known ? NULL : worse_of(ratio)->why;

	return g_strdup_printf("%s, %s: %s (%s %s, %s %s)%s%s", down, along, words, heat->config,
			       cell, (const char *)heat->map->configs->pdata[0], base,
			       why != NULL ? ": " : "", why != NULL ? why : "");
}

static xmlNode *add_rect(xmlNode *parent, const char *class, double x, int y, double width,
			 int height)
{
	xmlNode *rect = html_add_class(parent, "rect", class, NULL);

	html_set_percent(rect, "x", x);
	html_set_number(rect, "y", y);
	html_set_percent(rect, "width", width);
	html_set_number(rect, "height", height);
	return rect;
}

static void add_text(xmlNode *parent, const char *class, double x, int y, const char *anchor,
		     const char *text)
{
	xmlNode *node = html_add_class(parent, "text", class, text);

	html_set_percent(node, "x", x);
	html_set_number(node, "y", y);
	html_set(node, "text-anchor", anchor);
}

/* The record that a cell leads to; NULL: none. */
static char *link_of(const struct heat *heat, const struct ratio *ratio)
{
	const struct merge_cell *cells[] = { worse_of(ratio), &ratio->cell, &ratio->base };

	for (size_t i = 0; i < G_N_ELEMENTS(cells); i++)
		each (const struct merge_sample, sample, cells[i]->samples)
			if (sample->record != NULL)
				return merge_link(sample, heat->map->base);
	return NULL;
}

static void add_cell(const struct heat *heat, guint row, guint column, int y)
{
	const guint columns = heat->map->table->columns->len;
	const struct ratio *ratio = &heat->ratios[row * columns + column];
	const double width = 100.0 / columns, x = column * width;
	const double height = ratio->known ? height_of(heat, ratio) : 0;
	g_autofree char *says = cell_says(heat, ratio, row, column);
	g_autofree char *words = ratio_words(ratio);
	g_autofree char *link = link_of(heat, ratio);
	g_autofree char *shade =
		g_strdup_printf("heat heat%d", (int)fmin(height * SHADES, SHADES - 1));
	xmlNode *parent = html_add(heat->svg, link != NULL ? "a" : "g", NULL);

	if (link != NULL)
		html_set(parent, "href", link);
	html_set(parent, "aria-label", says);
	html_add(parent, "title", says);
	add_rect(parent, ratio->known ? shade : "gap", x, y, width, CELL_HEIGHT);
	if (ratio->known && height > 0)
		add_rect(parent, "second", x, y + CELL_HEIGHT - BAR_HEIGHT, width * height,
			 BAR_HEIGHT);
	add_text(parent, "label", x + width / 2, y + CELL_HEIGHT - BAR_HEIGHT - 7, "middle", words);
}

static void find_range(struct heat *heat, guint count)
{
	for (guint i = 0; i < count; i++) {
		const struct ratio *ratio = &heat->ratios[i];

		if (!ratio->known || isinf(ratio->times) || !(ratio->times > 0))
			continue;
		heat->least = fmin(heat->least, log10(ratio->times));
		heat->most = fmax(heat->most, log10(ratio->times));
	}
}

static void put_map(xmlNode *parent, struct heat *heat)
{
	const struct merge_table *table = heat->map->table;
	const guint columns = table->columns->len;
	g_autofree char *id = g_strconcat("heat-", heat->config, NULL);
	g_autofree char *text = g_strconcat(id, "-text", NULL);
	g_autofree char *both = g_strconcat(id, " ", text, NULL);
	g_autofree char *title = g_strdup_printf("%s divided by %s", heat->config,
						 (const char *)heat->map->configs->pdata[0]);
	int y = HEADING_HEIGHT;

	heat->svg = html_add_class(html_add_scroll(parent, title), "svg", "wide", NULL);
	html_set(heat->svg, "role", "group");
	html_set(heat->svg, "aria-labelledby", both);
	html_set(html_add(heat->svg, "title", title), "id", id);
	html_set(html_add(heat->svg, "desc",
			  "A row for each row of the table, a cell for each of its columns. The "
			  "darker a cell, and the longer the bar in it, the larger its number, on "
			  "a log scale that begins at 1, or below. A cell without a number is "
			  "hatched, and says why."),
		 "id", text);
	html_set_number(heat->svg, "width", (int)columns * CELL_WIDTH);
	html_set_number(heat->svg, "height",
			HEADING_HEIGHT + (int)table->rows->len * (LABEL_HEIGHT + CELL_HEIGHT) + 4);
	for (guint i = 0; i < columns; i++) {
		g_autofree char *words = merge_line_words(table->columns->pdata[i]);

		add_text(heat->svg, "soft", (i + 0.5) * 100 / columns, HEADING_HEIGHT - 6, "middle",
			 words);
	}
	for (guint i = 0; i < table->rows->len; i++) {
		g_autofree char *words = merge_line_words(table->rows->pdata[i]);

		add_text(heat->svg, "label", 0, y + LABEL_HEIGHT - 5, "start", words);
		y += LABEL_HEIGHT;
		for (guint j = 0; j < columns; j++)
			add_cell(heat, i, j, y);
		y += CELL_HEIGHT;
	}
}

static void put_config(xmlNode *parent, const struct merge_map *map, const char *config)
{
	const struct merge_table *table = map->table;
	const guint count = table->rows->len * table->columns->len;
	g_autofree struct ratio *ratios = g_new0(struct ratio, count);
	struct heat heat = { .map = map, .config = config, .ratios = ratios };

	for (guint i = 0; i < count; i++)
		fill_ratio(&ratios[i], map, config, table->cells[i].samples);
	find_range(&heat, count);
	html_addf(parent, "h2", "How many times as much: %s / %s", config,
		  (const char *)map->configs->pdata[0]);
	put_map(parent, &heat);
	for (guint i = 0; i < count; i++) {
		g_ptr_array_unref(ratios[i].cell.samples);
		g_ptr_array_unref(ratios[i].base.samples);
	}
}

void merge_html_heat(xmlNode *parent, const struct merge_map *map)
{
	if (map->table->columns->len == 0)
		return;
	for (guint i = 1; i < map->configs->len; i++)
		put_config(parent, map, map->configs->pdata[i]);
}
