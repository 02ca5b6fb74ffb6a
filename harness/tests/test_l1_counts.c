/* SPDX-License-Identifier: GPL-2.0-only */
/* What L1's kernel says of the exits of a VM: its log, KVM's debugfs file, the histogram. */

#include "model/l1_counts.h"
#include "model/reasons.h"
#include "tests/test.h"

#define VMX KVM_EXITCOUNT_VENDOR_VMX
#define SVM KVM_EXITCOUNT_VENDOR_SVM

struct expected {
	uint32_t reason;
	const char *name;
	uint64_t count;
};

static void assert_counts(const GPtrArray *exits, const struct expected *expected, size_t count)
{
	assert_non_null(exits);
	assert_int_equal(exits->len, count);
	for (size_t i = 0; i < count; i++) {
		const struct record_exit *one = g_ptr_array_index(exits, i);

		assert_int_equal(one->reason, expected[i].reason);
		if (expected[i].name == NULL)
			assert_null(one->name);
		else
			assert_string_equal(one->name, expected[i].name);
		assert_true(one->count == expected[i].count);
		assert_int_equal(one->before, 0);
		assert_false(one->cycles.known);
	}
}

/* The three parsers as one: a vendor is for the histogram, a total for the log. */
enum text {
	LOG,
	DEBUGFS,
	HISTOGRAM,
};

static GPtrArray *parse(enum text kind, const char *text, size_t length, GError **error)
{
	uint64_t total = 0;

	switch (kind) {
	case LOG:
		return l1_counts_of_log(text, length, &total, error);
	case DEBUGFS:
		return l1_counts_of_debugfs(text, length, error);
	case HISTOGRAM:
		break;
	}
	return l1_counts_of_histogram(text, length, VMX, error);
}

static void assert_refused(enum text kind, const char *text, const char *part)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *exits = parse(kind, text, strlen(text), &error);

	if (exits != NULL)
		fail_msg("was taken: %s", text);
	assert_true(g_error_matches(error, EPTLAB_ERROR, EPTLAB_ERROR_L1));
	assert_begins(error->message, "L1: ");
	assert_says(error->message, part);
}

/* What is cut off anywhere is refused, or says nothing that the whole does not say. */
static void assert_cuts_invent_nothing(enum text kind, const char *text)
{
	g_autoptr(GPtrArray) whole = parse(kind, text, strlen(text), NULL);

	assert_non_null(whole);
	for (size_t length = 0; length < strlen(text); length++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(GPtrArray) exits = parse(kind, text, length, &error);

		if (error != NULL)
			assert_int_equal(error->code, EPTLAB_ERROR_L1);
		for (guint i = 0; exits != NULL && i < exits->len; i++) {
			const struct record_exit *one = g_ptr_array_index(exits, i);
			const struct record_exit *same = record_find_exit(whole, one->reason);

			assert_non_null(same);
			if (one->count != same->count)
				fail_msg("%zu bytes: reason %u has %" G_GUINT64_FORMAT, length,
					 one->reason, one->count);
		}
	}
}

/* ---- The kernel log ---- */

/* As kmsg.c writes it. 1 + 104 + 256 + 239 + 400 = 1000; a share is rounded down. */
static const char log_of_one_vm[] =
	"[    9.870211] kvm: Nested Virtualization enabled\n"
	"[   10.002345] kvm_intel: using Hyper-V Enlightened VMCS\n"
	"[   31.400000] device vnet0 entered promiscuous mode\n"
	"[   31.412345] kvm: exitcount: VM 231: 1000 exits\n"
	"[   31.412350] kvm: exitcount: VM 231: 0 EXCEPTION_NMI 1 0.1%\n"
	"[   31.412351] kvm: exitcount: VM 231: 1 EXTERNAL_INTERRUPT 104 10.4%\n"
	"[   31.412352] random: crng init done\n"
	"[   31.412353] kvm: exitcount: VM 231: 10 CPUID 256 25.6%\n"
	"[   31.412354] kvm: exitcount: VM 231: 30 IO_INSTRUCTION 239 23.9%\n"
	"\n"
	"[   31.412355] kvm [231]: vcpu0, guest rIP: 0xffff disabled perfctr wrmsr: 0xc2 data 0x1\n"
	"[   31.412356] kvm: exitcount: VM 231: 48 EPT_VIOLATION 400 40.0%\n"
	"[   31.500000] kvm: exiting hardware virtualization\n";

