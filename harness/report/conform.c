/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/conform.h"

#include <stdint.h>

#include "judge/conform.h"
#include "record/words.h"
#include "report/grid.h"
#include "base/each.h"

/* A YAML string in single quotes; a quote inside is doubled. */
static void put_field(GString *out, const char *key, const char *value)
{
	g_autofree char *clean = words_printable(value);
	g_auto(GStrv) parts = g_strsplit(clean, "'", -1);
	g_autofree char *doubled = g_strjoinv("''", parts);

	g_string_append_printf(out, "  %s: '%s'\n", key, doubled);
}

static void put_mark(GString *out, guint number, const struct conform_mark *mark)
{
	g_autofree char *saw = words_printable(mark->saw);

	g_string_append_printf(out, "%sok %u - %s%s%s\n",
			       mark->verdict == CONFORM_NOT_OK ? "not " : "", number, mark->name,
			       mark->verdict == CONFORM_SKIPPED ? " # SKIP " : "",
			       mark->verdict == CONFORM_SKIPPED ? saw : "");
	if (mark->verdict != CONFORM_NOT_OK)
		return;
	g_string_append(out, "  ---\n");
	put_field(out, "saw", mark->saw);
	put_field(out, "expected", mark->expected);
	put_field(out, "why", mark->why);
	g_string_append(out, "  ...\n");
}

char *report_tap(const GPtrArray *marks)
{
	GString *out = g_string_new(NULL);

	g_string_append_printf(out, "TAP version 14\n1..%u\n", marks->len);
	for (guint i = 0; i < marks->len; i++)
		put_mark(out, i + 1, g_ptr_array_index(marks, i));
	return g_string_free(out, FALSE);
}

char *report_marks(const GPtrArray *marks)
{
	static const char *const words[] = {
		[CONFORM_OK] = "ok",
		[CONFORM_NOT_OK] = "NOT OK",
		[CONFORM_SKIPPED] = "skipped",
	};
	static const struct grid_column columns[] = {
		{ .left = true },
		{ .left = true },
		{ .left = true },
	};
	unsigned int counts[G_N_ELEMENTS(words)] = { 0 };
	g_autoptr(struct_grid) grid = grid_new(columns, G_N_ELEMENTS(columns));
	GString *out = g_string_new(NULL);

	each (const struct conform_mark, mark, marks) {
		g_autofree char *expected = g_strconcat("expected: ", mark->expected, NULL);
		g_autofree char *why = g_strconcat("why: ", mark->why, NULL);
		const char *const rows[][3] = {
			{ words[mark->verdict], mark->name, mark->saw },
			{ "", "", expected },
			{ "", "", why },
		};

		counts[mark->verdict]++;
		for (size_t row = 0; row < (mark->verdict == CONFORM_NOT_OK ? 3 : 1); row++)
			grid_add(grid, rows[row]);
	}
	grid_put(grid, out, SIZE_MAX);
	g_string_append_printf(out, "%s: %u ok, %u not ok, %u skipped\n",
			       conform_is_good(marks) ? "CONFORMS" : "DOES NOT CONFORM",
			       counts[CONFORM_OK], counts[CONFORM_NOT_OK], counts[CONFORM_SKIPPED]);
	return g_string_free(out, FALSE);
}
