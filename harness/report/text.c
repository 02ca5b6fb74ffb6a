/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/report.h"

#include <inttypes.h>
#include <string.h>

#define WIDTH	     80
#define REASON_WIDTH 5
#define NAME_WIDTH   20
#define COUNT_WIDTH  13 /* 9,999,999,999; what is longer is rounded */
#define RATIO_WIDTH  9

#define RED   "\033[1;31m"
#define GREEN "\033[1;32m"
#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

struct text {
	const struct report *report;
	bool colour;
	GString *out;
};

/* ---- Words ---- */

static void paint(const struct text *text, const char *code)
{
	if (text->colour)
		g_string_append(text->out, code);
}

/* Printable ASCII, one character for one: foreign text must not reach the terminal as it is. */
static char *cleaned(const char *foreign)
{
	g_autofree char *valid = g_utf8_make_valid(foreign ? foreign : "", -1);
	GString *clean = g_string_new(NULL);
	const char *at;

	for (at = valid; *at; at = g_utf8_next_char(at))
		g_string_append_c(clean, g_ascii_isprint(*at) ? *at : '?');
	return g_string_free(clean, FALSE);
}

/* At most width characters; '~' says that there were more. */
static char *shortened(const char *foreign, size_t width)
{
	char *text = cleaned(foreign);

	if (strlen(text) > width) {
		text[width - 1] = '~';
		text[width] = '\0';
	}
	return text;
}

/*
 * A paragraph, broken between words at WIDTH. first is the indent of its first line, others that of
 * the rest. A word that is longer than a line is broken anywhere.
 */
static void put_paragraph(const struct text *text, size_t first, size_t others, const char *foreign)
{
	g_autofree char *clean = cleaned(foreign);
	g_auto(GStrv) words = g_strsplit(clean, " ", -1);
	size_t column = first;
	bool at_start = true;
	guint i;

	g_string_append_printf(text->out, "%*s", (int)first, "");
	for (i = 0; words[i]; i++) {
		const char *word = words[i];

		if (!at_start && column + 1 + strlen(word) > WIDTH) {
			g_string_append_printf(text->out, "\n%*s", (int)others, "");
			column = others;
			at_start = true;
		}
		if (!at_start) {
			g_string_append_c(text->out, ' ');
			column++;
		}
		while (column + strlen(word) > WIDTH) {
			g_string_append_printf(text->out, "%.*s\n%*s", (int)(WIDTH - column), word,
					       (int)others, "");
			word += WIDTH - column;
			column = others;
		}
		g_string_append(text->out, word);
		column += strlen(word);
		at_start = false;
	}
	g_string_append_c(text->out, '\n');
}

/* ---- Numbers: the same in every locale ---- */

static char *with_thousands(uint64_t value)
{
	g_autofree char *digits = g_strdup_printf("%" PRIu64, value);
	GString *grouped = g_string_new(NULL);
	size_t left;

	for (left = strlen(digits); left > 0; left--) {
		g_string_append_c(grouped, digits[strlen(digits) - left]);
		if (left > 1 && left % 3 == 1)
			g_string_append_c(grouped, ',');
	}
	return g_string_free(grouped, FALSE);
}

static char *format_double(const char *format, double value)
{
	char buffer[G_ASCII_DTOSTR_BUF_SIZE];

	return g_strdup(g_ascii_formatd(buffer, sizeof(buffer), format, value));
}

