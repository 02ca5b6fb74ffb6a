/* SPDX-License-Identifier: GPL-2.0-only */
#include "judge/rules.h"
#include "report/report.h"
#include "tests/sample.h"
#include "tests/test.h"

#define TITLE "20260131T235959Z-bochs-boot"

/* A judged record, the comparison of its two runs, and what is told of them in each form. */
static struct record *record;
static struct record_run *ept, *noept;
static struct comparison *comparison;
static struct report report;
static char *text, *csv, *markdown;
static json_t *json;

static void clear(void)
{
	g_clear_pointer(&text, g_free);
	g_clear_pointer(&csv, g_free);
	g_clear_pointer(&markdown, g_free);
	g_clear_pointer(&json, json_decref);
}

/* Tell of it anew, as the report is now. */
static void tell(void)
{
	g_autofree char *all = report_json(&report);

	clear();
	text = report_text(&report, REPORT_WIDTH, false);
	csv = report_csv(&report);
	markdown = report_markdown(&report);
	json = json_loads(all, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
}

/* Takes the comparison. */
static void tell_of(struct comparison *taken)
{
	comparison_free(comparison);
	comparison = taken;
	report = report_of_record(record, comparison, TITLE);
	tell();
}

static void compare_again(const char *label_a, const char *label_b)
{
	rules_judge(record);
	tell_of(comparison_new(ept, label_a, noept, label_b));
}

/* Only the first run. */
static void take_one(void)
{
	tell_of(comparison_new(ept, NULL, NULL, NULL));
}

static int setup(void **state G_GNUC_UNUSED)
{
	record = sample_record();
	ept = record_find_run(record, "ept");
	noept = record_find_run(record, "noept");
	compare_again(NULL, NULL);
	return 0;
}

static int teardown(void **state G_GNUC_UNUSED)
{
	clear();
	g_clear_pointer(&comparison, comparison_free);
	record_free(record);
	return 0;
}

#define TEST_REPORT(name) TEST_OF(void *no_state G_GNUC_UNUSED, setup, teardown, name)

/* ---- Text ---- */

/* The text with one blank where there are several, and none at the ends of lines. */
static char *squeezed(const char *all)
{
	GString *out = g_string_new("\n");

	for (const char *at = all; *at != '\0'; at++) {
		char last = out->str[out->len - 1];

		if (*at == ' ' && (last == ' ' || last == '\n'))
			continue;
		if (*at == '\n' && last == ' ')
			g_string_truncate(out, out->len - 1);
		g_string_append_c(out, *at);
	}
	return g_string_free(out, FALSE);
}

/* Is there a line that begins with these cells? */
static void assert_row(const char *where, const char *cells)
{
	g_autofree char *all = squeezed(where);
	g_autofree char *line = g_strconcat("\n", cells, NULL);

	assert_says(all, line);
}

static void assert_fits(void)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line != NULL; line++) {
		if (strlen(*line) > 80)
			fail_msg("%zu columns: %s", strlen(*line), *line);
		for (const char *at = *line; *at; at++)
			if (!g_ascii_isprint(*at))
				fail_msg("byte %#x in: %s", (unsigned char)*at, *line);
	}
}

