/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_MODEL_REASONS_H
#define EPTLAB_MODEL_REASONS_H

#include <stdbool.h>
#include <stdint.h>

#include <asm/kvm_exitcount.h>

/*
 * The basic exit reasons of VMX (SDM vol. 3, appendix C), from the one table that the kernel patch,
 * the probe and the harness share.
 *
 * The sections of the SDM are renumbered with each new chapter, so they are cited by their titles,
 * with the number that they have in the edition of 2023 (325462-079).
 */
#define REASON_ENUMERATOR(number, name) REASON_##name = (number),
enum reason { KVM_EXITCOUNT_VMX_REASONS(REASON_ENUMERATOR) };

/* The name of a reason ("EPT_VIOLATION"), or NULL if the SDM defines no such reason. */
const char *reason_name(uint32_t reason);

/* Does the SDM define it? */
bool reason_is_defined(uint32_t reason);

/* The highest reason that is defined. */
uint32_t reason_highest(void);

/* What a reason tells about nested and shadow paging. */
struct reason_paging {
	uint32_t reason;
	const char *explanation; /* one line */
	const char *source;	 /* section of the SDM */
};

/* The explanation of a paging-related reason (0, 14, 28, 48, 49, 58); NULL for all others. */
const struct reason_paging *reason_paging(uint32_t reason);

#endif
