/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts by L1's tracepoint: KVM as Linux has it, without the series, against the series whose
 * leaves L2 reads; on an Intel CPU and on an AMD one.
 */
#include <stdio.h>
#include <string.h>

#include "../../guest-image/probe/reading.h"
#include "lab.h"
#include "record/reasons.h"
#include "tests/test.h"

static const char *const configs[] = { "ept", "noept" };

/*
 * CPUIDs that the probe executes up to the latch, its own included (guest-image/probe/reading.c).
 * reading_identify() reads two leaves. read_leaves() runs twice, as the first is a rehearsal. With
 * the leaves, the rehearsal is 7 (total, one reason, total, latch, one latched, its cycles, all
 * cycles), and the reading 3 (total before, total after, latch) and one for each reason. Without
 * them it is the same for no reason at all: 4 (total, total, latch, all cycles), and 3.
 */
#define IDENTIFY	     2
#define WITH_LEAVES(reasons) ((uint64_t)IDENTIFY + 7 + (reasons) + 3)
#define WITHOUT_LEAVES	     ((uint64_t)IDENTIFY + 4 + 3)

/*
 * What reading changes beside CPUID is nothing: both ways touch the same pages. But each exit takes
 * L1 another time, so L1's and L2's timers fall elsewhere in the boot.
 */
struct vendor_counts {
	const char *platform;
	uint64_t reasons; /* that the probe asks for */
	uint32_t cpuid;
	/* What timers and interrupts cause: any number. Ends with REASON_NONE. */
	uint32_t by_time[8];
	/* What an interrupt between two instructions can touch or poll before these do: nearly
	 * equal. Debug registers: after the first one KVM lets all be accessed until L2 exits for
	 * another reason (dr_interception() and svm_sync_dirty_debug_regs(), handle_dr() and
	 * vmx_sync_dirty_debug_regs()). */
	uint32_t near[16];
};

static const struct vendor_counts vmx = {
	.platform = "bochs",
	.reasons = READING_VMX_REASONS,
	.cpuid = REASON_CPUID,
	.by_time = { REASON_EXTERNAL_INTERRUPT, REASON_INTERRUPT_WINDOW, REASON_HLT,
		     REASON_MSR_WRITE, REASON_PREEMPTION_TIMER, REASON_NONE },
	.near = { REASON_EXCEPTION_NMI, REASON_INVLPG, REASON_CR_ACCESS, REASON_IO_INSTRUCTION,
		  REASON_EPT_VIOLATION, REASON_DR_ACCESS, REASON_NONE },
};

/*
 * L1's clock is the wall clock there. On a busy machine L2's kernel finds that its clocks went
 * apart, and says so on its console, which is I/O.
 */
static const struct vendor_counts svm = {
	.platform = "tcg",
	.reasons = READING_SVM_REASONS,
	.cpuid = REASON_SVM_CPUID,
	.by_time = { REASON_SVM_INTR, REASON_SVM_VINTR, REASON_SVM_HLT, REASON_SVM_MSR,
		     REASON_SVM_IOIO, REASON_NONE },
	.near = { REASON_SVM_EXCP_PF, REASON_SVM_INVLPG, REASON_SVM_READ_CR3, REASON_SVM_WRITE_CR0,
		  REASON_SVM_WRITE_CR3, REASON_SVM_NPF, REASON_SVM_WRITE_DR0, REASON_SVM_WRITE_DR1,
		  REASON_SVM_WRITE_DR2, REASON_SVM_WRITE_DR3, REASON_SVM_WRITE_DR6,
		  REASON_SVM_WRITE_DR7, REASON_NONE },
};

/* A fiftieth, and a handful where there are few. */
#define NEARLY(count) ((count) / 50 + 5)

static const struct record_run *run_of(const struct record *record, const char *config)
{
	const struct record_run *run = record_find_run(record, config);

	assert_int_equal(record->verdict, RECORD_VALID);
	assert_non_null(run);
	assert_non_null(run->exits);
	return run;
}

