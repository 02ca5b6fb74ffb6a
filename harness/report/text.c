/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/report.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "report/grid.h"
#include "report/words.h"

#define NAME_WIDTH  20
#define COUNT_WIDTH 13 /* 9,999,999,999; what is longer is rounded */

#define RED   "\033[1;31m"
#define GREEN "\033[1;32m"
#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

struct text {
	const struct report *report;
	size_t width;
	bool colour;
	GString *out;
};

/* ---- Words ---- */

static void paint(const struct text *text, const char *code)
{
	if (text->colour)
		g_string_append(text->out, code);
}

/*
 * A paragraph, broken between words at the width. first is the indent of its first line, others
 * that of the rest. A word that is longer than a line is broken anywhere.
 */
static void put_paragraph(const struct text *text, size_t first, size_t others, const char *foreign)
{
	g_autofree char *clean = words_printable(foreign);
	g_auto(GStrv) words = g_strsplit(clean, " ", -1);
	size_t column = first;
	bool at_start = true;
	guint i;

	g_string_append_printf(text->out, "%*s", (int)first, "");
	for (i = 0; words[i]; i++) {
		const char *word = words[i];

		if (!at_start && column + 1 + strlen(word) > text->width) {
			g_string_append_printf(text->out, "\n%*s", (int)others, "");
			column = others;
			at_start = true;
		}
		if (!at_start) {
			g_string_append_c(text->out, ' ');
			column++;
		}
		while (column + strlen(word) > text->width) {
			g_string_append_printf(text->out, "%.*s\n%*s", (int)(text->width - column),
					       word, (int)others, "");
			word += text->width - column;
			column = others;
		}
		g_string_append(text->out, word);
		column += strlen(word);
		at_start = false;
	}
	g_string_append_c(text->out, '\n');
}

/* With a sign in front ("", "+" or "-"); rounded if it must be. */
static char *format_count(const char *sign, uint64_t value)
{
	g_autofree char *grouped = words_count(value);
	g_autofree char *rounded = NULL;

	if (strlen(sign) + strlen(grouped) <= COUNT_WIDTH)
		return g_strconcat(sign, grouped, NULL);
	rounded = words_double("%.4e", (double)value);
	return g_strconcat(sign, rounded, NULL);
}

static char *format_side(const struct compare_side *side)
{
	return side->known ? format_count("", side->count) : g_strdup("?");
}

static char *format_difference(const struct compare_row *row)
{
	if (row->ratio_kind == COMPARE_RATIO_UNKNOWN)
		return g_strdup("?");
	return format_count(row->difference == 0 ? ""
			    : row->increased	 ? "+"
						 : "-",
			    row->difference);
}

/* ---- Verdict ---- */

static void put_failed_check(const struct text *text, const struct record_check *check)
{
	g_autofree char *about = check->run ? g_strdup_printf(" (%s)", check->run) : g_strdup("");
	g_autofree char *sentence =
		g_strdup_printf("- %s%s: %s %s, expected %s. %s %s", check->rule, about,
				check->verdict == RECORD_CHECK_UNKNOWN ? "missing:" : "saw",
				check->saw, check->expected, check->why, check->advice);

	put_paragraph(text, 2, 4, sentence);
}

static void put_verdict_word(const struct text *text, const char *code, const char *word)
{
	g_autofree char *title = words_printable(text->report->title);

	paint(text, code);
	g_string_append(text->out, word);
	paint(text, PLAIN);
	/* Together with the word and the colon in one line, or in a paragraph of its own. */
	if (strlen(word) + 2 + strlen(title) <= text->width) {
		g_string_append_printf(text->out, ": %s\n", title);
	} else {
		g_string_append(text->out, ":\n");
		put_paragraph(text, 2, 2, title);
	}
}

static guint put_failed_checks(const struct text *text)
{
	const GPtrArray *checks = text->report->checks;
	guint i, decisive = 0;

	for (i = 0; checks && i < checks->len; i++) {
		const struct record_check *check = checks->pdata[i];

		if (!check->decisive)
			continue;
		if (decisive++ == 0)
			g_string_append(text->out, "These counts must not be used:\n");
		put_failed_check(text, check);
	}
	return decisive;
}

static void put_verdict(const struct text *text)
{
	switch (text->report->verdict) {
	case RECORD_VALID:
		put_verdict_word(text, GREEN, "VALID");
		break;
	case RECORD_INVALID:
		put_verdict_word(text, RED, "INVALID");
		put_failed_checks(text);
		break;
	case RECORD_FAILED:
		put_verdict_word(text, RED, "FAILED");
		put_paragraph(text, 0, 0,
			      text->report->error ? text->report->error
						  : "The experiment was not completed.");
		break;
	}
	g_string_append_c(text->out, '\n');
}

