/* SPDX-License-Identifier: GPL-2.0-only */
#include "judge/doses.h"
#include "wire/job.h"
#include "record/reasons.h"
#include "record/record.h"
#include "tests/test.h"

static const struct dose_setting ept = { KVM_EXITCOUNT_VENDOR_VMX, true, false };
static const struct dose_setting noept = { KVM_EXITCOUNT_VENDOR_VMX, false, false };
static const struct dose_setting npt = { KVM_EXITCOUNT_VENDOR_SVM, true, false };
static const struct dose_setting nonpt = { KVM_EXITCOUNT_VENDOR_SVM, false, false };
static const struct dose_setting old_tcg = { KVM_EXITCOUNT_VENDOR_SVM, false, true };

/* What is expected of n = 7, written down by hand from what the dose does. */
static const struct {
	const char *dose;
	const struct dose_setting *setting;
	uint32_t reason;
	uint64_t exits;
} by_hand[] = {
	{ "cpuid", &ept, 10, 7 },	  { "cpuid", &noept, 10, 7 },
	{ "cpuid", &npt, 0x72, 7 },	  { "cpuid-ring3", &ept, 10, 7 },
	{ "cpuid-ring3", &noept, 10, 7 }, { "io", &ept, 30, 14 },
	{ "io", &nonpt, 0x7b, 14 },	  { "hlt", &ept, 12, 7 },
	{ "hlt", &ept, 32, 14 },	  { "hlt", &noept, 12, 7 },
	{ "hlt", &noept, 32, 14 },	  { "hlt", &npt, 0x78, 7 },
	{ "hlt", &npt, 0x7c, 14 },	  { "rdmsr", &ept, 31, 7 },
	{ "rdmsr", &ept, 32, 0 },	  { "rdmsr", &npt, 0x7c, 7 },
	{ "wrmsr", &noept, 32, 7 },	  { "wrmsr", &noept, 31, 0 },
	{ "wrmsr", &nonpt, 0x7c, 7 },	  { "wrmsr-fast", &ept, 32, 7 },
	{ "invd", &ept, 13, 7 },	  { "invd", &noept, 13, 7 },
	{ "invd", &npt, 0x76, 7 },	  { "invd", &nonpt, 0x76, 7 },
	{ "invd", &npt, 0x89, 0 },	  { "invd", &old_tcg, 0x89, 7 },
	{ "invd", &old_tcg, 0x76, 0 },	  { "pages", &ept, 48, 7 },
	{ "pages", &ept, 0, 0 },	  { "pages", &noept, 48, 0 },
	{ "pages", &noept, 0, 7 },	  { "pages", &npt, 0x400, 7 },
	{ "pages", &nonpt, 0x4e, 7 },	  { "invlpg", &ept, 14, 0 },
	{ "invlpg", &ept, 48, 0 },	  { "invlpg", &noept, 14, 7 },
	{ "invlpg", &noept, 0, 7 },	  { "invlpg", &nonpt, 0x79, 7 },
	{ "invlpg", &nonpt, 0x4e, 7 },	  { "cr3", &ept, 28, 0 },
	{ "cr3", &noept, 28, 7 },	  { "cr3", &npt, 0x13, 0 },
	{ "cr3", &nonpt, 0x13, 7 },	  { "cr3-pcid", &ept, 28, 2 },
	{ "cr3-pcid", &noept, 28, 9 },	  { "cr3-pcid", &nonpt, 0x13, 7 },
	{ "cr3-pcid", &nonpt, 0x14, 2 },  { "abuse", &ept, 10, 42 },
	{ "abuse", &noept, 10, 42 },	  { "smp", &ept, 10, 14 },
	{ "smp", &ept, 12, 2 },		  { "smp", &ept, 32, 4 },
	{ "smp", &noept, 10, 14 },
};

TEST(costs_are_those_derived_by_hand)
{
	test_each (row, by_hand) {
		const struct dose *dose = doses_find(row->dose);
		struct dose_expectation expected;

		assert_non_null(dose);
		expected = dose_expect(dose, 7, row->setting, row->reason);
		assert_int_equal(expected.least, row->exits);
		assert_int_equal(expected.most, row->exits);
		assert_true((row->exits > 0) == (expected.why != NULL));
	}
}

TEST(only_an_old_tcg_tells_of_invd_as_wbinvd)
{
	static const struct {
		const char *name, *version;
		bool is;
	} rows[] = {
		{ "tcg", "7.2.22", true }, { "tcg", "8.0.5", true },  { "tcg", "8.1.0", false },
		{ "tcg", "10.0", false },  { "bochs", "2.7", false }, { "kvm", "7.2.22", false },
		{ "tcg", NULL, false },	   { "tcg", "soon", false },  { NULL, "7.2.22", false },
	};

	test_each (row, rows) {
		const struct record_platform platform = {
			.name = (char *)row->name,
			.version = (char *)row->version,
		};

		assert_int_equal(dose_invd_is_wbinvd(&platform), row->is);
	}
}

