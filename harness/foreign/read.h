/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_FOREIGN_READ_H
#define EPTLAB_FOREIGN_READ_H

#include <stdint.h>
#include <stdio.h>
#include <glib.h>

#include "foreign/counts.h"
#include "foreign/columns.h"

/*
 * Counts that somebody has taken: a kernel log or any other text with the forms that are known
 * (forms.h, rows.h) and anything between them, or a record of ours. Memory is bounded, whatever the
 * file. Errors are EPTLAB_ERROR_USAGE.
 */

/* No more readings than this are looked at: a hundred sweeps of all reasons, each answer doubled.
 */
#define FOREIGN_READINGS_MAX 20000

/* Records are read as a whole. */
#define FOREIGN_WHOLE_MAX (8 << 20)

/*
 * The columns of counts in a file (or a folder that is a record), as an array of struct
 * foreign_counts with one element at least, which the caller owns. path may be "-" for standard
 * input. layout as in columns_find().
 */
GPtrArray *foreign_read(const char *path, const struct leaf_layout *layout, GError **error);

/* The same from a stream, which stays open; name is for messages. A record is text in it, too. */
GPtrArray *foreign_read_stream(FILE *file, const char *name, const struct leaf_layout *layout,
			       GError **error);

/*
 * Keep those that are asked for, by their numbers from 1 (a 0 ends them; none: all), and put the
 * one with nested paging first if two are left and it can be told which that is. name is the
 * file's. EPTLAB_ERROR_USAGE.
 */
bool foreign_select(GPtrArray *columns, const guint *numbers, const char *name, GError **error);

/*
 * If all columns are readings of one counter, each later than the one before and of the same
 * paging, or windows of one tool, keep the last, and say so in its notes. False if they are not.
 */
bool foreign_keep_latest(GPtrArray *columns);

/*
 * Are they of one run, and does nothing say that they are not? Windows of a tool, or readings of a
 * counter that grows, with one and the same boot in it (two: by its fingerprint; more: no boots
 * are so alike).
 */
bool foreign_are_one_run(const GPtrArray *columns);

#endif
