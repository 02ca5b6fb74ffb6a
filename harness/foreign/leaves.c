/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/leaves.h"

#include "foreign/counts.h"

/* As courses assign them. The other two leaves of a year are cycles. */
static const struct {
	const char *name;
	struct leaf_layout leaves;
} layouts[] = {
	{ "fe", { .count = FOREIGN_LEAF, .total = 0x4FFFFFFC } },
	{ "fd", { .count = 0x4FFFFFFD, .total = 0x4FFFFFFF } },
};

bool leaf_layout_parse(const char *text, struct leaf_layout *layout)
{
	g_auto(GStrv) leaves = g_strsplit(text, ",", -1);
	uint32_t *const into[] = { &layout->count, &layout->total };

	*layout = (struct leaf_layout){ .count = 0 };
	for (size_t i = 0; i < G_N_ELEMENTS(layouts); i++) {
		if (g_ascii_strcasecmp(layouts[i].name, text) == 0)
			*layout = layouts[i].leaves;
	}
	if (layout->count != 0)
		return true;
	for (guint i = 0; i < g_strv_length(leaves); i++) {
		const char *digits = leaves[i] + (g_str_has_prefix(leaves[i], "0x") ? 2 : 0);
		guint64 value = 0;

		if (i >= G_N_ELEMENTS(into) ||
		    !g_ascii_string_to_unsigned(digits, 16, 1, UINT32_MAX, &value, NULL))
			return false;
		*into[i] = (uint32_t)value;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(layouts); i++)
		if (layout->total == 0 && layouts[i].leaves.count == layout->count)
			layout->total = layouts[i].leaves.total;
	return layout->count != 0;
}

/* What the answers of a leaf do from one reason to the next. */
struct behaviour {
	guint answers, zeros, falls, changes;
	bool words;
};

static struct behaviour behaviour_of(const GArray *readings, uint32_t leaf)
{
	struct behaviour behaviour = { .answers = 0 };
	uint64_t before = 0;
	uint32_t reason = 0;

	for (guint i = 0; i < readings->len; i++) {
		const struct reading *one = &g_array_index(readings, struct reading, i);

		if (one->leaf != leaf || !reading_is_answer(one))
			continue;
		behaviour.words |= one->class != READING_REGISTERS;
		if (behaviour.answers > 0 && one->reason == reason)
			continue;
		behaviour.zeros += one->count == 0;
		behaviour.falls += behaviour.answers > 0 && one->count < before;
		behaviour.changes += behaviour.answers > 0 && one->count != before;
		behaviour.answers++;
		before = one->count;
		reason = one->reason;
	}
	return behaviour;
}

/* A leaf that does not look at the reason has one number, which only grows while it is asked for.
 */
static bool is_by_reason(const GArray *readings, uint32_t leaf)
{
	const struct behaviour behaviour = behaviour_of(readings, leaf);

	if (behaviour.words)
		return true;
	return behaviour.answers >= 2 && behaviour.changes > 0 &&
	       (behaviour.answers == 2 || behaviour.zeros > 0 || behaviour.falls > 1);
}

struct leaf_layout leaves_choose(const GArray *readings, const struct leaf_layout *asked)
{
	struct leaf_layout first = { .count = 0 };

	if (asked != NULL && asked->count != 0)
		return *asked;
	for (size_t i = 0; i < G_N_ELEMENTS(layouts); i++)
		if (is_by_reason(readings, layouts[i].leaves.count))
			return layouts[i].leaves;
	for (size_t i = 0; i < G_N_ELEMENTS(layouts); i++)
		if (behaviour_of(readings, layouts[i].leaves.count).answers > 0)
			return layouts[i].leaves;
	for (guint i = 0; i < readings->len && first.count == 0; i++) {
		const struct reading *one = &g_array_index(readings, struct reading, i);

		/* A lone answer of cpuid is a total, or cycles. */
		if (reading_is_answer(one) && one->leaf != 0 &&
		    (one->class != READING_REGISTERS || is_by_reason(readings, one->leaf)))
			first.count = one->leaf;
	}
	return first;
}

guint leaves_keep(GArray *readings, struct leaf_layout layout)
{
	guint kept = 0, gone = 0;

	for (guint i = 0; i < readings->len; i++) {
		struct reading *one = &g_array_index(readings, struct reading, i);
		struct reading swap;

		if (one->class == READING_REGISTERS && one->leaf == layout.total &&
		    layout.total != 0)
			one->kind = READING_TOTAL;
		if (reading_is_answer(one) && one->leaf != 0 && one->leaf != layout.count) {
			gone++;
			/* The words above it stand above the next one, too. */
			if (i + 1 < readings->len && one[1].title == NULL)
				one[1].title = g_steal_pointer(&one->title);
			continue;
		}
		swap = g_array_index(readings, struct reading, kept);
		g_array_index(readings, struct reading, kept++) = *one;
		g_array_index(readings, struct reading, i) = swap;
	}
	g_array_set_size(readings, kept);
	return gone;
}
