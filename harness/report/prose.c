/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/prose.h"

#include <inttypes.h>
#include <string.h>

#include "record/words.h"
#include "report/many.h"
#include "base/each.h"

/* More than these are a table, not a text. */
#define CHANGES_MOST 5

static const char *paging_of(const struct record_run *run)
{
	switch (record_run_nested(run)) {
	case RECORD_TRUE:
		return "nested paging (EPT on)";
	case RECORD_FALSE:
		return "shadow paging (EPT off)";
	case RECORD_UNKNOWN:
		break;
	}
	return "a paging that is not known";
}

static char *subject_of_many(const struct report *report)
{
	g_autoptr(GPtrArray) comparisons = many_comparisons(report);
	const char *base = many_label(comparisons, 0);
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < report->all->len; i++) {
		g_autofree char *effect = words_run_in_effect(report->all->pdata[i]);

		g_string_append_printf(text, "%s%s %swith %s", i > 0 ? "; " : "",
				       many_label(comparisons, i), i > 0 ? "" : "ran ", effect);
	}
	g_string_append_printf(text, ". Each is compared with %s.", base);
	return g_string_free(text, FALSE);
}

char *prose_subject(const struct report *report)
{
	const struct comparison *comparison = report->comparison;

	if (report->all != NULL)
		return subject_of_many(report);
	if (comparison->b == NULL)
		return g_strdup_printf("One run alone, %s, with %s.", comparison->label_a,
				       paging_of(comparison->a));
	return g_strdup_printf("%s ran with %s, %s with %s.", comparison->label_a,
			       paging_of(comparison->a), comparison->label_b,
			       paging_of(comparison->b));
}

/* The same of two runs; where there are more, they are named. */
static char *inputs_of(const struct report *report, const struct comparison *comparison)
{
	const struct record_run *a = comparison->a, *b = comparison->b;
	const bool many = report->all != NULL;
	g_autoptr(GArray) differ = comparison_inputs(comparison);
	GString *text;

	if (differ == NULL && b != NULL &&
	    (a->inputs != NULL || b->inputs != NULL || report->records[0] != report->records[1]))
		return g_strdup_printf("Inputs, what L1 and L2 are made of, are not recorded for "
				       "both %s%s%s: what follows may have any cause.",
				       many ? comparison->label_a : "runs", many ? " and " : "",
				       many ? comparison->label_b : "");
	if (differ == NULL || differ->len == 0)
		return NULL;
	text = g_string_new("Inputs that differ");
	if (many)
		g_string_append_printf(text, " between %s and %s", comparison->label_a,
				       comparison->label_b);
	g_string_append_c(text, ':');
	for (guint i = 0; i < differ->len; i++) {
		const struct compare_input *one = &g_array_index(differ, struct compare_input, i);

		g_string_append_printf(text, "%s %s (%.12s -> %.12s)", i > 0 ? "," : "", one->name,
				       one->a != NULL ? one->a : "none",
				       one->b != NULL ? one->b : "none");
	}
	g_string_append_c(text, '.');
	return g_string_free(text, FALSE);
}

char *prose_inputs(const struct report *report)
{
	g_autoptr(GPtrArray) comparisons = many_comparisons(report);
	GString *text = g_string_new(NULL);

	each (const struct comparison, one, comparisons) {
		g_autofree char *sentence = inputs_of(report, one);

		if (sentence != NULL)
			g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "", sentence);
	}
	return g_string_free(text, text->len == 0);
}

char *prose_expectation(const struct comparison *comparison, const struct expectation *one)
{
	g_autofree char *a = compare_side_words(&one->row->a);
	g_autofree char *b = compare_side_words(&one->row->b);

	return g_strdup_printf("%s with %s, %s with %s. Expected: %s; %s.", a, comparison->label_a,
			       b, comparison->label_b, one->expected,
			       expectation_verdict_words(one->verdict));
}

