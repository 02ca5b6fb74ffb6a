/* SPDX-License-Identifier: GPL-2.0-only */
#include "l1/refuse.h"

#include "base/error.h"

bool platform_refuse(GError **error, const char *format, ...)
{
	g_autofree char *why = NULL;
	va_list args;

	va_start(args, format);
	why = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_MACHINE, "L0: %s", why);
	return false;
}

bool platform_needs(const char *const *needed, const char *purpose, GError **error)
{
	for (; *needed != NULL; needed++) {
		g_autofree char *program = g_find_program_in_path(*needed);

		if (program == NULL && !g_file_test(*needed, G_FILE_TEST_IS_REGULAR))
			return platform_refuse(error,
					       "%s is not installed, %s; run \"make deps\" as root",
					       *needed, purpose);
	}
	return true;
}