TEST(log_has_the_table_among_other_lines)
{
	static const struct expected expected[] = {
		{ 0, "EXCEPTION_NMI", 1 },    { 1, "EXTERNAL_INTERRUPT", 104 },
		{ 10, "CPUID", 256 },	      { 30, "IO_INSTRUCTION", 239 },
		{ 48, "EPT_VIOLATION", 400 },
	};
	g_autoptr(GError) error = NULL;
	uint64_t total = 0;
	g_autoptr(GPtrArray) exits =
		l1_counts_of_log(log_of_one_vm, strlen(log_of_one_vm), &total, &error);

	assert_null(error);
	assert_int_equal(total, 1000);
	assert_counts(exits, expected, G_N_ELEMENTS(expected));
}

TEST(log_of_svm_and_of_large_numbers)
{
	static const char text[] =
		"[    1.000000] kvm: exitcount: VM 7: 18446744073709551615 exits\n"
		"[    1.000001] kvm: exitcount: VM 7: 114 CPUID 4294967296 0.0%\n"
		"[    1.000002] kvm: exitcount: VM 7: 1024 NPF 18446744069414584318 99.9%\n"
		"[    1.000003] kvm: exitcount: VM 7: 1028 OTHER 1 0.0%";
	/* 2^64 - 1 less 2^32 less 1 */
	static const struct expected expected[] = {
		{ 0x72, "CPUID", 4294967296 },
		{ 0x400, "NPF", UINT64_MAX - 4294967297 },
		{ 0x404, "OTHER", 1 },
	};
	uint64_t total = 0;
	g_autoptr(GPtrArray) exits = l1_counts_of_log(text, strlen(text), &total, NULL);

	assert_true(total == UINT64_MAX);
	assert_counts(exits, expected, G_N_ELEMENTS(expected));
}

/* Whether it adds up is for a rule to say, which can show both numbers. */
TEST(log_is_not_judged)
{
	static const char text[] = "kvm: exitcount: VM 7: 12 exits\n"
				   "kvm: exitcount: VM 7: 10 CPUID 11 91.6%\n";
	static const struct expected expected[] = { { 10, "CPUID", 11 } };
	uint64_t total = 0;
	g_autoptr(GPtrArray) exits = l1_counts_of_log(text, strlen(text), &total, NULL);

	assert_int_equal(total, 12);
	assert_counts(exits, expected, 1);
}

TEST(log_without_a_table_is_no_error)
{
	test_each_of (row, "", "\n\n", "[    1.000000] kvm: exiting hardware virtualization\n",
		      "[    1.000000] exitcount: VM 231: 1000 exits\n",
		      "[    1.000000] kvm: exitcount: 1000 exits\n") {
		g_autoptr(GError) error = NULL;

		assert_null(parse(LOG, *row, strlen(*row), &error));
		assert_null(error);
	}
}

TEST(log_of_two_vms_is_refused)
{
	g_autofree char *doubled = g_strconcat(log_of_one_vm, log_of_one_vm, NULL);

	assert_refused(LOG, doubled, "two VMs");
	assert_refused(LOG,
		       "kvm: exitcount: VM 7: 2 exits\n"
		       "kvm: exitcount: VM 8: 1 exits\n"
		       "kvm: exitcount: VM 7: 10 CPUID 2 100.0%\n"
		       "kvm: exitcount: VM 8: 10 CPUID 1 100.0%\n",
		       "two VMs");
}

