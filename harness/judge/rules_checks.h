/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_JUDGE_RULES_CHECKS_H
#define EPTLAB_JUDGE_RULES_CHECKS_H

#include "judge/rule_result.h"
#include "judge/rules.h"

/* Internal to rules*.c: the checks that stand in other files than the table. */

/* What L1 has counted against what L2 has read: rules_l1.c. */
struct rule_result rules_check_l1_log(const struct record_run *a);
struct rule_result rules_check_witness_leaves(const struct record_run *a);
struct rule_result rules_check_witness_end(const struct record_run *a);
struct rule_result rules_check_kvm_stats(const struct record_run *a);
struct rule_result rules_check_kvm_reasons(const struct record_run *a);

/* The first reason of which the two lists do not have the same count, in words; NULL: none. */
char *rules_first_different(const GPtrArray *ones, const char *one, const GPtrArray *others,
			    const char *other);

/* Is L2's CPU the same in both: rules_cpuid.c. */
struct rule_result rules_check_same_cpuid(const struct record_run *a, const struct record_run *b);

/* Has L2's CPU no PCID, if that was asked for: rules_cpuid.c. */
struct rule_result rules_check_pcid(const struct record_run *a);

/* What a dose must cost: rules_dose.c. */
struct rule_result rules_check_dose(const struct record_run *a);

#endif
