/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_MODEL_RULES_CHECKS_H
#define EPTLAB_MODEL_RULES_CHECKS_H

#include <stdbool.h>

#include "model/rules.h"

/*
 * Internal to rules*.c: how a check says what it found, and the checks that stand in other files
 * than the table.
 */

/* A verdict; takes saw, copies expected. */
static inline struct rule_result rule_result_new(enum record_check_verdict verdict, char *saw,
						 const char *expected)
{
	return (struct rule_result){
		.verdict = verdict,
		.saw = saw,
		.expected = g_strdup(expected),
	};
}

static inline struct rule_result judged(bool good, char *saw, const char *expected)
{
	return rule_result_new(good ? RECORD_CHECK_PASS : RECORD_CHECK_FAIL, saw, expected);
}

static inline struct rule_result unknown(const char *missing, const char *expected)
{
	return rule_result_new(RECORD_CHECK_UNKNOWN, g_strdup(missing), expected);
}

static inline struct rule_result not_applicable(const char *because)
{
	return rule_result_new(RECORD_CHECK_NOT_APPLICABLE, g_strdup(because), "nothing");
}

/* What L1 has counted against what L2 has read: rules_l1.c. b is NULL. */
struct rule_result rules_check_l1_log(const struct rule_subject *a, const struct rule_subject *b);
struct rule_result rules_check_witness_leaves(const struct rule_subject *a,
					      const struct rule_subject *b);
struct rule_result rules_check_witness_end(const struct rule_subject *a,
					   const struct rule_subject *b);
struct rule_result rules_check_witness_vcpu(const struct rule_subject *a,
					    const struct rule_subject *b);

/* What a dose must cost: rules_dose.c. */
struct rule_result rules_check_dose(const struct rule_subject *a, const struct rule_subject *b);

#endif
