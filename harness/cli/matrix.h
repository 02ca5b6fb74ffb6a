/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CLI_MATRIX_H
#define EPTLAB_CLI_MATRIX_H

#include "cli/experiment.h"
#include "cli/session.h"

/* Make the experiment of a cell, or find it made. Returns as experiment_run does. */
typedef int (*cell_maker)(struct session *session, const struct record_cell *cell,
			  struct experiment_made *made, GError **error);

/*
 * What a worker of a matrix does with its arguments FOLDER and ID: claims the cell, has it made,
 * and writes what became of it. All that is printed meanwhile goes to cells/ID.log; one line to
 * standard output says how it went.
 */
int cell_work(int argc, char **argv, cell_maker make, GError **error);

#endif
