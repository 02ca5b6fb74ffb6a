/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/grid.h"

#include <string.h>

#include "model/words.h"

/* A bar that is shorter says nothing, a longer one does not say more. */
#define BAR_LEAST 10
#define BAR_MOST  48

struct bar {
	double first, second, longest; /* longest 0: no bar */
};

enum line_kind { LINE_CELLS, LINE_GAP, LINE_ESCAPE };

struct line {
	enum line_kind kind;
	char **cells; /* LINE_ESCAPE: one, the sequence */
	struct bar bar;
};

struct grid {
	const struct grid_column *columns;
	size_t count;
	GPtrArray *lines; /* of struct line */
};

static void line_free(gpointer data)
{
	struct line *line = data;

	g_strfreev(line->cells);
	g_free(line);
}

struct grid *grid_new(const struct grid_column *columns, size_t count)
{
	struct grid *grid = g_new0(struct grid, 1);

	grid->columns = columns;
	grid->count = count;
	grid->lines = g_ptr_array_new_with_free_func(line_free);
	return grid;
}

void grid_free(struct grid *grid)
{
	if (grid == NULL)
		return;
	g_ptr_array_unref(grid->lines);
	g_free(grid);
}

static struct line *add_line(struct grid *grid, enum line_kind kind)
{
	struct line *line = g_new0(struct line, 1);

	line->kind = kind;
	g_ptr_array_add(grid->lines, line);
	return line;
}

/* At most width characters; '~' says that there were more. */
static char *shortened(const char *foreign, size_t width)
{
	char *text = words_printable(foreign);

	if (width > 0 && strlen(text) > width) {
		text[width - 1] = '~';
		text[width] = '\0';
	}
	return text;
}

void grid_add(struct grid *grid, const char *const *cells)
{
	struct line *line = add_line(grid, LINE_CELLS);

	line->cells = g_new0(char *, grid->count + 1);
	for (size_t i = 0; i < grid->count; i++)
		line->cells[i] = shortened(cells[i], grid->columns[i].most);
}

void grid_set_bar(struct grid *grid, double first, double second, double longest)
{
	struct line *line = g_ptr_array_index(grid->lines, grid->lines->len - 1);

	line->bar = (struct bar){ first, second, longest };
}

void grid_add_gap(struct grid *grid)
{
	add_line(grid, LINE_GAP);
}

void grid_add_escape(struct grid *grid, const char *sequence)
{
	struct line *line = add_line(grid, LINE_ESCAPE);

	line->cells = g_new0(char *, 2);
	line->cells[0] = g_strdup(sequence);
}

/* ---- Widths ---- */

static size_t width_of(const struct grid *grid, size_t column)
{
	g_autofree char *heading =
		shortened(grid->columns[column].heading, grid->columns[column].most);
	size_t width = strlen(heading);

	for (guint i = 0; i < grid->lines->len; i++) {
		const struct line *line = g_ptr_array_index(grid->lines, i);

		if (line->kind == LINE_CELLS)
			width = MAX(width, strlen(line->cells[column]));
	}
	return width;
}

/* The widths of all columns, 0 for those left out. Returns that of a line. */
static size_t choose(const struct grid *grid, size_t *widths, size_t width)
{
	size_t sum = 0;

	for (size_t i = 0; i < grid->count; i++) {
		widths[i] = width_of(grid, i);
		sum += widths[i] + (i > 0);
	}
	for (size_t i = grid->count; i > 0 && sum > width; i--) {
		if (!grid->columns[i - 1].optional)
			continue;
		sum -= widths[i - 1] + 1;
		widths[i - 1] = 0;
	}
	return sum;
}

/* ---- Lines ---- */

static void put_cells(const struct grid *grid, GString *out, const size_t *widths,
		      const char *const *cells)
{
	for (size_t i = 0; i < grid->count; i++) {
		int width = (int)widths[i];

		if (width > 0)
			g_string_append_printf(out, "%s%*s", i > 0 ? " " : "",
					       grid->columns[i].left ? -width : width, cells[i]);
	}
}

static void put_times(GString *out, char character, size_t times)
{
	for (; times > 0; times--)
		g_string_append_c(out, character);
}

/* What is not 0 is seen. */
static size_t bar_length(double value, double longest, size_t width)
{
	size_t length = value > 0 ? (size_t)(value / longest * (double)width + 0.5) : 0;

	return value > 0 ? CLAMP(length, 1, width) : 0;
}

static void put_bar(GString *out, const struct bar *bar, size_t width)
{
	size_t first = bar_length(bar->first, bar->longest, width);
	size_t second = bar_length(bar->second, bar->longest, width);

	put_times(out, '=', MIN(first, second));
	put_times(out, '-', first > second ? first - second : 0);
	put_times(out, '+', second > first ? second - first : 0);
}

static void end_line(GString *out)
{
	while (out->len > 0 && out->str[out->len - 1] == ' ')
		g_string_truncate(out, out->len - 1);
	g_string_append_c(out, '\n');
}

static void put_line(const struct grid *grid, GString *out, const struct line *line,
		     const size_t *widths, size_t bar_width)
{
	switch (line->kind) {
	case LINE_ESCAPE:
		g_string_append(out, line->cells[0]);
		break;
	case LINE_GAP:
		g_string_append_c(out, '\n');
		break;
	case LINE_CELLS:
		put_cells(grid, out, widths, (const char *const *)line->cells);
		if (bar_width > 0 && line->bar.longest > 0) {
			g_string_append_c(out, ' ');
			put_bar(out, &line->bar, bar_width);
		}
		end_line(out);
		break;
	}
}

static bool has_bars(const struct grid *grid)
{
	for (guint i = 0; i < grid->lines->len; i++)
		if (((const struct line *)g_ptr_array_index(grid->lines, i))->bar.longest > 0)
			return true;
	return false;
}

void grid_put(const struct grid *grid, GString *out, size_t width, const char *bar_heading)
{
	g_autofree size_t *widths = g_new0(size_t, grid->count);
	g_auto(GStrv) headings = g_new0(char *, grid->count + 1);
	size_t taken = choose(grid, widths, width);
	size_t room = width > taken ? width - taken - 1 : 0;
	size_t bar_width = has_bars(grid) && room >= BAR_LEAST ? MIN(room, BAR_MOST) : 0;

	for (size_t i = 0; i < grid->count; i++)
		headings[i] = shortened(grid->columns[i].heading, grid->columns[i].most);
	put_cells(grid, out, widths, (const char *const *)headings);
	if (bar_width > 0 && bar_heading != NULL)
		g_string_append_printf(out, " %.*s", (int)bar_width, bar_heading);
	end_line(out);
	for (guint i = 0; i < grid->lines->len; i++)
		put_line(grid, out, g_ptr_array_index(grid->lines, i), widths, bar_width);
}
