/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/sweep.h"

#include <inttypes.h>

#include "record/reasons.h"

/* The leaves beside FOREIGN_LEAF, as courses assign them. */
#define LEAF_TOTAL	  0x4FFFFFFCu
#define LEAF_TOTAL_CYCLES 0x4FFFFFFDu
#define LEAF_CYCLES	  0x4FFFFFFFu

/* One reason, asked once, however many lines the answer has. */
struct query {
	const struct reading *first, *last;
};

struct sweep {
	GArray *queries; /* of struct query */
	bool table;	 /* KVM's own: a reason that is not there has no exit */
	struct record_u64 table_total;
};

static void sweep_free(gpointer data)
{
	struct sweep *sweep = data;

	g_array_unref(sweep->queries);
	g_free(sweep);
}

static struct sweep *add_sweep(GPtrArray *sweeps)
{
	struct sweep *sweep = g_new0(struct sweep, 1);

	sweep->queries = g_array_new(FALSE, FALSE, sizeof(struct query));
	g_ptr_array_add(sweeps, sweep);
	return sweep;
}

static bool is_answer(const struct reading *reading)
{
	return reading->kind == READING_COUNT || reading->kind == READING_UNDEFINED ||
	       reading->kind == READING_DISABLED;
}

/* ---- Which of the lines ---- */

/* The leaf that the answers are of: as asked for, else FOREIGN_LEAF if it is there, else the first.
 */
static uint32_t choose_leaf(const GArray *readings, uint32_t asked)
{
	uint32_t first = 0;

	if (asked != 0)
		return asked;
	for (guint i = 0; i < readings->len; i++) {
		const struct reading *one = &g_array_index(readings, struct reading, i);

		if (!is_answer(one) || one->leaf == 0)
			continue;
		if (one->leaf == FOREIGN_LEAF)
			return FOREIGN_LEAF;
		if (first == 0)
			first = one->leaf;
	}
	return first;
}

static bool any_worded(const GArray *readings)
{
	for (guint i = 0; i < readings->len; i++)
		if (!g_array_index(readings, struct reading, i).plain)
			return true;
	return false;
}

/*
 * The readings that count: of the leaf, and in words if any are. Others' totals are kept as such.
 * The caller owns the array, which holds copies.
 */
static GArray *select_readings(const GArray *readings, uint32_t leaf, struct foreign_counts *counts)
{
	GArray *chosen = g_array_new(FALSE, FALSE, sizeof(struct reading));
	bool worded = any_worded(readings);
	guint other_leaves = 0;

	for (guint i = 0; i < readings->len; i++) {
		struct reading one = g_array_index(readings, struct reading, i);

		if (one.plain && worded)
			continue;
		if (one.leaf == LEAF_TOTAL && leaf != LEAF_TOTAL)
			one.kind = READING_TOTAL;
		else if (one.leaf != 0 && one.leaf != leaf && is_answer(&one)) {
			other_leaves++;
			continue;
		}
		counts->more_registers |= one.more_registers;
		g_array_append_val(chosen, one);
	}
	if (other_leaves > 0)
		foreign_counts_note(counts, g_strdup_printf("%u lines are of other leaves than 0x%X"
							    " (cycles, for example): left aside",
							    other_leaves, leaf));
	return chosen;
}

/* ---- Queries and sweeps ---- */

static guint run_length(const GArray *readings, guint at)
{
	const struct reading *first = &g_array_index(readings, struct reading, at);
	guint length = 1;

	while (at + length < readings->len) {
		const struct reading *next = &g_array_index(readings, struct reading, at + length);

		if (!is_answer(next) || next->reason != first->reason)
			break;
		length++;
	}
	return length;
}

/* How many lines one query has: what most of them have. */
static guint lines_per_query(const GArray *readings)
{
	guint seen[9] = { 0 };
	guint best = 1;

	for (guint at = 0; at < readings->len;) {
		guint length = is_answer(&g_array_index(readings, struct reading, at))
				       ? run_length(readings, at)
				       : 1;

		if (is_answer(&g_array_index(readings, struct reading, at)))
			seen[MIN(length, G_N_ELEMENTS(seen) - 1)]++;
		at += length;
	}
	for (guint length = 2; length < G_N_ELEMENTS(seen); length++)
		if (seen[length] > seen[best])
			best = length;
	return best;
}

static const struct query *last_query(const struct sweep *sweep)
{
	return sweep->queries->len > 0
		       ? &g_array_index(sweep->queries, struct query, sweep->queries->len - 1)
		       : NULL;
}

/* Which sweep a query belongs to: it goes up, and a first reason that is asked again is a new one.
 */