/* A first line that was lost does not make one table of two. */
TEST(log_lines_of_another_vm_are_refused)
{
	assert_refused(LOG,
		       "kvm: exitcount: VM 7: 2 exits\n"
		       "kvm: exitcount: VM 8: 10 CPUID 1 100.0%\n",
		       "two VMs");
}

/* Records are ascending: they could not be read again otherwise. */
TEST(counts_are_ascending)
{
	static const char *const texts[] = {
		[LOG] = "kvm: exitcount: VM 7: 3 exits\n"
			"kvm: exitcount: VM 7: 12 HLT 2 66.6%\n"
			"kvm: exitcount: VM 7: 10 CPUID 1 33.3%\n",
		[DEBUGFS] = "12 HLT 2 0\n10 CPUID 1 0\ntotal 3 0\n",
	};
	static const struct expected expected[] = { { 10, "CPUID", 1 }, { 12, "HLT", 2 } };

	for (enum text kind = LOG; kind <= DEBUGFS; kind++) {
		g_autoptr(GPtrArray) exits = parse(kind, texts[kind], strlen(texts[kind]), NULL);

		assert_counts(exits, expected, 2);
	}
}

TEST(log_lines_that_kvm_does_not_write)
{
	static const char *const lines[] = {
		"10 CPUID 256",			      /* no share */
		"10 CPUID",			      /* no count */
		"10 256 25.6%",			      /* no name */
		"10 CPUID 256 25.6% more",	      /* too much */
		"10  CPUID 256 25.6%",		      /* two blanks */
		"CPUID 10 256 25.6%",		      /* another order */
		"-1 CPUID 256 25.6%",		      /* no reason */
		"4294967296 CPUID 256 25.6%",	      /* 33 bits */
		"10 CPUID -256 25.6%",		      /* no counts */
		"10 CPUID 2x6 25.6%",		      /* garbage */
		"10 CPUID  25.6%",		      /* nothing */
		"10 CPUID 18446744073709551616 0.0%", /* 65 bits */
		"0 EXCEPTION_NMI 7 0.7%",	      /* a second time */
		"1000 exit",			      /* not the first line */
		"many exits",
		"-1 exits",
		"18446744073709551616 exits",
		"",
	};

	test_each (row, lines) {
		g_autofree char *text = g_strdup_printf(
			"[    1.000000] kvm: exitcount: VM 231: 1000 exits\n"
			"[    1.000001] kvm: exitcount: VM 231: 0 EXCEPTION_NMI 1 0.1%%\n"
			"[    1.000002] kvm: exitcount: VM 231: %s\n",
			*row);
		g_autofree char *shown =
			g_strdup_printf("its kernel log has the line \"%s\"", *row);

		assert_refused(LOG, text, shown);
	}
	/* The first line was lost. */
	assert_refused(LOG, "kvm: exitcount: VM 231: 10 CPUID 256 25.6%\n", "10 CPUID 256 25.6%");
	/* What must not reach a terminal is escaped, and not all of a long line is shown. */
	assert_refused(LOG, "kvm: exitcount: VM 231: \x1b[2J\n", "\"\\033[2J\"");
}

TEST(long_line_is_shown_in_part)
{
	g_autofree char *filler = g_strnfill(5000, 'x');
	g_autofree char *text = g_strconcat("kvm: exitcount: VM 231: ", filler, "\n", NULL);
	g_autoptr(GError) error = NULL;

	assert_null(parse(LOG, text, strlen(text), &error));
	assert_true(strlen(error->message) < 300);
}

/* ---- debugfs ---- */

/* 1 + 104 + 256 + 239 + 400 = 1000, 7000 + 5000 + 12000 + 70000 + 0 = 94000 cycles. */
static const char debugfs_file[] = "0 EXCEPTION_NMI 1 7000\n"
				   "1 EXTERNAL_INTERRUPT 104 5000\n"
				   "2 TRIPLE_FAULT 0 0\n"
				   "10 CPUID 256 12000\n"
				   "30 IO_INSTRUCTION 239 70000\n"
				   "48 EPT_VIOLATION 400 0\n"
				   "85 MSR_WRITE_IMM 0 0\n"
				   "total 1000 94000\n";

