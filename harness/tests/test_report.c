/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/rules.h"
#include "report/report.h"
#include "tests/sample.h"
#include "tests/test.h"

#define TITLE "20260131T235959Z-bochs-boot"

/* A judged record, and the comparison of its two runs. */
struct fixture {
	struct record *record;
	struct record_run *ept, *noept;
	struct comparison *comparison;
	struct report report;
};

static void compare_again(struct fixture *fixture, const char *label_a, const char *label_b)
{
	comparison_free(fixture->comparison);
	rules_judge(fixture->record);
	fixture->comparison = comparison_new(fixture->ept, label_a, fixture->noept, label_b);
	fixture->report = report_of_record(fixture->record, fixture->comparison, TITLE);
}

static int setup(void **state)
{
	struct fixture *fixture = g_new0(struct fixture, 1);

	fixture->record = sample_record();
	fixture->ept = record_find_run(fixture->record, "ept");
	fixture->noept = record_find_run(fixture->record, "noept");
	compare_again(fixture, NULL, NULL);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	comparison_free(fixture->comparison);
	record_free(fixture->record);
	g_free(fixture);
	return 0;
}

#define TEST_FIXTURE(name) TEST_OF(struct fixture *fixture G_GNUC_UNUSED, setup, teardown, name)

/* ---- Text ---- */

/* The text with one blank where there are several, and none at the ends of lines. */
static char *squeezed(const char *text)
{
	GString *out = g_string_new("\n");

	for (const char *at = text; *at != '\0'; at++) {
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
static void assert_row(const char *text, const char *cells)
{
	g_autofree char *all = squeezed(text);
	g_autofree char *line = g_strconcat("\n", cells, NULL);

	assert_says(all, line);
}

static void assert_fits(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	guint i;

	for (i = 0; lines[i]; i++) {
		const char *at;

		if (strlen(lines[i]) > 80)
			fail_msg("%zu columns: %s", strlen(lines[i]), lines[i]);
		for (at = lines[i]; *at; at++)
			if (!g_ascii_isprint(*at))
				fail_msg("byte %#x in: %s", (unsigned char)*at, lines[i]);
	}
}

TEST_FIXTURE(text_of_a_valid_record)
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
	g_autofree char *text = NULL;
	g_autofree char *cells = NULL;

	/* All but the 12 that are shown; the table of reasons may grow. */
	assert_int_equal(fixture->comparison->rows->len, 68 + 12);
	text = report_text(&fixture->report, REPORT_WIDTH, false);
	cells = squeezed(text);
	assert_string_equal(cells, expected);
}

/* Twice the width: longer bars, up to what says more; the table itself is the same. */
TEST_FIXTURE(text_uses_a_wide_terminal)
{
	g_autofree char *text = report_text(&fixture->report, 100, false);
	g_autofree char *narrow = report_text(&fixture->report, 0, false);
	g_autofree char *usual = report_text(&fixture->report, REPORT_WIDTH, false);

	/* 11 columns of bars at 80, so 31 at 100. */
	assert_row(text, "48 EPT_VIOLATION 6,184 0 -6,184 0.00 79.99% 0.00% "
			 "-------------------------------\n");
	assert_string_equal(narrow, usual);
}

TEST_FIXTURE(text_of_an_invalid_record)
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
	g_autofree char *text = NULL;

	sample_set_count(fixture->ept, 14, 2);
	fixture->noept->kernel_log.known = false;
	compare_again(fixture, NULL, NULL);
	text = report_text(&fixture->report, REPORT_WIDTH, false);
	assert_memory_equal(text, expected, sizeof(expected) - 1);
	assert_says(text, "exit reason");
}

TEST_FIXTURE(text_of_a_failed_record)
{
	g_autofree char *text = NULL;
	g_autofree char *without = NULL;

	record_set_string(&fixture->record->error, "L2: the probe never spoke");
	compare_again(fixture, NULL, NULL);
	text = report_text(&fixture->report, REPORT_WIDTH, false);
	assert_true(g_str_has_prefix(text, "FAILED: " TITLE "\nL2: the probe never spoke\n\n"));
	fixture->report.error = NULL;
	without = report_text(&fixture->report, REPORT_WIDTH, false);
	assert_true(g_str_has_prefix(without,
				     "FAILED: " TITLE "\nThe experiment was not completed.\n\n"));
}

