/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_GRADE_SUBMISSION_H
#define EPTLAB_GRADE_SUBMISSION_H

#include <stdbool.h>
#include <glib.h>

/* What one student has handed in: a folder, or a file alone (*.patch, *.diff, *.bundle). */
struct submission {
	char *name;   /* of the folder, or of the file without its end: that of a folder of ours */
	char *path;   /* absolute */
	char *readme; /* or NULL: a regular file, no link */
};

/*
 * Those in a folder, sorted by name, as an array of struct submission that the caller owns; with
 * only_one the folder itself is the only one. EPTLAB_ERROR_USAGE if there is none.
 */
GPtrArray *submissions_find(const char *folder, bool only_one, GError **error);

/* A digest of all that is in it. */
char *submission_digest(const struct submission *submission);

#endif
