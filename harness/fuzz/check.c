/* SPDX-License-Identifier: GPL-2.0-only */
#include "fuzz/check.h"

#include <string.h>

#include "report/compare.h"
#include "report/expectations.h"
#include "judge/rules.h"
#include "report/report.h"

/* One line of UTF-8 that a terminal takes for nothing but text; configuration files have tabs. */
static bool is_one_line(const char *text)
{
	if (!g_utf8_validate(text, -1, NULL))
		return false;
	for (; *text != '\0'; text = g_utf8_next_char(text))
		if (*text != '\t' && g_unichar_iscntrl(g_utf8_get_char(text)))
			return false;
	return true;
}

static bool is_known(int code)
{
	return (code >= EPTLAB_ERROR_USAGE && code <= EPTLAB_ERROR_TIMEOUT) ||
	       code == EPTLAB_ERROR_INTERRUPTED;
}

void check_outcome(bool accepted, const GError *error, int code)
{
	g_autofree char *shown = error != NULL ? g_strescape(error->message, NULL) : NULL;

	g_assert_true(accepted == (error == NULL));
	if (accepted)
		return;
	g_assert_cmpuint(error->domain, ==, EPTLAB_ERROR);
	g_assert_true(code == 0 ? is_known(error->code) : error->code == code);
	if (!is_one_line(error->message))
		g_assert_cmpstr(error->message, ==, shown);
}

void check_printable(const char *text, const char *also)
{
	for (; *text != '\0'; text++)
		g_assert_true(g_ascii_isprint(*text) || strchr(also, *text) != NULL);
}

void check_ascending(const GPtrArray *exits)
{
	for (guint i = 1; exits != NULL && i < exits->len; i++) {
		const struct record_exit *before = g_ptr_array_index(exits, i - 1);
		const struct record_exit *one = g_ptr_array_index(exits, i);

		g_assert_cmpuint(before->reason, <, one->reason);
	}
}

/* ---- record.json ---- */

#define EXITS_MAX 1024

bool check_is_long(const struct record *record)
{
	for (guint i = 0; i < record->runs->len; i++) {
		const struct record_run *run = g_ptr_array_index(record->runs, i);

		if ((run->exits != NULL && run->exits->len > EXITS_MAX) ||
		    (run->undefined != NULL && run->undefined->len > EXITS_MAX) ||
		    (run->malformed != NULL && run->malformed->len > EXITS_MAX))
			return true;
	}
	return false;
}

static struct record *parse(const char *text)
{
	g_autoptr(GError) error = NULL;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct record *record;

	g_assert_nonnull(root);
	record = record_from_json(root, "record.json", &error);
	json_decref(root);
	g_assert_no_error(error);
	g_assert_nonnull(record);
	return record;
}

/* The same text once more, from copies of the runs. */
static char *copy_to_text(const struct record *record)
{
	g_autoptr(GPtrArray) runs = g_ptr_array_new_with_free_func((GDestroyNotify)record_run_free);
	struct record copied = *record;

	for (guint i = 0; i < record->runs->len; i++)
		g_ptr_array_add(runs, record_run_copy(g_ptr_array_index(record->runs, i)));
	copied.runs = runs;
	return record_to_text(&copied);
}

void check_round_trip(const struct record *record)
{
	g_autoptr(struct_record) read = NULL;
	g_autofree char *text = NULL, *again = NULL;

	if (check_is_long(record))
		return;
	text = record_to_text(record);
	read = parse(text);
	again = copy_to_text(read);
	g_assert_cmpstr(again, ==, text);
}

/* ---- Reports ---- */

/* The length of a field of RFC 4180, section 2. */
static size_t field_length(const char *text)
{
	size_t length = 1;

	if (text[0] != '"')
		return strcspn(text, ",\r\n\"");
	while (text[length] != '"' || text[length + 1] == '"') {
		g_assert_true(text[length] != '\0');
		length += text[length] == '"' ? 2 : 1;
	}
	return length + 1;
}

