/* SPDX-License-Identifier: GPL-2.0-only */
/* What L1's kernel says of the exits of a VM: its log, KVM's statistic, the histogram. */

#include "collect/l1_counts.h"
#include "record/reasons.h"
#include "tests/test.h"

#define VMX KVM_EXITCOUNT_VENDOR_VMX
#define SVM KVM_EXITCOUNT_VENDOR_SVM

/* The counts as "reason NAME count, ..."; a dash where there is no name. */
static void assert_counts(const GPtrArray *exits, const char *expected)
{
	g_autoptr(GString) saw = g_string_new(NULL);

	assert_non_null(exits);
	for (guint i = 0; i < exits->len; i++) {
		const struct record_exit *one = g_ptr_array_index(exits, i);

		g_string_append_printf(saw, "%s%u %s %" G_GUINT64_FORMAT, i > 0 ? ", " : "",
				       one->reason, one->name != NULL ? one->name : "-",
				       one->count);
		assert_int_equal(one->before, 0);
		assert_false(one->cycles.known);
	}
	assert_string_equal(saw->str, expected);
}

/* The two parsers of texts as one; total is the log's. The histogram is VMX's, or SVM's. */
enum text {
	LOG,
	HISTOGRAM,
	HISTOGRAM_SVM,
};

static uint64_t total;

