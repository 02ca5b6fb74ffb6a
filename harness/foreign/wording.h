/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_FOREIGN_WORDING_H
#define EPTLAB_FOREIGN_WORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <glib.h>

#include "base/error.h"

/*
 * How people's kernels and tools write down a count: one line, one answer. Each wording that is
 * known is a row of a table with an example; nothing else is taken for a count.
 */
enum reading_kind {
	READING_COUNT,	   /* reason: count */
	READING_UNDEFINED, /* reason: "not defined by the SDM" */
	READING_DISABLED,  /* reason: "not enabled in KVM", so its count is 0 */
	READING_TOTAL,	   /* count: of all reasons */
	READING_TABLE,	   /* count: of all reasons, and what follows is KVM's table of a VM */
};

struct reading {
	enum reading_kind kind;
	bool plain;    /* two bare numbers, which may be anything */
	uint32_t leaf; /* 0: the line does not say */
	uint32_t reason;
	uint64_t count;
	bool more_registers; /* CPUID gave something in ECX or EDX too: no leaf of counts does */
	double seconds;	     /* of the kernel log's stamp; negative: there is none */
	uint64_t line;	     /* its number in the file, from 1 */
};

/*
 * Is text (one line, without its '\n') a reading? False without an error if it is something else;
 * with EPTLAB_ERROR_USAGE if it is one with an impossible number: negative, or over 64 bits. name
 * is the file's, for the message. *reading's line must be set before.
 */
bool wording_read(const char *text, const char *name, struct reading *reading, GError **error);

/* The examples of the table, for the help and for tests; NULL ends it. Static. */
const char *const *wording_examples(void);

#endif
