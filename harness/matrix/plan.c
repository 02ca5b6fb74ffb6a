/* SPDX-License-Identifier: GPL-2.0-only */
#include "matrix/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/each.h"
#include "wire/frame.h"
#include "wire/workload_list.h"

#define ID_DIGITS 16

#define fail(file, error, format, ...)                                                             \
	eptlab_fail(error, EPTLAB_ERROR_USAGE, "L0: %s: " format, file, ##__VA_ARGS__)

/* ---- Structures ---- */

struct matrix_cell *matrix_cell_new(void)
{
	struct matrix_cell *cell = g_new0(struct matrix_cell, 1);

	cell->axes = record_axes_new();
	return cell;
}

void matrix_outcome_clear(struct matrix_outcome *outcome)
{
	g_free(outcome->reason);
	g_free(outcome->record);
	g_free(outcome->inputs);
	*outcome = (struct matrix_outcome){ .state = MATRIX_MISSING };
}

void matrix_cell_free(struct matrix_cell *cell)
{
	if (cell == NULL)
		return;
	g_free(cell->id);
	g_ptr_array_unref(cell->axes);
	g_strfreev(cell->configurations);
	g_strfreev(cell->settings);
	g_free(cell->excluded);
	matrix_outcome_clear(&cell->outcome);
	g_free(cell);
}

void matrix_free(struct matrix *matrix)
{
	if (matrix == NULL)
		return;
	g_free(matrix->name);
	g_free(matrix->configs);
	g_strfreev(matrix->overrides);
	if (matrix->cells != NULL)
		g_ptr_array_unref(matrix->cells);
	g_free(matrix);
}

const char *matrix_state_name(enum matrix_state state)
{
	static const char *const names[] = {
		[MATRIX_MISSING] = "missing",
		[MATRIX_VALID] = "valid",
		[MATRIX_INVALID] = "invalid",
		[MATRIX_FAILED] = "failed",
	};

	return names[state];
}

char *matrix_cell_text(const struct matrix_cell *cell)
{
	GString *text = g_string_new(NULL);

	each (const struct record_axis, one, cell->axes) {
		g_string_append_printf(text, "%s%s=%s", text->len > 0 ? " " : "", one->axis,
				       one->value);
	}
	if (cell->repeat > 1)
		g_string_append_printf(text, " repeat=%" G_GUINT64_FORMAT, cell->repeat);
	return g_string_free(text, FALSE);
}

/* ---- Axes ---- */

/* Keys of [axes] that are no settings. */
static const struct {
	const char *key;
	const char *axis; /* NULL: none of a cell's coordinates */
} known[] = {
	{ "workloads", "workload" }, { "kernels", "kernel" }, { "platforms", "platform" },
	{ "configurations", NULL },  { "repeats", NULL },
};

struct axis {
	char *name; /* as cells have it */
	char **values;
};

/* The file on its way. */
struct reader {
	const char *file;
	GKeyFile *keys;
	GArray *axes; /* of struct axis */
	char **configurations;
	uint64_t repeats;
};

static void axis_clear(void *data)
{
	struct axis *axis = data;

	g_free(axis->name);
	g_strfreev(axis->values);
}

/* The name that cells have for a key of [axes] or of an exclusion; NULL: there is no such axis. */
static const char *axis_of(const char *key)
{
	for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
		if (g_str_equal(key, known[i].key))
			return known[i].axis;
	}
	return strchr(key, '.') != NULL ? key : NULL;
}

/* A list with ';' between, none twice, none empty. */
static char **read_list(const struct reader *reader, const char *section, const char *key,
			GError **error)
{
	g_auto(GStrv) values = g_key_file_get_string_list(reader->keys, section, key, NULL, NULL);

	if (values == NULL || *values == NULL) {
		fail(reader->file, error,
		     "%s has no values in [%s], expected some with ';' between", key, section);
		return NULL;
	}
	for (char **value = values; *value != NULL; value++) {
		g_strstrip(*value);
		if (**value == '\0') {
			fail(reader->file, error, "%s has an empty value in [%s]", key, section);
			return NULL;
		}
	}
	for (char **value = values; *value != NULL; value++) {
		if (!g_strv_contains((const char *const *)value + 1, *value))
			continue;
		fail(reader->file, error, "%s has '%s' twice in [%s]", key, *value, section);
		return NULL;
	}
	return g_steal_pointer(&values);
}

