/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_JUDGE_RULE_RESULT_H
#define EPTLAB_JUDGE_RULE_RESULT_H

#include <stdbool.h>
#include <glib.h>

#include "record/record.h"

/* How a check says what it found. */
struct rule_result {
	enum record_check_verdict verdict;
	char *saw;	/* owned by the result */
	char *expected; /* owned by the result */
};

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

#endif
