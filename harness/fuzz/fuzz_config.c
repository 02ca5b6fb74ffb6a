/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configuration files. The parts of the input, with a byte 0x1e (ASCII's record separator) between
 * them: a file ept.conf that is a whole configuration, an override, and settings.
 */
#include "fuzz/check.h"
#include "fuzz/fuzz.h"
#include "fuzz/mutate.h"

#include <stdlib.h>
#include <string.h>
#include <glib/gstdio.h>

#include "config/config.h"

#define SEPARATOR    0x1e
#define SETTINGS_MAX 8

static char *folder, *file, *override;

static void remove_folder(void)
{
	g_unlink(file);
	g_unlink(override);
	g_rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc G_GNUC_UNUSED, char ***argv G_GNUC_UNUSED)
{
	folder = g_dir_make_tmp("fuzz-config-XXXXXX", NULL);
	g_assert_nonnull(folder);
	file = g_build_filename(folder, "ept.conf", NULL);
	/* Not one of the folder's files. */
	override = g_build_filename(folder, "override", NULL);
	atexit(remove_folder);
	return 0;
}

/* ---- What is accepted is complete and in range ---- */

static void check_path(const char *path)
{
	g_assert_true(*path == '\0' || g_path_is_absolute(path));
}

static void check_name(const char *name)
{
	g_assert_true(*name != '\0' && *name != '-' && *name != '.' && strchr(name, '/') == NULL);
}

static void check_configurations(const struct config *config)
{
	const struct config_experiment *experiment = &config->experiment;
	const guint count = g_strv_length(experiment->configurations);

	g_assert_cmpuint(count, >, 0);
	for (guint i = 0; i < count; i++) {
		const struct config_module *module =
			config_find_module(config, experiment->configurations[i]);
		bool fits = i == 0;

		g_assert_nonnull(module);
		/* Each differs in one thing from one before it. */
		for (guint j = 0; j < i; j++)
			fits |= config_changes(
					config_find_module(config, experiment->configurations[j]),
					module) <= 1;
		g_assert_true(fits);
	}
}

static void check_config(const struct config *config)
{
	const char *const paths[] = { config->l2.kernel,       config->l2.doses,
				      config->l2.image,	       config->l2.probe,
				      config->l1.modules,      config->conform.kernel,
				      config->conform.modules, config->l2.guest,
				      config->local.modules };

	for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
		check_path(paths[i]);
	check_name(config->experiment.workload);
	check_name(config->bochs.cpu);
	check_configurations(config);
	for (char **run = config->conform.runs; *run != NULL; run++)
		check_name(*run);
	g_assert_cmpuint(config->experiment.n, <=, UINT32_MAX);
	g_assert_true(config->l2.vcpus >= 1 && config->l2.vcpus <= 64);
	g_assert_true(config->l2.memory_mib >= 32 && config->bochs.memory_mib <= 2048);
	g_assert_true(config->l2.timeout_seconds > 0 && config->bochs.timeout_seconds > 0);
	g_assert_cmpuint(strlen(config->l2.append), <=, 512);
}

/* ---- One input ---- */

/* What stands before the next separator, which is taken off with it. */
static size_t next_part(const char **text, size_t *size)
{
	const char *end = memchr(*text, SEPARATOR, *size);
	size_t length = end != NULL ? (size_t)(end - *text) : *size;

	*text += length + (end != NULL);
	*size -= length + (end != NULL);
	return length;
}

static void write_part(const char *path, const char *text, size_t size)
{
	FILE *out = g_fopen(path, "w");

	g_assert_nonnull(out);
	g_assert_cmpuint(fwrite(text, 1, size, out), ==, size);
	g_assert_cmpint(fclose(out), ==, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *part = text;
	const char *overrides[] = { NULL, NULL };
	g_auto(GStrv) settings = g_new0(char *, SETTINGS_MAX + 1);
	g_autoptr(struct_config) config = NULL;
	g_autoptr(GError) error = NULL;
	size_t length = next_part(&text, &size);

	write_part(file, part, length);
	if (size > 0) {
		part = text;
		length = next_part(&text, &size);
		write_part(override, part, length);
		overrides[0] = override;
	}
	for (size_t i = 0; i < SETTINGS_MAX && size > 0; i++) {
		part = text;
		length = next_part(&text, &size);
		settings[i] = g_strndup(part, length);
	}
	config = config_load(folder, overrides, (const char *const *)settings, &error);
	check_outcome(config != NULL, error, EPTLAB_ERROR_USAGE);
	if (config != NULL)
		check_config(config);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	return mutate_values(data, size, max, seed);
}
