/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/diagnosis_checks.h"

#include <inttypes.h>

#include "judge/fingerprint.h"
#include "record/reasons.h"

static uint32_t vendor_of(const struct foreign_counts *counts)
{
	return record_run_vendor(counts->run);
}

static char *reasons_of(const struct foreign_counts *counts)
{
	const guint count = counts->run->exits->len;

	return g_strdup_printf("%u reason%s", count, count == 1 ? "" : "s");
}

#define WINDOW "a window of a run is no boot"

/* ---- Of each reading ---- */

static struct rule_result check_decisive(const struct foreign_counts *a,
					 const struct foreign_counts *b G_GNUC_UNUSED)
{
	const struct reason_roles *roles = reason_roles(vendor_of(a));
	const uint32_t needed[] = { roles->page_fault, roles->invlpg, roles->violation };
	const char *expected = "the reasons that tell nested from shadow paging";
	GString *missing = g_string_new(NULL);
	struct rule_result result;

	if (a->tool != NULL) {
		g_string_free(missing, TRUE);
		return not_applicable(WINDOW);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(needed); i++)
		if (!foreign_counts_of(a, needed[i]).known)
			g_string_append_printf(missing, "%s%" PRIu32 " %s",
					       missing->len > 0 ? ", " : "", needed[i],
					       reason_name(vendor_of(a), needed[i]));
	result = missing->len > 0 ? unknown(missing->str, expected)
				  : judged(true, reasons_of(a), expected);
	g_string_free(missing, TRUE);
	return result;
}

static struct rule_result check_alive(const struct foreign_counts *a,
				      const struct foreign_counts *b G_GNUC_UNUSED)
{
	const struct record_exit *first =
		a->run->exits->len > 0 ? g_ptr_array_index(a->run->exits, 0) : NULL;
	const char *expected = "counts that differ from reason to reason";

	if (a->tool != NULL && !a->alike)
		return not_applicable(WINDOW);
	if (first == NULL || a->run->exits->len < 2)
		return unknown("more than one reason", expected);
	if (a->alike)
		return judged(false,
			      g_strdup_printf("%" PRIu64 " for each of %u reasons", first->count,
					      a->run->exits->len),
			      expected);
	return judged(true, reasons_of(a), expected);
}

static struct rule_result check_undefined(const struct foreign_counts *a,
					  const struct foreign_counts *b G_GNUC_UNUSED)
{
	const GPtrArray *exits = a->run->exits;
	const char *expected = "no exits of a reason that the SDM does not define";

	for (guint i = 0; i < exits->len; i++) {
		const struct record_exit *one = g_ptr_array_index(exits, i);

		if (one->count > 0 && !reason_is_defined(vendor_of(a), one->reason))
			return judged(false,
				      g_strdup_printf("%" PRIu64 " of reason %" PRIu32, one->count,
						      one->reason),
				      expected);
	}
	return judged(true, g_strdup("none"), expected);
}

static struct rule_result check_cpuid(const struct foreign_counts *a,
				      const struct foreign_counts *b G_GNUC_UNUSED)
{
	const uint32_t reason = reason_of_cpuid(vendor_of(a));
	struct record_u64 cpuid = foreign_counts_of(a, reason);
	g_autofree char *expected = g_strdup_printf("more than 0 of reason %" PRIu32 " %s", reason,
						    reason_name(vendor_of(a), reason));

	if (a->tool != NULL)
		return not_applicable(WINDOW);
	if (!cpuid.known)
		return not_applicable("this reason was not asked for");
	return judged(cpuid.value > 0, g_strdup_printf("%" PRIu64, cpuid.value), expected);
}

static struct rule_result check_growing(const struct foreign_counts *a,
					const struct foreign_counts *b G_GNUC_UNUSED)
{
	const char *expected = "no count that falls";

	return a->shrinking != NULL ? judged(false, g_strdup(a->shrinking), expected)
				    : judged(true, g_strdup("none"), expected);
}

static struct rule_result check_total(const struct foreign_counts *a,
				      const struct foreign_counts *b G_GNUC_UNUSED)
{
	const uint64_t total = a->stated_total.value, sum = a->run->total.value;
	g_autofree char *expected = NULL;

	if (!a->stated_total.known || !a->run->total.known)
		return not_applicable("no total is stated");
	if (a->rounded)
		return not_applicable("some of it is rounded");
	if (a->total_first && a->run->exits->len < REASON_XRSTORS)
		return not_applicable("the parts are not all there, so they may be less");
	expected = g_strdup_printf("a total of %s %" PRIu64 ", as it was read %s the parts",
				   a->total_first ? "at most" : "at least", sum,
				   a->total_first ? "before" : "after");
	return judged(a->total_first ? total <= sum : total >= sum,
		      g_strdup_printf("%" PRIu64, total), expected);
}

