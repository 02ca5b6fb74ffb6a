/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_REPORT_EXCERPT_H
#define EPTLAB_REPORT_EXCERPT_H

/*
 * The lines of L1's kernel log in which KVM prints the exits of a VM that goes away ("kvm:
 * exitcount: VM ..."), as they stand there but for bytes that are not printable ASCII, each with a
 * '\n'. NULL if there is none, or no log. The caller frees it with g_free.
 */
char *report_excerpt(const char *kernel_log);

#endif
