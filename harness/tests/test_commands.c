/* SPDX-License-Identifier: GPL-2.0-only */
/* What commands conclude from what they have seen, without an L1. */

#include "cli/commands.h"
#include "cli/progress.h"
#include "record/record.h"
#include "tests/test.h"

/* ---- KUnit's results ---- */

#define AT "[    2.399485] "

static const struct {
	const char *name;
	const char *log;
	bool good;
} logs[] = {
	{ "one suite, one case with parameters",
	  AT "    1..2\n" AT "        ok 1 vmx\n" AT "        ok 2 svm\n" AT "    ok 1 a\n" AT
	     "    ok 2 b\n" AT "ok 1 suite\n",
	  true },
	{ "nothing", "", false },
	{ "other lines", AT "kvm: loaded\n" AT "ok, this is no result\n", false },
	{ "no plan", AT "    ok 1 a\n" AT "ok 1 suite\n", false },
	{ "a plan of none", AT "    1..0\n" AT "ok 1 suite\n", false },
	{ "cut off before the suite's end", AT "    1..1\n" AT "    ok 1 a\n", false },
	{ "cut off after a suite",
	  AT "    1..1\n" AT "    ok 1 a\n" AT "ok 1 suite\n" AT "    1..2\n" AT "    ok 1 b\n",
	  false },
	{ "fewer than planned", AT "    1..2\n" AT "    ok 1 a\n" AT "ok 1 suite\n", false },
	{ "one is missing", AT "    1..2\n" AT "    ok 2 b\n" AT "ok 1 suite\n", false },
	{ "more than planned",
	  AT "    1..1\n" AT "    ok 1 a\n" AT "    ok 2 b\n" AT "ok 1 suite\n", false },
	{ "a case is not ok",
	  AT "    1..2\n" AT "    ok 1 a\n" AT "    not ok 2 b\n" AT "ok 1 suite\n", false },
	{ "a parameter is not ok",
	  AT "    1..1\n" AT "        not ok 1 vmx\n" AT "    ok 1 a\n" AT "ok 1 suite\n", false },
	{ "a parameter is missing",
	  AT "    1..1\n" AT "        ok 2 svm\n" AT "    ok 1 a\n" AT "ok 1 suite\n", false },
	{ "skipped", AT "    1..1\n" AT "    ok 1 a # SKIP not here\n" AT "ok 1 suite\n", false },
	{ "the suite is not ok", AT "    1..1\n" AT "    ok 1 a\n" AT "not ok 1 suite\n", false },
};

TEST(all_planned_kunit_tests_must_be_ok)
{
	test_each (row, logs) {
		g_autoptr(GError) error = NULL;
		unsigned int planned;
		bool good = kunit_judge(row->log, &planned, &error);

		if (good != row->good)
			fail_msg("%s: %s", row->name, good ? "all is well" : error->message);
		if (good)
			assert_int_equal(planned, 2);
		else
			assert_error(&error, EPTLAB_ERROR_INVALID, "");
	}
}

/* ---- The time that an experiment will take ---- */

/* A record with these steps, "text=seconds,...". */
static struct record *took(const char *steps, double seconds)
{
	struct record *record = record_new("0.1", "2026-01-31T23:59:59Z", "bochs", "boot");
	g_auto(GStrv) parts = g_strsplit(steps, ",", -1);

	record->seconds = seconds;
	for (char **part = parts; *part != NULL; part++) {
		g_auto(GStrv) step = g_strsplit(*part, "=", 2);

		if (record->steps == NULL)
			record->steps = record_steps_new();
		g_ptr_array_add(record->steps,
				record_step_new(step[0], g_ascii_strtod(step[1], NULL)));
	}
	return record;
}

#define RUN(boot, load, first, second)                                                             \
	"L1: boot=" boot ",L1: load=" load ",L2: ept=" first ",L1: load=" load ",L2: "             \
	"noept=" second

static double expected_total(const GPtrArray *expected)
{
	const struct progress_place place = { .expected = expected };

	return progress_place_total(&place, 0);
}

static int no_records(void **state)
{
	*state = g_ptr_array_new_with_free_func((GDestroyNotify)record_free);
	return 0;
}

static int free_records(void **state)
{
	g_ptr_array_unref(*state);
	return 0;
}

#define TEST_TIME(name) TEST_OF(GPtrArray *records, no_records, free_records, name)

/* Each step has a stall in one record, and none of them counts; nor does a rerun's. */
TEST_TIME(expected_time_is_the_median_by_step)
{
	g_autoptr(GPtrArray) both = NULL;
	g_autoptr(GPtrArray) one = NULL;

	g_ptr_array_add(records, took(RUN("85", "1", "9", "10"), 106));
	g_ptr_array_add(records, took("L1: boot=5,L1: load=1,L2: noept=70", 76));
	g_ptr_array_add(records, took(RUN("5", "1", "90", "10"), 107));
	g_ptr_array_add(records, took(RUN("6", "1", "9", "10"), 27));
	both = progress_expect(records, 2);
	assert_true(expected_total(both) == 6 + 1 + 9 + 1 + 10);
	one = progress_expect(records, 1);
	assert_true(expected_total(one) == 76);
}

/* At this time of the clock the step begins; then so much is expected in all. */
static void assert_total(struct progress_place *place, const char *step, double begins, double now,
			 double total)
{
	if (step != NULL)
		progress_place_move(place, step, begins);
	assert_true(progress_place_total(place, now) == total);
}

/* Records of schema 1 know the whole only. */
TEST_TIME(expected_time_without_steps)
{
	g_autoptr(GPtrArray) none = progress_expect(records, 2);
	g_autoptr(GPtrArray) expected = NULL;
	struct progress_place place = { .expected = NULL };

	assert_true(expected_total(none) < 0);
	g_ptr_array_add(records, took("", 106));
	g_ptr_array_add(records, took("", 17));
	g_ptr_array_add(records, took("", -1));
	g_ptr_array_add(records, took("", 18));
	expected = progress_expect(records, 2);
	place.expected = expected;
	assert_total(&place, NULL, 0, 0, 18);
	assert_total(&place, "L1: boot", 4, 5, 18);
	assert_total(&place, NULL, 0, 40, 40);
}

/* What is left of this step and those that follow; what is over moves the end, and no more. */
TEST_TIME(expected_time_follows_the_steps)
{
	g_autoptr(GPtrArray) expected = NULL;
	struct progress_place place = { .expected = NULL };

	g_ptr_array_add(records, took(RUN("5", "1", "9", "10"), 26));
	expected = progress_expect(records, 2);
	place.expected = expected;
	assert_total(&place, "L1: boot", 0, 3, 26);
	assert_total(&place, NULL, 0, 85, 85 + 21);
	/* The one with the same text that comes later is another. */
	assert_total(&place, "L1: load", 85, 85, 85 + 21);
	progress_place_move(&place, "L2: ept", 86);
	assert_total(&place, "L2: something new", 90, 90, 86 + 9 + 11);
	assert_total(&place, "L1: load", 95, 95, 95 + 11);
	assert_total(&place, "L2: noept", 96, 100, 106);
	assert_total(&place, NULL, 0, 120, 120);
}
