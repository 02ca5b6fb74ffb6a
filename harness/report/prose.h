/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_REPORT_PROSE_H
#define EPTLAB_REPORT_PROSE_H

#include <glib.h>

#include "report/expectations.h"
#include "report/report.h"

/*
 * What counts show, in sentences that come from the numbers of this report and from nothing else.
 * The caller frees each text with g_free, each array with g_ptr_array_unref. Names in them are as
 * foreign as the record: escaping is the report's.
 */

/*
 * "Inputs that differ: qemu (0123456789ab -> none)." Or that this was not recorded; NULL: none
 * does, or there is one run only, or two runs of one old record.
 */
char *prose_inputs(const struct report *report);

/*
 * "ept ran with nested paging (EPT on), noept with shadow paging (EPT off)." Of more than two runs:
 * "ept ran with EPT on, VPID on; thp with EPT on, VPID on, huge pages on; ... Each is compared with
 * ept."
 */
char *prose_subject(const struct report *report);

/* "4,025 with ept, 0 with noept; expected: none with shadow paging. As expected." */
char *prose_expectation(const struct comparison *comparison, const struct expectation *one);

/*
 * How many are as expected, in one sentence; NULL if expectations is. Of a comparison of the same
 * paging there are none.
 */
char *prose_answer(const GArray *expectations);

/* The total, and what changed most beside paging: an array of char *. One run: its largest. */
GPtrArray *prose_changes(const struct comparison *comparison);

/* What was in effect in a run, by sysfs and by L2: "EPT on, VPID on, ... (L2 itself: ...)". */
char *prose_in_effect(const struct record_run *run);

/* One fact of how a report's numbers were obtained. */
struct prose_fact {
	char *name;
	char *value; /* "unknown" where it is */
};

/*
 * Platform, kernels, images, modules and costs: an array of struct prose_fact *. Of a report
 * without a comparison those of the record only.
 */
GPtrArray *prose_facts(const struct report *report);

/*
 * The lines of L1's kernel log in which KVM prints the exits of a VM that goes away ("kvm:
 * exitcount: VM ..."), as they stand there but for bytes that are not printable ASCII, each with a
 * '\n'. NULL if there is none, or no log. The caller frees it with g_free.
 */
char *report_excerpt(const char *kernel_log);

/* "busybox ls: exited with status 0, 12 bytes of output": of a command of the user's own; NULL:
 * there was none. The caller frees it.
 */
char *prose_command(const struct record_run *run);

#endif
