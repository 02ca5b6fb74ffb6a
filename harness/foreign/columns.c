/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/columns.h"

#include <inttypes.h>

#include "foreign/diagnosis.h"
#include "foreign/number.h"
#include "foreign/sweep.h"
#include "record/record.h"
#include "record/reasons.h"
#include "record/words.h"

/* Who has more of them gives a part. */
#define SWEEPS_MAX 100

/* ---- Vendors and classes ---- */

/* On AMD there are names, and a number, that Intel does not have. */
static bool speaks_for_svm(const GArray *readings)
{
	for (guint i = 0; i < readings->len; i++) {
		const struct reading *one = &g_array_index(readings, struct reading, i);

		if (one->kind != READING_COUNT || one->wrong != NULL)
			continue;
		if (one->reason == REASON_SVM_NPF && one->count > 0)
			return true;
		if (one->svm_reason != REASON_NONE &&
		    (one->reason == REASON_NONE || one->reason == one->svm_reason))
			return true;
	}
	return false;
}

static guint highest_column(const GArray *readings)
{
	guint highest = 0;

	for (guint i = 0; i < readings->len; i++)
		highest = MAX(highest, g_array_index(readings, struct reading, i).column);
	return highest;
}

static enum reading_class main_class(const GArray *readings)
{
	guint sizes[READING_SENTENCE + 1] = { 0 };
	enum reading_class best = READING_WORDS;

	for (guint i = 0; i < readings->len; i++) {
		const struct reading *one = &g_array_index(readings, struct reading, i);

		sizes[one->class] += one->kind == READING_COUNT;
		if (sizes[one->class] > sizes[best])
			best = one->class;
	}
	return best;
}

static void settle(GArray *readings, bool svm, enum reading_class most)
{
	for (guint i = 0; i < readings->len; i++) {
		struct reading *one = &g_array_index(readings, struct reading, i);

		if (svm && one->svm_reason != REASON_NONE)
			one->reason = one->svm_reason;
		/* "not enabled" is said in words, whatever the counts are in. */
		if (one->kind == READING_UNDEFINED || one->kind == READING_DISABLED)
			one->class = most;
	}
}

/* ---- What a sweep says ---- */

static bool take_reading(struct foreign_counts *counts, const struct reading *last, bool adds,
			 GError **error)
{
	if (last->wrong != NULL)
		return eptlab_fail(error, EPTLAB_ERROR_USAGE, "L0: %s, line %" PRIu64 ": %s",
				   counts->name, last->line, last->wrong);
	if (last->kind == READING_UNDEFINED) {
		g_array_append_val(counts->run->undefined, last->reason);
		return true;
	}
	if (adds &&
	    !exits_add(counts->run->exits, last->reason,
		       reason_name(record_run_vendor(counts->run), last->reason), last->count))
		return eptlab_fail(error, EPTLAB_ERROR_USAGE,
				   "L0: %s, line %" PRIu64
				   ": the parts add up to more than 64 bits",
				   counts->name, last->line);
	if (!adds)
		foreign_counts_set(counts, last->reason,
				   last->kind == READING_DISABLED ? 0 : last->count);
	counts->more_registers |= last->more_registers;
	if (last->rounded) {
		g_autofree char *words = words_count(last->count);

		foreign_counts_note(counts,
				    g_strdup_printf("the count of reason %" PRIu32 " in line "
						    "%" PRIu64 " is rounded: taken for %s",
						    last->reason, last->line, words));
		counts->rounded = true;
	}
	return true;
}

static bool take_query(struct foreign_counts *counts, const struct query *query, GError **error)
{
	const struct reading *first = query->first, *last = query->last;

	if (counts->line == 0) {
		counts->line = first->line;
		counts->tool = last->tool;
		counts->column = last->column;
		counts->written = (int)last->class;
		counts->title = g_strdup(first->title);
		counts->heading = g_strdup(last->heading);
	}
	if (last->kind == READING_COUNT && first->kind == READING_COUNT &&
	    first->count > last->count && counts->shrinking == NULL)
		counts->shrinking = g_strdup_printf("%" PRIu32 ": %" PRIu64 " in line %" PRIu64
						    ", then %" PRIu64 " in line %" PRIu64,
						    last->reason, first->count, first->line,
						    last->count, last->line);
	return take_reading(counts, last, last->part != 0, error);
}

