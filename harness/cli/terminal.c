/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>
#include <glib.h>

#include "report/report.h"

bool terminal_has_colour(void)
{
	const char *refused = g_getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) != 0 && (refused == NULL || *refused == '\0');
}

size_t terminal_width(void)
{
	struct winsize size = { .ws_col = 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return REPORT_WIDTH;
	return MAX(size.ws_col, REPORT_WIDTH);
}
