/* SPDX-License-Identifier: GPL-2.0-only */
#include "l1/platform.h"
#include "config/paths.h"

static const struct platform *const platforms[] = {
	&platform_bochs,
	&platform_tcg,
	&platform_kvm,
	&platform_local,
};

/*
 * In the order in which "auto" tries them: hardware where it really nests, else what counts the
 * same each time and is the CPU that the experiment is about. The last one is for an image of the
 * user's own, which Bochs cannot boot.
 */
static const struct platform *const automatic[] = {
	&platform_kvm,
	&platform_bochs,
	&platform_tcg,
};

const struct platform *const *platform_all(unsigned int *count)
{
	*count = G_N_ELEMENTS(platforms);
	return platforms;
}

/* The error is that of the last one that comes into question. */
static const struct platform *find_automatic(const struct config *config, const char *kernel_conf,
					     GError **error)
{
	g_autoptr(GError) last = NULL;

	for (unsigned int i = 0; i < G_N_ELEMENTS(automatic); i++) {
		if (config_has_guest(config) && !automatic[i]->takes_guest)
			continue;
		g_clear_error(&last);
		if (automatic[i]->available(config, kernel_conf, &last))
			return automatic[i];
	}
	g_propagate_error(error, g_steal_pointer(&last));
	return NULL;
}

static const struct platform *use(const struct platform *platform, const struct config *config,
				  const char *kernel_conf, GError **error)
{
	if (config_has_guest(config) && !platform->takes_guest)
		return eptlab_null(
			error, EPTLAB_ERROR_USAGE,
			"L0: the platform %s cannot boot an image of your own (guest in [l2]); "
			"take tcg, kvm or local",
			platform->name);
	return platform->available(config, kernel_conf, error) ? platform : NULL;
}

const struct platform *platform_find(const struct config *config, const char *kernel_conf,
				     GError **error)
{
	const char *name = config->experiment.platform;

	if (g_str_equal(name, "auto"))
		return find_automatic(config, kernel_conf, error);
	for (unsigned int i = 0; i < G_N_ELEMENTS(platforms); i++) {
		if (g_str_equal(name, platforms[i]->name))
			return use(platforms[i], config, kernel_conf, error);
	}
	return eptlab_null(error, EPTLAB_ERROR_USAGE, "L0: there is no platform \"%s\"", name);
}

void platform_parts_clear(struct platform_parts *parts)
{
	g_free(parts->kernel);
	g_free(parts->cmdline);
	g_free(parts->configuration);
}

bool platform_needs(const char *const *needed, const char *purpose, GError **error)
{
	for (; *needed != NULL; needed++) {
		g_autofree char *program = g_find_program_in_path(*needed);

		if (program == NULL && !g_file_test(*needed, G_FILE_TEST_IS_REGULAR))
			return platform_refuse(error, "%s is not installed, %s; %s", *needed,
					       purpose, paths_get_packages());
	}
	return true;
}
