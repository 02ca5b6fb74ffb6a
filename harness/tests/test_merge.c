/* SPDX-License-Identifier: GPL-2.0-only */
/* Many records as one table: which numbers are in it, and which are in none. */
#include <stdlib.h>

#include <jansson.h>
#include <libxml/HTMLparser.h>
#include <libxml/xpath.h>

#include "merge/forms.h"
#include "tests/many.h"
#include "tests/sample.h"
#include "tests/test.h"

/* Records as words "NAME=LINE/PLATFORM/EXCEPTIONS/STATE", NAME being what its folder is called. */
static void put(const char *folder, const char *records)
{
	g_auto(GStrv) all = g_strsplit(records, " ", -1);

	for (char **one = all; *one != NULL; one++) {
		g_auto(GStrv) name = g_strsplit(*one, "=", 2);
		g_auto(GStrv) parts = g_strsplit(name[1], "/", 4);
		struct record *record =
			many_record(parts[0], parts[1], g_ascii_strtoull(parts[2], NULL, 10));
		struct record_run *noept = record_find_run(record, "noept");

		if (g_str_equal(parts[3], "invalid"))
			noept->in_effect.ept = RECORD_TRUE;
		if (g_str_equal(parts[3], "failed")) {
			record->verdict = RECORD_FAILED;
			record_set_string(&record->error, "L1: it was silent");
			for (guint i = 0; i < record->runs->len; i++)
				g_clear_pointer(
					&((struct record_run *)record->runs->pdata[i])->operations,
					g_ptr_array_unref);
		}
		if (g_str_has_prefix(parts[3], "cell-")) {
			record->cell.known = true;
			record_set_string(&record->cell.matrix, "lines");
			record_set_string(&record->cell.id, parts[3] + 5);
			record->cell.repeat = 1;
			if (record->cell.axes == NULL)
				record->cell.axes = record_axes_new();
			g_ptr_array_add(record->cell.axes, record_axis_new("kernel", parts[0]));
		}
		many_put(folder, name[0], record);
		record_free(record);
	}
}

struct merged {
	struct merge_set *set;
	struct merge_table *table;
	GError *error;
};

static void merged_clear(struct merged *merged)
{
	g_clear_pointer(&merged->table, merge_table_free);
	g_clear_pointer(&merged->set, merge_set_free);
	g_clear_error(&merged->error);
}

static void merge(struct merged *merged, const char *folder, enum merge_value value,
		  const char *rows, const char *columns)
{
	char *folders[] = { (char *)folder, NULL };
	g_auto(GStrv) down = g_strsplit(rows, ",", -1);
	g_auto(GStrv) along = g_strsplit(columns, ",", -1);

	*merged = (struct merged){ .set = merge_set_read(folders, &value, &merged->error) };
	assert_no_error(merged->error);
	if (g_strv_contains((const char *const *)down, MERGE_AXIS_REASON))
		merge_set_split_reasons(merged->set);
	merged->table = merge_table_new(merged->set, down, along, NULL, &merged->error);
}

/* Columns are as wide as they must be: not what is looked at here. */
static char *squeezed(const struct merged *merged)
{
	g_autofree char *text = merge_text(merged->table, "/");
	g_autoptr(GRegex) blanks = g_regex_new(" +", 0, 0, NULL);

	return g_regex_replace_literal(blanks, text, -1, 0, " ", 0, NULL);
}

/* The table of these records, as text, has these lines. */
static void shows(const char *folder, enum merge_value value, const char *rows, const char *columns,
		  const char *const *lines)
{
	struct merged merged;
	g_autofree char *text = NULL;

	merge(&merged, folder, value, rows, columns);
	assert_no_error(merged.error);
	text = squeezed(&merged);
	for (; *lines != NULL; lines++)
		assert_says(text, *lines);
	merged_clear(&merged);
}

#define SHOWS(value, rows, columns, ...)                                                           \
	shows(folder, value, rows, columns, (const char *const[]){ __VA_ARGS__, NULL })

