/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_COMMANDS_PROGRESS_H
#define EPTLAB_COMMANDS_PROGRESS_H

#include <glib.h>

/*
 * Says on standard error which level is doing what, since when, and how long it takes as a rule: on
 * a terminal as one line that is kept up to date by a thread, else as one plain line a step.
 */
struct progress;

/* expected: seconds that the whole takes as a rule, or a negative number. */
struct progress *progress_new(double expected);

/* What begins now, "L1: loading kvm". */
void progress_step(struct progress *progress, const char *text);

/* Seconds since progress_new. */
double progress_seconds(const struct progress *progress);

/* Clear the line, and free it. */
void progress_free(struct progress *progress);

typedef struct progress struct_progress;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_progress, progress_free)

#endif
