/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/diagnosis.h"

#include <inttypes.h>
#include <stdarg.h>

#include "foreign/diagnosis_checks.h"
#include "judge/fingerprint.h"
#include "record/reasons.h"
#include "record/words.h"

static struct diagnosis *diagnosis_new(void)
{
	struct diagnosis *diagnosis = g_new0(struct diagnosis, 1);

	diagnosis->story = g_ptr_array_new_with_free_func(g_free);
	diagnosis->checks = record_checks_new();
	return diagnosis;
}

void diagnosis_free(struct diagnosis *diagnosis)
{
	if (diagnosis == NULL)
		return;
	g_free(diagnosis->headline);
	g_ptr_array_unref(diagnosis->story);
	g_ptr_array_unref(diagnosis->checks);
	foreign_counts_free(diagnosis->difference);
	g_free(diagnosis);
}

/* ---- Asking the table ---- */

/* Takes what result owns. */
static void add_check(struct diagnosis *diagnosis, const struct diagnosis_check *row,
		      const char *about, struct rule_result result)
{
	struct record_check *check = record_check_new();

	check->rule = g_strdup(row->name);
	check->run = g_strdup(about);
	check->verdict = result.verdict;
	check->decisive =
		result.verdict == RECORD_CHECK_FAIL || result.verdict == RECORD_CHECK_UNKNOWN;
	check->saw = result.saw;
	check->expected = result.expected;
	check->why = g_strdup(row->why);
	check->advice = g_strdup(row->advice);
	g_ptr_array_add(diagnosis->checks, check);
}

static void ask(struct diagnosis *diagnosis, const struct foreign_counts *a,
		const struct foreign_counts *b)
{
	size_t count;
	const struct diagnosis_check *rows = diagnosis_checks(&count);

	for (size_t i = 0; i < count; i++) {
		if (rows[i].of_pair) {
			if (b != NULL)
				add_check(diagnosis, &rows[i], NULL, rows[i].check(a, b));
			continue;
		}
		add_check(diagnosis, &rows[i], a->name, rows[i].check(a, NULL));
		if (b != NULL)
			add_check(diagnosis, &rows[i], b->name, rows[i].check(b, NULL));
	}
}

static bool has_verdict(const struct diagnosis *diagnosis, enum record_check_verdict verdict)
{
	for (guint i = 0; i < diagnosis->checks->len; i++) {
		const struct record_check *check = g_ptr_array_index(diagnosis->checks, i);

		if (check->verdict == verdict)
			return true;
	}
	return false;
}

static void conclude(struct diagnosis *diagnosis)
{
	diagnosis->verdict = DIAGNOSIS_SOUND;
	if (has_verdict(diagnosis, RECORD_CHECK_UNKNOWN))
		diagnosis->verdict = DIAGNOSIS_UNDECIDED;
	if (has_verdict(diagnosis, RECORD_CHECK_FAIL))
		diagnosis->verdict = DIAGNOSIS_UNSOUND;
}

static void tell(struct diagnosis *diagnosis, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void tell(struct diagnosis *diagnosis, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_ptr_array_add(diagnosis->story, g_strdup_vprintf(format, arguments));
	va_end(arguments);
}

/* ---- One reading ---- */

static uint64_t value_of(const struct foreign_counts *counts, uint32_t reason)
{
	return foreign_counts_of(counts, reason).value;
}

/* What nested paging is called: it is what the module's parameter is called. */
static const char *ept(const struct foreign_counts *counts)
{
	return record_run_vendor(counts->run) == KVM_EXITCOUNT_VENDOR_SVM ? "NPT" : "EPT";
}

static char *headline_of_one(const struct foreign_counts *counts)
{
	const char *but = diagnosis_early_missing(counts)
				  ? ", but on a counter that misses what KVM answers before its "
				    "table of handlers"
			  : diagnosis_contradicts(counts)
				  ? ", which is not what the words above them say"
				  : "";

	switch (foreign_counts_paging(counts)) {
	case PAGING_NESTED:
		return g_strdup_printf("these counts speak for nested paging: %s was on%s",
				       ept(counts), but);
	case PAGING_SHADOW:
		return g_strdup_printf("these counts speak for shadow paging: %s was off%s",
				       ept(counts), but);
	case PAGING_BOTH:
		return g_strdup_printf("both kinds of paging are in this counter: it was not reset "
				       "between a run with %s and one without",
				       ept(counts));
	case PAGING_NEITHER:
		return g_strdup("these counts speak for no kind of paging: no VM boots like that");
	case PAGING_UNKNOWN:
		break;
	}
	return g_strdup("which paging it was cannot be told: reasons that tell are missing");
}

static void tell_evidence(struct diagnosis *diagnosis, const struct foreign_counts *counts)
{
	uint32_t vendor = record_run_vendor(counts->run);
	const struct reason_roles *roles = reason_roles(vendor);
	const uint32_t reasons[] = { roles->violation, roles->misconfig, roles->invlpg,
				     roles->page_fault };
	GString *words = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++) {
		struct record_u64 count = foreign_counts_of(counts, reasons[i]);

		g_autofree char *grouped = words_count(count.value);

		if (count.known)
			g_string_append_printf(words, "%s%" PRIu32 " %s %s",
					       words->len > 0 ? ", " : "", reasons[i],
					       reason_name(vendor, reasons[i]), grouped);
	}
	if (words->len > 0)
		tell(diagnosis,
		     "The evidence: %s. With EPT there are violations and no INVLPG; "
		     "without EPT it is the other way round, and page faults exit.",
		     words->str);
	g_string_free(words, TRUE);
}

