/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_COLLECT_PROBE_RESULT_H
#define EPTLAB_COLLECT_PROBE_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <glib.h>

#include "wire/frameset.h"
#include "record/record.h"

/*
 * What the program in L2 has read: the probe, or the dose guest. The frames of a set come in this
 * order; regs= is EAX,EBX,ECX,EDX in decimal:
 *
 *	begin proto=1 from=probe
 *	iface regs=			leaf 0x4FFFFF00
 *	effect regs=			leaf 0x4FFFFF01
 *
 * then from the probe, where leaf 0x4FFFFF00 has not the signature of a KVM that counts,
 *
 *	mark name= tsc= cpuids=		as in "reading" and "latch" below: leaf 0x4FFFFF02 was
 *					asked for, which nobody answers but L1's tracepoint sees
 *
 * else one reading or more, each
 *
 *	bad leaf= index= regs=		any number: an answer of no permitted form
 *	cost exits= ticks=		at most once: the least that a batch of exits took
 *	reading name= n= tsc=		what was done before it, how often, and the TSC
 *	total at=before regs=		leaf 0x4FFFFFFC
 *	exit first= last= live= [latched=] [cycles=]
 *					leaves 0x4FFFFFFE, 0x4FFFFF03, 0x4FFFFFFF: each
 *					reason from first to last gave these registers;
 *					without latched=: as live; without cycles=: all 0
 *	total at=after regs=		leaf 0x4FFFFFFC
 *	latch regs= cpuids=		leaf 0x4FFFFF02, and how many CPUIDs the reader
 *					had executed then, the latch's own included
 *	cycles regs=			leaf 0x4FFFFFFD
 *
 * then, if the workload was a command of the user's own, what became of it, and what it has printed
 * (wire/command.h),
 *
 *	command end= value= full=
 *	output data=
 *
 * then, in any number, what operations of L2's Linux have caused between two latches, those of a
 * workload in the order of their points,
 *
 *	operation name= n= ticks= exits=REASON:COUNT,...
 *	failed name= why=		there are no points of that workload
 *
 * and at last
 *
 *	cpuid data=			any number: which CPU L2 has, packed (wire/cpuid_walk.h), in
 *					base64 without its '='; the dose guest does not say it
 *	end frames=N
 *
 * A reading executes CPUID in this order: total, live for each reason, total, latch, latched for
 * each reason, cycles for each reason, total cycles.
 *
 * Anything else is an error, EPTLAB_ERROR_L2. What the registers say is not judged here: a kernel
 * that answers nonsense was still measured, and rules.h says what is wrong with it.
 */
typedef struct probe_result probe_result;

/* The name of the first reading where there are several: what follows happened after it. */
#define PROBE_START "start"

struct probe_registers {
	uint32_t eax, ebx, ecx, edx;
};

/* Consecutive reasons that answered alike. */
struct probe_range {
	uint32_t first, last;
	struct probe_registers live, latched, cycles;
};

/* An answer in no form that is permitted. */
struct probe_bad {
	uint32_t leaf, index;
	struct probe_registers answer;
};

struct probe_reading {
	char *name;
	uint64_t n;   /* size of the dose before it; 0 for none */
	uint64_t tsc; /* just before the first leaf was read */
	GArray *bad;  /* of struct probe_bad */
	struct record_cost cost;
	struct probe_registers before, after, latch, cycles;
	uint64_t cpuids; /* executed up to and including the latch */
	GArray *ranges;	 /* of struct probe_range, ascending */
};

/* An empty result; free with probe_result_free. */
probe_result *probe_result_new(void);
void probe_result_free(probe_result *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(probe_result, probe_result_free)

/*
 * Take the next frame. A frameset_func: give it to frameset_new with the probe_result as data.
 */
bool probe_result_add(const struct frame *frame, void *result, GError **error);

/* Has the end frame been taken? */
bool probe_result_is_complete(const probe_result *result);

/* A whole set of frames from memory (the file probe.frames); NULL with an error if refused. */
probe_result *probe_result_parse(const void *frames, size_t length, GError **error);

/*
 * The readings, in order: of struct probe_reading, owned by the result. There is none where KVM
 * does not count.
 */
const GPtrArray *probe_result_readings(const probe_result *result);

/* What the command has printed, owned by the result; empty if there was none. */
const GString *probe_result_output(const probe_result *result);

/* Which answer of a reading is meant. */
enum probe_leaf {
	PROBE_LIVE,
	PROBE_LATCHED,
};

/*
 * The counts of a reading, for each reason that was answered with one, as an array of struct
 * record_exit (before is 0; cycles are known if with_cycles). The caller owns it.
 */
GPtrArray *probe_reading_exits(const struct probe_reading *reading, enum probe_leaf leaf,
			       uint32_t vendor, bool with_cycles);

/* How many reasons it asked for. */
uint32_t probe_reading_asked(const struct probe_reading *reading);

/*
 * Put what was read into a run: interface, cpuid, l2_in_effect, leaf_total, latch, exits, total,
 * undefined, malformed, operations and command, but for its line. What the run had there is
 * replaced. The result must be complete. Without a reading nothing is known but the interface.
 *
 * Counts are those of the latch where the KVM has one, else the live ones. With several readings
 * they are those of the last one less those of the first: what the workload has caused.
 */
void probe_result_store(const probe_result *result, struct record_run *run);

#endif
