/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_FOREIGN_SWEEP_H
#define EPTLAB_FOREIGN_SWEEP_H

#include <glib.h>

#include "foreign/counts.h"

/*
 * Which readings of a log belong together? A log may hold doubled answers, stale ones from an
 * earlier try, sweeps that were broken off, and several whole ones. A sweep goes up through the
 * reasons; the last one that is complete counts, and what was left aside is said in the notes.
 */

/*
 * Fill counts from readings (of struct reading, in the file's order). leaf: that of the counts, if
 * the readings name several; 0 leaves it to the file. EPTLAB_ERROR_USAGE if no count is among them.
 */
bool sweep_choose(const GArray *readings, uint32_t leaf, struct foreign_counts *counts,
		  GError **error);

/* That error. Returns false. */
bool sweep_nothing(const char *name, GError **error);

#endif
