/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/error.h"

GQuark eptlab_error_quark(void)
{
	return g_quark_from_static_string("eptlab-error");
}

bool eptlab_fail(GError **error, int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (error)
		*error = g_error_new_valist(EPTLAB_ERROR, code, format, arguments);
	va_end(arguments);
	return false;
}
