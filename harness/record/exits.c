/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/exits.h"
#include "base/each.h"

bool exits_add(GPtrArray *exits, uint32_t reason, const char *name, uint64_t count)
{
	struct record_exit *one = (struct record_exit *)record_find_exit(exits, reason);
	guint place = exits->len;

	if (one == NULL) {
		/* Most come in their order. */
		while (place > 0 &&
		       ((const struct record_exit *)exits->pdata[place - 1])->reason > reason)
			place--;
		one = record_exit_new(reason, name, 0);
		g_ptr_array_insert(exits, (int)place, one);
	}
	return !__builtin_add_overflow(one->count, count, &one->count);
}

uint64_t exits_count(const GPtrArray *exits, uint32_t reason)
{
	const struct record_exit *one = record_find_exit(exits, reason);

	return one != NULL ? one->count : 0;
}

struct record_u64 exits_sum(const GPtrArray *exits)
{
	struct record_u64 sum = record_u64_from(0);

	each (const struct record_exit, one, exits) {
		if (__builtin_add_overflow(sum.value, one->count, &sum.value))
			return (struct record_u64){ .known = false };
	}
	return sum;
}
