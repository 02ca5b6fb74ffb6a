/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_FOREIGN_LINES_H
#define EPTLAB_FOREIGN_LINES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <glib.h>

#include "model/error.h"

/* What a line of a kernel log never has: longer ones are passed over, in no memory. */
#define LINES_LONGEST 4096

/* Lines of a file that may hold anything, in bounded memory. */
struct lines {
	FILE *file;	  /* borrowed */
	const char *name; /* borrowed */
	uint64_t number;  /* of the line that was read last, from 1 */
	uint64_t passed;  /* lines that were too long, or had NUL bytes in them */
	char text[LINES_LONGEST + 1];
};

/*
 * Read the next line that is none of those into text, without its end ('\n' or "\r\n"). False at
 * the end of the file, or with EPTLAB_ERROR_USAGE if it cannot be read.
 */
bool lines_next(struct lines *lines, GError **error);

#endif
