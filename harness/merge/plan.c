/* SPDX-License-Identifier: GPL-2.0-only */
#include "merge/plan.h"

#include <jansson.h>

#include "base/each.h"
#include "base/error.h"

#define PLAN_SCHEMA 1

struct plan {
	json_t *root;
	json_t *cells;
	const char *matrix;
	const char *folder;
	char *results;
};

static json_t *load(const char *path, GError **error)
{
	json_error_t wrong;
	json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &wrong);
	g_autofree char *why = root == NULL ? g_strescape(wrong.text, NULL) : NULL;

	if (json_is_object(root) &&
	    json_integer_value(json_object_get(root, "schema")) == PLAN_SCHEMA)
		return root;
	json_decref(root);
	return eptlab_null(error, EPTLAB_ERROR_USAGE,
			   "L0: %s is none of schema %d, as eptlab matrix writes it (%s)", path,
			   PLAN_SCHEMA, why != NULL ? why : "another one");
}

static const char *text_at(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

static void plan_close(struct plan *plan)
{
	json_decref(plan->root);
	g_free(plan->results);
}

static bool have_ids(const json_t *cells)
{
	json_t *cell;
	size_t i;

	json_array_foreach (cells, i, cell)
		if (text_at(cell, "id") == NULL)
			return false;
	return true;
}

static bool plan_open(struct plan *plan, const char *folder, GError **error)
{
	g_autofree char *path = g_build_filename(folder, MERGE_PLAN, NULL);
	g_autofree char *matrices = g_path_get_dirname(folder);

	*plan = (struct plan){ .folder = folder };
	plan->root = load(path, error);
	if (plan->root == NULL)
		return false;
	plan->results = g_path_get_dirname(matrices);
	plan->matrix = text_at(plan->root, "matrix");
	plan->cells = json_object_get(plan->root, "cells");
	if (plan->matrix != NULL && json_is_array(plan->cells) && have_ids(plan->cells))
		return true;
	plan_close(plan);
	return eptlab_fail(error, EPTLAB_ERROR_USAGE,
			   "L0: %s has no matrix, or cells without an id", path);
}

/* What became of a cell; *state is NULL if it has not been made. */
static bool load_state(const struct plan *plan, const char *id, json_t **state, GError **error)
{
	g_autofree char *name = g_strconcat(id, ".json", NULL);
	g_autofree char *path = g_build_filename(plan->folder, "cells", name, NULL);

	*state = g_file_test(path, G_FILE_TEST_EXISTS) ? load(path, error) : NULL;
	return *state != NULL || !g_file_test(path, G_FILE_TEST_EXISTS);
}

bool merge_plan_records(const char *folder, GPtrArray *paths, GError **error)
{
	struct plan plan;
	json_t *cell, *state;
	bool ok = true;
	size_t i;

	if (!plan_open(&plan, folder, error))
		return false;
	json_array_foreach (plan.cells, i, cell) {
		const char *id = text_at(cell, "id"), *record;
		g_autofree char *path = NULL;

		ok = load_state(&plan, id, &state, error);
		if (!ok)
			break;
		record = text_at(state, "record");
		path = record != NULL ? g_build_filename(plan.results, record, NULL) : NULL;
		if (path != NULL && g_file_test(path, G_FILE_TEST_IS_DIR))
			g_ptr_array_add(paths, g_steal_pointer(&path));
		json_decref(state);
	}
	plan_close(&plan);
	return ok;
}

/* ---- Placing ---- */

static void place(struct merge_sample *sample, const json_t *cell)
{
	json_t *one;
	size_t i;

	json_array_foreach (json_object_get(cell, "axes"), i, one) {
		const char *axis = text_at(one, "axis"), *value = text_at(one, "value");

		if (axis != NULL && value != NULL)
			merge_sample_place(sample, axis, value);
	}
}

/* One for each configuration that the cell was to have. */
static void add_without_record(struct merge_set *set, const json_t *cell, enum merge_state state,
			       const char *why)
{
	json_t *one;
	size_t i;

	json_array_foreach (json_object_get(cell, "configurations"), i, one) {
		struct merge_sample *sample = merge_set_add(set, state, why);

		place(sample, cell);
		merge_sample_place(sample, MERGE_AXIS_CONFIG, json_string_value(one));
	}
}

static bool place_record(GHashTable *by_record, const struct plan *plan, const json_t *cell,
			 const char *record)
{
	g_autofree char *path = g_build_filename(plan->results, record, NULL);
	GPtrArray *samples = g_hash_table_lookup(by_record, path);

	each (struct merge_sample, sample, samples) {
		place(sample, cell);
		sample->placed = true;
	}
	return samples != NULL;
}

struct placing {
	struct merge_set *set;
	const struct plan *plan;
	GHashTable *by_record; /* path: GPtrArray of its samples */
	GHashTable *attempts;  /* cells ("matrix/id") that records say they were made for */
	GHashTable *decided;   /* cells that have a record */
};

static void apply_cell(const struct placing *placing, const json_t *cell, const json_t *state)
{
	const struct plan *plan = placing->plan;
	const char *excluded = text_at(cell, "excluded");
	const char *record = text_at(state, "record"), *reason = text_at(state, "reason");
	const char *name = merge_cell_name(plan->matrix, text_at(cell, "id"));
	g_autofree char *why = NULL;

	if (excluded != NULL) {
		add_without_record(placing->set, cell, MERGE_EXCLUDED, excluded);
	} else if (record != NULL) {
		g_hash_table_add(placing->decided, (gpointer)name);
		if (place_record(placing->by_record, plan, cell, record))
			return;
		why = g_strdup_printf("the record %s of cell %s is not there", record, name);
		add_without_record(placing->set, cell, MERGE_MISSING, why);
	} else if (state != NULL) {
		add_without_record(placing->set, cell, MERGE_FAILED,
				   reason != NULL ? reason : "no reason was given");
	} else if (!g_hash_table_contains(placing->attempts, name)) {
		why = g_strdup_printf("cell %s is planned, and was not made", name);
		add_without_record(placing->set, cell, MERGE_MISSING, why);
	}
}

/* What the cell has is another record, of a later attempt. */
static bool is_current(const struct merge_sample *sample, const void *data)
{
	const struct placing *placing = data;

	return sample->cell == NULL || sample->placed || sample->record == NULL ||
	       !g_str_has_prefix(sample->record, placing->plan->results) ||
	       !g_hash_table_contains(placing->decided, sample->cell);
}

static void index_samples(const struct placing *placing)
{
	each (struct merge_sample, sample, placing->set->samples) {
		GPtrArray *list;

		if (sample->record == NULL)
			continue;
		list = g_hash_table_lookup(placing->by_record, sample->record);
		if (list == NULL) {
			list = g_ptr_array_new();
			g_hash_table_insert(placing->by_record, (gpointer)sample->record, list);
		}
		g_ptr_array_add(list, sample);
		if (sample->cell != NULL)
			g_hash_table_add(placing->attempts, (gpointer)sample->cell);
	}
}

bool merge_plan_apply(struct merge_set *set, const char *folder, GError **error)
{
	g_autoptr(GHashTable) by_record = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
								(GDestroyNotify)g_ptr_array_unref);
	g_autoptr(GHashTable) attempts = g_hash_table_new(NULL, NULL);
	g_autoptr(GHashTable) decided = g_hash_table_new(NULL, NULL);
	struct plan plan;
	struct placing placing = { set, &plan, by_record, attempts, decided };
	json_t *cell, *state;
	guint dropped;
	bool ok = true;
	size_t i;

	if (!plan_open(&plan, folder, error))
		return false;
	index_samples(&placing);
	json_array_foreach (plan.cells, i, cell) {
		ok = load_state(&plan, text_at(cell, "id"), &state, error);
		if (!ok)
			break;
		apply_cell(&placing, cell, state);
		json_decref(state);
	}
	dropped = merge_set_filter(set, is_current, &placing);
	if (dropped > 0)
		g_ptr_array_add(
			set->notes,
			g_strdup_printf("%u numbers of the matrix %s are not taken: a later "
					"attempt has superseded them",
					dropped, plan.matrix));
	plan_close(&plan);
	return ok;
}
