/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Real experiments with the kernel's own tracepoint as witness, and cycles counted; and the KUnit
 * tests of the patch series, in L1.
 */

#include "cli/commands.h"
#include "lab.h"
#include "collect/l1_result.h"
#include "record/reasons.h"
#include "tests/sample.h"
#include "tests/test.h"

static const char *const configs[] = { "ept", "noept" };

static struct lab *lab;
static struct record *record;

static int make_experiment(void **state G_GNUC_UNUSED)
{
	lab = lab_new("bochs");
	lab_run(lab, 0, "run", "--set", "experiment.witness=1", "--set", "experiment.cycles=1",
		NULL);
	record = lab_newest(lab);
	return 0;
}

static int remove_lab(void **state G_GNUC_UNUSED)
{
	record_free(record);
	lab_free(lab);
	return 0;
}

TEST_GROUP(make_experiment, remove_lab)

TEST(rules_of_the_witness_pass)
{
	assert_int_equal(record->verdict, RECORD_VALID);
	for (unsigned int i = 0; i < G_N_ELEMENTS(configs); i++)
		test_each_of (rule, "l1-log", "witness-leaves", "witness-end", "kvm-stats",
			      "kvm-reasons")
			assert_int_equal(sample_check(record, *rule, configs[i])->verdict,
					 RECORD_CHECK_PASS);
}

static uint64_t count(const GPtrArray *exits, uint32_t reason)
{
	const struct record_exit *one = record_find_exit(exits, reason);

	return one != NULL ? one->count : 0;
}

/* Once more, and not through the rules: what L2 froze is what the tracepoint saw. */
TEST(every_reason_agrees_to_the_exit)
{
	for (unsigned int i = 0; i < record->runs->len; i++) {
		const struct record_run *run = record->runs->pdata[i];
		unsigned int seen = 0;

		assert_true(run->witness.known);
		assert_non_null(run->witness.at_latch);
		for (uint32_t reason = 0; reason <= UINT16_MAX; reason++) {
			uint64_t leaf = count(run->exits, reason);
			uint64_t tracepoint = count(run->witness.at_latch, reason);

			if (leaf != tracepoint)
				fail_msg("%s: reason %u: leaf %" G_GUINT64_FORMAT
					 ", tracepoint %" G_GUINT64_FORMAT,
					 run->config, reason, leaf, tracepoint);
			seen += leaf > 0 ? 1 : 0;
		}
		/* A boot has exits of CPUID, I/O, MSRs, HLT, interrupts and paging at least. */
		assert_true(seen >= 6);
	}
}

/* It is the end of the VM that L1 sees: more than at the latch, by what it took to send the counts.
 */
TEST(l1_sees_the_sending_too)
{
	for (unsigned int i = 0; i < record->runs->len; i++) {
		const struct record_run *run = record->runs->pdata[i];

		assert_true(count(run->l1_exits, REASON_IO_INSTRUCTION) >
			    count(run->exits, REASON_IO_INSTRUCTION));
		assert_true(run->l1_total.value > run->latch.total);
	}
}

/* Whatever exited has been outside, but for what was outside when the counts were frozen. */
TEST(cycles_are_those_of_exits)
{
	for (unsigned int i = 0; i < record->runs->len; i++) {
		const struct record_run *run = record->runs->pdata[i];

		assert_true(run->l2_in_effect.cycles);
		for (unsigned int j = 0; j < run->exits->len; j++) {
			const struct record_exit *one = g_ptr_array_index(run->exits, j);

			assert_true(one->cycles.known);
			assert_int_equal(one->count > 0, one->cycles.value > 0);
		}
	}
	assert_says(lab->output, "cycles outside");
}

TEST(record_keeps_what_the_witness_said)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(configs); i++)
		test_each_of (file, L1_FILE_AT_LATCH, L1_FILE_AT_END) {
			g_autofree char *name = g_build_filename(configs[i], *file, NULL);
			g_autofree char *path = lab_newest_file(lab, name);

			assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
		}
}

TEST(csv_has_the_cycles)
{
	g_autofree char *path = lab_newest_file(lab, "counts.csv");
	g_autofree char *text = NULL;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	assert_says(text, ",cycles ept,cycles noept\r\n");
}

/* How many there are, as their source says. */
static unsigned int kunit_cases_of_the_series(void)
{
	g_autofree char *source = NULL;
	g_auto(GStrv) parts = NULL;

	assert_true(g_file_get_contents("kernel/common/leaves/arch/x86/kvm/exitcount_kunit.c",
					&source, NULL, NULL));
	parts = g_strsplit(source, "\n\tKUNIT_CASE", -1);
	return g_strv_length(parts) - 1;
}

/* That each of them is there and ok is kunit's to say; here, that it has seen all there are. */
TEST(kunit_tests_of_the_series_pass)
{
	g_autofree char *folder = g_build_filename(lab->results, "kunit", NULL);
	unsigned int planned;

	lab_run(lab, 0, "kunit", folder, NULL);
	assert_true(kunit_judge(lab->output, &planned, NULL));
	assert_int_equal(planned, kunit_cases_of_the_series());
}