TEST_REPORT(text_of_a_valid_record)
{
	/*
	 * 104 + 1 ... as in the sample; ratios by hand: 52/9 = 5.78, 131/104 = 1.26, 251/256 =
	 * 0.98, 11/12 = 0.92, 815/763 = 1.07, 8741/7731 = 1.13. Shares: 1/7731 = 0.01 %,
	 * 7157/8741 = 81.88 %, and so on. Bars: log10(n) + 0.3 in 11 columns for 7157, which is
	 * what the others leave of 80.
	 */
	static const char expected[] =
		"\nVALID: 20260131T235959Z-bochs-boot\n"
		"\n"
		"exit reason ept noept difference ratio % ept % noept log scale\n"
		"0 EXCEPTION_NMI 1 7,157 +7,156 7157.00 0.01% 81.88% =++++++++++\n"
		"14 INVLPG 0 308 +308 new 0.00% 3.52% +++++++\n"
		"28 CR_ACCESS 9 52 +43 5.78 0.12% 0.59% ===++\n"
		"48 EPT_VIOLATION 6,184 0 -6,184 0.00 79.99% 0.00% -----------\n"
		"49 EPT_MISCONFIG 399 0 -399 0.00 5.16% 0.00% --------\n"
		"58 INVPCID 0 13 +13 new 0.00% 0.15% ++++\n"
		"\n"
		"1 EXTERNAL_INTERRUPT 104 131 +27 1.26 1.35% 1.50% ======\n"
		"10 CPUID 256 251 -5 0.98 3.31% 2.87% =======\n"
		"12 HLT 12 11 -1 0.92 0.16% 0.13% ====\n"
		"29 DR_ACCESS 2 2 0 1.00 0.03% 0.02% ==\n"
		"30 IO_INSTRUCTION 763 815 +52 1.07 9.87% 9.32% ========+\n"
		"55 XSETBV 1 1 0 1.00 0.01% 0.01% =\n"
		"\n"
		"total 7,731 8,741 +1,010 1.13 100.00% 100.00%\n"
		"\n"
		"The first rows are the paging-related reasons. Left out: 68 reasons never seen.\n"
		"ratio: noept / ept; new: there is nothing to divide by. Bars: = in both, - more\n"
		"in ept, + more in noept.\n"
		"whole experiment: 43.1 s, 3,912,345,678 emulated instructions (ticks)\n"
		"ept (EPT on, VPID on): 18.2 s, 1,500,000,000 emulated instructions (ticks)\n"
		"noept (EPT off, VPID on): 20.5 s, 1,700,000,000 emulated instructions (ticks)\n";
	g_autofree char *cells = squeezed(text);

	/* All but the 12 that are shown; the table of reasons may grow. */
	assert_int_equal(comparison->rows->len, 68 + 12);
	assert_string_equal(cells, expected);
}

/* Twice the width: longer bars, up to what says more; the table itself is the same. */
TEST_REPORT(text_uses_a_wide_terminal)
{
	g_autofree char *wide = report_text(&report, 100, false);
	g_autofree char *narrow = report_text(&report, 0, false);

	/* 11 columns of bars at 80, so 31 at 100. */
	assert_row(wide, "48 EPT_VIOLATION 6,184 0 -6,184 0.00 79.99% 0.00% "
			 "-------------------------------\n");
	assert_string_equal(narrow, text);
}

TEST_REPORT(text_of_an_invalid_record)
{
	static const char expected[] =
		"INVALID: 20260131T235959Z-bochs-boot\n"
		"These counts must not be used:\n"
		"  - ept-on-no-invlpg (ept): saw 14 INVLPG 2, expected 14 INVLPG 0. With EPT, KVM\n"
		"    does not intercept INVLPG (vmx_exec_control() in vmx.c), nor with NPT\n"
		"    (init_vmcb() in svm.c): the guest changes its own page tables alone. These\n"
		"    counts, or some of them, come from shadow paging; start a new VM after the\n"
		"    reload.\n"
		"  - kernel-log (noept): missing: L1's kernel log was not read, expected no "
		"oops,\n";

	sample_set_count(ept, 14, 2);
	noept->kernel_log.known = false;
	compare_again(NULL, NULL);
	assert_memory_equal(text, expected, sizeof(expected) - 1);
	assert_says(text, "exit reason");
}

TEST_REPORT(text_of_a_failed_record)
{
	record_set_string(&record->error, "L2: the probe never spoke");
	compare_again(NULL, NULL);
	assert_begins(text, "FAILED: " TITLE "\nL2: the probe never spoke\n\n");
	report.error = NULL;
	tell();
	assert_begins(text, "FAILED: " TITLE "\nThe experiment was not completed.\n\n");
}

