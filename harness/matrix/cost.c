/* SPDX-License-Identifier: GPL-2.0-only */
#include "matrix/cost.h"

#include <string.h>

#include "base/each.h"
#include "record/store.h"

/* Reading one takes a few milliseconds. */
#define RECORDS_MOST 300

GPtrArray *matrix_cost_records(const char *results)
{
	g_autoptr(GPtrArray) names = record_store_list(results, NULL);
	GPtrArray *records = g_ptr_array_new_with_free_func((GDestroyNotify)record_free);

	for (guint i = names != NULL ? names->len : 0; i > 0 && records->len < RECORDS_MOST; i--) {
		g_autofree char *path = g_build_filename(results, names->pdata[i - 1], NULL);
		g_autoptr(struct_record) record = record_load(path, NULL);

		if (record != NULL && record->verdict == RECORD_VALID && record->seconds >= 0 &&
		    record->runs->len > 0)
			g_ptr_array_add(records, g_steal_pointer(&record));
	}
	return records;
}

/* Has it done these operations, however often each? */
static bool has_operations(const struct record *record, char **asked)
{
	const struct record_run *run = g_ptr_array_index(record->runs, 0);
	const guint count = g_strv_length(asked);

	if (count == 1 && g_str_equal(*asked, "none"))
		return run->operations == NULL || run->operations->len == 0;
	if (run->operations == NULL || run->operations->len != count)
		return false;
	for (guint i = 0; i < count; i++) {
		const struct record_operation *one = g_ptr_array_index(run->operations, i);
		const size_t length = strcspn(asked[i], ":");

		if (strlen(one->workload) != length ||
		    strncmp(one->workload, asked[i], length) != 0)
			return false;
	}
	return true;
}

/* 0: another platform. More is more alike. */
static unsigned int likeness(const struct record *record, const struct matrix_kind *kind)
{
	const bool same_work = g_str_equal(record->workload, kind->workload) &&
			       has_operations(record, kind->operations);

	if (!g_str_equal(kind->platform, "auto") &&
	    !g_str_equal(record->platform.name, kind->platform))
		return 0;
	return 1 + (record->cell.known && g_str_equal(record->cell.id, kind->id) ? 4 : 0) +
	       (same_work ? 2 : 0) +
	       (*kind->kernel == '\0' || g_strcmp0(record->kernel.line, kind->kernel) == 0 ? 1 : 0);
}

static int compare(gconstpointer a, gconstpointer b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double matrix_median(GArray *numbers)
{
	g_array_sort(numbers, compare);
	return g_array_index(numbers, double, (numbers->len - 1) / 2);
}

double matrix_expect(const GPtrArray *records, const struct matrix_kind *kind)
{
	g_autoptr(GArray) seconds = g_array_new(FALSE, FALSE, sizeof(double));
	unsigned int best = 1;

	each (const struct record, record, records) {
		const unsigned int alike = likeness(record, kind);
		const double one = record->seconds / record->runs->len * kind->runs;

		if (alike < best)
			continue;
		if (alike > best)
			g_array_set_size(seconds, 0);
		best = alike;
		g_array_append_val(seconds, one);
	}
	return seconds->len > 0 ? matrix_median(seconds) : -1;
}
