/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_FOREIGN_NUMBER_H
#define EPTLAB_FOREIGN_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A number as people write it, whole: 1258701, 1,258,701 (also with blanks, apostrophes or
 * underscores, which stand in threes), 0xbbb, 13.7M. *rounded is set for what has been rounded
 * (k, M, G, an exponent, "~"). NULL, or what is wrong with it as a sentence, which the caller
 * frees.
 */
char *number_read(const char *text, uint64_t *value, bool *rounded);

/* Does a pattern, which is a constant of the program, fit? It is compiled once. */
bool number_fits(const char *pattern, const char *text);

/* text without all that fits; the caller frees it. */
char *number_without(const char *pattern, const char *text);

#endif