TEST(debugfs_has_each_reason)
{
	static const struct expected expected[] = {
		{ 0, "EXCEPTION_NMI", 1 },     { 1, "EXTERNAL_INTERRUPT", 104 },
		{ 2, "TRIPLE_FAULT", 0 },      { 10, "CPUID", 256 },
		{ 30, "IO_INSTRUCTION", 239 }, { 48, "EPT_VIOLATION", 400 },
		{ 85, "MSR_WRITE_IMM", 0 },
	};
	static const char idle[] = "0 EXCEPTION_NMI 0 0\ntotal 0 0\n";
	static const struct expected none[] = { { 0, "EXCEPTION_NMI", 0 } };
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) exits =
		l1_counts_of_debugfs(debugfs_file, strlen(debugfs_file), &error);
	g_autoptr(GPtrArray) nothing = l1_counts_of_debugfs(idle, strlen(idle), &error);

	assert_null(error);
	assert_counts(exits, expected, G_N_ELEMENTS(expected));
	assert_counts(nothing, none, 1);
}

TEST(debugfs_of_svm_and_of_large_numbers)
{
	static const char text[] = "114 CPUID 4294967296 18446744073709551615\n"
				   "1024 NPF 18446744069414584319 1\n"
				   "total 18446744073709551615 0\n";
	static const struct expected expected[] = {
		{ 0x72, "CPUID", 4294967296 },
		{ 0x400, "NPF", UINT64_MAX - 4294967296 },
	};
	g_autoptr(GPtrArray) exits = l1_counts_of_debugfs(text, strlen(text), NULL);

	assert_counts(exits, expected, G_N_ELEMENTS(expected));
}

TEST(debugfs_that_does_not_fit_is_refused)
{
	assert_refused(DEBUGFS, "", "0");
	assert_refused(DEBUGFS, "0 EXCEPTION_NMI 1 0\n", "add up to 1;");
	assert_refused(DEBUGFS, "0 EXCEPTION_NMI 1 0\n10 CPUID 2 0\ntotal 4 0\n",
		       "says 4 exits in all, and its lines add up to 3;");
	assert_refused(DEBUGFS, "0 EXCEPTION_NMI 1 0\n10 CPUID 2 0\ntotal 2 0\n",
		       "says 2 exits in all, and its lines add up to 3;");
	/* Nothing comes after the total. */
	assert_refused(DEBUGFS, "0 EXCEPTION_NMI 1 0\ntotal 1 0\ntotal 1 0\n", "total 1 0");
	assert_refused(DEBUGFS, "0 EXCEPTION_NMI 1 0\ntotal 1 0\n2 TRIPLE_FAULT 0 0\n",
		       "2 TRIPLE_FAULT 0 0");
	assert_refused(DEBUGFS, "0 EXCEPTION_NMI 1 0\ntotal 1 x\n", "total 1 x");
	assert_refused(DEBUGFS, "total 1 0\n", "says 1 exits in all, and its lines add up to 0;");
}

TEST(debugfs_lines_that_kvm_does_not_write)
{
	test_each_of (row, "10 CPUID 0", "10 0 0", "10 CPUID 0 0 0", "10 CPUID 0 x",
		      "10 CPUID -0 0", "10 CPUID 0  0", "x CPUID 0 0", "4294967296 X 0 0",
		      "10 CPUID 18446744073709551616 0", "total 1", "total one 0", "Total 1 0",
		      "0 EXCEPTION_NMI 0 0", "kvm: exitcount: x", " ") {
		g_autofree char *text =
			g_strdup_printf("0 EXCEPTION_NMI 1 0\n%s\ntotal 1 0\n", *row);
		g_autofree char *shown =
			g_strdup_printf("KVM's debugfs file has the line \"%s\"", *row);

		assert_refused(DEBUGFS, text, shown);
	}
}

