/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_DOSES_DOSES_H
#define EPTLAB_DOSES_DOSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../probe/reading.h"
#include "wire/dose_list.h"

/*
 * The doses: each causes a known number of VM exits and no others. What that number is, and why,
 * stands in harness/judge/doses.c.
 */
struct dose {
	const char *name;
	uint64_t n; /* unless eptlab.n= says another */
	void (*give)(uint64_t n);
};

#define DOSE_NUMBER(function, name, size) DOSE_##function,
enum dose_number { DOSE_LIST(DOSE_NUMBER) DOSE_COUNT };

extern const struct dose doses[DOSE_COUNT];

/*
 * Before any dose: identity says whose reasons there are, and which leaf has their exits; foreign
 * that there is no other leaf of ours; memory_end where RAM ends, in bytes. Page tables are made
 * here, and the second CPU is started if there is one.
 */
void doses_init(const struct reading_identity *identity, bool foreign, uint64_t memory_end);

/* NULL, or why this VM cannot take so much of that dose. */
const char *doses_impossible(const struct dose *dose, uint64_t n);

/*
 * Give a little of it, so that what is done once only is done: the second shadow root of cr3, write
 * access to the page table of invlpg.
 */
void doses_rehearse(const struct dose *dose);

/* An answer of a form that the interface does not allow, found by a dose. */
struct dose_finding {
	uint32_t leaf;
	uint32_t index;
	struct reading_registers registers;
};

#define DOSE_FINDINGS_MAX 16

/* How many there have been since the last call of doses_forget; the first of them are kept. */
uint64_t doses_found(const struct dose_finding **findings);

/* What *exits exits of CPUID took at least since then, in ticks of the TSC; 0: nobody has measured.
 */
uint64_t doses_cost(uint64_t *exits);

void doses_forget(void);

#endif
