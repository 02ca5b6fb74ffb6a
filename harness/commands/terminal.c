/* SPDX-License-Identifier: GPL-2.0-only */
#include "commands/terminal.h"

#include <unistd.h>
#include <glib.h>

bool terminal_has_colour(void)
{
	const char *refused = g_getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) != 0 && (refused == NULL || *refused == '\0');
}