/* ---- The histogram ---- */

#define HEAD                                                                                       \
	"# event histogram\n#\n"                                                                   \
	"# trigger info: hist:keys=exit_reason:vals=hitcount:sort=hitcount:size=2048 [paused]\n"   \
	"#\n\n"
#define TOTALS(hits, entries, dropped)                                                             \
	"\nTotals:\n    Hits: " #hits "\n    Entries: " #entries "\n    Dropped: " #dropped "\n"

/* Sorted by count, as the kernel does: 1 + 104 + 239 + 256 + 400 = 1000. */
static const char histogram[] =
	HEAD "{ exit_reason:          0 } hitcount:          1\n"
	     "{ exit_reason:          1 } hitcount:        104\n"
	     "{ exit_reason:         30 } hitcount:        239\n"
	     "{ exit_reason:         10 } hitcount:        256\n"
	     "{ exit_reason:         48 } hitcount:        400\n" TOTALS(1000, 5, 0);

TEST(histogram_is_sorted_by_reason)
{
	static const struct expected expected[] = {
		{ 0, "EXCEPTION_NMI", 1 },    { 1, "EXTERNAL_INTERRUPT", 104 },
		{ 10, "CPUID", 256 },	      { 30, "IO_INSTRUCTION", 239 },
		{ 48, "EPT_VIOLATION", 400 },
	};
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) exits =
		l1_counts_of_histogram(histogram, strlen(histogram), VMX, &error);

	assert_null(error);
	assert_counts(exits, expected, G_N_ELEMENTS(expected));
}

TEST(histogram_of_nothing)
{
	static const char text[] = HEAD TOTALS(0, 0, 0);
	g_autoptr(GPtrArray) exits = l1_counts_of_histogram(text, strlen(text), VMX, NULL);

	assert_counts(exits, NULL, 0);
}

/*
 * Bits 15:0 are the basic reason; above are bit 26 (a bus lock was seen), bit 29 (a pending MTF)
 * and bit 31 (the entry failed): SDM vol. 3, "Format of Exit Reason".
 */
TEST(modifiers_of_vmx_are_taken_off)
{
	static const char text[] =
		HEAD "{ exit_reason:   67108874 } hitcount:          2\n" /* 10 | 1 << 26 */
		     "{ exit_reason:  536870960 } hitcount:          3\n" /* 48 | 1 << 29 */
		     "{ exit_reason: 2147483681 } hitcount:          5\n" /* 33 | 1 << 31 */
		     "{ exit_reason:         33 } hitcount:          7\n" /* 33 */
		     "{ exit_reason:      65535 } hitcount:         11\n" /* no such reason */
		     "{ exit_reason:         10 } hitcount:         13\n" /* 10 */
		TOTALS(41, 6, 0);
	static const struct expected expected[] = {
		{ 10, "CPUID", 15 },
		{ 33, "INVALID_STATE", 12 },
		{ 48, "EPT_VIOLATION", 3 },
		{ 65535, NULL, 11 },
	};
	g_autoptr(GPtrArray) exits = l1_counts_of_histogram(text, strlen(text), VMX, NULL);

	assert_counts(exits, expected, G_N_ELEMENTS(expected));
}

/* An exit code of SVM has no modifiers: APM vol. 2, appendix C. */
TEST(codes_of_svm_stay_as_they_are)
{
	static const char text[] =
		HEAD "{ exit_reason:      65650 } hitcount:          2\n"
		     "{ exit_reason:        114 } hitcount:          3\n"
		     "{ exit_reason:       1024 } hitcount:          5\n"
		     "{ exit_reason: 4294967295 } hitcount:          7\n" TOTALS(17, 4, 0);
	static const struct expected expected[] = {
		{ 0x72, "CPUID", 3 },
		{ 0x400, "NPF", 5 },
		{ 0x10072, NULL, 2 },
		{ UINT32_MAX, NULL, 7 },
	};
	g_autoptr(GPtrArray) exits = l1_counts_of_histogram(text, strlen(text), SVM, NULL);

	assert_counts(exits, expected, G_N_ELEMENTS(expected));
}

