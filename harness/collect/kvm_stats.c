/* SPDX-License-Identifier: GPL-2.0-only */
#include "collect/kvm_stats.h"

#include <string.h>
#include <jansson.h>

#include "base/each.h"

/* Names that a runaway L1 may make L0 look through, in all lists; Linux 6.1 has 45 of a vCPU. */
#define STATISTICS_MAX 1000

/* What is being read: of whom, and what is wrong with it. */
struct reader {
	struct kvm_stats *stats;
	GHashTable *seen; /* names of one vCPU */
	const char *wrong;
};

static bool refuse(struct reader *reader, const char *why)
{
	reader->wrong = why;
	return false;
}

static void histogram_free(void *data)
{
	struct kvm_histogram *histogram = data;

	g_free(histogram->name);
	g_array_unref(histogram->buckets);
	g_free(histogram);
}

static struct kvm_stats *stats_new(void)
{
	struct kvm_stats *stats = g_new0(struct kvm_stats, 1);

	stats->counts = record_statistics_new();
	stats->histograms = g_ptr_array_new_with_free_func(histogram_free);
	return stats;
}

void kvm_stats_free(struct kvm_stats *stats)
{
	if (stats == NULL)
		return;
	g_free(stats->missing);
	g_ptr_array_unref(stats->counts);
	g_ptr_array_unref(stats->histograms);
	g_free(stats);
}

const struct kvm_histogram *kvm_stats_histogram(const struct kvm_stats *stats, const char *name)
{
	each (const struct kvm_histogram, one, stats->histograms) {
		if (strcmp(one->name, name) == 0)
			return one;
	}
	return NULL;
}

/* Add a number to what is known of other vCPUs. */
static bool add(struct reader *reader, uint64_t *sum, json_t *number)
{
	if (!json_is_integer(number) || json_integer_value(number) < 0)
		return refuse(reader, "a value that is no count");
	return !__builtin_add_overflow(*sum, (uint64_t)json_integer_value(number), sum) ||
	       refuse(reader, "values that add up to more than 64 bits");
}

static bool add_count(struct reader *reader, const char *name, json_t *value)
{
	struct record_statistic *one =
		(struct record_statistic *)record_find_statistic(reader->stats->counts, name);

	if (one == NULL) {
		one = record_statistic_new(name, 0);
		g_ptr_array_add(reader->stats->counts, one);
	}
	return add(reader, &one->value, value);
}

static bool add_histogram(struct reader *reader, const char *name, json_t *buckets)
{
	GPtrArray *histograms = reader->stats->histograms;
	struct kvm_histogram *histogram =
		(struct kvm_histogram *)kvm_stats_histogram(reader->stats, name);
	const guint count = (guint)json_array_size(buckets);

	if (histogram == NULL) {
		histogram = g_new(struct kvm_histogram, 1);
		histogram->name = g_strdup(name);
		histogram->buckets = g_array_new(FALSE, TRUE, sizeof(uint64_t));
		g_array_set_size(histogram->buckets, count);
		g_ptr_array_add(histograms, histogram);
	}
	if (histogram->buckets->len != count)
		return refuse(reader, "a histogram that has not the same buckets in each vCPU");
	for (guint i = 0; i < count; i++) {
		if (!add(reader, &g_array_index(histogram->buckets, uint64_t, i),
			 json_array_get(buckets, i)))
			return false;
	}
	return true;
}

static bool add_statistic(struct reader *reader, json_t *statistic)
{
	const char *name = json_string_value(json_object_get(statistic, "name"));
	json_t *value = json_object_get(statistic, "value");

	if (name == NULL || !record_is_name(name))
		return refuse(reader, "a statistic without a name");
	if (!g_hash_table_add(reader->seen, g_strdup(name)))
		return refuse(reader, "a statistic that is there twice");
	if (json_is_boolean(value))
		return true;
	if (json_is_array(value) ? !add_histogram(reader, name, value)
				 : !add_count(reader, name, value))
		return false;
	return reader->stats->counts->len + reader->stats->histograms->len <= STATISTICS_MAX ||
	       refuse(reader, "more statistics than any KVM has");
}

static bool add_list(struct reader *reader, json_t *result)
{
	const char *provider = json_string_value(json_object_get(result, "provider"));
	json_t *list = json_object_get(result, "stats"), *statistic;
	size_t i;

	if (g_strcmp0(provider, "kvm") != 0 || !json_is_array(list))
		return refuse(reader, "no list of KVM's statistics");
	g_hash_table_remove_all(reader->seen);
	json_array_foreach (list, i, statistic) {
		if (!add_statistic(reader, statistic))
			return false;
	}
	return true;
}

static bool read_answer(struct reader *reader, json_t *answer)
{
	const char *description =
		json_string_value(json_object_get(json_object_get(answer, "error"), "desc"));
	json_t *results = json_object_get(answer, "return"), *result;
	size_t i;

	if (description != NULL) {
		g_autofree char *shown = g_strescape(description, "\"\\");

		reader->stats->missing = g_strdup_printf("QEMU says: %s", shown);
		return true;
	}
	if (!json_is_array(results))
		return refuse(reader, "neither a list nor an error");
	json_array_foreach (results, i, result) {
		if (!add_list(reader, result))
			return false;
	}
	if (reader->stats->counts->len + reader->stats->histograms->len == 0)
		reader->stats->missing =
			g_strdup("QEMU has none: KVM gives them from Linux 5.14 on");
	return true;
}

struct kvm_stats *kvm_stats_parse(const char *file, const char *text, size_t length, GError **error)
{
	g_autoptr(struct_kvm_stats) stats = stats_new();
	struct reader reader = { .stats = stats, .wrong = "no JSON" };
	json_t *answer = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	bool good;

	reader.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	good = answer != NULL && read_answer(&reader, answer);
	g_hash_table_unref(reader.seen);
	json_decref(answer);
	if (good)
		return g_steal_pointer(&stats);
	return eptlab_null(error, EPTLAB_ERROR_L1,
			   "L1: %s, QEMU's answer to query-stats, has %s; expected KVM's "
			   "statistics: read that file, and tell which QEMU wrote it",
			   file, reader.wrong);
}
