/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A real experiment on the platform bochs, twice, and a rerun: what the counts must show. The
 * bounds are those of the experiment's purpose, not measured values.
 */

#include <math.h>

#include "lab.h"
#include "record/operations.h"
#include "record/reasons.h"
#include "tests/sample.h"
#include "tests/test.h"

static struct lab *lab;
static struct record *first;

static int make_experiment(void **state G_GNUC_UNUSED)
{
	lab = lab_new("bochs");
	lab_run(lab, 0, "run", "--expect", "noept:0 > 1000", "--expect", "noept:fork:exits > 10",
		NULL);
	assert_says(lab->output, "\nnoept:0 > 1000: holds, it is ");
	assert_says(lab->output, "\nnoept:fork:exits > 10: holds, it is ");
	first = lab_newest(lab);
	return 0;
}

static int remove_lab(void **state G_GNUC_UNUSED)
{
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

TEST_GROUP(make_experiment, remove_lab)

TEST(verdict_is_valid_and_every_rule_applies)
{
	assert_int_equal(first->verdict, RECORD_VALID);
	assert_true(first->checks->len > 0);
	for (unsigned int i = 0; i < first->checks->len; i++) {
		const struct record_check *check = g_ptr_array_index(first->checks, i);

		if (check->verdict == RECORD_CHECK_FAIL || check->verdict == RECORD_CHECK_UNKNOWN)
			fail_msg("%s: %s", check->rule, check->saw);
	}
}

TEST(each_paging_has_its_exits)
{
	assert_true(count_of(first, "ept", REASON_EPT_VIOLATION) > 1000);
	assert_true(count_of(first, "ept", REASON_EPT_MISCONFIG) > 0);
	assert_true(count_of(first, "ept", REASON_INVLPG) == 0);
	assert_true(count_of(first, "noept", REASON_EPT_VIOLATION) == 0);
	assert_true(count_of(first, "noept", REASON_EPT_MISCONFIG) == 0);
	assert_true(count_of(first, "noept", REASON_INVLPG) > 0);
	assert_true(count_of(first, "noept", REASON_EXCEPTION_NMI) > 1000);
}

/* What was frozen at one instant is the total of that instant, exactly. */
TEST(parts_add_up)
{
	test_each_of (config, "ept", "noept") {
		const struct record_run *run = run_of(first, *config);
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

/* Operations from the first point to the last. */
static double range_of(const struct record_operation *operation)
{
	const GPtrArray *points = operation->points;
	const struct record_point *begin = points->pdata[0], *end = points->pdata[points->len - 1];

	return (double)(end->n - begin->n);
}

/*
 * docs/workloads.md derives these. An interrupt may fall between any two latches, and what its
 * handler does with it: three exits more or less at one end are a slope of 3 / range.
 */
/*
 * docs/workloads.md: munmap() drops 16 pages one by one, by INVLPG, if another mapping has its
 * pages in the same page table. Where L2's randomization of addresses has put it alone into one,
 * that is freed too, and Linux drops all, by reading CR3 and writing it (native_flush_tlb_local());
 * then the entry of the table that is made and freed costs page faults as well.
 */
TEST(munmap_flushes_pages_or_all)
{
	const struct record_operation *mmap = operation_find(run_of(first, "noept"), "mmap");
	const double pages = operation_exits(mmap, REASON_INVLPG).per_op;
	const double all = operation_exits(mmap, REASON_CR_ACCESS).per_op;
	const double faults = operation_exits(mmap, REASON_EXCEPTION_NMI).per_op;
	const double bound = 3 / range_of(mmap);
	const bool alone = pages < 8;

	assert_true(fabs(pages - (alone ? 0 : 16)) <= bound);
	assert_true(fabs(all - (alone ? 2 : 0)) <= bound);
	assert_true(alone ? faults > 32 + bound : fabs(faults - 32) <= bound);
}

TEST(operations_cost_what_is_derived)
{
	static const struct {
		const char *operation, *config;
		uint32_t reason;
		double exits, most_more;
	} rows[] = {
		{ "getppid", "ept", REASON_EPT_VIOLATION, 0, 0 },
		{ "getppid", "noept", REASON_EXCEPTION_NMI, 0, 0 },
		{ "getppid", "noept", REASON_CR_ACCESS, 0, 0 },
		{ "fork", "ept", REASON_EPT_VIOLATION, 0, 0 },
		{ "fork", "ept", REASON_EXCEPTION_NMI, 0, 0 },
		{ "fork", "ept", REASON_CR_ACCESS, 0, 0 },
		{ "fork", "ept", REASON_INVLPG, 0, 0 },
		{ "exec", "ept", REASON_CPUID, 22, 0 },
		{ "exec", "noept", REASON_CPUID, 22, 0 },
		{ "switch-16", "ept", REASON_CR_ACCESS, 0, 0 },
		{ "switch-16", "noept", REASON_CR_ACCESS, 16, 2 }, /* of a third task */
		{ "mmap", "ept", REASON_EXCEPTION_NMI, 0, 0 },
		{ "mmap", "noept", REASON_EXCEPTION_NMI, 32, 3 }, /* below */
		{ "mprotect", "ept", REASON_INVLPG, 0, 0 },
		{ "mprotect", "noept", REASON_INVLPG, 2, 0 },
		{ "mprotect", "noept", REASON_EXCEPTION_NMI, 0, 0 },
	};

	test_each (row, rows) {
		const struct record_operation *one =
			operation_find(run_of(first, row->config), row->operation);
		double saw;

		assert_non_null(one);
		assert_null(one->error);
		saw = operation_exits(one, row->reason).per_op;
		if (saw < row->exits - 3 / range_of(one) ||
		    saw > row->exits + row->most_more + 3 / range_of(one))
			fail_msg("%s with %s: %g of reason %u, expected %g", row->operation,
				 row->config, saw, row->reason, row->exits);
	}
}

/* Ratios of exits that the question is about: shadow paging costs many times more. */
TEST(shadow_paging_costs_processes_and_pages)
{
	test_each_of (name, "fork", "exec", "switch-16", "mmap", "mprotect") {
		const double ept =
			operation_total(operation_find(run_of(first, "ept"), *name)).per_op;
		const double noept =
			operation_total(operation_find(run_of(first, "noept"), *name)).per_op;

		if (noept < 2 * ept)
			fail_msg("%s: %g with ept, %g with noept", *name, ept, noept);
	}
}

TEST(l2_itself_says_which_paging)
{
	assert_run(run_of(first, "ept"), "l2_in_effect.ept=true in_effect.ept=true");
	assert_run(run_of(first, "noept"), "l2_in_effect.ept=false in_effect.ept=false");
}

TEST(cost_is_recorded)
{
	assert_true(first->ticks.known);
	assert_true(first->seconds > 0);
	assert_true(run_of(first, "ept")->ticks.known);
	assert_true(run_of(first, "noept")->ticks.known);
	assert_true(run_of(first, "ept")->ticks.value + run_of(first, "noept")->ticks.value <
		    first->ticks.value);
}

TEST(record_has_all_its_files)
{
	test_each_of (file, "record.json", "counts.csv", "report.txt", "l1-console.log",
		      "emulator.log", "ept/l2-console.log", "ept/dmesg.log", "ept/probe.frames",
		      "noept/l2-console.log", "noept/dmesg.log", "noept/probe.frames") {
		g_autofree char *path = lab_newest_file(lab, *file);

		assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
	}
	assert_int_equal(lab_count(lab, "latest"), 1);
	assert_int_equal(lab_count(lab, ".partial"), 0);
}

static void assert_same_counts(const struct record *a, const struct record *b, const char *config)
{
	const GPtrArray *exits = run_of(a, config)->exits;

	assert_int_equal(exits->len, run_of(b, config)->exits->len);
	for (unsigned int i = 0; i < exits->len; i++) {
		const struct record_exit *one = g_ptr_array_index(exits, i);
		const uint64_t other = count_of(b, config, one->reason);

		if (other != one->count)
			fail_msg("%s: reason %u: %" G_GUINT64_FORMAT " and %" G_GUINT64_FORMAT,
				 config, one->reason, one->count, other);
	}
}

/* What operations have cost too, to the last tick. */
static void assert_same_operations(const struct record *a, const struct record *b)
{
	json_t *one = record_to_json(a), *other = record_to_json(b);

	for (size_t i = 0; i < 2; i++) {
		const json_t *first_run = json_array_get(json_object_get(one, "runs"), i);
		const json_t *second_run = json_array_get(json_object_get(other, "runs"), i);
		json_t *operations = json_object_get(first_run, "operations");

		assert_true(json_array_size(operations) > 0);
		assert_true(json_equal(operations, json_object_get(second_run, "operations")));
	}
	json_decref(one);
	json_decref(other);
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
	assert_int_equal(sample_check(second, "repeats", config)->verdict, RECORD_CHECK_PASS);
	assert_int_equal(sample_check(first, "repeats", config)->verdict,
			 RECORD_CHECK_NOT_APPLICABLE);
}

TEST(second_experiment_has_identical_counts)
{
	g_autoptr(struct_record) second = NULL;

	/* What is expected changes nothing of what is measured. */
	lab_run(lab, EPTLAB_ERROR_INVALID, "run", "--expect", "noept:0 > 1000", "--expect",
		"ept:48 == 0", NULL);
	assert_says(lab->output, "\nept:48 == 0: DOES NOT HOLD, it is ");
	second = lab_newest(lab);
	assert_int_equal(second->verdict, RECORD_VALID);
	assert_repeats(second, "ept");
	assert_repeats(second, "noept");
	assert_string_not_equal(second->created, first->created);
	assert_same_counts(first, second, "ept");
	assert_same_counts(first, second, "noept");
	assert_same_operations(first, second);
	assert_true(second->ticks.known);
	assert_true(second->ticks.value == first->ticks.value);
}

/* The committed record has the same counts, where it was made of the same; else that is said. */
TEST(reference_is_met)
{
	g_autoptr(struct_record) reference = record_load("results/reference/bochs", NULL);
	const char *inputs;

	assert_non_null(reference);
	inputs = record_run_inputs(run_of(reference, "ept"));
	if (g_strcmp0(inputs, record_run_inputs(run_of(first, "ept"))) != 0) {
		printf("# results/reference/bochs is not compared: its inputs are %s\n",
		       inputs != NULL ? "others" : "not recorded");
		record_free(g_steal_pointer(&reference)); /* skip() does not come back, */
		skip();
		return; /* which clang-tidy does not know */
	}
	assert_same_counts(reference, first, "ept");
	assert_same_counts(reference, first, "noept");
	assert_true(reference->ticks.value == first->ticks.value);
}

/* What must not be compared is refused before anything is measured, and leaves no record. */
TEST(rerun_of_something_else_is_refused)
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

	test_each (row, cases) {
		lab_run(lab, 1, "rerun", "--set", row->setting, "noept", NULL);
		assert_says(lab->errors, row->said);
	}
	assert_int_equal(lab_count(lab, "2"), records);
	assert_int_equal(lab_count(lab, ".partial"), 0);
}

TEST(rerun_is_compared_with_the_other_half)
{
	g_autoptr(struct_record) rerun = NULL;

	lab_run(lab, 0, "rerun", "noept", NULL);
	rerun = lab_newest(lab);
	assert_int_equal(rerun->verdict, RECORD_VALID);
	assert_int_equal(rerun->runs->len, 2);
	assert_same_counts(first, rerun, "ept");
	assert_true(count_of(rerun, "noept", REASON_EPT_VIOLATION) == 0);
	assert_true(count_of(rerun, "noept", REASON_EXCEPTION_NMI) > 1000);
	assert_says(lab->output, "EPT_VIOLATION");
	/* Its job has one run where the other half's had two; nothing else is another. */
	assert_true(g_regex_match_simple("Inputs that differ: job [(]\\w{12} -> \\w{12}[)][.]\n",
					 lab->output, 0, 0));
}

/* All that would be started and told, on two platforms, and nothing is. */
TEST(dry_run_starts_nothing)
{
	static const struct {
		const char *platform, *says[8];
	} cases[] = {
		{ "experiment.platform=bochs",
		  { "L1: bochs (", "/bzImage\n", "/build/l2-base.img, ", "/eptlab-guestfs puts ",
		    "\n[run ept]\n", "bochs-bin -q -f bochsrc ",
		    "\ncpu: model=corei7_haswell_4770, ", "\nata1-master: " } },
		{ "experiment.platform=tcg",
		  { "L1: tcg (", "arguments: console=ttyS0,115200 ", "\n[run noept]\n",
		    "<domain type=\"qemu\">", "<model>EPYC</model>", "/work/job.iso\"",
		    "/build/appliance.img\"", "/build/l2-base.img\"" } },
	};
	const unsigned int entries = lab_count(lab, "");

	test_each (row, cases) {
		lab_run(lab, 0, "run", "-n", "--set", row->platform, NULL);
		for (size_t i = 0; i < G_N_ELEMENTS(row->says); i++)
			assert_says(lab->output, row->says[i]);
	}
	lab_run(lab, 0, "rerun", "--dry-run", "--set", "experiment.platform=bochs", "noept", NULL);
	assert_null(strstr(lab->output, "[run ept]"));
	assert_int_equal(lab_count(lab, ""), entries);
}

TEST(nothing_is_left_running)
{
	lab_assert_nothing_left(lab, 0);
}
