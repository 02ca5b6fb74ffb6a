/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_MATRIX_ENGINE_H
#define EPTLAB_MATRIX_ENGINE_H

#include <stdbool.h>
#include <gio/gio.h>

#include "matrix/plan.h"

/* Who starts the workers, each of which makes one cell: "PROGRAM cell FOLDER ID". */
struct matrix_engine {
	const char *program;	 /* eptlab; a path without blanks */
	const char *folder;	 /* of the matrix, absolute */
	unsigned int jobs;	 /* cells at once, 1 or more */
	unsigned int memory_mib; /* that the largest cell needs */
	unsigned int seconds;	 /* after which a cell has gone wrong; Slurm only */
	const char *key; /* as long as it is the same, an interrupted engine goes on; a name */
	GCancellable *cancellable;
};

/* How many cells fit on this machine: by its CPUs, and by the memory that is free. */
unsigned int matrix_jobs(unsigned int memory_mib);

/*
 * Make these cells with GNU parallel, and wait. What became of them is in their outcomes. It ends
 * the workers when it is cancelled: EPTLAB_ERROR_INTERRUPTED. EPTLAB_ERROR_MACHINE.
 */
bool matrix_run_parallel(const struct matrix_engine *engine, const GPtrArray *cells,
			 GError **error);

/*
 * Submit them to Slurm as job arrays, and return their numbers, with blanks between. At most jobs
 * run at once. EPTLAB_ERROR_MACHINE, and EPTLAB_ERROR_USAGE while those that were submitted before
 * are in its queue. The caller frees it.
 */
char *matrix_submit_slurm(const struct matrix_engine *engine, const GPtrArray *cells,
			  GError **error);

/* The batch script that it submits. The caller frees it. */
char *matrix_slurm_script(const struct matrix_engine *engine, const char *name);

#endif
