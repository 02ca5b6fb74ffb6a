/* SPDX-License-Identifier: GPL-2.0-only */
#include "judge/rules.h"
#include "report/report.h"
#include "tests/sample.h"
#include "tests/test.h"

#define TITLE "20260131T235959Z-bochs-boot"

/* A judged record, the comparison of its two runs, and what is told of them in each form. */
struct fixture {
	struct record *record;
	struct record_run *ept, *noept;
	struct comparison *comparison;
	struct report report;
	char *text, *csv, *markdown;
	json_t *json;
};

static void clear(struct fixture *fixture)
{
	g_clear_pointer(&fixture->text, g_free);
	g_clear_pointer(&fixture->csv, g_free);
	g_clear_pointer(&fixture->markdown, g_free);
	g_clear_pointer(&fixture->json, json_decref);
}

/* Tell of it anew, as the report is now. */
static void tell(struct fixture *fixture)
{
	g_autofree char *json = report_json(&fixture->report);

	clear(fixture);
	fixture->text = report_text(&fixture->report, REPORT_WIDTH, false);
	fixture->csv = report_csv(&fixture->report);
	fixture->markdown = report_markdown(&fixture->report);
	fixture->json = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(fixture->json);
}

static void compare_again(struct fixture *fixture, const char *label_a, const char *label_b)
{
	comparison_free(fixture->comparison);
	rules_judge(fixture->record);
	fixture->comparison = comparison_new(fixture->ept, label_a, fixture->noept, label_b);
	fixture->report = report_of_record(fixture->record, fixture->comparison, TITLE);
	tell(fixture);
}

