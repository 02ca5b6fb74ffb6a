/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_BASE_ERROR_H
#define EPTLAB_BASE_ERROR_H

#include <glib.h>
#include <stdbool.h>

/*
 * What can go wrong, as the exit status of the program: the code of every GError in this domain
 * is the status that main() returns, and its message is the one sentence that the user reads.
 */
enum eptlab_error {
	EPTLAB_ERROR_USAGE = 1,		/* command line or configuration */
	EPTLAB_ERROR_MACHINE = 2,	/* L0 cannot do it, or cannot write it */
	EPTLAB_ERROR_INVALID = 3,	/* measured, and not to be believed */
	EPTLAB_ERROR_L1 = 4,		/* L1 failed */
	EPTLAB_ERROR_L2 = 5,		/* L2 failed */
	EPTLAB_ERROR_TIMEOUT = 6,	/* a level did not answer in time */
	EPTLAB_ERROR_INTERRUPTED = 130, /* SIGINT or SIGTERM */
};

#define EPTLAB_ERROR (eptlab_error_quark())
GQuark eptlab_error_quark(void);

/* Set an error of this domain. Returns false: what a function that failed returns itself. */
bool eptlab_fail(GError **error, int code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* The same where what failed returns a pointer, or the exit status. */
#define eptlab_null(error, ...)		(eptlab_fail(error, __VA_ARGS__), NULL)
#define eptlab_status(error, code, ...) (eptlab_fail(error, code, __VA_ARGS__), (code))

#endif
