/* SPDX-License-Identifier: GPL-2.0-only */
#include "grade/settings.h"

#include <math.h>
#include <string.h>

#define SECONDS_MAX 86400

static void points_clear(void *data)
{
	g_free(((struct grade_points *)data)->name);
}

/* EPTLAB_ERROR_USAGE, in one line: names and values are as foreign as the file. */
static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool refuse(GError **error, const char *format, ...)
{
	g_autofree char *text = NULL;
	g_autofree char *valid = NULL;
	g_autoptr(GString) line = g_string_new(NULL);
	va_list arguments;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	valid = g_utf8_make_valid(text, -1);
	for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
		const gunichar c = g_utf8_get_char(at);

		g_string_append_unichar(line, g_unichar_iscntrl(c) ? '?' : c);
	}
	return eptlab_fail(error, EPTLAB_ERROR_USAGE, "%s", line->str);
}

static bool wrong(const char *path, const char *section, const char *key, const char *expected,
		  GError **error)
{
	return refuse(error, "L0: %s, [%s]: %s must be %s", path, section, key, expected);
}

static bool read_number(GKeyFile *file, const char *path, const char *key, guint least, guint most,
			guint *number, GError **error)
{
	g_autofree char *text = g_key_file_get_string(file, "grade", key, NULL);
	g_autofree char *expected = g_strdup_printf("a number from %u to %u", least, most);
	guint64 value;

	if (text == NULL || !g_ascii_string_to_unsigned(text, 10, least, most, &value, NULL))
		return wrong(path, "grade", key, expected, error);
	*number = (guint)value;
	return true;
}

static bool read_text(GKeyFile *file, const char *path, const char *key, char **text,
		      GError **error)
{
	*text = g_key_file_get_string(file, "grade", key, NULL);
	return *text != NULL || wrong(path, "grade", key, "there, if empty", error);
}

static bool check_keys(GKeyFile *file, const char *path, GError **error)
{
	static const char *const known[] = { "kernel",	     "platform",
					     "at_once",	     "build_seconds",
					     "boot_seconds", "sandbox",
					     "repository",   NULL };
	static const char *const sections[] = { "grade", "conform", "points", NULL };
	g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);
	g_auto(GStrv) keys = g_key_file_get_keys(file, "grade", NULL, NULL);

	for (char **group = groups; *group != NULL; group++)
		if (!g_strv_contains(sections, *group))
			return refuse(error,
				      "L0: %s has a section [%s]; there are [grade], [conform] "
				      "and [points]",
				      path, *group);
	for (char **key = keys; key != NULL && *key != NULL; key++)
		if (!g_strv_contains(known, *key))
			return wrong(path, "grade", *key, "left out: there is no such key", error);
	return true;
}

static bool read_grade(GKeyFile *file, const char *path, struct grade_settings *settings,
		       GError **error)
{
	g_autofree char *sandbox = NULL;

	if (!read_text(file, path, "kernel", &settings->kernel, error) ||
	    !read_text(file, path, "platform", &settings->platform, error) ||
	    !read_text(file, path, "repository", &settings->repository, error) ||
	    !read_text(file, path, "sandbox", &sandbox, error) ||
	    !read_number(file, path, "at_once", 0, 1024, &settings->at_once, error) ||
	    !read_number(file, path, "build_seconds", 1, SECONDS_MAX, &settings->build_seconds,
			 error) ||
	    !read_number(file, path, "boot_seconds", 1, SECONDS_MAX, &settings->boot_seconds,
			 error))
		return false;
	settings->sandboxed = g_str_equal(sandbox, "bwrap");
	if (!settings->sandboxed && !g_str_equal(sandbox, "none"))
		return wrong(path, "grade", "sandbox", "bwrap or none", error);
	if (g_str_equal(settings->platform, "local"))
		return wrong(path, "grade", "platform",
			     "one that boots a kernel: local would load foreign modules into this "
			     "machine",
			     error);
	if (settings->at_once == 0)
		settings->at_once = g_get_num_processors();
	if (*settings->repository == '\0')
		g_clear_pointer(&settings->repository, g_free);
	return true;
}

static void read_conform(GKeyFile *file, struct grade_settings *settings)
{
	g_auto(GStrv) keys = g_key_file_get_keys(file, "conform", NULL, NULL);

	for (char **key = keys; key != NULL && *key != NULL; key++) {
		g_autofree char *value = g_key_file_get_value(file, "conform", *key, NULL);

		g_ptr_array_add(settings->conform, g_strdup_printf("conform.%s=%s", *key, value));
	}
}

static bool read_points(GKeyFile *file, const char *path, struct grade_settings *settings,
			GError **error)
{
	g_auto(GStrv) keys = g_key_file_get_keys(file, "points", NULL, NULL);

	for (char **key = keys; key != NULL && *key != NULL; key++) {
		g_autofree char *text = g_key_file_get_string(file, "points", *key, NULL);
		struct grade_points one = { .name = g_strdup(*key) };
		char *end = NULL;

		g_array_append_val(settings->points, one);
		one.points = text != NULL ? g_ascii_strtod(text, &end) : 0;
		if (text == NULL || *text == '\0' || *end != '\0' ||
		    !(one.points >= 0 && one.points <= 1e6))
			return wrong(path, "points", *key, "a number, 0 or more", error);
		g_array_index(settings->points, struct grade_points, settings->points->len - 1)
			.points = one.points;
	}
	return settings->points->len > 0 || refuse(error, "L0: %s has no [points]", path);
}

struct grade_settings *grade_settings_load(const char *path, GError **error)
{
	g_autoptr(struct_grade_settings) settings = g_new0(struct grade_settings, 1);
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(GError) cause = NULL;

	settings->conform = g_ptr_array_new_with_free_func(g_free);
	settings->points = g_array_new(FALSE, TRUE, sizeof(struct grade_points));
	g_array_set_clear_func(settings->points, points_clear);
	if (!g_file_get_contents(path, &settings->text, NULL, &cause) ||
	    !g_key_file_load_from_data(file, settings->text, strlen(settings->text),
				       G_KEY_FILE_NONE, &cause)) {
		refuse(error, "L0: %s cannot be read (%s)", path, cause->message);
		return NULL;
	}
	if (!check_keys(file, path, error) || !read_grade(file, path, settings, error) ||
	    !read_points(file, path, settings, error))
		return NULL;
	read_conform(file, settings);
	return g_steal_pointer(&settings);
}

void grade_settings_free(struct grade_settings *settings)
{
	if (settings == NULL)
		return;
	g_free(settings->kernel);
	g_free(settings->platform);
	g_free(settings->repository);
	g_free(settings->text);
	g_ptr_array_unref(settings->conform);
	g_array_unref(settings->points);
	g_free(settings);
}

bool grade_points_fit(const struct grade_points *points, const char *mark)
{
	const size_t length = strlen(points->name);

	return g_str_has_suffix(points->name, "*") ? strncmp(points->name, mark, length - 1) == 0
						   : g_str_equal(points->name, mark);
}
