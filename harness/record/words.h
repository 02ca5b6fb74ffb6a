/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_RECORD_WORDS_H
#define EPTLAB_RECORD_WORDS_H

#include <stdint.h>
#include <glib.h>

#include "record/record.h"

/*
 * Numbers and words as all reports for people write them: the same in every locale. Each function
 * returns a new string that the caller frees with g_free.
 */

/* "1,234,567". */
char *words_count(uint64_t value);

/* A printf format for one double. */
char *words_double(const char *format, double value);

/* "on", "off" or "unknown"; static. */
const char *words_on_off(enum record_bool value);

/*
 * What is on and off of the two, by the vendor's words: "EPT on, VPID on"; of SVM "NPT on", as its
 * TLB is tagged by ASID always. The caller frees it.
 */
char *words_in_effect(uint32_t vendor, enum record_bool nested, enum record_bool vpid);

/* "exited with status 1", "was ended by signal 9 (Killed)": what became of a command. */
char *words_command_end(const struct record_command *command);

/* The same of a run, as L1's sysfs says; and what else was asked for in it. The caller frees it. */
char *words_run_in_effect(const struct record_run *run);

/*
 * Printable ASCII, one character for one, everything else as '?': foreign text must not reach a
 * terminal as it is. NULL is "".
 */
char *words_printable(const char *foreign);

#endif
