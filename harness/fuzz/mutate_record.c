/* SPDX-License-Identifier: GPL-2.0-only */
#include "fuzz/mutate.h"

#include <float.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <glib.h>
#include <jansson.h>

#include "fuzz/fuzz.h"

/* ---- All values of a tree ---- */

/* Where a value stands: in an object, or in an array if there is no key. */
struct slot {
	json_t *parent;
	const char *key;
	size_t index;
};

static json_t *slot_get(const struct slot *slot)
{
	return slot->key != NULL ? json_object_get(slot->parent, slot->key)
				 : json_array_get(slot->parent, slot->index);
}

/* Level by level: what is added at the end is looked into in its turn. */
static GArray *slots_of(json_t *root)
{
	GArray *slots = g_array_new(FALSE, FALSE, sizeof(struct slot));
	json_t *parent = root, *value;
	const char *key;
	size_t index;

	for (guint i = 0; parent != NULL; i++) {
		json_object_foreach (parent, key, value) {
			struct slot slot = { .parent = parent, .key = key };

			g_array_append_val(slots, slot);
		}
		json_array_foreach (parent, index, value) {
			struct slot slot = { .parent = parent, .index = index };

			g_array_append_val(slots, slot);
		}
		parent = i < slots->len ? slot_get(&g_array_index(slots, struct slot, i)) : NULL;
	}
	return slots;
}

/* ---- Other values ---- */

static json_t *other_integer(json_int_t old, unsigned int *state)
{
	const json_int_t values[] = {
		old + (old < INT64_MAX),
		old - (old > INT64_MIN),
		0,
		1,
		2,
		-1,
		UINT16_MAX,
		UINT32_MAX - 1,
		UINT32_MAX,
		INT64_MAX,
	};

	return json_integer(values[mutate_choose(state, G_N_ELEMENTS(values))]);
}

static json_t *other_real(unsigned int *state)
{
	static const double values[] = { 0.0, -0.0, 0.0004, 0.0005, 1e15, -1.0, DBL_MIN, DBL_MAX };

	return json_real(values[mutate_choose(state, G_N_ELEMENTS(values))]);
}

static json_t *known_string(unsigned int *state)
{
	static const char *const values[] = {
		"",
		"9223372036854775807",
		"9223372036854775808",
		"18446744073709551615",
		"vmx",
		"svm",
		"dose-cpuid",
		"doses",
		"ept",
		"2024-02-29T23:59:60Z",
	};

	return json_string(values[mutate_choose(state, G_N_ELEMENTS(values))]);
}

/* What is no UTF-8 cannot be a string in JSON. */
static json_t *other_string(const char *old, unsigned int *state)
{
	g_autoptr(GString) text = g_string_new(old);
	json_t *string;

	mutate_bytes(text, 0);
	string = json_stringn(text->str, text->len);
	return string != NULL ? string : known_string(state);
}

/* Mostly of the same type, as another type is refused at once. */
static json_t *other_value(json_t *old, const GArray *slots, unsigned int *state)
{
	const struct slot *from =
		&g_array_index(slots, struct slot, mutate_choose(state, slots->len));

	switch (mutate_choose(state, 8)) {
	case 0:
		return json_null();
	case 1:
		return json_deep_copy(slot_get(from));
	case 2:
		return known_string(state);
	default:
		break;
	}
	switch (json_typeof(old)) {
	case JSON_STRING:
		return other_string(json_string_value(old), state);
	case JSON_INTEGER:
		return other_integer(json_integer_value(old), state);
	case JSON_REAL:
		return other_real(state);
	case JSON_TRUE:
	case JSON_FALSE:
		return json_boolean(json_is_false(old));
	case JSON_ARRAY:
		return json_array();
	case JSON_NULL:
		return mutate_choose(state, 2) == 0 ? other_integer(0, state) : json_true();
	case JSON_OBJECT:
		break;
	}
	return json_deep_copy(slot_get(from));
}

/* Leave a value out, say it twice, or put another in its place. */
static void change(json_t *root, unsigned int *state)
{
	g_autoptr(GArray) slots = slots_of(root);
	const struct slot *slot;
	unsigned int how;

	if (slots->len == 0)
		return;
	slot = &g_array_index(slots, struct slot, mutate_choose(state, slots->len));
	how = mutate_choose(state, 8);
	if (slot->key != NULL) {
		if (how == 0)
			json_object_del(slot->parent, slot->key);
		else
			json_object_set_new(slot->parent, slot->key,
					    other_value(slot_get(slot), slots, state));
	} else if (how <= 1) {
		json_array_remove(slot->parent, slot->index);
	} else if (how <= 3) {
		json_array_insert_new(slot->parent, slot->index, json_deep_copy(slot_get(slot)));
	} else {
		json_array_set_new(slot->parent, slot->index,
				   other_value(slot_get(slot), slots, state));
	}
}

/* ---- Repair ---- */

/* The sum of all counts, as long as it fits. */
static void repair_total(json_t *run)
{
	json_t *exits = json_object_get(run, "exits");
	json_int_t sum = 0;
	json_t *one;
	size_t i;

	json_array_foreach (exits, i, one) {
		json_t *count = json_object_get(one, "count");

		if (!json_is_integer(count) ||
		    __builtin_add_overflow(sum, json_integer_value(count), &sum))
			return;
	}
	if (json_is_array(exits) && json_is_integer(json_object_get(run, "total")))
		json_object_set_new(run, "total", json_integer(sum));
}

static void repair(json_t *root)
{
	const json_t *runs = json_object_get(root, "runs");

	for (size_t i = 0; i < json_array_size(runs); i++)
		repair_total(json_array_get(runs, i));
}

size_t mutate_record(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	unsigned int state = seed;
	const bool as_bytes = mutate_choose(&state, 8) == 0;
	json_t *root = as_bytes ? NULL : json_loadb((const char *)data, size, 0, NULL);
	char *dump;
	size_t length;

	if (root == NULL)
		return LLVMFuzzerMutate(data, size, max);
	for (unsigned int times = 1 + mutate_choose(&state, 3); times > 0; times--)
		change(root, &state);
	if (mutate_choose(&state, 8) != 0)
		repair(root);
	dump = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	length = dump != NULL ? strlen(dump) : 0;
	if (length > 0 && length <= max)
		memcpy(data, dump, length);
	free(dump);
	return length > 0 && length <= max ? length : LLVMFuzzerMutate(data, size, max);
}