TEST_REPORT(text_of_one_run)
{
	take_one();
	/* 6184 / 7731 = 79.99 %, 399 / 7731 = 5.16 %, 1 / 7731 = 0.01 %. */
	assert_row(text, "exit reason ept % ept log scale\n0 EXCEPTION_NMI 1 0.01% ===");
	assert_row(text, "28 CR_ACCESS 9 0.12% =");
	assert_row(text, "48 EPT_VIOLATION 6,184 79.99% =");
	assert_row(text, "49 EPT_MISCONFIG 399 5.16% =");
	assert_row(text, "total 7,731 100.00%\n");
	assert_null(strstr(text, "ratio"));
}

TEST_REPORT(text_says_what_is_not_known)
{
	record->seconds = -1;
	ept->ticks.known = false;
	noept->seconds = -1;
	noept->ticks.known = false;
	/* Reason 0 of noept is another one. */
	sample_exit(noept, 0)->reason = 1000;
	compare_again(NULL, NULL);
	assert_row(text, "0 EXCEPTION_NMI 1 ? ? ? 0.01% ?");
	assert_row(text, "1000 EXCEPTION_NMI ? 7,157 ? ? ? 81.88%");
	assert_says(text, "\nwhole experiment: 3,912,345,678 emulated instructions");
	assert_says(text, "\nept (EPT on, VPID on): 18.2 s\n");
	assert_says(text, "\nnoept (EPT off, VPID on)\n");
}

TEST_REPORT(text_of_very_different_counts)
{
	sample_exit(ept, 12)->count = 1000;
	sample_exit(noept, 12)->count = 1;
	sample_exit(ept, 29)->count = 1;
	sample_exit(noept, 29)->count = 9999999999;
	sample_exit(ept, 55)->count = UINT64_MAX;
	sample_exit(noept, 55)->count = 10000000000;
	compare_again(NULL, NULL);
	assert_row(text, "12 HLT 1,000 1 -999 <0.01");
	/* The difference is 9,999,999,998, which has no room for its sign. */
	assert_row(text, "29 DR_ACCESS 1 9,999,999,999 +1.0000e+10 1.00e+10");
	assert_row(text, "55 XSETBV 1.8447e+19 1.0000e+10 -1.8447e+19 <0.01");
	assert_fits();
}

/* Whatever a record holds: 80 columns, and nothing that a terminal would obey. */
TEST_REPORT(text_always_fits)
{
	g_autofree char *word = g_strnfill(500, 'w');
	g_autofree char *words = g_strdup_printf("BUG: \x1b[2J \xff caf\xc3\xa9 %s end", word);

	for (guint i = 0; i < ept->exits->len; i++) {
		struct record_exit *one = ept->exits->pdata[i];

		one->count = UINT64_MAX - i;
		record_set_string(&one->name, words);
	}
	g_ptr_array_add(ept->kernel_log.findings, g_strdup(words));
	record->ticks = record_u64_from(UINT64_MAX);
	record->seconds = 1e15;
	compare_again(words, words);
	report.title = words;
	tell();
	assert_fits();
	assert_says(text, "BUG: ?[2J ? caf?\n");
	assert_true(strlen(text) < 30000);
	/* A title that just fits, and one that does not. */
	report.verdict = RECORD_VALID;
	word[73] = '\0';
	report.title = word;
	tell();
	assert_int_equal(strchr(text, '\n') - text, 80);
	word[73] = 'w';
	word[74] = '\0';
	tell();
	assert_begins(text, "VALID:\n  www");
	assert_fits();
}

TEST_REPORT(colour_only_when_asked)
{
	g_autofree char *colour = report_text(&report, REPORT_WIDTH, true);
	g_autoptr(GString) stripped = g_string_new(NULL);

	assert_null(strchr(text, '\033'));
	assert_begins(colour, "\033[1;32mVALID\033[0m: ");
	/* The same but for the escape sequences. */
	for (const char *at = colour; *at; at++) {
		if (*at == '\033')
			at = strchr(at, 'm');
		else
			g_string_append_c(stripped, *at);
	}
	assert_string_equal(stripped->str, text);
	report.verdict = RECORD_INVALID;
	g_free(colour);
	colour = report_text(&report, REPORT_WIDTH, true);
	assert_begins(colour, "\033[1;31mINVALID\033[0m: ");
}

