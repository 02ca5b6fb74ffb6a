/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_FOREIGN_FORMS_H
#define EPTLAB_FOREIGN_FORMS_H

#include <stdbool.h>
#include <glib.h>

#include "foreign/reading.h"

/*
 * How people's kernels and tools write down a count: one line, one answer. Each form that is known
 * is a row of a table with an example; nothing else is taken for a count.
 */

/*
 * Add what text (one line, without its '\n', as forms_tidy() returns it) says to readings; line is
 * its number. *tool is that of the lines before, and is set by what only one tool prints. False if
 * it says nothing. What is a form with an impossible number is a reading that says what is wrong.
 * Two lines with '\n' between them are asked for an answer that stands over both, and nothing else.
 */
bool forms_read(const char *text, uint64_t line, const char **tool, GArray *readings);

/* Set *tool by what only one tool prints above its list: forms_read() does. */
void forms_mark(const char *text, const char **tool);

/* A line as one would type it: without stamps of a log, quotation marks of mail and Markdown, tags,
 * and with ASCII for other blanks, dashes and apostrophes. The caller frees it.
 */
char *forms_tidy(const char *text);

/* The examples of the table, for the help and for tests; NULL ends it. Static. */
const char *const *forms_examples(void);

/* The seconds of the kernel log's stamp in a line that is not tidied; negative if there is none. */
double forms_seconds(const char *text);

/*
 * A reason's number or name ("48", "EPT Violation (48)", "48 - EPT", "EPT_VIOLATION", "npf") into
 * reading's reason and svm_reason. False if it is none.
 */
bool forms_reason(const char *text, struct reading *reading);

/* A count, into reading's count, rounded, and wrong. */
void forms_count(const char *text, struct reading *reading);

#endif
