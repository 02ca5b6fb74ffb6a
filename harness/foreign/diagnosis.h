/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_FOREIGN_DIAGNOSIS_H
#define EPTLAB_FOREIGN_DIAGNOSIS_H

#include <glib.h>

#include "foreign/counts.h"
#include "record/record.h"

/*
 * What counts tell that somebody has taken: which paging they speak for, whether two of them are a
 * sound pair, and if not, what most probably happened. Pure. Unlike a record, such counts come
 * without witnesses, so nothing but the counts is judged (rules.h is for records).
 */
enum diagnosis_verdict {
	DIAGNOSIS_SOUND,
	DIAGNOSIS_UNSOUND,
	DIAGNOSIS_UNDECIDED, /* what tells is missing: that is not sound */
};

struct diagnosis {
	enum diagnosis_verdict verdict;
	char *headline;	   /* one sentence */
	GPtrArray *story;  /* of char *: sentences with the arithmetic behind it */
	GPtrArray *checks; /* of struct record_check; run is the counts' name, NULL for the pair */
	/* What is left if one reading is taken off the other, where that means something; or NULL.
	 */
	struct foreign_counts *difference;
};

/* The caller frees the result. One reading on its own. */
struct diagnosis *diagnosis_of_one(const struct foreign_counts *counts);

/* Two readings; the first is meant to be the one with nested paging. */
struct diagnosis *diagnosis_of_pair(const struct foreign_counts *first,
				    const struct foreign_counts *second);

void diagnosis_free(struct diagnosis *diagnosis);
typedef struct diagnosis struct_diagnosis;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_diagnosis, diagnosis_free)

#endif
