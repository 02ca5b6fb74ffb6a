/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_FOREIGN_CSV_COUNTS_H
#define EPTLAB_FOREIGN_CSV_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <glib.h>

/* Is this the first line of a table of counts: "reason,...", "exit number;..."? */
bool csv_counts_is_header(const char *line);

/*
 * A table (RFC 4180, or with ';') whose first column is the exit reason. Each other column of
 * numbers is one of counts; what eptlab's own counts.csv derives from them is passed over. Returns
 * an array of struct foreign_counts, named "<name>:<heading>" if there are several; the caller owns
 * it. EPTLAB_ERROR_USAGE.
 */
GPtrArray *csv_counts_read(const char *text, size_t length, const char *name, GError **error);

#endif
