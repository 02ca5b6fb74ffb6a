/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_JUDGE_CONFORM_H
#define EPTLAB_JUDGE_CONFORM_H

#include <stdbool.h>
#include <glib.h>

#include "config/config.h"
#include "wire/job.h"
#include "collect/probe_result.h"
#include "record/record.h"

/*
 * Is a kernel's KVM right? What is done with it (runs), and what is said of it then (marks).
 */

/* How many CPUIDs the VMs execute that are there to be seen, or not seen, by others. */
#define CONFORM_CROWD 20000

/*
 * Add the runs to a job that the configuration asks for. EPTLAB_ERROR_USAGE if it names one that
 * does not exist.
 */
bool conform_add_runs(struct job *job, const struct config *config, GError **error);

/* What came of one run; all is borrowed. */
struct conform_run {
	const struct record_run *run;  /* with its error, if it has failed */
	const probe_result *probe;     /* NULL: there are no counts */
	const probe_result *companion; /* of the second VM; NULL: there was none */
	const char *console;	       /* of L2; NULL: there is none */
};

struct conform_subject {
	const struct config_conform *config;
	const struct record *record;
	GArray *runs; /* of struct conform_run; those that were not asked for are not there */
};

enum conform_verdict {
	CONFORM_OK,
	CONFORM_NOT_OK,
	CONFORM_SKIPPED,
};

struct conform_mark {
	char *name; /* short and stable */
	enum conform_verdict verdict;
	char *saw; /* or why it was skipped */
	const char *expected;
	const char *why; /* with its source */
};

/* All marks, in order: an array of struct conform_mark that the caller owns. */
GPtrArray *conform_judge(const struct conform_subject *subject);

/* Is none of them not ok, and one at least ok? */
bool conform_is_good(const GPtrArray *marks);

#endif