static bool is_in(const uint32_t *reasons, uint32_t reason)
{
	while (*reasons != REASON_NONE && *reasons != reason)
		reasons++;
	return *reasons == reason;
}

static void assert_near(const struct vendor_counts *vendor, uint32_t reason, uint64_t a, uint64_t b)
{
	const uint64_t apart = a > b ? a - b : b - a;
	const uint64_t most = is_in(vendor->by_time, reason) ? UINT64_MAX
			      : is_in(vendor->near, reason)  ? NEARLY(MAX(a, b))
							     : 0;

	if (apart > most)
		fail_msg("reason %u: leaves %" G_GUINT64_FORMAT ", tracepoint %" G_GUINT64_FORMAT,
			 reason, a, b);
}

/* Each reason that has a count, and no count more. */
static void assert_counts(const struct vendor_counts *vendor, const struct record_run *leaves,
			  const struct record_run *traced, uint64_t fewer)
{
	assert_int_equal(leaves->exits->len, traced->exits->len);
	for (guint i = 0; i < leaves->exits->len; i++) {
		const struct record_exit *one = g_ptr_array_index(leaves->exits, i);
		const struct record_exit *other = record_find_exit(traced->exits, one->reason);

		assert_non_null(other);
		if (one->reason == vendor->cpuid)
			assert_int_equal(one->count - other->count, fewer);
		else
			assert_near(vendor, one->reason, one->count, other->count);
	}
}

/* The last number of the frame of that kind in probe.frames: its cpuids=. */
static uint64_t cpuids_of(const struct lab *lab, const char *config, const char *kind)
{
	g_autofree char *name = g_build_filename(config, "probe.frames", NULL);
	g_autofree char *path = lab_newest_file(lab, name);
	g_autofree char *wanted = g_strdup_printf(" %s ", kind);
	g_autofree char *text = NULL;
	const char *found;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	found = strstr(text, wanted);
	assert_non_null(found);
	found = strstr(found, "cpuids=");
	assert_non_null(found);
	return g_ascii_strtoull(found + strlen("cpuids="), NULL, 10);
}

/* What only the leaves can say is not there, and is no 0. */
static void assert_nothing_of_leaves(const struct record_run *run)
{
	assert_int_equal(run->source, RECORD_TRACEPOINT);
	assert_false(run->l2_in_effect.known);
	assert_false(run->latch.known);
	assert_false(run->leaf_total.known);
	assert_false(run->l1_total.known);
	assert_false(run->witness.known);
	assert_null(run->undefined);
	assert_null(run->malformed);
	for (guint i = 0; i < run->exits->len; i++)
		assert_false(((const struct record_exit *)run->exits->pdata[i])->cycles.known);
}

/* In how many runs, or pairs of them, the rule has passed. */
static unsigned int passes(const struct record *record, const char *rule)
{
	unsigned int count = 0;

	for (guint i = 0; i < record->checks->len; i++) {
		const struct record_check *check = g_ptr_array_index(record->checks, i);

		count += strcmp(check->rule, rule) == 0 && check->verdict == RECORD_CHECK_PASS;
	}
	return count;
}

static void assert_rules(const struct record *record)
{

	for (guint i = 0; i < record->checks->len; i++) {
		const struct record_check *check = g_ptr_array_index(record->checks, i);

		/* The fingerprint of a boot is known for VMX only. */
		if (check->verdict == RECORD_CHECK_UNKNOWN &&
		    strcmp(check->rule, "boot-fingerprint") != 0)
			fail_msg("%s is unknown: %s", check->rule, check->saw);
	}
	assert_int_equal(passes(record, "same-cpuid"), 1);
}

/* modules: a folder below build; NULL: those of the series. */
static struct record *run_traced(struct lab *lab, const char *modules)
{
	g_autofree char *folder = modules != NULL ? lab_built(modules) : g_strdup("");
	g_autofree char *setting = g_strconcat("l1.modules=", folder, NULL);

	lab_run(lab, 0, "run", "--set", "experiment.source=tracepoint", "--set", setting, NULL);
	return lab_newest(lab);
}