char *prose_answer(const GArray *expectations)
{
	guint met = 0, unmet = 0;

	if (expectations == NULL)
		return NULL;
	for (guint i = 0; i < expectations->len; i++) {
		enum expectation_verdict verdict =
			g_array_index(expectations, struct expectation, i).verdict;

		met += verdict == EXPECTATION_MET;
		unmet += verdict == EXPECTATION_NOT_MET;
	}
	return g_strdup_printf(
		"Of %u paging-related reasons, %u are as expected, %u are not, and %u "
		"tell nothing here.",
		expectations->len, met, unmet, expectations->len - met - unmet);
}

/* ---- What changed ---- */

static int by_difference(gconstpointer a, gconstpointer b)
{
	const struct compare_row *one = *(const struct compare_row *const *)a;
	const struct compare_row *other = *(const struct compare_row *const *)b;

	return (one->difference < other->difference) - (one->difference > other->difference);
}

static int by_count(gconstpointer a, gconstpointer b)
{
	const struct compare_row *one = *(const struct compare_row *const *)a;
	const struct compare_row *other = *(const struct compare_row *const *)b;

	return (one->a.count < other->a.count) - (one->a.count > other->a.count);
}

/*
 * The rows that a sentence may be about, the most important first. Where one run has nested and the
 * other shadow paging, what has to do with paging is told as an expectation.
 */
static GPtrArray *important_rows(const struct comparison *comparison)
{
	g_autoptr(GArray) expectations = expectations_of(comparison);
	GPtrArray *rows = g_ptr_array_new();

	each_value (struct compare_row, row, comparison->rows) {
		const bool told = row->paging && expectations != NULL;

		if (comparison->b == NULL ? row->a.count > 0
					  : !told && row->ratio_kind != COMPARE_RATIO_UNKNOWN &&
						    row->difference > 0)
			g_ptr_array_add(rows, row);
	}
	g_ptr_array_sort(rows, comparison->b == NULL ? by_count : by_difference);
	return rows;
}

static char *change_of(const struct comparison *comparison, const char *what,
		       const struct compare_row *row)
{
	g_autofree char *a = compare_side_words(&row->a);
	g_autofree char *b = compare_side_words(&row->b);
	g_autofree char *difference = compare_difference_words(row);
	g_autofree char *share = compare_share_words(&row->a);

	if (comparison->b == NULL)
		return g_strdup_printf("%s: %s exits, %s of all.", what, a, share);
	return g_strdup_printf("%s: from %s to %s (%s).", what, a, b, difference);
}

GPtrArray *prose_changes(const struct comparison *comparison)
{
	g_autoptr(GPtrArray) rows = important_rows(comparison);
	GPtrArray *changes = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(changes, change_of(comparison, "All exits", &comparison->total));
	for (guint i = 0; i < MIN(rows->len, CHANGES_MOST); i++) {
		const struct compare_row *row = g_ptr_array_index(rows, i);
		g_autofree char *what = g_strdup_printf("%" PRIu32 " %s", row->reason,
							row->name != NULL ? row->name : "");

		g_ptr_array_add(changes, change_of(comparison, what, row));
	}
	if (comparison->b != NULL && rows->len == 0) {
		g_autoptr(GArray) told = expectations_of(comparison);

		g_ptr_array_add(
			changes,
			g_strdup(told != NULL ? "No reason beside the paging-related ones changed."
					      : "No reason changed."));
	}
	if (comparison->b != NULL && rows->len > CHANGES_MOST)
		g_ptr_array_add(changes, g_strdup_printf("Changed by less than these: %u more.",
							 rows->len - CHANGES_MOST));
	return changes;
}

/* ---- Facts ---- */

