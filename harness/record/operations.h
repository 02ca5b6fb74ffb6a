/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_RECORD_OPERATIONS_H
#define EPTLAB_RECORD_OPERATIONS_H

#include "record/record.h"

/*
 * What one operation costs: the slope of a line through its points, by least squares. What is there
 * at each point, such as the reading itself, is the line's constant and falls out.
 */
struct operation_fit {
	bool known;	 /* there are two points with different n, at least */
	double per_op;	 /* slope; 0 if nothing was seen */
	double residual; /* how far the worst point is off the line, in what is counted */
};

/* Exits of one reason, of all reasons together, and ticks of L2's time-stamp counter. */
struct operation_fit operation_exits(const struct record_operation *operation, uint32_t reason);
struct operation_fit operation_total(const struct record_operation *operation);
struct operation_fit operation_ticks(const struct record_operation *operation);

/* The operation of a run by its workload's name, or NULL. */
const struct record_operation *operation_find(const struct record_run *run, const char *workload);

/* Reasons that any point of it has, ascending; the caller frees it. */
GArray *operation_reasons(const struct record_operation *operation);

#endif
