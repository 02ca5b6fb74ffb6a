/* SPDX-License-Identifier: GPL-2.0-only */
#include "commands/commands.h"

#include <stdio.h>
#include <string.h>

#include "commands/l1_job.h"
#include "commands/session.h"

/*
 * For the tests: boot L1, load the KUnit tests of the patch series, and print what the kernel log
 * then has (KTAP, Documentation/dev-tools/ktap.rst). Exit status 0 if it says that all is well.
 */

/* A result is "ok" or "not ok" behind the time stamp and the indent of its level. */
static bool judge(const char *log, unsigned int *passed, unsigned int *failed)
{
	g_auto(GStrv) lines = g_strsplit(log, "\n", -1);

	*passed = *failed = 0;
	for (char **line = lines; *line != NULL; line++) {
		const char *text = strstr(*line, "] ");

		if (text == NULL)
			continue;
		text += strspn(text + 1, " ") + 1;
		*passed += g_str_has_prefix(text, "ok ") ? 1 : 0;
		*failed += g_str_has_prefix(text, "not ok ") ? 1 : 0;
	}
	return *passed > 0 && *failed == 0;
}

static bool print_log(frame_texts *texts, void *data G_GNUC_UNUSED, GError **error)
{
	unsigned int passed = 0, failed = 0;
	GHashTableIter at;
	gpointer name, text;
	bool good = false;

	g_hash_table_iter_init(&at, texts);
	while (g_hash_table_iter_next(&at, &name, &text)) {
		const GString *log = text;

		fputs(log->str, stdout);
		good = judge(log->str, &passed, &failed);
	}
	if (!good)
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_INVALID,
			    "L1: of the KUnit tests of the patch series %u passed and %u failed; "
			    "expected some, and none",
			    passed, failed);
	return good;
}

int command_kunit(int argc, char **argv, GError **error)
{
	g_autoptr(struct_session) session =
		session_open(&argc, &argv, "FOLDER", "Run the KUnit tests of the patch series.",
			     "FOLDER is made, and gets consoles and logs.", error);
	g_autoptr(struct_progress) progress = progress_new(-1);
	struct experiment experiment;

	if (session == NULL)
		return EPTLAB_ERROR_USAGE;
	if (argc != 2) {
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_USAGE,
			    "L0: kunit takes one folder, to be made");
		return EPTLAB_ERROR_USAGE;
	}
	if (!session_prepare(session, &experiment, error) ||
	    !l1_job_run(&experiment, JOB_KUNIT, progress, "L1: booting, for the KUnit tests",
			argv[1], print_log, NULL, error))
		return (*error)->code;
	return 0;
}