char *prose_in_effect(const struct record_run *run)
{
	const struct record_l2_effect *l2 = &run->l2_in_effect;
	const uint32_t vendor = record_run_vendor(run);
	const bool svm = vendor == KVM_EXITCOUNT_VENDOR_SVM;
	g_autofree char *asked = words_in_effect(vendor, run->requested.ept, run->requested.vpid);
	g_autofree char *sysfs = words_in_effect(vendor, run->in_effect.ept, run->in_effect.vpid);
	g_autofree char *leaf =
		words_in_effect(vendor, record_bool_from(l2->ept), record_bool_from(l2->vpid));
	g_autofree char *seen = g_strdup_printf(
		"%s%s%s, %" PRIu32 " vCPU%s", leaf, svm ? "" : ", unrestricted guest ",
		svm ? "" : words_on_off(record_bool_from(l2->unrestricted_guest)), l2->vcpus,
		l2->vcpus == 1 ? "" : "s");

	return g_strdup_printf("asked for: %s; L1's sysfs: %s; L2 itself (leaf 0x4FFFFF01): %s",
			       asked, sysfs,
			       l2->known			  ? seen
			       : run->source == RECORD_TRACEPOINT ? "has no such leaf"
								  : "not read");
}

static void fact_free(gpointer data)
{
	struct prose_fact *fact = data;

	g_free(fact->name);
	g_free(fact->value);
	g_free(fact);
}

/* Takes value; NULL or "" is unknown. */
static void add_fact(GPtrArray *facts, const char *name, char *value)
{
	struct prose_fact *fact = g_new0(struct prose_fact, 1);

	fact->name = g_strdup(name);
	fact->value = value != NULL && *value != '\0' ? value : g_strdup("unknown");
	if (fact->value != value)
		g_free(value);
	g_ptr_array_add(facts, fact);
}

static char *modules_of(const GPtrArray *modules)
{
	GString *text = g_string_new(NULL);

	each (const struct record_module, module, modules) {
		g_string_append_printf(text, "%s%s %s", text->len > 0 ? ", " : "", module->name,
				       module->build_id != NULL ? module->build_id : "unknown");
	}
	return g_string_free(text, FALSE);
}

static char *number_of(struct record_u64 number, const char *unit)
{
	g_autofree char *count = words_count(number.value);

	return number.known ? g_strdup_printf("%s%s", count, unit) : NULL;
}

static void add_record(GPtrArray *facts, const struct record *record)
{
	const struct record_platform *platform = &record->platform;
	const struct record_guest *guest = &record->guest;

	add_fact(facts, "Started", g_strdup(record->created));
	add_fact(facts, "Workload", g_strdup(record->workload));
	add_fact(facts, "Platform",
		 g_strdup_printf("%s: %s %s, CPU %s", platform->name,
				 platform->emulator != NULL ? platform->emulator : "unknown",
				 platform->version != NULL ? platform->version : "",
				 platform->cpu != NULL ? platform->cpu : "unknown"));
	add_fact(facts, "L1's CPUs", number_of(platform->cpus, ""));
	add_fact(facts, "The same again gives the same counts",
		 g_strdup(platform->deterministic == RECORD_UNKNOWN ? NULL
			  : platform->deterministic == RECORD_TRUE  ? "yes"
								    : "no"));
	add_fact(facts, "L1's kernel", g_strdup(record->kernel.release));
	add_fact(facts, "Patches (SHA-256)", g_strdup(record->kernel.patches_sha256));
	add_fact(facts, "Modules built (build-id)", modules_of(record->kernel.modules));
	add_fact(facts, "L2's image (SHA-256)", g_strdup(guest->image_sha256));
	add_fact(facts, "L2's kernel (SHA-256)", g_strdup(guest->kernel_sha256));
	add_fact(facts, "Probe (SHA-256)", g_strdup(guest->probe_sha256));
	add_fact(facts, "L2's memory", number_of(guest->memory_mib, " MiB"));
	add_fact(facts, "L2's vCPUs", number_of(guest->vcpus, ""));
	add_fact(facts, "Written by", g_strdup_printf("eptlab %s", record->eptlab));
}

static char *source_of(const struct record_run *run)
{
	return g_strdup(run->source == RECORD_TRACEPOINT
				? "L1's histogram of the tracepoint kvm:kvm_exit, stopped by L2"
				: "the patch series, read by L2 with CPUID");
}

