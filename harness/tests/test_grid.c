/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/grid.h"
#include "tests/test.h"

static const struct grid_column columns[] = {
	{ .heading = "name", .left = true, .most = 6 },
	{ .heading = "n" },
	{ .heading = "extra", .optional = true },
	{ .heading = "more", .optional = true },
	{ .heading = "bar", .bar = true },
};

static struct grid *sample(void)
{
	static const char *const first[] = { "a", "1", "x", "y" };
	static const char *const second[] = { "longer name", "1,000", "xx", "yy" };
	struct grid *grid = grid_new(columns, G_N_ELEMENTS(columns));

	grid_add(grid, first);
	grid_add(grid, second);
	return grid;
}

static void assert_grid(struct grid *grid, size_t width, const char *expected)
{
	GString *out = g_string_new(NULL);

	grid_put(grid, out, width);
	assert_string_equal(out->str, expected);
	g_string_free(out, TRUE);
}

TEST(columns_are_as_wide_as_they_must_be)
{
	g_autoptr(struct_grid) grid = sample();

	/* Where there is room for bars, it is theirs, even if there are none. */
	assert_grid(grid, 33,
		    "name       n extra more\n"
		    "a          1     x    y\n"
		    "longe~ 1,000    xx   yy\n");
}

/* 6 + 1 + 5 + 1 + 5 + 1 + 4 = 23. */
TEST(what_does_not_fit_is_left_out_from_the_end)
{
	g_autoptr(struct_grid) grid = sample();

	assert_grid(grid, 22, "name       n extra\na          1     x\nlonge~ 1,000    xx\n");
	assert_grid(grid, 17, "name       n\na          1\nlonge~ 1,000\n");
	/* What is not optional stays, whatever the width. */
	assert_grid(grid, 5, "name       n\na          1\nlonge~ 1,000\n");
}

TEST(bars_take_the_room_that_is_left)
{
	static const char *const cells[] = { "b", "2", "", "" };
	g_autoptr(struct_grid) grid = sample();

	grid_set_bar(grid, 10, 5, 10); /* of the longer name */
	grid_add(grid, cells);
	grid_set_bar(grid, 0, 0.1, 10); /* not 0, so it is seen */
	grid_add(grid, cells);
	grid_set_bar(grid, 4, 10, 10);
	grid_add(grid, cells);
	grid_set_bar(grid, 0, 0, 10);
	/* 23 and a blank leave 10. */
	assert_grid(grid, 34,
		    "name       n extra more bar\n"
		    "a          1     x    y\n"
		    "longe~ 1,000    xx   yy =====-----\n"
		    "b          2            +\n"
		    "b          2            ====++++++\n"
		    "b          2\n");
	/* 9 would say nothing. */
	assert_grid(grid, 33,
		    "name       n extra more\n"
		    "a          1     x    y\n"
		    "longe~ 1,000    xx   yy\n"
		    "b          2\n"
		    "b          2\n"
		    "b          2\n");
}

TEST(cells_are_made_printable)
{
	static const char *const cells[] = { "\033[2J", "\xff", NULL, "\n" };
	g_autoptr(struct_grid) grid = grid_new(columns, G_N_ELEMENTS(columns));

	grid_add(grid, cells);
	assert_grid(grid, 24, "name n extra more\n?[2J ?          ?\n");
}

TEST(gaps_and_bold_rows)
{
	static const char *const cells[] = { "a", "1" };
	g_autoptr(struct_grid) grid = grid_new(columns, 2);

	grid_add(grid, cells);
	grid_set_bold(grid);
	grid_add_gap(grid);
	grid_add(grid, cells);
	assert_grid(grid, 80, "name n\n\033[1ma    1\033[0m\n\na    1\n");
}
