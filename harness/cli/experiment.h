/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CLI_EXPERIMENT_H
#define EPTLAB_CLI_EXPERIMENT_H

#include <stdbool.h>
#include <gio/gio.h>

#include "cli/command.h"
#include "config/paths.h"
#include "config/config.h"
#include "record/record.h"
#include "l1/platform.h"

/*
 * With bounds the status is 0 if they hold, EPTLAB_ERROR_INVALID if one does not, and this if that
 * is not known: git bisect run passes a commit over then.
 */
#define EXPERIMENT_UNTRIED 125

/* What became of it. Zeroed by the caller, who frees record. */
struct experiment_made {
	char *record; /* its path, or NULL */
	bool taken;   /* it was there already */
};

/* What run and rerun have in common. All is borrowed. */
struct experiment {
	const struct paths *paths;
	const struct config *config;
	const struct platform *platform;
	/* Of an older record, judged together with the one run that is made now; or NULL. */
	const GPtrArray *others; /* of struct record_run */
	guint place;		 /* of that run among them */
	/* The cell of a matrix that it is made for, or NULL. A valid record made of the same is
	 * taken instead, and all that is printed is for a file. */
	const struct record_cell *cell;
	struct experiment_made *made;  /* filled in, or NULL */
	const struct command *command; /* the workload, or NULL */
	const char *script;	       /* folder for JOB_SCRIPT, or NULL */
	const GPtrArray *expected;     /* for the progress line: by progress_expect */
	const GPtrArray *bounds; /* of struct bound: what the record is held against, or NULL */
	GCancellable *cancellable;
};

/*
 * Do it: put the probe into the L2 image, boot L1, have it make the runs, judge them, and store the
 * record, also a failed one. Prints progress on stderr and the report on stdout. Returns the exit
 * status; *error is set for all but 0, EPTLAB_ERROR_INVALID and EXPERIMENT_UNTRIED.
 */
int experiment_run(const struct experiment *experiment, GError **error);

/*
 * Print what that would start, and what L1 would be told to do, and do nothing. Returns the exit
 * status.
 */
int experiment_print(const struct experiment *experiment, GError **error);

#endif
