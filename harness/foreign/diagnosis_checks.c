/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/diagnosis_checks.h"

#include <inttypes.h>

#include "judge/fingerprint.h"
#include "record/reasons.h"

static uint32_t vendor_of(const struct foreign_counts *counts)
{
	return record_run_vendor(counts->run);
}

struct record_u64 diagnosis_count(const struct foreign_counts *counts, uint32_t reason)
{
	const struct record_exit *one = record_find_exit(counts->run->exits, reason);

	return one != NULL ? record_u64_from(one->count) : (struct record_u64){ .known = false };
}

/* ---- Of each reading ---- */

static struct rule_result check_decisive(const struct foreign_counts *a,
					 const struct foreign_counts *b G_GNUC_UNUSED)
{
	const struct reason_roles *roles = reason_roles(vendor_of(a));
	const uint32_t needed[] = { roles->page_fault, roles->invlpg, roles->violation };
	const char *expected = "the reasons that tell nested from shadow paging";
	GString *missing = g_string_new(NULL);
	struct rule_result result;

	for (size_t i = 0; i < G_N_ELEMENTS(needed); i++)
		if (!diagnosis_count(a, needed[i]).known)
			g_string_append_printf(missing, "%s%" PRIu32 " %s",
					       missing->len > 0 ? ", " : "", needed[i],
					       reason_name(vendor_of(a), needed[i]));
	result = missing->len > 0 ? unknown(missing->str, expected)
				  : judged(true, g_strdup_printf("%u reasons", a->run->exits->len),
					   expected);
	g_string_free(missing, TRUE);
	return result;
}

static struct rule_result check_alive(const struct foreign_counts *a,
				      const struct foreign_counts *b G_GNUC_UNUSED)
{
	const struct record_exit *first =
		a->run->exits->len > 0 ? g_ptr_array_index(a->run->exits, 0) : NULL;
	const char *expected = "counts that differ from reason to reason";

	if (first == NULL || a->run->exits->len < 2)
		return unknown("more than one reason", expected);
	if (a->alike)
		return judged(false,
			      g_strdup_printf("%" PRIu64 " for each of %u reasons", first->count,
					      a->run->exits->len),
			      expected);
	if (a->more_registers)
		return judged(false, g_strdup("ECX or EDX is not 0"), "a count in EAX and EBX");
	return judged(true, g_strdup_printf("%u reasons", a->run->exits->len), expected);
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
	struct record_u64 cpuid = diagnosis_count(a, reason);
	g_autofree char *expected = g_strdup_printf("more than 0 of reason %" PRIu32 " %s", reason,
						    reason_name(vendor_of(a), reason));

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
	struct record_u64 violations = diagnosis_count(a, roles->violation);
	struct record_u64 invlpg = diagnosis_count(a, roles->invlpg);
	char *saw;

	switch (diagnosis_paging(a)) {
	case PAGING_UNKNOWN:
		return unknown("one of the reasons that tell", expected);
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
	return judged(diagnosis_paging(a) != PAGING_BOTH, saw, expected);
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
		struct record_u64 other = diagnosis_count(b, one->reason);

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

static struct rule_result check_two_pagings(const struct foreign_counts *a,
					    const struct foreign_counts *b)
{
	enum paging one = diagnosis_paging(a), other = diagnosis_paging(b);
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

	if (forward.verdict == FINGERPRINT_UNKNOWN)
		return not_applicable("fewer than two reasons of the boot fingerprint are in both");
	return judged(forward.verdict != FINGERPRINT_MULTIPLE &&
			      backward.verdict != FINGERPRINT_MULTIPLE,
		      fingerprint_words(vendor_of(a), one, other), expected);
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
