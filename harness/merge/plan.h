/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_MERGE_PLAN_H
#define EPTLAB_MERGE_PLAN_H

#include <stdbool.h>

#include "merge/set.h"

/*
 * The plan of a matrix, RESULTS/matrix/NAME (results/README.md): which cells there should be, and
 * which record each has.
 */
#define MERGE_PLAN "cells.json"

/* Add the paths of the records that its cells have. EPTLAB_ERROR_USAGE. */
bool merge_plan_records(const char *folder, GPtrArray *paths, GError **error);

/*
 * Put the samples of these records where their cells are; add samples for cells that are excluded,
 * missing, or failed without a record; take out those of attempts that a later one has superseded.
 * EPTLAB_ERROR_USAGE.
 */
bool merge_plan_apply(struct merge_set *set, const char *folder, GError **error);

#endif
