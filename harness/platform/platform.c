/* SPDX-License-Identifier: GPL-2.0-only */
#include "platform/platform.h"

/* In the order in which "auto" tries them. */
static const struct platform *const platforms[] = {
	&platform_bochs,
};

const struct platform *platform_find(const char *name, GError **error)
{
	bool any = g_str_equal(name, "auto");

	for (unsigned int i = 0; i < G_N_ELEMENTS(platforms); i++) {
		bool last = i + 1 == G_N_ELEMENTS(platforms);

		if (!any && !g_str_equal(name, platforms[i]->name))
			continue;
		if (platforms[i]->available(any && !last ? NULL : error))
			return platforms[i];
		if (!any || last)
			return NULL;
	}
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_USAGE,
		    "L0: there is no platform \"%s\"; take auto or bochs", name);
	return NULL;
}