static struct sweep *sweep_for(GPtrArray *sweeps, const struct reading *reading)
{
	struct sweep *sweep =
		sweeps->len > 0 ? g_ptr_array_index(sweeps, sweeps->len - 1) : add_sweep(sweeps);
	const struct query *last = last_query(sweep);

	if (last == NULL || reading->reason > last->last->reason ||
	    (reading->reason == last->last->reason && sweep->queries->len > 1))
		return sweep;
	return add_sweep(sweeps);
}

static void add_queries(GPtrArray *sweeps, const GArray *readings, guint at, guint length,
			guint per_query)
{
	/* What is more than one query has comes first: the last lines belong together. */
	guint from = at, left = length;

	while (left > 0) {
		guint lines = left % per_query != 0 ? left % per_query : per_query;
		struct query query = {
			.first = &g_array_index(readings, struct reading, from),
			.last = &g_array_index(readings, struct reading, from + lines - 1),
		};
		struct sweep *sweep = sweep_for(sweeps, query.first);

		if (last_query(sweep) != NULL &&
		    last_query(sweep)->last->reason == query.first->reason)
			g_array_set_size(sweep->queries, sweep->queries->len - 1);
		g_array_append_val(sweep->queries, query);
		from += lines;
		left -= lines;
	}
}

static GPtrArray *split(const GArray *readings, guint per_query)
{
	GPtrArray *sweeps = g_ptr_array_new_with_free_func(sweep_free);

	for (guint at = 0; at < readings->len;) {
		const struct reading *one = &g_array_index(readings, struct reading, at);
		guint length = 1;

		if (one->kind == READING_TABLE) {
			struct sweep *sweep = add_sweep(sweeps);

			sweep->table = true;
			sweep->table_total = record_u64_from(one->count);
		} else if (is_answer(one)) {
			length = run_length(readings, at);
			add_queries(sweeps, readings, at, length, per_query);
		}
		at += length;
	}
	return sweeps;
}

static bool has_reason(const struct sweep *sweep, uint32_t reason)
{
	for (guint i = 0; i < sweep->queries->len; i++)
		if (g_array_index(sweep->queries, struct query, i).last->reason == reason)
			return true;
	return false;
}

/* Those that tell nested from shadow paging; a sweep without them decides nothing. */
static bool is_complete(const struct sweep *sweep)
{
	return sweep->table ||
	       (has_reason(sweep, REASON_EXCEPTION_NMI) && has_reason(sweep, REASON_EPT_VIOLATION));
}

/* The last complete one, or NULL. */
static struct sweep *last_complete(const GPtrArray *sweeps, guint *index)
{
	for (guint i = sweeps->len; i > 0; i--) {
		struct sweep *sweep = g_ptr_array_index(sweeps, i - 1);

		if (is_complete(sweep)) {
			*index = i - 1;
			return sweep;
		}
	}
	return NULL;
}

/* ---- What was found ---- */

static void take_query(struct foreign_counts *counts, const struct query *query)
{
	const struct reading *last = query->last;

	if (last->kind == READING_UNDEFINED) {
		g_array_append_val(counts->run->undefined, last->reason);
		return;
	}
	foreign_counts_set(counts, last->reason, last->count);
	if (last->kind == READING_COUNT && query->first->kind == READING_COUNT &&
	    query->first->count > last->count && counts->shrinking == NULL)
		counts->shrinking = g_strdup_printf("%" PRIu32 ": %" PRIu64 " in line %" PRIu64
						    ", then %" PRIu64 " in line %" PRIu64,
						    last->reason, query->first->count,
						    query->first->line, last->count, last->line);
}

static void take_sweep(struct foreign_counts *counts, const struct sweep *sweep)
{
	for (guint i = 0; i < sweep->queries->len; i++)
		take_query(counts, &g_array_index(sweep->queries, struct query, i));
	if (!sweep->table)
		return;
	for (uint32_t reason = 0; reason <= reason_highest(record_run_vendor(counts->run));
	     reason++)
		if (reason_is_defined(record_run_vendor(counts->run), reason) &&
		    !has_reason(sweep, reason))
			foreign_counts_set(counts, reason, 0);
	counts->stated_total = sweep->table_total;
}

static const struct reading *first_of(const struct sweep *sweep)
{
	return sweep->queries->len > 0 ? g_array_index(sweep->queries, struct query, 0).first
				       : NULL;
}

