/* SPDX-License-Identifier: GPL-2.0-only */

#include "report/compare.h"
#include "record/reasons.h"
#include "tests/sample.h"
#include "tests/test.h"

static const struct compare_row *row_of(const struct comparison *comparison, uint32_t reason)
{
	guint i;

	for (i = 0; i < comparison->rows->len; i++) {
		const struct compare_row *row =
			&g_array_index(comparison->rows, struct compare_row, i);

		if (row->reason == reason)
			return row;
	}
	fail_msg("there is no row %u", reason);
	return NULL;
}

static bool near(double a, double b)
{
	return a - b < 1e-9 && b - a < 1e-9;
}

static struct comparison *compare_sample(const struct record *record)
{
	return comparison_new(record->runs->pdata[0], NULL, record->runs->pdata[1], NULL);
}

/* "1 7157 +7156 known": both counts, their difference, what kind of ratio; ? is not known. */
static void assert_row(const struct compare_row *row, const char *expected)
{
	static const char *const kinds[] = {
		[COMPARE_RATIO_KNOWN] = "known",
		[COMPARE_RATIO_NEW] = "new",
		[COMPARE_RATIO_NONE] = "none",
		[COMPARE_RATIO_UNKNOWN] = "unknown",
	};
	g_autofree char *a = g_strdup_printf("%" G_GUINT64_FORMAT, row->a.count);
	g_autofree char *b = g_strdup_printf("%" G_GUINT64_FORMAT, row->b.count);
	g_autofree char *saw = g_strdup_printf("%s %s %s%" G_GUINT64_FORMAT " %s%s",
					       row->a.known ? a : "?", row->b.known ? b : "?",
					       row->increased	     ? "+"
					       : row->difference > 0 ? "-"
								     : "",
					       row->difference, kinds[row->ratio_kind],
					       compare_row_is_empty(row) ? ", empty" : "");

	assert_string_equal(saw, expected);
}

TEST(rows_of_two_runs)
{
	/* 7731 in all with EPT (the sum of the sample's first column). */
	static const struct {
		uint32_t reason;
		bool paging;
		const char *expected;
		double share, ratio;
	} rows[] = {
		{ 0, true, "1 7157 +7156 known", 1.0 / 7731, 7157 },
		{ 10, false, "256 251 -5 known", 256.0 / 7731, 251.0 / 256 },
		{ 48, true, "6184 0 -6184 known", 6184.0 / 7731, 0 },
		{ 14, true, "0 308 +308 new", 0, 0 },
		{ 29, false, "2 2 0 known", 2.0 / 7731, 1 },
		{ 2, false, "0 0 0 none, empty", 0, 0 },
	};
	g_autoptr(struct_record) record = sample_record();
	const struct record_run *ept = record->runs->pdata[0];
	g_autoptr(struct_comparison) comparison = compare_sample(record);

	assert_string_equal(comparison->label_a, "ept");
	assert_string_equal(comparison->label_b, "noept");
	assert_int_equal(comparison->rows->len, ept->exits->len);
	test_each (row, rows) {
		const struct compare_row *saw = row_of(comparison, row->reason);

		assert_row(saw, row->expected);
		assert_int_equal(saw->paging, row->paging);
		assert_true(near(saw->a.share, row->share));
		if (saw->ratio_kind == COMPARE_RATIO_KNOWN)
			assert_true(near(saw->ratio, row->ratio));
	}
	assert_string_equal(row_of(comparison, 0)->name, "EXCEPTION_NMI");
	/* 7157 + 131 + 251 + 11 + 308 + 52 + 2 + 815 + 1 + 13 */
	assert_row(&comparison->total, "7731 8741 +1010 known");
	assert_true(near(comparison->total.ratio, 8741.0 / 7731));
	assert_true(near(comparison->total.a.share, 1));
}

TEST(paging_comes_first)
{
	static const uint32_t first[] = { 0, 14, 28, 48, 49, 58, 1, 2, 3 };
	g_autoptr(struct_record) record = sample_record();
	g_autoptr(struct_comparison) comparison = compare_sample(record);
	guint i;

	for (i = 0; i < comparison->rows->len; i++) {
		const struct compare_row *row =
			&g_array_index(comparison->rows, struct compare_row, i);

		if (i < G_N_ELEMENTS(first))
			assert_int_equal(row->reason, first[i]);
		assert_int_equal(row->paging, i < 6);
		if (i > 6)
			assert_true(row->reason > row[-1].reason);
	}
}

/* The exit codes of AMD are others: the same number means something else there. */
TEST(paging_is_that_of_the_vendor)
{
	static const uint32_t given[] = { 0, 0x13, 0x30, 0x4e, 0x72, 0x79, 0x400 };
	static const uint32_t expected[] = { 0x13, 0x4e, 0x79, 0x400, 0, 0x30, 0x72 };
	g_autoptr(struct_record_run) run = record_run_new("npt");
	g_autoptr(struct_comparison) comparison = NULL;
	guint i;

	run->l2_in_effect.known = true;
	run->l2_in_effect.vendor = KVM_EXITCOUNT_VENDOR_SVM;
	run->exits = record_exits_new();
	for (i = 0; i < G_N_ELEMENTS(given); i++)
		g_ptr_array_add(run->exits, record_exit_new(given[i], NULL, 1));
	run->total = record_u64_from(G_N_ELEMENTS(given));
	comparison = comparison_new(run, NULL, NULL, NULL);
	assert_int_equal(comparison->rows->len, G_N_ELEMENTS(expected));
	for (i = 0; i < comparison->rows->len; i++) {
		const struct compare_row *row =
			&g_array_index(comparison->rows, struct compare_row, i);

		assert_int_equal(row->reason, expected[i]);
		assert_int_equal(row->paging, i < 4);
	}
}

