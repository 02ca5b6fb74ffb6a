/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_JUDGE_RULES_H
#define EPTLAB_JUDGE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <glib.h>

#include "record/record.h"
#include "judge/rule_result.h"

/*
 * What must hold for counts to be believed. A rule is a row of a table; it sees one run, or two,
 * and says pass, fail, not applicable or unknown. Unknown means that data which the rule needs is
 * missing: that is never a pass, and for a rule that must be known it makes the record invalid.
 */
struct rule {
	const char *name; /* short and stable: it stands in records */
	/* Left out where no run was asked for what it is about; NULL: it is about all. */
	bool (*asked)(const struct record_run *run);
	bool must_be_known;
	bool of_leaves; /* about what L2 reads by CPUID: nothing where counts come from L1 */
	/* One of the two; that of a pair is not applicable if there is one run. */
	struct rule_result (*of_run)(const struct record_run *a);
	struct rule_result (*of_pair)(const struct record_run *a, const struct record_run *b);
	const char *why; /* with its source */
	const char *advice;
};

/* The table, and its length. */
const struct rule *rules_table(size_t *count);

/* The rule of that name, or NULL. */
const struct rule *rules_find(const char *name);

/*
 * Apply all rules to count runs, which may come from different records. Each rule is asked of each
 * run, or of the first run with each of the others. Returns an array of struct record_check in the
 * table's order; *valid says whether none of them is decisive, and no run failed: to a failed run
 * no rule is applicable. The caller owns the array (g_ptr_array_unref).
 */
GPtrArray *rules_check(const struct record_run *const *runs, size_t count, bool *valid);

/*
 * What makes two runs a pair that must not be compared, as far as it is known of them: the words of
 * the rules same-guest and same-host, or NULL. Free with g_free.
 */
char *rules_not_a_pair(const struct record_run *a, const struct record_run *b);

/*
 * Judge a record: fills in checks, and the verdict of the record and of each run (a run is invalid
 * when a rule about it alone says so). A record that has an error, or no run, or a run with an
 * error, is failed, and so is such a run.
 */
void rules_judge(struct record *record);

#endif