static bool read_repeats(struct reader *reader, char **values, GError **error)
{
	return (g_strv_length(values) == 1 && frame_parse_u64(*values, &reader->repeats) &&
		reader->repeats >= 1 && reader->repeats <= MATRIX_MOST) ||
	       fail(reader->file, error, "repeats is '%s' in [axes], expected a number from 1 on",
		    *values);
}

static bool read_axis(struct reader *reader, const char *key, GError **error)
{
	g_auto(GStrv) values = read_list(reader, "axes", key, error);
	const char *name = axis_of(key);
	struct axis axis;

	if (values == NULL)
		return false;
	if (g_str_equal(key, "repeats"))
		return read_repeats(reader, values, error);
	if (g_str_equal(key, "configurations")) {
		reader->configurations = g_steal_pointer(&values);
		return true;
	}
	if (name == NULL)
		return fail(reader->file, error,
			    "there is no axis '%s', expected workloads, kernels, platforms, "
			    "configurations, repeats, or a setting such as l2.vcpus",
			    key);
	axis = (struct axis){ g_strdup(name), g_steal_pointer(&values) };
	g_array_append_val(reader->axes, axis);
	return true;
}

static bool read_axes(struct reader *reader, GError **error)
{
	g_auto(GStrv) keys = g_key_file_get_keys(reader->keys, "axes", NULL, NULL);

	if (keys == NULL || *keys == NULL)
		return fail(reader->file, error,
			    "there is no axis, expected a section [axes] with workloads, kernels, "
			    "platforms, configurations, repeats or settings");
	for (char **key = keys; *key != NULL; key++) {
		if (!read_axis(reader, *key, error))
			return false;
	}
	return true;
}

/* ---- Cells ---- */

static bool is_operation(const char *name)
{
#define IS_NAME(variable, text, n, what) g_str_equal(name, text) ||
	return WORKLOAD_LIST(IS_NAME) false;
#undef IS_NAME
}

static void set(GPtrArray *settings, const char *key, const char *value)
{
	g_ptr_array_add(settings, g_strconcat(key, "=", value, NULL));
}

/* An operation of Linux after the boot, or what L2 does instead of booting alone; ":N" may follow.
 */
static void set_workload(GPtrArray *settings, const char *value)
{
	g_auto(GStrv) parts = g_strsplit(value, ":", 2);
	const bool operation = is_operation(parts[0]);

	set(settings, "experiment.workload", operation ? "boot" : parts[0]);
	set(settings, "experiment.operations", operation ? value : "none");
	if (!operation && parts[1] != NULL)
		set(settings, "experiment.n", parts[1]);
}

static void add_setting(GPtrArray *settings, const struct record_axis *axis)
{
	g_autofree char *key = g_strconcat("experiment.", axis->axis, NULL);

	if (g_str_equal(axis->axis, "workload"))
		set_workload(settings, axis->value);
	else
		set(settings, strchr(axis->axis, '.') != NULL ? axis->axis : key, axis->value);
}

static char **settings_of(const struct matrix_cell *cell, const char *const *common)
{
	GPtrArray *settings = g_ptr_array_new();

	for (; common != NULL && *common != NULL; common++)
		g_ptr_array_add(settings, g_strdup(*common));
	each (const struct record_axis, axis, cell->axes)
		add_setting(settings, axis);
	if (*cell->configurations != NULL) {
		g_autofree char *names = g_strjoinv(";", cell->configurations);

		set(settings, "experiment.configurations", names);
	}
	g_ptr_array_add(settings, NULL);
	return (char **)g_ptr_array_free(settings, FALSE);
}

/* Of all that tells it from other cells, so that a file that has changed finds what is made. */
static char *id_of(const struct matrix_cell *cell)
{
	g_autofree char *configurations = g_strjoinv(";", cell->configurations);
	g_autoptr(GString) text = g_string_new(configurations);
	g_autofree char *digest = NULL;

	each (const struct record_axis, axis, cell->axes) {
		g_string_append_printf(text, "\n%s=%s", axis->axis, axis->value);
	}
	g_string_append_printf(text, "\nrepeat=%" G_GUINT64_FORMAT, cell->repeat);
	digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text->str, (gssize)text->len);
	return g_strndup(digest, ID_DIGITS);
}

/* The cell of that number: the last axis changes with each, the repeat when all others are through.
 */
