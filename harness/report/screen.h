/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_REPORT_SCREEN_H
#define EPTLAB_REPORT_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <glib.h>

#include "record/record.h"

/* Where text for a terminal goes: width columns, ANSI escape sequences or none. */
struct screen {
	GString *out;
	size_t width;
	bool colour;
};

#define SCREEN_RED   "\033[1;31m"
#define SCREEN_GREEN "\033[1;32m"
#define SCREEN_BOLD  "\033[1m"
#define SCREEN_PLAIN "\033[0m"

/* An escape sequence, if there is colour. */
void screen_paint(const struct screen *screen, const char *sequence);

/*
 * A paragraph, made printable and broken between words. first is the indent of its first line,
 * others that of the rest. A word that is longer than a line is broken anywhere.
 */
void screen_paragraph(const struct screen *screen, size_t first, size_t others,
		      const char *foreign);

/* "WORD: title", the word in colour; a title that does not fit is a paragraph below. */
void screen_headline(const struct screen *screen, const char *sequence, const char *word,
		     const char *title);

/* A record's verdict as such a line; of one that failed, why, which may be NULL, is below. */
void screen_verdict(const struct screen *screen, enum record_verdict verdict, const char *title,
		    const char *why);

/* The decisive ones of an array of struct record_check (or NULL), below a line that says so. */
void screen_decisive_checks(const struct screen *screen, const GPtrArray *checks,
			    const char *heading);

#endif
