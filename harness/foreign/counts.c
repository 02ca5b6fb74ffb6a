/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/counts.h"

#include <inttypes.h>

#include "record/record.h"
#include "record/reasons.h"

struct foreign_counts *foreign_counts_new(const char *name)
{
	struct foreign_counts *counts = g_new0(struct foreign_counts, 1);

	counts->name = g_strdup(name);
	counts->run = record_run_new("counts");
	counts->run->exits = record_exits_new();
	counts->run->undefined = record_reasons_new();
	counts->notes = g_ptr_array_new_with_free_func(g_free);
	return counts;
}

void foreign_counts_free(struct foreign_counts *counts)
{
	if (counts == NULL)
		return;
	g_free(counts->name);
	record_run_free(counts->run);
	g_free(counts->shrinking);
	g_ptr_array_unref(counts->notes);
	g_free(counts);
}

static void free_counts(gpointer counts)
{
	foreign_counts_free(counts);
}

GPtrArray *foreign_columns_new(void)
{
	return g_ptr_array_new_with_free_func(free_counts);
}

void foreign_counts_note(struct foreign_counts *counts, char *note)
{
	g_ptr_array_add(counts->notes, note);
}

void foreign_counts_set(struct foreign_counts *counts, uint32_t reason, uint64_t count)
{
	GPtrArray *exits = counts->run->exits;
	struct record_exit *one = (struct record_exit *)record_find_exit(exits, reason);

	if (one != NULL)
		one->count = count;
	else
		exits_add(exits, reason, reason_name(record_run_vendor(counts->run), reason),
			  count);
}

static bool all_alike(const GPtrArray *exits)
{
	for (guint i = 1; i < exits->len; i++)
		if (((const struct record_exit *)g_ptr_array_index(exits, i))->count !=
		    ((const struct record_exit *)g_ptr_array_index(exits, 0))->count)
			return false;
	return exits->len > 1;
}

void foreign_counts_finish(struct foreign_counts *counts)
{
	counts->alike = all_alike(counts->run->exits);
	counts->run->total = exits_sum(counts->run->exits);
}

struct foreign_counts *foreign_counts_less(const struct foreign_counts *counts,
					   const struct foreign_counts *baseline, GError **error)
{
	g_autofree char *name =
		g_strdup_printf("%s less %s: what is left", counts->name, baseline->name);
	g_autoptr(struct_foreign_counts) less = foreign_counts_new(name);
	const GPtrArray *exits = counts->run->exits;
	guint only = 0;

	for (guint i = 0; i < exits->len; i++) {
		const struct record_exit *one = g_ptr_array_index(exits, i);
		const struct record_exit *base =
			record_find_exit(baseline->run->exits, one->reason);

		if (base == NULL) {
			only++;
			continue;
		}
		if (base->count > one->count) {
			eptlab_fail(error, EPTLAB_ERROR_USAGE,
				    "L0: %s has %" PRIu64 " exits of reason %" PRIu32
				    ", more than %s, which has %" PRIu64
				    "; it is no earlier reading of the same counter, and cannot "
				    "be subtracted",
				    baseline->name, base->count, one->reason, counts->name,
				    one->count);
			return NULL;
		}
		foreign_counts_set(less, one->reason, one->count - base->count);
	}
	if (only > 0)
		foreign_counts_note(less,
				    g_strdup_printf("%u reason%s not in %s: left out", only,
						    only == 1 ? " is" : "s are", baseline->name));
	foreign_counts_finish(less);
	return g_steal_pointer(&less);
}
