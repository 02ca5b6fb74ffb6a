/* SPDX-License-Identifier: GPL-2.0-only */
/* What L1 has counted against what L2 has read. */
#include "judge/rules_checks.h"

#include <inttypes.h>

#include "record/reasons.h"

#define NO_WITNESS "no witness was asked for (witness in [experiment])"

/* What a counter had since the VM's creation. */
static uint64_t since_creation(const GPtrArray *exits, uint32_t reason)
{
	const struct record_exit *one = record_find_exit(exits, reason);

	return one != NULL ? one->before + one->count : 0;
}

static bool sum_of(const GPtrArray *exits, uint64_t *sum)
{
	*sum = 0;
	for (guint i = 0; i < exits->len; i++) {
		const struct record_exit *one = exits->pdata[i];

		if (__builtin_add_overflow(*sum, one->before + one->count, sum))
			return false;
	}
	return true;
}

/* The first reason whose two counts are not as they must be, in words; NULL if there is none. */
typedef bool (*accept)(uint64_t a, uint64_t b);

static bool equal(uint64_t a, uint64_t b)
{
	return a == b;
}

static bool not_more(uint64_t a, uint64_t b)
{
	return a <= b;
}

static char *first_wrong(const GPtrArray *ones, const char *one, const GPtrArray *others,
			 const char *other, const GPtrArray *reasons, accept good)
{
	for (guint i = 0; i < reasons->len; i++) {
		uint32_t reason = ((const struct record_exit *)reasons->pdata[i])->reason;
		uint64_t a = since_creation(ones, reason);
		uint64_t b = since_creation(others, reason);

		if (!good(a, b))
			return g_strdup_printf("reason %" PRIu32 ": %s %" PRIu64 ", %s %" PRIu64,
					       reason, one, a, other, b);
	}
	return NULL;
}

/* A reason that only one side has is compared with 0, whichever side that is. */
char *rules_first_different(const GPtrArray *ones, const char *one, const GPtrArray *others,
			    const char *other)
{
	char *wrong = first_wrong(ones, one, others, other, ones, equal);

	return wrong != NULL ? wrong : first_wrong(ones, one, others, other, others, equal);
}

static struct rule_result all_equal(char *different, const GPtrArray *exits, const char *expected)
{
	uint64_t sum;

	if (different != NULL)
		return judged(false, different, expected);
	if (!sum_of(exits, &sum))
		return judged(false, g_strdup("more than 64 bits of exits"), expected);
	return judged(true, g_strdup_printf("equal for each reason, %" PRIu64 " exits", sum),
		      expected);
}

struct rule_result rules_check_l1_log(const struct record_run *a)
{
	const struct record_run *run = a;
	const char *expected = "for each reason at least what L2 read, and lines that add up";
	char *wrong;
	uint64_t sum;

	if (run->l1_exits == NULL || !run->l1_total.known || run->exits == NULL)
		return unknown("the table in L1's kernel log, or the reasons", expected);
	if (!sum_of(run->l1_exits, &sum) || sum != run->l1_total.value)
		return judged(false,
			      g_strdup_printf("lines of %" PRIu64 " exits, %" PRIu64
					      " in the first line",
					      sum, run->l1_total.value),
			      expected);
	wrong = first_wrong(run->exits, "L2", run->l1_exits, "L1", run->exits, not_more);
	if (wrong != NULL)
		return judged(false, wrong, expected);
	return judged(true,
		      g_strdup_printf("%u reasons, %" PRIu64 " exits", run->l1_exits->len, sum),
		      expected);
}

struct rule_result rules_check_witness_leaves(const struct record_run *a)
{
	const struct record_witness *witness = &a->witness;
	const char *expected = "the tracepoint's count for each reason, to the exit";

	if (!witness->known)
		return not_applicable(NO_WITNESS);
	if (witness->at_latch == NULL || a->exits == NULL)
		return unknown("the histogram, or the reasons", expected);
	return all_equal(rules_first_different(a->exits, "L2", witness->at_latch, "tracepoint"),
			 witness->at_latch, expected);
}

struct rule_result rules_check_witness_end(const struct record_run *a)
{
	const struct record_witness *witness = &a->witness;
	const char *expected = "tracepoint and kernel log equal for each reason";

	if (!witness->known)
		return not_applicable(NO_WITNESS);
	if (witness->at_end == NULL || a->l1_exits == NULL)
		return unknown("the histogram or the kernel log", expected);
	return all_equal(
		rules_first_different(witness->at_end, "tracepoint", a->l1_exits, "kernel log"),
		witness->at_end, expected);
}

/*
 * KVM's statistic "exits" against hardware exits. Where real mode is emulated, which only VMX
 * without unrestricted guest does, an entry that never happened is one, too: "exits" is not less
 * then.
 */
static struct rule_result check_statistic(const struct record_run *run, uint64_t saw,
					  uint64_t hardware)
{
	g_autofree char *expected = NULL;

	if (run->l2_in_effect.unrestricted_guest ||
	    record_run_vendor(run) == KVM_EXITCOUNT_VENDOR_SVM) {
		expected = g_strdup_printf("exactly %" PRIu64, hardware);
		return judged(saw == hardware, g_strdup_printf("%" PRIu64, saw), expected);
	}
	expected = g_strdup_printf("%" PRIu64 " or more", hardware);
	if (saw < hardware)
		return judged(false, g_strdup_printf("%" PRIu64, saw), expected);
	return judged(true,
		      g_strdup_printf("%" PRIu64 ": %" PRIu64 " entries were emulated", saw,
				      saw - hardware),
		      expected);
}

/* No vCPU has run between the reading of the statistic and the table. */
struct rule_result rules_check_kvm_stats(const struct record_run *a)
{
	const struct record_statistic *exits = record_find_statistic(a->mmu.vcpu, "exits");
	g_autofree char *expected = NULL;
	uint64_t sum;

	if (!a->mmu.known)
		return not_applicable("L1 did not look at KVM's statistics");
	if (a->mmu.error != NULL)
		return unknown(a->mmu.error, "KVM's statistics");
	if (exits == NULL)
		return unknown("the statistic \"exits\"", "as many as hardware exits, or more");
	if (a->l1_total.known && a->l2_in_effect.known)
		return check_statistic(a, exits->value, a->l1_total.value);
	/* A KVM without the series has no table; what it counted until the latch is not more. */
	if (a->exits == NULL || !sum_of(a->exits, &sum))
		return unknown("the counts", "as many as hardware exits, or more");
	expected = g_strdup_printf("%" PRIu64 " or more", sum);
	return judged(exits->value >= sum, g_strdup_printf("%" PRIu64, exits->value), expected);
}

/* The same instants: the table has what the histogram has, or without one all that was counted. */
struct rule_result rules_check_kvm_reasons(const struct record_run *a)
{
	const GPtrArray *reasons = a->mmu.reasons;
	const char *expected = "KVM's statistic and the kernel log equal for each reason";
	char *different;

	if (reasons == NULL)
		return not_applicable("KVM has no statistic exit_reasons");
	if (a->l1_exits != NULL)
		return all_equal(
			rules_first_different(reasons, "statistic", a->l1_exits, "kernel log"),
			reasons, expected);
	expected = "no reason of which KVM's statistic has less than was counted";
	if (a->exits == NULL)
		return unknown("the counts", expected);
	different = first_wrong(a->exits, "counted", reasons, "statistic", a->exits, not_more);
	return judged(different == NULL, different != NULL ? different : g_strdup("none has less"),
		      expected);
}
