/* SPDX-License-Identifier: GPL-2.0-only */
#include "commands/commands.h"

#include <stdio.h>
#include <string.h>

#include "commands/paths.h"
#include "model/record.h"
#include "model/rules.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The records in a folder, oldest first: their names begin with the time. */
static GPtrArray *find_records(const char *results, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autoptr(GDir) folder = g_dir_open(results, 0, &cause);
	GPtrArray *names;
	const char *name;

	if (folder == NULL) {
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_USAGE,
			    "L0: there are no records (%s); make one with \"eptlab run\"",
			    cause->message);
		return NULL;
	}
	names = g_ptr_array_new_with_free_func(g_free);
	while ((name = g_dir_read_name(folder)) != NULL) {
		g_autofree char *json = g_build_filename(results, name, "record.json", NULL);

		if (*name != '.' && strcmp(name, "latest") != 0 &&
		    g_file_test(json, G_FILE_TEST_EXISTS))
			g_ptr_array_add(names, g_strdup(name));
	}
	g_ptr_array_sort(names, by_name);
	return names;
}

/* Foreign text on a terminal: control characters as escapes. */
static char *printable(const char *text)
{
	return g_strescape(text, "\"\\");
}

static void print_record(const char *results, const char *name)
{
	g_autofree char *path = g_build_filename(results, name, NULL);
	g_autofree char *shown = printable(name);
	g_autofree char *reason = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(struct_record) record = record_load(path, &error);

	if (record == NULL) {
		g_autofree char *why = printable(error->message);

		printf("%-40s unreadable: %s\n", shown, why);
		return;
	}
	if (record->verdict != RECORD_FAILED)
		rules_judge(record);
	printf("%-40s %-7s", shown, record_verdict_name(record->verdict));
	for (unsigned int i = 0; i < record->runs->len; i++) {
		const struct record_run *run = g_ptr_array_index(record->runs, i);

		printf(" %s", run->config);
	}
	reason = printable(record->error != NULL ? record->error : "");
	printf("%s%s\n", *reason != '\0' ? ": " : "", reason);
}

int command_list(int argc, char **argv, GError **error)
{
	g_autofree char *folder = NULL;
	const GOptionEntry entries[] = {
		{ "results", 0, 0, G_OPTION_ARG_FILENAME, &folder, "list the records in FOLDER",
		  "FOLDER" },
		{ .long_name = NULL },
	};
	g_autoptr(GOptionContext) context = g_option_context_new("");
	g_autoptr(struct_paths) paths = NULL;
	g_autoptr(GPtrArray) names = NULL;
	g_autoptr(GError) cause = NULL;

	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_summary(context,
				     "List the records, oldest first, with their verdicts.");
	g_option_context_set_description(context, "Example:\n  eptlab list");
	if (!g_option_context_parse(context, &argc, &argv, &cause) || argc > 1) {
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_USAGE,
			    "L0: %s; see eptlab list --help",
			    cause != NULL ? cause->message : "list takes options only");
		return EPTLAB_ERROR_USAGE;
	}
	if (folder == NULL) {
		paths = paths_find(error);
		if (paths == NULL)
			return (*error)->code;
	}
	names = find_records(folder != NULL ? folder : paths->results, error);
	if (names == NULL)
		return EPTLAB_ERROR_USAGE;
	for (unsigned int i = 0; i < names->len; i++)
		print_record(folder != NULL ? folder : paths->results, g_ptr_array_index(names, i));
	return 0;
}
