/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/selection.h"

#include <stdio.h>
#include <string.h>

#include "config/paths.h"
#include "report/compare.h"
#include "collect/l1_result.h"
#include "record/store.h"
#include "judge/rules.h"
#include "report/many.h"
#include "base/each.h"

#define LOG_MOST (4 << 20)

void selection_clear(struct selection *selection)
{
	g_free(selection->path);
	g_free(selection->configuration);
	record_free(selection->record);
}

/*
 * The path of what is given: itself, or a record of that name among those that "eptlab list" shows.
 * NULL: there is nothing of that name. The caller frees it.
 */
static char *path_of(const char *given)
{
	g_autoptr(struct_paths) paths = NULL;
	g_autofree char *path = NULL;

	if (g_file_test(given, G_FILE_TEST_EXISTS))
		return g_strdup(given);
	paths = *given != '\0' && strchr(given, '/') == NULL ? paths_find(NULL) : NULL;
	path = paths != NULL ? g_build_filename(paths->results, given, NULL) : NULL;
	return path != NULL && g_file_test(path, G_FILE_TEST_EXISTS) ? g_steal_pointer(&path)
								     : NULL;
}

bool selection_open(struct selection *selection, const char *argument, GError **error)
{
	const char *colon = strrchr(argument, ':');

	selection->path = path_of(argument);
	if (selection->path == NULL && colon != NULL) {
		g_autofree char *record = g_strndup(argument, (gsize)(colon - argument));

		selection->path = path_of(record);
		if (selection->path == NULL)
			selection->path = g_steal_pointer(&record);
		selection->configuration = g_strdup(colon + 1);
	} else if (selection->path == NULL) {
		selection->path = g_strdup(argument);
	}
	selection->record = record_load(selection->path, error);
	if (selection->record != NULL && selection->record->verdict != RECORD_FAILED)
		rules_judge(selection->record);
	return selection->record != NULL;
}

bool selection_choose(struct selection *selection, const char *configuration, GError **error)
{
	selection->run = record_find_run(selection->record, configuration);
	if (selection->run != NULL && selection->run->exits != NULL)
		return true;
	return eptlab_fail(
		error, EPTLAB_ERROR_USAGE,
		"L0: %s has no counts of a run \"%s\"; eptlab list shows what each record has",
		selection->path, configuration);
}

bool selection_is_measured(const struct selection *selection, GError **error)
{
	const struct record *record = selection->record;

	if (record->runs->len > 0 && record->verdict != RECORD_FAILED)
		return true;
	return eptlab_fail(error, EPTLAB_ERROR_USAGE,
			   "L0: %s was not measured to the end (%s); take one that was",
			   selection->path, record->error != NULL ? record->error : "it is empty");
}

char *selection_kernel_log(const char *path, const struct record_run *run)
{
	g_autofree char *folder =
		g_file_test(path, G_FILE_TEST_IS_DIR) ? g_strdup(path) : g_path_get_dirname(path);
	g_autofree char *name = g_build_filename(folder, run->config, L1_FILE_DMESG, NULL);
	FILE *file = fopen(name, "re");
	GString *log;
	char block[16384];
	size_t got;

	if (file == NULL)
		return NULL;
	log = g_string_new(NULL);
	while (log->len < LOG_MOST && (got = fread(block, 1, sizeof(block), file)) > 0)
		g_string_append_len(log, block, (gssize)got);
	fclose(file);
	return g_string_free(log, FALSE);
}

GPtrArray *selection_kernel_logs(const char *path, const GPtrArray *runs)
{
	GPtrArray *logs = g_ptr_array_new_with_free_func(g_free);

	each (const struct record_run, run, runs)
		g_ptr_array_add(logs, selection_kernel_log(path, run));
	return logs;
}

char *selection_report(const struct selection *selection, const struct format *format)
{
	const GPtrArray *runs = selection->record->runs;
	const struct record_run *a =
		selection->run != NULL ? selection->run : g_ptr_array_index(runs, 0);
	const struct record_run *b =
		selection->run == NULL && runs->len > 1 ? g_ptr_array_index(runs, 1) : NULL;
	g_autoptr(struct_comparison) comparison = comparison_new(a, NULL, b, NULL);
	g_autofree char *absolute = g_canonicalize_filename(selection->path, NULL);
	g_autofree char *title = g_path_get_basename(absolute);
	struct report report = report_of_record(selection->record, comparison, title);
	g_autoptr(GPtrArray) compared = many_runs(&report);
	g_autoptr(GPtrArray) logs = selection_kernel_logs(selection->path, compared);

	report.kernel_logs = (const char *const *)logs->pdata;
	/* A new text, which cppcheck takes for a part of the report. */
	/* cppcheck-suppress returnDanglingLifetime */
	return format->make(&report);
}

char *selection_latest(GError **error)
{
	g_autoptr(struct_paths) paths = paths_find(error);

	return paths != NULL ? record_find_latest(paths->results, error) : NULL;
}
