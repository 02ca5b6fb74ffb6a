/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_MATRIX_COST_H
#define EPTLAB_MATRIX_COST_H

#include <glib.h>

#include "record/record.h"

/* What a cell is to be, as far as it decides about what it costs. All is borrowed. */
struct matrix_kind {
	const char *id;	      /* of the cell */
	const char *platform; /* "auto" fits any */
	const char *kernel;   /* line; "" fits any */
	const char *workload;
	char **operations; /* as configuration has them: "fork", "fork:8", "none" alone */
	unsigned int runs;
};

/* The newest valid records of a results folder, as far as it makes sense to read them. */
GPtrArray *matrix_cost_records(const char *results);

/*
 * What a cell takes, wall clock, by the valid records that are most like it, a run as much as
 * another: the median of those. Negative: there is none of that platform.
 */
double matrix_expect(const GPtrArray *records, const struct matrix_kind *kind);

/* The median of at least one number, whose order changes; of two in the middle the lower one. */
double matrix_median(GArray *numbers);

#endif
