/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_FOREIGN_COUNTS_H
#define EPTLAB_FOREIGN_COUNTS_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "base/error.h"
#include "record/record.h"

/* The leaf that courses assign for the count of one reason. */
#define FOREIGN_LEAF 0x4FFFFFFEu

/* What the words above counts, or their heading, say about the paging. */
enum foreign_claim {
	CLAIM_NONE,
	CLAIM_NESTED,
	CLAIM_SHADOW,
};

/* One column of counts that somebody has taken, and what was found about how. */
struct foreign_counts {
	char *name;		/* of the file, with ":<run>" if it has several */
	struct record_run *run; /* exits, undefined and total; the rest if a record was read */
	uint32_t leaf;		/* that the file names; 0: none */
	guint column;		/* of a table, from 0 */
	int written;		/* as what: enum reading_class */
	bool ascending;		/* no reason is less than the one before it */
	uint64_t line;		/* where it begins; 0 if it has no lines */
	char *title, *heading;	/* the words above, and the column's; or NULL */
	const char *tool;	/* static: a window of time that this has watched; NULL: a boot */
	bool whole_life;	/* the kernel's own list of a VM: all exits that it has had */
	bool more_registers;	/* CPUID gave more than a count */
	bool rounded;		/* some count was */
	bool less;		/* those of a baseline have been taken off */
	bool alike;		/* several reasons, and one and the same count for each */
	char *shrinking;	/* a count that fell from one query to its repetition, or NULL */
	struct record_u64 stated_total; /* a total that the file states */
	bool total_first;		/* it was read before the reasons */
	GPtrArray *notes;		/* of char *: sentences on what was taken, and what not */
};

/* Which paging do counts speak for? */
enum paging {
	PAGING_UNKNOWN, /* a reason that tells is missing */
	PAGING_NESTED,
	PAGING_SHADOW,
	PAGING_BOTH,	/* exits that only nested, and exits that only shadow paging has */
	PAGING_NEITHER, /* none of either */
};

enum paging foreign_counts_paging(const struct foreign_counts *counts);

/* A reason's count; unknown if it was not asked for. */
struct record_u64 foreign_counts_of(const struct foreign_counts *counts, uint32_t reason);

/* May both be of one counter, and "to" the later one: no count is less than in "from"? */
bool foreign_counts_may_grow(const struct foreign_counts *from, const struct foreign_counts *to);

/* "without ept", "ept=1", "Shadow"; text may be NULL. */
enum foreign_claim foreign_claim(const char *text);
enum foreign_claim foreign_counts_claim(const struct foreign_counts *counts);

/* The heading, else the words above, else "sweep <number>"; no ':' or '/' is in it. The caller
 * frees it. */
char *foreign_counts_label(const struct foreign_counts *counts, guint number);

struct foreign_counts *foreign_counts_new(const char *name);
void foreign_counts_free(struct foreign_counts *counts);
typedef struct foreign_counts struct_foreign_counts;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_foreign_counts, foreign_counts_free)

/* An array of struct foreign_counts, which it owns. */
GPtrArray *foreign_columns_new(void);

/* Add a sentence to the notes; takes it. */
void foreign_counts_note(struct foreign_counts *counts, char *note);

/* Add a reason's count, with its name. A reason that is there already is replaced. */
void foreign_counts_set(struct foreign_counts *counts, uint32_t reason, uint64_t count);

/* Add the reasons up (total is unknown if that is more than 64 bits), and set alike. */
void foreign_counts_finish(struct foreign_counts *counts);

/*
 * What remains of counts without those of baseline, for each reason that both have; the others are
 * in a note. EPTLAB_ERROR_USAGE if baseline has more of a reason: it is no earlier reading of the
 * same counter then.
 */
struct foreign_counts *foreign_counts_less(const struct foreign_counts *counts,
					   const struct foreign_counts *baseline, GError **error);

#endif