/* ---- CSV ---- */

TEST_REPORT(csv_has_every_reason)
{
	g_auto(GStrv) lines = g_strsplit(csv, "\r\n", -1);

	assert_string_equal(lines[0], "reason,name,paging,ept,noept,difference,ratio,share ept,"
				      "share noept");
	/* 7157/8741 = 0.818785, 1/7731 = 0.000129, 308/8741 = 0.035236, 6184/7731 = 0.799897 */
	assert_string_equal(lines[1],
			    "0,EXCEPTION_NMI,yes,1,7157,7156,7157.000000,0.000129,0.818785");
	assert_string_equal(lines[2], "14,INVLPG,yes,0,308,308,,0.000000,0.035236");
	assert_string_equal(lines[4],
			    "48,EPT_VIOLATION,yes,6184,0,-6184,0.000000,0.799897,0.000000");
	assert_string_equal(lines[8], "2,TRIPLE_FAULT,no,0,0,0,,0.000000,0.000000");
	assert_int_equal(g_strv_length(lines), 1 + comparison->rows->len + 1);
	assert_string_equal(lines[g_strv_length(lines) - 1], "");
}

TEST_REPORT(csv_quotes_what_must_be)
{
	record_set_string(&sample_exit(ept, 0)->name, "a\r\nb");
	compare_again("one, \"two\"", "plain");
	assert_begins(csv, "reason,name,paging,\"one, \"\"two\"\"\",plain,difference,"
			   "ratio,\"share one, \"\"two\"\"\",share plain\r\n"
			   "0,\"a\r\nb\",yes,1,");
}

TEST_REPORT(csv_of_one_run_and_of_unknowns)
{
	take_one();
	assert_begins(csv, "reason,name,paging,ept,share ept\r\n"
			   "0,EXCEPTION_NMI,yes,1,0.000129\r\n");
	g_ptr_array_remove_index(noept->exits, 0);
	record_set_string(&sample_exit(ept, 0)->name, NULL);
	compare_again(NULL, NULL);
	assert_says(csv, "\r\n0,,yes,1,,,,0.000129,\r\n");
}

/* ---- Cycles, and what an exit costs ---- */

/* 6184 * 2000 + 5, and 7157 * 300 + 1: an average is rounded down. */
static void add_cycles(void)
{
	sample_exit(ept, 0)->cycles = record_u64_from(12345);
	sample_exit(ept, 14)->cycles = record_u64_from(0);
	sample_exit(ept, 48)->cycles = record_u64_from(12368005);
	sample_exit(noept, 0)->cycles = record_u64_from(2147101);
	compare_again(NULL, NULL);
}

TEST_REPORT(text_has_cycles_if_there_are_any)
{
	static const char two[] = "cycles outside ept an exit noept an exit\n"
				  "0 EXCEPTION_NMI 12,345 12,345 2,147,101 300\n"
				  "14 INVLPG 0 - - -\n"
				  "28 CR_ACCESS - - - -\n"
				  "48 EPT_VIOLATION 12,368,005 2,000 - -\n";
	static const char one[] = "cycles outside ept an exit\n"
				  "0 EXCEPTION_NMI 12,345 12,345\n"
				  "28 CR_ACCESS - -\n"
				  "48 EPT_VIOLATION 12,368,005 2,000\n";

	assert_false(comparison_has_cycles(comparison));
	assert_null(strstr(text, "cycles"));
	add_cycles();
	assert_true(comparison_has_cycles(comparison));
	assert_row(text, two);
	take_one();
	assert_row(text, one);
}

