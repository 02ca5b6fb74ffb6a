/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CLI_TERMINAL_H
#define EPTLAB_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Is standard output a terminal, and colour not refused? NO_COLOR refuses it, unless it is empty
 * (no-color.org).
 */
bool terminal_has_colour(void);

/* Columns of the terminal on standard output; REPORT_WIDTH if that is none. */
size_t terminal_width(void);

#endif
