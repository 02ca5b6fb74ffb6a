/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/check.h"

#include <inttypes.h>
#include <string.h>

#include "report/compare.h"
#include "report/report.h"
#include "report/screen.h"
#include "report/table.h"
#include "record/words.h"
#include "base/each.h"

/* ---- Text ---- */

static void put_reading(const struct screen *screen, const struct foreign_counts *counts)
{
	g_autofree char *total = counts->run->total.known ? words_count(counts->run->total.value)
							  : g_strdup("more than 2^64");
	g_autofree char *leaf = counts->leaf != 0
					? g_strdup_printf(", leaf 0x%" PRIX32, counts->leaf)
					: g_strdup("");
	g_autofree char *line = g_strdup_printf(
		"%s: %u reason%s, %s exits%s", counts->name, counts->run->exits->len,
		counts->run->exits->len == 1 ? "" : "s", total, leaf);

	screen_paragraph(screen, 0, 2, line);
	for (guint i = 0; i < counts->notes->len; i++) {
		g_autofree char *note =
			g_strdup_printf("- %s", (const char *)g_ptr_array_index(counts->notes, i));

		screen_paragraph(screen, 2, 4, note);
	}
}

static void put_verdict(const struct screen *screen, const struct diagnosis *diagnosis, bool alone)
{
	static const struct {
		const char *word, *sequence;
	} verdicts[] = {
		[DIAGNOSIS_SOUND] = { "SOUND", SCREEN_GREEN },
		[DIAGNOSIS_UNSOUND] = { "NOT SOUND", SCREEN_RED },
		[DIAGNOSIS_UNDECIDED] = { "CANNOT BE TOLD", SCREEN_RED },
	};

	g_string_append_c(screen->out, '\n');
	screen_headline(screen, verdicts[diagnosis->verdict].sequence,
			diagnosis->verdict == DIAGNOSIS_SOUND && alone
				? "SOUND ON ITS OWN"
				: verdicts[diagnosis->verdict].word,
			diagnosis->headline);
	for (guint i = 0; i < diagnosis->story->len; i++)
		screen_paragraph(screen, 2, 2, g_ptr_array_index(diagnosis->story, i));
	screen_decisive_checks(screen, diagnosis->checks, "What is wrong:");
}

/* The heading of a column: of "counts.csv:ept" only what comes last. */
static const char *label_of(const struct foreign_counts *counts)
{
	const char *colon = strrchr(counts->name, ':');

	return colon != NULL ? colon + 1 : counts->name;
}

static void put_counts(const struct screen *screen, const struct foreign_counts *first,
		       const struct foreign_counts *second)
{
	const char *a = label_of(first);
	const char *b = second != NULL ? label_of(second) : NULL;
	bool same = g_strcmp0(a, b) == 0;
	g_autoptr(struct_comparison) comparison =
		comparison_new(first->run, same ? "first" : a, second != NULL ? second->run : NULL,
			       same ? "second" : b);

	g_string_append_c(screen->out, '\n');
	table_put(screen, comparison);
	g_string_append_c(screen->out, '\n');
	table_put_notes(screen, comparison);
}

char *report_check_text(const struct diagnosis *diagnosis, const struct foreign_counts *first,
			const struct foreign_counts *second, size_t width, bool colour)
{
	const struct screen screen = {
		.out = g_string_new(NULL),
		.width = MAX(width, REPORT_WIDTH),
		.colour = colour,
	};

	put_reading(&screen, first);
	if (second != NULL)
		put_reading(&screen, second);
	put_verdict(&screen, diagnosis, second == NULL);
	put_counts(&screen, first, second);
	if (diagnosis->difference != NULL) {
		g_string_append_c(screen.out, '\n');
		put_reading(&screen, diagnosis->difference);
		put_counts(&screen, diagnosis->difference, NULL);
	}
	return g_string_free(screen.out, FALSE);
}

/* ---- JSON ---- */

static json_t *texts_to_json(const GPtrArray *texts)
{
	json_t *json = json_array();

	for (guint i = 0; i < texts->len; i++)
		json_array_append_new(json, report_json_text(g_ptr_array_index(texts, i)));
	return json;
}