TEST_IN_FOLDER(repeats_are_a_median_with_its_spread)
{
	put(folder, "a=6.1/bochs/100/ b=6.1/bochs/400/ c=6.1/bochs/120/");
	SHOWS(MERGE_EXITS_PER_OP, "operation", "kernel,config", "operation 6.1 ept 6.1 noept\n",
	      "fork 1.00 120.00 (100.00-400.00)\n", "mmap 1.00 60.00 (50.00-200.00)\n",
	      "of 3 records. Medians of 3 to 3");
}

TEST_IN_FOLDER(two_repeats_have_the_middle_of_both)
{
	put(folder, "a=6.1/bochs/100/ b=6.1/bochs/401/");
	SHOWS(MERGE_EXITS_PER_OP, "operation", "config", "250.50 (100.00-401.00)\n");
}

TEST_IN_FOLDER(invalid_counts_are_in_no_number)
{
	put(folder, "a=6.1/bochs/100/ b=6.1/bochs/9000/invalid c=6.12/bochs/9000/invalid");
	SHOWS(MERGE_EXITS_PER_OP, "operation", "kernel,config", "100.00 1/2 [1]",
	      "invalid [1] invalid [1]",
	      "[1] invalid (8 numbers), b: ept-sysfs of noept: saw EPT on, expected EPT off\n");
}

TEST_IN_FOLDER(a_failed_record_fails_in_all_its_cells)
{
	put(folder, "a=6.1/bochs/100/ b=6.12/bochs/100/failed");
	SHOWS(MERGE_EXITS_PER_OP, "operation", "kernel,config",
	      "fork 1.00 100.00 failed [1] failed [1]\n", "mmap 1.00 50.00 failed [1] failed [1]\n",
	      "[1] failed (2 numbers), b: L1: it was silent\n");
}

/* What differs, and is not asked for, is not mixed: it becomes rows. */
TEST_IN_FOLDER(what_is_no_repeat_stands_apart)
{
	put(folder, "a=6.1/bochs/100/ b=6.12/kvm/300/");
	SHOWS(MERGE_EXITS_PER_OP, "operation", "config", "operation platform ept noept\n",
	      "fork bochs 1.00 100.00\n", "fork kvm 1.00 300.00\n");
	SHOWS(MERGE_EXITS_PER_OP, "operation,kernel", "platform,config",
	      "fork 6.1 1.00 100.00 missing missing\n");
}

TEST_IN_FOLDER(reasons_are_an_axis)
{
	put(folder, "a=6.1/bochs/100/");
	SHOWS(MERGE_EXITS, "reason", "config", "0 EXCEPTION_NMI 1 100\n",
	      "48 EPT_VIOLATION 6,184 0\n");
	SHOWS(MERGE_EXITS_PER_OP, "reason", "operation,config", "0 EXCEPTION_NMI");
	SHOWS(MERGE_TICKS, "workload", "config", "1,500,000,000 1,700,000,000");
	SHOWS(MERGE_SECONDS, "workload", "config", "18.25 20.50");
	SHOWS(MERGE_TICKS_PER_OP, "operation", "config", "fork 500.00 500.00");
}

/* A run that stands in the record of a rerun, too, is one measurement. */
TEST_IN_FOLDER(the_other_half_of_a_rerun_counts_once)
{
	struct record *record = many_record("6.1", "bochs", 200);
	struct record_run *noept = record_find_run(record, "noept");
	struct record_input *all = noept->inputs->pdata[noept->inputs->len - 1];

	memset(all->sha256, 'f', strlen(all->sha256));
	noept->seconds = 7;
	many_put(folder, "b", record);
	record_free(record);
	put(folder, "a=6.1/bochs/100/");
	SHOWS(MERGE_SECONDS, "workload", "config", "boot 18.25 13.75 (7.00-20.50)\n");
}

