/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/commands.h"

#include "cli/experiment.h"
#include "cli/session.h"
#include "record/store.h"
#include "base/each.h"

/* The run of another configuration in the newest record, or NULL. Owned by the record. */
static const struct record_run *other_half(const struct record *record, const char *configuration)
{
	each (const struct record_run, run, record->runs) {
		if (!g_str_equal(run->config, configuration))
			return run;
	}
	return NULL;
}

int command_rerun(int argc, char **argv, GError **error)
{
	g_autoptr(struct_session) session = session_open(
		&argc, &argv, "CONFIGURATION",
		"Run one configuration again, and compare it with the other one of the\n"
		"newest record.",
		"Example:\n  eptlab rerun noept", error);
	g_autoptr(struct_record) latest = NULL;
	g_autofree char *path = NULL;
	struct experiment experiment;
	char **names;

	if (session == NULL)
		return EPTLAB_ERROR_USAGE;
	if (argc != 2)
		return eptlab_status(
			error, EPTLAB_ERROR_USAGE,
			"L0: rerun takes one configuration, such as noept; see eptlab rerun "
			"--help");
	session_only(session, argv[1]);
	if (!session_prepare(session, &experiment, error))
		return (*error)->code;
	/* As the configuration has read it: a list of names is not one, "noept;" is noept. */
	names = session->config->experiment.configurations;
	if (g_strv_length(names) != 1)
		return eptlab_status(
			error, EPTLAB_ERROR_USAGE,
			"L0: rerun takes one configuration, not \"%s\"; eptlab run makes all",
			argv[1]);
	/* Without an earlier record there is nothing to compare with, and the run stands alone. */
	path = record_find_latest(session->paths->results, NULL);
	if (path != NULL) {
		latest = record_load(path, error);
		if (latest == NULL)
			return (*error)->code;
		experiment.other = other_half(latest, names[0]);
	}
	return experiment_run(&experiment, error);
}
