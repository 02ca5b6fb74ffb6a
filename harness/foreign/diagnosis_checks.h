/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_FOREIGN_DIAGNOSIS_CHECKS_H
#define EPTLAB_FOREIGN_DIAGNOSIS_CHECKS_H

#include <stdbool.h>

#include "foreign/counts.h"
#include "judge/rule_result.h"

/* Internal to diagnosis*.c: what is asked of other people's counts, one row for each question. */
struct diagnosis_check {
	const char *name;
	bool of_pair;
	/* b is NULL for what is asked of each reading. */
	struct rule_result (*check)(const struct foreign_counts *a, const struct foreign_counts *b);
	const char *why;
	const char *advice;
};

/* The table, and its length. */
const struct diagnosis_check *diagnosis_checks(size_t *count);

/* Are exits missing that KVM answers before it looks into its table of handlers? */
bool diagnosis_early_missing(const struct foreign_counts *counts);

/* Do the words above the counts say another paging than the counts do? */
bool diagnosis_contradicts(const struct foreign_counts *counts);

/* How many large counts are the same to the digit in both, if that cannot be chance; else 0. */
guint diagnosis_copied(const struct foreign_counts *a, const struct foreign_counts *b);

/* "nested paging", "both in one counter", ...: static. */
const char *diagnosis_paging_words(enum paging paging);

/* How many reasons both have, and in how many of them they differ. */
void diagnosis_differing(const struct foreign_counts *a, const struct foreign_counts *b,
			 guint *compared, guint *different);

#endif
