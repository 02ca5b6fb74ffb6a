/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_PROBE_READING_H
#define EPTLAB_PROBE_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <asm/kvm_exitcount.h>

/*
 * Reads the VM-exit counts of the VM by CPUID, and does nothing else: what is read must be what the
 * guest did, not what the reading did. Freestanding: the probe is a program under Linux, the dose
 * guest has no system at all.
 *
 * It does not judge. Where there is no such KVM it takes what the CPU answers.
 */

/*
 * The numbers of SVM's exits (AMD APM vol. 2, appendix C): those of one byte, and those that begin
 * with that of nested page faults, 0x400.
 */
#define READING_SVM_LOW_LAST   0xffU
#define READING_SVM_HIGH_FIRST 0x3feU
#define READING_SVM_HIGH_LAST  0x406U

/* Reasons behind the last of VMX that are asked for, and must be answered as not defined. */
#define READING_BEHIND 2

#define READING_VMX_REASONS (KVM_EXITCOUNT_VMX_HIGHEST + 1 + READING_BEHIND)
#define READING_SVM_REASONS                                                                        \
	(READING_SVM_LOW_LAST + 1 + READING_SVM_HIGH_LAST - READING_SVM_HIGH_FIRST + 1)
#define READING_REASONS_MAX                                                                        \
	(READING_SVM_REASONS > READING_VMX_REASONS ? READING_SVM_REASONS : READING_VMX_REASONS)

/* Reasons from first to last, both included. */
struct reading_range {
	uint32_t first;
	uint32_t last;
};

struct reading_registers {
	uint32_t eax;
	uint32_t ebx;
	uint32_t ecx;
	uint32_t edx;
};

/* Who answers, and with what in effect. */
struct reading_identity {
	struct reading_registers iface;	 /* KVM_EXITCOUNT_CPUID_SIGNATURE */
	struct reading_registers effect; /* KVM_EXITCOUNT_CPUID_IN_EFFECT */
	const struct reading_range *ranges;
	size_t range_count;
	/* The leaves that other people's kernels have elsewhere; ours unless changed afterwards. */
	uint32_t exits_leaf;
	uint32_t total_leaf;
};

/* What is said of one reason. */
struct reading_answers {
	struct reading_registers live;	  /* KVM_EXITCOUNT_CPUID_EXITS */
	struct reading_registers latched; /* KVM_EXITCOUNT_CPUID_LATCHED */
	struct reading_registers cycles;  /* KVM_EXITCOUNT_CPUID_CYCLES */
};

struct reading {
	uint64_t tsc;			 /* just before the first leaf is read */
	struct reading_registers before; /* KVM_EXITCOUNT_CPUID_TOTAL_EXITS */
	struct reading_registers after;
	struct reading_registers latch; /* KVM_EXITCOUNT_CPUID_LATCH */
	uint64_t cpuids; /* executed by this file until the latch, the latch's own included */
	struct reading_registers cycles; /* KVM_EXITCOUNT_CPUID_TOTAL_CYCLES */
	/* For the reasons in the identity's ranges, one after the other. */
	struct reading_answers answers[READING_REASONS_MAX];
};

/*
 * Input of the latch leaf. KVM does not look at it, but it stands in the kvm_cpuid tracepoint, so
 * that somebody in L1 can wait for the reading that ends it all.
 */
enum reading_index {
	READING_LAST = 0,
	READING_EARLIER = 1,
};

/* Is it a KVM that counts? Where it is not, leaves answer with whatever the CPU has. */
bool reading_has_counts(const struct reading_identity *identity);

/* Execute one CPUID, and count it in reading.cpuids of all later readings. */
void reading_leaf(uint32_t leaf, uint32_t index, struct reading_registers *out);

/* The vendor decides which reasons a reading asks for. */
void reading_identify(struct reading_identity *out);

/*
 * Read all: total, each reason, total, latch, what was frozen for each reason, cycles of each,
 * total cycles. *out is overwritten. In the interval that begins with the latch no page that the
 * reading needs is touched for the first time.
 */
void reading_take(const struct reading_identity *identity, enum reading_index index,
		  struct reading *out);

/* The exits of each reason in the identity's ranges at one instant, and the TSC just before it. */
struct reading_counts {
	uint64_t tsc;
	bool latched; /* false: KVM could not, and exits mean nothing */
	uint64_t exits[READING_REASONS_MAX];
};

/*
 * Latch, and read what was frozen: always the same instructions, and all exits of them but the
 * latch's own come after it. *out is overwritten, and must have been written to before.
 */
void reading_count(const struct reading_identity *identity, struct reading_counts *out);

#endif
