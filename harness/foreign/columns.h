/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_FOREIGN_COLUMNS_H
#define EPTLAB_FOREIGN_COLUMNS_H

#include <glib.h>

#include "foreign/counts.h"
#include "foreign/leaves.h"
#include "foreign/reading.h"

/*
 * The sweeps of a file in its order, as an array of struct foreign_counts, which the caller owns;
 * readings (in the file's order) are changed. name is the file's. If there is no whole one, all
 * answers make one. EPTLAB_ERROR_USAGE if there is none, or a number in one is wrong.
 */
GPtrArray *columns_find(GArray *readings, const struct leaf_layout *layout, const char *name,
			GError **error);

/* The error that there is no count in a file. Returns NULL. */
GPtrArray *columns_none(const char *name, GError **error);

#endif
