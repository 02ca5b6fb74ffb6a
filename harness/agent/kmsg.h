/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_AGENT_KMSG_H
#define EPTLAB_AGENT_KMSG_H

#include <stdbool.h>
#include <glib.h>

/*
 * Open L1's kernel log at its end: kmsg_read gives what is logged from now on. Returns a file
 * descriptor, or -1 with EPTLAB_ERROR_L1.
 */
int kmsg_open_at_end(GError **error);

/*
 * Append to log what the kernel logged since kmsg_open_at_end or the last kmsg_read, one line a
 * record as dmesg prints it: "[seconds.microseconds] text". Records that were overwritten before
 * they could be read are said in a line of their own. EPTLAB_ERROR_L1 when the log cannot be read.
 */
bool kmsg_read(int fd, GString *log, GError **error);

#endif