/* Only the first run. */
static void take_one(struct fixture *fixture)
{
	comparison_free(fixture->comparison);
	fixture->comparison = comparison_new(fixture->ept, NULL, NULL, NULL);
	fixture->report = report_of_record(fixture->record, fixture->comparison, TITLE);
	tell(fixture);
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

	clear(fixture);
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

	for (char **line = lines; *line != NULL; line++) {
		if (strlen(*line) > 80)
			fail_msg("%zu columns: %s", strlen(*line), *line);
		for (const char *at = *line; *at; at++)
			if (!g_ascii_isprint(*at))
				fail_msg("byte %#x in: %s", (unsigned char)*at, *line);
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
	g_autofree char *cells = squeezed(fixture->text);

	/* All but the 12 that are shown; the table of reasons may grow. */
	assert_int_equal(fixture->comparison->rows->len, 68 + 12);
	assert_string_equal(cells, expected);
}

/* Twice the width: longer bars, up to what says more; the table itself is the same. */
TEST_FIXTURE(text_uses_a_wide_terminal)
{
	g_autofree char *text = report_text(&fixture->report, 100, false);
	g_autofree char *narrow = report_text(&fixture->report, 0, false);

	/* 11 columns of bars at 80, so 31 at 100. */
	assert_row(text, "48 EPT_VIOLATION 6,184 0 -6,184 0.00 79.99% 0.00% "
			 "-------------------------------\n");
	assert_string_equal(narrow, fixture->text);
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

	sample_set_count(fixture->ept, 14, 2);
	fixture->noept->kernel_log.known = false;
	compare_again(fixture, NULL, NULL);
	assert_memory_equal(fixture->text, expected, sizeof(expected) - 1);
	assert_says(fixture->text, "exit reason");
}

TEST_FIXTURE(text_of_a_failed_record)
{
	record_set_string(&fixture->record->error, "L2: the probe never spoke");
	compare_again(fixture, NULL, NULL);
	assert_begins(fixture->text, "FAILED: " TITLE "\nL2: the probe never spoke\n\n");
	fixture->report.error = NULL;
	tell(fixture);
	assert_begins(fixture->text, "FAILED: " TITLE "\nThe experiment was not completed.\n\n");
}

TEST_FIXTURE(text_of_one_run)
{
	take_one(fixture);
	/* 6184 / 7731 = 79.99 %, 399 / 7731 = 5.16 %, 1 / 7731 = 0.01 %. */
	assert_row(fixture->text, "exit reason ept % ept log scale\n0 EXCEPTION_NMI 1 0.01% ===");
	assert_row(fixture->text, "28 CR_ACCESS 9 0.12% =");
	assert_row(fixture->text, "48 EPT_VIOLATION 6,184 79.99% =");
	assert_row(fixture->text, "49 EPT_MISCONFIG 399 5.16% =");
	assert_row(fixture->text, "total 7,731 100.00%\n");
	assert_null(strstr(fixture->text, "ratio"));
}

TEST_FIXTURE(text_says_what_is_not_known)
{
	fixture->record->seconds = -1;
	fixture->ept->ticks.known = false;
	fixture->noept->seconds = -1;
	fixture->noept->ticks.known = false;
	/* Reason 0 of noept is another one. */
	sample_exit(fixture->noept, 0)->reason = 1000;
	compare_again(fixture, NULL, NULL);
	assert_row(fixture->text, "0 EXCEPTION_NMI 1 ? ? ? 0.01% ?");
	assert_row(fixture->text, "1000 EXCEPTION_NMI ? 7,157 ? ? ? 81.88%");
	assert_says(fixture->text, "\nwhole experiment: 3,912,345,678 emulated instructions");
	assert_says(fixture->text, "\nept (EPT on, VPID on): 18.2 s\n");
	assert_says(fixture->text, "\nnoept (EPT off, VPID on)\n");
}

TEST_FIXTURE(text_of_very_different_counts)
{
	sample_exit(fixture->ept, 12)->count = 1000;
	sample_exit(fixture->noept, 12)->count = 1;
	sample_exit(fixture->ept, 29)->count = 1;
	sample_exit(fixture->noept, 29)->count = 9999999999;
	sample_exit(fixture->ept, 55)->count = UINT64_MAX;
	sample_exit(fixture->noept, 55)->count = 10000000000;
	compare_again(fixture, NULL, NULL);
	assert_row(fixture->text, "12 HLT 1,000 1 -999 <0.01");
	/* The difference is 9,999,999,998, which has no room for its sign. */
	assert_row(fixture->text, "29 DR_ACCESS 1 9,999,999,999 +1.0000e+10 1.00e+10");
	assert_row(fixture->text, "55 XSETBV 1.8447e+19 1.0000e+10 -1.8447e+19 <0.01");
	assert_fits(fixture->text);
}

/* Whatever a record holds: 80 columns, and nothing that a terminal would obey. */
TEST_FIXTURE(text_always_fits)
{
	g_autofree char *word = g_strnfill(500, 'w');
	g_autofree char *words = g_strdup_printf("BUG: \x1b[2J \xff caf\xc3\xa9 %s end", word);

	for (guint i = 0; i < fixture->ept->exits->len; i++) {
		struct record_exit *one = fixture->ept->exits->pdata[i];

		one->count = UINT64_MAX - i;
		record_set_string(&one->name, words);
	}
	g_ptr_array_add(fixture->ept->kernel_log.findings, g_strdup(words));
	fixture->record->ticks = record_u64_from(UINT64_MAX);
	fixture->record->seconds = 1e15;
	compare_again(fixture, words, words);
	fixture->report.title = words;
	tell(fixture);
	assert_fits(fixture->text);
	assert_says(fixture->text, "BUG: ?[2J ? caf?\n");
	assert_true(strlen(fixture->text) < 30000);
	/* A title that just fits, and one that does not. */
	fixture->report.verdict = RECORD_VALID;
	word[73] = '\0';
	fixture->report.title = word;
	tell(fixture);
	assert_int_equal(strchr(fixture->text, '\n') - fixture->text, 80);
	word[73] = 'w';
	word[74] = '\0';
	tell(fixture);
	assert_begins(fixture->text, "VALID:\n  www");
	assert_fits(fixture->text);
}

TEST_FIXTURE(colour_only_when_asked)
{
	g_autofree char *colour = report_text(&fixture->report, REPORT_WIDTH, true);
	g_autoptr(GString) stripped = g_string_new(NULL);

	assert_null(strchr(fixture->text, '\033'));
	assert_begins(colour, "\033[1;32mVALID\033[0m: ");
	/* The same but for the escape sequences. */
	for (const char *at = colour; *at; at++) {
		if (*at == '\033')
			at = strchr(at, 'm');
		else
			g_string_append_c(stripped, *at);
	}
	assert_string_equal(stripped->str, fixture->text);
	fixture->report.verdict = RECORD_INVALID;
	g_free(colour);
	colour = report_text(&fixture->report, REPORT_WIDTH, true);
	assert_begins(colour, "\033[1;31mINVALID\033[0m: ");
}

/* ---- CSV ---- */

TEST_FIXTURE(csv_has_every_reason)
{
	g_auto(GStrv) lines = g_strsplit(fixture->csv, "\r\n", -1);

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
	record_set_string(&sample_exit(fixture->ept, 0)->name, "a\r\nb");
	compare_again(fixture, "one, \"two\"", "plain");
	assert_begins(fixture->csv, "reason,name,paging,\"one, \"\"two\"\"\",plain,difference,"
				    "ratio,\"share one, \"\"two\"\"\",share plain\r\n"
				    "0,\"a\r\nb\",yes,1,");
}

TEST_FIXTURE(csv_of_one_run_and_of_unknowns)
{
	take_one(fixture);
	assert_begins(fixture->csv, "reason,name,paging,ept,share ept\r\n"
				    "0,EXCEPTION_NMI,yes,1,0.000129\r\n");
	g_ptr_array_remove_index(fixture->noept->exits, 0);
	record_set_string(&sample_exit(fixture->ept, 0)->name, NULL);
	compare_again(fixture, NULL, NULL);
	assert_says(fixture->csv, "\r\n0,,yes,1,,,,0.000129,\r\n");
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

	assert_false(comparison_has_cycles(fixture->comparison));
	assert_null(strstr(fixture->text, "cycles"));
	add_cycles(fixture);
	assert_true(comparison_has_cycles(fixture->comparison));
	assert_row(fixture->text, two);
	take_one(fixture);
	assert_row(fixture->text, one);
}

/* A file with columns for what was not measured would be another file for every older reader. */
TEST_FIXTURE(csv_has_cycles_if_there_are_any)
{
	add_cycles(fixture);
	assert_begins(fixture->csv,
		      "reason,name,paging,ept,noept,difference,ratio,share ept,share noept,"
		      "cycles ept,cycles noept\r\n"
		      "0,EXCEPTION_NMI,yes,1,7157,7156,7157.000000,0.000129,0.818785,"
		      "12345,2147101\r\n"
		      "14,INVLPG,yes,0,308,308,,0.000000,0.035236,0,\r\n");
	take_one(fixture);
	assert_begins(fixture->csv, "reason,name,paging,ept,share ept,cycles ept\r\n"
				    "0,EXCEPTION_NMI,yes,1,0.000129,12345\r\n");
}

TEST_FIXTURE(cost_of_an_exit_is_told)
{
	g_auto(GStrv) words = NULL;
	g_autofree char *flowing = NULL;

	/* 1234567 / 1000 = 1234.567; it stands with the run that it was measured in. */
	fixture->noept->cost = (struct record_cost){ true, 1000, 1234567 };
	tell(fixture);
	words = g_strsplit_set(fixture->text, " \n", -1);
	flowing = g_strjoinv(" ", words);
	assert_says(flowing, "one CPUID round trip, noept: 1234.6 ticks of L2's");
	assert_null(strstr(flowing, "one CPUID round trip, ept"));
}

/* ---- Markdown ---- */

TEST_FIXTURE(markdown_answers_the_questions)
{
	fixture->report.kernel_logs[0] = "other line\nkvm: exitcount: VM 1: 5 exits\n";
	tell(fixture);
	assert_begins(fixture->markdown, "# " TITLE "\n\n**VALID**: every rule holds.\n");
	assert_says(fixture->markdown, "\nept ran with nested paging (EPT on), noept with shadow "
				       "paging (EPT off).\n");
	assert_says(fixture->markdown, "\n### With ept\n\n    kvm: exitcount: VM 1: 5 exits\n");
	assert_says(fixture->markdown, "\n### With noept\n\nThe kernel log of this run is not "
				       "at hand.\n");
	assert_null(strstr(fixture->markdown, "other line"));
	assert_says(fixture->markdown, "\n| 48 | EPT\\_VIOLATION | 6,184 | 0 | -6,184 | 0.00 | "
				       "79.99% | 0.00% |\n");
	assert_says(fixture->markdown, "Of 6 paging-related reasons, 6 are as expected, 0 are not,"
				       " and 0 tell nothing here.\n");
	assert_says(fixture->markdown, "\n- 48 EPT\\_VIOLATION: 6,184 with ept, 0 with noept. "
				       "Expected: none with shadow paging; this is as expected.");
	/* 815 - 763 is the largest change of what has nothing to do with paging. */
	assert_says(fixture->markdown, "(+1,010).\n- 30 IO\\_INSTRUCTION: from 763 to 815 "
				       "(+52).\n");
}

/* What this record does not show is not said. */
TEST_FIXTURE(markdown_follows_the_numbers)
{
	take_one(fixture);
	assert_says(fixture->markdown, "One run alone, ept, with nested paging (EPT on).");
	assert_says(fixture->markdown, "This is no comparison of nested with shadow paging");
	sample_set_count(fixture->noept, 48, 3);
	sample_set_count(fixture->ept, 49, 0);
	compare_again(fixture, NULL, NULL);
	assert_says(fixture->markdown,
		    "**INVALID**: these counts must not be used.\n\n- ept-off-no-"
		    "ept-exits of noept: saw 48 EPT\\_VIOLATION 3");
	assert_says(fixture->markdown, "6,184 with ept, 3 with noept. Expected: none with shadow "
				       "paging; this is NOT as expected.");
	assert_says(fixture->markdown,
		    "0 with ept, 0 with noept. Expected: none with shadow paging; "
		    "there is none in either run, which tells nothing.");
	assert_says(fixture->markdown, "4 are as expected, 1 are not, and 1 tell nothing here.");
}

TEST_FIXTURE(markdown_escapes_what_is_foreign)
{
	record_set_string(&sample_exit(fixture->ept, 12)->name, "<b>|*`[x](y)\n# \x1b\xff");
	record_set_string(&sample_exit(fixture->noept, 12)->name, NULL);
	compare_again(fixture, "<i>", "noept");
	fixture->report.kernel_logs[1] = "kvm: exitcount: VM 1: ```<script>\x07\n";
	tell(fixture);
	assert_null(strstr(fixture->markdown, " <b>"));
	assert_null(strstr(fixture->markdown, " <i>"));
	assert_null(strchr(fixture->markdown, '\x1b'));
	assert_says(fixture->markdown, "| 12 | \\<b\\>\\|\\*\\`\\[x\\](y) \\#  \xef\xbf\xbd |");
	/* Indented code: nothing in it is markup. */
	assert_says(fixture->markdown, "\n    kvm: exitcount: VM 1: ```<script>?\n");
}

/* ---- JSON ---- */

TEST_FIXTURE(json_has_all_that_the_text_has)
{
	json_t *checks = json_object_get(fixture->json, "checks");
	json_t *rows = json_object_get(fixture->json, "rows");

	assert_json(fixture->json,
		    "verdict=valid error=null title=" TITLE " seconds=43.125 ticks=3912345678 "
		    "runs.1.label=noept .1.ticks=1700000000 "
		    "rows.48.name=EPT_VIOLATION .48.paging=true .48.runs.0.count=6184 "
		    ".48.runs.0.cycles=null .48.difference=-6184 .48.ratio=0.0 "
		    ".48.ratio_kind=known total.difference=1010");
	assert_json(json_array_get(rows, 3), "reason=48");
	assert_int_equal(json_array_size(rows), fixture->comparison->rows->len);
	assert_int_equal(json_array_size(checks), fixture->record->checks->len);
}

TEST_FIXTURE(json_has_cycles)
{
	add_cycles(fixture);
	sample_exit(fixture->ept, 0)->cycles = record_u64_from(UINT64_MAX);
	compare_again(fixture, NULL, NULL);
	assert_json(fixture->json, "rows.0.runs.0.cycles=18446744073709551615 "
				   ".0.runs.1.cycles=2147101");
}

/* A number that JSON's integers of 64 bits cannot hold is a string. */
TEST_FIXTURE(json_holds_every_difference)
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

		sample_exit(fixture->ept, 0)->count = row->a;
		sample_exit(fixture->noept, 0)->count = row->b;
		compare_again(fixture, NULL, NULL);
		first = json_array_get(json_object_get(fixture->json, "rows"), 0);
		assert_json(fixture->json, row->expected);
		assert_int_equal(json_is_string(json_object_get(first, "difference")),
				 row->is_string);
	}
}

TEST_FIXTURE(json_of_unknowns_and_of_one_run)
{
	g_autoptr(struct_comparison) one = comparison_new(fixture->ept, "\xff", NULL, NULL);

	fixture->report = (struct report){ .comparison = one, .title = TITLE, .seconds = -1 };
	tell(fixture);
	assert_json(fixture->json, "runs.len=1 rows.0.runs.len=1 .0.difference=nothing "
				   "seconds=null ticks=null checks.len=0");
	g_ptr_array_remove_index(fixture->noept->exits, 0);
	compare_again(fixture, NULL, NULL);
	assert_json(fixture->json, "rows.0.difference=null .0.ratio=null .0.ratio_kind=unknown "
				   ".0.runs.1.count=null");
}

/* ---- Inputs ---- */

#define DIFFER "Inputs that differ: qemu (bbbbbbbbbbbb -> none), emulator (none -> bbbbbbbbbbbb)."

static json_t *parse_report(const struct report *report)
{
	g_autofree char *text = report_json(report);
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(root);
	return root;
}

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
