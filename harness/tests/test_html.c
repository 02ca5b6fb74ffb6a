/* SPDX-License-Identifier: GPL-2.0-only */
/* The page, read again as a browser would. */
#include <stdlib.h>

#include <libxml/HTMLparser.h>
#include <libxml/xpath.h>

#include "judge/rules.h"
#include "report/report.h"
#include "tests/sample.h"
#include "tests/test.h"

struct page {
	struct record *record;
	struct record_run *ept, *noept;
	struct report report;
	struct comparison *comparison;
	const char *logs[4]; /* of each run */
	char *text;
	htmlDocPtr doc;
};

static void page_clear(struct page *page)
{
	g_clear_pointer(&page->comparison, comparison_free);
	g_clear_pointer(&page->text, g_free);
	g_clear_pointer(&page->doc, xmlFreeDoc);
}

/* Make the page anew from the record as it is now. */
static void make(struct page *page, const struct record_run *b)
{
	page_clear(page);
	rules_judge(page->record);
	page->comparison = comparison_new(page->ept, NULL, b, NULL);
	page->report = report_of_record(page->record, page->comparison, "a <title> & more");
	page->logs[0] = "kvm: exitcount: VM 1: 5 exits\nother line\n";
	page->report.kernel_logs = page->logs;
	page->text = report_html(&page->report);
	page->doc = htmlReadMemory(page->text, (int)strlen(page->text), NULL, "UTF-8",
				   HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
	assert_non_null(page->doc);
}

static int setup(void **state)
{
	struct page *page = g_new0(struct page, 1);

	page->record = sample_record();
	page->ept = record_find_run(page->record, "ept");
	page->noept = record_find_run(page->record, "noept");
	make(page, page->noept);
	*state = page;
	return 0;
}

static int teardown(void **state)
{
	struct page *page = *state;

	page_clear(page);
	record_free(page->record);
	g_free(page);
	return 0;
}

#define TEST_PAGE(name) TEST_OF(struct page *page G_GNUC_UNUSED, setup, teardown, name)

/* How many nodes there are. */
static int count(const struct page *page, const char *path)
{
	xmlXPathContext *context = xmlXPathNewContext(page->doc);
	xmlXPathObject *found = xmlXPathEvalExpression((const xmlChar *)path, context);
	int nodes = found->nodesetval != NULL ? found->nodesetval->nodeNr : 0;

	xmlXPathFreeObject(found);
	xmlXPathFreeContext(context);
	return nodes;
}

/* The text below the first node. */
static char *text_of(const struct page *page, const char *path)
{
	xmlXPathContext *context = xmlXPathNewContext(page->doc);
	g_autofree char *expression = g_strdup_printf("string((%s)[1])", path);
	xmlXPathObject *found = xmlXPathEvalExpression((const xmlChar *)expression, context);
	char *text = g_strdup((const char *)found->stringval);

	xmlXPathFreeObject(found);
	xmlXPathFreeContext(context);
	return text;
}

static void assert_text(const struct page *page, const char *path, const char *expected)
{
	g_autofree char *text = text_of(page, path);

	assert_string_equal(text, expected);
}

static void assert_has(const struct page *page, const char *path, const char *part)
{
	g_autofree char *text = text_of(page, path);

	assert_says(text, part);
}

TEST_PAGE(verdict_comes_first)
{
	assert_begins(page->text, "<!DOCTYPE html>");
	assert_text(page, "//h1", "VALID: every rule holds");
	assert_text(page, "//main/*[1]", "VALID: every rule holds");
	assert_text(page, "//title", "valid: a <title> & more");
	assert_int_equal(count(page, "//section"), 0);
	assert_int_equal(count(page, "//html[@lang='en']"), 1);
}

TEST_PAGE(trouble_is_told)
{
	page->noept->in_effect.ept = RECORD_TRUE;
	make(page, page->noept);
	assert_text(page, "//h1", "INVALID: these counts must not be used");
	assert_text(page, "//section//h3", "ept-sysfs");
	assert_has(page, "//section//li", "FAILED; saw EPT on; expected: EPT off. What to do:");
	assert_has(page, "//section//p", rules_find("ept-sysfs")->why);
	record_set_string(&page->record->error, "L2: it was silent");
	make(page, page->noept);
	assert_text(page, "//h1", "FAILED: not measured to the end");
	assert_has(page, "//section/p", "L2: it was silent");
}

/* Each cell is the comparison's number, with all digits to sort by. */
TEST_PAGE(table_has_the_numbers)
{
	const char *row = "//tbody/tr[th='EPT_VIOLATION']";
	g_autofree char *cell = g_strconcat(row, "/td[2]", NULL);

	assert_int_equal(count(page, "//tbody/tr"), 12); /* those of the sample that are not 0 */
	assert_text(page, cell, "6,184");
	assert_int_equal(count(page, "//tbody/tr[th='EPT_VIOLATION']/td[2][@data-value='6184']"),
			 1);
	assert_int_equal(count(page, "//tbody/tr[th='EPT_VIOLATION']/td[4][@data-value='-6184']"),
			 1);
	assert_int_equal(count(page, "//tbody/tr[@class='paging']"), 6);
	assert_text(page, "//tfoot//td[2]", "7,731");
	assert_int_equal(count(page, "//table/caption"), 1);
	assert_int_equal(count(page, "//thead//th[@scope='col']"), 8);
	assert_int_equal(count(page, "//tbody//th[@scope='row']"), 12);
	assert_has(page, "//div[@id='table']/details/summary", "68 reasons were never seen");
	assert_int_equal(count(page, "//div[@role='region'][@tabindex='0'][@aria-label]"), 1);
}

TEST_PAGE(chart_has_a_text_alternative)
{
	assert_int_equal(count(page, "//svg[@role='img']"), 1);
	assert_has(page, "//svg/title", "log scale");
	assert_has(page, "//svg/desc", "The table below has the same numbers");
	/*
	 * A bar for each count that is not 0 (10 of the 12 with EPT, and 10 without), and the two
	 * of the legend.
	 */
	assert_int_equal(count(page, "//svg/rect[@class='first']"), 10 + 1);
	assert_int_equal(count(page, "//svg/rect[@class='second']"), 10 + 1);
	assert_int_equal(count(page, "//svg/text[.='6,184']"), 1);
	assert_int_equal(count(page, "//svg/text[.='0']"), 2 * 12 - 2 * 10);
	assert_int_equal(count(page, "//pattern[@id='hatch']"), 1);
}

TEST_PAGE(everything_is_told)
{
	size_t rules, shown = 0;
	const struct rule *table = rules_table(&rules);

	for (size_t i = 0; i < rules; i++)
		shown += table[i].asked == NULL;
	assert_int_equal(count(page, "//div[@id='checks']//h3"), (int)shown);
	assert_int_equal(count(page, "//div[@id='checks']//li"), (int)page->record->checks->len);
	assert_int_equal(count(page, "//div[@id='prose']/ul[1]/li"), 6);
	assert_has(page, "//div[@id='prose']", "6,184 with ept, 0 with noept");
	assert_has(page, "//dl", "6.1.0-eptlab");
	assert_has(page, "//pre", "kvm: exitcount: VM 1: 5 exits\n");
	assert_int_equal(count(page, "//pre"), 1);
	assert_has(page, "//div[@id='logs']/details[2]", "It is not at hand.");
}

TEST_PAGE(one_run_is_a_page_too)
{
	make(page, NULL);
	assert_int_equal(count(page, "//thead//th"), 4);
	assert_int_equal(count(page, "//svg/rect[@class='second']"), 0);
	assert_has(page, "//div[@id='prose']", "One run alone, ept");
}

/* Whatever is shown of two runs is shown of all, and each bar has its run's name beside it. */
TEST_PAGE(more_than_two_runs_are_all_shown)
{
	static const char name[] = "a-configuration-with-a-name";
	const char *thp = "//h3[.='thp beside ept']/following-sibling::ul[1]";
	struct record_run *third = record_run_copy(page->noept);
	struct record_run *fourth = record_run_copy(page->ept);
	struct record_operation *operation = record_operation_new("fork");
	int bars;

	for (uint64_t n = 4; n <= 12; n += 4) {
		struct record_point *point = record_point_new(n, 100 * n);

		g_ptr_array_add(point->exits, record_exit_new(0, "EXCEPTION_NMI", 50 * n));
		g_ptr_array_add(operation->points, point);
	}
	third->operations = record_operations_new();
	g_ptr_array_add(third->operations, operation);
	record_set_string(&third->config, name);
	record_set_string(&fourth->config, "thp");
	sample_set_count(fourth, 48, 690);
	sample_set_count(fourth, 3, 7); /* which no other run has */
	g_ptr_array_add(page->record->runs, third);
	g_ptr_array_add(page->record->runs, fourth);
	make(page, page->noept);
	/* Four for each reason that any has seen; those of 0 have no bar, but a name and a 0. */
	bars = count(page, "//svg[@id='chart']/text[@class='count']");
	assert_int_equal(bars, 4 * 13);
	assert_int_equal(count(page, "//svg[@id='chart']/text[@class='label'][.='thp']"), 13);
	assert_int_equal(count(page, "//svg[@id='chart']/text[@class='label'][.='noept']"), 13);
	assert_int_equal(count(page, "//svg[@id='chart']/text[starts-with(., 'a-configurat')]"
				     "[title='a-configuration-with-a-name']"),
			 13);
	assert_int_equal(count(page, "//svg[@id='chart']/text[.='690']"), 1);
	assert_int_equal(count(page, "//svg[@id='chart']/text[.='7']"), 1);
	/* The picture of an operation that the third run alone has. */
	assert_int_equal(count(page, "//div[@id='operations']//svg/text[.='fork']"), 1);
	assert_int_equal(count(page, "//div[@id='operations']//svg/text[.='50.00']"), 1);
	assert_int_equal(count(page, "//div[@id='operations']//svg/text[.='none']"), 3);
	assert_int_equal(count(page, "//div[@id='operations']//svg/rect[@class='second']"), 2);
	/* Prose: each against the first, and what is not told as an expectation as a change. */
	assert_int_equal(count(page, "//div[@id='prose']/h3"), 3);
	assert_has(page, "//div[@id='prose']/p[1]", name);
	assert_has(page, thp, "48 EPT_VIOLATION: from 6,184 to 690 (-5,494).");
	assert_int_equal(count(page, "//div[@id='table']//tbody/tr[@class='paging']"), 6);
	assert_int_equal(count(page, "//div[@id='table']//td[@data-value='690']"), 1);
	assert_int_equal(count(page, "//div[@id='logs']/details"), 4);
	assert_int_equal(count(page, "//dt[.='In effect in thp']"), 1);
}

TEST_PAGE(cycles_are_columns)
{
	sample_exit(page->ept, 48)->cycles = record_u64_from(UINT64_MAX);
	make(page, page->noept);
	assert_int_equal(count(page, "//thead//th"), 10);
	assert_int_equal(count(page, "//td[@data-value='18446744073709551615']"), 1);
	assert_text(page, "//tbody/tr[th='HLT']/td[8]", "-");
}

TEST_PAGE(counts_of_64_bits_keep_each_digit)
{
	sample_exit(page->ept, 12)->count = UINT64_MAX;
	make(page, page->noept);
	assert_int_equal(count(page, "//td[@data-value='18446744073709551615']"), 1);
	assert_int_equal(count(page, "//td[.='18,446,744,073,709,551,615']"), 1);
	assert_int_equal(count(page, "//svg/text[.='1.84e+19']"), 1);
}

/* Whatever a record or a log has in it. */
TEST_PAGE(foreign_text_is_text)
{
	static const char evil[] = "BUG: </pre><script>alert(1)</script>\x01\x1b[2J \xff \" ' &";
	g_autofree char *log = g_strconcat("kvm: exitcount: VM 1: ", evil, NULL);

	g_ptr_array_add(page->noept->kernel_log.findings, g_strdup(evil));
	record_set_string(&sample_exit(page->ept, 12)->name, evil);
	record_set_string(&page->record->kernel.release, evil);
	make(page, page->noept);
	assert_int_equal(count(page, "//script"), 1);
	assert_has(page, "//section//li", "BUG: </pre><script>alert(1)</script>");
	assert_true(g_utf8_validate(page->text, -1, NULL));
	assert_null(strchr(page->text, '\x01'));
	assert_null(strchr(page->text, '\x1b'));
	g_clear_pointer(&page->text, g_free);
	page->logs[0] = log;
	page->text = report_html(&page->report);
	assert_null(strstr(page->text, "<script>alert"));
	assert_says(page->text, "&lt;script&gt;alert");
}

/* What stands in no part of the page is as narrow on a wide screen as on a small one. */
TEST_PAGE(all_is_in_parts_for_a_wide_screen)
{
	assert_int_equal(count(page, "//div[@class='parts']"), 2);
	assert_true(count(page, "//div[@class='parts']/div//h2") >= 5);
	assert_int_equal(count(page, "//h2[not(ancestor::div[@class='parts'])]"), 0);
	assert_int_equal(count(page, "//style[contains(., '.parts { columns:')]"), 1);
}

/* Not one request: the name of SVG is no address to load. */
TEST_PAGE(page_needs_nothing_else)
{
	static const char *const loads[] = {
		"//*[@src]", "//*[@href]",    "//link",	     "//img",
		"//iframe",  "//*[@onclick]", "//*[@style]", "//object"
	};

	test_each (row, loads)
		assert_int_equal(count(page, *row), 0);
	assert_null(strstr(page->text, "@import"));
	assert_null(strstr(page->text, "https:"));
	assert_int_equal(count(page, "//meta[contains(@content, \"default-src 'none'\")]"), 1);
}

TEST_PAGE(ids_are_unique)
{
	assert_true(count(page, "//*[@id]") > 5);
	assert_int_equal(count(page, "//*[@id = preceding::*/@id]"), 0);
	assert_int_equal(count(page, "//*[@id = ancestor::*/@id]"), 0);
}