/* ---- Runs made for the purpose ---- */

static struct record_run *run_with(const char *config, uint32_t reason, uint64_t count)
{
	struct record_run *run = record_run_new(config);

	run->exits = record_exits_new();
	g_ptr_array_add(run->exits, record_exit_new(reason, NULL, count));
	run->total = record_u64_from(count);
	return run;
}

TEST(differences_have_64_bits_and_a_sign)
{
	g_autoptr(struct_record_run) none = run_with("a", 12, 0);
	g_autoptr(struct_record_run) all = run_with("b", 12, UINT64_MAX);
	g_autoptr(struct_comparison) up = comparison_new(none, NULL, all, NULL);
	g_autoptr(struct_comparison) down = comparison_new(all, NULL, none, NULL);

	assert_row(row_of(up, 12), "0 18446744073709551615 +18446744073709551615 new");
	assert_row(row_of(down, 12), "18446744073709551615 0 -18446744073709551615 known");
	assert_true(near(row_of(down, 12)->ratio, 0));
	assert_true(near(row_of(down, 12)->a.share, 1));
}

/* What was not read is not 0. The totals are known all the same. */
TEST(reason_that_only_one_run_has)
{
	g_autoptr(struct_record_run) one = run_with("a", 12, 5);
	g_autoptr(struct_record_run) other = run_with("b", 1000, 7);
	g_autoptr(struct_comparison) comparison = comparison_new(one, NULL, other, NULL);

	assert_int_equal(comparison->rows->len, 2);
	assert_row(row_of(comparison, 12), "5 ? 0 unknown");
	assert_row(row_of(comparison, 1000), "? 7 0 unknown");
	assert_null(row_of(comparison, 1000)->name);
	assert_row(&comparison->total, "5 7 +2 known");
}

TEST(runs_in_which_there_is_nothing)
{
	g_autoptr(struct_record_run) one = run_with("a", 48, 5);
	g_autoptr(struct_record_run) idle = run_with("a", 48, 0);
	g_autoptr(struct_record_run) empty = record_run_new("b");
	g_autoptr(struct_comparison) half = comparison_new(empty, NULL, one, NULL);
	g_autoptr(struct_comparison) nothing = comparison_new(empty, NULL, empty, NULL);
	g_autoptr(struct_comparison) zero = comparison_new(idle, NULL, idle, NULL);

	assert_int_equal(half->rows->len, 1);
	assert_row(row_of(half, 48), "? 5 0 unknown");
	assert_row(&half->total, "? 5 0 unknown");
	assert_int_equal(nothing->rows->len, 0);
	assert_true(near(row_of(zero, 48)->a.share, 0));
	assert_row(&zero->total, "0 0 0 none, empty");
}

TEST(one_run_alone)
{
	g_autoptr(struct_record) record = sample_record();
	g_autoptr(struct_comparison) alone =
		comparison_new(record->runs->pdata[0], NULL, NULL, NULL);

	assert_null(alone->label_b);
	assert_null(alone->b);
	assert_row(row_of(alone, 48), "6184 ? 0 unknown");
	assert_int_equal(alone->total.a.count, 7731);
	assert_true(compare_row_is_empty(row_of(alone, 2)));
}

TEST(labels_can_be_given)
{
	g_autoptr(struct_record_run) one = run_with("noept", 48, 1);
	g_autoptr(struct_record_run) other = run_with("noept", 48, 1);
	g_autoptr(struct_comparison) comparison = comparison_new(one, "A", other, "B");

	assert_string_equal(comparison->label_a, "A");
	assert_string_equal(comparison->label_b, "B");
}

/* ---- Inputs ---- */

static void set_input(struct record_run *run, guint index, const char *name, char digit)
{
	struct record_input *input = run->inputs->pdata[index];
	g_autofree char *digits = g_strnfill(64, digit);

	record_set_string(&input->name, name);
	record_set_string(&input->sha256, digits);
}

static void assert_input(const GArray *inputs, guint index, const char *name, char a, char b)
{
	const struct compare_input *one = &g_array_index(inputs, struct compare_input, index);

	assert_string_equal(one->name, name);
	assert_int_equal(one->a != NULL ? *one->a : 0, a);
	assert_int_equal(one->b != NULL ? *one->b : 0, b);
}

TEST(inputs_that_differ)
{
	g_autoptr(struct_record) record = sample_record();
	struct record_run *noept = record->runs->pdata[1];
	g_autoptr(struct_comparison) comparison = compare_sample(record);
	g_autoptr(GArray) none = comparison_inputs(comparison);
	g_autoptr(GArray) differ = NULL;

	assert_int_equal(none->len, 0);
	/* Another QEMU, and a job that is called otherwise; so the digest over all is another. */
	set_input(noept, 1, "qemu", 'e');
	set_input(noept, 2, "task", 'c');
	set_input(noept, 3, RECORD_INPUTS_ALL, 'f');
	differ = comparison_inputs(comparison);
	assert_int_equal(differ->len, 3);
	assert_input(differ, 0, "qemu", 'b', 'e');
	assert_input(differ, 1, "job", 'c', 0);
	assert_input(differ, 2, "task", 0, 'c');
}

TEST(inputs_that_are_not_recorded)
{
	g_autoptr(struct_record) record = sample_record();
	struct record_run *noept = record->runs->pdata[1];
	g_autoptr(struct_comparison) comparison = compare_sample(record);
	g_autoptr(struct_comparison) alone =
		comparison_new(record->runs->pdata[0], NULL, NULL, NULL);

	assert_null(comparison_inputs(alone));
	g_clear_pointer(&noept->inputs, g_ptr_array_unref);
	assert_null(comparison_inputs(comparison));
}
