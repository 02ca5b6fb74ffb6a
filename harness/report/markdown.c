/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/report.h"

#include <inttypes.h>
#include <string.h>

#include "report/columns.h"
#include "report/many.h"
#include "report/operations.h"
#include "report/statistics.h"
#include "report/prose.h"
#include "report/put.h"
#include "base/each.h"

/*
 * Foreign text in Markdown (CommonMark, "Backslash escapes"): any ASCII punctuation may be escaped,
 * so what could be markup, or HTML, is. A line break would end a table's row.
 */
void markdown_put(GString *out, const char *foreign)
{
	g_autofree char *valid = g_utf8_make_valid(foreign, -1);

	for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);

		if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			g_string_append_c(out, ' ');
		else {
			if (c < 0x80 && strchr("\\`*_{}[]<>#|&~$!", (int)c) != NULL)
				g_string_append_c(out, '\\');
			g_string_append_unichar(out, c);
		}
	}
}

/* A line of its own: prefix (markup), foreign text. */
static void put_line(GString *out, const char *prefix, const char *foreign)
{
	g_string_append(out, prefix);
	markdown_put(out, foreign);
	g_string_append_c(out, '\n');
}

/* ---- Verdict ---- */

static void put_bad_check(GString *out, const struct record_check *check)
{
	g_autofree char *text = g_strdup_printf(
		"%s%s%s: %s %s, expected %s. %s %s", check->rule, check->run != NULL ? " of " : "",
		check->run != NULL ? check->run : "",
		check->verdict == RECORD_CHECK_UNKNOWN ? "missing:" : "saw", check->saw,
		check->expected, check->why, check->advice);

	put_line(out, "- ", text);
}

static void put_verdict(GString *out, const struct report *report)
{
	static const char *const verdicts[] = {
		[RECORD_VALID] = "**VALID**: every rule holds.\n",
		[RECORD_INVALID] = "**INVALID**: these counts must not be used.\n\n",
		[RECORD_FAILED] = "**FAILED**: not measured to the end.\n\n",
	};

	put_line(out, "# ", report->title != NULL ? report->title : "eptlab");
	g_string_append_printf(out, "\n%s", verdicts[report->verdict]);
	if (report->verdict == RECORD_FAILED && report->error != NULL)
		put_line(out, "", report->error);
	each (const struct record_check, check, report->checks) {
		if (check->decisive)
			put_bad_check(out, check);
	}
}

/* ---- The kernel log ---- */

static void put_log(GString *out, const char *label, const char *kernel_log)
{
	g_autofree char *excerpt = report_excerpt(kernel_log);

	put_line(out, "\n### With ", label);
	/* Indented code holds any line; a fence could be closed by one. */
	if (excerpt != NULL) {
		g_auto(GStrv) lines = g_strsplit(g_strchomp(excerpt), "\n", -1);

		g_string_append_c(out, '\n');
		for (char **line = lines; *line != NULL; line++)
			g_string_append_printf(out, "    %s\n", *line);
	} else {
		g_string_append(out, "\nThe kernel log of this run is not at hand.\n");
	}
}

/* ---- The counts ---- */

static const struct column all[] = {
	{ COLUMN_REASON, false, "No." },
	{ COLUMN_NAME, false, "Exit reason" },
	{ COLUMN_COUNT, false, "" },
	{ COLUMN_COUNT, true, "" },
	{ COLUMN_DIFFERENCE, false, "Difference" },
	{ COLUMN_RATIO, false, "Ratio" },
	{ COLUMN_SHARE, false, "% " },
	{ COLUMN_SHARE, true, "% " },
	{ COLUMN_CYCLES, false, "Cycles " },
	{ COLUMN_CYCLES, true, "Cycles " },
};

/* row NULL: the headings. */
static void put_row(GString *out, const struct comparison *comparison, const GArray *columns,
		    const struct compare_row *row)
{
	for (guint i = 0; i < columns->len; i++) {
		const struct column *column = &g_array_index(columns, struct column, i);
		g_autofree char *cell = row != NULL ? column_words(comparison, column, row)
						    : column_heading(comparison, column);

		g_string_append(out, i == 0 ? "| " : " | ");
		markdown_put(out, cell);
	}
	g_string_append(out, " |\n");
}