/* ---- Table ---- */

/* On a log scale: exits span from ones to millions. 1 is not 0. */
static double bar_of(const struct compare_side *side)
{
	return side->known && side->count > 0 ? log10((double)side->count) + 0.3 : 0;
}

static double longest_bar(const GArray *rows)
{
	double longest = 0;

	for (guint i = 0; i < rows->len; i++) {
		const struct compare_row *row = &g_array_index(rows, struct compare_row, i);

		longest = MAX(longest, MAX(bar_of(&row->a), bar_of(&row->b)));
	}
	return longest;
}

static void add_row(struct grid *grid, const struct compare_row *row, const char *reason,
		    const char *name, bool two)
{
	g_autofree char *a = format_side(&row->a);
	g_autofree char *b = format_side(&row->b);
	g_autofree char *difference = format_difference(row);
	g_autofree char *ratio = words_ratio(row);
	g_autofree char *share_a = words_share(&row->a);
	g_autofree char *share_b = words_share(&row->b);
	const char *const cells_one[] = { reason, name, a, share_a };
	const char *const cells_two[] = { reason, name, a, b, difference, ratio, share_a, share_b };

	grid_add(grid, two ? cells_two : cells_one);
}

/* The rows of one kind. Returns how many were left out because they are 0. */
static guint add_rows(struct grid *grid, const struct comparison *comparison, bool paging)
{
	const double longest = longest_bar(comparison->rows);
	guint left_out = 0;

	for (guint i = 0; i < comparison->rows->len; i++) {
		const struct compare_row *row =
			&g_array_index(comparison->rows, struct compare_row, i);
		g_autofree char *reason = g_strdup_printf("%" PRIu32, row->reason);

		if (row->paging != paging)
			continue;
		if (compare_row_is_empty(row)) {
			left_out++;
			continue;
		}
		add_row(grid, row, reason, row->name, comparison->b != NULL);
		grid_set_bar(grid, bar_of(&row->a),
			     comparison->b != NULL ? bar_of(&row->b) : bar_of(&row->a), longest);
	}
	return left_out;
}

/* What the notes below have to say of the table. */
struct shown {
	guint left_out;
	bool bars;
};

static struct shown put_table(const struct text *text)
{
	const struct comparison *comparison = text->report->comparison;
	const bool two = comparison->b != NULL;
	g_autofree char *percent_a = g_strconcat("% ", comparison->label_a, NULL);
	g_autofree char *percent_b = two ? g_strconcat("% ", comparison->label_b, NULL) : NULL;
	const struct grid_column one_run[] = {
		{ .heading = "", .most = NAME_WIDTH },
		{ .heading = "exit reason", .left = true, .most = NAME_WIDTH },
		{ .heading = comparison->label_a, .most = COUNT_WIDTH },
		{ .heading = "share" },
	};
	const struct grid_column two_runs[] = {
		{ .heading = "", .most = NAME_WIDTH },
		{ .heading = "exit reason", .left = true, .most = NAME_WIDTH },
		{ .heading = comparison->label_a, .most = COUNT_WIDTH },
		{ .heading = comparison->label_b, .most = COUNT_WIDTH },
		{ .heading = "difference" },
		{ .heading = "ratio" },
		{ .heading = percent_a, .optional = true, .most = COUNT_WIDTH },
		{ .heading = percent_b, .optional = true, .most = COUNT_WIDTH },
	};
	g_autoptr(struct_grid) grid = two ? grid_new(two_runs, G_N_ELEMENTS(two_runs))
					  : grid_new(one_run, G_N_ELEMENTS(one_run));
	struct shown shown;

	grid_add_escape(grid, text->colour ? BOLD : "");
	shown.left_out = add_rows(grid, comparison, true);
	grid_add_escape(grid, text->colour ? PLAIN : "");
	grid_add_gap(grid);
	shown.left_out += add_rows(grid, comparison, false);
	grid_add_gap(grid);
	add_row(grid, &comparison->total, "", "total", two);
	shown.bars = grid_put(grid, text->out, text->width, "log scale");
	return shown;
}

/* ---- Cycles ---- */

static char *format_cycles(const struct compare_side *side)
{
	return side->cycles.known ? format_count("", side->cycles.value) : g_strdup("-");
}

static char *format_each(const struct compare_side *side)
{
	if (!side->cycles.known || !side->known || side->count == 0)
		return g_strdup("-");
	return words_count(side->cycles.value / side->count);
}