TEST_IN_FOLDER(axes_that_are_none_are_refused)
{
	static const struct {
		const char *rows, *columns, *says;
	} rows[] = {
		{ "operatoin", "config",
		  "no record here is on an axis \"operatoin\"; those there "
		  "are: operation, platform, kernel" },
		{ "config", "kernel,config", "\"config\" is named twice" },
		{ "kernel,kernel", "config", "\"kernel\" is named twice" },
	};

	put(folder, "a=6.1/bochs/100/");
	test_each (row, rows) {
		struct merged merged;

		merge(&merged, folder, MERGE_EXITS_PER_OP, row->rows, row->columns);
		assert_error(&merged.error, EPTLAB_ERROR_USAGE, row->says);
		merged_clear(&merged);
	}
}

TEST_IN_FOLDER(a_folder_without_records_is_refused)
{
	char *folders[] = { (char *)folder, NULL };
	char *nowhere[] = { (char *)"/nowhere", NULL };
	g_autoptr(GError) error = NULL;

	assert_null(merge_set_read(folders, NULL, &error));
	assert_error(&error, EPTLAB_ERROR_USAGE, "there is no record in");
	assert_null(merge_set_read(nowhere, NULL, &error));
	assert_error(&error, EPTLAB_ERROR_USAGE, "the records in /nowhere cannot be read");
}

TEST_IN_FOLDER(what_is_no_record_is_told_below)
{
	put(folder, "a=6.1/bochs/100/");
	test_put(folder, "z/record.json", "{", -1);
	SHOWS(MERGE_EXITS, "workload", "config", "of 1 record.",
	      "record.json:1: this is no record");
}

/* ---- Matrices ---- */

#define CELL(id, kernel, excluded)                                                                 \
	"{\"id\":\"" id "\",\"repeat\":1,\"configurations\":[\"ept\",\"noept\"],\"settings\":[],"  \
	"\"excluded\":" excluded ",\"axes\":[{\"axis\":\"kernel\",\"value\":\"" kernel             \
	"\"},{\"axis\":\"l2.vcpus\",\"value\":\"1\"}]}"
#define STATE(state, reason, record)                                                               \
	"{\"schema\":1,\"state\":\"" state "\",\"reason\":" reason ",\"record\":" record           \
	",\"inputs\":null,\"seconds\":1,\"taken\":false}"

static void put_matrix(const char *folder)
{
	put(folder, "a1=6.1/bochs/100/cell-a a2=6.1/bochs/300/cell-a other=6.1/bochs/999/ "
		    "z=6.12/bochs/50/");
	test_put(folder, "matrix/lines/cells.json",
		 "{\"schema\":1,\"matrix\":\"lines\",\"configs\":null,\"overrides\":[],\"cells\":"
		 "[" CELL("a", "6.1", "null") "," CELL("b", "6.6", "null") "," CELL(
			 "c", "6.12",
			 "null") "," CELL("d", "7.3",
					  "\"it does not boot on tcg\"") "," CELL("e", "5.10",
										  "null") "]}",
		 -1);
	test_put(folder, "matrix/lines/cells/a.json", STATE("valid", "null", "\"a2\""), -1);
	test_put(folder, "matrix/lines/cells/c.json", STATE("valid", "null", "\"z\""), -1);
	test_put(folder, "matrix/lines/cells/e.json",
		 STATE("failed", "\"L0: the disk is full\"", "null"), -1);
}

/* The plan alone: its records and no others, each in its place, and why cells have none. */
TEST_IN_FOLDER(a_matrix_shows_what_became_of_each_cell)
{
	g_autofree char *matrix = g_build_filename(folder, "matrix", "lines", NULL);
	const char *const lines[] = {
		"[1] missing (2 numbers): cell lines/b is planned, and was not made",
		"[2] excluded (2 numbers): it does not boot on tcg",
		"[3] failed (2 numbers): L0: the disk is full",
		NULL,
	};
	struct merged merged;
	g_autofree char *text = NULL;

	put_matrix(folder);
	merge(&merged, matrix, MERGE_EXITS_PER_OP, "kernel", "operation,config");
	assert_no_error(merged.error);
	text = squeezed(&merged);
	for (size_t i = 0; lines[i] != NULL; i++)
		assert_says(text, lines[i]);
	assert_says(text, "\n6.6 missing [1]");
	assert_says(text, "\n7.3 excluded [2]");
	assert_says(text, "\n5.10 failed [3]");
	assert_says(text, "\n6.12 1.00");
	assert_null(strstr(text, "999"));
	merged_clear(&merged);
}

