/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/error.h"

GQuark eptlab_error_quark(void)
{
	return g_quark_from_static_string("eptlab-error");
}
