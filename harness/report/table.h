/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_REPORT_TABLE_H
#define EPTLAB_REPORT_TABLE_H

#include "report/compare.h"
#include "report/screen.h"

/* The counts, paging-related reasons first; rows that are 0 everywhere are left out. */
void table_put(const struct screen *screen, const struct comparison *comparison);

/* The cycles, if any were counted: most exits, and the most expensive ones, are not the same. */
void table_put_cycles(const struct screen *screen, const struct comparison *comparison);

/* How to read the table: order, what was left out, what ratio and bars mean. */
void table_put_notes(const struct screen *screen, const struct comparison *comparison);

#endif
