/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_TESTS_SAMPLE_H
#define EPTLAB_TESTS_SAMPLE_H

#include "model/record.h"

/*
 * A record of an experiment in which all is right, for tests to take apart: runs "ept" and "noept",
 * not judged yet. The counts of the paging-related reasons are those that a prototype saw.
 */
struct record *sample_record(void);

/*
 * Replace a count; total, leaf_total and latch follow, as they would have in L2, and so does what
 * L1 says in its kernel log.
 */
void sample_set_count(struct record_run *run, uint32_t reason, uint64_t count);

/* The entry of a reason, which must be there. */
struct record_exit *sample_exit(struct record_run *run, uint32_t reason);

#endif