static struct rule_result check_one_paging(const struct foreign_counts *a,
					   const struct foreign_counts *b G_GNUC_UNUSED)
{
	const struct reason_roles *roles = reason_roles(vendor_of(a));
	const char *expected = "exits that belong to one kind of paging";
	struct record_u64 violations = foreign_counts_of(a, roles->violation);
	struct record_u64 invlpg = foreign_counts_of(a, roles->invlpg);
	char *saw;

	switch (foreign_counts_paging(a)) {
	case PAGING_UNKNOWN:
		return unknown(a->tool != NULL ? "exits of this window that only one has; INVLPG "
						 "without page faults and CR_ACCESS may be of a "
						 "paravirtual MMU"
					       : "one of the reasons that tell",
			       expected);
	case PAGING_NEITHER:
		return judged(false, g_strdup("none of either kind"), expected);
	case PAGING_NESTED:
	case PAGING_SHADOW:
	case PAGING_BOTH:
		break;
	}
	saw = g_strdup_printf("%s %" PRIu64 ", %s %" PRIu64,
			      reason_name(vendor_of(a), roles->violation), violations.value,
			      reason_name(vendor_of(a), roles->invlpg), invlpg.value);
	return judged(foreign_counts_paging(a) != PAGING_BOTH, saw, expected);
}

/* What vmx_handle_exit() answers by itself where indirect calls are dear (RETPOLINE). */
bool diagnosis_early_missing(const struct foreign_counts *counts)
{
	static const uint32_t early[] = { REASON_EXTERNAL_INTERRUPT, REASON_HLT,
					  REASON_MSR_WRITE,	     REASON_INTERRUPT_WINDOW,
					  REASON_EPT_MISCONFIG,	     REASON_PREEMPTION_TIMER };

	if (vendor_of(counts) == KVM_EXITCOUNT_VENDOR_SVM || counts->tool != NULL || counts->alike)
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(early); i++) {
		struct record_u64 count = foreign_counts_of(counts, early[i]);

		/* The first three are in each boot. */
		if (count.value > 0 || (i < 3 && !count.known))
			return false;
	}
	/* Milliseconds, in which no interrupt comes, have fewer. */
	return !counts->run->total.known || counts->run->total.value >= 10000;
}

static struct rule_result check_early(const struct foreign_counts *a,
				      const struct foreign_counts *b G_GNUC_UNUSED)
{
	const char *expected = "exits of 1, 7, 12, 32, 49 and 52 among so many others";

	if (a->tool != NULL)
		return not_applicable(WINDOW);
	return diagnosis_early_missing(a) ? judged(false, g_strdup("all of them 0"), expected)
					  : judged(true, g_strdup("not all of them 0"), expected);
}

bool diagnosis_contradicts(const struct foreign_counts *counts)
{
	const enum foreign_claim claim = foreign_counts_claim(counts);
	const enum paging paging = foreign_counts_paging(counts);

	return (claim == CLAIM_NESTED && paging == PAGING_SHADOW) ||
	       (claim == CLAIM_SHADOW && paging == PAGING_NESTED);
}

static struct rule_result check_claim(const struct foreign_counts *a,
				      const struct foreign_counts *b G_GNUC_UNUSED)
{
	const enum foreign_claim claim = foreign_counts_claim(a);
	const enum paging paging = foreign_counts_paging(a);

	if (claim == CLAIM_NONE || (paging != PAGING_NESTED && paging != PAGING_SHADOW))
		return not_applicable("nothing above the counts says what they are");
	return judged(!diagnosis_contradicts(a), g_strdup(diagnosis_paging_words(paging)),
		      claim == CLAIM_NESTED ? "nested paging, as the words above say"
					    : "shadow paging, as the words above say");
}

/* ---- Of a pair ---- */

static struct rule_result check_leaf(const struct foreign_counts *a, const struct foreign_counts *b)
{
	if (a->leaf == 0 || b->leaf == 0)
		return not_applicable("not both name a leaf");
	return judged(a->leaf == b->leaf, g_strdup_printf("0x%X and 0x%X", a->leaf, b->leaf),
		      "both of the same leaf");
}

