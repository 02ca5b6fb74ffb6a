/* SPDX-License-Identifier: GPL-2.0-only */
#include "matrix/cells.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <glib/gstdio.h>
#include <jansson.h>

#include "base/each.h"

#define SCHEMA	   1
#define PLAN	   "cells.json"
#define PLAN_BYTES (256 << 20) /* of MATRIX_MOST cells, and more */

char *matrix_folder(const char *results, const char *name)
{
	return g_build_filename(results, "matrix", name, NULL);
}

char *matrix_cell_file(const char *folder, const char *id, const char *suffix)
{
	g_autofree char *name = g_strconcat(id, ".", suffix, NULL);

	return g_build_filename(folder, "cells", name, NULL);
}

/* ---- Locks ---- */

static bool cannot(GError **error, const char *action, const char *path)
{
	const int saved = errno;
	const bool locks = saved == ENOLCK || saved == ENOSYS || saved == EOPNOTSUPP;

	return eptlab_fail(
		error, EPTLAB_ERROR_MACHINE, "L0: cannot %s %s (%s): %s", action, path,
		g_strerror(saved),
		locks ? "its file system has no locks, without which two could make the "
			"same cell; give a results folder on another one"
		: saved == ENOSPC || saved == EDQUOT
			? "make room, and start the same matrix again: what is made stays"
		: saved == EROFS || saved == EACCES ? "give a results folder that can be written"
						    : "what is made stays");
}

static int lock_file(const char *path, int operation, GError **error)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0) {
		cannot(error, "make", path);
		return -1;
	}
	while (flock(fd, operation) != 0) {
		if (errno == EINTR)
			continue;
		if (errno == EWOULDBLOCK)
			eptlab_fail(error, EPTLAB_ERROR_USAGE,
				    "L0: another eptlab is at work on this matrix, and has the "
				    "lock %s; wait for it, or end it",
				    path);
		else
			cannot(error, "lock", path);
		close(fd);
		return -1;
	}
	return fd;
}

int matrix_lock(const char *folder, GError **error)
{
	g_autofree char *cells = g_build_filename(folder, "cells", NULL);
	g_autofree char *lock = g_build_filename(folder, "lock", NULL);

	if (g_mkdir_with_parents(cells, 0777) != 0) {
		cannot(error, "make the folder", cells);
		return -1;
	}
	return lock_file(lock, LOCK_EX | LOCK_NB, error);
}

int matrix_claim(const char *folder, const char *id, GError **error)
{
	g_autofree char *path = matrix_cell_file(folder, id, "claim");
	g_autoptr(GError) busy = NULL;
	int fd = lock_file(path, LOCK_EX | LOCK_NB, &busy);

	if (fd < 0 && busy->code == EPTLAB_ERROR_USAGE) {
		fprintf(stderr, "L0: another worker makes the cell %s: waiting for it\n", id);
		return lock_file(path, LOCK_EX, error);
	}
	if (fd < 0)
		g_propagate_error(error, g_steal_pointer(&busy));
	return fd;
}

/* ---- Writing ---- */

static json_t *text_or_null(const char *text)
{
	g_autofree char *valid = text != NULL ? g_utf8_make_valid(text, -1) : NULL;

	return valid != NULL ? json_string(valid) : json_null();
}

static json_t *texts(char **list)
{
	json_t *array = json_array();

	for (; *list != NULL; list++)
		json_array_append_new(array, text_or_null(*list));
	return array;
}

static json_t *axes_to_json(const GPtrArray *axes)
{
	json_t *array = json_array();

	each (const struct record_axis, one, axes)
		json_array_append_new(array, json_pack("{so so}", "axis", text_or_null(one->axis),
						       "value", text_or_null(one->value)));
	return array;
}

static json_t *cell_to_json(const struct matrix_cell *cell)
{
	return json_pack("{ss so sI so so so}", "id", cell->id, "axes", axes_to_json(cell->axes),
			 "repeat", (json_int_t)cell->repeat, "configurations",
			 texts(cell->configurations), "settings", texts(cell->settings), "excluded",
			 text_or_null(cell->excluded));
}

/* Written beside, brought to the disk and renamed; takes json. */
static bool write_json(json_t *json, const char *path, GError **error)
{
	g_autofree char *new = g_strdup_printf("%s.%d.new", path, getpid());
	int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	bool good = fd >= 0 && json_dumpfd(json, fd, JSON_INDENT(1)) == 0 &&
		    write(fd, "\n", 1) == 1 && fsync(fd) == 0 && rename(new, path) == 0;

	json_decref(json);
	if (!good) {
		cannot(error, "write", path);
		unlink(new);
	}
	if (fd >= 0)
		close(fd);
	return good;
}

bool matrix_save(const struct matrix *matrix, const char *folder, GError **error)
{
	g_autofree char *path = g_build_filename(folder, PLAN, NULL);
	json_t *cells = json_array();

	each (const struct matrix_cell, cell, matrix->cells)
		json_array_append_new(cells, cell_to_json(cell));
	return write_json(json_pack("{si ss so so so}", "schema", SCHEMA, "matrix", matrix->name,
				    "configs", text_or_null(matrix->configs), "overrides",
				    texts(matrix->overrides), "cells", cells),
			  path, error);
}

