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

#define NEW   COMPARE_RATIO_NEW
#define NONE  COMPARE_RATIO_NONE
#define KNOWN COMPARE_RATIO_KNOWN

TEST(rows_of_two_runs)
{
	/* 7731 in all with EPT (the sum of the sample's first column). */
	static const struct {
		uint32_t reason;
		uint64_t ept, noept, difference;
		bool increased, paging;
		enum compare_ratio kind;
		double ratio;
	} rows[] = {
		{ 0, 1, 7157, 7156, true, true, KNOWN, 7157 },
		{ 10, 256, 251, 5, false, false, KNOWN, 251.0 / 256 },
		{ 48, 6184, 0, 6184, false, true, KNOWN, 0 },
		{ 14, 0, 308, 308, true, true, NEW, 0 },
		{ 29, 2, 2, 0, false, false, KNOWN, 1 },
		{ 2, 0, 0, 0, false, false, NONE, 0 },
	};
	g_autoptr(struct_record) record = sample_record();
	const struct record_run *ept = record->runs->pdata[0];
	g_autoptr(struct_comparison) comparison = compare_sample(record);
	const struct compare_row *total = &comparison->total;

	assert_string_equal(comparison->label_a, "ept");
	assert_string_equal(comparison->label_b, "noept");
	assert_int_equal(comparison->rows->len, ept->exits->len);
	test_each (row, rows) {
		const struct compare_row *saw = row_of(comparison, row->reason);

		assert_true(saw->a.known && saw->b.known);
		assert_int_equal(saw->a.count, row->ept);
		assert_int_equal(saw->b.count, row->noept);
		assert_int_equal(saw->difference, row->difference);
		assert_int_equal(saw->increased, row->increased);
		assert_int_equal(saw->paging, row->paging);
		assert_int_equal(saw->ratio_kind, row->kind);
		assert_true(row->kind != KNOWN || near(saw->ratio, row->ratio));
		assert_true(near(saw->a.share, (double)row->ept / 7731));
		assert_int_equal(compare_row_is_empty(saw), row->kind == NONE);
	}
	assert_string_equal(row_of(comparison, 0)->name, "EXCEPTION_NMI");
	/* 7157 + 131 + 251 + 11 + 308 + 52 + 2 + 815 + 1 + 13 */
	assert_int_equal(total->a.count, 7731);
	assert_int_equal(total->b.count, 8741);
	assert_int_equal(total->difference, 1010);
	assert_true(total->increased);
	assert_true(near(total->ratio, 8741.0 / 7731));
	assert_true(near(total->a.share, 1));
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

	assert_true(row_of(up, 12)->difference == UINT64_MAX);
	assert_true(row_of(up, 12)->increased);
	assert_int_equal(row_of(up, 12)->ratio_kind, COMPARE_RATIO_NEW);
	assert_true(row_of(down, 12)->difference == UINT64_MAX);
	assert_false(row_of(down, 12)->increased);
	assert_int_equal(row_of(down, 12)->ratio_kind, COMPARE_RATIO_KNOWN);
	assert_true(near(row_of(down, 12)->ratio, 0));
	assert_true(near(row_of(down, 12)->a.share, 1));
}

/* What was not read is not 0. */
TEST(reason_that_only_one_run_has)
{
	g_autoptr(struct_record_run) one = run_with("a", 12, 5);
	g_autoptr(struct_record_run) other = run_with("b", 1000, 7);
	g_autoptr(struct_comparison) comparison = comparison_new(one, NULL, other, NULL);
	const struct compare_row *row = row_of(comparison, 12);

	assert_int_equal(comparison->rows->len, 2);
	assert_true(row->a.known);
	assert_false(row->b.known);
	assert_int_equal(row->ratio_kind, COMPARE_RATIO_UNKNOWN);
	assert_int_equal(row->difference, 0);
	assert_false(compare_row_is_empty(row));
	row = row_of(comparison, 1000);
	assert_false(row->a.known);
	assert_true(row->b.known);
	assert_null(row->name);
	assert_int_equal(row->ratio_kind, COMPARE_RATIO_UNKNOWN);
	/* The totals are known all the same. */
	assert_int_equal(comparison->total.ratio_kind, COMPARE_RATIO_KNOWN);
	assert_int_equal(comparison->total.difference, 2);
}

TEST(run_without_counts)
{
	g_autoptr(struct_record_run) one = run_with("a", 48, 5);
	g_autoptr(struct_record_run) empty = record_run_new("b");
	g_autoptr(struct_comparison) comparison = comparison_new(empty, NULL, one, NULL);
	g_autoptr(struct_comparison) nothing = comparison_new(empty, NULL, empty, NULL);

	assert_int_equal(comparison->rows->len, 1);
	assert_false(row_of(comparison, 48)->a.known);
	assert_false(comparison->total.a.known);
	assert_int_equal(comparison->total.ratio_kind, COMPARE_RATIO_UNKNOWN);
	assert_int_equal(nothing->rows->len, 0);
}

TEST(run_in_which_nothing_happened)
{
	g_autoptr(struct_record_run) idle = run_with("a", 48, 0);
	g_autoptr(struct_comparison) comparison = comparison_new(idle, NULL, idle, NULL);

	assert_true(near(row_of(comparison, 48)->a.share, 0));
	assert_int_equal(comparison->total.ratio_kind, COMPARE_RATIO_NONE);
}

TEST(one_run_alone)
{
	g_autoptr(struct_record) record = sample_record();
	g_autoptr(struct_comparison) comparison =
		comparison_new(record_find_run(record, "ept"), NULL, NULL, NULL);

	assert_null(comparison->label_b);
	assert_null(comparison->b);
	assert_false(row_of(comparison, 48)->b.known);
	assert_int_equal(row_of(comparison, 48)->a.count, 6184);
	assert_int_equal(comparison->total.a.count, 7731);
	assert_true(compare_row_is_empty(row_of(comparison, 2)));
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
