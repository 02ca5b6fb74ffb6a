/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading counts that somebody has taken. */

#include "foreign/forms.h"
#include "foreign/read.h"
#include "tests/sample.h"
#include "tests/test.h"

#define REPORTS "harness/tests/field-reports/"

static GPtrArray *try_bytes(const void *bytes, size_t length, uint32_t leaf, GError **error)
{
	FILE *file = fmemopen((void *)(uintptr_t)bytes, length, "r");
	const struct leaf_layout layout = { .count = leaf };
	GPtrArray *columns;

	assert_non_null(file);
	columns = foreign_read_stream(file, "file", &layout, error);
	fclose(file);
	return columns;
}

/* The only column in text. */
static GPtrArray *read_text(const char *text)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *columns = try_bytes(text, strlen(text), 0, &error);

	if (columns == NULL)
		fail_msg("%s", error->message);
	return columns;
}

static void assert_refused(const char *text, const char *reason)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *columns = try_bytes(text, strlen(text), 0, &error);

	assert_null(columns);
	assert_int_equal(error->domain, EPTLAB_ERROR);
	assert_int_equal(error->code, EPTLAB_ERROR_USAGE);
	assert_says(error->message, reason);
}

static void assert_count(const GPtrArray *columns, uint32_t reason, uint64_t count)
{
	const struct foreign_counts *counts = g_ptr_array_index(columns, 0);
	const struct record_exit *one = record_find_exit(counts->run->exits, reason);

	if (one == NULL)
		fail_msg("reason %u is missing", reason);
	else if (one->count != count)
		fail_msg("reason %u: %" G_GUINT64_FORMAT " instead of %" G_GUINT64_FORMAT, reason,
			 one->count, count);
}

static bool has_note(const GPtrArray *columns, const char *words)
{
	const struct foreign_counts *counts = g_ptr_array_index(columns, 0);

	for (guint i = 0; i < counts->notes->len; i++)
		if (strstr(g_ptr_array_index(counts->notes, i), words) != NULL)
			return true;
	return false;
}

/* ---- Wordings ---- */

TEST(each_wording_is_read)
{
	static const struct {
		const char *line;
		uint32_t reason;
		uint64_t count;
	} lines[] = {
		{ "CPUID(0x4FFFFFFE), exit number=0, number of exits=7999", 0, 7999 },
		{ "CPUID(0x4FFFFFFE), exit number: 1, exits= 65833", 1, 65833 },
		{ "CPUID(0x4FFFFFFD), exit number 0 exits=252436", 0, 252436 },
		{ "exit number= 0, number_of_exits =1524257", 0, 1524257 },
		{ "exit type 4 not enabled in KVM", 4, 0 },
		{ "[ 8306.884800] CPUID(0x4FFFFFFE), exit number: 48, exits= 3", 48, 3 },
		{ "Nov 20 10:00:00 host kernel: [    1.000000] exit number= 9, number_of_exits =8",
		  9, 8 },
		{ "   0x4ffffffe 0x30: eax=0x00000010 ebx=0x00000001 ecx=0x00000000 "
		  "edx=0x00000000",
		  48, (UINT64_C(1) << 32) + 16 },
		{ "exit reason 55 count: 2", 55, 2 },
		{ "48 206477", 48, 206477 },
		{ "48, 206477\r", 48, 206477 },
	};

	test_each (row, lines) {
		g_autoptr(GPtrArray) columns = read_text(row->line);

		assert_count(columns, row->reason, row->count);
	}
}

TEST(undefined_reasons_are_no_counts)
{
	test_each_of (
		text, "The Exit Number is not present in the SDM: 35",
		"value 35 not defined by the SDM",
		"[    1.000000] value 35 is not defined in the SDM",
		"   0x4ffffffe 0x23: eax=0x00000000 ebx=0x00000000 ecx=0x00000000 edx=0xffffffff") {
		g_autoptr(GPtrArray) columns = read_text(*text);
		const struct foreign_counts *counts = g_ptr_array_index(columns, 0);

		assert_int_equal(counts->run->exits->len, 0);
		assert_int_equal(counts->run->undefined->len, 1);
		assert_int_equal(g_array_index(counts->run->undefined, uint32_t, 0), 35);
	}
}