bool matrix_write_outcome(const char *folder, const struct matrix_cell *cell, GError **error)
{
	g_autofree char *path = matrix_cell_file(folder, cell->id, "json");
	const struct matrix_outcome *outcome = &cell->outcome;

	return write_json(json_pack("{si ss so so so sf sb}", "schema", SCHEMA, "state",
				    matrix_state_name(outcome->state), "reason",
				    text_or_null(outcome->reason), "record",
				    text_or_null(outcome->record), "inputs",
				    text_or_null(outcome->inputs), "seconds",
				    round(outcome->seconds * 1000) / 1000, "taken", outcome->taken),
			  path, error);
}

bool matrix_forget(const char *folder, const struct matrix_cell *cell, GError **error)
{
	g_autofree char *path = matrix_cell_file(folder, cell->id, "json");

	return g_unlink(path) == 0 || errno == ENOENT || cannot(error, "remove", path);
}

/* ---- Reading ---- */

static char **texts_from(json_t *array)
{
	GPtrArray *list = g_ptr_array_new();
	json_t *one;
	size_t i;

	json_array_foreach (array, i, one) {
		if (json_is_string(one))
			g_ptr_array_add(list, g_strdup(json_string_value(one)));
	}
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(list, FALSE);
}

static struct matrix_cell *cell_from(json_t *json)
{
	struct matrix_cell *cell = matrix_cell_new();
	json_t *axes, *configurations, *settings, *excluded, *axis;
	const char *id, *name, *value;
	json_int_t repeat;
	size_t i;

	if (json_unpack(json, "{ss so sI so so so}", "id", &id, "axes", &axes, "repeat", &repeat,
			"configurations", &configurations, "settings", &settings, "excluded",
			&excluded) != 0 ||
	    !record_is_name(id) || repeat < 1) {
		matrix_cell_free(cell);
		return NULL;
	}
	cell->id = g_strdup(id);
	cell->repeat = (uint64_t)repeat;
	cell->excluded = g_strdup(json_string_value(excluded));
	cell->configurations = texts_from(configurations);
	cell->settings = texts_from(settings);
	json_array_foreach (axes, i, axis) {
		if (json_unpack(axis, "{ss ss}", "axis", &name, "value", &value) == 0)
			g_ptr_array_add(cell->axes, record_axis_new(name, value));
	}
	return cell;
}

/* NULL if that is no plan. */
static struct matrix *matrix_from(json_t *root)
{
	g_autoptr(struct_matrix) matrix = g_new0(struct matrix, 1);
	json_t *configs, *overrides, *cells, *one;
	const char *name;
	int schema;
	size_t i;

	if (json_unpack(root, "{si ss so so so}", "schema", &schema, "matrix", &name, "configs",
			&configs, "overrides", &overrides, "cells", &cells) != 0 ||
	    schema != SCHEMA)
		return NULL;
	matrix->name = g_strdup(name);
	matrix->configs = g_strdup(json_string_value(configs));
	matrix->overrides = texts_from(overrides);
	matrix->cells = g_ptr_array_new_with_free_func((GDestroyNotify)matrix_cell_free);
	json_array_foreach (cells, i, one) {
		struct matrix_cell *cell = cell_from(one);

		if (cell == NULL)
			return NULL;
		g_ptr_array_add(matrix->cells, cell);
	}
	return g_steal_pointer(&matrix);
}

struct matrix *matrix_load(const char *folder, GError **error)
{
	g_autofree char *path = g_build_filename(folder, PLAN, NULL);
	json_error_t wrong;
	json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &wrong);
	struct matrix *matrix = root != NULL ? matrix_from(root) : NULL;

	if (matrix == NULL)
		eptlab_fail(error, EPTLAB_ERROR_USAGE,
			    "L0: %s is no plan of a matrix (%s), expected what \"eptlab matrix\" "
			    "writes; start that again",
			    path, root == NULL ? wrong.text : "a field is missing or wrong");
	if (root != NULL)
		json_decref(root);
	return matrix;
}

struct matrix_cell *matrix_find(const struct matrix *matrix, const char *id, GError **error)
{
	each (struct matrix_cell, cell, matrix->cells) {
		if (g_str_equal(cell->id, id))
			return cell;
	}
	return eptlab_null(
		error, EPTLAB_ERROR_USAGE,
		"L0: the matrix %s has no cell %s any more; start \"eptlab matrix\" again",
		matrix->name, id);
}

static enum matrix_state state_from(const char *name)
{
	for (enum matrix_state state = MATRIX_VALID; state <= MATRIX_FAILED; state++) {
		if (g_str_equal(name, matrix_state_name(state)))
			return state;
	}
	return MATRIX_MISSING;
}

void matrix_read_outcome(const char *folder, struct matrix_cell *cell)
{
	g_autofree char *path = matrix_cell_file(folder, cell->id, "json");
	json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	struct matrix_outcome *outcome = &cell->outcome;
	json_t *reason, *record, *inputs;
	const char *state;
	int taken;

	matrix_outcome_clear(outcome);
	if (json == NULL)
		return;
	if (json_unpack(json, "{ss so so so sF sb}", "state", &state, "reason", &reason, "record",
			&record, "inputs", &inputs, "seconds", &outcome->seconds, "taken",
			&taken) == 0) {
		outcome->state = state_from(state);
		outcome->reason = g_strdup(json_string_value(reason));
		outcome->record = g_strdup(json_string_value(record));
		outcome->inputs = g_strdup(json_string_value(inputs));
		outcome->taken = taken;
	}
	json_decref(json);
}
