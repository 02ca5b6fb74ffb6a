/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_FOREIGN_READ_H
#define EPTLAB_FOREIGN_READ_H

#include <stdint.h>
#include <stdio.h>
#include <glib.h>

#include "foreign/counts.h"

/*
 * Counts that somebody has taken: a kernel log with any of the known wordings (wording.h) and
 * anything between them, the output of the cpuid program, CSV, or a record of ours. Memory is
 * bounded, whatever the file. Errors are EPTLAB_ERROR_USAGE.
 */

/* No more readings than this are looked at: a hundred sweeps of all reasons, each answer doubled.
 */
#define FOREIGN_READINGS_MAX 20000

/* CSV and records are read as a whole. */
#define FOREIGN_WHOLE_MAX (8 << 20)

/*
 * The columns of counts in a file (or a folder that is a record), as an array of struct
 * foreign_counts with one element at least, which the caller owns. path may be "-" for standard
 * input. leaf as in sweep_choose().
 */
GPtrArray *foreign_read(const char *path, uint32_t leaf, GError **error);

/* The same from a stream, which stays open; name is for messages. A record is text in it, too. */
GPtrArray *foreign_read_stream(FILE *file, const char *name, uint32_t leaf, GError **error);

#endif
