/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_RECORD_REASONS_H
#define EPTLAB_RECORD_REASONS_H

#include <stdbool.h>
#include <stdint.h>

#include <asm/kvm_exitcount.h>

/*
 * The reasons of VM exits: on Intel the basic exit reason (SDM vol. 3, appendix C), on AMD the exit
 * code of the VMCB (APM vol. 2, appendix C), from the one table that the kernel patch, the probe
 * and the harness share. vendor is KVM_EXITCOUNT_VENDOR_*; one that is unknown is taken for VMX.
 *
 * The sections of the SDM are renumbered with each new chapter, so they are cited by their titles,
 * with the number that they have in the edition of 2023 (325462-079).
 */
#define REASON_ENUMERATOR(number, name) REASON_##name = (number),
enum reason { KVM_EXITCOUNT_VMX_REASONS(REASON_ENUMERATOR) };
#define REASON_SVM_ENUMERATOR(number, name) REASON_SVM_##name = (number),
enum reason_svm { KVM_EXITCOUNT_SVM_REASONS(REASON_SVM_ENUMERATOR) };

/* The name of a reason ("EPT_VIOLATION"), or NULL if the vendor's manual defines no such reason. */
const char *reason_name(uint32_t vendor, uint32_t reason);

/* Does the manual define it? */
bool reason_is_defined(uint32_t vendor, uint32_t reason);

/* The highest reason that is defined. */
uint32_t reason_highest(uint32_t vendor);

/* That of the CPUID instruction, and of an interrupt that is L1's own. */
uint32_t reason_of_cpuid(uint32_t vendor);
uint32_t reason_of_interrupt(uint32_t vendor);

/* No reason has this number: for a role that a vendor has no reason for. */
#define REASON_NONE UINT32_MAX

/* Which reason plays which part in paging. */
struct reason_roles {
	uint32_t page_fault; /* VMX: all exceptions */
	uint32_t violation;  /* the nested tables do not map a page */
	uint32_t cr_access;  /* VMX: of all control registers; SVM: a write to CR3 */
	uint32_t misconfig;  /* an entry of the nested tables that is invalid on purpose */
	uint32_t invlpg;
};

/* Static. */
const struct reason_roles *reason_roles(uint32_t vendor);

/* Where a paging-related reason belongs. */
enum reason_where {
	REASON_NESTED_ONLY, /* with shadow paging there is none */
	REASON_SHADOW_ONLY, /* with nested paging there is none */
	REASON_SHADOW_MORE, /* both have it, for other causes too; shadow paging adds to them */
};

/* What a reason tells about nested and shadow paging. */
struct reason_paging {
	uint32_t reason;
	enum reason_where where;
	const char *explanation; /* one line */
	const char *source;	 /* section of the SDM or APM */
};

/* The explanation of a paging-related reason (VMX: 0, 14, 28, 48, 49, 58); NULL for all others. */
const struct reason_paging *reason_paging(uint32_t vendor, uint32_t reason);

#endif