/* With a sign in front ("", "+" or "-"); in COUNT_WIDTH, rounded if it must be. */
static char *format_count(const char *sign, uint64_t value)
{
	g_autofree char *grouped = with_thousands(value);
	g_autofree char *rounded = NULL;

	if (strlen(sign) + strlen(grouped) <= COUNT_WIDTH)
		return g_strconcat(sign, grouped, NULL);
	rounded = format_double("%.4e", (double)value);
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

static char *format_ratio(const struct compare_row *row)
{
	switch (row->ratio_kind) {
	case COMPARE_RATIO_KNOWN:
		/* 0.00 is for what has become 0. */
		if (row->ratio > 0 && row->ratio < 0.005)
			return g_strdup("<0.01");
		return format_double(row->ratio < 100000 ? "%.2f" : "%.2e", row->ratio);
	case COMPARE_RATIO_NEW:
		return g_strdup("new");
	case COMPARE_RATIO_NONE:
		return g_strdup("-");
	case COMPARE_RATIO_UNKNOWN:
		break;
	}
	return g_strdup("?");
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
	g_autofree char *title = cleaned(text->report->title);

	paint(text, code);
	g_string_append(text->out, word);
	paint(text, PLAIN);
	/* Together with the word and the colon in one line, or in a paragraph of its own. */
	if (strlen(word) + 2 + strlen(title) <= WIDTH) {
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

static void put_cells(const struct text *text, const char *reason, const char *name,
		      const char *const *cells)
{
	g_string_append_printf(text->out, "%*s %-*s", REASON_WIDTH, reason, NAME_WIDTH, name);
	for (; *cells; cells++)
		g_string_append_printf(text->out, " %*s", cells[1] ? COUNT_WIDTH : RATIO_WIDTH,
				       *cells);
	g_string_append_c(text->out, '\n');
}

static void put_heading(const struct text *text)
{
	const struct comparison *comparison = text->report->comparison;
	g_autofree char *a = shortened(comparison->label_a, COUNT_WIDTH);
	g_autofree char *b = shortened(comparison->label_b, COUNT_WIDTH);
	const char *const one[] = { a, "share", NULL };
	const char *const two[] = { a, b, "difference", "ratio", NULL };

	put_cells(text, "", "exit reason", comparison->b ? two : one);
}

static void put_row(const struct text *text, const struct compare_row *row, const char *reason,
		    const char *name)
{
	g_autofree char *a = format_side(&row->a);
	g_autofree char *b = format_side(&row->b);
	g_autofree char *difference = format_difference(row);
	g_autofree char *ratio = format_ratio(row);
	g_autofree char *percent = format_double("%.2f", row->a.share * 100);
	g_autofree char *share = g_strconcat(percent, "%", NULL);
	const char *const one[] = { a, share, NULL };
	const char *const two[] = { a, b, difference, ratio, NULL };

	put_cells(text, reason, name, text->report->comparison->b ? two : one);
}

static void put_reason_row(const struct text *text, const struct compare_row *row)
{
	g_autofree char *reason = g_strdup_printf("%" PRIu32, row->reason);
	g_autofree char *name = shortened(row->name, NAME_WIDTH);
	g_autofree char *short_reason = shortened(reason, REASON_WIDTH);

	put_row(text, row, short_reason, name);
}

/* The rows of one kind. Returns how many were left out because they are 0. */
static guint put_rows(const struct text *text, bool paging)
{
	const GArray *rows = text->report->comparison->rows;
	guint i, left_out = 0;

	for (i = 0; i < rows->len; i++) {
		const struct compare_row *row = &g_array_index(rows, struct compare_row, i);

		if (row->paging != paging)
			continue;
		if (compare_row_is_empty(row))
			left_out++;
		else
			put_reason_row(text, row);
	}
	return left_out;
}

static guint put_table(const struct text *text)
{
	guint left_out;

	put_heading(text);
	paint(text, BOLD);
	left_out = put_rows(text, true);
	paint(text, PLAIN);
	g_string_append_c(text->out, '\n');
	left_out += put_rows(text, false);
	g_string_append_c(text->out, '\n');
	put_row(text, &text->report->comparison->total, "", "total");
	return left_out;
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
	return with_thousands(side->cycles.value / side->count);
}

/* Most exits, and the most expensive ones, are not the same. */
static void put_cycles(const struct text *text)
{
	const struct comparison *comparison = text->report->comparison;
	g_autofree char *label_a = shortened(comparison->label_a, COUNT_WIDTH);
	g_autofree char *label_b = shortened(comparison->label_b, COUNT_WIDTH);
	const char *const one[] = { label_a, "an exit", NULL };
	const char *const two[] = { label_a, "an exit", label_b, "an exit", NULL };
	guint i;

	if (!comparison_has_cycles(comparison))
		return;
	g_string_append_c(text->out, '\n');
	put_cells(text, "", "cycles outside", comparison->b ? two : one);
	for (i = 0; i < comparison->rows->len; i++) {
		const struct compare_row *row =
			&g_array_index(comparison->rows, struct compare_row, i);
		g_autofree char *reason = g_strdup_printf("%" PRIu32, row->reason);
		g_autofree char *name = shortened(row->name, NAME_WIDTH);
		g_autofree char *a = format_cycles(&row->a);
		g_autofree char *each_a = format_each(&row->a);
		g_autofree char *b = format_cycles(&row->b);
		g_autofree char *each_b = format_each(&row->b);
		const char *const cells_one[] = { a, each_a, NULL };
		const char *const cells_two[] = { a, each_a, b, each_b, NULL };

		if (!compare_row_is_empty(row))
			put_cells(text, reason, name, comparison->b ? cells_two : cells_one);
	}
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

static void put_notes(const struct text *text, guint left_out)
{
	const struct comparison *comparison = text->report->comparison;
	GString *notes = g_string_new("The first rows are the paging-related reasons.");

	if (left_out > 0)
		g_string_append_printf(notes, " Left out: %u reason%s never seen.", left_out,
				       left_out == 1 ? "" : "s");
	if (comparison->b)
		g_string_append_printf(
			notes, " ratio: %s / %s%s.", comparison->label_b, comparison->label_a,
			has_new(comparison->rows) ? "; new: there is nothing to divide by" : "");
	put_paragraph(text, 0, 0, notes->str);
	g_string_free(notes, TRUE);
}

static void put_cost(const struct text *text, const char *what, double seconds,
		     struct record_u64 ticks)
{
	g_autofree char *time = format_double("%.1f s", seconds);
	g_autofree char *grouped = with_thousands(ticks.value);
	g_autofree char *line =
		g_strdup_printf("%s: %s%s%s%s", what, seconds < 0 ? "" : time,
				seconds < 0 || !ticks.known ? "" : ", ", ticks.known ? grouped : "",
				ticks.known ? " emulated instructions (ticks)" : "");

	if (seconds >= 0 || ticks.known)
		put_paragraph(text, 0, 2, line);
}

static const char *on_or_off(enum record_bool value)
{
	return value == RECORD_UNKNOWN ? "unknown" : value == RECORD_TRUE ? "on" : "off";
}

/* What a column's heading stands for: the name is anybody's choice, this is what was in effect. */
static void put_run(const struct text *text, const char *label, const struct record_run *run)
{
	g_autofree char *what =
		g_strdup_printf("%s (EPT %s, VPID %s)", label, on_or_off(run->in_effect.ept),
				on_or_off(run->in_effect.vpid));

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

char *report_text(const struct report *report, bool colour)
{
	const struct text text = {
		.report = report,
		.colour = colour,
		.out = g_string_new(NULL),
	};
	guint left_out;

	put_verdict(&text);
	left_out = put_table(&text);
	put_cycles(&text);
	g_string_append_c(text.out, '\n');
	put_notes(&text, left_out);
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