static json_t *exits_to_json(const GPtrArray *exits)
{
	json_t *json = json_array();

	each (const struct record_exit, one, exits) {
		json_array_append_new(json, json_pack("{s:I, s:o, s:o}", "reason",
						      (json_int_t)one->reason, "name",
						      report_json_text(one->name), "count",
						      record_u64_to_json(one->count)));
	}
	return json;
}

static json_t *reading_to_json(const struct foreign_counts *counts)
{
	static const char *const pagings[] = {
		[PAGING_UNKNOWN] = "unknown", [PAGING_NESTED] = "nested",
		[PAGING_SHADOW] = "shadow",   [PAGING_BOTH] = "both",
		[PAGING_NEITHER] = "neither",
	};

	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "name", report_json_text(counts->name),
			 "paging", pagings[foreign_counts_paging(counts)], "total",
			 report_json_number(counts->run->total), "stated_total",
			 report_json_number(counts->stated_total), "notes",
			 texts_to_json(counts->notes), "exits", exits_to_json(counts->run->exits));
}

static const char *const verdicts[] = {
	[DIAGNOSIS_SOUND] = "sound",
	[DIAGNOSIS_UNSOUND] = "unsound",
	[DIAGNOSIS_UNDECIDED] = "undecided",
};

static json_t *diagnosis_to_json(const struct diagnosis *diagnosis,
				 const struct foreign_counts *first,
				 const struct foreign_counts *second)
{
	json_t *readings = json_array();
	json_t *checks = json_array();

	json_array_append_new(readings, reading_to_json(first));
	if (second != NULL)
		json_array_append_new(readings, reading_to_json(second));
	for (guint i = 0; i < diagnosis->checks->len; i++)
		json_array_append_new(
			checks, record_check_to_json(g_ptr_array_index(diagnosis->checks, i)));
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "verdict", verdicts[diagnosis->verdict],
			 "headline", report_json_text(diagnosis->headline), "story",
			 texts_to_json(diagnosis->story), "readings", readings, "difference",
			 diagnosis->difference != NULL ? reading_to_json(diagnosis->difference)
						       : json_null(),
			 "checks", checks);
}

char *report_check_json(const struct diagnosis *diagnosis, const struct foreign_counts *first,
			const struct foreign_counts *second)
{
	return report_json_dump(diagnosis_to_json(diagnosis, first, second));
}

/* ---- More than two ---- */

#define CHOOSE "%u sweeps: --sweep N judges one of them, --sweep M,N two as a pair"

char *report_check_sweeps_text(const GPtrArray *diagnoses, const GPtrArray *all, size_t width,
			       bool colour)
{
	const struct screen screen = {
		.out = g_string_new(NULL),
		.width = MAX(width, REPORT_WIDTH),
		.colour = colour,
	};
	g_autofree char *choose = g_strdup_printf(CHOOSE, all->len);

	for (guint i = 0; i < all->len; i++) {
		g_string_append_printf(screen.out, "%u. ", i + 1);
		put_reading(&screen, g_ptr_array_index(all, i));
		put_verdict(&screen, g_ptr_array_index(diagnoses, i), true);
		g_string_append_c(screen.out, '\n');
	}
	screen_paragraph(&screen, 0, 0, choose);
	return g_string_free(screen.out, FALSE);
}

char *report_check_sweeps_json(enum diagnosis_verdict verdict, const GPtrArray *diagnoses,
			       const GPtrArray *all)
{
	g_autofree char *choose = g_strdup_printf(CHOOSE, all->len);
	json_t *sweeps = json_array();

	for (guint i = 0; i < all->len; i++)
		json_array_append_new(sweeps, diagnosis_to_json(g_ptr_array_index(diagnoses, i),
								g_ptr_array_index(all, i), NULL));
	return report_json_dump(json_pack("{s:s, s:s, s:o}", "verdict", verdicts[verdict],
					  "headline", choose, "sweeps", sweeps));
}
