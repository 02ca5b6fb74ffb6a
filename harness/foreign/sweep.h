/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_FOREIGN_SWEEP_H
#define EPTLAB_FOREIGN_SWEEP_H

#include <stdbool.h>
#include <glib.h>

#include "foreign/reading.h"

/*
 * Which readings belong together? A list may hold doubled answers, stale ones from an earlier try,
 * sweeps that were broken off, and several whole ones. A sweep has each reason once (each part of
 * one, where a tool has several), in any order.
 */

/* One reason, asked once, however many lines the answer has. */
struct query {
	const struct reading *first, *last;
};

struct sweep {
	GArray *queries; /* of struct query */
	bool whole;	 /* what tells nested from shadow paging is in it, or it says what it is */
	const struct reading *table; /* KVM's own: a reason that is not there has no exit */
};

struct query *sweep_query(const struct sweep *sweep, guint index);

/* Is no reason less than the one before it? */
bool sweep_is_ascending(const struct sweep *sweep);

/* How many lines one query has: what most of them have. readings: of struct reading *. */
guint sweep_lines_per_query(const GPtrArray *readings);

/* The sweeps (of struct sweep, which point into readings); the caller frees the array. */
GPtrArray *sweeps_split(const GPtrArray *readings, guint per_query);

#endif
