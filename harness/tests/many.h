/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_TESTS_MANY_H
#define EPTLAB_TESTS_MANY_H

#include "record/record.h"

/* Records that nobody has measured, for what reads many of them. */

/*
 * A sound record of that kernel line and platform in FOLDER/NAME; noept has so many exits by
 * exceptions, in all and for each of three operations more: "fork" as many, "mmap" half of it.
 */
struct record *many_record(const char *line, const char *platform, uint64_t exceptions);
void many_put(const char *folder, const char *name, const struct record *record);

/*
 * So many records in a folder: of 5 lines, 2 platforms and 10 sizes of L2, the rest repeats, which
 * differ.
 */
void many_records(const char *folder, unsigned int count);

#endif
