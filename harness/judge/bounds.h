/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_JUDGE_BOUNDS_H
#define EPTLAB_JUDGE_BOUNDS_H

#include <stdbool.h>
#include <glib.h>

#include "record/record.h"

/*
 * What somebody expects of a record's numbers: "CONFIGURATION:[OPERATION:]WHAT <= NUMBER". WHAT is
 * a reason by number or name, "total" or "exits" for all of them, or "ticks"; of an operation they
 * are those of one. <, <=, ==, >= and > compare.
 */
struct bound;
typedef struct bound struct_bound;

/* EPTLAB_ERROR_USAGE. Free with bound_free. */
struct bound *bound_parse(const char *text, GError **error);
void bound_free(struct bound *bound);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_bound, bound_free)

/*
 * Will an experiment with these configurations and operations ("all", "none" alone are such) have
 * the number? EPTLAB_ERROR_USAGE if not.
 */
bool bound_fits(const struct bound *bound, char **configurations, char **operations,
		GError **error);

enum bound_verdict {
	BOUND_HOLDS,
	BOUND_BROKEN,
	BOUND_UNKNOWN, /* the record has no such number */
};

/*
 * said: "noept:0 <= 3700 holds: 3,643", new; the caller frees it. Whether the record may be
 * believed is not looked at.
 */
enum bound_verdict bound_judge(const struct bound *bound, const struct record *record, char **said);

#endif
