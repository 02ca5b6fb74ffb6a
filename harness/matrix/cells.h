/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_MATRIX_CELLS_H
#define EPTLAB_MATRIX_CELLS_H

#include <stdbool.h>
#include <glib.h>

#include "matrix/plan.h"

/*
 * The folder of a matrix, RESULTS/matrix/NAME (results/README.md): the plan, what became of each
 * cell, and who is at work. A lock is an flock on a file that is open for writing, which NFS hands
 * on to its server: it holds for all machines that share the folder, and goes with its process.
 */

/* RESULTS/matrix/NAME. The caller frees it. */
char *matrix_folder(const char *results, const char *name);

/*
 * Make the folder if need be, and lock it for one that plans and starts cells. Returns the
 * descriptor, to be closed at the end; -1: EPTLAB_ERROR_MACHINE if it cannot be written or has no
 * locks, EPTLAB_ERROR_USAGE if another one has it.
 */
int matrix_lock(const char *folder, GError **error);

/* Write the plan, whole or not at all. EPTLAB_ERROR_MACHINE. */
bool matrix_save(const struct matrix *matrix, const char *folder, GError **error);

/* Read it; outcomes are not. EPTLAB_ERROR_USAGE. */
struct matrix *matrix_load(const char *folder, GError **error);

/* The cell of that id. EPTLAB_ERROR_USAGE. */
struct matrix_cell *matrix_find(const struct matrix *matrix, const char *id, GError **error);

/*
 * Claim a cell for this process, and wait until whoever has it is through. Returns the descriptor;
 * the claim ends when that is closed, also by a kill. -1: EPTLAB_ERROR_MACHINE.
 */
int matrix_claim(const char *folder, const char *id, GError **error);

/* What became of a cell; missing if nothing is known. */
void matrix_read_outcome(const char *folder, struct matrix_cell *cell);

/* Write it, whole or not at all. EPTLAB_ERROR_MACHINE. */
bool matrix_write_outcome(const char *folder, const struct matrix_cell *cell, GError **error);

/* The cell is to be made again: forget what became of it. EPTLAB_ERROR_MACHINE. */
bool matrix_forget(const char *folder, const struct matrix_cell *cell, GError **error);

/* A file of the cell, "FOLDER/cells/ID.log". The caller frees it. */
char *matrix_cell_file(const char *folder, const char *id, const char *suffix);

#endif
