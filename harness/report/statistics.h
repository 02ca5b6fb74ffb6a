/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_REPORT_STATISTICS_H
#define EPTLAB_REPORT_STATISTICS_H

#include <glib.h>

#include "report/report.h"
#include "report/screen.h"

/* One of KVM's own statistics in all runs of a report. */
struct statistic_row {
	const char *name;
	const char *meaning;	   /* one sentence */
	const char *source;	   /* KVM's function that counts it */
	struct record_u64 *values; /* of each run; not known where KVM has none of that name */
};

/*
 * Those of the shadow page tables and of what they cause, which are not 0 in all: an array of
 * struct statistic_row. The others are in the record, and in report_statistics_csv(). The caller
 * owns it.
 */
GArray *statistic_rows(const GPtrArray *runs);

/* What a statistic counts, and where; NULL if it is none of those above. */
const char *statistic_meaning(const char *name, const char **source);

/* How to read them, or why there are none; NULL if nobody looked. The caller frees it. */
char *statistic_notes(const struct report *report);

/*
 * The cells of a row, as reports for people write them, the headings if row is NULL: name, the
 * value of each run, meaning and source. The caller frees them with g_strfreev.
 */
char **statistic_cells(const struct report *report, const struct statistic_row *row);

/* The table for a terminal, and its notes; nothing if nobody looked. */
void statistics_put(const struct screen *screen, const struct report *report);

#endif