void diagnosis_differing(const struct foreign_counts *a, const struct foreign_counts *b,
			 guint *compared, guint *different)
{
	*compared = *different = 0;
	for (guint i = 0; i < a->run->exits->len; i++) {
		const struct record_exit *one = g_ptr_array_index(a->run->exits, i);
		struct record_u64 other = foreign_counts_of(b, one->reason);

		*compared += other.known;
		*different += other.known && other.value != one->count;
	}
}

static struct rule_result check_another(const struct foreign_counts *a,
					const struct foreign_counts *b)
{
	const char *expected = "at least one reason with two different counts";
	guint compared, different;

	diagnosis_differing(a, b, &compared, &different);
	if (compared == 0 && a->tool != NULL && b->tool != NULL)
		return not_applicable(WINDOW);
	if (compared == 0)
		return unknown("no reason is in both", expected);
	return judged(different > 0,
		      g_strdup_printf("%u of %u reasons differ", different, compared), expected);
}

const char *diagnosis_paging_words(enum paging paging)
{
	static const char *const words[] = {
		[PAGING_UNKNOWN] = "not known",	   [PAGING_NESTED] = "nested paging",
		[PAGING_SHADOW] = "shadow paging", [PAGING_BOTH] = "both in one counter",
		[PAGING_NEITHER] = "neither",
	};

	return words[paging];
}

/* A count of four digits is not the same in two boots but by chance. */
guint diagnosis_copied(const struct foreign_counts *a, const struct foreign_counts *b)
{
	guint large = 0, same = 0;

	for (guint i = 0; i < a->run->exits->len; i++) {
		const struct record_exit *one = g_ptr_array_index(a->run->exits, i);
		struct record_u64 other = foreign_counts_of(b, one->reason);

		if (!other.known || (one->count < 1000 && other.value < 1000))
			continue;
		large++;
		same += other.value == one->count;
	}
	return !a->rounded && !b->rounded && (same >= 10 || (same >= 5 && 2 * same > large)) ? same
											     : 0;
}

static struct rule_result check_copied(const struct foreign_counts *a,
				       const struct foreign_counts *b)
{
	const guint same = diagnosis_copied(a, b);

	return judged(same == 0,
		      same == 0 ? g_strdup("none or few")
				: g_strdup_printf("%u counts of four digits and more", same),
		      "no large counts that agree to the digit");
}

static struct rule_result check_two_pagings(const struct foreign_counts *a,
					    const struct foreign_counts *b)
{
	enum paging one = foreign_counts_paging(a), other = foreign_counts_paging(b);
	const char *expected = "nested paging, then shadow paging";

	if (one == PAGING_UNKNOWN || other == PAGING_UNKNOWN)
		return unknown("the paging of one of the two", expected);
	return judged(one == PAGING_NESTED && other == PAGING_SHADOW,
		      g_strdup_printf("%s, then %s", diagnosis_paging_words(one),
				      diagnosis_paging_words(other)),
		      expected);
}

static struct rule_result check_fingerprint(const struct foreign_counts *a,
					    const struct foreign_counts *b)
{
	const GPtrArray *one = a->run->exits, *other = b->run->exits;
	struct fingerprint forward = fingerprint_compare(vendor_of(a), one, other);
	struct fingerprint backward = fingerprint_compare(vendor_of(a), other, one);
	const char *expected = "no multiple of each other";

	if (a->tool != NULL || b->tool != NULL || a->rounded || b->rounded)
		return not_applicable("one of the two is no exact count of a boot");
	if (forward.verdict == FINGERPRINT_UNKNOWN)
		return not_applicable("fewer than two reasons of the boot fingerprint are in both");
	return judged(forward.verdict != FINGERPRINT_MULTIPLE &&
			      backward.verdict != FINGERPRINT_MULTIPLE,
		      fingerprint_words(vendor_of(a), one, other, 0), expected);
}

/* ---- The table ---- */