/* A file with columns for what was not measured would be another file for every older reader. */
TEST_REPORT(csv_has_cycles_if_there_are_any)
{
	add_cycles();
	assert_begins(csv, "reason,name,paging,ept,noept,difference,ratio,share ept,share noept,"
			   "cycles ept,cycles noept\r\n"
			   "0,EXCEPTION_NMI,yes,1,7157,7156,7157.000000,0.000129,0.818785,"
			   "12345,2147101\r\n"
			   "14,INVLPG,yes,0,308,308,,0.000000,0.035236,0,\r\n");
	take_one();
	assert_begins(csv, "reason,name,paging,ept,share ept,cycles ept\r\n"
			   "0,EXCEPTION_NMI,yes,1,0.000129,12345\r\n");
}

TEST_REPORT(cost_of_an_exit_is_told)
{
	g_auto(GStrv) words = NULL;
	g_autofree char *flowing = NULL;

	/* 1234567 / 1000 = 1234.567; it stands with the run that it was measured in. */
	noept->cost = (struct record_cost){ true, 1000, 1234567 };
	tell();
	words = g_strsplit_set(text, " \n", -1);
	flowing = g_strjoinv(" ", words);
	assert_says(flowing, "one CPUID round trip, noept: 1234.6 ticks of L2's");
	assert_null(strstr(flowing, "one CPUID round trip, ept"));
}

/* ---- Markdown ---- */

TEST_REPORT(markdown_answers_the_questions)
{
	const char *const logs[] = { "other line\nkvm: exitcount: VM 1: 5 exits\n", NULL };

	report.kernel_logs = logs;
	tell();
	assert_begins(markdown, "# " TITLE "\n\n**VALID**: every rule holds.\n");
	assert_says(markdown, "\nept ran with nested paging (EPT on), noept with shadow "
			      "paging (EPT off).\n");
	assert_says(markdown, "\n### With ept\n\n    kvm: exitcount: VM 1: 5 exits\n");
	assert_says(markdown, "\n### With noept\n\nThe kernel log of this run is not "
			      "at hand.\n");
	assert_null(strstr(markdown, "other line"));
	assert_says(markdown, "\n| 48 | EPT\\_VIOLATION | 6,184 | 0 | -6,184 | 0.00 | "
			      "79.99% | 0.00% |\n");
	assert_says(markdown, "Of 6 paging-related reasons, 6 are as expected, 0 are not,"
			      " and 0 tell nothing here.\n");
	assert_says(markdown, "\n- 48 EPT\\_VIOLATION: 6,184 with ept, 0 with noept. "
			      "Expected: none with shadow paging; this is as expected.");
	/* 815 - 763 is the largest change of what has nothing to do with paging. */
	assert_says(markdown, "(+1,010).\n- 30 IO\\_INSTRUCTION: from 763 to 815 "
			      "(+52).\n");
}

/* What this record does not show is not said. */
TEST_REPORT(markdown_follows_the_numbers)
{
	take_one();
	assert_says(markdown, "One run alone, ept, with nested paging (EPT on).");
	assert_says(markdown, "This is no comparison of nested with shadow paging");
	sample_set_count(noept, 48, 3);
	sample_set_count(ept, 49, 0);
	compare_again(NULL, NULL);
	assert_says(markdown, "**INVALID**: these counts must not be used.\n\n- ept-off-no-"
			      "ept-exits of noept: saw 48 EPT\\_VIOLATION 3");
	assert_says(markdown, "6,184 with ept, 3 with noept. Expected: none with shadow "
			      "paging; this is NOT as expected.");
	assert_says(markdown, "0 with ept, 0 with noept. Expected: none with shadow paging; "
			      "there is none in either run, which tells nothing.");
	assert_says(markdown, "4 are as expected, 1 are not, and 1 tell nothing here.");
}

