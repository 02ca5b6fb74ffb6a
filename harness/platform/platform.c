/* SPDX-License-Identifier: GPL-2.0-only */
#include "platform/platform.h"

static const struct platform *const platforms[] = {
	&platform_bochs,
	&platform_tcg,
	&platform_kvm,
};

/*
 * In the order in which "auto" tries them: hardware where it really nests, else what counts the
 * same each time and is the CPU that the experiment is about.
 */
static const struct platform *const automatic[] = {
	&platform_kvm,
	&platform_bochs,
};

const struct platform *const *platform_all(unsigned int *count)
{
	*count = G_N_ELEMENTS(platforms);
	return platforms;
}

/* The error is that of the last one, which needs the least. */
static const struct platform *find_automatic(const struct config *config, GError **error)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(automatic); i++) {
		bool last = i + 1 == G_N_ELEMENTS(automatic);

		if (automatic[i]->available(config, last ? error : NULL))
			return automatic[i];
	}
	return NULL;
}

const struct platform *platform_find(const struct config *config, GError **error)
{
	const char *name = config->experiment.platform;

	if (g_str_equal(name, "auto"))
		return find_automatic(config, error);
	for (unsigned int i = 0; i < G_N_ELEMENTS(platforms); i++) {
		if (g_str_equal(name, platforms[i]->name))
			return platforms[i]->available(config, error) ? platforms[i] : NULL;
	}
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_USAGE, "L0: there is no platform \"%s\"",
		    name);
	return NULL;
}
