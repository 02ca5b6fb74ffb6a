/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_BASE_EACH_H
#define EPTLAB_BASE_EACH_H

#include <stdbool.h>
#include <glib.h>

/*
 * "each (const struct record_run, run, record->runs)": run is each element in turn of a GPtrArray
 * of pointers to that type; each_value the same for a GArray, whose elements run then points at.
 * NULL is as good as an empty array. The array must not grow meanwhile.
 */
/* NOLINTBEGIN(bugprone-macro-parentheses): a type, or a name that is declared, has none. */
/* clang-format off */
#define each(type, one, array)                                                                     \
	for (type *one, **one##_at = (array) != NULL ? (type **)(array)->pdata : NULL;             \
	     one##_at != NULL && one##_at < (type **)(array)->pdata + (array)->len &&              \
	     (one = *one##_at, true);                                                              \
	     one##_at++)
/* clang-format on */

#define each_value(type, one, array)                                                               \
	for (type *one = (array) != NULL ? (type *)(void *)(array)->data : NULL;                   \
	     one != NULL && one < (type *)(void *)(array)->data + (array)->len; one++)
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