TEST_FIXTURE(text_of_one_run)
{
	g_autoptr(struct_comparison) one = comparison_new(fixture->ept, NULL, NULL, NULL);
	struct report report = report_of_record(fixture->record, one, TITLE);
	g_autofree char *text = report_text(&report, REPORT_WIDTH, false);

	/* 6184 / 7731 = 79.99 %, 399 / 7731 = 5.16 %, 1 / 7731 = 0.01 %. */
	assert_row(text, "exit reason ept share log scale\n0 EXCEPTION_NMI 1 0.01% ===");
	assert_row(text, "28 CR_ACCESS 9 0.12% =");
	assert_row(text, "48 EPT_VIOLATION 6,184 79.99% =");
	assert_row(text, "49 EPT_MISCONFIG 399 5.16% =");
	assert_row(text, "total 7,731 100.00%\n");
	assert_null(strstr(text, "ratio"));
}

TEST_FIXTURE(text_says_what_is_not_known)
{
	g_autofree char *text = NULL;

	fixture->record->seconds = -1;
	fixture->ept->ticks.known = false;
	fixture->noept->seconds = -1;
	fixture->noept->ticks.known = false;
	/* Reason 0 of noept is another one. */
	sample_exit(fixture->noept, 0)->reason = 1000;
	compare_again(fixture, NULL, NULL);
	text = report_text(&fixture->report, REPORT_WIDTH, false);
	assert_row(text, "0 EXCEPTION_NMI 1 ? ? ? 0.01% ?");
	assert_row(text, "1000 EXCEPTION_NMI ? 7,157 ? ? ? 81.88%");
	assert_says(text, "\nwhole experiment: 3,912,345,678 emulated instructions");
	assert_says(text, "\nept (EPT on, VPID on): 18.2 s\n");
	assert_says(text, "\nnoept (EPT off, VPID on)\n");
}

TEST_FIXTURE(text_of_very_different_counts)
{
	g_autofree char *text = NULL;

	sample_exit(fixture->ept, 12)->count = 1000;
	sample_exit(fixture->noept, 12)->count = 1;
	sample_exit(fixture->ept, 29)->count = 1;
	sample_exit(fixture->noept, 29)->count = 9999999999;
	sample_exit(fixture->ept, 55)->count = UINT64_MAX;
	sample_exit(fixture->noept, 55)->count = 10000000000;
	compare_again(fixture, NULL, NULL);
	text = report_text(&fixture->report, REPORT_WIDTH, false);
	assert_row(text, "12 HLT 1,000 1 -999 <0.01");
	/* The difference is 9,999,999,998, which has no room for its sign. */
	assert_row(text, "29 DR_ACCESS 1 9,999,999,999 +1.0000e+10 1.00e+10");
	assert_row(text, "55 XSETBV 1.8447e+19 1.0000e+10 -1.8447e+19 <0.01");
	assert_fits(text);
}

/* Whatever a record holds: 80 columns, and nothing that a terminal would obey. */
TEST_FIXTURE(text_always_fits)
{
	g_autofree char *word = g_strnfill(500, 'w');
	g_autofree char *words = g_strdup_printf("BUG: \x1b[2J \xff caf\xc3\xa9 %s end", word);
	g_autofree char *text = NULL;
	g_autofree char *short_text = NULL;
	guint i;

	for (i = 0; i < fixture->ept->exits->len; i++) {
		struct record_exit *one = fixture->ept->exits->pdata[i];

		one->count = UINT64_MAX - i;
		record_set_string(&one->name, words);
	}
	g_ptr_array_add(fixture->ept->kernel_log.findings, g_strdup(words));
	fixture->record->ticks = record_u64_from(UINT64_MAX);
	fixture->record->seconds = 1e15;
	compare_again(fixture, words, words);
	fixture->report.title = words;
	text = report_text(&fixture->report, REPORT_WIDTH, false);
	assert_fits(text);
	assert_says(text, "BUG: ?[2J ? caf?\n");
	assert_true(strlen(text) < 30000);

	/* A title that just fits, and one that does not. */
	fixture->report.verdict = RECORD_VALID;
	word[73] = '\0';
	fixture->report.title = word;
	short_text = report_text(&fixture->report, REPORT_WIDTH, false);
	assert_int_equal(strchr(short_text, '\n') - short_text, 80);
	word[73] = 'w';
	word[74] = '\0';
	g_free(short_text);
	short_text = report_text(&fixture->report, REPORT_WIDTH, false);
	assert_true(g_str_has_prefix(short_text, "VALID:\n  www"));
	assert_fits(short_text);
}