static struct matrix_cell *cell_at(const struct reader *reader, uint64_t number, uint64_t points,
				   const char *const *common)
{
	struct matrix_cell *cell = matrix_cell_new();
	uint64_t rest = number % points;

	cell->repeat = number / points + 1;
	for (guint i = reader->axes->len; i > 0; i--) {
		const struct axis *axis = &g_array_index(reader->axes, struct axis, i - 1);
		const guint count = g_strv_length(axis->values);

		g_ptr_array_insert(cell->axes, 0,
				   record_axis_new(axis->name, axis->values[rest % count]));
		rest /= count;
	}
	cell->configurations = reader->configurations != NULL ? g_strdupv(reader->configurations)
							      : g_new0(char *, 1);
	cell->settings = settings_of(cell, common);
	cell->id = id_of(cell);
	return cell;
}

static bool make_cells(const struct reader *reader, const char *const *common, GPtrArray *cells,
		       GError **error)
{
	uint64_t points = 1;

	each_value (const struct axis, axis, reader->axes) {
		points *= g_strv_length(axis->values);
		if (points > MATRIX_MOST)
			break;
	}
	if (points * reader->repeats > MATRIX_MOST)
		return fail(reader->file, error, "these axes make more than %d cells", MATRIX_MOST);
	for (uint64_t i = 0; i < points * reader->repeats; i++)
		g_ptr_array_add(cells, cell_at(reader, i, points, common));
	return true;
}

/* ---- Exclusions ---- */

static const char *value_of(const struct matrix_cell *cell, const char *axis)
{
	each (const struct record_axis, one, cell->axes) {
		if (g_str_equal(one->axis, axis))
			return one->value;
	}
	return NULL;
}

/* A section that takes cells out: an array of struct axis, each of which must hold. */
struct exclusion {
	const char *section;
	char *reason;
	GArray *axes;
};

static bool is_excluded(const struct matrix_cell *cell, const struct exclusion *exclusion)
{
	each_value (const struct axis, axis, exclusion->axes) {
		const char *value = value_of(cell, axis->name);

		if (value == NULL || !g_strv_contains((const char *const *)axis->values, value))
			return false;
	}
	return true;
}

/* Every value is one of the axis: a typing error must not leave cells in. */
static bool check_values(const struct reader *reader, const char *section, const char *key,
			 const struct axis *axis, GError **error)
{
	each_value (const struct axis, whole, reader->axes) {
		if (!g_str_equal(whole->name, axis->name))
			continue;
		for (char **value = axis->values; *value != NULL; value++) {
			if (!g_strv_contains((const char *const *)whole->values, *value))
				return fail(reader->file, error,
					    "%s in [%s] has '%s', which is no value of that axis",
					    key, section, *value);
		}
		return true;
	}
	return fail(reader->file, error, "%s in [%s] is no axis of this matrix%s", key, section,
		    g_str_equal(key, "configurations") || g_str_equal(key, "repeats")
			    ? ": a cell is left out with all configurations and repeats"
			    : "");
}

static bool read_exclusion(const struct reader *reader, struct exclusion *exclusion, GError **error)
{
	g_auto(GStrv) keys = g_key_file_get_keys(reader->keys, exclusion->section, NULL, NULL);

	for (char **key = keys; *key != NULL; key++) {
		const char *name = axis_of(*key);
		struct axis axis;

		if (g_str_equal(*key, "reason"))
			continue;
		axis.name = g_strdup(name != NULL ? name : *key);
		axis.values = read_list(reader, exclusion->section, *key, error);
		g_array_append_val(exclusion->axes, axis);
		if (axis.values == NULL ||
		    !check_values(reader, exclusion->section, *key, &axis, error))
			return false;
	}
	exclusion->reason = g_key_file_get_string(reader->keys, exclusion->section, "reason", NULL);
	if (exclusion->reason == NULL || *g_strstrip(exclusion->reason) == '\0')
		return fail(reader->file, error, "[%s] has no reason, expected why",
			    exclusion->section);
	return exclusion->axes->len > 0 ||
	       fail(reader->file, error, "[%s] names no axis, expected one at least",
		    exclusion->section);
}

