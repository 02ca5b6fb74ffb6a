/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_REPORT_SHOW_H
#define EPTLAB_REPORT_SHOW_H

#include "record/record.h"
#include "report/screen.h"

/*
 * What there is to know of a record beside its counts, also of one that failed: how it was made,
 * each run, how many rules hold and which do not, what L1 and L2 were made of. files: the names of
 * what is in its folder, NULL-terminated; NULL: that is not at hand.
 */
void report_show(const struct screen *screen, const struct record *record, const char *title,
		 char *const *files);

#endif