void check_table(const char *text)
{
	guint expected = 0, fields = 0;

	while (*text != '\0') {
		text += field_length(text);
		fields++;
		if (*text == ',') {
			text++;
			continue;
		}
		g_assert_true(g_str_has_prefix(text, "\r\n"));
		text += 2;
		if (expected == 0)
			expected = fields;
		g_assert_cmpuint(fields, ==, expected);
		fields = 0;
	}
	g_assert_cmpuint(expected, >, 0);
	g_assert_cmpuint(fields, ==, 0);
}

static void check_json(const char *text)
{
	static const char *const keys[] = { "verdict", "error", "title", "seconds", "ticks",
					    "runs",    "rows",	"total", "checks" };
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	g_assert_true(json_is_object(root));
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
		g_assert_nonnull(json_object_get(root, keys[i]));
	json_decref(root);
}

/* Nothing foreign has become markup: the only script is the page's own. */
static void check_page(const char *html)
{
	const char *first = strstr(html, "<script");

	g_assert_true(g_utf8_validate(html, -1, NULL));
	g_assert_true(first != NULL && strstr(first + 1, "<script") == NULL);
}

/* As the program does: of two runs, or of one where there is no other. */
static void check_reports(const struct record *record, const char *log)
{
	const GPtrArray *runs = record->runs;
	const struct record_run *b = runs->len > 1 ? g_ptr_array_index(runs, 1) : NULL;
	g_autoptr(struct_comparison) comparison =
		comparison_new(g_ptr_array_index(runs, 0), NULL, b, NULL);
	g_autoptr(GArray) expectations = expectations_of(comparison);
	struct report report = report_of_record(record, comparison, "fuzz");
	g_autofree char *narrow = NULL, *wide = NULL, *csv = NULL, *json = NULL;
	g_autofree char *markdown = NULL, *html = NULL, *statistics = NULL, *operations = NULL;
	g_autoptr(GPtrArray) logs = g_ptr_array_new();

	report.records[0] = report.records[1] = record;
	for (guint i = 0; i < runs->len; i++)
		g_ptr_array_add(logs, (gpointer)log);
	report.kernel_logs = (const char *const *)logs->pdata;
	narrow = report_text(&report, REPORT_WIDTH, false);
	wide = report_text(&report, (size_t)2 * REPORT_WIDTH, true);
	csv = report_csv(&report);
	statistics = report_statistics_csv(&report);
	operations = report_operations_csv(&report);
	json = report_json(&report);
	markdown = report_markdown(&report);
	html = report_html(&report);
	g_assert_true(g_utf8_validate(markdown, -1, NULL));
	check_page(html);
	check_printable(narrow, "\n");
	/* With colours. */
	check_printable(wide, "\n\033");
	check_table(csv);
	check_table(statistics);
	check_table(operations);
	check_json(json);
	for (guint i = 0; expectations != NULL && i < expectations->len; i++)
		g_assert_nonnull(expectation_verdict_words(
			g_array_index(expectations, struct expectation, i).verdict));
}

/* A record without a reason against it is valid, and no other. */
static void check_verdict(const struct record *record)
{
	bool decisive = false;

	for (guint i = 0; i < record->checks->len; i++) {
		const struct record_check *check = g_ptr_array_index(record->checks, i);

		g_assert_true(check->rule != NULL && check->saw != NULL && check->expected != NULL);
		decisive |= check->decisive;
	}
	g_assert_true(record->verdict == RECORD_FAILED ||
		      (record->verdict == RECORD_INVALID) == decisive);
}

/* They are the same in every record, and so long that all else would be tried less often. */
static void forget_explanations(GPtrArray *checks)
{
	for (guint i = 0; i < checks->len; i++) {
		struct record_check *check = g_ptr_array_index(checks, i);

		record_set_string(&check->why, "");
		record_set_string(&check->advice, "");
	}
}

void check_judged(struct record *record, const char *log)
{
	rules_judge(record);
	check_verdict(record);
	forget_explanations(record->checks);
	check_round_trip(record);
	if (record->runs->len > 0 && !check_is_long(record))
		check_reports(record, log);
}
