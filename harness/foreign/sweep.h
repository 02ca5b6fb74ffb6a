/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_FOREIGN_SWEEP_H
#define EPTLAB_FOREIGN_SWEEP_H

#include <glib.h>

#include "foreign/counts.h"
#include "foreign/reading.h"

/*
 * Which readings of a file belong together? It may hold doubled answers, stale ones from an earlier
 * try, sweeps that were broken off, several whole ones, and tables with several columns. A sweep
 * has each reason once; what tells nested from shadow paging must be in it, else it is left aside,
 * which is said in the notes.
 */

/* Which leaves have what: terms differ in it. 0: what the numbers and words of the file say. */
struct leaf_layout {
	uint32_t count; /* exits by reason */
	uint32_t total;
};

/* "fe", "fd", or "0x4FFFFFFD,0x4FFFFFFF": exits by reason, and the total. False: it is none. */
bool leaf_layout_parse(const char *text, struct leaf_layout *layout);

/*
 * The sweeps of a file in its order, as an array of struct foreign_counts, which the caller owns;
 * readings (in the file's order) are changed. name is the file's. If there is no whole one, all
 * answers make one. EPTLAB_ERROR_USAGE if there is none, or a number in one is wrong.
 */
GPtrArray *sweeps_find(GArray *readings, const struct leaf_layout *layout, const char *name,
		       GError **error);

/* The error that there is no count in a file. Returns NULL. */
GPtrArray *sweeps_none(const char *name, GError **error);

#endif
