/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CLI_PROGRESS_H
#define EPTLAB_CLI_PROGRESS_H

#include <glib.h>

/*
 * Says on standard error which level is doing what, since when, and how long it takes as a rule: on
 * a terminal as one line that is kept up to date by a thread, else as one plain line a step.
 */
struct progress;

/*
 * What an experiment of that many runs takes as a rule, from valid records of the same kind, newest
 * first: the steps of the newest one that made as many runs, each with the median of all of these.
 * Without one that knows its steps, a single step with no text that takes the median of the wholes.
 * Empty if there is no record.
 */
GPtrArray *progress_expect(const GPtrArray *records, unsigned int runs);

/* Where an experiment is in what is expected; begins zeroed but for expected. */
struct progress_place {
	const GPtrArray *expected; /* of struct record_step; NULL or empty: nothing is known */
	unsigned int at;	   /* the step that it is in */
	unsigned int next;	   /* the first that can come now */
	double since;		   /* seconds from the beginning on to that of the step */
};

/* Another step begins now. One that was not expected counts as part of the one before it. */
void progress_place_move(struct progress_place *place, const char *text, double now);

/* What the whole will have taken, now seconds after its beginning; negative: unknown. */
double progress_place_total(const struct progress_place *place, double now);

/* expected: by progress_expect, or NULL; must outlive the progress. */
struct progress *progress_new(const GPtrArray *expected);

/* What begins now, "L1: loading kvm". */
void progress_step(struct progress *progress, const char *text);

/* The steps until now with their seconds, for record.steps. The caller owns them. */
GPtrArray *progress_steps(struct progress *progress);

/* Seconds since progress_new. */
double progress_seconds(const struct progress *progress);

/* Clear the line, and free it. */
void progress_free(struct progress *progress);

typedef struct progress struct_progress;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_progress, progress_free)

#endif
