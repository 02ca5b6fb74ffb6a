/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_REPORT_CHECK_H
#define EPTLAB_REPORT_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "foreign/diagnosis.h"

/*
 * What was found about counts that somebody has taken: one reading, or two (second is NULL for
 * one). Each function returns a text that the caller frees with g_free; foreign text is made
 * printable, or escaped as JSON wants it.
 */

/* For a terminal; see report_text(). */
char *report_check_text(const struct diagnosis *diagnosis, const struct foreign_counts *first,
			const struct foreign_counts *second, size_t width, bool colour);

/* verdict, headline, story, readings (with their counts), difference, checks. */
char *report_check_json(const struct diagnosis *diagnosis, const struct foreign_counts *first,
			const struct foreign_counts *second);

/* More than two: what was found about each alone (of struct diagnosis, foreign_counts). */
char *report_check_sweeps_text(const GPtrArray *diagnoses, const GPtrArray *all, size_t width,
			       bool colour);

/* verdict, headline, and sweeps, each as of report_check_json(). */
char *report_check_sweeps_json(enum diagnosis_verdict verdict, const GPtrArray *diagnoses,
			       const GPtrArray *all);

#endif
