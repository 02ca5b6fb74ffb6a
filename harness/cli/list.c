/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/commands.h"

#include <stdint.h>
#include <stdio.h>

#include "cli/arguments.h"
#include "config/paths.h"
#include "record/store.h"
#include "judge/rules.h"
#include "report/grid.h"

static void add_record(struct grid *grid, const char *results, const char *name)
{
	g_autofree char *path = g_build_filename(results, name, NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(struct_record) record = record_load(path, &error);
	g_autoptr(GString) runs = g_string_new(NULL);
	const char *cells[] = { name, "unreadable", error != NULL ? error->message : NULL };

	if (record != NULL) {
		if (record->verdict != RECORD_FAILED)
			rules_judge(record);
		for (guint i = 0; i < record->runs->len; i++)
			g_string_append_printf(
				runs, "%s%s", i > 0 ? " " : "",
				((struct record_run *)g_ptr_array_index(record->runs, i))->config);
		if (record->error != NULL)
			g_string_append_printf(runs, ": %s", record->error);
		cells[1] = record_verdict_name(record->verdict);
		cells[2] = runs->str;
	}
	grid_add(grid, cells);
}

int command_list(int argc, char **argv, GError **error)
{
	static const struct grid_column columns[] = {
		{ .left = true },
		{ .left = true },
		{ .left = true },
	};
	g_autofree char *folder = NULL;
	const GOptionEntry entries[] = {
		{ "results", 0, 0, G_OPTION_ARG_FILENAME, &folder, "list the records in FOLDER",
		  "FOLDER" },
		{ .long_name = NULL },
	};
	const struct arguments arguments = {
		.entries = entries,
		.summary = "List the records, oldest first, with their verdicts.",
		.description = "Example:\n  eptlab list",
		.takes = "list takes options only",
	};
	g_autoptr(struct_paths) paths = NULL;
	g_autoptr(GPtrArray) names = NULL;
	g_autoptr(struct_grid) grid = grid_new(columns, G_N_ELEMENTS(columns));
	g_autoptr(GString) out = g_string_new(NULL);

	if (!arguments_parse(&arguments, &argc, &argv, error))
		return EPTLAB_ERROR_USAGE;
	paths = paths_find(error);
	if (paths == NULL)
		return (*error)->code;
	if (folder == NULL)
		folder = g_strdup(paths->results);
	names = record_store_list(folder, error);
	if (names == NULL)
		return EPTLAB_ERROR_USAGE;
	for (guint i = 0; i < names->len; i++)
		add_record(grid, folder, g_ptr_array_index(names, i));
	grid_put(grid, out, SIZE_MAX);
	fputs(out->str, stdout);
	return 0;
}
