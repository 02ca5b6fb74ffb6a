/* SPDX-License-Identifier: GPL-2.0-only */
/* eptlab run --expect: what is understood, and what holds. */
#include "judge/bounds.h"
#include "tests/many.h"
#include "tests/sample.h"
#include "tests/test.h"

/* Of a record whose noept has 7157 exceptions; 100 of them for a fork, 50 for an mmap. */
static const struct {
	const char *text;
	enum bound_verdict verdict;
	const char *says;
} bounds[] = {
	{ "noept:0 <= 100", BOUND_HOLDS, "noept:0 <= 100: holds, it is 100" },
	{ "noept:0 <= 99", BOUND_BROKEN, "noept:0 <= 99: DOES NOT HOLD, it is 100" },
	{ "noept:0<=100", BOUND_HOLDS, "holds" },
	{ "  noept:0  >=  100  ", BOUND_HOLDS, "holds" },
	{ "noept:0 < 100", BOUND_BROKEN, "" },
	{ "noept:0 > 99.5", BOUND_HOLDS, "" },
	{ "noept:0 > 100", BOUND_BROKEN, "" },
	{ "noept:0 == 100", BOUND_HOLDS, "" },
	{ "noept:0 == 101", BOUND_BROKEN, "" },
	{ "ept:EPT_VIOLATION >= 6185", BOUND_BROKEN, "it is 6,184" },
	{ "ept:48 == 6184", BOUND_HOLDS, "" },
	{ "ept:total == 7731", BOUND_HOLDS, "" },
	{ "ept:ticks <= 1500000000", BOUND_HOLDS, "" },
	{ "noept:fork:exits <= 100", BOUND_HOLDS, "" },
	{ "noept:fork:exits <= 99", BOUND_BROKEN, "" },
	{ "noept:fork:0 == 100", BOUND_HOLDS, "" },
	{ "noept:mmap:EXCEPTION_NMI == 50", BOUND_HOLDS, "" },
	{ "noept:fork:48 == 0", BOUND_HOLDS, "" },
	{ "noept:fork:ticks == 500", BOUND_HOLDS, "" },
	{ "noept:exec:exits <= 1", BOUND_UNKNOWN, "the record has no such number" },
	{ "other:0 <= 1", BOUND_UNKNOWN, "" },
	/* Another vendor's, and one that is not defined. */
	{ "noept:NPF <= 1", BOUND_UNKNOWN, "" },
	{ "noept:fork:NPF <= 1", BOUND_UNKNOWN, "" },
	{ "noept:4000 <= 1", BOUND_UNKNOWN, "" },
};

TEST(bounds_hold_or_not)
{
	struct record *record = many_record("6.1", "bochs", 100);

	test_each (row, bounds) {
		g_autoptr(GError) error = NULL;
		g_autoptr(struct_bound) bound = bound_parse(row->text, &error);
		g_autofree char *said = NULL;

		assert_no_error(error);
		assert_int_equal(bound_judge(bound, record, &said), row->verdict);
		assert_says(said, row->says);
	}
	record_free(record);
}

TEST(what_is_no_bound_is_refused)
{
	test_each_of (text, "", "noept", "noept:0", "noept:0 <=", "noept:0 = 5", "noept:0 <= -1",
		      "noept:0 <= five", "noept:0 <= 5 6", "noept:0 <= nan", "noept:0 <= inf",
		      "0 <= 5", ":0 <= 5", "noept: <= 5", "noept:NO_SUCH <= 5",
		      "noept:fork:0:1 <= 5", "noept::0 <= 5", "noept:4294967296 <= 5", "<= 5",
		      "noept:0 <> 5", "NOEPT:0 <= 5") {
		g_autoptr(GError) error = NULL;

		assert_null(bound_parse(*text, &error));
		assert_error(&error, EPTLAB_ERROR_USAGE, "is not understood; give CONFIGURATION:");
	}
}

TEST(a_bound_is_about_what_is_measured)
{
	static const struct {
		const char *text, *says; /* NULL: it is */
	} rows[] = {
		{ "noept:0 <= 1", NULL },
		{ "noept:fork:0 <= 1", NULL },
		{ "ept:0 <= 1", "is about ept, which is none of the configurations" },
		{ "noept:exec:0 <= 1", "is about the operation exec, which this experiment does" },
	};
	char *configurations[] = { (char *)"noept", NULL };
	char *operations[] = { (char *)"fork", NULL }, *all[] = { (char *)"all", NULL };

	test_each (row, rows) {
		g_autoptr(GError) error = NULL;
		g_autoptr(struct_bound) bound = bound_parse(row->text, NULL);

		assert_int_equal(bound_fits(bound, configurations, operations, &error),
				 row->says == NULL);
		if (row->says != NULL)
			assert_error(&error, EPTLAB_ERROR_USAGE, row->says);
	}
	g_autoptr(struct_bound) exec = bound_parse("noept:exec:0 <= 1", NULL);
	assert_true(bound_fits(exec, configurations, all, NULL));
}