/* kernel/params.c says it of each option that a module does not have. */
static void assert_asked_for_nothing_unknown(const struct lab *lab, const char *config)
{
	g_autofree char *name = g_build_filename(config, "dmesg.log", NULL);
	g_autofree char *path = lab_newest_file(lab, name);
	g_autofree char *log = NULL;

	assert_true(g_file_get_contents(path, &log, NULL, NULL));
	assert_null(strstr(log, "unknown parameter"));
}

static void compare(const struct vendor_counts *vendor)
{
	struct lab *lab = lab_new(vendor->platform);
	g_autoptr(struct_record) leaves = NULL;
	g_autoptr(struct_record) traced = NULL;

	lab_run(lab, 0, "run", NULL);
	leaves = lab_newest(lab);
	assert_rules(leaves);
	for (size_t i = 0; i < G_N_ELEMENTS(configs); i++)
		assert_int_equal(cpuids_of(lab, configs[i], "latch"), WITH_LEAVES(vendor->reasons));
	traced = run_traced(lab, "kernel/stock");
	assert_rules(traced);
	for (size_t i = 0; i < G_N_ELEMENTS(configs); i++) {
		const struct record_run *run = run_of(traced, configs[i]);

		assert_int_equal(cpuids_of(lab, configs[i], "mark"), WITHOUT_LEAVES);
		assert_nothing_of_leaves(run);
		assert_null(run->mmu.reasons);
		assert_asked_for_nothing_unknown(lab, configs[i]);
		assert_counts(vendor, run_of(leaves, configs[i]), run,
			      WITH_LEAVES(vendor->reasons) - WITHOUT_LEAVES);
	}
	/* A half that was counted in another way is no other half. */
	lab_run(lab, EPTLAB_ERROR_USAGE, "rerun", "noept", NULL);
	assert_non_null(strstr(lab->errors, "source of the counts: tracepoint and leaves"));
	lab_assert_nothing_left(lab, 5);
	lab_free(lab);
}

TEST(stock_kvm_on_intel)
{
	compare(&vmx);
}

TEST(stock_kvm_on_amd)
{
	compare(&svm);
}

/*
 * The first part of the series: KVM has exits by reason among its statistics, and answers and
 * prints nothing of them. They are of the whole of L2's life, those of the tracepoint end with the
 * latch.
 */
static void statistics_alone(const struct vendor_counts *vendor)
{
	struct lab *lab = lab_new(vendor->platform);
	g_autoptr(struct_record) traced = run_traced(lab, "kernel/statistics");

	assert_int_equal(passes(traced, "kvm-reasons"), G_N_ELEMENTS(configs));
	for (size_t i = 0; i < G_N_ELEMENTS(configs); i++) {
		const struct record_run *run = run_of(traced, configs[i]);
		const struct record_statistic *exits =
			record_find_statistic(run->mmu.vcpu, "exits");
		const struct record_u64 sum = exits_sum(run->mmu.reasons);

		assert_nothing_of_leaves(run);
		assert_asked_for_nothing_unknown(lab, configs[i]);
		/* Without unrestricted guest entries are emulated, which are no exits. */
		assert_true(sum.known && sum.value > run->total.value);
		assert_true(vendor == &vmx && run->in_effect.ept == RECORD_FALSE
				    ? sum.value < exits->value
				    : sum.value == exits->value);
	}
	lab_free(lab);
}

TEST(statistics_alone_on_intel)
{
	statistics_alone(&vmx);
}

TEST(statistics_alone_on_amd)
{
	statistics_alone(&svm);
}

/* With the series the probe reads as ever, and both ways count the same interval. */
TEST(tracepoint_of_the_series)
{
	struct lab *lab = lab_new("tcg");
	g_autoptr(struct_record) traced = run_traced(lab, NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(configs); i++) {
		const struct record_run *run = run_of(traced, configs[i]);

		assert_int_equal(run->source, RECORD_TRACEPOINT);
		assert_true(run->latch.known);
		assert_int_equal(run->total.value, run->latch.total);
	}
	lab_free(lab);
}
