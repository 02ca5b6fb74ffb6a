/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/report.h"

#include <inttypes.h>
#include <string.h>

/* RFC 4180, section 2: quoted if it must be, a quote inside doubled. */
static void put_text(GString *out, const char *text)
{
	if (!strpbrk(text, "\",\r\n")) {
		g_string_append(out, text);
		return;
	}
	g_string_append_c(out, '"');
	for (; *text; text++) {
		if (*text == '"')
			g_string_append_c(out, '"');
		g_string_append_c(out, *text);
	}
	g_string_append_c(out, '"');
}

static void put_double(GString *out, double value)
{
	char buffer[G_ASCII_DTOSTR_BUF_SIZE];

	g_string_append(out, g_ascii_formatd(buffer, sizeof(buffer), "%.6f", value));
}

static void put_count(GString *out, const struct compare_side *side)
{
	if (side->known)
		g_string_append_printf(out, "%" PRIu64, side->count);
}

static void put_share(GString *out, const struct compare_side *side)
{
	if (side->known)
		put_double(out, side->share);
}

static void put_header(GString *out, const struct comparison *comparison)
{
	const char *const labels[] = { comparison->label_a, comparison->label_b };
	const unsigned int sides = comparison->b ? 2 : 1;
	unsigned int i;

	g_string_append(out, "reason,name,paging");
	for (i = 0; i < sides; i++) {
		g_string_append_c(out, ',');
		put_text(out, labels[i]);
	}
	if (comparison->b)
		g_string_append(out, ",difference,ratio");
	for (i = 0; i < sides; i++) {
		g_autofree char *share = g_strconcat("share ", labels[i], NULL);

		g_string_append_c(out, ',');
		put_text(out, share);
	}
	for (i = 0; i < sides && comparison_has_cycles(comparison); i++) {
		g_autofree char *cycles = g_strconcat("cycles ", labels[i], NULL);

		g_string_append_c(out, ',');
		put_text(out, cycles);
	}
	g_string_append(out, "\r\n");
}

static void put_change(GString *out, const struct compare_row *row)
{
	g_string_append_c(out, ',');
	put_count(out, &row->b);
	g_string_append_c(out, ',');
	if (row->ratio_kind != COMPARE_RATIO_UNKNOWN)
		g_string_append_printf(out, "%s%" PRIu64,
				       row->increased || row->difference == 0 ? "" : "-",
				       row->difference);
	g_string_append_c(out, ',');
	if (row->ratio_kind == COMPARE_RATIO_KNOWN)
		put_double(out, row->ratio);
}

static void put_cycles(GString *out, const struct compare_side *side)
{
	g_string_append_c(out, ',');
	if (side->cycles.known)
		g_string_append_printf(out, "%" PRIu64, side->cycles.value);
}

static void put_row(GString *out, const struct compare_row *row, bool two_sides, bool cycles)
{
	g_string_append_printf(out, "%" PRIu32 ",", row->reason);
	put_text(out, row->name ? row->name : "");
	g_string_append_printf(out, ",%s,", row->paging ? "yes" : "no");
	put_count(out, &row->a);
	if (two_sides)
		put_change(out, row);
	g_string_append_c(out, ',');
	put_share(out, &row->a);
	if (two_sides) {
		g_string_append_c(out, ',');
		put_share(out, &row->b);
	}
	if (cycles) {
		put_cycles(out, &row->a);
		if (two_sides)
			put_cycles(out, &row->b);
	}
	g_string_append(out, "\r\n");
}

char *report_csv(const struct report *report)
{
	const struct comparison *comparison = report->comparison;
	GString *out = g_string_new(NULL);
	guint i;

	put_header(out, comparison);
	for (i = 0; i < comparison->rows->len; i++)
		put_row(out, &g_array_index(comparison->rows, struct compare_row, i),
			comparison->b != NULL, comparison_has_cycles(comparison));
	return g_string_free(out, FALSE);
}