/* All of the folder: an attempt that a later one has superseded is no repeat. */
TEST_IN_FOLDER(a_superseded_attempt_is_no_repeat)
{
	put_matrix(folder);
	SHOWS(MERGE_EXITS_PER_OP, "operation,kernel", "config",
	      "fork 6.1 1.00 649.50 (300.00-999.00)\n",
	      "4 numbers of the matrix lines are not taken");
}

/* ---- Formats ---- */

static void put_all_kinds(const char *folder)
{
	put(folder,
	    "a=6.1/bochs/100/ b=6.1/bochs/102/ c=6.12/bochs/9000/invalid d=7.3/bochs/1/failed");
}

TEST_IN_FOLDER(csv_has_a_line_for_each_cell)
{
	struct merged merged;
	g_autofree char *csv = NULL;

	put_all_kinds(folder);
	merge(&merged, folder, MERGE_EXITS_PER_OP, "operation", "kernel,config");
	csv = merge_csv(merged.table, folder);
	assert_begins(csv, "operation,kernel,config,state,exits-per-op,least,most,measured,others,"
			   "why,records\r\n");
	assert_says(csv, "fork,6.1,noept,measured,101,100,102,2,0,,a b\r\n");
	assert_says(csv, "fork,6.12,noept,invalid,,,,0,1,\"ept-sysfs of noept: saw EPT on, "
			 "expected EPT off\",c\r\n");
	assert_says(csv, "mmap,7.3,ept,failed,,,,0,1,L1: it was silent,d\r\n");
	merged_clear(&merged);
}

TEST_IN_FOLDER(json_has_each_sample)
{
	struct merged merged;
	g_autofree char *text = NULL;
	json_t *json;

	put_all_kinds(folder);
	merge(&merged, folder, MERGE_EXITS_PER_OP, "operation", "kernel,config");
	text = merge_json(merged.table, folder);
	json = json_loads(text, 0, NULL);
	assert_json(json, "value=exits-per-op records=4 rows.0=operation columns.1=config "
			  "cells.len=12 cells.1.median=101 cells.1.samples.len=2 "
			  "cells.1.samples.1.value=102 cells.3.median=null cells.3.state=invalid "
			  "cells.3.samples.0.value=9000 cells.5.state=failed "
			  "cells.5.axes.kernel=7.3");
	json_decref(json);
	merged_clear(&merged);
}

TEST_IN_FOLDER(markdown_has_no_foreign_markup)
{
	struct merged merged;
	g_autofree char *text = NULL;

	put(folder, "a=6.1|`x`/bochs/100/");
	merge(&merged, folder, MERGE_EXITS, "workload", "kernel,config");
	text = merge_markdown(merged.table, folder);
	assert_begins(text, "| workload | 6.1\\|\\`x\\` ept |");
	assert_says(text, "\n|---|---:|---:|\n");
	merged_clear(&merged);
}

static int count(htmlDocPtr doc, const char *path)
{
	xmlXPathContext *context = xmlXPathNewContext(doc);
	xmlXPathObject *found = xmlXPathEvalExpression((const xmlChar *)path, context);
	int nodes = found->nodesetval != NULL ? found->nodesetval->nodeNr : 0;

	xmlXPathFreeObject(found);
	xmlXPathFreeContext(context);
	return nodes;
}

