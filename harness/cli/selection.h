/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CLI_SELECTION_H
#define EPTLAB_CLI_SELECTION_H

#include <stdbool.h>
#include <glib.h>

#include "cli/formats.h"
#include "record/record.h"

/*
 * What is to be reported, as given on the command line: RECORD or RECORD:CONFIGURATION. A record is
 * a path, or a name among those that eptlab list shows.
 */
struct selection {
	char *path;
	char *configuration; /* NULL: not given */
	struct record *record;
	const struct record_run *run; /* of record; NULL until chosen */
};

/*
 * Read the record, and judge it again: a verdict that is written in a file is not believed. A path
 * may hold a colon itself: what follows the last one is a configuration only if no such path is
 * there. EPTLAB_ERROR_USAGE. Clear it in any case.
 */
bool selection_open(struct selection *selection, const char *argument, GError **error);
void selection_clear(struct selection *selection);

/* Choose a run that has counts. EPTLAB_ERROR_USAGE if there is none of that name. */
bool selection_choose(struct selection *selection, const char *configuration, GError **error);

/* Was it measured to the end? EPTLAB_ERROR_USAGE if not. */
bool selection_is_measured(const struct selection *selection, GError **error);

/*
 * L1's kernel log of a run, from a record's folder (or its record.json); NULL if it is not there.
 * The caller frees it. It is for people to read: a very long one is cut off.
 */
char *selection_kernel_log(const char *path, const struct record_run *run);

/* Those of each run, NULL among them. The caller owns the array. */
GPtrArray *selection_kernel_logs(const char *path, const GPtrArray *runs);

/*
 * The report of one record, which must have been measured: of the chosen run, or of all.
 * The caller frees it.
 */
char *selection_report(const struct selection *selection, const struct format *format);

/* The newest record. The caller frees the path. */
char *selection_latest(GError **error);

#endif
