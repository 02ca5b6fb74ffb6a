/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_REPORT_COMPARE_H
#define EPTLAB_REPORT_COMPARE_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "record/record.h"

/*
 * The counts of one run, or of two side by side. Pure: nothing is judged here (rules.h) and nothing
 * printed (report/).
 */
enum compare_ratio {
	COMPARE_RATIO_KNOWN,   /* b / a */
	COMPARE_RATIO_NEW,     /* a is 0 and b is not: no number, "from nothing" */
	COMPARE_RATIO_NONE,    /* both are 0 */
	COMPARE_RATIO_UNKNOWN, /* one of the two was not read */
};

struct compare_side {
	bool known; /* the run has a count for this reason */
	uint64_t count;
	double share;		  /* of the run's total, 0 to 1; 0 when the total is 0 */
	struct record_u64 cycles; /* outside the guest, of L1's time-stamp counter */
};

struct compare_row {
	uint32_t reason;
	const char *name; /* from the runs; NULL if neither has one */
	bool paging;	  /* reason_paging() explains it */
	struct compare_side a, b;
	bool increased;	     /* b > a */
	uint64_t difference; /* |b - a|, if both are known: 64 bits and a sign do not fit in 64 */
	enum compare_ratio ratio_kind;
	double ratio; /* if ratio_kind is COMPARE_RATIO_KNOWN */
};

struct comparison {
	const struct record_run *a;
	const struct record_run *b; /* NULL: one run only, and all of side b is unknown */
	char *label_a, *label_b;    /* headings; label_b is NULL without b */
	GArray *rows;		  /* of struct compare_row: paging-related first, then by number */
	struct compare_row total; /* reason, name and paging mean nothing here */
};

/* For g_autoptr, which needs a name without a blank: g_autoptr(struct_comparison). */
typedef struct comparison struct_comparison;

/*
 * Compare two runs, from the same record or from two. The runs must outlive the result. labels are
 * copied; NULL means the configuration's name. A reason that only one of the runs has is a row with
 * an unknown side, not with a 0.
 */
struct comparison *comparison_new(const struct record_run *a, const char *label_a,
				  const struct record_run *b, const char *label_b);
void comparison_free(struct comparison *comparison);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_comparison, comparison_free)

/* An input that two runs do not have in common; NULL: it is none of that run. */
struct compare_input {
	const char *name;
	const char *a, *b;
};

/*
 * The inputs that differ, without that over all: an array of struct compare_input, which borrows
 * from the runs. NULL if there is one run only, or one of the two has none recorded.
 */
GArray *comparison_inputs(const struct comparison *comparison);

/* Were cycles counted in one of the runs at least? */
bool comparison_has_cycles(const struct comparison *comparison);

/* Is the row 0 (or unknown) on every side there is? */
bool compare_row_is_empty(const struct compare_row *row);

/* As all reports for people write it; new strings, which the caller frees with g_free. */

/* "?" if the side is not known. */
char *compare_side_words(const struct compare_side *side);

/* "+1,234", "-1,234", "0", or "?". */
char *compare_difference_words(const struct compare_row *row);

/* "3620.00", "<0.01", "new" (there is nothing to divide by), "-" (0 on both sides), or "?". */
char *compare_ratio_words(const struct compare_row *row);

/* "40.22%" of the run's total, or "?". */
char *compare_share_words(const struct compare_side *side);

#endif
