/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_COLLECT_L1_COUNTS_H
#define EPTLAB_COLLECT_L1_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <glib.h>

#include "collect/kvm_stats.h"
#include "record/record.h"

/*
 * What L1's kernel says about the exits of one VM, in texts that the agent sends as they are.
 * Each function returns an array of struct record_exit, ascending, which the caller owns. NULL with
 * EPTLAB_ERROR_L1 if the text is not what that kernel writes.
 */

/*
 * The table that KVM prints when a VM goes away, from a kernel log with whatever else is in it:
 *
 *	kvm: exitcount: VM <pid>: <total> exits
 *	kvm: exitcount: VM <pid>: <reason> <NAME> <count> <share>%
 *
 * *total is what the first line says. A log without such a table is NULL without an error; one with
 * two is an error, as nobody can tell whose exits were meant.
 */
GPtrArray *l1_counts_of_log(const char *text, size_t length, uint64_t *total, GError **error);

/*
 * The histogram exit_reasons of the series, one of KVM's statistics: a bucket a reason, as
 * asm/kvm_exit_reasons.h has it; with a 0 for each reason that has not happened, and behind them,
 * if there are any, the exits of no known reason.
 */
GPtrArray *l1_counts_of_statistic(const struct kvm_histogram *statistic, uint32_t vendor,
				  GError **error);

/*
 * A histogram of kvm:kvm_exit by exit_reason (Documentation/trace/histogram.rst): only the lines
 * "{ exit_reason: <reason> } hitcount: <count>" and the totals below. It must have dropped nothing.
 * Modifiers above bit 15 of VMX's exit reason are taken off, as they are not part of the basic one.
 */
GPtrArray *l1_counts_of_histogram(const char *text, size_t length, uint32_t vendor, GError **error);

/*
 * The same as the counts of a run (source=tracepoint): with a 0 for each defined reason that never
 * happened, and only if the histogram was stopped. One that was not goes on to the VM's end.
 */
GPtrArray *l1_counts_of_stopped_histogram(const char *text, size_t length, uint32_t vendor,
					  GError **error);

#endif
