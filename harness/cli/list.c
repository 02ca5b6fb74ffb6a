/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/commands.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include "base/each.h"
#include "cli/arguments.h"
#include "config/paths.h"
#include "record/store.h"
#include "judge/rules.h"
#include "report/grid.h"

/* A record of the list; record is NULL where it could not be read, and error says why. */
struct listed {
	const char *name;
	const struct record *record;
	const char *error;
};

/* ---- What a column shows: NULL is nothing; the caller frees it ---- */

static char *name_of(const struct listed *one)
{
	return g_strdup(one->name);
}

static char *verdict_of(const struct listed *one)
{
	return g_strdup(one->record != NULL ? record_verdict_name(one->record->verdict)
					    : "unreadable");
}

static char *error_of(const struct listed *one)
{
	return g_strdup(one->record != NULL ? one->record->error : one->error);
}

static char *runs_of(const struct listed *one)
{
	GString *runs = g_string_new(NULL);

	if (one->record != NULL)
		each (const struct record_run, run, one->record->runs)
			g_string_append_printf(runs, "%s%s", runs->len > 0 ? " " : "", run->config);
	return g_string_free(runs, FALSE);
}

static char *summary_of(const struct listed *one)
{
	g_autofree char *runs = runs_of(one);
	g_autofree char *error = error_of(one);

	if (one->record == NULL || error == NULL)
		return g_strdup(one->record != NULL ? runs : error);
	return g_strconcat(runs, ": ", error, NULL);
}

static char *number(struct record_u64 value)
{
	return value.known ? g_strdup_printf("%" PRIu64, value.value) : NULL;
}

/* A number of each run, in the order of the runs. */
static char *numbers_of(const struct listed *one,
			struct record_u64 (*of_run)(const struct record_run *run))
{
	GString *all = g_string_new(NULL);

	if (one->record == NULL)
		return g_string_free(all, FALSE);
	each (const struct record_run, run, one->record->runs) {
		g_autofree char *text = number(of_run(run));

		g_string_append_printf(all, "%s%s", all->len > 0 ? " " : "",
				       text != NULL ? text : "-");
	}
	return g_string_free(all, FALSE);
}

static struct record_u64 total_of_run(const struct record_run *run)
{
	return run->total;
}

static struct record_u64 ticks_of_run(const struct record_run *run)
{
	return run->ticks;
}

static char *exits_of(const struct listed *one)
{
	return numbers_of(one, total_of_run);
}

static char *ticks_of(const struct listed *one)
{
	return numbers_of(one, ticks_of_run);
}

static char *seconds_of(const struct listed *one)
{
	return one->record != NULL && one->record->seconds >= 0
		       ? g_strdup_printf("%.1f", one->record->seconds)
		       : NULL;
}

/* Of the first run: all runs of a record that is valid have the same. */
static char *inputs_of_first(const struct listed *one)
{
	const char *inputs = one->record != NULL && one->record->runs->len > 0
				     ? record_run_inputs(one->record->runs->pdata[0])
				     : NULL;

	return inputs != NULL ? g_strndup(inputs, 12) : NULL;
}

#define TEXT(function, member)                                                                     \
	static char *function(const struct listed *one)                                            \
	{                                                                                          \
		return one->record != NULL ? g_strdup(one->record->member) : NULL;                 \
	}
TEXT(created_of, created)
TEXT(platform_of, platform.name)
TEXT(cpu_of, platform.cpu)
TEXT(line_of, kernel.line)
TEXT(release_of, kernel.release)
TEXT(workload_of, workload)

static const struct {
	const char *name;
	char *(*cell)(const struct listed *one);
	bool number;
} columns[] = {
	{ "name", name_of, false },	      { "verdict", verdict_of, false },
	{ "summary", summary_of, false },     { "runs", runs_of, false },
	{ "error", error_of, false },	      { "created", created_of, false },
	{ "platform", platform_of, false },   { "cpu", cpu_of, false },
	{ "line", line_of, false },	      { "release", release_of, false },
	{ "workload", workload_of, false },   { "exits", exits_of, true },
	{ "ticks", ticks_of, true },	      { "seconds", seconds_of, true },
	{ "inputs", inputs_of_first, false },
};

/* What is shown where no columns are chosen, then without headings. */
#define DEFAULT_COLUMNS "name,verdict,summary"

char *list_columns(const char *separator)
{
	GString *names = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
		g_string_append_printf(names, "%s%s", i > 0 ? separator : "", columns[i].name);
	return g_string_free(names, FALSE);
}

