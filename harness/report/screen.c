/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/screen.h"

#include <string.h>

#include "record/record.h"
#include "record/words.h"
#include "base/each.h"

void screen_paint(const struct screen *screen, const char *sequence)
{
	if (screen->colour)
		g_string_append(screen->out, sequence);
}

void screen_paragraph(const struct screen *screen, size_t first, size_t others, const char *foreign)
{
	g_autofree char *clean = words_printable(foreign);
	g_auto(GStrv) words = g_strsplit(clean, " ", -1);
	size_t column = first;
	bool at_start = true;

	g_string_append_printf(screen->out, "%*s", (int)first, "");
	for (guint i = 0; words[i]; i++) {
		const char *word = words[i];

		if (!at_start && column + 1 + strlen(word) > screen->width) {
			g_string_append_printf(screen->out, "\n%*s", (int)others, "");
			column = others;
			at_start = true;
		}
		if (!at_start) {
			g_string_append_c(screen->out, ' ');
			column++;
		}
		while (column + strlen(word) > screen->width) {
			g_string_append_printf(screen->out, "%.*s\n%*s",
					       (int)(screen->width - column), word, (int)others,
					       "");
			word += screen->width - column;
			column = others;
		}
		g_string_append(screen->out, word);
		column += strlen(word);
		at_start = false;
	}
	g_string_append_c(screen->out, '\n');
}

void screen_headline(const struct screen *screen, const char *sequence, const char *word,
		     const char *title)
{
	g_autofree char *printable = words_printable(title);

	screen_paint(screen, sequence);
	g_string_append(screen->out, word);
	screen_paint(screen, SCREEN_PLAIN);
	/* Together with the word and the colon in one line, or in a paragraph of its own. */
	if (strlen(word) + 2 + strlen(printable) <= screen->width) {
		g_string_append_printf(screen->out, ": %s\n", printable);
	} else {
		g_string_append(screen->out, ":\n");
		screen_paragraph(screen, 2, 2, printable);
	}
}

void screen_verdict(const struct screen *screen, enum record_verdict verdict, const char *title,
		    const char *why)
{
	static const struct {
		const char *word, *sequence;
	} verdicts[] = {
		[RECORD_VALID] = { "VALID", SCREEN_GREEN },
		[RECORD_INVALID] = { "INVALID", SCREEN_RED },
		[RECORD_FAILED] = { "FAILED", SCREEN_RED },
	};

	screen_headline(screen, verdicts[verdict].sequence, verdicts[verdict].word, title);
	if (verdict == RECORD_FAILED)
		screen_paragraph(screen, 0, 0,
				 why != NULL ? why : "The experiment was not completed.");
}

static void put_check(const struct screen *screen, const struct record_check *check)
{
	g_autofree char *about = check->run ? g_strdup_printf(" (%s)", check->run) : g_strdup("");
	g_autofree char *sentence =
		g_strdup_printf("- %s%s: %s %s, expected %s. %s %s", check->rule, about,
				check->verdict == RECORD_CHECK_UNKNOWN ? "missing:" : "saw",
				check->saw, check->expected, check->why, check->advice);

	screen_paragraph(screen, 2, 4, sentence);
}

void screen_decisive_checks(const struct screen *screen, const GPtrArray *checks,
			    const char *heading)
{
	bool first = true;

	each (const struct record_check, check, checks) {
		if (!check->decisive)
			continue;
		if (first)
			g_string_append_printf(screen->out, "%s\n", heading);
		first = false;
		put_check(screen, check);
	}
}
