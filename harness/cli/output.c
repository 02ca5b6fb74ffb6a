/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/output.h"

#include <stdio.h>

#include "base/error.h"

bool output_write(const char *path, const char *text, GError **error)
{
	g_autoptr(GError) cause = NULL;

	if (path == NULL) {
		fputs(text, stdout);
		return true;
	}
	return g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644,
					&cause) ||
	       eptlab_fail(error, EPTLAB_ERROR_MACHINE, "L0: %s", cause->message);
}