/* Each example is one that is read, and by its own row: what it says comes out. */
TEST(examples_are_what_they_say)
{
	size_t examples = 0;

	for (const char *const *example = forms_examples(); *example != NULL; example++) {
		g_autoptr(GArray) readings = readings_new();
		const char *tool = NULL;

		if (!forms_read(*example, 1, &tool, readings))
			fail_msg("not read: %s", *example);
		assert_int_equal(readings->len, 1);
		if (g_array_index(readings, struct reading, 0).wrong != NULL)
			fail_msg("%s: %s", *example,
				 g_array_index(readings, struct reading, 0).wrong);
		examples++;
	}
	assert_true(examples >= 25);
}

TEST(other_lines_are_no_counts)
{
	test_each_of (row, "[    0.000000] Linux version 6.1.0",
		      "kvm: exiting hardware virtualization", "exit number",
		      "exit number=, number of exits=5", "number of exits=5", "2026-11-10 12:00:00",
		      "2 vcpus 4", "exit 12 times", "pages 48-52", "0x4ffffffe 0x30: eax=0x10",
		      "value thirty-five not defined by the SDM")
		assert_refused(*row, "no exit counts in any form that is known");
	assert_refused("", "no exit counts");
	assert_refused("\n\n", "no exit counts");
}

TEST(impossible_numbers_are_refused)
{
	g_autoptr(GPtrArray) columns = NULL;

	assert_refused("exit number=0, exits=18446744073709551616",
		       "line 1: \"18446744073709551616\" has more");
	assert_refused("\nexit number=0, exits=-1", "line 2: \"-1\" is negative");
	assert_refused("exit number=-3, exits=1", "negative");
	assert_refused("exit number=4294967296, exits=1", "32 bits");
	columns = read_text("exit number=4294967295, exits=18446744073709551615");
	assert_count(columns, UINT32_MAX, UINT64_MAX);
}

/* ---- Which lines belong together ---- */

TEST(whole_sweeps_are_told_from_broken_ones)
{
	g_autoptr(GPtrArray) columns = read_text("exit number=0, exits=1\n"
						 "exit number=14, exits=2\n"
						 "exit number=0, exits=1\n"
						 "exit number=14, exits=2\n"
						 "exit number=48, exits=3\n"
						 "something else\n"
						 "exit number=0, exits=10\n"
						 "exit number=14, exits=20\n"
						 "exit number=48, exits=30\n"
						 "exit number=0, exits=100\n"
						 "exit number=14, exits=200\n");

	assert_int_equal(columns->len, 2);
	assert_count(columns, 0, 1);
	assert_count(columns, 14, 2);
	assert_count(columns, 48, 3);
	assert_true(has_note(columns, "2 readings before the sweep that counts are left aside"));
	g_ptr_array_remove_index(columns, 0);
	assert_count(columns, 0, 10);
	assert_count(columns, 14, 20);
	assert_count(columns, 48, 30);
	assert_true(has_note(columns, "2 readings after the sweep that counts are left aside"));
	assert_true(has_note(columns, "1 line is of something else"));
}

/* A reason that was asked for before all of them does not tear the sweep apart. */
TEST(stale_answer_is_no_part_of_the_sweep)
{
	g_autoptr(GPtrArray) columns = read_text("exit number=48, exits=1\n"
						 "exit number=0, exits=10\n"
						 "exit number=14, exits=20\n"
						 "exit number=48, exits=30\n"
						 "exit number=55, exits=3\n");

	assert_int_equal(columns->len, 1);
	assert_count(columns, 0, 10);
	assert_count(columns, 48, 30);
	assert_true(has_note(columns, "1 reading before the sweep that counts is left aside"));
}

TEST(doubled_answers_are_one)
{
	g_autoptr(GPtrArray) columns = read_text("exit number=0, exits=5\n"
						 "exit number=0, exits=6\n"
						 "exit number=14, exits=2\n"
						 "exit number=14, exits=2\n"
						 "exit number=48, exits=7\n"
						 "exit number=48, exits=9\n");
	const struct foreign_counts *counts = g_ptr_array_index(columns, 0);

	assert_count(columns, 0, 6);
	assert_count(columns, 48, 9);
	assert_true(has_note(columns, "each answer stands 2 times"));
	assert_null(counts->shrinking);
	assert_int_equal(counts->run->total.value, 6 + 2 + 9);
}

