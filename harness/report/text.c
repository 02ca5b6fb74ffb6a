/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/report.h"

#include <inttypes.h>

#include "report/grid.h"
#include "report/many.h"
#include "report/operations.h"
#include "report/statistics.h"
#include "report/prose.h"
#include "report/screen.h"
#include "report/table.h"
#include "record/words.h"

struct text {
	const struct report *report;
	struct screen screen;
};

/* ---- Verdict ---- */

static void put_verdict(const struct text *text)
{
	const struct report *report = text->report;

	screen_verdict(&text->screen, report->verdict, report->title, report->error);
	if (report->verdict == RECORD_INVALID)
		screen_decisive_checks(&text->screen, report->checks,
				       "These counts must not be used:");
	g_string_append_c(text->screen.out, '\n');
}

/* ---- What stands below ---- */

static void put_cost(const struct text *text, const char *what, double seconds,
		     struct record_u64 ticks)
{
	g_autofree char *time = words_double("%.1f s", seconds);
	g_autofree char *grouped = words_count(ticks.value);
	g_autofree char *line = g_strdup_printf(
		"%s%s%s%s%s%s", what, seconds < 0 && !ticks.known ? "" : ": ",
		seconds < 0 ? "" : time, seconds < 0 || !ticks.known ? "" : ", ",
		ticks.known ? grouped : "", ticks.known ? " emulated instructions (ticks)" : "");

	screen_paragraph(&text->screen, 0, 2, line);
}

/* What a column's heading stands for: the name is anybody's choice, this is what was in effect. */
static void put_run(const struct text *text, const char *label, const struct record_run *run)
{
	g_autofree char *effect = words_run_in_effect(run);
	g_autofree char *what = g_strdup_printf(
		"%s (%s%s)", label, effect,
		run->source == RECORD_TRACEPOINT ? "; counted by L1's tracepoint" : "");

	put_cost(text, what, run->seconds, run->ticks);
	if (run->command.known) {
		g_autofree char *said = prose_command(run);
		g_autofree char *command = g_strdup_printf("counted with %s: %s", label, said);

		screen_paragraph(&text->screen, 0, 2, command);
	}
	if (run->cost.known) {
		g_autofree char *cost = g_strdup_printf(
			"one CPUID round trip, %s: %.1f ticks of L2's time-stamp counter, the "
			"least "
			"of many batches of %" PRIu64,
			label, (double)run->cost.ticks / (double)run->cost.exits, run->cost.exits);

		screen_paragraph(&text->screen, 0, 2, cost);
	}
}

static void put_costs(const struct text *text)
{
	const struct comparison *comparison = text->report->comparison;

	if (text->report->seconds >= 0 || text->report->ticks.known)
		put_cost(text, "whole experiment", text->report->seconds, text->report->ticks);
	put_run(text, comparison->label_a, comparison->a);
	if (comparison->b)
		put_run(text, comparison->label_b, comparison->b);
	for (guint i = 2; text->report->all != NULL && i < text->report->all->len; i++) {
		const struct record_run *run = text->report->all->pdata[i];

		put_run(text, run->config, run);
	}
}

/* The last columns, the ratios, are left out where there is no room. */
static void put_many(const struct text *text, enum many_table table)
{
	g_autoptr(GPtrArray) rows = many_rows(text->report, table);
	const guint names = many_names(table);
	char **headings = rows->pdata[0];
	const guint count = g_strv_length(headings);
	g_autofree struct grid_column *columns = g_new0(struct grid_column, count);
	g_autoptr(struct_grid) grid = NULL;

	for (guint i = 0; i < count; i++)
		columns[i] = (struct grid_column){
			.heading = headings[i],
			.left = i + 1 == names,
			.optional = i >= names + text->report->all->len,
			.most = 24,
		};
	grid = grid_new(columns, count);
	for (guint i = 1; i < rows->len; i++)
		grid_add(grid, (const char *const *)rows->pdata[i]);
	if (rows->len > 1) {
		grid_put(grid, text->screen.out, text->screen.width);
		g_string_append_c(text->screen.out, '\n');
	}
}

static void put_all(const struct text *text)
{
	g_autofree char *base = words_printable(text->report->comparison->label_a);
	g_autofree char *notes = g_strdup_printf("All runs are compared with %s. The first rows "
						 "are the paging-related reasons; those "
						 "never seen are left out.",
						 base);

	put_many(text, MANY_EXITS);
	put_many(text, MANY_TICKS);
	put_many(text, MANY_COUNTS);
	screen_paragraph(&text->screen, 0, 0, notes);
}

static void put_inputs(const struct text *text)
{
	g_autofree char *inputs = prose_inputs(text->report);

	if (inputs == NULL)
		return;
	screen_paragraph(&text->screen, 0, 2, inputs);
	g_string_append_c(text->screen.out, '\n');
}

char *report_text(const struct report *report, size_t width, bool colour)
{
	const struct text text = {
		.report = report,
		.screen = {
			.out = g_string_new(NULL),
			.width = MAX(width, REPORT_WIDTH),
			.colour = colour,
		},
	};

	put_verdict(&text);
	put_inputs(&text);
	if (report->all != NULL) {
		put_all(&text);
	} else {
		operations_put(&text.screen, report->comparison);
		table_put(&text.screen, report->comparison);
		table_put_cycles(&text.screen, report->comparison);
		g_string_append_c(text.screen.out, '\n');
		table_put_notes(&text.screen, report->comparison);
	}
	statistics_put(&text.screen, report);
	put_costs(&text);
	return g_string_free(text.screen.out, FALSE);
}

struct report report_of_record(const struct record *record, const struct comparison *comparison,
			       const char *title)
{
	return (struct report){
		.comparison = comparison,
		.verdict = record->verdict,
		.error = record->error,
		.checks = record->checks,
		.all = comparison->b != NULL && record->runs->len > 2 ? record->runs : NULL,
		.title = title,
		.seconds = record->seconds,
		.ticks = record->ticks,
		.records = { record, record },
	};
}
