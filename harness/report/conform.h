/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_REPORT_CONFORM_H
#define EPTLAB_REPORT_CONFORM_H

#include <glib.h>

/* Marks (judge/conform.h) as text; the caller frees it. Foreign text is made printable. */

/* Test Anything Protocol, version 14 (testanything.org), with a YAML block below each "not ok". */
char *report_tap(const GPtrArray *marks);

/* A table for people, and what they say in one line. */
char *report_marks(const GPtrArray *marks);

#endif