/* The numbers of the columns in the table above, ended by its length. NULL: EPTLAB_ERROR_USAGE. */
static size_t *choose(const char *text, GError **error)
{
	g_auto(GStrv) names = g_strsplit(text, ",", -1);
	g_autofree size_t *chosen = g_new(size_t, g_strv_length(names) + 1);
	g_autofree char *all = list_columns(", ");
	guint count = 0;

	for (char **name = names; *name != NULL; name++) {
		size_t i = 0;

		while (i < G_N_ELEMENTS(columns) && !g_str_equal(*name, columns[i].name))
			i++;
		if (i == G_N_ELEMENTS(columns))
			return eptlab_null(error, EPTLAB_ERROR_USAGE,
					   "L0: a record has no column \"%s\"; list has %s, with a "
					   "comma between two",
					   *name, all);
		chosen[count++] = i;
	}
	chosen[count] = G_N_ELEMENTS(columns);
	return count > 0 ? g_steal_pointer(&chosen)
			 : eptlab_null(error, EPTLAB_ERROR_USAGE,
				       "L0: list takes at least one column of %s", all);
}

static void add_record(struct grid *grid, const size_t *chosen, const char *results,
		       const char *name)
{
	g_autofree char *path = g_build_filename(results, name, NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(struct_record) record = record_load(path, &error);
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	const struct listed one = { name, record, error != NULL ? error->message : NULL };

	if (record != NULL && record->verdict != RECORD_FAILED)
		rules_judge(record);
	for (; *chosen < G_N_ELEMENTS(columns); chosen++) {
		char *cell = columns[*chosen].cell(&one);

		g_ptr_array_add(cells, cell != NULL ? cell : g_strdup(""));
	}
	grid_add(grid, (const char *const *)cells->pdata);
}

static bool list(const char *folder, const size_t *chosen, bool headings, GError **error)
{
	g_autofree struct grid_column *shown = NULL;
	g_autoptr(GPtrArray) names = record_store_list(folder, error);
	g_autoptr(struct_grid) grid = NULL;
	g_autoptr(GString) out = g_string_new(NULL);
	size_t count = 0;

	if (names == NULL)
		return false;
	while (chosen[count] < G_N_ELEMENTS(columns))
		count++;
	shown = g_new0(struct grid_column, count);
	for (size_t i = 0; i < count; i++)
		shown[i] = (struct grid_column){
			.heading = headings ? columns[chosen[i]].name : NULL,
			.left = !columns[chosen[i]].number,
		};
	grid = grid_new(shown, count);
	for (guint i = 0; i < names->len; i++)
		add_record(grid, chosen, folder, g_ptr_array_index(names, i));
	grid_put(grid, out, SIZE_MAX);
	fputs(out->str, stdout);
	return true;
}

int command_list(int argc, char **argv, GError **error)
{
	g_autofree char *folder = NULL;
	g_autofree char *columns_asked = NULL;
	g_autofree size_t *chosen = NULL;
	g_autofree char *all = list_columns(", ");
	g_autofree char *description =
		g_strdup_printf("Columns: %s.\n\nExamples:\n  eptlab list\n  eptlab list -o "
				"name,exits,seconds\n",
				all);
	const GOptionEntry entries[] = {
		{ "results", 0, 0, G_OPTION_ARG_FILENAME, &folder, "list the records in FOLDER",
		  "FOLDER" },
		{ "columns", 'o', 0, G_OPTION_ARG_STRING, &columns_asked,
		  "show these, with headings", "COLUMN[,COLUMN...]" },
		{ .long_name = NULL },
	};
	const struct arguments arguments = {
		.entries = entries,
		.summary = "List the records, oldest first, with their verdicts.",
		.description = description,
		.takes = "list takes options only",
	};
	g_autoptr(struct_paths) paths = NULL;

	if (!arguments_parse(&arguments, &argc, &argv, error))
		return EPTLAB_ERROR_USAGE;
	chosen = choose(columns_asked != NULL ? columns_asked : DEFAULT_COLUMNS, error);
	paths = chosen != NULL ? paths_find(error) : NULL;
	if (paths == NULL)
		return (*error)->code;
	if (folder == NULL)
		folder = g_strdup(paths->results);
	return list(folder, chosen, columns_asked != NULL, error) ? 0 : EPTLAB_ERROR_USAGE;
}
