/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>

#include "base/each.h"
#include "cli/commands.h"
#include "cli/experiment.h"
#include "cli/session.h"
#include "judge/bounds.h"
#include "record/store.h"
#include "wire/command.h"

#define DRY_RUN "start nothing; print what would be started"

/* What --expect has given; NULL: EPTLAB_ERROR_USAGE. */
static GPtrArray *bounds_of(char **expected, GError **error)
{
	g_autoptr(GPtrArray) bounds = g_ptr_array_new_with_free_func((GDestroyNotify)bound_free);

	for (char **text = expected; *text != NULL; text++) {
		struct bound *bound = bound_parse(*text, error);

		if (bound == NULL)
			return NULL;
		g_ptr_array_add(bounds, bound);
	}
	return g_steal_pointer(&bounds);
}

static bool bounds_fit(const GPtrArray *bounds, const struct config *config, GError **error)
{
	each (const struct bound, bound, bounds)
		if (!bound_fits(bound, config->experiment.configurations,
				config->experiment.operations, error))
			return false;
	return true;
}

/*
 * git bisect run takes 1 to 127 but 125 for "this commit is bad" and ends at 128 and above
 * (git-bisect(1)). A commit whose kernel does not come up is passed over; with a wrong command
 * line, or a full disk, no commit can be tried.
 */
#define BISECT_ENDS 128

static int bisect_status(int status)
{
	switch (status) {
	case EPTLAB_ERROR_USAGE:
	case EPTLAB_ERROR_MACHINE:
		return BISECT_ENDS;
	case EPTLAB_ERROR_L1:
	case EPTLAB_ERROR_L2:
	case EPTLAB_ERROR_TIMEOUT:
		return EXPERIMENT_UNTRIED;
	default:
		return status;
	}
}

static int run(struct session *session, char **expected, GError **error)
{
	struct experiment experiment;
	g_autoptr(GPtrArray) bounds = NULL;

	if (expected != NULL) {
		bounds = bounds_of(expected, error);
		if (bounds == NULL)
			return EPTLAB_ERROR_USAGE;
	}
	if (!session_prepare(session, &experiment, error) ||
	    !bounds_fit(bounds, session->config, error))
		return (*error)->code;
	experiment.bounds = bounds;
	return session->dry ? experiment_print(&experiment, error)
			    : experiment_run(&experiment, error);
}

/* What stands behind "--", which is taken out of the arguments; NULL: there is none. */
static char **take_command(int *argc, char **argv)
{
	for (int i = 1; i < *argc; i++) {
		if (!g_str_equal(argv[i], "--"))
			continue;
		argv[i] = NULL;
		*argc = i;
		return g_strdupv(argv + i + 1);
	}
	return NULL;
}

/* Takes argv. */
static void use_command(struct session *session, char **argv)
{
	session->argv = argv;
	session_set(session, "experiment.workload", COMMAND_WORKLOAD);
	session_set(session, "experiment.operations", CONFIG_NONE);
}