TEST(histogram_has_64_bits)
{
	static const char text[] =
		HEAD "{ exit_reason:         10 } hitcount: 4294967296\n"
		     "{ exit_reason:         48 } hitcount: 18446744069414584319\n" TOTALS(
			     18446744073709551615, 2, 0);
	static const struct expected expected[] = {
		{ 10, "CPUID", 4294967296 },
		{ 48, "EPT_VIOLATION", UINT64_MAX - 4294967296 },
	};
	g_autoptr(GPtrArray) exits = l1_counts_of_histogram(text, strlen(text), VMX, NULL);

	assert_counts(exits, expected, G_N_ELEMENTS(expected));
}

TEST(histogram_that_is_not_whole_is_refused)
{
	static const char bucket[] = HEAD "{ exit_reason:         10 } hitcount:         41\n";
	static const struct {
		const char *totals, *part;
	} cases[] = {
		{ TOTALS(41, 1, 1), "41 hits, lines of 41, 1 dropped" },
		{ TOTALS(42, 1, 0), "42 hits, lines of 41, 0 dropped" },
		{ TOTALS(40, 1, 0), "40 hits, lines of 41, 0 dropped" },
		{ TOTALS(x, 1, 0), "not whole" },
		{ TOTALS(41, 1, x), "not whole" },
		{ TOTALS(41, 1, -0), "not whole" },
		{ "\nTotals:\n    Hits: 41\n    Entries: 1\n", "not whole" },
		{ "\nTotals:\n    Entries: 1\n    Dropped: 0\n", "not whole" },
		{ "", "not whole" },
	};
	g_autofree char *doubled = g_strconcat(histogram, "\n\n", histogram, NULL);

	test_each (row, cases) {
		g_autofree char *text = g_strconcat(bucket, row->totals, NULL);

		assert_refused(HISTOGRAM, text, row->part);
	}
	/* Two triggers at one event. */
	assert_refused(HISTOGRAM, doubled, "1000 hits, lines of 2000, 0 dropped");
	assert_refused(HISTOGRAM, "", "not whole");
}

TEST(histogram_lines_that_the_kernel_does_not_write)
{
	test_each_of (row, "{ exit_reason: }", "{ exit_reason:         -5 } hitcount:         41",
		      "{ exit_reason: 4294967344 } hitcount:         41",
		      "{ exit_reason:         10 } hitcount:        +41",
		      "{ exit_reason:         10 } hitcount: 18446744073709551657",
		      "{ exit_reason:         10 }", "{ exit_reason:         10 } hitcount:",
		      "{ exit_reason:         10 } hitcount:          x",
		      "{ exit_reason:         10 } hitcount:         41  cycles:         7",
		      "{ exit_reason:         10, vcpu:          0 } hitcount:         41",
		      "{ exit_reason:       0x0a } hitcount:         41",
		      "{ exit_reason: [0a] CPUID } hitcount:         41",
		      "{ vcpu_id:             10 } hitcount:         41",
		      "{ exit_reason:         10 hitcount:         41") {
		g_autofree char *text = g_strconcat(HEAD, *row, "\n", TOTALS(41, 1, 0), NULL);
		g_autofree char *shown =
			g_strdup_printf("the histogram of kvm:kvm_exit has the line \"%s\"", *row);

		assert_refused(HISTOGRAM, text, shown);
	}
}

/* ---- All three ---- */

TEST(cut_texts)
{
	assert_cuts_invent_nothing(LOG, log_of_one_vm);
	assert_cuts_invent_nothing(DEBUGFS, debugfs_file);
	assert_cuts_invent_nothing(HISTOGRAM, histogram);
}

