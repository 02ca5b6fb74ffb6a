/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/counts.h"

#include <inttypes.h>
#include <string.h>

#include "foreign/number.h"
#include "record/record.h"
#include "record/reasons.h"
#include "record/words.h"

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
	g_free(counts->title);
	g_free(counts->heading);
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

struct record_u64 foreign_counts_of(const struct foreign_counts *counts, uint32_t reason)
{
	const struct record_exit *one = record_find_exit(counts->run->exits, reason);

	return one != NULL ? record_u64_from(one->count) : (struct record_u64){ .known = false };
}

bool foreign_counts_may_grow(const struct foreign_counts *from, const struct foreign_counts *to)
{
	for (guint i = 0; i < from->run->exits->len; i++) {
		const struct record_exit *one = g_ptr_array_index(from->run->exits, i);
		struct record_u64 other = foreign_counts_of(to, one->reason);

		if (other.known && other.value < one->count)
			return false;
	}
	return true;
}

static bool is_some(struct record_u64 count)
{
	return count.known && count.value > 0;
}

/*
 * A list of what was seen in a window names no reason that was not, so what is missing there may
 * have been missed. With KVM's shadow paging page faults and changes of CR3 exit, too; a guest
 * whose tables a hypervisor keeps by agreement (paravirtual) has INVLPG without them.
 */
static enum paging paging_of_window(bool nested, bool invlpg, bool faults, bool cr)
{
	if (nested)
		return invlpg ? PAGING_BOTH : PAGING_NESTED;
	return invlpg && faults && cr ? PAGING_SHADOW : PAGING_UNKNOWN;
}

enum paging foreign_counts_paging(const struct foreign_counts *counts)
{
	const uint32_t vendor = record_run_vendor(counts->run);
	const struct reason_roles *roles = reason_roles(vendor);
	struct record_u64 violations = foreign_counts_of(counts, roles->violation);
	struct record_u64 invlpg = foreign_counts_of(counts, roles->invlpg);
	struct record_u64 faults = foreign_counts_of(counts, roles->page_fault);
	const bool nested =
		is_some(violations) || is_some(foreign_counts_of(counts, roles->misconfig));

	if (counts->tool != NULL)
		return paging_of_window(
			nested, is_some(invlpg), is_some(faults),
			vendor == KVM_EXITCOUNT_VENDOR_SVM ||
				is_some(foreign_counts_of(counts, REASON_CR_ACCESS)));
	/* One is proof enough. */
	if (nested)
		return is_some(invlpg) ? PAGING_BOTH : PAGING_NESTED;
	if (!violations.known || !invlpg.known || !faults.known)
		return PAGING_UNKNOWN;
	/* Without EPT no kernel boots without a page fault; it may do without INVLPG. */
	return invlpg.value > 0 || faults.value > 0 ? PAGING_SHADOW : PAGING_NEITHER;
}

/* ---- Words ---- */

#define NESTED "(?:[en]pt|nested(?: paging)?)"
#define IS     "(?:\\s*[-=:]\\s*|\\s+(?:is |was )?|_)"
#define OFF                                                                                        \
	"(?:without|\\bno|\\bnon|w/o|disabled|disabling)[ _-]?" NESTED "\\b|(?<![a-z])" NESTED IS  \
	"(?:0|n|no|off|false|disabled|turned off)\\b|\\bshadow\\b"
#define ON                                                                                         \
	"\\bwith[ _-]?" NESTED "\\b|(?<![a-z])" NESTED IS                                          \
	"(?:1|y|yes|on|true|enabled|turned on)\\b|"                                                \
	"\\bnested\\b|^\\W*[en]pt\\W*$|^\\W*[en]pt (?:exits|counts?)\\W*$|enabled[ _-]" NESTED

enum foreign_claim foreign_claim(const char *text)
{
	g_autofree char *rest = NULL;
	bool off, on;

	if (text == NULL || strlen(text) > 80 ||
	    number_fits("\\b(?:before|than|vs|versus|until|if|not|isn't|compar\\w*)\\b", text))
		return CLAIM_NONE;
	off = number_fits(OFF, text);
	rest = number_without(OFF, text);
	on = number_fits(ON, rest);
	if (off == on)
		return CLAIM_NONE;
	return off ? CLAIM_SHADOW : CLAIM_NESTED;
}

enum foreign_claim foreign_counts_claim(const struct foreign_counts *counts)
{
	const enum foreign_claim claim = foreign_claim(counts->heading);

	return claim != CLAIM_NONE ? claim : foreign_claim(counts->title);
}

char *foreign_counts_label(const struct foreign_counts *counts, guint number)
{
	const char *words = foreign_claim(counts->title) != CLAIM_NONE &&
					    foreign_claim(counts->heading) == CLAIM_NONE
				    ? counts->title
				    : counts->heading;
	g_autofree char *shown = words_printable(words != NULL ? words : counts->title);
	g_autofree char *label = g_strndup(shown, 40);

	g_strdelimit(label, ":/", ' ');
	g_strdelimit(label, "#*\t", ' ');
	g_strstrip(label);
	return *label != '\0' ? g_steal_pointer(&label) : g_strdup_printf("sweep %u", number);
}

/* ---- Sums ---- */

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

	less->less = true;
	less->tool = counts->tool;
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
