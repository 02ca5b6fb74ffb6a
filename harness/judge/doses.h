/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_JUDGE_DOSES_H
#define EPTLAB_JUDGE_DOSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <glib.h>

#include "record/record.h"
#include "wire/dose_list.h"

/*
 * What each dose of guest-image/doses must cost, in VM exits between two latches, with the reason
 * why: derived from the SDM and from KVM's source (Linux 6.1), not from a measurement.
 * docs/doses.md tells it in full.
 */

/* Under which paging a cost arises. */
enum dose_paging {
	DOSE_NESTED = 1, /* EPT or NPT */
	DOSE_SHADOW = 2,
	DOSE_ANY = DOSE_NESTED | DOSE_SHADOW,
};

enum dose_bound {
	DOSE_EXACTLY,
	DOSE_AT_MOST,
};

/* A vendor has no exit of that kind. */
#define DOSE_NO_REASON UINT32_MAX

/* per_n * n + constant exits. Costs of the same reason add up. */
struct dose_cost {
	enum dose_paging paging;
	uint32_t vmx; /* the reason on Intel, and the exit code on AMD */
	uint32_t svm;
	enum dose_bound bound;
	uint64_t per_n;
	uint64_t constant;
	const char *why;    /* a clause */
	const char *source; /* sections of the SDM; functions of KVM */
};

struct dose {
	const char *name; /* "cpuid" */
	uint64_t n;	  /* its size unless eptlab.n= says another */
	const char *what; /* what it does n times */
	const struct dose_cost *costs;
	size_t cost_count; /* 0: nothing exits */
};

/* All of them, in the order in which the workload "doses" gives them. */
size_t doses_count(void);
const struct dose *doses_at(size_t index);

/* By its name, "cpuid", or the name of its workload and its reading, "dose-cpuid"; NULL for none.
 */
const struct dose *doses_find(const char *name);

/* In which VM a dose was given. */
struct dose_setting {
	uint32_t vendor;     /* KVM_EXITCOUNT_VENDOR_* */
	bool nested;	     /* EPT or NPT is in effect */
	bool invd_is_wbinvd; /* L1's CPU has one exit code for both */
};

/*
 * Is L1's CPU one that tells of INVD as WBINVD? QEMU's TCG is before 8.1: its translator has both
 * instructions in one place (disas_insn() in target/i386/tcg/translate.c), and chose the exit code
 * by bit 1 of the opcode, which is 0 in 0F 08 (INVD) and 0F 09 (WBINVD).
 */
bool dose_invd_is_wbinvd(const struct record_platform *platform);

/* What the dose must cost, of one reason. */
struct dose_expectation {
	uint64_t least;
	uint64_t most;
	const char *why; /* of the first cost of that reason; NULL: there is none */
};

struct dose_expectation dose_expect(const struct dose *dose, uint64_t n,
				    const struct dose_setting *setting, uint32_t reason);

/*
 * What in exits (of struct record_exit: the counts of the reading after the dose less those of the
 * reading before it) is not as the dose makes it: a sentence about the first such reason, which the
 * caller frees; NULL if all is right. cpuids: how many CPUIDs the reader executed between the two
 * latches, the latter's own included; 0 if they are taken off already.
 *
 * Interrupts of L1 are no part of any dose: they come when they come, and any number of them is
 * right. All other reasons must be there as often as the table says, which for most is never.
 */
char *dose_deviation(const struct dose *dose, uint64_t n, const struct dose_setting *setting,
		     uint64_t cpuids, const GPtrArray *exits);

#endif
