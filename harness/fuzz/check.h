/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_FUZZ_CHECK_H
#define EPTLAB_FUZZ_CHECK_H

#include <stdbool.h>
#include <glib.h>

#include "base/error.h"
#include "record/record.h"

/* What must hold whatever came in; each function aborts if it does not. */

/*
 * A parser has accepted its input, or has refused it and said why: with an error of this program,
 * and one line fit for a terminal. code is the one that there can be, or 0 for any.
 */
void check_outcome(bool accepted, const GError *error, int code);

/* ASCII that is printable, or one of the characters in also. */
void check_printable(const char *text, const char *also);

/* CSV: each line has as many fields, and there is one at least. */
void check_table(const char *text);

/* Ascending, so no reason twice; exits may be NULL. */
void check_ascending(const GPtrArray *exits);

/*
 * Are there more than some hundreds of exits? A probe can speak of 65536 reasons in one short line,
 * and all that is made of them takes seconds then, with the sanitizers, and shows nothing new.
 */
bool check_is_long(const struct record *record);

/*
 * record.json says all that the record says: what is written can be read again, and gives the same
 * text, also from copies of its runs. Not tried with a long one.
 */
void check_round_trip(const struct record *record);

/*
 * Judge the record, check its round trip, and make every report of its runs: text is printable, CSV
 * has as many fields in each line, JSON is an object. log stands for L1's kernel log in the
 * reports, and may be NULL. A long record is judged, and no more.
 */
void check_judged(struct record *record, const char *log);

#endif
