/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A real experiment on the platform bochs, twice, and a rerun: what the counts must show. The
 * bounds are those of the experiment's purpose, not measured values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "lab.h"
#include "record/reasons.h"

static struct lab *lab;
static struct record *first;

static int make_experiment(void **state)
{
	(void)state;
	lab = lab_new("bochs");
	lab_run(lab, 0, "run", NULL);
	first = lab_newest(lab);
	return 0;
}

static int remove_lab(void **state)
{
	(void)state;
	record_free(first);
	lab_free(lab);
	return 0;
}

static const struct record_run *run_of(const struct record *record, const char *config)
{
	const struct record_run *run = record_find_run(record, config);

	assert_non_null(run);
	assert_non_null(run->exits);
	return run;
}

static uint64_t count(const struct record_run *run, uint32_t reason)
{
	const struct record_exit *entry = record_find_exit(run->exits, reason);

	assert_non_null(entry);
	return entry->count;
}

static void verdict_is_valid_and_every_rule_applies(void **state)
{
	(void)state;
	assert_int_equal(first->verdict, RECORD_VALID);
	assert_true(first->checks->len > 0);
	for (unsigned int i = 0; i < first->checks->len; i++) {
		const struct record_check *check = g_ptr_array_index(first->checks, i);

		if (check->verdict == RECORD_CHECK_FAIL || check->verdict == RECORD_CHECK_UNKNOWN)
			fail_msg("%s: %s", check->rule, check->saw);
	}
}

static void ept_has_ept_exits_and_no_invlpg(void **state)
{
	const struct record_run *run = run_of(first, "ept");

	(void)state;
	assert_true(count(run, REASON_EPT_VIOLATION) > 1000);
	assert_true(count(run, REASON_EPT_MISCONFIG) > 0);
	assert_true(count(run, REASON_INVLPG) == 0);
}

static void noept_has_page_faults_and_no_ept_exits(void **state)
{
	const struct record_run *run = run_of(first, "noept");

	(void)state;
	assert_true(count(run, REASON_EPT_VIOLATION) == 0);
	assert_true(count(run, REASON_EPT_MISCONFIG) == 0);
	assert_true(count(run, REASON_INVLPG) > 0);
	assert_true(count(run, REASON_EXCEPTION_NMI) > 1000);
}

/* What was frozen at one instant is the total of that instant, exactly. */
static void parts_add_up(void **state)
{
	static const char *const configs[] = { "ept", "noept" };

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(configs); i++) {
		const struct record_run *run = run_of(first, configs[i]);
		uint64_t sum = 0;

		for (unsigned int j = 0; j < run->exits->len; j++)
			sum += ((struct record_exit *)g_ptr_array_index(run->exits, j))->count;
		assert_true(run->latch.known);
		assert_true(sum == run->latch.total);
		assert_true(run->leaf_total.known);
		assert_true(run->leaf_total.after < run->latch.total);
		assert_true(run->leaf_total.after - run->leaf_total.before >=
			    run->leaf_total.reads);
	}
}

static void l2_itself_says_which_paging(void **state)
{
	(void)state;
	assert_true(run_of(first, "ept")->l2_in_effect.known);
	assert_true(run_of(first, "ept")->l2_in_effect.ept);
	assert_int_equal(run_of(first, "ept")->in_effect.ept, RECORD_TRUE);
	assert_true(run_of(first, "noept")->l2_in_effect.known);
	assert_false(run_of(first, "noept")->l2_in_effect.ept);
	assert_int_equal(run_of(first, "noept")->in_effect.ept, RECORD_FALSE);
}

static void cost_is_recorded(void **state)
{
	(void)state;
	assert_true(first->ticks.known);
	assert_true(first->seconds > 0);
	assert_true(run_of(first, "ept")->ticks.known);
	assert_true(run_of(first, "noept")->ticks.known);
	assert_true(run_of(first, "ept")->ticks.value + run_of(first, "noept")->ticks.value <
		    first->ticks.value);
}

static void record_has_all_its_files(void **state)
{
	static const char *const files[] = {
		"record.json",	   "counts.csv",	 "report.txt",
		"l1-console.log",  "emulator.log",	 "ept/l2-console.log",
		"ept/dmesg.log",   "ept/probe.frames",	 "noept/l2-console.log",
		"noept/dmesg.log", "noept/probe.frames",
	};

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = lab_newest_file(lab, files[i]);

		if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
			fail_msg("%s is missing", path);
	}
	assert_int_equal(lab_count(lab, "latest"), 1);
	assert_int_equal(lab_count(lab, ".partial"), 0);
}

static void assert_same_counts(const struct record *a, const struct record *b, const char *config)
{
	const struct record_run *run_a = run_of(a, config);
	const struct record_run *run_b = run_of(b, config);

	assert_int_equal(run_a->exits->len, run_b->exits->len);
	for (unsigned int i = 0; i < run_a->exits->len; i++) {
		const struct record_exit *exit_a = g_ptr_array_index(run_a->exits, i);

		if (count(run_b, exit_a->reason) != exit_a->count)
			fail_msg("%s: reason %u: %" G_GUINT64_FORMAT " and %" G_GUINT64_FORMAT,
				 config, exit_a->reason, exit_a->count,
				 count(run_b, exit_a->reason));
	}
}