TEST(texts_without_a_newline_at_the_end)
{
	static const char *const texts[] = { log_of_one_vm, debugfs_file, histogram };

	for (enum text kind = LOG; kind <= HISTOGRAM; kind++) {
		g_autoptr(GPtrArray) exits =
			parse(kind, texts[kind], strlen(texts[kind]) - 1, NULL);

		assert_non_null(exits);
	}
}

/* No kernel writes a NUL. What comes behind one is not taken for more than there is. */
TEST(nul_hides_nothing)
{
	char log[] = "kvm: exitcount: VM 7: 3 exits\n"
		     "kvm: exitcount: VM 7: 10 CPUID 1 33.3%\n"
		     "_vm: exitcount: VM 7: 12 HLT 2 66.6%\n";
	char file[] = "10 CPUID 1 0\n_2 HLT 2 0\ntotal 3 0\n";
	char hist[] = "{ exit_reason:         10 } hitcount:          1\n_\n" TOTALS(1, 1, 0);
	char *const texts[] = { log, file, hist };
	const size_t lengths[] = { sizeof(log) - 1, sizeof(file) - 1, sizeof(hist) - 1 };

	for (enum text kind = LOG; kind <= HISTOGRAM; kind++) {
		g_autoptr(GPtrArray) exits = NULL;

		*strchr(texts[kind], '_') = '\0';
		exits = parse(kind, texts[kind], lengths[kind], NULL);
		/* The log's total, 3, shows that a line of it is missing. */
		assert_true(exits == NULL || (kind == LOG && exits->len == 1));
	}
}

TEST(nul_hides_no_second_table)
{
	g_autofree char *text = g_strconcat("_\n", log_of_one_vm, log_of_one_vm, NULL);
	g_autoptr(GError) error = NULL;
	const size_t length = strlen(text);

	*text = '\0';
	assert_null(parse(LOG, text, length, &error));
	assert_error(&error, EPTLAB_ERROR_L1, "two VMs");
}

/* Whole files are text from end to end: what is right before a NUL is not enough. */
TEST(file_with_a_nul_is_refused)
{
	static const char *const texts[] = { [DEBUGFS] = debugfs_file, [HISTOGRAM] = histogram };

	for (enum text kind = DEBUGFS; kind <= HISTOGRAM; kind++) {
		g_autoptr(GError) error = NULL;

		/* The string's own NUL. */
		assert_null(parse(kind, texts[kind], strlen(texts[kind]) + 1, &error));
		assert_error(&error, EPTLAB_ERROR_L1, "has a NUL byte");
	}
}

/* 2^64 - 1 and 3 are 2 again in 64 bits: for one reason, and for all together. */
TEST(sums_do_not_wrap)
{
	assert_refused(DEBUGFS,
		       "10 CPUID 18446744073709551615 0\n"
		       "12 HLT 3 0\n"
		       "total 2 0\n",
		       "more than 64 bits");
	assert_refused(HISTOGRAM,
		       HEAD "{ exit_reason:         10 } hitcount: 18446744073709551615\n"
			    "{ exit_reason:         12 } hitcount: 3\n" TOTALS(2, 2, 0),
		       "more than 64 bits");
	/* 65546 is 10 with a modifier. */
	assert_refused(HISTOGRAM,
		       HEAD "{ exit_reason:         10 } hitcount: 18446744073709551615\n"
			    "{ exit_reason:      65546 } hitcount: 3\n" TOTALS(2, 2, 0),
		       "{ exit_reason:      65546 }");
}

/* No number stands for a line that is not there. */
TEST(histogram_without_hits_is_refused)
{
	assert_refused(HISTOGRAM,
		       HEAD "{ exit_reason:         10 } hitcount: 18446744073709551615\n"
			    "\nTotals:\n    Entries: 1\n    Dropped: 0\n",
		       "is not whole");
}