static bool exclude(const struct reader *reader, const char *section, GPtrArray *cells,
		    GError **error)
{
	struct exclusion exclusion = {
		.section = section,
		.axes = g_array_new(FALSE, FALSE, sizeof(struct axis)),
	};
	bool good;

	g_array_set_clear_func(exclusion.axes, axis_clear);
	good = read_exclusion(reader, &exclusion, error);
	for (guint i = 0; good && i < cells->len; i++) {
		struct matrix_cell *cell = cells->pdata[i];

		if (cell->excluded == NULL && is_excluded(cell, &exclusion))
			cell->excluded = g_strdup(exclusion.reason);
	}
	g_array_unref(exclusion.axes);
	g_free(exclusion.reason);
	return good;
}

/* ---- The file ---- */

/* GKeyFile takes the last of two keys of one name without a word, and joins sections. */
static bool stands_once(const char *file, const char *text, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	const char *section = "";

	for (guint i = 0; lines[i] != NULL; i++) {
		char *line = g_strstrip(lines[i]);
		char *name;

		if (*line == '\0' || *line == '#')
			continue;
		if (*line == '[')
			section = line;
		else
			line[strcspn(line, " \t=")] = '\0';
		name = g_strconcat(section, line, NULL);
		if (!g_hash_table_add(seen, name))
			return fail(file, error, "line %u: '%s' stands twice, expected once", i + 1,
				    line);
	}
	return true;
}

static bool read_sections(const struct reader *reader, const char *const *common,
			  struct matrix *matrix, GError **error)
{
	g_auto(GStrv) sections = g_key_file_get_groups(reader->keys, NULL);

	if (!make_cells(reader, common, matrix->cells, error))
		return false;
	for (char **section = sections; *section != NULL; section++) {
		if (g_str_equal(*section, "matrix") || g_str_equal(*section, "axes"))
			continue;
		if (!g_str_has_prefix(*section, "exclude "))
			return fail(reader->file, error,
				    "there is no section [%s], expected [matrix], [axes] or "
				    "[exclude NAME]",
				    *section);
		if (!exclude(reader, *section, matrix->cells, error))
			return false;
	}
	return true;
}

static bool read_name(const struct reader *reader, struct matrix *matrix, GError **error)
{
	g_auto(GStrv) keys = g_key_file_get_keys(reader->keys, "matrix", NULL, NULL);

	matrix->name = g_key_file_get_string(reader->keys, "matrix", "name", NULL);
	if (matrix->name == NULL || !record_is_name(matrix->name))
		return fail(reader->file, error,
			    "name is '%s' in [matrix], expected a name of a-z, 0-9, _ and -",
			    matrix->name != NULL ? matrix->name : "");
	return g_strv_length(keys) == 1 ||
	       fail(reader->file, error, "[matrix] has more keys than name");
}

static struct matrix *read_matrix(struct reader *reader, const char *text, gsize length,
				  const char *const *common, GError **error)
{
	g_autoptr(struct_matrix) matrix = g_new0(struct matrix, 1);
	g_autoptr(GError) cause = NULL;

	matrix->cells = g_ptr_array_new_with_free_func((GDestroyNotify)matrix_cell_free);
	matrix->overrides = g_new0(char *, 1);
	if (!g_key_file_load_from_data(reader->keys, text, length, G_KEY_FILE_NONE, &cause)) {
		fail(reader->file, error, "this asks for no matrix: %s", cause->message);
		return NULL;
	}
	if (!stands_once(reader->file, text, error) || !read_name(reader, matrix, error) ||
	    !read_axes(reader, error) || !read_sections(reader, common, matrix, error))
		return NULL;
	return g_steal_pointer(&matrix);
}

struct matrix *matrix_plan(const char *file, const char *const *settings, GError **error)
{
	struct reader reader = {
		.file = file,
		.keys = g_key_file_new(),
		.axes = g_array_new(FALSE, FALSE, sizeof(struct axis)),
		.repeats = 1,
	};
	g_autoptr(GError) cause = NULL;
	g_autofree char *text = NULL;
	struct matrix *matrix = NULL;
	gsize length;

	g_array_set_clear_func(reader.axes, axis_clear);
	if (g_file_get_contents(file, &text, &length, &cause))
		matrix = read_matrix(&reader, text, length, settings, error);
	else
		fail(file, error, "cannot read what matrix is asked for: %s", cause->message);
	g_strfreev(reader.configurations);
	g_array_unref(reader.axes);
	g_key_file_unref(reader.keys);
	return matrix;
}