TEST(each_cost_says_why_and_where_from)
{
	size_t i, j;

	for (i = 0; i < doses_count(); i++) {
		const struct dose *dose = doses_at(i);

		assert_true(strlen(dose->what) > 5);
		assert_true(dose->n > 0);
		assert_true(dose->cost_count > 0);
		for (j = 0; j < dose->cost_count; j++) {
			const struct dose_cost *cost = &dose->costs[j];

			assert_true(strlen(cost->why) > 20);
			assert_says(cost->source, "SDM vol. 3, \"");
			assert_says(cost->source, "KVM: ");
			assert_true(cost->per_n > 0 || cost->constant > 0);
			assert_true(reason_is_defined(KVM_EXITCOUNT_VENDOR_VMX, cost->vmx));
			assert_true(cost->svm == DOSE_NO_REASON ||
				    reason_is_defined(KVM_EXITCOUNT_VENDOR_SVM, cost->svm));
		}
	}
	assert_null(doses_at(doses_count()));
}

TEST(doses_are_found_by_name)
{
	size_t i;

	for (i = 0; i < doses_count(); i++) {
		const char *name = doses_at(i)->name;
		g_autofree char *workload = g_strconcat("dose-", name, NULL);

		assert_ptr_equal(doses_find(name), doses_at(i));
		assert_ptr_equal(doses_find(workload), doses_at(i));
		assert_true(job_is_dose(workload));
		assert_false(job_is_dose(name));
	}
	assert_true(job_is_dose("doses"));
	assert_false(job_is_dose("boot"));
	assert_false(job_is_dose("dose-"));
	assert_false(job_is_dose("dose-nothing"));
	assert_null(doses_find("start"));
	assert_null(doses_find(""));
}

/* The exits of a dose as they must be. */
static GPtrArray *right(const struct dose *dose, uint64_t n, const struct dose_setting *setting)
{
	GPtrArray *exits = record_exits_new();
	uint32_t reason;

	for (reason = 0; reason <= reason_highest(setting->vendor); reason++)
		if (reason_is_defined(setting->vendor, reason))
			g_ptr_array_add(
				exits,
				record_exit_new(reason, reason_name(setting->vendor, reason),
						dose_expect(dose, n, setting, reason).least));
	return exits;
}

/* One that has no name is added. */
static struct record_exit *exit_of(GPtrArray *exits, uint32_t reason)
{
	if (record_find_exit(exits, reason) == NULL)
		g_ptr_array_add(exits, record_exit_new(reason, NULL, 0));
	return (struct record_exit *)record_find_exit(exits, reason);
}

TEST(what_is_right_deviates_in_nothing)
{
	static const struct dose_setting *const settings[] = { &ept, &noept, &npt, &nonpt };
	size_t i;

	for (i = 0; i < doses_count(); i++)
		test_each (row, settings) {
			g_autoptr(GPtrArray) exits = right(doses_at(i), 1000, *row);

			assert_null(dose_deviation(doses_at(i), 1000, *row, 0, exits));
		}
}

/* A thousand times, as it must be but for this count, and what is said of it. */
TEST(what_is_wrong_deviates)
{
	static const struct {
		const char *dose;
		const struct dose_setting *setting;
		uint64_t cpuids; /* of the reader */
		uint32_t reason;
		uint64_t count;
		const char *message; /* NULL: it does not deviate */
	} cases[] = {
		/* One exit more or less. */
		{ "pages", &ept, 0, 48, 1001,
		  "dose-pages, n=1000: 1001 exits of reason 48 (EPT_VIOLATION), expected 1000: " },
		{ "pages", &ept, 0, 48, 999, "999 exits of reason 48" },
		/* What is not in the table of costs. */
		{ "cpuid", &ept, 0, 30, 1,
		  "1 exits of reason 30 (IO_INSTRUCTION), expected none: nothing in this dose" },
		{ "io", &ept, 0, 4711, 3, "3 exits of reason 4711 (no name), expected none" },
		/* Interrupts of L1. */
		{ "io", &ept, 0, 1, 12345, NULL },
		{ "io", &npt, 0, 0x60, 12345, NULL },
		/* CPUIDs of the reader. */
		{ "cpuid", &noept, 0, 10, 1275, "1275 exits of reason 10 (CPUID), expected 1000" },
		{ "cpuid", &noept, 275, 10, 1275, NULL },
		/* A slow L1 may end the timer early. */
		{ "hlt", &ept, 0, 52, 1000, NULL },
		{ "hlt", &ept, 0, 7, 3, NULL },
		{ "hlt", &ept, 0, 52, 1001,
		  "1001 exits of reason 52 (PREEMPTION_TIMER), expected 0 to 1000" },
	};

	test_each (row, cases) {
		const struct dose *dose = doses_find(row->dose);
		g_autoptr(GPtrArray) exits = right(dose, 1000, row->setting);
		g_autofree char *wrong = NULL;

		exit_of(exits, row->reason)->count = row->count;
		wrong = dose_deviation(dose, 1000, row->setting, row->cpuids, exits);
		assert_int_equal(wrong != NULL, row->message != NULL);
		if (wrong != NULL)
			assert_says(wrong, row->message);
	}
}

/* A kernel that does not answer for a reason has not counted it. */
TEST(a_reason_that_is_missing_deviates)
{
	g_autoptr(GPtrArray) exits = record_exits_new();
	g_autofree char *wrong = dose_deviation(doses_find("cr3"), 1000, &noept, 0, exits);

	assert_non_null(wrong);
	assert_says(wrong, "0 exits of reason 28 (CR_ACCESS), expected 1000");
}
