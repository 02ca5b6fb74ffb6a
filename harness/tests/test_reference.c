/* SPDX-License-Identifier: GPL-2.0-only */
/* The reference records, and what README.md shows of them. Run in the top folder. */
#include <stdio.h>

#include "report/compare.h"
#include "record/record.h"
#include "judge/rules.h"
#include "record/words.h"
#include "report/report.h"
#include "tests/test.h"

#define REFERENCE "results/reference/bochs"

static struct record *load(const char *path)
{
	g_autoptr(GError) error = NULL;
	struct record *record = record_load(path, &error);

	if (record == NULL)
		fail_msg("%s", error->message);
	return record;
}

TEST(references_are_still_valid)
{
	test_each_of (row, REFERENCE, "results/reference/tcg", "results/reference/debian") {
		struct record *record = load(*row);

		rules_judge(record);
		assert_int_equal(record->verdict, RECORD_VALID);
		record_free(record);
	}
}

TEST(report_is_still_what_it_was)
{
	struct record *record = load(REFERENCE);
	g_autoptr(struct_comparison) comparison = comparison_new(
		g_ptr_array_index(record->runs, 0), NULL, g_ptr_array_index(record->runs, 1), NULL);
	g_autofree char *kept = test_get(".", REFERENCE "/report.txt");
	/* The title, which is the record's first name, is all that the record itself does not know.
	 */
	g_autofree char *title =
		g_strndup(kept + strlen("VALID: "), strcspn(kept, "\n") - strlen("VALID: "));
	const struct report report = report_of_record(record, comparison, title);
	g_autofree char *text = report_text(&report, REPORT_WIDTH, false);

	assert_string_equal(text, kept);
	record_free(record);
}

TEST(readme_shows_it)
{
	g_autofree char *readme = test_get(".", "README.md");
	g_autofree char *report = test_get(".", REFERENCE "/report.txt");

	assert_non_null(strstr(readme, g_strchomp(report)));
}

/* The page that explains the table speaks of the record's own numbers. */
TEST(reading_has_its_numbers)
{
	static const uint32_t reasons[] = { 0, 14, 28, 48, 49, 58 };
	struct record *record = load(REFERENCE);
	const struct record_run *ept = record_find_run(record, "ept");
	const struct record_run *noept = record_find_run(record, "noept");
	g_autofree char *page = test_get(".", "docs/reading.md");

	for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++) {
		const struct record_exit *a = record_find_exit(ept->exits, reasons[i]);
		const struct record_exit *b = record_find_exit(noept->exits, reasons[i]);
		g_autofree char *with = words_count(a->count);
		g_autofree char *without = words_count(b->count);
		g_autofree char *heading = g_strdup_printf("**%u %s: %s and %s.**", reasons[i],
							   a->name, with, without);

		if (strstr(page, heading) == NULL)
			fail_msg("docs/reading.md does not have %s", heading);
	}
	record_free(record);
}
