/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "cli/l1_jobs.h"
#include "cli/session.h"

/*
 * For the tests: boot L1, load the KUnit tests of the patch series, and print what the kernel log
 * then has (KTAP, Documentation/dev-tools/ktap.rst). Exit status 0 if it says that all is well.
 */

/* Suite, case, parameter. */
#define LEVELS 3

/* What has come of one list of results: those of a suite, of its cases, or of their parameters. */
struct results {
	unsigned int planned; /* "1..N"; 0: without a plan, as parameters are */
	unsigned int seen;
};

static bool fail(GError **error, const char *line, const char *why)
{
	return eptlab_fail(
		error, EPTLAB_ERROR_INVALID,
		"L1: the KUnit tests of the patch series have not all passed (%s: %s); expected "
		"all that are planned, each of them ok",
		why, line);
}

/* All below level is at its end when level has a result. */
static bool close_below(struct results *results, unsigned int level, const char *line,
			GError **error)
{
	for (unsigned int i = level; i < LEVELS; i++) {
		if (results[i].planned != 0 && results[i].seen != results[i].planned)
			return fail(error, line, "fewer results than planned before");
		results[i] = (struct results){ .planned = 0 };
	}
	return true;
}

static bool add_result(struct results *results, unsigned int level, const char *line,
		       GError **error)
{
	unsigned int number;

	if (sscanf(line, "ok %u ", &number) != 1 || strstr(line, "# SKIP") != NULL)
		return fail(error, line, "not ok");
	if (number != ++results[level].seen)
		return fail(error, line, "a result is missing before");
	return close_below(results, level + 1, line, error);
}

/* A line behind its time stamp; the indent tells the level. */
static bool add_line(struct results *results, const char *text, GError **error)
{
	const size_t indent = strspn(text, " ");
	const unsigned int level = MIN((unsigned int)indent / 4, LEVELS - 1);
	const char *line = text + indent;

	if (g_str_has_prefix(line, "ok ") || g_str_has_prefix(line, "not ok "))
		return add_result(results, level, line, error);
	if (g_str_has_prefix(line, "1.."))
		results[level].planned = (unsigned int)g_ascii_strtoull(line + 3, NULL, 10);
	return true;
}

bool kunit_judge(const char *log, unsigned int *planned, GError **error)
{
	struct results results[LEVELS] = { { .planned = 0 } };
	g_auto(GStrv) lines = g_strsplit(log, "\n", -1);

	*planned = 0;
	for (char **line = lines; *line != NULL; line++) {
		const char *text = strstr(*line, "] ");

		if (text != NULL && !add_line(results, text + 2, error))
			return false;
		*planned = MAX(*planned, results[1].planned);
	}
	if (results[0].seen == 0 || *planned == 0)
		return fail(error, "end of the log", "no suite with a plan");
	return close_below(results, 0, "end of the log", error);
}

static bool print_log(frame_texts *texts, void *data G_GNUC_UNUSED, GError **error)
{
	g_autofree char *all = l1_job_text(texts);
	unsigned int planned;

	fputs(all, stdout);
	return kunit_judge(all, &planned, error);
}

static const struct arguments arguments = {
	.names = "FOLDER",
	.summary = "Run the KUnit tests of the patch series.",
	.description = "FOLDER is made, and gets consoles and logs.",
	.least = 1,
	.most = 1,
	.takes = "kunit takes one folder, to be made",
};

int command_kunit(int argc, char **argv, GError **error)
{
	g_autoptr(struct_session) session = session_open(&argc, &argv, &arguments, error);
	g_autoptr(struct_progress) progress = progress_new(NULL);
	struct experiment experiment;

	if (session == NULL || !session_prepare(session, &experiment, error) ||
	    !l1_job_run(&experiment, JOB_KUNIT, progress, "L1: booting, for the KUnit tests",
			argv[1], print_log, NULL, error))
		return (*error)->code;
	return 0;
}
