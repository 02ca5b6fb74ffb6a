/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_MATRIX_PLAN_H
#define EPTLAB_MATRIX_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "record/record.h"

/*
 * A matrix: experiments that differ along axes. docs/matrix.md describes the file that asks for
 * one, results/README.md the folder RESULTS/matrix/NAME in which it is kept. Strings are owned.
 */

/* What became of a cell. */
enum matrix_state {
	MATRIX_MISSING, /* not made, or not to its end */
	MATRIX_VALID,
	MATRIX_INVALID,
	MATRIX_FAILED,
};

struct matrix_outcome {
	enum matrix_state state;
	char *reason;	/* one sentence why it is not valid, or NULL */
	char *record;	/* its name, or NULL */
	char *inputs;	/* the digest over all inputs of its runs, or NULL */
	double seconds; /* wall clock from the claim to the end */
	bool taken;	/* the record was there already */
};

struct matrix_cell {
	char *id;	       /* the same whenever the same is asked for */
	GPtrArray *axes;       /* of struct record_axis, in the file's order */
	uint64_t repeat;       /* from 1 */
	char **configurations; /* made one after the other in one boot of L1; empty: as configs/
				  says */
	char **settings;       /* "section.key=value" */
	char *excluded;	       /* why it is not to be made, or NULL */
	struct matrix_outcome outcome;
};

struct matrix {
	char *name;
	char *configs;	  /* a folder, or NULL: the usual one */
	char **overrides; /* files of settings over those, absolute */
	GPtrArray *cells; /* of struct matrix_cell, in the order in which they are made */
};

typedef struct matrix struct_matrix;
void matrix_free(struct matrix *matrix);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_matrix, matrix_free)

/* More cells than that are a mistake of the file. */
#define MATRIX_MOST 100000

/*
 * Read the file that asks for a matrix. settings ("section.key=value", NULL-terminated, may be
 * NULL) are those of all cells; an axis wins. Whether the values of axes are such that an
 * experiment takes them is for the configuration to say. EPTLAB_ERROR_USAGE.
 */
struct matrix *matrix_plan(const char *file, const char *const *settings, GError **error);

/* An empty cell; of a matrix that is none. */
struct matrix_cell *matrix_cell_new(void);
void matrix_cell_free(struct matrix_cell *cell);
void matrix_outcome_clear(struct matrix_outcome *outcome);

/* "workload=fork kernel=6.12", with " repeat=2" for a second one. The caller frees it. */
char *matrix_cell_text(const struct matrix_cell *cell);

/* "missing", "valid", "invalid", "failed". */
const char *matrix_state_name(enum matrix_state state);

#endif