TEST_FIXTURE(colour_only_when_asked)
{
	g_autofree char *plain = report_text(&fixture->report, REPORT_WIDTH, false);
	g_autofree char *colour = report_text(&fixture->report, REPORT_WIDTH, true);
	GString *stripped = g_string_new(NULL);
	const char *at;

	assert_null(strchr(plain, '\033'));
	assert_true(g_str_has_prefix(colour, "\033[1;32mVALID\033[0m: "));
	/* The same but for the escape sequences. */
	for (at = colour; *at; at++) {
		if (*at == '\033')
			at = strchr(at, 'm');
		else
			g_string_append_c(stripped, *at);
	}
	assert_string_equal(stripped->str, plain);
	g_string_free(stripped, TRUE);

	fixture->report.verdict = RECORD_INVALID;
	g_free(colour);
	colour = report_text(&fixture->report, REPORT_WIDTH, true);
	assert_true(g_str_has_prefix(colour, "\033[1;31mINVALID\033[0m: "));
}

/* ---- CSV ---- */

TEST_FIXTURE(csv_has_every_reason)
{
	g_autofree char *csv = report_csv(&fixture->report);
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
	assert_int_equal(g_strv_length(lines), 1 + fixture->comparison->rows->len + 1);
	assert_string_equal(lines[g_strv_length(lines) - 1], "");
}

TEST_FIXTURE(csv_quotes_what_must_be)
{
	g_autofree char *csv = NULL;

	record_set_string(&sample_exit(fixture->ept, 0)->name, "a\r\nb");
	compare_again(fixture, "one, \"two\"", "plain");
	csv = report_csv(&fixture->report);
	assert_true(g_str_has_prefix(csv,
				     "reason,name,paging,\"one, \"\"two\"\"\",plain,difference,"
				     "ratio,\"share one, \"\"two\"\"\",share plain\r\n"
				     "0,\"a\r\nb\",yes,1,"));
}

TEST_FIXTURE(csv_of_one_run_and_of_unknowns)
{
	g_autoptr(struct_comparison) one = comparison_new(fixture->ept, NULL, NULL, NULL);
	struct report report = { .comparison = one, .title = TITLE };
	g_autofree char *csv = report_csv(&report);

	assert_true(g_str_has_prefix(csv, "reason,name,paging,ept,share ept\r\n"
					  "0,EXCEPTION_NMI,yes,1,0.000129\r\n"));
	g_free(csv);
	g_ptr_array_remove_index(fixture->noept->exits, 0);
	record_set_string(&sample_exit(fixture->ept, 0)->name, NULL);
	compare_again(fixture, NULL, NULL);
	csv = report_csv(&fixture->report);
	assert_says(csv, "\r\n0,,yes,1,,,,0.000129,\r\n");
}

/* ---- Cycles, and what an exit costs ---- */

/* 6184 * 2000 + 5, and 7157 * 300 + 1: an average is rounded down. */
static void add_cycles(struct fixture *fixture)
{
	sample_exit(fixture->ept, 0)->cycles = record_u64_from(12345);
	sample_exit(fixture->ept, 14)->cycles = record_u64_from(0);
	sample_exit(fixture->ept, 48)->cycles = record_u64_from(12368005);
	sample_exit(fixture->noept, 0)->cycles = record_u64_from(2147101);
	compare_again(fixture, NULL, NULL);
}

TEST_FIXTURE(text_has_cycles_if_there_are_any)
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
	g_autofree char *without = report_text(&fixture->report, REPORT_WIDTH, false);
	g_autofree char *with = NULL;
	g_autofree char *alone = NULL;
	g_autoptr(struct_comparison) comparison = NULL;
	struct report report;

	assert_false(comparison_has_cycles(fixture->comparison));
	assert_null(strstr(without, "cycles"));
	add_cycles(fixture);
	assert_true(comparison_has_cycles(fixture->comparison));
	with = report_text(&fixture->report, REPORT_WIDTH, false);
	assert_row(with, two);
	comparison = comparison_new(fixture->ept, NULL, NULL, NULL);
	report = report_of_record(fixture->record, comparison, TITLE);
	alone = report_text(&report, REPORT_WIDTH, false);
	assert_row(alone, one);
}