int command_run(int argc, char **argv, GError **error)
{
	g_auto(GStrv) expected = NULL;
	g_auto(GStrv) puts = NULL;
	gboolean dry = FALSE;
	g_auto(GStrv) command = take_command(&argc, argv);
	const GOptionEntry entries[] = {
		{ "expect", 'e', 0, G_OPTION_ARG_STRING_ARRAY, &expected,
		  "what must hold, such as 'noept:0 <= 3700'", "BOUND" },
		{ "dry-run", 'n', 0, G_OPTION_ARG_NONE, &dry, DRY_RUN, NULL },
		{ "put", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &puts,
		  "put FILE into L2, for the command", "FILE[:/PATH]" },
		{ .long_name = NULL },
	};
	const struct arguments arguments = {
		.entries = entries,
		.names = "[CONFIGURATION...] [-- COMMAND [ARGUMENT...]]",
		.summary = "Run an experiment: boot L1, and in it L2 once with each configuration; "
			   "those\n"
			   "of experiment.configurations, unless they are given.\n"
			   "With a command, count what that exits for, and not the boot.",
		.description =
			"Examples:\n  eptlab run --set l2.memory_mib=256\n"
			"  eptlab run ept noug noept\n"
			"  eptlab run -- busybox sha256sum /bin/busybox\n"
			"  eptlab run --put a.out -- ./a.out 100\n"
			"  eptlab run --expect 'noept:0 <= 3700' --expect 'noept:fork:exits <= "
			"60'\n"
			"\nWith --expect the exit status is 0 if it holds, 3 if not, and 125 if "
			"L1 or L2 did\nnot come up, or the record is invalid: for git bisect run.",
		.most = INT_MAX,
		.takes = "run takes configurations, options, and a command behind --",
	};
	g_autoptr(struct_session) session = session_open(&argc, &argv, &arguments, error);
	int status;

	if (session != NULL && argc > 1) {
		g_autofree char *names = g_strjoinv(";", argv + 1);

		session_set(session, "experiment.configurations", names);
	}
	if (session != NULL && command != NULL)
		use_command(session, g_steal_pointer(&command));
	if (session != NULL) {
		session->dry = dry;
		session->puts = g_steal_pointer(&puts);
	}
	status = session != NULL ? run(session, expected, error) : (*error)->code;
	return expected != NULL ? bisect_status(status) : status;
}

/*
 * The runs of other configurations, those that have counts, in their order. *place: where that of
 * this configuration belongs among them: where it was, else, if it has EPT and the base has not,
 * at the head, so that a comparison reads as ever. The runs are the record's.
 */
static GPtrArray *other_runs(const struct record *record, const struct config_module *module,
			     guint *place)
{
	GPtrArray *others = g_ptr_array_new();
	const struct record_run *base;
	bool found = false;

	each (struct record_run, run, record->runs) {
		if (g_str_equal(run->config, module->name)) {
			*place = others->len;
			found = true;
		} else if (run->exits != NULL && run->verdict != RECORD_FAILED) {
			g_ptr_array_add(others, run);
		} else {
			fprintf(stderr, "The newest record has no counts of %s: it is left out\n",
				run->config);
		}
	}
	base = others->len > 0 ? others->pdata[0] : NULL;
	if (!found)
		*place = base != NULL && module->ept && base->requested.ept != RECORD_TRUE
				 ? 0
				 : others->len;
	return others;
}

int command_rerun(int argc, char **argv, GError **error)
{
	gboolean dry = FALSE;
	const GOptionEntry entries[] = {
		{ "dry-run", 'n', 0, G_OPTION_ARG_NONE, &dry, DRY_RUN, NULL },
		{ .long_name = NULL },
	};
	const struct arguments arguments = {
		.entries = entries,
		.names = "CONFIGURATION",
		.summary = "Run one configuration again, and compare it with the others of the "
			   "newest\n"
			   "record.",
		.description = "Example:\n  eptlab rerun noept",
		.least = 1,
		.most = 1,
		.takes = "rerun takes one configuration, such as noept",
	};
	g_autoptr(struct_session) session = session_open(&argc, &argv, &arguments, error);
	g_autoptr(struct_record) latest = NULL;
	g_autoptr(GPtrArray) others = NULL;
	g_autofree char *path = NULL;
	struct experiment experiment;
	char **names;

	if (session == NULL)
		return (*error)->code;
	session->dry = dry;
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
	if (dry)
		return experiment_print(&experiment, error);
	/* Without an earlier record there is nothing to compare with, and the run stands alone. */
	path = record_find_latest(session->paths->results, NULL);
	if (path != NULL) {
		latest = record_load(path, error);
		if (latest == NULL)
			return (*error)->code;
		others = other_runs(latest, config_find_module(session->config, names[0]),
				    &experiment.place);
		experiment.others = others;
	}
	return experiment_run(&experiment, error);
}
