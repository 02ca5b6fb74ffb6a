/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_GRADE_STEP_H
#define EPTLAB_GRADE_STEP_H

#include <stdbool.h>
#include <gio/gio.h>

#include "base/error.h"

/* A program that is run in bounded time, and of which a bounded part of its words is kept. */
struct step {
	char **argv;
	char **environment; /* NULL: this program's own */
	guint seconds;	    /* by the wall clock; then it is killed, with its process group */
	bool gentle;	    /* SIGTERM first: it has a mess of its own to clear up */
	size_t keep;	    /* bytes of each of its outputs; what is more is read, and forgotten */
};

enum step_end {
	STEP_EXITED,
	STEP_KILLED, /* by a signal that is not of here */
	STEP_TIMEOUT,
};

struct step_result {
	enum step_end end;
	int status; /* exit status, or the signal */
	double seconds;
	GString *output, *errors;
	bool cut; /* some of them was not kept */
};

/*
 * EPTLAB_ERROR_MACHINE if it cannot be started, EPTLAB_ERROR_INTERRUPTED if it was cancelled. Fills
 * in *result, which step_result_clear() empties, in any case.
 */
bool step_run(const struct step *step, GCancellable *cancellable, struct step_result *result,
	      GError **error);
void step_result_clear(struct step_result *result);

#endif
