/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/conform.h"

#include "model/conform.h"

/* One line of printable ASCII. */
static char *cleaned(const char *foreign)
{
	char *text = g_strdup(foreign);

	for (char *at = text; *at != '\0'; at++)
		*at = g_ascii_isprint(*at) ? *at : '?';
	return text;
}

/* A YAML string in single quotes; a quote inside is doubled. */
static void put_field(GString *out, const char *key, const char *value)
{
	g_autofree char *clean = cleaned(value);

	g_string_append_printf(out, "  %s: '", key);
	for (const char *at = clean; *at != '\0'; at++) {
		g_string_append_c(out, *at);
		if (*at == '\'')
			g_string_append_c(out, '\'');
	}
	g_string_append(out, "'\n");
}

static void put_mark(GString *out, guint number, const struct conform_mark *mark)
{
	g_autofree char *saw = cleaned(mark->saw);

	g_string_append_printf(out, "%sok %u - %s%s%s\n",
			       mark->verdict == CONFORM_NOT_OK ? "not " : "", number, mark->name,
			       mark->verdict == CONFORM_SKIPPED ? " # SKIP " : "",
			       mark->verdict == CONFORM_SKIPPED ? saw : "");
	if (mark->verdict != CONFORM_NOT_OK)
		return;
	g_string_append(out, "  ---\n");
	put_field(out, "saw", mark->saw);
	put_field(out, "expected", mark->expected);
	put_field(out, "why", mark->why);
	g_string_append(out, "  ...\n");
}

char *report_tap(const GPtrArray *marks)
{
	GString *out = g_string_new(NULL);

	g_string_append_printf(out, "TAP version 14\n1..%u\n", marks->len);
	for (guint i = 0; i < marks->len; i++)
		put_mark(out, i + 1, g_ptr_array_index(marks, i));
	return g_string_free(out, FALSE);
}

char *report_marks(const GPtrArray *marks)
{
	static const char *const words[] = {
		[CONFORM_OK] = "ok",
		[CONFORM_NOT_OK] = "NOT OK",
		[CONFORM_SKIPPED] = "skipped",
	};
	unsigned int counts[G_N_ELEMENTS(words)] = { 0 };
	GString *out = g_string_new(NULL);

	for (guint i = 0; i < marks->len; i++) {
		const struct conform_mark *mark = g_ptr_array_index(marks, i);
		g_autofree char *saw = cleaned(mark->saw);

		counts[mark->verdict]++;
		g_string_append_printf(out, "%-7s  %-22s %s\n", words[mark->verdict], mark->name,
				       saw);
		if (mark->verdict == CONFORM_NOT_OK)
			g_string_append_printf(out, "%32sexpected: %s\n%32swhy: %s\n", "",
					       mark->expected, "", mark->why);
	}
	g_string_append_printf(out, "%s: %u ok, %u not ok, %u skipped\n",
			       conform_is_good(marks) ? "CONFORMS" : "DOES NOT CONFORM",
			       counts[CONFORM_OK], counts[CONFORM_NOT_OK], counts[CONFORM_SKIPPED]);
	return g_string_free(out, FALSE);
}
