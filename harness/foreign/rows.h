/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_FOREIGN_ROWS_H
#define EPTLAB_FOREIGN_ROWS_H

#include <stdbool.h>
#include <glib.h>

#include "foreign/reading.h"

/*
 * Tables: CSV (RFC 4180, or with ';'), Markdown with and without outer pipes, columns by tabs or by
 * blanks. A heading says what a column is: reasons, names, counts, or something that was derived
 * from them; without one, the first column is the reason and each other one of numbers is counts.
 */
struct rows {
	char delimiter;	     /* of the table that the last line was in; 0: of none */
	GArray *roles;	     /* of int, for each of its columns */
	GPtrArray *headings; /* of char * */
	guint bare;	     /* how many numbers a line of numbers alone has; 0: no line is one */
};

void rows_init(struct rows *rows);
void rows_clear(struct rows *rows);

enum rows_found {
	ROWS_NOTHING, /* it is no row */
	ROWS_BLANK,   /* or the line below headings: what came before goes on */
	ROWS_HEADING,
	ROWS_READINGS,
};

/*
 * Add what text (one line, as forms_tidy() returns it) says to readings, one for each count in it;
 * line is its number, tool as in forms_read().
 */
enum rows_found rows_read(struct rows *rows, const char *text, uint64_t line, const char *tool,
			  GArray *readings);

/* The same for numbers alone, with blanks or commas between them: a reason, and two counts. */
bool rows_read_bare(struct rows *rows, const char *text, uint64_t line, GArray *readings);

/* If there were such lines, those that were taken for one number ("100 900") are two as well. */
void rows_part_bare(const struct rows *rows, GArray *readings);

#endif