TEST_REPORT(markdown_escapes_what_is_foreign)
{
	const char *const logs[] = { NULL, "kvm: exitcount: VM 1: ```<script>\x07\n" };

	record_set_string(&sample_exit(ept, 12)->name, "<b>|*`[x](y)\n# \x1b\xff");
	record_set_string(&sample_exit(noept, 12)->name, NULL);
	compare_again("<i>", "noept");
	report.kernel_logs = logs;
	tell();
	assert_null(strstr(markdown, " <b>"));
	assert_null(strstr(markdown, " <i>"));
	assert_null(strchr(markdown, '\x1b'));
	assert_says(markdown, "| 12 | \\<b\\>\\|\\*\\`\\[x\\](y) \\#  \xef\xbf\xbd |");
	/* Indented code: nothing in it is markup. */
	assert_says(markdown, "\n    kvm: exitcount: VM 1: ```<script>?\n");
}

/* ---- JSON ---- */

TEST_REPORT(json_has_all_that_the_text_has)
{
	json_t *checks = json_object_get(json, "checks");
	json_t *rows = json_object_get(json, "rows");

	assert_json(json,
		    "verdict=valid error=null title=" TITLE " seconds=43.125 ticks=3912345678 "
		    "runs.1.label=noept .1.ticks=1700000000 "
		    "rows.48.name=EPT_VIOLATION .48.paging=true .48.runs.0.count=6184 "
		    ".48.runs.0.cycles=null .48.difference=-6184 .48.ratio=0.0 "
		    ".48.ratio_kind=known total.difference=1010");
	assert_json(json_array_get(rows, 3), "reason=48");
	assert_int_equal(json_array_size(rows), comparison->rows->len);
	assert_int_equal(json_array_size(checks), record->checks->len);
}

TEST_REPORT(json_has_cycles)
{
	add_cycles();
	sample_exit(ept, 0)->cycles = record_u64_from(UINT64_MAX);
	compare_again(NULL, NULL);
	assert_json(json, "rows.0.runs.0.cycles=18446744073709551615 "
			  ".0.runs.1.cycles=2147101");
}

/* KVM's own statistics: nobody looked; those that are not 0; one that only one run has; none. */
TEST_REPORT(statistics_are_side_by_side)
{
	g_autofree char *statistics = NULL;

	assert_null(strstr(text, "KVM's statistic"));
	sample_change(&record, "ept.",
		      "mmu={\"error\":null,\"vm\":{\"pages_4k\":3993},\"vcpu\":{\"pf_taken\":4185,"
		      "\"invlpg\":0,\"of_tomorrow\":9}}");
	sample_change(&record, "noept.",
		      "mmu={\"error\":null,\"vm\":{\"pages_4k\":5983,\"mmu_flooded\":128},"
		      "\"vcpu\":{\"pf_taken\":15771,\"invlpg\":0}}");
	ept = record_find_run(record, "ept");
	noept = record_find_run(record, "noept");
	compare_again(NULL, NULL);
	assert_row(text, "pf_taken 4,185 15,771");
	assert_row(text, "pages_4k 3,993 5,983");
	assert_row(text, "mmu_flooded 128");
	assert_null(strstr(text, "invlpg "));
	assert_null(strstr(text, "of_tomorrow"));
	assert_says(markdown, "## What KVM itself counted");
	assert_says(markdown, "| 4,185 | 15,771 | Page faults and EPT violations");
	assert_json(json, "statistics.len=3 .0.name=pf_taken .0.runs.0=4185 .0.runs.1=15771 "
			  "statistics.1.runs.0=null .1.runs.1=128");
	/* For programs: all of them, those that are 0 and those that nobody explains, too. */
	statistics = report_statistics_csv(&report);
	assert_begins(statistics, "statistic,of,ept,noept,what it counts,where\r\n"
				  "pages_4k,vm,3993,5983,");
	assert_says(statistics, "\nmmu_flooded,vm,,128,");
	assert_says(statistics, "\ninvlpg,vcpu,0,0,\"INVLPG of L2, and");
	assert_says(statistics, "\nof_tomorrow,vcpu,9,,,\r\n");
	sample_change(&record, "noept.",
		      "mmu={\"error\":\"QEMU_has_none\",\"vm\":null,\"vcpu\":null}");
	ept = record_find_run(record, "ept");
	noept = record_find_run(record, "noept");
	compare_again(NULL, NULL);
	assert_says(text, "noept: there are no statistics (QEMU_has_none).");
}

