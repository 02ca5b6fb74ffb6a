/* SPDX-License-Identifier: GPL-2.0-only */
#include "reading.h"

#include <cpuid.h>
#include <string.h>
#include <x86intrin.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct reading_range vmx_ranges[] = {
	{ 0, READING_VMX_REASONS - 1 },
};

static const struct reading_range svm_ranges[] = {
	{ 0, READING_SVM_LOW_LAST },
	{ READING_SVM_HIGH_FIRST, READING_SVM_HIGH_LAST },
};

static uint64_t executed;

void reading_leaf(uint32_t leaf, uint32_t index, struct reading_registers *out)
{
	executed++;
	__cpuid_count(leaf, index, out->eax, out->ebx, out->ecx, out->edx);
}

void reading_identify(struct reading_identity *out)
{
	reading_leaf(KVM_EXITCOUNT_CPUID_SIGNATURE, 0, &out->iface);
	reading_leaf(KVM_EXITCOUNT_CPUID_IN_EFFECT, 0, &out->effect);
	out->exits_leaf = KVM_EXITCOUNT_CPUID_EXITS;
	out->total_leaf = KVM_EXITCOUNT_CPUID_TOTAL_EXITS;
	if (out->effect.ebx == KVM_EXITCOUNT_VENDOR_SVM) {
		out->ranges = svm_ranges;
		out->range_count = COUNT(svm_ranges);
	} else {
		out->ranges = vmx_ranges;
		out->range_count = COUNT(vmx_ranges);
	}
}

bool reading_has_counts(const struct reading_identity *identity)
{
	return identity->iface.ebx == KVM_EXITCOUNT_SIGNATURE_EBX &&
	       identity->iface.ecx == KVM_EXITCOUNT_SIGNATURE_ECX &&
	       identity->iface.edx == KVM_EXITCOUNT_SIGNATURE_EDX;
}

/*
 * One leaf for each reason. Offset is where in its answers a reason's registers go; at most is for
 * rehearsals.
 */
static void sweep(const struct reading_identity *identity, uint32_t leaf, size_t offset,
		  size_t at_most, struct reading *out)
{
	size_t range, taken = 0;
	uint32_t reason;

	for (range = 0; range < identity->range_count; range++) {
		const struct reading_range *reasons = &identity->ranges[range];

		for (reason = reasons->first; reason <= reasons->last && taken < at_most;
		     reason++) {
			char *answers = (char *)&out->answers[taken++];

			reading_leaf(leaf, reason, (struct reading_registers *)(answers + offset));
		}
	}
}

/* Not inlined: a rehearsal must run the very same code. */
static void __attribute__((noinline))
read_leaves(const struct reading_identity *identity, enum reading_index index, size_t at_most,
	    struct reading *out)
{
	out->tsc = __rdtsc();
	reading_leaf(identity->total_leaf, 0, &out->before);
	sweep(identity, identity->exits_leaf, offsetof(struct reading_answers, live), at_most, out);
	reading_leaf(identity->total_leaf, 0, &out->after);
	reading_leaf(KVM_EXITCOUNT_CPUID_LATCH, (uint32_t)index, &out->latch);
	out->cpuids = executed;
	sweep(identity, KVM_EXITCOUNT_CPUID_LATCHED, offsetof(struct reading_answers, latched),
	      at_most, out);
	sweep(identity, KVM_EXITCOUNT_CPUID_CYCLES, offsetof(struct reading_answers, cycles),
	      at_most, out);
	reading_leaf(KVM_EXITCOUNT_CPUID_TOTAL_CYCLES, 0, &out->cycles);
}

/*
 * The first access to a page causes exits: an EPT violation, or page faults that the shadow page
 * tables need. So each page that the reading writes to or executes is used beforehand.
 */
void reading_take(const struct reading_identity *identity, enum reading_index index,
		  struct reading *out)
{
	memset(out, 0xff, sizeof(*out));
	read_leaves(identity, READING_EARLIER, 1, out);
	read_leaves(identity, index, READING_REASONS_MAX, out);
}

void reading_count(const struct reading_identity *identity, struct reading_counts *out)
{
	struct reading_registers answer;
	size_t taken = 0;

	out->tsc = __rdtsc();
	reading_leaf(KVM_EXITCOUNT_CPUID_LATCH, (uint32_t)READING_EARLIER, &answer);
	out->latched = answer.edx == 0;
	for (size_t i = 0; i < identity->range_count; i++) {
		const struct reading_range *reasons = &identity->ranges[i];

		for (uint32_t reason = reasons->first; reason <= reasons->last; reason++) {
			reading_leaf(KVM_EXITCOUNT_CPUID_LATCHED, reason, &answer);
			out->exits[taken++] = (uint64_t)answer.ebx << 32 | answer.eax;
		}
	}
}
