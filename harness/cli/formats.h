/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CLI_FORMATS_H
#define EPTLAB_CLI_FORMATS_H

#include <stdbool.h>
#include <glib.h>

#include "report/report.h"

/* The formats of a report, by the names that --format has for them. */
struct format {
	const char *name;
	char *(*make)(const struct report *report); /* the caller frees the text */
	const char *file; /* its name in a record; NULL for what has none */
};

/* For messages. */
#define FORMATS_NAMES                                                                              \
	"text, csv, operations (csv), statistics (csv), json, markdown, html or published"

/* Text is for the terminal on standard output. EPTLAB_ERROR_USAGE if there is no such format. */
const struct format *formats_find(const char *name, GError **error);

/* For commands that have text (also if name is NULL) and json only. EPTLAB_ERROR_USAGE. */
bool format_is_json(const char *name, bool *json, GError **error);

/* Those that each record has as a file (text as it is without a terminal); NULL name ends them. */
const struct format *formats_of_record(void);

/*
 * Is standard output a terminal, and colour not refused? NO_COLOR refuses it, unless it is empty
 * (no-color.org).
 */
bool terminal_has_colour(void);

/* Columns of the terminal on standard output; REPORT_WIDTH if that is none. */
size_t terminal_width(void);

#endif
