/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/sweep.h"

#include "foreign/counts.h"
#include "record/reasons.h"

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

struct query *sweep_query(const struct sweep *sweep, guint index)
{
	return &g_array_index(sweep->queries, struct query, index);
}

static bool is_same(const struct reading *a, const struct reading *b)
{
	return a->reason == b->reason && a->part == b->part;
}

static guint run_length(const GPtrArray *readings, guint at)
{
	guint length = 1;

	while (at + length < readings->len &&
	       reading_is_answer(g_ptr_array_index(readings, at + length)) &&
	       is_same(g_ptr_array_index(readings, at), g_ptr_array_index(readings, at + length)))
		length++;
	return length;
}

guint sweep_lines_per_query(const GPtrArray *readings)
{
	guint seen[9] = { 0 };
	guint best = 1, length;

	for (guint at = 0; at < readings->len; at += length) {
		length = 1;
		if (!reading_is_answer(g_ptr_array_index(readings, at)))
			continue;
		length = run_length(readings, at);
		seen[MIN(length, G_N_ELEMENTS(seen) - 1)]++;
	}
	for (length = 2; length < G_N_ELEMENTS(seen); length++)
		if (seen[length] > seen[best])
			best = length;
	return best;
}

bool sweep_is_ascending(const struct sweep *sweep)
{
	for (guint i = 1; i < sweep->queries->len; i++)
		if (sweep_query(sweep, i)->first->reason < sweep_query(sweep, i - 1)->first->reason)
			return false;
	return true;
}

/*
 * A reason is asked again that query "same" has: where does the next sweep begin? Where words say
 * so; else where the numbers of the reasons fall; else after the last words, or here.
 */
static guint cut_at(const struct sweep *sweep, guint same, const struct query *again)
{
	guint said = 0, fall = 0, falls = 0, words = 0;

	for (guint i = same + 1; i <= sweep->queries->len; i++) {
		const struct reading *one =
			i < sweep->queries->len ? sweep_query(sweep, i)->first : again->first;

		if (one->title != NULL)
			words = i;
		if (foreign_claim(one->title) != CLAIM_NONE)
			said = i;
		if (one->reason < sweep_query(sweep, i - 1)->first->reason) {
			fall = i;
			falls++;
		}
	}
	if (said > 0)
		return said;
	if (falls == 1 && again->first->tool == NULL)
		return fall;
	return words > 0 ? words : sweep->queries->len;
}

static void add_query(GPtrArray *sweeps, struct query query)
{
	struct sweep *sweep =
		sweeps->len > 0 ? g_ptr_array_index(sweeps, sweeps->len - 1) : add_sweep(sweeps);
	struct sweep *next;
	guint same = sweep->queries->len, cut;

	/* Threads of another table may be others, and are no further parts. */
	if (query.first->begins && (query.first->tool != NULL || query.first->part != 0) &&
	    same > 0) {
		g_array_append_val(add_sweep(sweeps)->queries, query);
		return;
	}
	while (same > 0 && !is_same(sweep_query(sweep, same - 1)->first, query.first))
		same--;
	if (same == 0) {
		g_array_append_val(sweep->queries, query);
		return;
	}
	same--;
	/*
	 * Asked twice in a row: the last answer counts, unless nothing else was asked before. In a
	 * log anything may stand between; elsewhere words begin something else.
	 */
	if (same > 0 && same + 1 == sweep->queries->len && sweep_is_ascending(sweep) &&
	    (query.first->title == NULL ||
	     (query.first->seconds >= 0 && foreign_claim(query.first->title) == CLAIM_NONE))) {
		*sweep_query(sweep, same) = query;
		return;
	}
	cut = cut_at(sweep, same, &query);
	next = add_sweep(sweeps);
	if (cut < sweep->queries->len)
		g_array_append_vals(next->queries, sweep_query(sweep, cut),
				    sweep->queries->len - cut);
	g_array_set_size(sweep->queries, cut);
	g_array_append_val(next->queries, query);
}

/* Those that tell nested from shadow paging; a sweep without them decides nothing. */
static bool is_whole(const struct sweep *sweep)
{
	bool tells = false, violations = false, claimed = false, tool = false, cells = false;

	for (guint i = 0; i < sweep->queries->len; i++) {
		const struct reading *one = sweep_query(sweep, i)->last;

		violations |= one->reason == REASON_EPT_VIOLATION || one->reason == REASON_SVM_NPF;
		tells |= one->reason == REASON_EXCEPTION_NMI || one->reason == REASON_INVLPG;
		claimed |= foreign_claim(sweep_query(sweep, i)->first->title) != CLAIM_NONE ||
			   foreign_claim(one->heading) != CLAIM_NONE;
		tool |= one->tool != NULL;
		cells |= one->class == READING_CELLS;
	}
	return sweep->table != NULL || tool || (claimed && (violations || tells)) ||
	       ((cells || violations) && sweep->queries->len > 1);
}

GPtrArray *sweeps_split(const GPtrArray *readings, guint per_query)
{
	GPtrArray *sweeps = g_ptr_array_new_with_free_func(sweep_free);
	guint length;

	for (guint at = 0; at < readings->len; at += length) {
		const struct reading *one = g_ptr_array_index(readings, at);

		length = 1;
		if (one->kind == READING_TABLE)
			add_sweep(sweeps)->table = one;
		if (!reading_is_answer(one))
			continue;
		/* What is more than one query has comes first: the last lines belong together. */
		length = run_length(readings, at);
		if (length % per_query != 0)
			length %= per_query;
		else
			length = per_query;
		add_query(sweeps,
			  (struct query){ .first = one,
					  .last = g_ptr_array_index(readings, at + length - 1) });
	}
	for (guint i = 0; i < sweeps->len; i++) {
		struct sweep *sweep = g_ptr_array_index(sweeps, i);

		sweep->whole = is_whole(sweep);
	}
	return sweeps;
}