/* Most exits, and the most expensive ones, are not the same. */
static void put_cycles(const struct text *text)
{
	const struct comparison *comparison = text->report->comparison;
	const struct grid_column columns[] = {
		{ .heading = "", .most = NAME_WIDTH },
		{ .heading = "cycles outside", .left = true, .most = NAME_WIDTH },
		{ .heading = comparison->label_a, .most = COUNT_WIDTH },
		{ .heading = "an exit" },
		{ .heading = comparison->label_b, .most = COUNT_WIDTH },
		{ .heading = "an exit" },
	};
	g_autoptr(struct_grid) grid = grid_new(columns, comparison->b != NULL ? 6 : 4);

	if (!comparison_has_cycles(comparison))
		return;
	for (guint i = 0; i < comparison->rows->len; i++) {
		const struct compare_row *row =
			&g_array_index(comparison->rows, struct compare_row, i);
		g_autofree char *reason = g_strdup_printf("%" PRIu32, row->reason);
		g_autofree char *a = format_cycles(&row->a);
		g_autofree char *each_a = format_each(&row->a);
		g_autofree char *b = format_cycles(&row->b);
		g_autofree char *each_b = format_each(&row->b);
		const char *const cells[] = { reason, row->name, a, each_a, b, each_b };

		if (!compare_row_is_empty(row))
			grid_add(grid, cells);
	}
	g_string_append_c(text->out, '\n');
	grid_put(grid, text->out, text->width, NULL);
}

/* ---- What stands below ---- */

static bool has_new(const GArray *rows)
{
	guint i;

	for (i = 0; i < rows->len; i++)
		if (g_array_index(rows, struct compare_row, i).ratio_kind == COMPARE_RATIO_NEW)
			return true;
	return false;
}

static void put_notes(const struct text *text, struct shown shown)
{
	const struct comparison *comparison = text->report->comparison;
	GString *notes = g_string_new("The first rows are the paging-related reasons.");

	if (shown.left_out > 0)
		g_string_append_printf(notes, " Left out: %u reason%s never seen.", shown.left_out,
				       shown.left_out == 1 ? "" : "s");
	if (comparison->b)
		g_string_append_printf(
			notes, " ratio: %s / %s%s.", comparison->label_b, comparison->label_a,
			has_new(comparison->rows) ? "; new: there is nothing to divide by" : "");
	if (comparison->b && shown.bars)
		g_string_append_printf(notes, " Bars: = in both, - more in %s, + more in %s.",
				       comparison->label_a, comparison->label_b);
	put_paragraph(text, 0, 0, notes->str);
	g_string_free(notes, TRUE);
}

static void put_cost(const struct text *text, const char *what, double seconds,
		     struct record_u64 ticks)
{
	g_autofree char *time = words_double("%.1f s", seconds);
	g_autofree char *grouped = words_count(ticks.value);
	g_autofree char *line =
		g_strdup_printf("%s: %s%s%s%s", what, seconds < 0 ? "" : time,
				seconds < 0 || !ticks.known ? "" : ", ", ticks.known ? grouped : "",
				ticks.known ? " emulated instructions (ticks)" : "");

	if (seconds >= 0 || ticks.known)
		put_paragraph(text, 0, 2, line);
}

/* What a column's heading stands for: the name is anybody's choice, this is what was in effect. */
static void put_run(const struct text *text, const char *label, const struct record_run *run)
{
	g_autofree char *what =
		g_strdup_printf("%s (EPT %s, VPID %s)", label, words_on_off(run->in_effect.ept),
				words_on_off(run->in_effect.vpid));

	put_cost(text, what, run->seconds, run->ticks);
	if (run->cost.known) {
		g_autofree char *cost = g_strdup_printf(
			"one CPUID round trip, %s: %.1f ticks of L2's time-stamp counter, the "
			"least "
			"of many batches of %" PRIu64,
			label, (double)run->cost.ticks / (double)run->cost.exits, run->cost.exits);

		put_paragraph(text, 0, 2, cost);
	}
}

static void put_costs(const struct text *text)
{
	const struct comparison *comparison = text->report->comparison;

	put_cost(text, "whole experiment", text->report->seconds, text->report->ticks);
	put_run(text, comparison->label_a, comparison->a);
	if (comparison->b)
		put_run(text, comparison->label_b, comparison->b);
}

char *report_text(const struct report *report, size_t width, bool colour)
{
	const struct text text = {
		.report = report,
		.width = MAX(width, REPORT_WIDTH),
		.colour = colour,
		.out = g_string_new(NULL),
	};
	struct shown shown;

	put_verdict(&text);
	shown = put_table(&text);
	put_cycles(&text);
	g_string_append_c(text.out, '\n');
	put_notes(&text, shown);
	put_costs(&text);
	return g_string_free(text.out, FALSE);
}

struct report report_of_record(const struct record *record, const struct comparison *comparison,
			       const char *title)
{
	return (struct report){
		.comparison = comparison,
		.verdict = record->verdict,
		.error = record->error,
		.checks = record->checks,
		.title = title,
		.seconds = record->seconds,
		.ticks = record->ticks,
	};
}