static const struct diagnosis_check checks[] = {
	{
		.name = "decisive-reasons",
		.check = check_decisive,
		.why = "Which paging a VM had is told by the exits that only one of the two has "
		       "(SDM vol. 3, \"EPT-Induced VM Exits\", \"Instructions That Cause VM Exits "
		       "Conditionally\"); reason 0 alone is no evidence.",
		.advice = "Query all reasons from 0 to 69, in one go.",
	},
	{
		.name = "counts-at-all",
		.check = check_alive,
		.why = "A KVM, or a CPU, that knows nothing of the leaf answers each reason alike: "
		       "with 0, or with the highest basic leaf (SDM vol. 2, CPUID).",
		.advice = "Is the patched module loaded (modinfo, /sys/module), is the leaf's "
			  "number right, and does the program run in the VM, not on its host?",
	},
	{
		.name = "undefined-reasons",
		.check = check_undefined,
		.why = "No VM exit has such a reason (SDM vol. 3, appendix C), so nothing can have "
		       "been counted: the array is indexed wrongly, or the number is made up.",
		.advice = "Look at how the reason becomes an index, and at its bound.",
	},
	{
		.name = "cpuid-counted",
		.check = check_cpuid,
		.why = "CPUID always exits (SDM vol. 3, \"Instructions That Cause VM Exits "
		       "Unconditionally\"), and each query of the leaf is one.",
		.advice = "The counter misses exits, or these are not the counts of the VM that "
			  "has read them.",
	},
	{
		.name = "counts-grow",
		.check = check_growing,
		.why = "A counter of exits never falls while its VM lives.",
		.advice =
			"Another VM or a reset came between the two lines; take all counts in one "
			"go.",
	},
	{
		.name = "total",
		.check = check_total,
		.why = "Counts grow while they are read, so a total that is read last cannot be "
		       "less than the sum of its parts, nor one that is read first be more.",
		.advice = "Read the total and the parts at one go, and look for a reason that is "
			  "counted twice.",
	},
	{
		.name = "one-paging",
		.check = check_one_paging,
		.why = "EPT violations exist only with EPT, and KVM intercepts INVLPG only without "
		       "(SDM vol. 3, \"EPT-Induced VM Exits\"; vmx_exec_control() in vmx.c). One "
		       "boot has one of the two.",
		.advice = "The counter ran on from one run into the next: count for each VM, or "
			  "unload both kvm-intel.ko and kvm.ko, which holds the counters, and take "
			  "the reading again.",
	},
	{
		.name = "early-exits",
		.check = check_early,
		.why = "No boot is without interrupts, timers and halts. These are what KVM "
		       "answers "
		       "before its table of handlers (vmx_handle_exit(), where CONFIG_RETPOLINE "
		       "is set; 52 and 32 on the fast path, too): a counter behind that branch "
		       "never sees them.",
		.advice = "Count where the kernel's tracepoint kvm_exit stands, in "
			  "vmx_vcpu_run(), before anything is answered.",
	},
	{
		.name = "as-claimed",
		.check = check_claim,
		.why = "The counts speak for the other kind of paging than what the words above it "
		       "say.",
		.advice = "cat /sys/module/kvm_intel/parameters/ept says what is in effect; unload "
			  "kvm_intel (no VM may run) and load it again.",
	},
	{
		.name = "same-leaf",
		.of_pair = true,
		.check = check_leaf,
		.why = "Courses number their leaves differently: counts, totals and cycles differ "
		       "by one digit.",
		.advice = "Read both with one and the same program.",
	},
	{
		.name = "another-reading",
		.of_pair = true,
		.check = check_another,
		.why = "No two boots with different paging have the same counts.",
		.advice = "One of the two is a copy of the other, or the counts are made up.",
	},
	{
		.name = "copied",
		.of_pair = true,
		.check = check_copied,
		.why = "Interrupts, timers and devices differ from boot to boot, so large counts "
		       "do "
		       "not agree to the last digit: one of the two was copied and edited.",
		.advice = "Take both readings.",
	},
	{
		.name = "two-pagings",
		.of_pair = true,
		.check = check_two_pagings,
		.why = "With EPT there are EPT violations and no INVLPG; without, the other way "
		       "round (SDM vol. 3, \"EPT-Induced VM Exits\"; vmx_exec_control() in vmx.c).",
		.advice = "cat /sys/module/kvm_intel/parameters/ept says what is in effect; unload "
			  "kvm_intel (no VM may run) and load it with ept=0.",
	},
	{
		.name = "boot-fingerprint",
		.of_pair = true,
		.check = check_fingerprint,
		.why = "29, 46, 47 and 55 come from instructions that a boot executes a fixed few "
		       "times, whatever the paging. Exactly twice as many are two boots.",
		.advice = "The counter was not reset between the boots: unload kvm.ko as well, or "
			  "count for each VM.",
	},
};

const struct diagnosis_check *diagnosis_checks(size_t *count)
{
	*count = G_N_ELEMENTS(checks);
	return checks;
}