static const struct record_check *check_of(const struct record *record, const char *rule,
					   const char *config)
{
	for (unsigned int i = 0; i < record->checks->len; i++) {
		const struct record_check *check = g_ptr_array_index(record->checks, i);

		if (strcmp(check->rule, rule) == 0 && g_strcmp0(check->run, config) == 0)
			return check;
	}
	fail_msg("there is no check %s of %s", rule, config);
	return NULL;
}

/* What the two are made of is the same, and so the rule has held the second against the first. */
static void assert_repeats(const struct record *second, const char *config)
{
	const struct record_run *run = run_of(second, config);

	assert_non_null(record_run_inputs(run));
	assert_string_equal(record_run_inputs(run), record_run_inputs(run_of(first, config)));
	assert_non_null(run->platform.version);
	assert_string_equal(run->kernel.release, second->kernel.release);
	assert_true(run->earlier.known);
	assert_int_equal(check_of(second, "repeats", config)->verdict, RECORD_CHECK_PASS);
	assert_int_equal(check_of(first, "repeats", config)->verdict, RECORD_CHECK_NOT_APPLICABLE);
}

static void second_experiment_has_identical_counts(void **state)
{
	struct record *second;

	(void)state;
	lab_run(lab, 0, "run", NULL);
	second = lab_newest(lab);
	assert_repeats(second, "ept");
	assert_repeats(second, "noept");
	assert_string_not_equal(second->created, first->created);
	assert_same_counts(first, second, "ept");
	assert_same_counts(first, second, "noept");
	assert_true(second->ticks.known);
	assert_true(second->ticks.value == first->ticks.value);
	record_free(second);
}

/* The committed record has the same counts, where it was made of the same; else that is said. */
static void reference_is_met(void **state)
{
	struct record *reference = record_load("results/reference/bochs", NULL);
	const char *inputs;

	(void)state;
	assert_non_null(reference);
	inputs = record_run_inputs(run_of(reference, "ept"));
	if (g_strcmp0(inputs, record_run_inputs(run_of(first, "ept"))) != 0) {
		printf("# results/reference/bochs is not compared: its inputs are %s\n",
		       inputs != NULL ? "others" : "not recorded");
		record_free(reference);
		skip();
	}
	assert_same_counts(reference, first, "ept");
	assert_same_counts(reference, first, "noept");
	assert_true(reference->ticks.value == first->ticks.value);
	record_free(reference);
}

/* What must not be compared is refused before anything is measured, and leaves no record. */
static void rerun_of_something_else_is_refused(void **state)
{
	static const struct {
		const char *setting, *said;
	} cases[] = {
		{ "bochs.cpu=broadwell_ult", "CPU: corei7_haswell_4770 and broadwell_ult" },
		{ "experiment.platform=tcg", "platform: bochs and tcg" },
		{ "experiment.workload=dose-cpuid", "workload: boot and dose-cpuid" },
		{ "l2.memory_mib=96", "memory in MiB: 128 and 96" },
	};
	unsigned int records = lab_count(lab, "2");

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(cases); i++) {
		lab_run(lab, 1, "rerun", "--set", cases[i].setting, "noept", NULL);
		assert_non_null(strstr(lab->errors, cases[i].said));
	}
	assert_int_equal(lab_count(lab, "2"), records);
	assert_int_equal(lab_count(lab, ".partial"), 0);
}

static void rerun_is_compared_with_the_other_half(void **state)
{
	struct record *rerun;

	(void)state;
	lab_run(lab, 0, "rerun", "noept", NULL);
	rerun = lab_newest(lab);
	assert_int_equal(rerun->verdict, RECORD_VALID);
	assert_int_equal(rerun->runs->len, 2);
	assert_same_counts(first, rerun, "ept");
	assert_true(count(run_of(rerun, "noept"), REASON_EPT_VIOLATION) == 0);
	assert_true(count(run_of(rerun, "noept"), REASON_EXCEPTION_NMI) > 1000);
	assert_non_null(strstr(lab->output, "EPT_VIOLATION"));
	/* Its job has one run where the other half's had two; nothing else is another. */
	assert_true(g_regex_match_simple("Inputs that differ: job [(]\\w{12} -> \\w{12}[)][.]\n",
					 lab->output, 0, 0));
	record_free(rerun);
}

static void nothing_is_left_running(void **state)
{
	(void)state;
	lab_assert_nothing_left(lab, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdict_is_valid_and_every_rule_applies),
		cmocka_unit_test(ept_has_ept_exits_and_no_invlpg),
		cmocka_unit_test(noept_has_page_faults_and_no_ept_exits),
		cmocka_unit_test(parts_add_up),
		cmocka_unit_test(l2_itself_says_which_paging),
		cmocka_unit_test(cost_is_recorded),
		cmocka_unit_test(record_has_all_its_files),
		cmocka_unit_test(second_experiment_has_identical_counts),
		cmocka_unit_test(reference_is_met),
		cmocka_unit_test(rerun_of_something_else_is_refused),
		cmocka_unit_test(rerun_is_compared_with_the_other_half),
		cmocka_unit_test(nothing_is_left_running),
	};

	return cmocka_run_group_tests(tests, make_experiment, remove_lab);
}
