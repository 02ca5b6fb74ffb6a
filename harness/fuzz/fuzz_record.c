/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON of others: record.json of anybody, read, judged, compared, reported; and what QEMU says of
 * KVM's statistics, which comes from L1. Each input is tried as both.
 */
#include "fuzz/check.h"
#include "fuzz/fuzz.h"
#include "fuzz/mutate.h"

#include <string.h>

#include "collect/kvm_stats.h"

/* Written in milliseconds, so that another number may come out. */
static void any_seconds(json_t *object)
{
	if (json_is_number(json_object_get(object, "seconds")))
		json_object_set_new(object, "seconds", json_true());
}

static void any_seconds_of_all(json_t *root)
{
	const json_t *runs = json_object_get(root, "runs"), *steps = json_object_get(root, "steps");

	any_seconds(root);
	for (size_t i = 0; i < json_array_size(runs); i++)
		any_seconds(json_array_get(runs, i));
	for (size_t i = 0; i < json_array_size(steps); i++)
		any_seconds(json_array_get(steps, i));
}

/* What an earlier record of schema 2 does not have is unknown, and is written as null. */
static void add_unknown(json_t *all, json_t *written)
{
	const char *key;
	json_t *value;

	for (size_t i = 0; i < json_array_size(written); i++)
		add_unknown(json_array_get(all, i), json_array_get(written, i));
	json_object_foreach (written, key, value) {
		if (json_is_null(value) && json_object_get(all, key) == NULL)
			json_object_set_new(all, key, json_null());
		add_unknown(json_object_get(all, key), value);
	}
}

static json_t *with_late_fields(const json_t *root, json_t *written)
{
	json_t *all = json_deep_copy(root);

	add_unknown(all, written);
	return all;
}

/*
 * Apart from that there is one way to write each value: nothing is lost, nothing made up. A record
 * of schema 1 is written in today's, and is the same when it is read again.
 */
static void check_all_is_there(json_t *root, const struct record *record)
{
	json_t *written = record_to_json(record);
	g_autoptr(struct_record) again = record_from_json(written, "again", NULL);
	json_t *expected = json_integer_value(json_object_get(root, "schema")) == RECORD_SCHEMA
				   ? with_late_fields(root, written)
				   : record_to_json(again);

	g_assert_nonnull(again);
	any_seconds_of_all(expected);
	any_seconds_of_all(written);
	g_assert_true(json_equal(expected, written));
	json_decref(expected);
	json_decref(written);
}

/* What a counter had at the end is a number of 64 bits. */
static void check_list(const GPtrArray *exits)
{
	uint64_t whole;

	check_ascending(exits);
	for (guint i = 0; exits != NULL && i < exits->len; i++) {
		const struct record_exit *one = g_ptr_array_index(exits, i);

		g_assert_false(__builtin_add_overflow(one->before, one->count, &whole));
	}
}

static void check_lists(const struct record_run *run)
{
	check_list(run->exits);
	check_list(run->earlier.exits);
	check_list(run->l1_exits);
	check_list(run->witness.at_latch);
	check_list(run->witness.at_end);
	check_list(run->mmu.reasons);
}

static void check_record(json_t *root, struct record *record, const char *log)
{
	check_all_is_there(root, record);
	for (guint i = 0; i < record->runs->len; i++)
		check_lists(g_ptr_array_index(record->runs, i));
	check_judged(record, log);
}

/* What an answer has of a count in all its lists. */
static uint64_t sum_of(const json_t *answer, const char *name)
{
	const json_t *lists = json_object_get(answer, "return");
	uint64_t sum = 0;

	for (size_t i = 0; i < json_array_size(lists); i++) {
		const json_t *stats = json_object_get(json_array_get(lists, i), "stats");

		for (size_t j = 0; j < json_array_size(stats); j++) {
			const json_t *one = json_array_get(stats, j);
			const json_t *value = json_object_get(one, "value");

			if (json_is_integer(value) &&
			    strcmp(json_string_value(json_object_get(one, "name")), name) == 0)
				sum += (uint64_t)json_integer_value(value);
		}
	}
	return sum;
}

/* Whoever has no statistics says why; a count that is there is all that the answer has of it. */
static void try_statistics(const json_t *root, const char *text, size_t size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(struct_kvm_stats) stats = kvm_stats_parse("stats.json", text, size, &error);

	check_outcome(stats != NULL, error, EPTLAB_ERROR_L1);
	if (stats == NULL)
		return;
	g_assert_true((stats->missing != NULL) ==
		      (stats->counts->len + stats->histograms->len == 0));
	if (stats->missing != NULL)
		check_printable(stats->missing, "");
	for (guint i = 0; i < stats->counts->len; i++) {
		const struct record_statistic *one = g_ptr_array_index(stats->counts, i);

		g_assert_true(record_is_name(one->name));
		g_assert_true(record_find_statistic(stats->counts, one->name) == one);
		g_assert_true(one->value == sum_of(root, one->name));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* As record_load does. */
	json_t *root = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	g_autofree char *log = g_strndup((const char *)data, size);
	g_autoptr(struct_record) record = NULL;
	g_autoptr(GError) error = NULL;

	try_statistics(root, (const char *)data, size);
	if (root == NULL)
		return 0;
	record = record_from_json(root, "record.json", &error);
	check_outcome(record != NULL, error, EPTLAB_ERROR_USAGE);
	if (record != NULL)
		check_record(root, record, log);
	json_decref(root);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	return mutate_record(data, size, max, seed);
}
