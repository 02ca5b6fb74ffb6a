/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "report/compare.h"
#include "record/reasons.h"
#include "tests/sample.h"

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

static void rows_of_two_runs(void **state)
{
	g_autoptr(struct_record) record = sample_record();
	const struct record_run *ept = record_find_run(record, "ept");
	const struct record_run *noept = record_find_run(record, "noept");
	g_autoptr(struct_comparison) comparison = comparison_new(ept, NULL, noept, NULL);
	const struct compare_row *row;

	(void)state;
	assert_string_equal(comparison->label_a, "ept");
	assert_string_equal(comparison->label_b, "noept");
	assert_int_equal(comparison->rows->len, ept->exits->len);

	row = row_of(comparison, 0);
	assert_string_equal(row->name, "EXCEPTION_NMI");
	assert_true(row->paging && row->a.known && row->b.known);
	assert_int_equal(row->a.count, 1);
	assert_int_equal(row->b.count, 7157);
	assert_true(row->increased);
	assert_int_equal(row->difference, 7156);
	assert_int_equal(row->ratio_kind, COMPARE_RATIO_KNOWN);
	assert_true(near(row->ratio, 7157));
	/* 7731 in all with EPT (the sum of the sample's first column). */
	assert_true(near(row->a.share, 1.0 / 7731));

	row = row_of(comparison, 10);
	assert_false(row->paging);
	assert_false(row->increased);
	assert_int_equal(row->difference, 5);
	assert_true(near(row->ratio, 251.0 / 256));

	row = row_of(comparison, 48);
	assert_int_equal(row->ratio_kind, COMPARE_RATIO_KNOWN);
	assert_true(near(row->ratio, 0));
	assert_int_equal(row->difference, 6184);
	assert_false(row->increased);
	assert_true(near(row->a.share, 6184.0 / 7731));
	assert_false(compare_row_is_empty(row));

	row = row_of(comparison, 14);
	assert_int_equal(row->ratio_kind, COMPARE_RATIO_NEW);
	assert_false(compare_row_is_empty(row));

	row = row_of(comparison, 29);
	assert_int_equal(row->difference, 0);
	assert_false(row->increased);
	assert_true(near(row->ratio, 1));

	row = row_of(comparison, 2);
	assert_int_equal(row->ratio_kind, COMPARE_RATIO_NONE);
	assert_true(compare_row_is_empty(row));

	/* 7157 + 131 + 251 + 11 + 308 + 52 + 2 + 815 + 1 + 13 */
	assert_int_equal(comparison->total.a.count, 7731);
	assert_int_equal(comparison->total.b.count, 8741);
	assert_int_equal(comparison->total.difference, 1010);
	assert_true(comparison->total.increased);
	assert_true(near(comparison->total.ratio, 8741.0 / 7731));
	assert_true(near(comparison->total.a.share, 1));
}