TEST(falling_counts_are_seen)
{
	g_autoptr(GPtrArray) columns = read_text("exit number=0, exits=6\n"
						 "exit number=0, exits=5\n"
						 "exit number=48, exits=7\n"
						 "exit number=48, exits=7\n");
	const struct foreign_counts *counts = g_ptr_array_index(columns, 0);

	assert_non_null(counts->shrinking);
	assert_says(counts->shrinking, "0: 6 in line 1, then 5 in line 2");
}

/* Somebody asked in another order. */
TEST(any_order_is_read)
{
	g_autoptr(GPtrArray) columns = read_text("exit number=48, exits=3\n"
						 "exit number=14, exits=2\n"
						 "exit number=0, exits=1\n");

	assert_count(columns, 0, 1);
	assert_count(columns, 14, 2);
	assert_count(columns, 48, 3);
	assert_true(has_note(columns, "the list is not ascending"));
}

TEST(other_leaves_are_left_aside)
{
	static const char text[] =
		"CPU 0:\n"
		"   0x4ffffffe 0x00: eax=0x00000005 ebx=0x00000000 ecx=0x00000000 edx=0x00000000\n"
		"   0x4ffffffe 0x30: eax=0x00000007 ebx=0x00000000 ecx=0x00000000 edx=0x00000000\n"
		"   0x4fffffff 0x00: eax=0x00000000 ebx=0x00000001 ecx=0x00000002 edx=0x00000000\n"
		"   0x4ffffffc 0x00: eax=0x0000000e ebx=0x00000000 ecx=0x00000000 edx=0x00000000\n";
	g_autoptr(GPtrArray) columns = read_text(text);
	const struct foreign_counts *counts = g_ptr_array_index(columns, 0);
	g_autoptr(GPtrArray) cycles = NULL;

	assert_count(columns, 0, 5);
	assert_count(columns, 48, 7);
	assert_true(has_note(columns, "1 line is of other leaves"));
	assert_false(counts->more_registers);
	assert_true(counts->stated_total.known);
	assert_int_equal(counts->stated_total.value, 14);
	assert_false(counts->total_first);
	/* Asked for by number, that leaf it is. */
	cycles = try_bytes(text, strlen(text), 0x4fffffff, NULL);
	assert_non_null(cycles);
	assert_true(((const struct foreign_counts *)g_ptr_array_index(cycles, 0))->more_registers);
}

TEST(total_knows_its_place)
{
	g_autoptr(GPtrArray) columns = read_text("total exits=3\n"
						 "exit number=0, exits=1\n"
						 "exit number=48, exits=3\n");
	const struct foreign_counts *counts = g_ptr_array_index(columns, 0);

	assert_true(counts->total_first);
	assert_int_equal(counts->stated_total.value, 3);
}

/* What the patched KVM prints when a VM goes away: reasons that are not there have no exit. */
TEST(own_kernel_log_is_read)
{
	g_autoptr(GPtrArray) columns =
		foreign_read("results/reference/bochs/noept/dmesg.log", NULL, NULL);
	const struct foreign_counts *counts;

	assert_non_null(columns);
	counts = g_ptr_array_index(columns, 0);
	assert_count(columns, 48, 0);
	assert_true(counts->stated_total.known);
	assert_int_equal(counts->stated_total.value, counts->run->total.value);
}

/* ---- Field reports ---- */

static GPtrArray *read_report(const char *name)
{
	g_autofree char *path = g_strconcat(REPORTS, name, NULL);
	g_autoptr(GError) error = NULL;
	GPtrArray *columns = foreign_read(path, NULL, &error);

	if (columns == NULL)
		fail_msg("%s", error->message);
	return columns;
}

TEST(field_reports_are_read)
{
	g_autoptr(GPtrArray) ept = read_report("a-ept.txt");
	g_autoptr(GPtrArray) noept = read_report("b-noept.txt");
	const struct foreign_counts *counts = g_ptr_array_index(ept, 0);

	assert_int_equal(counts->run->exits->len, 69);
	assert_int_equal(counts->notes->len, 0);
	assert_count(ept, 48, 206477);
	/* Of four lines for reason 0 the last two are the sweep's; 1 was asked before as well. */
	assert_count(noept, 0, 1443969);
	assert_count(noept, 1, 180631);
	assert_count(noept, 68, 0);
	assert_true(has_note(noept, "2 readings before the sweep that counts are left aside"));
	assert_true(has_note(noept, "2073 s earlier")); /* 10330.739756 - 8258.094924 */
	assert_true(has_note(noept, "not asked for: 3-6, 8-9, 11, 13, 15-27"));
}