/* A number that JSON's integers of 64 bits cannot hold is a string. */
TEST_REPORT(json_holds_every_difference)
{
	static const struct {
		uint64_t a, b;
		const char *expected;
		bool is_string;
	} cases[] = {
		{ 0, 0, "rows.0.difference=0", false },
		{ 5, 2, "rows.0.difference=-3", false },
		{ INT64_MAX, 0, "rows.0.difference=-9223372036854775807", false },
		{ (uint64_t)INT64_MAX + 1, 0, "rows.0.difference=-9223372036854775808", true },
		{ UINT64_MAX, 0, "rows.0.difference=-18446744073709551615", true },
		{ 0, UINT64_MAX, "rows.0.difference=18446744073709551615", true },
	};

	test_each (row, cases) {
		json_t *first;

		sample_exit(ept, 0)->count = row->a;
		sample_exit(noept, 0)->count = row->b;
		compare_again(NULL, NULL);
		first = json_array_get(json_object_get(json, "rows"), 0);
		assert_json(json, row->expected);
		assert_int_equal(json_is_string(json_object_get(first, "difference")),
				 row->is_string);
	}
}

TEST_REPORT(json_of_unknowns_and_of_one_run)
{
	g_autoptr(struct_comparison) one = comparison_new(ept, "\xff", NULL, NULL);

	report = (struct report){ .comparison = one, .title = TITLE, .seconds = -1 };
	tell();
	assert_json(json, "runs.len=1 rows.0.runs.len=1 .0.difference=nothing "
			  "seconds=null ticks=null checks.len=0");
	g_ptr_array_remove_index(noept->exits, 0);
	compare_again(NULL, NULL);
	assert_json(json, "rows.0.difference=null .0.ratio=null .0.ratio_kind=unknown "
			  ".0.runs.1.count=null");
}

/* ---- Inputs ---- */

#define DIFFER "Inputs that differ: qemu (bbbbbbbbbbbb -> none), emulator (none -> bbbbbbbbbbbb)."

static void assert_before(const char *where, const char *first, const char *then)
{
	assert_says(where, first);
	assert_says(strstr(where, first), then);
	assert_true(strstr(where, first) < strstr(where, then));
}

/* Each format says it before the first count. */
TEST_REPORT(inputs_that_differ_come_first)
{
	static const struct {
		char *(*make)(const struct report *report);
		const char *counts;
	} formats[] = { { report_markdown, "| No. |" }, { report_html, "<table" } };
	g_autofree char *same = report_text(&report, 200, false);
	g_autofree char *other = NULL;

	assert_null(strstr(same, "Inputs"));
	assert_json(json, "inputs_that_differ=[]");

	record_set_string(&((struct record_input *)noept->inputs->pdata[1])->name, "emulator");
	other = report_text(&report, 200, false);
	assert_before(other, DIFFER, "EPT_VIOLATION");
	test_each (row, formats) {
		g_autofree char *page = row->make(&report);

		assert_before(page, "Inputs that differ: qemu (bbbbbbbbbbbb -", row->counts);
	}
	tell();
	assert_json(json, "inputs_that_differ.len=2 .1.name=emulator .emulator.runs.0=null");
}

/* Of two records at least one of which is older: nobody knows whether they differ. */
TEST_REPORT(inputs_may_not_be_recorded)
{
	g_autoptr(struct_record) other = sample_record();
	g_autofree char *of_one = NULL;
	g_autofree char *of_two = NULL;

	g_clear_pointer(&ept->inputs, g_ptr_array_unref);
	g_clear_pointer(&noept->inputs, g_ptr_array_unref);
	of_one = report_text(&report, 200, false);
	assert_null(strstr(of_one, "Inputs"));
	report.records[1] = other;
	of_two = report_text(&report, 200, false);
	assert_before(of_two, "Inputs, what L1 and L2 are made of, are not recorded",
		      "EPT_VIOLATION");
}
