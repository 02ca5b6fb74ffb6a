/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_FOREIGN_DIAGNOSIS_CHECKS_H
#define EPTLAB_FOREIGN_DIAGNOSIS_CHECKS_H

#include <stdbool.h>

#include "foreign/diagnosis.h"
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

/* A reason's count; unknown if it was not asked for. */
struct record_u64 diagnosis_count(const struct foreign_counts *counts, uint32_t reason);

/* "nested paging", "both in one counter", ...: static. */
const char *diagnosis_paging_words(enum paging paging);

/* How many reasons both have, and in how many of them they differ. */
void diagnosis_differing(const struct foreign_counts *a, const struct foreign_counts *b,
			 guint *compared, guint *different);

#endif