static bool take_sweep(struct foreign_counts *counts, const struct sweep *sweep, GError **error)
{
	const uint32_t vendor = record_run_vendor(counts->run);

	counts->ascending = sweep_is_ascending(sweep);
	for (guint i = 0; i < sweep->queries->len; i++)
		if (!take_query(counts, sweep_query(sweep, i), error))
			return false;
	if (!counts->ascending && counts->tool == NULL && counts->heading == NULL)
		foreign_counts_note(counts, g_strdup("the list is not ascending"));
	if (sweep->table == NULL)
		return true;
	counts->whole_life = true;
	counts->line = sweep->table->line;
	record_set_string(&counts->title, sweep->table->title);
	for (uint32_t reason = 0; reason <= reason_highest(vendor); reason++)
		if (reason_is_defined(vendor, reason) &&
		    record_find_exit(counts->run->exits, reason) == NULL)
			foreign_counts_set(counts, reason, 0);
	counts->stated_total = record_u64_from(sweep->table->count);
	return true;
}

/* "reason 0 had 8087 in line 3, 2072 s before the sweep" for the last of what was left aside. */
static void note_left_aside(struct foreign_counts *counts, const GPtrArray *sweeps, guint chosen,
			    bool before)
{
	const struct sweep *sweep = g_ptr_array_index(sweeps, chosen);
	const struct reading *first = sweep->queries->len > 0 ? sweep_query(sweep, 0)->first : NULL;
	const struct reading *stale = NULL;
	GString *note;
	guint queries = 0;

	for (guint i = chosen; before ? i-- > 0 : ++i < sweeps->len;) {
		const struct sweep *other = g_ptr_array_index(sweeps, i);

		if (other->whole)
			break;
		queries += other->queries->len;
		if (other->queries->len > 0 && (stale == NULL || !before))
			stale = sweep_query(other, other->queries->len - 1)->last;
	}
	if (stale == NULL)
		return;
	note = g_string_new(NULL);
	g_string_printf(note,
			"%u %s %s the sweep that counts %s left aside; the last of them, in line "
			"%" PRIu64 ", says %" PRIu64 " for reason %" PRIu32,
			queries, queries == 1 ? "reading" : "readings", before ? "before" : "after",
			queries == 1 ? "is" : "are", stale->line, stale->count, stale->reason);
	if (before && stale->seconds >= 0 && first != NULL && first->seconds > stale->seconds)
		g_string_append_printf(note, ", %.0f s earlier", first->seconds - stale->seconds);
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

/* ---- A file ---- */

struct finder {
	GArray *readings;
	const char *name;
	struct leaf_layout layout;
	guint other_leaves;
	bool svm;
	GPtrArray *found; /* of struct foreign_counts */
};

static struct foreign_counts *counts_for(const struct finder *finder, const GPtrArray *stream,
					 guint per_query)
{
	struct foreign_counts *counts = foreign_counts_new(finder->name);

	if (finder->svm)
		record_set_string(&counts->run->platform.vendor, "svm");
	for (guint i = 0; i < stream->len && counts->leaf == 0; i++)
		counts->leaf = ((const struct reading *)g_ptr_array_index(stream, i))->leaf;
	if (finder->other_leaves > 0)
		foreign_counts_note(
			counts, g_strdup_printf("%u %s of other leaves than 0x%X (cycles, for "
						"example): left aside",
						finder->other_leaves,
						finder->other_leaves == 1 ? "line is" : "lines are",
						finder->layout.count));
	if (per_query > 1)
		foreign_counts_note(counts, g_strdup_printf("each answer stands %u times: the last "
							    "one counts",
							    per_query));
	return counts;
}

static void finish(struct foreign_counts *counts)
{
	if (counts->tool != NULL)
		foreign_counts_note(counts,
				    g_strdup_printf("from %s: a window of time, not a boot, so "
						    "rules about boots do not apply",
						    counts->tool));
	else if (record_run_vendor(counts->run) == KVM_EXITCOUNT_VENDOR_VMX)
		note_gaps(counts);
	if (counts->more_registers)
		foreign_counts_note(counts, g_strdup("ECX or EDX is not 0: EAX alone was taken for "
						     "the count"));
	foreign_counts_finish(counts);
}

/* The answers of one class and column. The caller frees the array. */
static GPtrArray *stream_of(const GArray *readings, enum reading_class class, guint column)
{
	GPtrArray *stream = g_ptr_array_new();

	for (guint i = 0; i < readings->len; i++) {
		struct reading *one = &g_array_index(readings, struct reading, i);

		if (one->kind != READING_TOTAL && one->class == class && one->column == column &&
		    (one->reason != REASON_NONE || one->svm_reason == REASON_NONE))
			g_ptr_array_add(stream, one);
	}
	return stream;
}

/* The whole sweeps of a stream, each by itself; or all: then the last answer for each reason
 * counts.
 */
static bool add_sweeps(struct finder *finder, const GPtrArray *stream, bool all, GError **error)
{
	const guint per_query = sweep_lines_per_query(stream);
	g_autoptr(GPtrArray) sweeps = sweeps_split(stream, per_query);
	struct foreign_counts *counts = NULL;

	for (guint i = 0; i < sweeps->len; i++) {
		const struct sweep *sweep = g_ptr_array_index(sweeps, i);

		if (!all && !sweep->whole)
			continue;
		if (!all || counts == NULL) {
			counts = counts_for(finder, stream, per_query);
			g_ptr_array_add(finder->found, counts);
		}
		if (!take_sweep(counts, sweep, error))
			return false;
		if (!all)
			note_left_aside(counts, sweeps, i, true);
		if (!all)
			note_left_aside(counts, sweeps, i, false);
		if (finder->found->len > SWEEPS_MAX)
			return eptlab_fail(
				error, EPTLAB_ERROR_USAGE,
				"L0: %s has more than %d sweeps; give the part of it that "
				"is meant",
				finder->name, SWEEPS_MAX);
	}
	if (all && sweeps->len > 1)
		foreign_counts_note(counts,
				    g_strdup_printf("no sweep has reason 48 and another one; the "
						    "last answer for each reason counts, from %u "
						    "sweeps",
						    sweeps->len));
	return true;
}

static bool add_classes(struct finder *finder, enum reading_class from, enum reading_class to,
			bool all, GError **error)
{
	const guint columns = highest_column(finder->readings);

	for (enum reading_class class = from; class <= to; class ++)
		for (guint column = 0; column <= columns; column++) {
			g_autoptr(GPtrArray) stream = stream_of(finder->readings, class, column);

			if (!add_sweeps(finder, stream, all, error))
				return false;
		}
	return true;
}

static int by_line(gconstpointer a, gconstpointer b)
{
	const struct foreign_counts *one = *(struct foreign_counts *const *)a;
	const struct foreign_counts *other = *(struct foreign_counts *const *)b;

	return one->line < other->line ? -1 : one->line > other->line;
}

/* Is a only a part of b, said again? Not if both say what they are, and it is not the same. */
static bool is_quotation(const struct foreign_counts *a, const struct foreign_counts *b)
{
	const enum foreign_claim one = foreign_counts_claim(a), other = foreign_counts_claim(b);

	if ((one != other && one != CLAIM_NONE && other != CLAIM_NONE) || a->heading != NULL)
		return false;
	/* The whole of it once more, in the same form: that is meant to be another run. */
	if (a->written == b->written && a->ascending == b->ascending &&
	    a->run->exits->len == b->run->exits->len)
		return false;
	for (guint i = 0; i < a->run->exits->len; i++) {
		const struct record_exit *exit = g_ptr_array_index(a->run->exits, i);
		const struct record_exit *same = record_find_exit(b->run->exits, exit->reason);

		if (same == NULL || same->count != exit->count)
			return false;
	}
	return true;
}

/* Is a, which is sound, the log of the VM that b, a column of a table, is of? It also has what was
 * before the workload.
 */
static bool is_log_of(struct foreign_counts *a, const struct foreign_counts *b)
{
	g_autoptr(struct_diagnosis) diagnosis = NULL;

	if (!a->whole_life || b->heading == NULL || foreign_counts_claim(a) == CLAIM_NONE ||
	    foreign_counts_claim(a) != foreign_counts_claim(b) ||
	    foreign_counts_paging(a) != foreign_counts_paging(b) || !foreign_counts_may_grow(b, a))
		return false;
	foreign_counts_finish(a);
	diagnosis = diagnosis_of_one(a);
	return diagnosis->verdict == DIAGNOSIS_SOUND;
}

#define SAID_AGAIN "said again from line %" PRIu64 " on, in part or whole"
#define WHOLE_LIFE                                                                                 \
	"the log from line %" PRIu64 " on is of the VM's whole life: left aside, it has no less"

static void drop_quotations(GPtrArray *found)
{
	for (guint i = 0; i < found->len; i++)
		for (guint j = 0; j < found->len; j++) {
			struct foreign_counts *a = g_ptr_array_index(found, i);
			struct foreign_counts *b = g_ptr_array_index(found, j);
			const bool log = is_log_of(a, b);

			if (i == j || (!log && !is_quotation(a, b)))
				continue;
			foreign_counts_note(
				b, g_strdup_printf(log ? WHOLE_LIFE : SAID_AGAIN, a->line));
			g_ptr_array_remove_index(found, i--);
			break;
		}
}

/* Cycles and differences look like counts, but for the words above them. */
static void drop_derived(GPtrArray *found)
{
	for (guint i = found->len; i-- > 0;) {
		const struct foreign_counts *counts = g_ptr_array_index(found, i);

		if (found->len > 1 && counts->title != NULL &&
		    number_fits(
			    "^(?!.*exit).*cycle|^\\W*(?:the )?(?:difference|delta|ratio|increase)",
			    counts->title))
			g_ptr_array_remove_index(found, i);
	}
}

/* Two that say the same of themselves: the words are about something else. */
static void drop_equal_claims(GPtrArray *found)
{
	struct foreign_counts *one = g_ptr_array_index(found, 0);
	struct foreign_counts *other = g_ptr_array_index(found, found->len - 1);

	if (found->len != 2 || foreign_claim(one->title) == CLAIM_NONE || one->heading != NULL ||
	    foreign_claim(one->title) != foreign_claim(other->title))
		return;
	g_clear_pointer(&one->title, g_free);
	g_clear_pointer(&other->title, g_free);
}

/* Where a total stands tells whose it is: above its sweep if one stands above the first. */
static struct foreign_counts *owner_of(const struct reading *total, const GPtrArray *found,
				       bool above)
{
	struct foreign_counts *owner = NULL;

	for (guint i = 0; i < found->len; i++) {
		struct foreign_counts *counts = g_ptr_array_index(found, i);
		const bool begins_later = counts->line > total->line;

		if ((total->class == READING_CELLS && total->column != counts->column) ||
		    (total->tool == NULL && counts->tool != NULL))
			continue;
		if (begins_later && (above || total->title != NULL))
			return counts;
		if (!begins_later || owner == NULL)
			owner = counts;
	}
	return owner;
}

static bool take_totals(const struct finder *finder, GError **error)
{
	const struct foreign_counts *first = g_ptr_array_index(finder->found, 0);
	bool above = false;
	uint32_t part = 0;

	for (guint i = 0; i < finder->readings->len; i++) {
		const struct reading *one = &g_array_index(finder->readings, struct reading, i);
		struct record_u64 *total;
		struct foreign_counts *owner;

		if (one->kind != READING_TOTAL || one->class == READING_SENTENCE)
			continue;
		above |= one->line < first->line;
		owner = owner_of(one, finder->found, above);
		if (owner == NULL)
			continue;
		if (one->wrong != NULL)
			return eptlab_fail(error, EPTLAB_ERROR_USAGE,
					   "L0: %s, line %" PRIu64 ": %s", finder->name, one->line,
					   one->wrong);
		total = &owner->stated_total;
		/* vCPUs add up. */
		if (!total->known || one->part == 0 || part == 0 || one->part == part)
			*total = record_u64_from(one->count);
		else
			total->known =
				!__builtin_add_overflow(total->value, one->count, &total->value);
		part = one->part;
		owner->total_first = one->line < owner->line;
		owner->rounded |= one->rounded;
	}
	return true;
}

/* "file:With ept", "file:noept", "file:sweep 2". */
static void name_found(GPtrArray *found, const char *name)
{
	for (guint i = 0; found->len > 1 && i < found->len; i++) {
		struct foreign_counts *counts = g_ptr_array_index(found, i);
		g_autofree char *label = foreign_counts_label(counts, i + 1);
		bool twice = false;

		for (guint j = 0; j < i; j++)
			twice |= g_str_has_suffix(
				((const struct foreign_counts *)g_ptr_array_index(found, j))->name,
				label);
		g_free(counts->name);
		counts->name = twice ? g_strdup_printf("%s:%s (sweep %u)", name, label, i + 1)
				     : g_strdup_printf("%s:%s", name, label);
	}
}

GPtrArray *columns_none(const char *name, GError **error)
{
	eptlab_fail(error, EPTLAB_ERROR_USAGE,
		    "L0: %s has no exit counts in any form that is known; see eptlab check --help",
		    name);
	return NULL;
}

GPtrArray *columns_find(GArray *readings, const struct leaf_layout *layout, const char *name,
			GError **error)
{
	g_autoptr(GPtrArray) found = foreign_columns_new();
	struct finder finder = { .readings = readings, .name = name, .found = found };
	enum reading_class most;

	finder.layout = leaves_choose(readings, layout);
	finder.other_leaves = leaves_keep(readings, finder.layout);
	finder.svm = speaks_for_svm(readings);
	most = main_class(readings);
	settle(readings, finder.svm, most);
	if (!add_classes(&finder, READING_WORDS, READING_PLAIN, false, error))
		return NULL;
	if (found->len == 0 &&
	    !add_classes(&finder, READING_SENTENCE, READING_SENTENCE, false, error))
		return NULL;
	if (found->len == 0 && !add_classes(&finder, most, most, true, error))
		return NULL;
	if (found->len == 0)
		return columns_none(name, error);
	g_ptr_array_sort(found, by_line);
	drop_quotations(found);
	drop_derived(found);
	if (!take_totals(&finder, error))
		return NULL;
	for (guint i = 0; i < found->len; i++)
		finish(g_ptr_array_index(found, i));
	name_found(found, name);
	drop_equal_claims(found);
	return g_steal_pointer(&found);
}
