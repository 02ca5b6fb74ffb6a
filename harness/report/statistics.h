/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_REPORT_STATISTICS_H
#define EPTLAB_REPORT_STATISTICS_H

#include <glib.h>

#include "report/compare.h"
#include "report/screen.h"

/* One of KVM's own statistics in the runs of a comparison. Nothing is owned. */
struct statistic_row {
	const char *name;
	const char *meaning;	     /* one sentence */
	const char *source;	     /* KVM's function that counts it */
	struct record_u64 values[2]; /* in a and b; not known where KVM has none of that name */
};

/*
 * Those of the shadow page tables and of what they cause, which are not 0 in both: an array of
 * struct statistic_row. The others are in the record. The caller owns it.
 */
GArray *statistic_rows(const struct comparison *comparison);

/* How to read them, or why there are none; NULL if nobody looked. The caller frees it. */
char *statistic_notes(const struct comparison *comparison);

/* The cells of a row, as reports for people write them: name, both values, meaning and source. */
#define STATISTIC_CELLS 4
char **statistic_cells(const struct comparison *comparison, const struct statistic_row *row);

/* The table for a terminal, and its notes; nothing if nobody looked. */
void statistics_put(const struct screen *screen, const struct comparison *comparison);

#endif