static void put_table(GString *out, const struct comparison *comparison)
{
	g_autoptr(GArray) columns = columns_of(comparison, all, G_N_ELEMENTS(all));

	g_string_append_c(out, '\n');
	put_row(out, comparison, columns, NULL);
	for (guint i = 0; i < columns->len; i++)
		g_string_append(out, i == 1 ? "|---" : "|---:");
	g_string_append(out, "|\n");
	each_value (const struct compare_row, row, comparison->rows)
		if (!compare_row_is_empty(row))
			put_row(out, comparison, columns, row);
	put_row(out, comparison, columns, &comparison->total);
}

/* ---- Operations ---- */

static void put_cells(GString *out, char **cells)
{
	for (guint i = 0; cells[i] != NULL; i++) {
		g_string_append(out, i == 0 ? "| " : " | ");
		markdown_put(out, cells[i]);
	}
	g_string_append(out, " |\n");
}

static void put_operations(GString *out, const struct comparison *comparison)
{
	g_autoptr(GArray) rows = operation_rows(comparison);
	g_autofree char *notes = operation_notes(comparison);
	g_auto(GStrv) headings = operation_cells(comparison, NULL);

	if (rows->len == 0)
		return;
	put_line(out, "\n## What one operation costs\n\n", notes);
	g_string_append_c(out, '\n');
	put_cells(out, headings);
	for (guint i = 0; i < OPERATION_CELLS; i++)
		g_string_append(out, i == 0 || i == OPERATION_CELLS - 1 ? "|---" : "|---:");
	g_string_append(out, "|\n");
	for (guint i = 0; i < rows->len; i++) {
		g_auto(GStrv) cells =
			operation_cells(comparison, &g_array_index(rows, struct operation_row, i));

		put_cells(out, cells);
	}
}

static void put_many(GString *out, const struct report *report, enum many_table table)
{
	g_autoptr(GPtrArray) rows = many_rows(report, table);
	const guint count = g_strv_length(rows->pdata[0]);

	if (rows->len == 1)
		return;
	put_line(out, "\n## ", many_title(table));
	g_string_append_c(out, '\n');
	for (guint i = 0; i < rows->len; i++) {
		put_cells(out, rows->pdata[i]);
		for (guint j = 0; i == 0 && j < count; j++)
			g_string_append(out, j + 1 == many_names(table) ? "|---" : "|---:");
		if (i == 0)
			g_string_append(out, "|\n");
	}
}

static void put_statistics(GString *out, const struct report *report)
{
	g_autoptr(GPtrArray) runs = many_runs(report);
	g_autoptr(GArray) rows = statistic_rows(runs);
	g_autofree char *notes = statistic_notes(report);
	g_auto(GStrv) headings = statistic_cells(report, NULL);

	if (notes == NULL)
		return;
	put_line(out, "\n## What KVM itself counted\n\n", notes);
	g_string_append_c(out, '\n');
	if (rows->len == 0)
		return;
	put_cells(out, headings);
	for (guint i = 0; i < runs->len + 2; i++)
		g_string_append(out, i == 0 || i == runs->len + 1 ? "|---" : "|---:");
	g_string_append(out, "|\n");
	for (guint i = 0; i < rows->len; i++) {
		g_auto(GStrv) cells =
			statistic_cells(report, &g_array_index(rows, struct statistic_row, i));

		put_cells(out, cells);
	}
}

/* ---- Answers ---- */

