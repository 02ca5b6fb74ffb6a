/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_RECORD_EXITS_H
#define EPTLAB_RECORD_EXITS_H

#include "record/record.h"

/*
 * Exits by reason: an array of struct record_exit, ascending, no reason twice (record_exits_new
 * makes an empty one). Where it is only read, NULL is as good as an empty one.
 */

/* Add to the count of a reason, whose entry is made, under that name, if there is none. False if it
 * is more than 64 bits then: that many exits there cannot have been.
 */
bool exits_add(GPtrArray *exits, uint32_t reason, const char *name, uint64_t count);

/* The count of a reason; 0 if it is not there. */
uint64_t exits_count(const GPtrArray *exits, uint32_t reason);

/* All counts. A sum of more than 64 bits is unknown: better no total than a wrong one. */
struct record_u64 exits_sum(const GPtrArray *exits);

#endif