/* "reason 0 had 8087 in line 3, 2072 s before the sweep" for the first of what was left aside. */
static void note_left_aside(struct foreign_counts *counts, const GPtrArray *sweeps, guint chosen,
			    bool before)
{
	guint from = before ? 0 : chosen + 1, to = before ? chosen : sweeps->len;
	const struct sweep *sweep = g_ptr_array_index(sweeps, chosen);
	GString *note = g_string_new(NULL);
	guint queries = 0;
	const struct reading *stale = NULL;

	for (guint i = from; i < to; i++) {
		const struct sweep *other = g_ptr_array_index(sweeps, i);

		queries += other->queries->len;
		if (first_of(other) != NULL)
			stale = g_array_index(other->queries, struct query, other->queries->len - 1)
					.last;
	}
	if (stale == NULL) {
		g_string_free(note, TRUE);
		return;
	}
	g_string_printf(note,
			"%u %s %s the sweep that counts %s left aside; the last of them, in line "
			"%" PRIu64 ", says %" PRIu64 " for reason %" PRIu32,
			queries, queries == 1 ? "reading" : "readings", before ? "before" : "after",
			queries == 1 ? "is" : "are", stale->line, stale->count, stale->reason);
	if (before && stale->seconds >= 0 && first_of(sweep) != NULL &&
	    first_of(sweep)->seconds > stale->seconds)
		g_string_append_printf(note, ", %.0f s earlier",
				       first_of(sweep)->seconds - stale->seconds);
	foreign_counts_note(counts, g_string_free(note, FALSE));
}

/* Nobody asks for what the SDM does not define, so that is missing to nobody. */
static bool is_missing(const struct record_run *run, uint32_t reason)
{
	for (guint i = 0; i < run->undefined->len; i++)
		if (g_array_index(run->undefined, uint32_t, i) == reason)
			return false;
	return reason_is_defined(record_run_vendor(run), reason) &&
	       record_find_exit(run->exits, reason) == NULL;
}

/* All reasons up to the last that a KVM with leaves for courses knows. */
static void note_gaps(struct foreign_counts *counts)
{
	const struct record_run *run = counts->run;
	GString *missing = g_string_new(NULL);

	for (uint32_t reason = 0; reason <= REASON_XRSTORS; reason++) {
		uint32_t last = reason;

		if (!is_missing(run, reason))
			continue;
		while (last < REASON_XRSTORS && is_missing(run, last + 1))
			last++;
		g_string_append_printf(missing, "%s%" PRIu32, missing->len > 0 ? ", " : "", reason);
		if (last > reason)
			g_string_append_printf(missing, "-%" PRIu32, last);
		reason = last;
	}
	if (missing->len > 0)
		foreign_counts_note(counts, g_strdup_printf("not asked for: %s", missing->str));
	g_string_free(missing, TRUE);
}

/* A total that the file states, after the sweep if there is one, else before it. */
static void take_total(struct foreign_counts *counts, const GArray *readings, uint64_t begin)
{
	for (guint i = readings->len; i > 0; i--) {
		const struct reading *one = &g_array_index(readings, struct reading, i - 1);

		if (one->kind != READING_TOTAL)
			continue;
		counts->stated_total = record_u64_from(one->count);
		counts->total_first = one->line < begin;
		return;
	}
}

static void take_all(struct foreign_counts *counts, const GPtrArray *sweeps)
{
	for (guint i = 0; i < sweeps->len; i++)
		take_sweep(counts, g_ptr_array_index(sweeps, i));
	if (sweeps->len > 1)
		foreign_counts_note(counts,
				    g_strdup_printf("no sweep has both reason 0 and reason 48; "
						    "the last answer for each reason counts, from "
						    "%u sweeps",
						    sweeps->len));
}

bool sweep_nothing(const char *name, GError **error)
{
	return eptlab_fail(error, EPTLAB_ERROR_USAGE,
			   "L0: %s has no exit counts in any form that is known; see eptlab check "
			   "--help",
			   name);
}

bool sweep_choose(const GArray *readings, uint32_t leaf, struct foreign_counts *counts,
		  GError **error)
{
	g_autoptr(GArray) chosen = NULL;
	g_autoptr(GPtrArray) sweeps = NULL;
	struct sweep *sweep;
	guint per_query, index = 0;

	counts->leaf = choose_leaf(readings, leaf);
	chosen = select_readings(readings, counts->leaf, counts);
	per_query = lines_per_query(chosen);
	sweeps = split(chosen, per_query);
	if (sweeps->len == 0)
		return sweep_nothing(counts->name, error);
	if (per_query > 1)
		foreign_counts_note(counts, g_strdup_printf("each answer stands %u times: the last "
							    "one counts",
							    per_query));
	sweep = last_complete(sweeps, &index);
	if (sweep != NULL) {
		take_sweep(counts, sweep);
		note_left_aside(counts, sweeps, index, true);
		note_left_aside(counts, sweeps, index, false);
	} else {
		take_all(counts, sweeps);
	}
	if (!counts->stated_total.known)
		take_total(counts, chosen,
			   sweep != NULL && first_of(sweep) != NULL ? first_of(sweep)->line : 0);
	note_gaps(counts);
	foreign_counts_finish(counts);
	return true;
}