static htmlDocPtr page_of(const char *folder, enum merge_value value, const char *rows,
			  const char *columns)
{
	struct merged merged;
	g_autofree char *text = NULL;
	htmlDocPtr doc;

	merge(&merged, folder, value, rows, columns);
	assert_no_error(merged.error);
	text = merge_html(merged.table, folder);
	assert_null(strstr(text, "<script"));
	doc = htmlReadMemory(text, (int)strlen(text), NULL, "UTF-8",
			     HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
	assert_non_null(doc);
	merged_clear(&merged);
	return doc;
}

/* Each cell of the table and of the map, and each repeat, leads to a record that is there. */
TEST_IN_FOLDER(every_cell_of_the_page_leads_to_its_record)
{
	htmlDocPtr doc;
	xmlXPathContext *context;
	xmlXPathObject *links;

	put_all_kinds(folder);
	test_put(folder, "a/report.html", "", -1);
	doc = page_of(folder, MERGE_EXITS_PER_OP, "operation", "kernel,config");
	assert_int_equal(count(doc, "//div[@id='table']//tbody//td"), 12);
	assert_int_equal(count(doc, "//div[@id='table']//tbody//td[a]"), 12);
	assert_int_equal(count(doc, "//div[@id='table']//td[a='2']"), 4);
	assert_int_equal(count(doc, "//div[@id='maps']//svg/a"), 6);
	context = xmlXPathNewContext(doc);
	links = xmlXPathEvalExpression((const xmlChar *)"//a/@href", context);
	for (int i = 0; i < links->nodesetval->nodeNr; i++) {
		xmlChar *link = xmlNodeGetContent(links->nodesetval->nodeTab[i]);
		g_autofree char *path = g_build_filename(folder, (const char *)link, NULL);

		assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
		xmlFree(link);
	}
	assert_true(count(doc, "//a[@href='a/report.html']") > 0);
	assert_true(count(doc, "//a[@href='c/record.json']") > 0);
	xmlXPathFreeObject(links);
	xmlXPathFreeContext(context);
	xmlFreeDoc(doc);
}

/* Numbers and hatching tell what shades do; each picture has its text. */
TEST_IN_FOLDER(pictures_need_no_colour)
{
	htmlDocPtr doc;

	put_all_kinds(folder);
	doc = page_of(folder, MERGE_EXITS_PER_OP, "operation", "kernel,config");
	assert_int_equal(count(doc, "//div[@id='maps']//rect[starts-with(@class, 'heat ')]"), 2);
	assert_int_equal(count(doc, "//div[@id='maps']//text[.='101' or .='50.50']"), 2);
	assert_int_equal(count(doc, "//div[@id='maps']//rect[@class='gap']"), 4);
	assert_int_equal(count(doc, "//div[@id='maps']//text[.='invalid']"), 2);
	assert_int_equal(count(doc, "//div[@id='maps']//text[.='failed']"), 2);
	assert_int_equal(count(doc, "//div[@id='maps']//a[contains(@aria-label, 'saw EPT on')]"),
			 2);
	/* One reason has exits by the operation: of two operations and one kernel, each twice. */
	assert_int_equal(count(doc, "//figure"), 1);
	assert_int_equal(count(doc, "//figure//circle"), 2);
	assert_int_equal(count(doc, "//figure//rect"), 2);
	assert_int_equal(count(doc, "//figure/svg[@role='img'][title]"), 1);
	assert_int_equal(count(doc, "//div[@id='multiples']//details//tbody/tr"), 1);
	assert_int_equal(count(doc, "//*[@id = preceding::*/@id]"), 0);
	assert_int_equal(count(doc, "//*[@src]") + count(doc, "//link") + count(doc, "//*[@style]"),
			 0);
	xmlFreeDoc(doc);
}

TEST_IN_FOLDER(a_page_without_pictures_says_so)
{
	htmlDocPtr doc;

	put_all_kinds(folder);
	doc = page_of(folder, MERGE_TICKS, "workload", "kernel,config");
	assert_int_equal(count(doc, "//figure"), 0);
	assert_int_equal(count(doc, "//div[@id='maps']//svg"), 1);
	xmlFreeDoc(doc);
}
