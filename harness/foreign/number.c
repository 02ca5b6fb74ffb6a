/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/number.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <glib.h>

#include "record/words.h"

/* With blanks or dots too: one separator throughout, and a single dot is a decimal point. */
#define GROUPED "[1-9]\\d{0,2}(?:([,'_ ])\\d{3}(?:\\g{-1}\\d{3})*|(?:\\.\\d{3}){2,})"

static GRegex *compiled(const char *pattern)
{
	static GHashTable *all;
	GRegex *regex;

	if (all == NULL)
		all = g_hash_table_new(g_direct_hash, g_direct_equal);
	regex = g_hash_table_lookup(all, pattern);
	if (regex != NULL)
		return regex;
	regex = g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_RAW | G_REGEX_OPTIMIZE, 0, NULL);
	g_assert(regex != NULL); /* patterns are constants */
	g_hash_table_insert(all, (gpointer)(uintptr_t)pattern, regex);
	return regex;
}

bool number_fits(const char *pattern, const char *text)
{
	return g_regex_match(compiled(pattern), text, 0, NULL);
}

char *number_without(const char *pattern, const char *text)
{
	return g_regex_replace_literal(compiled(pattern), text, -1, 0, "", 0, NULL);
}

static bool is_plain(const char *text)
{
	return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static char *digits_of(const char *text)
{
	GString *digits = g_string_new(NULL);

	for (; *text != '\0'; text++)
		if (g_ascii_isdigit(*text))
			g_string_append_c(digits, *text);
	return g_string_free(digits, FALSE);
}

static double unit_of(char letter)
{
	switch (g_ascii_tolower(letter)) {
	case 'k':
	case 't':
		return 1e3;
	case 'm':
		return 1e6;
	case 'g':
	case 'b':
		return 1e9;
	default:
		return 1;
	}
}

static bool read_rounded(const char *text, uint64_t *value)
{
	char *end;
	double number = g_ascii_strtod(text, &end);

	while (*end == ' ')
		end++;
	number *= unit_of(*end);
	/* Beyond it a double is no count. */
	if (!(number < 0x1p63))
		return false;
	*value = (uint64_t)llround(number);
	return true;
}

static bool read_exact(const char *text, int base, uint64_t *value)
{
	errno = 0;
	*value = g_ascii_strtoull(text, NULL, (guint)base);
	return errno == 0;
}

char *number_read(const char *text, uint64_t *value, bool *rounded)
{
	g_autofree char *shown = words_printable(text);
	g_autofree char *digits = NULL;
	bool fits;

	if (*text == '~') {
		*rounded = true;
		text++;
	}
	if (*text == '-')
		return g_strdup_printf("\"%.40s\" is negative, which no count is; a counter over "
				       "2^31 was printed with a sign: print it with %%llu",
				       shown);
	if (number_fits("^0x[0-9a-f]+$", text)) {
		fits = read_exact(text + 2, 16, value);
	} else if (is_plain(text) || number_fits("^\\d+\\.0{1,2}$", text)) {
		fits = read_exact(text, 10, value);
	} else if (number_fits("^" GROUPED "$", text)) {
		digits = digits_of(text);
		fits = read_exact(digits, 10, value);
	} else if (number_fits("^\\d+(?:\\.\\d+)?(?:e[+-]?\\d+|\\s?(?:[kmgb]|thousand|million|"
			       "billion))$",
			       text)) {
		*rounded = true;
		fits = read_rounded(text, value);
	} else {
		return g_strdup_printf("\"%.40s\" is no number that can be understood; separators "
				       "stand in threes (1,258,701)",
				       shown);
	}
	return fits ? NULL
		    : g_strdup_printf("\"%.40s%s\" has more than 64 bits, which no count has",
				      shown, strlen(shown) > 40 ? "..." : "");
}