static GPtrArray *parse(enum text kind, const char *text, size_t length, GError **error)
{
	total = 0;
	if (kind == LOG)
		return l1_counts_of_log(text, length, &total, error);
	return l1_counts_of_histogram(text, length, kind == HISTOGRAM ? VMX : SVM, error);
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

/* ---- KVM's statistic ---- */

/* A histogram in which each of the buckets has a count; the others have 0. */
static GPtrArray *of_statistic(uint32_t vendor, guint length, const guint *buckets, guint count,
			       GError **error)
{
	struct kvm_histogram statistic = { .buckets = g_array_new(FALSE, TRUE, sizeof(uint64_t)) };
	GPtrArray *exits;

	g_array_set_size(statistic.buckets, length);
	for (guint i = 0; i < count; i++)
		g_array_index(statistic.buckets, uint64_t, buckets[i]) = UINT64_C(1) << (32 + i);
	exits = l1_counts_of_statistic(&statistic, vendor, error);
	g_array_unref(statistic.buckets);
	return exits;
}

static void assert_count(const GPtrArray *exits, uint32_t reason, const char *name, uint64_t count)
{
	const struct record_exit *one = record_find_exit(exits, reason);

	assert_non_null(one);
	assert_string_equal(one->name, name);
	assert_int_equal(one->count, count);
}

/* 172 buckets: the 167 codes of SVM up to 0xa6, the four from 0x400 on, and the rest. */
TEST(buckets_of_vmx_are_its_reasons)
{
	/* 35, 86 and the last one are no reason that the SDM defines. */
	static const guint buckets[] = { 48, 85, 0, 35, 86, 171 };
	g_autoptr(GPtrArray) exits = of_statistic(VMX, 172, buckets, 6, NULL);

	assert_non_null(exits);
	assert_count(exits, 48, "EPT_VIOLATION", UINT64_C(1) << 32);
	assert_count(exits, 85, "MSR_WRITE_IMM", UINT64_C(2) << 32);
	assert_count(exits, 0, "EXCEPTION_NMI", UINT64_C(4) << 32);
	assert_count(exits, 10, "CPUID", 0);
	assert_null(record_find_exit(exits, 35));
	assert_count(exits, 86, "OTHER", UINT64_C(56) << 32);
}

TEST(buckets_of_svm_are_in_two_parts)
{
	static const guint buckets[] = { 0x72, 167, 170, 171 };
	g_autoptr(GPtrArray) exits = of_statistic(SVM, 172, buckets, 4, NULL);

	assert_non_null(exits);
	assert_count(exits, 0x72, "CPUID", UINT64_C(1) << 32);
	assert_count(exits, 0x400, "NPF", UINT64_C(2) << 32);
	assert_count(exits, 0x403, "VMGEXIT", UINT64_C(4) << 32);
	assert_count(exits, 0x404, "OTHER", UINT64_C(8) << 32);
	/* 167, those four, and what has none. */
	assert_int_equal(exits->len, 172);
}

/* The last one first, as QEMU writes them; CPUID tells. 171 - 48, 171 - 10; 171 - 167, 171 - 114.
 */
TEST(buckets_from_the_last_to_the_first)
{
	static const guint vmx[] = { 123, 161, 0 }, svm[] = { 4, 57 };
	g_autoptr(GPtrArray) intel = of_statistic(VMX, 172, vmx, 3, NULL);
	g_autoptr(GPtrArray) amd = of_statistic(SVM, 172, svm, 2, NULL);

	assert_count(intel, 48, "EPT_VIOLATION", UINT64_C(1) << 32);
	assert_count(intel, 10, "CPUID", UINT64_C(2) << 32);
	assert_count(intel, 86, "OTHER", UINT64_C(4) << 32);
	assert_count(amd, 0x400, "NPF", UINT64_C(1) << 32);
	assert_count(amd, 0x72, "CPUID", UINT64_C(2) << 32);
	assert_null(record_find_exit(amd, 0x404));
}

TEST(nothing_else_has_no_line)
{
	static const guint buckets[] = { 10 };
	g_autoptr(GPtrArray) exits = of_statistic(VMX, 172, buckets, 1, NULL);

	assert_non_null(exits);
	assert_null(record_find_exit(exits, 86));
}

TEST(statistic_of_another_kernel_is_refused)
{
	static const guint lengths[] = { 0, 1, 87, 171, 173 };

	test_each (length, lengths) {
		g_autoptr(GError) error = NULL;

		assert_null(of_statistic(VMX, *length, NULL, 0, &error));
		assert_error(&error, EPTLAB_ERROR_L1, "buckets, expected 172");
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

#define BUCKET(reason, hits) "{ exit_reason: " reason " } hitcount: " hits "\n"

TEST(counts_are_read)
{
	static const struct {
		enum text kind;
		const char *text, *counts;
		uint64_t total; /* of a log */
	} cases[] = {
		{ LOG, log_of_one_vm,
		  "0 EXCEPTION_NMI 1, 1 EXTERNAL_INTERRUPT 104, 10 CPUID 256, "
		  "30 IO_INSTRUCTION 239, 48 EPT_VIOLATION 400",
		  1000 },
		/* 2^64 - 1 less 2^32 less 1 is 18446744069414584318. */
		{ LOG,
		  "[    1.000000] kvm: exitcount: VM 7: 18446744073709551615 exits\n"
		  "[    1.000001] kvm: exitcount: VM 7: 114 CPUID 4294967296 0.0%\n"
		  "[    1.000002] kvm: exitcount: VM 7: 1024 NPF 18446744069414584318 99.9%\n"
		  "[    1.000003] kvm: exitcount: VM 7: 1028 OTHER 1 0.0%",
		  "114 CPUID 4294967296, 1024 NPF 18446744069414584318, 1028 OTHER 1", UINT64_MAX },
		/* Whether it adds up is for a rule to say, which can show both numbers. */
		{ LOG, "kvm: exitcount: VM 7: 12 exits\nkvm: exitcount: VM 7: 10 CPUID 11 91.6%\n",
		  "10 CPUID 11", 12 },
		/* Records are ascending: they could not be read again otherwise. */
		{ LOG,
		  "kvm: exitcount: VM 7: 3 exits\nkvm: exitcount: VM 7: 12 HLT 2 66.6%\n"
		  "kvm: exitcount: VM 7: 10 CPUID 1 33.3%\n",
		  "10 CPUID 1, 12 HLT 2", 3 },
		{ HISTOGRAM, histogram,
		  "0 EXCEPTION_NMI 1, 1 EXTERNAL_INTERRUPT 104, 10 CPUID 256, "
		  "30 IO_INSTRUCTION 239, 48 EPT_VIOLATION 400",
		  0 },
		{ HISTOGRAM, HEAD TOTALS(0, 0, 0), "", 0 },
		/*
		 * Bits 15:0 are the basic reason; above are bit 26 (a bus lock was seen), bit 29 (a
		 * pending MTF) and bit 31 (the entry failed): SDM vol. 3, "Format of Exit Reason".
		 * 10 | 1 << 26, 48 | 1 << 29, 33 | 1 << 31, 33, none, 10.
		 */
		{ HISTOGRAM,
		  HEAD BUCKET("  67108874", "         2") BUCKET(" 536870960", "         3")
			  BUCKET("2147483681", "         5") BUCKET("        33", "         7")
				  BUCKET("     65535", "        11")
					  BUCKET("        10", "        13") TOTALS(41, 6, 0),
		  "10 CPUID 15, 33 INVALID_STATE 12, 48 EPT_VIOLATION 3, 65535 - 11", 0 },
		/* An exit code of SVM has no modifiers: APM vol. 2, appendix C. 65650 is 0x10072.
		 */
		{ HISTOGRAM_SVM,
		  HEAD BUCKET("     65650", "         2") BUCKET("       114", "         3")
			  BUCKET("      1024", "         5") BUCKET("4294967295", "         7")
				  TOTALS(17, 4, 0),
		  "114 CPUID 3, 1024 NPF 5, 65650 - 2, 4294967295 - 7", 0 },
		{ HISTOGRAM,
		  HEAD BUCKET("        10", "4294967296") BUCKET(
			  "        48", "18446744069414584319") TOTALS(18446744073709551615, 2, 0),
		  "10 CPUID 4294967296, 48 EPT_VIOLATION 18446744069414584319", 0 },
	};

	test_each (row, cases) {
		g_autoptr(GError) error = NULL;
		g_autoptr(GPtrArray) exits = parse(row->kind, row->text, strlen(row->text), &error);

		assert_no_error(error);
		assert_counts(exits, row->counts);
		assert_true(total == row->total);
	}
}

TEST(what_does_not_fit_is_refused)
{
	g_autofree char *two_logs = g_strconcat(log_of_one_vm, log_of_one_vm, NULL);
	/* Two triggers at one event. */
	g_autofree char *two_histograms = g_strconcat(histogram, "\n\n", histogram, NULL);
#define ONE  HEAD BUCKET("        10", "        41")
#define MOST "18446744073709551615"
	const struct {
		enum text kind;
		const char *text, *part;
	} cases[] = {
		{ LOG, two_logs, "two VMs" },
		{ LOG,
		  "kvm: exitcount: VM 7: 2 exits\nkvm: exitcount: VM 8: 1 exits\n"
		  "kvm: exitcount: VM 7: 10 CPUID 2 100.0%\n"
		  "kvm: exitcount: VM 8: 10 CPUID 1 100.0%\n",
		  "two VMs" },
		/* A first line that was lost does not make one table of two. */
		{ LOG, "kvm: exitcount: VM 7: 2 exits\nkvm: exitcount: VM 8: 10 CPUID 1 100.0%\n",
		  "two VMs" },
		/* Nothing comes after the total. */
		{ HISTOGRAM, ONE TOTALS(41, 1, 1), "41 hits, lines of 41, 1 dropped" },
		{ HISTOGRAM, ONE TOTALS(42, 1, 0), "42 hits, lines of 41, 0 dropped" },
		{ HISTOGRAM, ONE TOTALS(40, 1, 0), "40 hits, lines of 41, 0 dropped" },
		{ HISTOGRAM, ONE TOTALS(x, 1, 0), "not whole" },
		{ HISTOGRAM, ONE TOTALS(41, 1, x), "not whole" },
		{ HISTOGRAM, ONE TOTALS(41, 1, -0), "not whole" },
		{ HISTOGRAM, ONE "\nTotals:\n    Hits: 41\n    Entries: 1\n", "not whole" },
		{ HISTOGRAM, ONE "\nTotals:\n    Entries: 1\n    Dropped: 0\n", "not whole" },
		{ HISTOGRAM, ONE, "not whole" },
		{ HISTOGRAM, two_histograms, "1000 hits, lines of 2000, 0 dropped" },
		{ HISTOGRAM, "", "not whole" },
		/* No number stands for a line that is not there. */
		{ HISTOGRAM,
		  HEAD BUCKET("        10", MOST) "\nTotals:\n    Entries: 1\n    Dropped: 0\n",
		  "is not whole" },
		/* 2^64 - 1 and 3 are 2 again in 64 bits: for one reason, and for all together. */
		{ HISTOGRAM,
		  HEAD BUCKET("        10", MOST) BUCKET("        12", "3") TOTALS(2, 2, 0),
		  "more than 64 bits" },
		/* 65546 is 10 with a modifier. */
		{ HISTOGRAM,
		  HEAD BUCKET("        10", MOST) BUCKET("     65546", "3") TOTALS(2, 2, 0),
		  "{ exit_reason:      65546 }" },
	};

	test_each (row, cases)
		assert_refused(row->kind, row->text, row->part);
}

TEST(cut_texts)
{
	assert_cuts_invent_nothing(LOG, log_of_one_vm);
	assert_cuts_invent_nothing(HISTOGRAM, histogram);
}

TEST(texts_without_a_newline_at_the_end)
{
	static const char *const texts[] = { log_of_one_vm, histogram };

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
	char hist[] = "{ exit_reason:         10 } hitcount:          1\n_\n" TOTALS(1, 1, 0);
	char *const texts[] = { log, hist };
	const size_t lengths[] = { sizeof(log) - 1, sizeof(hist) - 1 };

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
	g_autoptr(GError) error = NULL;

	/* The string's own NUL. */
	assert_null(parse(HISTOGRAM, histogram, strlen(histogram) + 1, &error));
	assert_error(&error, EPTLAB_ERROR_L1, "has a NUL byte");
}
