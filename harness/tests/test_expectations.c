/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/expectations.h"
#include "tests/sample.h"
#include "tests/test.h"

struct fixture {
	struct record *record;
	struct record_run *ept, *noept;
};

static int setup(void **state)
{
	struct fixture *fixture = g_new0(struct fixture, 1);

	fixture->record = sample_record();
	fixture->ept = record_find_run(fixture->record, "ept");
	fixture->noept = record_find_run(fixture->record, "noept");
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	record_free(fixture->record);
	g_free(fixture);
	return 0;
}

#define TEST_FIXTURE(name) TEST_OF(struct fixture *fixture G_GNUC_UNUSED, setup, teardown, name)

static void assert_verdict(const struct fixture *fixture, uint32_t reason,
			   enum expectation_verdict expected)
{
	g_autoptr(struct_comparison) comparison =
		comparison_new(fixture->ept, NULL, fixture->noept, NULL);
	g_autoptr(GArray) expectations = expectations_of(comparison);

	assert_non_null(expectations);
	for (guint i = 0; i < expectations->len; i++) {
		const struct expectation *one = &g_array_index(expectations, struct expectation, i);

		if (one->row->reason != reason)
			continue;
		assert_string_equal(expectation_verdict_words(one->verdict),
				    expectation_verdict_words(expected));
		return;
	}
	fail_msg("reason %u is no paging-related one", reason);
}

TEST_FIXTURE(sound_pair_is_as_expected)
{
	static const uint32_t reasons[] = { 0, 14, 28, 48, 49, 58 };

	test_each (row, reasons)
		assert_verdict(fixture, *row, EXPECTATION_MET);
}

TEST_FIXTURE(each_kind_can_be_broken)
{
	sample_set_count(fixture->noept, 48, 1);
	assert_verdict(fixture, 48, EXPECTATION_NOT_MET);
	sample_set_count(fixture->ept, 14, 1);
	assert_verdict(fixture, 14, EXPECTATION_NOT_MET);
	sample_set_count(fixture->noept, 0, 1); /* as many as with EPT */
	assert_verdict(fixture, 0, EXPECTATION_NOT_MET);
}

TEST_FIXTURE(nothing_is_read_out_of_nothing)
{
	sample_set_count(fixture->ept, 49, 0);
	assert_verdict(fixture, 49, EXPECTATION_SILENT);
	sample_exit(fixture->noept, 58)->reason = 1000;
	assert_verdict(fixture, 58, EXPECTATION_UNKNOWN);
}

/* Columns may stand the other way round. */
TEST_FIXTURE(order_of_the_runs_does_not_matter)
{
	struct record_run *ept = fixture->ept;

	fixture->ept = fixture->noept;
	fixture->noept = ept;
	assert_verdict(fixture, 48, EXPECTATION_MET);
	assert_verdict(fixture, 0, EXPECTATION_MET);
	sample_set_count(ept, 14, 1);
	assert_verdict(fixture, 14, EXPECTATION_NOT_MET);
}

TEST_FIXTURE(only_nested_against_shadow)
{
	g_autoptr(struct_comparison) alone = comparison_new(fixture->ept, NULL, NULL, NULL);
	g_autoptr(struct_comparison) same = comparison_new(fixture->ept, "A", fixture->ept, "B");
	g_autoptr(struct_comparison) both =
		comparison_new(fixture->ept, NULL, fixture->noept, NULL);

	assert_null(expectations_of(alone));
	assert_null(expectations_of(same));
	/* What L2 says counts, whatever the parameter said. */
	fixture->noept->l2_in_effect.ept = true;
	assert_null(expectations_of(both));
	fixture->noept->l2_in_effect.known = false;
	fixture->noept->in_effect.ept = RECORD_UNKNOWN;
	assert_null(expectations_of(both));
}