static void paging_comes_first(void **state)
{
	static const uint32_t first[] = { 0, 14, 28, 48, 49, 58, 1, 2, 3 };
	g_autoptr(struct_record) record = sample_record();
	g_autoptr(struct_comparison) comparison = comparison_new(
		record_find_run(record, "ept"), NULL, record_find_run(record, "noept"), NULL);
	guint i;

	(void)state;
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
static void paging_is_that_of_the_vendor(void **state)
{
	static const uint32_t given[] = { 0, 0x13, 0x30, 0x4e, 0x72, 0x79, 0x400 };
	static const uint32_t expected[] = { 0x13, 0x4e, 0x79, 0x400, 0, 0x30, 0x72 };
	g_autoptr(struct_record_run) run = record_run_new("npt");
	g_autoptr(struct_comparison) comparison = NULL;
	guint i;

	(void)state;
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

static void differences_have_64_bits_and_a_sign(void **state)
{
	g_autoptr(struct_record_run) none = run_with("a", 12, 0);
	g_autoptr(struct_record_run) all = run_with("b", 12, UINT64_MAX);
	g_autoptr(struct_comparison) up = comparison_new(none, NULL, all, NULL);
	g_autoptr(struct_comparison) down = comparison_new(all, NULL, none, NULL);

	(void)state;
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
static void reason_that_only_one_run_has(void **state)
{
	g_autoptr(struct_record_run) one = run_with("a", 12, 5);
	g_autoptr(struct_record_run) other = run_with("b", 1000, 7);
	g_autoptr(struct_comparison) comparison = comparison_new(one, NULL, other, NULL);
	const struct compare_row *row = row_of(comparison, 12);

	(void)state;
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

static void run_without_counts(void **state)
{
	g_autoptr(struct_record_run) one = run_with("a", 48, 5);
	g_autoptr(struct_record_run) empty = record_run_new("b");
	g_autoptr(struct_comparison) comparison = comparison_new(empty, NULL, one, NULL);
	g_autoptr(struct_comparison) nothing = comparison_new(empty, NULL, empty, NULL);

	(void)state;
	assert_int_equal(comparison->rows->len, 1);
	assert_false(row_of(comparison, 48)->a.known);
	assert_false(comparison->total.a.known);
	assert_int_equal(comparison->total.ratio_kind, COMPARE_RATIO_UNKNOWN);
	assert_int_equal(nothing->rows->len, 0);
}

static void run_in_which_nothing_happened(void **state)
{
	g_autoptr(struct_record_run) idle = run_with("a", 48, 0);
	g_autoptr(struct_comparison) comparison = comparison_new(idle, NULL, idle, NULL);

	(void)state;
	assert_true(near(row_of(comparison, 48)->a.share, 0));
	assert_int_equal(comparison->total.ratio_kind, COMPARE_RATIO_NONE);
}

static void one_run_alone(void **state)
{
	g_autoptr(struct_record) record = sample_record();
	g_autoptr(struct_comparison) comparison =
		comparison_new(record_find_run(record, "ept"), NULL, NULL, NULL);

	(void)state;
	assert_null(comparison->label_b);
	assert_null(comparison->b);
	assert_false(row_of(comparison, 48)->b.known);
	assert_int_equal(row_of(comparison, 48)->a.count, 6184);
	assert_int_equal(comparison->total.a.count, 7731);
	assert_true(compare_row_is_empty(row_of(comparison, 2)));
}

static void labels_can_be_given(void **state)
{
	g_autoptr(struct_record_run) one = run_with("noept", 48, 1);
	g_autoptr(struct_record_run) other = run_with("noept", 48, 1);
	g_autoptr(struct_comparison) comparison = comparison_new(one, "A", other, "B");

	(void)state;
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

static void inputs_that_differ(void **state)
{
	g_autoptr(struct_record) record = sample_record();
	struct record_run *ept = record_find_run(record, "ept");
	struct record_run *noept = record_find_run(record, "noept");
	g_autoptr(struct_comparison) comparison = comparison_new(ept, NULL, noept, NULL);
	g_autoptr(GArray) none = comparison_inputs(comparison);
	g_autoptr(GArray) differ = NULL;
	const struct compare_input *one;

	(void)state;
	assert_int_equal(none->len, 0);
	/* Another QEMU, and a job that is called otherwise; so the digest over all is another. */
	set_input(noept, 1, "qemu", 'e');
	set_input(noept, 2, "task", 'c');
	set_input(noept, 3, RECORD_INPUTS_ALL, 'f');
	differ = comparison_inputs(comparison);
	assert_int_equal(differ->len, 3);
	one = &g_array_index(differ, struct compare_input, 0);
	assert_string_equal(one->name, "qemu");
	assert_true(one->a[0] == 'b' && one->b[0] == 'e');
	one = &g_array_index(differ, struct compare_input, 1);
	assert_string_equal(one->name, "job");
	assert_true(one->a[0] == 'c' && one->b == NULL);
	one = &g_array_index(differ, struct compare_input, 2);
	assert_string_equal(one->name, "task");
	assert_true(one->a == NULL && one->b[0] == 'c');
}

static void inputs_that_are_not_recorded(void **state)
{
	g_autoptr(struct_record) record = sample_record();
	struct record_run *ept = record_find_run(record, "ept");
	struct record_run *noept = record_find_run(record, "noept");
	g_autoptr(struct_comparison) comparison = comparison_new(ept, NULL, noept, NULL);
	g_autoptr(struct_comparison) alone = comparison_new(ept, NULL, NULL, NULL);

	(void)state;
	assert_null(comparison_inputs(alone));
	g_clear_pointer(&noept->inputs, g_ptr_array_unref);
	assert_null(comparison_inputs(comparison));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_of_two_runs),
		cmocka_unit_test(paging_comes_first),
		cmocka_unit_test(paging_is_that_of_the_vendor),
		cmocka_unit_test(differences_have_64_bits_and_a_sign),
		cmocka_unit_test(reason_that_only_one_run_has),
		cmocka_unit_test(run_without_counts),
		cmocka_unit_test(run_in_which_nothing_happened),
		cmocka_unit_test(one_run_alone),
		cmocka_unit_test(labels_can_be_given),
		cmocka_unit_test(inputs_that_differ),
		cmocka_unit_test(inputs_that_are_not_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
