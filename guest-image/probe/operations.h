/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_PROBE_OPERATIONS_H
#define EPTLAB_PROBE_OPERATIONS_H

#include <stdbool.h>

#include "reading.h"
#include "report.h"

/*
 * Does the operations of guest-image/workloads/, and counts what they exit for. Each workload runs
 * in a process of its own: first as often as at its last point, so that what is done once only is
 * done, then N, 2 N, 3 N operations, or as many as are given, with a latch before, between and
 * behind.
 *
 * names is what WORKLOAD_PARAMETER says: "fork;mmap:32;brk:8,16". False, and said why on stderr, if
 * it is not understood or there is no memory. A workload that fails is one result, and the next one
 * is done.
 */
bool operations_do(const struct reading_identity *identity, const char *names);

/*
 * The results, one frame for each interval, or one that says what went wrong:
 *
 *	operation name= n= ticks= exits=REASON:COUNT,...	reasons that were seen, ascending
 *	failed name= why=
 */
void operations_report(struct report *report, const struct reading_identity *identity);

#endif
