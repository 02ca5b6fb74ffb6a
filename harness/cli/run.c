/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/commands.h"

#include "cli/experiment.h"
#include "cli/session.h"

int command_run(int argc, char **argv, GError **error)
{
	g_autoptr(struct_session) session = session_open(
		&argc, &argv, "",
		"Run an experiment: boot L1, and in it L2 once with each configuration.",
		"Example:\n  eptlab run --set l2.memory_mib=256", error);
	struct experiment experiment;

	if (session == NULL)
		return EPTLAB_ERROR_USAGE;
	if (argc > 1)
		return eptlab_status(
			error, EPTLAB_ERROR_USAGE,
			"L0: run takes options only, not \"%s\"; see eptlab run --help", argv[1]);
	if (!session_prepare(session, &experiment, error))
		return (*error)->code;
	return experiment_run(&experiment, error);
}
