/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_GRADE_ONE_H
#define EPTLAB_GRADE_ONE_H

#include <stdbool.h>
#include <gio/gio.h>

#include "grade/results.h"
#include "grade/sandbox.h"
#include "grade/settings.h"
#include "grade/submission.h"

/* What all submissions of a class are graded with. All is borrowed. */
struct grading {
	const struct grade_settings *settings;
	const struct sandbox *sandbox;
	const char *program; /* eptlab: conform and check are run as programs of their own */
	const char *configs; /* for eptlab --configs, or NULL */
	bool ccache;
	guint jobs; /* of one build */
	GCancellable *cancellable;
};

/*
 * Grade one: apply, build, boot with conform, check the README, each in bounded time. All of it is
 * kept in folder, which must be there and empty. Whatever the submission does is a mark;
 * EPTLAB_ERROR_MACHINE is what this machine cannot do, EPTLAB_ERROR_INTERRUPTED the user's wish.
 * Runs in any thread. The caller owns the result, whose digest is left empty.
 */
struct grade_result *grade_one(const struct grading *grading, const struct submission *submission,
			       const char *folder, const char *cache, GError **error);

#endif