/* Returns whether there are any. with_why: the reasons, which are the same in each comparison. */
static bool put_expectations(GString *out, const struct comparison *comparison, bool with_why)
{
	g_autoptr(GArray) expectations = expectations_of(comparison);
	g_autofree char *answer = prose_answer(expectations);

	if (answer == NULL) {
		g_string_append(out, "\nThis is no comparison of nested with shadow paging, so no "
				     "reason must differ because of it.\n");
		return false;
	}
	put_line(out, "\n", answer);
	g_string_append_c(out, '\n');
	each_value (const struct expectation, one, expectations) {
		g_autofree char *sentence = prose_expectation(comparison, one);
		g_autofree char *why = g_strdup_printf(" Why: %s (%s).", one->paging->explanation,
						       one->paging->source);
		g_autofree char *text =
			g_strdup_printf("%" PRIu32 " %s: %s%s", one->row->reason,
					one->row->name != NULL ? one->row->name : "", sentence,
					with_why ? why : "");

		put_line(out, "- ", text);
	}
	return true;
}

/* Of each run against the base; where there are more than two, below a heading. */
static void put_answers(GString *out, const struct report *report)
{
	g_autoptr(GPtrArray) comparisons = many_comparisons(report);
	bool explained = false;

	each (const struct comparison, one, comparisons) {
		if (report->all != NULL) {
			g_autofree char *heading =
				g_strdup_printf("%s beside %s", one->label_b, one->label_a);

			put_line(out, "\n### ", heading);
		}
		explained |= put_expectations(out, one, !explained);
	}
}

static void put_changes(GString *out, const struct report *report)
{
	g_autoptr(GPtrArray) comparisons = many_comparisons(report);
	g_autoptr(GPtrArray) runs = many_runs(report);

	g_string_append_c(out, '\n');
	for (guint i = 0; i < runs->len; i++) {
		g_autofree char *effect = prose_in_effect(runs->pdata[i]);
		g_autofree char *line =
			g_strdup_printf("%s: %s", many_label(comparisons, i), effect);

		put_line(out,
			 report->all != NULL ? "- "
			 : i == 0	     ? "- The first run: "
					     : "- The second run: ",
			 report->all != NULL ? line : effect);
	}
	each (const struct comparison, one, comparisons) {
		g_autoptr(GPtrArray) changes = prose_changes(one);
		g_autofree char *heading =
			report->all != NULL
				? g_strdup_printf("%s beside %s", one->label_b, one->label_a)
				: NULL;

		if (heading != NULL) {
			put_line(out, "\n", heading);
			g_string_append_c(out, '\n');
		}
		for (guint i = 0; i < changes->len; i++)
			put_line(out, "- ", g_ptr_array_index(changes, i));
	}
}

static void put_facts(GString *out, const struct report *report)
{
	g_autoptr(GPtrArray) facts = prose_facts(report);

	g_string_append_c(out, '\n');
	each (const struct prose_fact, fact, facts) {
		g_autofree char *line = g_strdup_printf("%s: %s", fact->name, fact->value);

		put_line(out, "- ", line);
	}
}

char *report_markdown(const struct report *report)
{
	const struct comparison *comparison = report->comparison;
	g_autoptr(GPtrArray) comparisons = many_comparisons(report);
	g_autoptr(GPtrArray) runs = many_runs(report);
	g_autofree char *subject = prose_subject(report);
	g_autofree char *inputs = prose_inputs(report);
	GString *out = g_string_new(NULL);

	put_verdict(out, report);
	put_line(out, "\n## What was compared\n\n", subject);
	if (inputs != NULL)
		put_line(out, "\n", inputs);
	put_changes(out, report);
	g_string_append(out, "\n## A sample of the kernel log\n");
	for (guint i = 0; i < runs->len; i++)
		put_log(out, many_label(comparisons, i),
			report->kernel_logs != NULL ? report->kernel_logs[i] : NULL);
	if (report->all != NULL) {
		put_many(out, report, MANY_EXITS);
		put_many(out, report, MANY_TICKS);
		put_many(out, report, MANY_COUNTS);
	} else {
		put_operations(out, comparison);
		g_string_append(out, "\n## The counts\n");
		put_table(out, comparison);
	}
	put_statistics(out, report);
	g_string_append(out, "\n## What the counts show, and is it what was expected?\n");
	put_answers(out, report);
	g_string_append(out, "\n## How the counts were obtained\n");
	put_facts(out, report);
	return g_string_free(out, FALSE);
}
