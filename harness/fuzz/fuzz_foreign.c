/* SPDX-License-Identifier: GPL-2.0-only */
/* Counts that somebody has taken: any file, what is told of it, and what two halves of it make. */
#include "fuzz/check.h"
#include "fuzz/fuzz.h"
#include "fuzz/mutate.h"

#include <stdio.h>
#include <string.h>

#include "foreign/diagnosis.h"
#include "foreign/number.h"
#include "foreign/read.h"
#include "report/check.h"
#include "record/words.h"
#include "report/report.h"

static GPtrArray *read_bytes(const uint8_t *data, size_t size)
{
	g_autoptr(GError) error = NULL;
	/* fmemopen() takes no empty buffer. */
	FILE *file =
		size > 0 ? fmemopen((void *)(uintptr_t)data, size, "r") : fopen("/dev/null", "re");
	GPtrArray *columns;

	g_assert_nonnull(file);
	columns = foreign_read_stream(file, "file", NULL, &error);
	fclose(file);
	check_outcome(columns != NULL, error, EPTLAB_ERROR_USAGE);
	return columns;
}

static void check_diagnosis(struct diagnosis *diagnosis, const struct foreign_counts *a,
			    const struct foreign_counts *b)
{
	g_autofree char *text = report_check_text(diagnosis, a, b, REPORT_WIDTH, false);
	g_autofree char *json = report_check_json(diagnosis, a, b);
	json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, NULL);

	check_printable(text, "\n");
	g_assert_true(json_is_object(root));
	json_decref(root);
	g_assert_nonnull(diagnosis->headline);
	for (guint i = 0; i < diagnosis->checks->len; i++) {
		const struct record_check *check = g_ptr_array_index(diagnosis->checks, i);

		/* What is sound has no question without an answer, and none with a bad one. */
		g_assert_true(diagnosis->verdict != DIAGNOSIS_SOUND || !check->decisive);
	}
	diagnosis_free(diagnosis);
}

static void check_counts(const struct foreign_counts *counts)
{
	check_ascending(counts->run->exits);
	check_diagnosis(diagnosis_of_one(counts), counts, NULL);
}

static void check_difference(const struct foreign_counts *a, const struct foreign_counts *b)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(struct_foreign_counts) less = foreign_counts_less(a, b, &error);

	check_outcome(less != NULL, error, EPTLAB_ERROR_USAGE);
}

static void check_pair(const struct foreign_counts *a, const struct foreign_counts *b)
{
	check_diagnosis(diagnosis_of_pair(a, b), a, b);
	check_difference(a, b);
}

/* What is a number whole is one also with its threes parted, and no other. */
static void check_number(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, MIN(size, 24));
	g_autofree char *wrong = NULL;
	g_autofree char *grouped = NULL;
	g_autofree char *again = NULL;
	uint64_t value = 0, same = 0;
	bool rounded = false;

	wrong = number_read(text, &value, &rounded);
	if (wrong != NULL)
		return;
	grouped = words_count(value);
	again = number_read(grouped, &same, &rounded);
	g_assert_true(again == NULL && same == value);
}

/* Whatever is chosen of them, no more is there than was. */
static void check_selection(GPtrArray *columns, uint8_t first, uint8_t second)
{
	const guint numbers[] = { first % 4, second % 4, 0 };
	const guint before = columns->len;
	g_autoptr(GError) error = NULL;

	check_outcome(foreign_select(columns, numbers, "file", &error), error, EPTLAB_ERROR_USAGE);
	g_assert_true(columns->len > 0 && columns->len <= before);
	foreign_keep_latest(columns);
	g_assert_true(columns->len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GPtrArray) columns = read_bytes(data, size);
	g_autoptr(GPtrArray) half = read_bytes(data, size / 2);

	for (guint i = 0; columns != NULL && i < columns->len; i++)
		check_counts(g_ptr_array_index(columns, i));
	if (columns != NULL && columns->len > 1)
		check_pair(g_ptr_array_index(columns, 0), g_ptr_array_index(columns, 1));
	if (columns != NULL && half != NULL)
		check_pair(g_ptr_array_index(half, 0), g_ptr_array_index(columns, 0));
	check_number(data, size);
	if (columns != NULL)
		check_selection(columns, data[0], data[size - 1]);
	return 0;
}

/* What is in a cell, or behind a '=', and lines exchanged or said twice: two runs in one file. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	return mutate_values(data, size, max, seed);
}
