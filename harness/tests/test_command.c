/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A command of the user's own: how each end of it is told. The real probe runs it here, where no
 * KVM counts, and its frames go the way that those of L2 go.
 */
#include <string.h>

#include "base/folder.h"
#include "cli/command.h"
#include "collect/l1_result.h"
#include "lab.h"
#include "tests/test.h"

static void write_file(const char *path, const GString *text)
{
	assert_true(g_file_set_contents(path, text->str, (gssize)text->len, NULL));
}

/* What the probe is told: seconds, folder, and words of a line. */
static void write_command(const char *path, const char *seconds, const char *line)
{
	g_auto(GStrv) words = NULL;
	g_autoptr(GString) text = g_string_new(NULL);

	assert_true(g_shell_parse_argv(line, NULL, &words, NULL));
	g_string_append_printf(text, "%s%c/%c", seconds, 0, 0);
	for (char **word = words; *word != NULL; word++)
		g_string_append_len(text, *word, (gssize)strlen(*word) + 1);
	write_file(path, text);
}

/* Run it; the record's only run is "ept". What it printed is in *output. */
static struct record *run(const char *seconds, const char *line, char **output, GError **error)
{
	g_autofree char *folder = g_dir_make_tmp("eptlab-XXXXXX", NULL);
	g_autofree char *file = g_build_filename(folder, "command", NULL);
	g_autofree char *frames = g_build_filename(folder, "frames", NULL);
	g_autofree char *probe = lab_built("probe");
	const char *const argv[] = { probe, frames, "command", "", file, NULL };
	struct record *record = record_new("test", "2026-01-01T00:00:00Z", "bochs", "command");
	g_autoptr(l1_result) result = l1_result_new(record, NULL, NULL);
	char *text = NULL;
	int status = 0;
	gsize length;

	write_command(file, seconds, line);
	assert_true(g_file_set_contents(frames, "", 0, NULL));
	assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL,
				 &status, NULL));
	assert_int_equal(status, 0);
	assert_true(g_file_get_contents(frames, &text, &length, NULL));
	g_ptr_array_add(record->runs, record_run_new("ept"));
	g_hash_table_insert(l1_result_texts(result), g_strdup("ept/" L1_FILE_PROBE),
			    g_string_new_len(text, (gssize)length));
	g_free(text);
	l1_result_finish(result, error);
	*output = g_strdup(
		((const GString *)frame_texts_get(l1_result_texts(result), "ept/" L1_FILE_OUTPUT))
			->str);
	folder_remove(folder);
	return record;
}

TEST(each_end_is_told)
{
	static const struct {
		const char *line, *seconds;
		int code; /* 0: all is well */
		const char *says, *output;
	} rows[] = {
		{ "echo 'two  words'", "60", 0, NULL, "two  words\n" },
		{ "sh -c 'echo out; echo err >&2'", "60", 0, NULL, "out\nerr\n" },
		{ "sh -c 'cat; echo $PWD'", "60", 0, NULL, "/\n" },
		/* It has ended, though not all that it has started. */
		{ "sh -c 'sleep 1000 & echo here'", "60", 0, NULL, "here\n" },
		{ "sh -c 'echo no; exit 3'", "60", EPTLAB_ERROR_L2, "exited with status 3",
		  "no\n" },
		{ "sh -c 'kill -9 $$'", "60", EPTLAB_ERROR_L2, "signal 9 (Killed)", "" },
		{ "/nowhere/program", "60", EPTLAB_ERROR_L2, "loader that it needs", "" },
		{ "/etc/passwd", "60", EPTLAB_ERROR_L2, "Permission denied", "" },
		{ "sh -c 'echo once; sleep 1000'", "1", EPTLAB_ERROR_TIMEOUT,
		  "had not ended after 1 s", "once\n" },
		{ "sh -c 'while :; do echo y || exit 0; done 2> /dev/null'", "60", EPTLAB_ERROR_L2,
		  "more than a pipe holds", NULL },
	};

	test_each (row, rows) {
		g_autoptr(GError) error = NULL;
		g_autofree char *output = NULL;
		struct record *record = run(row->seconds, row->line, &output, &error);
		const struct record_run *only = record_find_run(record, "ept");

		assert_true(only->command.known);
		if (row->code == 0)
			assert_null(error);
		else
			assert_error(&error, row->code, row->says);
		if (row->output != NULL)
			assert_string_equal(output, row->output);
		else
			assert_true(only->command.output > 32768 && only->command.full);
		record_free(record);
	}
}

TEST(what_is_put_in)
{
	static const struct {
		const char *put, *setting;
		const char *guest, *folder; /* of the file, and that the command works in */
		const char *why;	    /* or it is refused */
	} rows[] = {
		{ "Makefile", "l2.guest=", "/eptlab/files/Makefile", "/eptlab/files", NULL },
		{ "Makefile:/tmp/m", "l2.guest=", "/tmp/m", "/", NULL },
		{ "Makefile", "l2.guest=x", "/opt/eptlab/files/Makefile", "/opt/eptlab/files",
		  NULL },
		/* This program. */
		{ "/proc/self/exe", "l2.guest=x", "/opt/eptlab/files/exe", "/opt/eptlab/files",
		  NULL },
		{ "/proc/self/exe", "l2.guest=", NULL, NULL, "link it with -static" },
		{ "/nowhere", "l2.guest=", NULL, NULL, "there is no file /nowhere" },
		{ "Makefile", "experiment.source=tracepoint", NULL, NULL,
		  "expected source=leaves" },
	};

	test_each (row, rows) {
		const char *const settings[] = { row->setting, NULL };
		char *argv[] = { (char *)"./a.out", (char *)"it's", NULL };
		char *puts[] = { (char *)row->put, NULL };
		g_autoptr(GError) error = NULL;
		g_autoptr(struct_config) config = config_load("configs", NULL, settings, &error);
		struct command *command = NULL;

		assert_non_null(config);
		command = command_new(argv, puts, config, &error);
		if (row->why != NULL) {
			assert_null(command);
			assert_error(&error, EPTLAB_ERROR_USAGE, row->why);
			continue;
		}
		assert_non_null(command);
		assert_string_equal(command->line, "./a.out 'it'\\''s'");
		assert_string_equal(((struct guest_file *)command->files->pdata[0])->guest,
				    row->guest);
		assert_string_equal(command->text->str + strlen(command->text->str) + 1,
				    row->folder);
		command_free(command);
	}
}
