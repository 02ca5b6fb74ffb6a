/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/each.h"
#include "cli/commands.h"
#include "cli/experiment.h"
#include "cli/session.h"
#include "record/store.h"

static const struct arguments run_arguments = {
	.summary = "Run an experiment: boot L1, and in it L2 once with each configuration.",
	.description = "Example:\n  eptlab run --set l2.memory_mib=256",
	.takes = "run takes options only",
};

int command_run(int argc, char **argv, GError **error)
{
	g_autoptr(struct_session) session = session_open(&argc, &argv, &run_arguments, error);
	struct experiment experiment;

	if (session == NULL || !session_prepare(session, &experiment, error))
		return (*error)->code;
	return experiment_run(&experiment, error);
}

/* The run of another configuration in the newest record, or NULL. Owned by the record. */
static const struct record_run *other_half(const struct record *record, const char *configuration)
{
	each (const struct record_run, run, record->runs) {
		if (!g_str_equal(run->config, configuration))
			return run;
	}
	return NULL;
}

static const struct arguments rerun_arguments = {
	.names = "CONFIGURATION",
	.summary = "Run one configuration again, and compare it with the other one of the\n"
		   "newest record.",
	.description = "Example:\n  eptlab rerun noept",
	.least = 1,
	.most = 1,
	.takes = "rerun takes one configuration, such as noept",
};

int command_rerun(int argc, char **argv, GError **error)
{
	g_autoptr(struct_session) session = session_open(&argc, &argv, &rerun_arguments, error);
	g_autoptr(struct_record) latest = NULL;
	g_autofree char *path = NULL;
	struct experiment experiment;
	char **names;

	if (session == NULL)
		return (*error)->code;
	session_set(session, "experiment.configurations", argv[1]);
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