/* A file with columns for what was not measured would be another file for every older reader. */
TEST_FIXTURE(csv_has_cycles_if_there_are_any)
{
	g_autofree char *csv = NULL;
	g_autofree char *alone = NULL;
	g_autoptr(struct_comparison) comparison = NULL;
	struct report report = { .title = TITLE };

	add_cycles(fixture);
	csv = report_csv(&fixture->report);
	assert_true(g_str_has_prefix(
		csv, "reason,name,paging,ept,noept,difference,ratio,share ept,share noept,"
		     "cycles ept,cycles noept\r\n"
		     "0,EXCEPTION_NMI,yes,1,7157,7156,7157.000000,0.000129,0.818785,"
		     "12345,2147101\r\n"
		     "14,INVLPG,yes,0,308,308,,0.000000,0.035236,0,\r\n"));
	comparison = comparison_new(fixture->ept, NULL, NULL, NULL);
	report.comparison = comparison;
	alone = report_csv(&report);
	assert_true(g_str_has_prefix(alone, "reason,name,paging,ept,share ept,cycles ept\r\n"
					    "0,EXCEPTION_NMI,yes,1,0.000129,12345\r\n"));
}

TEST_FIXTURE(cost_of_an_exit_is_told)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) words = NULL;
	g_autofree char *flowing = NULL;

	/* 1234567 / 1000 = 1234.567; it stands with the run that it was measured in. */
	fixture->noept->cost = (struct record_cost){ true, 1000, 1234567 };
	text = report_text(&fixture->report, REPORT_WIDTH, false);
	words = g_strsplit_set(text, " \n", -1);
	flowing = g_strjoinv(" ", words);
	assert_says(flowing, "one CPUID round trip, noept: 1234.6 ticks of L2's");
	assert_null(strstr(flowing, "one CPUID round trip, ept"));
}

/* ---- Markdown ---- */

TEST_FIXTURE(markdown_answers_the_questions)
{
	g_autofree char *markdown = NULL;

	fixture->report.kernel_logs[0] = "other line\nkvm: exitcount: VM 1: 5 exits\n";
	markdown = report_markdown(&fixture->report);
	assert_true(g_str_has_prefix(markdown, "# " TITLE "\n\n**VALID**: every rule holds.\n"));
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
TEST_FIXTURE(markdown_follows_the_numbers)
{
	g_autoptr(struct_comparison) one = comparison_new(fixture->ept, NULL, NULL, NULL);
	struct report alone = report_of_record(fixture->record, one, TITLE);
	g_autofree char *wrong = NULL;
	g_autofree char *same = report_markdown(&alone);

	assert_says(same, "One run alone, ept, with nested paging (EPT on).");
	assert_says(same, "This is no comparison of nested with shadow paging");
	sample_set_count(fixture->noept, 48, 3);
	sample_set_count(fixture->ept, 49, 0);
	compare_again(fixture, NULL, NULL);
	wrong = report_markdown(&fixture->report);
	assert_says(wrong, "**INVALID**: these counts must not be used.\n\n- ept-off-no-"
			   "ept-exits of noept: saw 48 EPT\\_VIOLATION 3");
	assert_says(wrong, "6,184 with ept, 3 with noept. Expected: none with shadow "
			   "paging; this is NOT as expected.");
	assert_says(wrong, "0 with ept, 0 with noept. Expected: none with shadow paging; "
			   "there is none in either run, which tells nothing.");
	assert_says(wrong, "4 are as expected, 1 are not, and 1 tell nothing here.");
}

TEST_FIXTURE(markdown_escapes_what_is_foreign)
{
	g_autofree char *markdown = NULL;

	record_set_string(&sample_exit(fixture->ept, 12)->name, "<b>|*`[x](y)\n# \x1b\xff");
	record_set_string(&sample_exit(fixture->noept, 12)->name, NULL);
	compare_again(fixture, "<i>", "noept");
	fixture->report.kernel_logs[1] = "kvm: exitcount: VM 1: ```<script>\x07\n";
	markdown = report_markdown(&fixture->report);
	assert_null(strstr(markdown, " <b>"));
	assert_null(strstr(markdown, " <i>"));
	assert_null(strchr(markdown, '\x1b'));
	assert_says(markdown, "| 12 | \\<b\\>\\|\\*\\`\\[x\\](y) \\#  \xef\xbf\xbd |");
	/* Indented code: nothing in it is markup. */
	assert_says(markdown, "\n    kvm: exitcount: VM 1: ```<script>?\n");
}

/* ---- JSON ---- */

static json_t *parse_report(const struct report *report)
{
	g_autofree char *text = report_json(report);
	json_error_t wrong;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &wrong);

	if (!root)
		fail_msg("line %d: %s", wrong.line, wrong.text);
	return root;
}