static void tell_of_one(struct diagnosis *diagnosis, const struct foreign_counts *counts)
{
	uint64_t divisor = fingerprint_divisor(record_run_vendor(counts->run), counts->run->exits);

	tell_evidence(diagnosis, counts);
	if (foreign_counts_paging(counts) == PAGING_BOTH && !counts->less)
		tell(diagnosis,
		     "Whatever the run without EPT has caused cannot be read off here; "
		     "--baseline takes off what the run with EPT had left behind, if that "
		     "was read.");
	if (divisor >= 2 && counts->tool == NULL && !counts->rounded)
		tell(diagnosis,
		     "A hint, no proof: the counts that a boot has a fixed few of (29, 46, 47, 54, "
		     "55) are all multiples of %" PRIu64 ". %" PRIu64
		     " boots in one counter look like that, and so does a VM with %" PRIu64
		     " vCPUs.",
		     divisor, divisor, divisor);
}

struct diagnosis *diagnosis_of_one(const struct foreign_counts *counts)
{
	struct diagnosis *diagnosis = diagnosis_new();

	ask(diagnosis, counts, NULL);
	conclude(diagnosis);
	diagnosis->headline = headline_of_one(counts);
	tell_of_one(diagnosis, counts);
	return diagnosis;
}

/* ---- Two readings ---- */

/* How many boots of "from" are in the counter of "to"; 0 if that cannot be told. */
static uint64_t boots_in(const struct foreign_counts *from, const struct foreign_counts *to)
{
	const uint32_t vendor = record_run_vendor(from->run);
	const struct fingerprint fingerprint =
		fingerprint_compare(vendor, from->run->exits, to->run->exits);

	if (from->tool != NULL || to->tool != NULL || from->rounded || to->rounded)
		return 0;
	if (fingerprint.verdict == FINGERPRINT_MULTIPLE)
		return fingerprint.factor;
	return foreign_counts_may_grow(from, to)
		       ? fingerprint_at_least(vendor, from->run->exits, to->run->exits)
		       : 0;
}

static void tell_multiple(struct diagnosis *diagnosis, const struct foreign_counts *from,
			  const struct foreign_counts *to)
{
	const uint64_t boots = boots_in(from, to);
	g_autofree char *words = fingerprint_words(record_run_vendor(from->run), from->run->exits,
						   to->run->exits, boots);

	if (boots > 0)
		tell(diagnosis,
		     "Exits of which a boot has a fixed few are exactly %" PRIu64
		     " times those of %s (%s): %" PRIu64 " boots are in the counter of %s.",
		     boots, from->name, words, boots, to->name);
}

/* What is left of "to" without "from", and what that speaks for. */
static void tell_difference(struct diagnosis *diagnosis, const struct foreign_counts *from,
			    const struct foreign_counts *to)
{
	const struct reason_roles *roles = reason_roles(record_run_vendor(from->run));
	struct foreign_counts *left;
	g_autofree char *violations = NULL;
	g_autofree char *invlpg = NULL;
	bool any_violations, any_invlpg;

	if (!foreign_counts_may_grow(from, to)) {
		tell(diagnosis,
		     "%s does not have at least as many of each reason as %s, so it is not the "
		     "same counter, and nothing can be taken off.",
		     to->name, from->name);
		return;
	}
	left = foreign_counts_less(to, from, NULL);
	if (left == NULL)
		return;
	diagnosis->difference = left;
	violations = words_count(value_of(left, roles->violation));
	invlpg = words_count(value_of(left, roles->invlpg));
	any_violations = value_of(left, roles->violation) > 0;
	any_invlpg = value_of(left, roles->invlpg) > 0;
	if (any_violations && !any_invlpg)
		tell(diagnosis,
		     "Taking off %s leaves %s EPT violations and no INVLPG: the last boot "
		     "ran with EPT, too.",
		     from->name, violations);
	else if (any_violations)
		tell(diagnosis,
		     "Taking off %s leaves %s INVLPG, which only shadow paging has, and %s EPT "
		     "violations, of which shadow paging has none: the run with EPT that "
		     "this counter has seen was a longer one than that of %s, or another. What is "
		     "left says in which direction, but not how much.",
		     from->name, invlpg, violations, from->name);
	else
		tell(diagnosis,
		     "Taking off %s leaves no EPT violation and %s INVLPG, as it must be without "
		     "EPT: what is left is plausible for that run.",
		     from->name, invlpg);
}

