/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_JUDGE_FINGERPRINT_H
#define EPTLAB_JUDGE_FINGERPRINT_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

/*
 * The fingerprint of a boot: a few exits by instructions that firmware and kernel execute when they
 * set a CPU up, and hardly ever again (VMX: 29 DR_ACCESS, 46 GDTR_IDTR, 47 LDTR_TR, 54 WBINVD, 55
 * XSETBV). The same guest has the same few in each boot, whatever the paging. A counter with
 * exactly twice as many has seen two boots.
 */
enum fingerprint_verdict {
	FINGERPRINT_SAME,
	FINGERPRINT_MULTIPLE,  /* b's is factor times a's */
	FINGERPRINT_DIFFERENT, /* another guest, perhaps */
	FINGERPRINT_UNKNOWN,   /* there are fewer than two such reasons in both */
};

struct fingerprint {
	enum fingerprint_verdict verdict;
	uint64_t factor; /* if it is a multiple: 2 or more */
};

/*
 * Compare two lists of struct record_exit (before + count: since the VM's creation). WBINVD is only
 * asked to be the same, not to be a multiple: firmware executes it for a reset as well.
 */
struct fingerprint fingerprint_compare(uint32_t vendor, const GPtrArray *a, const GPtrArray *b);

/*
 * How many boots like a's b has at least: two or more of the list (WBINVD, too) are exactly so many
 * times a's, and the others are more. 0 if it is not 2 or more. For two readings of one counter, in
 * which something else may have come in between.
 */
uint64_t fingerprint_at_least(uint32_t vendor, const GPtrArray *a, const GPtrArray *b);

/*
 * "29 DR_ACCESS 2 and 4, 46 GDTR_IDTR 6 and 12, ...": those that both have; factor: only those that
 * b has exactly so many times; 0: all. The caller frees it.
 */
char *fingerprint_words(uint32_t vendor, const GPtrArray *a, const GPtrArray *b, uint64_t factor);

/*
 * The largest number that divides all of one list's; 1 if fewer than four of them are not 0, as
 * then it would tell nothing.
 */
uint64_t fingerprint_divisor(uint32_t vendor, const GPtrArray *exits);

#endif
