/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_REPORT_REPORT_H
#define EPTLAB_REPORT_REPORT_H

#include <stdbool.h>
#include <glib.h>

#include "report/compare.h"
#include "record/record.h"

/*
 * Reports of one comparison. Nothing is written to anywhere: each function returns the whole report
 * as a NUL-terminated text that the caller frees with g_free. Names and texts in a comparison may
 * come from a foreign record, and are escaped as the format needs.
 */
struct report {
	const struct comparison *comparison;
	enum record_verdict verdict;
	const char *error; /* why it failed, or NULL */
	const GPtrArray
		*checks; /* of struct record_check: what the verdict rests on; may be NULL */
	/* More than two runs, of which the first two are compared; NULL: there are no more. */
	const GPtrArray *all; /* of struct record_run */
	const char *title;    /* where the runs come from, one line */
	double seconds; /* of the whole experiment; negative: unknown, or not one experiment */
	struct record_u64 ticks; /* the same in emulated instructions */
	/* Of side a and side b: where the runs come from; NULL if not at hand. */
	const struct record *records[2];
	/* L1's kernel log during each run, as text, or NULL; kernel_logs NULL: none is at hand. */
	const char *const *kernel_logs;
};

/* The report of a comparison within one record. Nothing is copied. */
struct report report_of_record(const struct record *record, const struct comparison *comparison,
			       const char *title);

/* Columns of a terminal that are always there, and of text in files. */
#define REPORT_WIDTH 80

/*
 * For a terminal of width columns (REPORT_WIDTH at least): verdict first, paging-related reasons
 * first, rows that are 0 everywhere left out; shares and bars where there is room. colour: with
 * ANSI escape sequences.
 */
char *report_text(const struct report *report, size_t width, bool colour);

/*
 * RFC 4180 with a header line: every reason, in the order of the comparison. An unknown value is an
 * empty field.
 */
char *report_csv(const struct report *report);

/*
 * The same of operations: a row for each run and each of exits, ticks and the reasons that were
 * seen, with slope, residual, and the points as "N=COUNT;...".
 */
char *report_operations_csv(const struct report *report);

/*
 * The same of KVM's own statistics: a row for each that a run has, as KVM names it, those of the VM
 * and of its vCPUs apart; what the main ones count, and in which function of KVM's.
 */
char *report_statistics_csv(const struct report *report);

/*
 * Markdown (CommonMark, with GitHub's tables): verdict, what was compared, a sample of the kernel
 * logs, the counts, and for each paging-related reason whether it is as expected.
 */
char *report_markdown(const struct report *report);

/*
 * One HTML page that needs no other file: verdict, prose, a chart, a table that sorts, how the
 * counts were obtained, every check.
 */
char *report_html(const struct report *report);

/*
 * Markdown: the ratios of what others have published, and those of this comparison beside them.
 * Part of docs/published.md is made by it.
 */
char *report_published(const struct report *report);

/* One JSON object with everything that the text says, every reason and every check. */
char *report_json(const struct report *report);

/* For what writes JSON: a string, valid UTF-8 (NULL: null); a number, or null if it is unknown. */
json_t *report_json_text(const char *foreign);
json_t *report_json_number(struct record_u64 number);

/* The text of json, which it frees; the caller frees the text. */
char *report_json_dump(json_t *json);

#endif