TEST_FIXTURE(json_has_all_that_the_text_has)
{
	json_t *root = parse_report(&fixture->report);
	json_t *row = json_array_get(json_object_get(root, "rows"), 3);
	json_t *run = json_array_get(json_object_get(root, "runs"), 1);
	json_t *sides = json_object_get(row, "runs");
	json_t *total = json_object_get(root, "total");

	assert_string_equal(json_string_value(json_object_get(root, "verdict")), "valid");
	assert_true(json_is_null(json_object_get(root, "error")));
	assert_string_equal(json_string_value(json_object_get(root, "title")), TITLE);
	assert_true(json_real_value(json_object_get(root, "seconds")) == 43.125);
	assert_int_equal(json_integer_value(json_object_get(root, "ticks")), 3912345678);
	assert_string_equal(json_string_value(json_object_get(run, "label")), "noept");
	assert_int_equal(json_integer_value(json_object_get(run, "ticks")), 1700000000);
	assert_int_equal(json_array_size(json_object_get(root, "rows")),
			 fixture->comparison->rows->len);
	assert_int_equal(json_integer_value(json_object_get(row, "reason")), 48);
	assert_string_equal(json_string_value(json_object_get(row, "name")), "EPT_VIOLATION");
	assert_true(json_is_true(json_object_get(row, "paging")));
	assert_int_equal(json_integer_value(json_object_get(json_array_get(sides, 0), "count")),
			 6184);
	assert_true(json_is_null(json_object_get(json_array_get(sides, 0), "cycles")));
	assert_int_equal(json_integer_value(json_object_get(row, "difference")), -6184);
	assert_true(json_real_value(json_object_get(row, "ratio")) == 0);
	assert_string_equal(json_string_value(json_object_get(row, "ratio_kind")), "known");
	assert_int_equal(json_integer_value(json_object_get(total, "difference")), 1010);
	assert_int_equal(json_array_size(json_object_get(root, "checks")),
			 fixture->record->checks->len);
	json_decref(root);
}

TEST_FIXTURE(json_has_cycles)
{
	json_t *root, *sides;

	add_cycles(fixture);
	sample_exit(fixture->ept, 0)->cycles = record_u64_from(UINT64_MAX);
	compare_again(fixture, NULL, NULL);
	root = parse_report(&fixture->report);
	sides = json_object_get(json_array_get(json_object_get(root, "rows"), 0), "runs");
	assert_string_equal(json_string_value(json_object_get(json_array_get(sides, 0), "cycles")),
			    "18446744073709551615");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(sides, 1), "cycles")),
			 2147101);
	json_decref(root);
}

TEST_FIXTURE(json_holds_every_difference)
{
	static const struct {
		uint64_t a, b;
		const char *expected; /* a JSON value */
	} cases[] = {
		{ 0, 0, "0" },
		{ 5, 2, "-3" },
		{ INT64_MAX, 0, "-9223372036854775807" },
		{ (uint64_t)INT64_MAX + 1, 0, "\"-9223372036854775808\"" },
		{ UINT64_MAX, 0, "\"-18446744073709551615\"" },
		{ 0, UINT64_MAX, "\"18446744073709551615\"" },
	};

	test_each (one, cases) {
		json_t *expected = json_loads(one->expected, JSON_DECODE_ANY, NULL);
		json_t *root, *row;

		sample_exit(fixture->ept, 0)->count = one->a;
		sample_exit(fixture->noept, 0)->count = one->b;
		compare_again(fixture, NULL, NULL);
		root = parse_report(&fixture->report);
		row = json_array_get(json_object_get(root, "rows"), 0);
		assert_true(json_equal(json_object_get(row, "difference"), expected));
		json_decref(root);
		json_decref(expected);
	}
}