static void tell_went_on(struct diagnosis *diagnosis, const struct foreign_counts *from,
			 const struct foreign_counts *to)
{
	diagnosis->headline =
		g_strdup_printf("%s stayed on, and the counter of %s went on from the run before",
				ept(to), to->name);
	tell_multiple(diagnosis, from, to);
	tell_difference(diagnosis, from, to);
}

/* Which of the two is the earlier one, if both have nested paging. */
static void diagnose_both_nested(struct diagnosis *diagnosis, const struct foreign_counts *first,
				 const struct foreign_counts *second)
{
	if (boots_in(first, second) > 0)
		tell_went_on(diagnosis, first, second);
	else if (boots_in(second, first) > 0)
		tell_went_on(diagnosis, second, first);
	else
		diagnosis->headline = g_strdup_printf("%s was on in both", ept(first));
}

static void diagnose_ran_on(struct diagnosis *diagnosis, const struct foreign_counts *nested,
			    const struct foreign_counts *both)
{
	if (foreign_counts_may_grow(nested, both))
		diagnosis->headline = g_strdup_printf("shadow paging was in effect for %s, but on "
						      "a counter that was not reset: a "
						      "run with %s is in it",
						      both->name, ept(both));
	else
		diagnosis->headline = g_strdup_printf("both kinds of paging are in the counter of "
						      "%s, but it is not the counter of "
						      "%s that went on",
						      both->name, nested->name);
	tell_multiple(diagnosis, nested, both);
	tell_multiple(diagnosis, both, nested);
	tell_difference(diagnosis, nested, both);
}

static void diagnose_sound(struct diagnosis *diagnosis, const struct foreign_counts *first,
			   const struct foreign_counts *second)
{
	static const char *const buts[] = {
		[DIAGNOSIS_UNSOUND] = ", but something else is wrong",
		[DIAGNOSIS_UNDECIDED] = ", but not all is there that a sound pair has",
	};

	if (diagnosis->verdict == DIAGNOSIS_SOUND) {
		diagnosis->headline = g_strdup_printf("a sound pair: %s was on in %s and off in %s",
						      ept(first), first->name, second->name);
		return;
	}
	diagnosis->headline = g_strdup_printf("%s was on in %s and off in %s%s", ept(first),
					      first->name, second->name, buts[diagnosis->verdict]);
	tell_multiple(diagnosis, first, second);
	tell_multiple(diagnosis, second, first);
}

static void diagnose(struct diagnosis *diagnosis, const struct foreign_counts *first,
		     const struct foreign_counts *second)
{
	const enum paging one = foreign_counts_paging(first), other = foreign_counts_paging(second);
	const guint copied = diagnosis_copied(first, second);
	guint compared, different;

	diagnosis_differing(first, second, &compared, &different);
	if (compared > 0 && different == 0)
		diagnosis->headline = g_strdup("the two are one reading: no count differs");
	else if (copied > 0)
		diagnosis->headline = g_strdup_printf("one of the two was copied and edited: %u "
						      "large counts agree to the digit",
						      copied);
	else if (one == PAGING_UNKNOWN || other == PAGING_UNKNOWN)
		diagnosis->headline = g_strdup("whether this is a sound pair cannot be told: "
					       "reasons that tell are missing");
	else if (one == PAGING_NESTED && other == PAGING_SHADOW)
		diagnose_sound(diagnosis, first, second);
	else if (one == PAGING_SHADOW && other == PAGING_NESTED)
		diagnosis->headline = g_strdup_printf("the columns are swapped: %s was off in %s "
						      "and on in %s",
						      ept(first), first->name, second->name);
	else if (one == PAGING_NESTED && other == PAGING_NESTED)
		diagnose_both_nested(diagnosis, first, second);
	else if (one == PAGING_SHADOW && other == PAGING_SHADOW)
		diagnosis->headline = g_strdup_printf("%s was off in both", ept(first));
	else if (one == PAGING_NESTED && other == PAGING_BOTH)
		diagnose_ran_on(diagnosis, first, second);
	else if (one == PAGING_BOTH && other == PAGING_NESTED)
		diagnose_ran_on(diagnosis, second, first);
	else
		diagnosis->headline = g_strdup_printf("no sound pair: %s has %s, %s has %s",
						      first->name, diagnosis_paging_words(one),
						      second->name, diagnosis_paging_words(other));
}

struct diagnosis *diagnosis_of_pair(const struct foreign_counts *first,
				    const struct foreign_counts *second)
{
	struct diagnosis *diagnosis = diagnosis_new();

	ask(diagnosis, first, second);
	conclude(diagnosis);
	diagnose(diagnosis, first, second);
	return diagnosis;
}