/* ---- Tables and records ---- */

TEST(tables_are_read)
{
	g_autoptr(GPtrArray) own = foreign_read("results/reference/bochs/counts.csv", NULL, NULL);
	g_autoptr(GPtrArray) other = read_text("Exit reason;\"my, boot\"\n0;1\n\n48;2\ntotal;3\n");
	const struct foreign_counts *counts;

	assert_int_equal(own->len, 2);
	counts = g_ptr_array_index(own, 1);
	assert_string_equal(counts->name, "results/reference/bochs/counts.csv:noept");
	assert_int_equal(counts->run->exits->len, 80);
	assert_int_equal(other->len, 1);
	assert_count(other, 48, 2);
	counts = g_ptr_array_index(other, 0);
	assert_int_equal(counts->stated_total.value, 3);
}

TEST(bad_tables_are_refused)
{
	static const char nul[] = "reason,ept\n0,1\0\n";
	g_autoptr(GError) error = NULL;

	assert_refused("reason,ept\n0,-5\n", "line 2: \"-5\"");
	assert_refused("reason,ept\n0,18446744073709551616\n", "line 2");
	assert_refused("reason,ept\nx,1\n", "no exit counts");
	assert_refused("reason,ept\n0,\"1\n", "quotation mark");
	assert_refused("reason,name\n0,HLT\n", "no exit counts");
	assert_refused("reason,ept\n", "no exit counts");
	assert_null(try_bytes(nul, sizeof(nul) - 1, 0, &error));
	assert_says(error->message, "no exit counts");
}

TEST(records_are_read)
{
	g_autoptr(GPtrArray) folder = foreign_read("results/reference/bochs", NULL, NULL);
	g_autoptr(GPtrArray) file = foreign_read("results/reference/bochs/record.json", NULL, NULL);
	g_autoptr(struct_record) record = record_load("results/reference/bochs", NULL);
	const struct record_run *ept = record_find_run(record, "ept");

	assert_int_equal(folder->len, 2);
	assert_int_equal(file->len, 2);
	assert_count(folder, 48, record_find_exit(ept->exits, 48)->count);
	assert_count(file, 48, record_find_exit(ept->exits, 48)->count);
	assert_refused("{\"schema\": 1}", "file");
	assert_refused("{", "no JSON");
}

/* ---- Abuse ---- */

TEST(anything_may_stand_between)
{
	GString *text = g_string_new("\xff\xfe\x1b[2J\n");
	g_autoptr(GPtrArray) columns = NULL;

	for (size_t i = 0; i < 10 << 20; i++)
		g_string_append_c(text, 'x');
	g_string_append(text, "\nexit number=0, exits=1\n");
	g_string_append_len(text, "a\0b\n", 4);
	g_string_append(text, "exit number=48, exits=2");
	columns = try_bytes(text->str, text->len, 0, NULL);
	g_string_free(text, TRUE);
	assert_non_null(columns);
	assert_count(columns, 0, 1);
	assert_count(columns, 48, 2);
	assert_true(has_note(columns, "2 lines are too long"));
}

TEST(readings_are_bounded)
{
	GString *text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	for (int i = 0; i <= FOREIGN_READINGS_MAX; i++)
		g_string_append(text, "exit number=0, exits=1\n");
	assert_null(try_bytes(text->str, text->len, 0, &error));
	assert_says(error->message, "more than 20000 answers");
	g_string_assign(text, "{\n");
	while (text->len <= FOREIGN_WHOLE_MAX)
		g_string_append(text, "\"0\": 1,\n");
	g_clear_error(&error);
	assert_null(try_bytes(text->str, text->len, 0, &error));
	assert_says(error->message, "longer than any");
	g_string_free(text, TRUE);
}

TEST(what_is_not_there_is_an_error)
{
	g_autoptr(GError) error = NULL;

	assert_null(foreign_read("/nonexistent/file", NULL, &error));
	assert_int_equal(error->code, EPTLAB_ERROR_USAGE);
}