TEST_FIXTURE(json_of_unknowns_and_of_one_run)
{
	g_autoptr(struct_comparison) one = comparison_new(fixture->ept, "\xff", NULL, NULL);
	struct report report = { .comparison = one, .title = TITLE, .seconds = -1 };
	json_t *root = parse_report(&report);
	json_t *row = json_array_get(json_object_get(root, "rows"), 0);

	assert_int_equal(json_array_size(json_object_get(root, "runs")), 1);
	assert_int_equal(json_array_size(json_object_get(row, "runs")), 1);
	assert_null(json_object_get(row, "difference"));
	assert_true(json_is_null(json_object_get(root, "seconds")));
	assert_true(json_is_null(json_object_get(root, "ticks")));
	assert_int_equal(json_array_size(json_object_get(root, "checks")), 0);
	json_decref(root);

	g_ptr_array_remove_index(fixture->noept->exits, 0);
	compare_again(fixture, NULL, NULL);
	root = parse_report(&fixture->report);
	row = json_array_get(json_object_get(root, "rows"), 0);
	assert_true(json_is_null(json_object_get(row, "difference")));
	assert_true(json_is_null(json_object_get(row, "ratio")));
	assert_string_equal(json_string_value(json_object_get(row, "ratio_kind")), "unknown");
	assert_true(json_is_null(
		json_object_get(json_array_get(json_object_get(row, "runs"), 1), "count")));
	json_decref(root);
}

/* ---- Inputs ---- */

#define DIFFER "Inputs that differ: qemu (bbbbbbbbbbbb -> none), emulator (none -> bbbbbbbbbbbb)."

/* Each format says it before the first count. */
TEST_FIXTURE(inputs_that_differ_come_first)
{
	struct record_run *noept = record_find_run(fixture->record, "noept");
	struct record_input *input = noept->inputs->pdata[1];
	static const struct {
		char *(*make)(const struct report *report);
		const char *counts;
	} formats[] = { { report_markdown, "| No. |" }, { report_html, "<table" } };
	g_autofree char *same = report_text(&fixture->report, 200, false);
	g_autofree char *text = NULL;
	json_t *root, *inputs;
	size_t i;

	assert_null(strstr(same, "Inputs"));
	root = parse_report(&fixture->report);
	assert_int_equal(json_array_size(json_object_get(root, "inputs_that_differ")), 0);
	assert_true(json_is_array(json_object_get(root, "inputs_that_differ")));
	json_decref(root);

	record_set_string(&input->name, "emulator");
	text = report_text(&fixture->report, 200, false);
	assert_non_null(strstr(text, DIFFER));
	assert_true(strstr(text, DIFFER) < strstr(text, "EPT_VIOLATION"));
	for (i = 0; i < G_N_ELEMENTS(formats); i++) {
		g_autofree char *page = formats[i].make(&fixture->report);
		const char *said = strstr(page, "Inputs that differ: qemu (bbbbbbbbbbbb -");

		assert_non_null(said);
		assert_true(said < strstr(page, formats[i].counts));
	}
	root = parse_report(&fixture->report);
	inputs = json_object_get(root, "inputs_that_differ");
	assert_int_equal(json_array_size(inputs), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(inputs, 1), "name")),
			    "emulator");
	assert_true(json_is_null(
		json_array_get(json_object_get(json_array_get(inputs, 1), "runs"), 0)));
	json_decref(root);
}

/* Of two records at least one of which is older: nobody knows whether they differ. */
TEST_FIXTURE(inputs_may_not_be_recorded)
{
	g_autoptr(struct_record) other = sample_record();
	struct report report = fixture->report;
	g_autofree char *of_one = NULL;
	g_autofree char *of_two = NULL;
	guint i;

	for (i = 0; i < fixture->record->runs->len; i++) {
		struct record_run *run = fixture->record->runs->pdata[i];

		g_clear_pointer(&run->inputs, g_ptr_array_unref);
	}
	of_one = report_text(&report, 200, false);
	assert_null(strstr(of_one, "Inputs"));
	report.records[1] = other;
	of_two = report_text(&report, 200, false);
	assert_non_null(strstr(of_two, "Inputs, what L1 and L2 are made of, are not recorded"));
	assert_true(strstr(of_two, "not recorded") < strstr(of_two, "EPT_VIOLATION"));
}
