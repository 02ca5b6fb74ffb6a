/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_FOREIGN_READING_H
#define EPTLAB_FOREIGN_READING_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

/* What one line, or one cell of a table, says about exits. */
enum reading_kind {
	READING_COUNT,	   /* reason: count */
	READING_UNDEFINED, /* reason: "not defined by the SDM" */
	READING_DISABLED,  /* reason: "not enabled in KVM", so its count is 0 */
	READING_TOTAL,	   /* count: of all reasons */
	READING_TABLE,	   /* count: of all reasons, and what follows is KVM's table of a VM */
};

/* How it is written. Those of one class belong together. */
enum reading_class {
	READING_WORDS,
	READING_REGISTERS, /* as the program cpuid prints them */
	READING_CELLS,
	READING_PLAIN,	  /* bare numbers, which may be anything */
	READING_SENTENCE, /* in prose, which quotes what a list has */
};

struct reading {
	enum reading_kind kind;
	enum reading_class class;
	const char *tool; /* static: it is of a window of time that this has watched; or NULL */
	uint32_t leaf;	  /* 0: the line does not say */
	uint32_t reason;
	uint32_t svm_reason; /* what its name means on AMD; REASON_NONE: nothing, or a number stands
			      * there. reason is REASON_NONE if it means nothing on Intel.
			      */
	uint32_t part;	     /* of a thread, or a vCPU: different parts add up; 0: the whole */
	guint column;	     /* of a table, from 0 */
	uint64_t count;
	bool rounded;	     /* "13.7M" */
	bool spaced;	     /* "100 900", which is two numbers where there are two columns */
	bool begins;	     /* headings stand between it and the one before it */
	bool more_registers; /* CPUID gave something in ECX or EDX too */
	double seconds;	     /* of the kernel log's stamp; negative: there is none */
	uint64_t line;	     /* its number in the file, from 1 */
	char *title;	     /* the words that stand between it and the one before it, or NULL */
	char *heading;	     /* of its column, or NULL */
	char *wrong;	     /* a number in it that cannot be, as a sentence; or NULL */
};

/* Is it about a reason? */
static inline bool reading_is_answer(const struct reading *reading)
{
	return reading->kind == READING_COUNT || reading->kind == READING_UNDEFINED ||
	       reading->kind == READING_DISABLED;
}

/* An array of struct reading, which owns what they point to. */
GArray *readings_new(void);

#endif