static char *cost_of(double seconds, struct record_u64 ticks)
{
	g_autofree char *time =
		seconds < 0 ? g_strdup("unknown time") : words_double("%.1f s", seconds);
	g_autofree char *count = number_of(ticks, " emulated instructions (ticks)");

	return g_strdup_printf("%s, %s", time, count != NULL ? count : "ticks unknown");
}

char *prose_command(const struct record_run *run)
{
	const struct record_command *command = &run->command;
	g_autofree char *line = words_printable(command->line);
	g_autofree char *end = words_command_end(command);
	g_autofree char *output = words_count(command->output);

	return command->known ? g_strdup_printf("%s: %s, %s bytes of output", line, end, output)
			      : NULL;
}

static char *modules_loaded(const struct record_run *run)
{
	return modules_of(run->module_ids);
}

static char *inputs_of_run(const struct record_run *run)
{
	return g_strdup(record_run_inputs(run));
}

static char *cost_of_run(const struct record_run *run)
{
	return cost_of(run->seconds, run->ticks);
}

/* Takes value. */
static void add_fact_of_run(GPtrArray *facts, const char *before, const char *run,
			    const char *behind, char *value)
{
	g_autofree char *name = g_strconcat(before, run, behind, NULL);

	add_fact(facts, name, value);
}

static const char *name_of(const struct report *report, const GPtrArray *comparisons, guint run)
{
	return report->all != NULL ? many_label(comparisons, run)
	       : run == 0	   ? "the first run"
				   : "the second run";
}

GPtrArray *prose_facts(const struct report *report)
{
	static const struct {
		const char *before, *behind; /* the run's name */
		char *(*make)(const struct record_run *run);
	} kinds[] = {
		{ "Modules loaded in ", "", modules_loaded },
		{ "Inputs of ", " (SHA-256 over all)", inputs_of_run },
		{ "Counted in ", " by", source_of },
		{ "In effect in ", "", prose_in_effect },
		{ "Cost of ", "", cost_of_run },
	};
	GPtrArray *facts = g_ptr_array_new_with_free_func(fact_free);
	g_autoptr(GPtrArray) runs = many_runs(report);
	g_autoptr(GPtrArray) comparisons = many_comparisons(report);

	if (report->records[0] != NULL)
		add_record(facts, report->records[0]);
	if (report->records[1] != NULL && report->records[1] != report->records[0]) {
		add_fact(facts, "The second record", g_strdup(report->comparison->label_b));
		add_record(facts, report->records[1]);
	}
	for (size_t kind = 0; kind < G_N_ELEMENTS(kinds); kind++)
		for (guint i = 0; i < runs->len; i++)
			add_fact_of_run(facts, kinds[kind].before, name_of(report, comparisons, i),
					kinds[kind].behind, kinds[kind].make(runs->pdata[i]));
	for (guint i = 0; i < runs->len; i++)
		if (((const struct record_run *)runs->pdata[i])->command.known)
			add_fact_of_run(facts, "Command in ", name_of(report, comparisons, i), "",
					prose_command(runs->pdata[i]));
	if (report->seconds >= 0 || report->ticks.known)
		add_fact(facts, "Cost of the whole experiment",
			 cost_of(report->seconds, report->ticks));
	return facts;
}

/* ---- The kernel log ---- */

#define MARK "kvm: exitcount: VM "

char *report_excerpt(const char *kernel_log)
{
	g_auto(GStrv) lines = g_strsplit(kernel_log != NULL ? kernel_log : "", "\n", -1);
	GString *excerpt = g_string_new(NULL);

	for (char **line = lines; *line != NULL; line++) {
		g_autofree char *printable = NULL;

		if (strstr(*line, MARK) == NULL)
			continue;
		printable = words_printable(*line);
		g_string_append_printf(excerpt, "%s\n", printable);
	}
	return g_string_free(excerpt, excerpt->len == 0);
}
