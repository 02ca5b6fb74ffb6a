/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CLI_OUTPUT_H
#define EPTLAB_CLI_OUTPUT_H

#include <stdbool.h>
#include <glib.h>

/* Write text to a file, whole or not at all; path NULL: to standard output. EPTLAB_ERROR_MACHINE.
 */
bool output_write(const char *path, const char *text, GError **error);

#endif
