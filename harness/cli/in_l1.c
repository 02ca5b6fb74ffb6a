/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/commands.h"

#include <stdio.h>

#include "cli/l1_job.h"
#include "cli/session.h"

/* For the tests: boot L1 and run a script in it (JOB_SCRIPT of wire/job.h). */

static bool print_texts(frame_texts *texts, void *data G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
	GHashTableIter at;
	gpointer name, text;

	g_hash_table_iter_init(&at, texts);
	while (g_hash_table_iter_next(&at, &name, &text))
		fputs(((const GString *)text)->str, stdout);
	return true;
}

int command_in_l1(int argc, char **argv, GError **error)
{
	g_autoptr(struct_session) session = session_open(
		&argc, &argv, "SCRIPT FOLDER", "Run a script in L1.",
		"SCRIPT is a folder with busybox and the script \"run\". FOLDER is made, "
		"and gets consoles and logs.",
		error);
	g_autoptr(struct_progress) progress = progress_new(NULL);
	struct experiment experiment;

	if (session == NULL)
		return EPTLAB_ERROR_USAGE;
	if (argc != 3)
		return eptlab_status(error, EPTLAB_ERROR_USAGE,
				     "L0: in-l1 takes a folder with a script, and one to be made");
	if (!session_prepare(session, &experiment, error))
		return (*error)->code;
	experiment.script = argv[1];
	if (!l1_job_run(&experiment, JOB_SCRIPT, progress, "L1: booting, for a script", argv[2],
			print_texts, NULL, error))
		return (*error)->code;
	return 0;
}
