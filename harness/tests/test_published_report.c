/* SPDX-License-Identifier: GPL-2.0-only */
/* docs/published.md, and the report that its tables are. Run in the top folder. */
#include <string.h>

#include "base/each.h"
#include "record/record.h"
#include "record/words.h"
#include "report/compare.h"
#include "report/report.h"
#include "tests/sample.h"
#include "tests/test.h"

static char *published(const struct record *record, const char *title)
{
	g_autoptr(struct_comparison) comparison = comparison_new(
		g_ptr_array_index(record->runs, 0), NULL,
		record->runs->len > 1 ? g_ptr_array_index(record->runs, 1) : NULL, NULL);
	const struct report report = report_of_record(record, comparison, title);

	return report_published(&report);
}

TEST(document_is_what_the_command_makes)
{
	g_autofree char *document = test_get(".", "docs/published.md");
	const char *tables = strstr(document, "\n## ");
	g_autoptr(GString) made = g_string_new("\n");

	test_each_of (name, "bochs", "debian") {
		g_autofree char *path = g_strdup_printf("results/reference/%s", *name);
		g_autoptr(GError) error = NULL;
		g_autoptr(struct_record) record = record_load(path, &error);
		g_autofree char *text = NULL;

		assert_no_error(error);
		assert_int_equal(record->verdict, RECORD_VALID);
		assert_non_null(tables);
		/* What the head says of it. */
		each (const struct record_run, run, record->runs) {
			g_autofree char *total = words_count(run->total.value);
			const char *said = strstr(document, total);

			if (g_str_equal(*name, "debian"))
				assert_true(said != NULL && said < tables);
		}
		text = published(record, *name);
		g_string_append_printf(made, "%s\n", text);
	}
	assert_string_equal(tables, made->str);
}

/* Sample records have no operations; of one run, or of two with the same paging, there is no ratio.
 */
TEST(what_is_no_pair_is_said)
{
	static const struct {
		const char *root, *changes, *says, *says_not;
	} rows[] = {
		{ "ept.", "count.48=5", "| all exits | 449,531 | 11,166,598 | 24.84 |", "no pair" },
		{ "ept.", "l2_in_effect.ept=false", "no pair of nested and shadow", "449,531" },
		{ "noept.", "exits=null total=null", "no pair of nested and shadow", "449,531" },
	};

	test_each (row, rows) {
		struct record *record = sample_record();
		g_autofree char *text = NULL;

		sample_change(&record, row->root, row->changes);
		text = published(record, "a\nb");
		assert_begins(text, "## The record a?b\n");
		assert_says(text, row->says);
		assert_null(strstr(text, row->says_not));
		record_free(record);
	}
}
