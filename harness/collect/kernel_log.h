/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_COLLECT_KERNEL_LOG_H
#define EPTLAB_COLLECT_KERNEL_LOG_H

#include <stddef.h>

#include "record/record.h"

/* No more findings than this are kept: one oops is enough, and a record stays small. */
#define KERNEL_LOG_FINDINGS_MAX 20

/*
 * Look through a kernel log, as dmesg prints it, for an oops, a WARN, a panic or a lockup, and put
 * into *log how many lines there were and which of them tell of one. What log held is replaced. A
 * line that merely mentions one ("traps: qemu[7] general protection fault") is not a finding.
 */
void kernel_log_scan(const char *text, size_t length, struct record_kernel_log *log);

#endif
