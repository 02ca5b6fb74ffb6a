/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What L1's kernel says of the exits of a VM. The first byte of the input chooses which text the
 * rest is: 0 kernel log, 1 KVM's statistic, 2 histogram on Intel, 3 histogram on AMD.
 */
#include "fuzz/check.h"
#include "fuzz/fuzz.h"

#include <inttypes.h>
#include <string.h>

#include "collect/l1_counts.h"
#include "record/reasons.h"

static void check_counts(const GPtrArray *exits)
{
	check_ascending(exits);
	for (guint i = 0; exits != NULL && i < exits->len; i++) {
		const struct record_exit *one = g_ptr_array_index(exits, i);

		g_assert_true(one->before == 0 && !one->cycles.known);
	}
}

/* Has a line the mark of the table? */
static bool has_table(const char *text, size_t size)
{
	static const char mark[] = "kvm: exitcount: VM ";

	while (size > 0) {
		const char *newline = memchr(text, '\n', size);
		size_t length = newline != NULL ? (size_t)(newline - text) : size;
		const char *found = memmem(text, length, mark, strlen(mark));

		if (found != NULL &&
		    memmem(found + strlen(mark), length - (size_t)(found - text) - strlen(mark),
			   ": ", 2) != NULL)
			return true;
		length += newline != NULL;
		text += length;
		size -= length;
	}
	return false;
}

static void try_log(const char *text, size_t size)
{
	g_autoptr(GError) error = NULL;
	uint64_t total = 0;
	g_autoptr(GPtrArray) exits = l1_counts_of_log(text, size, &total, &error);

	/* No table is no error; a table that is overlooked would be. */
	check_outcome(exits != NULL || !has_table(text, size), error, EPTLAB_ERROR_L1);
	check_counts(exits);
}

/* Does the text say that number? A hexadecimal one is not looked for. */
static bool says(const char *text, size_t size, uint64_t number)
{
	g_autofree char *decimal = g_strdup_printf("%" PRIu64, number);

	return memmem(text, size, decimal, strlen(decimal)) != NULL ||
	       memmem(text, size, "0x", 2) != NULL;
}

/* These two are whole files: what is accepted is text, and adds up to the total that it says. */
static void check_file(const GPtrArray *exits, const GError *error, const char *text, size_t size)
{
	uint64_t sum = 0;

	check_outcome(exits != NULL, error, EPTLAB_ERROR_L1);
	check_counts(exits);
	if (exits == NULL)
		return;
	for (guint i = 0; i < exits->len; i++) {
		const struct record_exit *one = g_ptr_array_index(exits, i);

		g_assert_false(__builtin_add_overflow(sum, one->count, &sum));
	}
	g_assert_true(memchr(text, '\0', size) == NULL);
	g_assert_true(says(text, size, sum));
}

/* The buckets as they come; 172 numbers and more are asked for. */
static void try_statistic(const char *text, size_t size, uint32_t vendor)
{
	struct kvm_histogram statistic = { .buckets = g_array_new(FALSE, TRUE, sizeof(uint64_t)) };
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) exits = NULL;

	g_array_append_vals(statistic.buckets, text, (guint)(size / sizeof(uint64_t)));
	exits = l1_counts_of_statistic(&statistic, vendor, &error);
	check_outcome(exits != NULL, error, EPTLAB_ERROR_L1);
	check_counts(exits);
	g_array_unref(statistic.buckets);
}

static void try_histogram(const char *text, size_t size, uint32_t vendor)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) exits = l1_counts_of_histogram(text, size, vendor, &error);

	check_file(exits, error, text, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;

	if (size == 0)
		return 0;
	switch (data[0] % 4) {
	case 0:
		try_log(text, size - 1);
		break;
	case 1:
		try_statistic(text, size - 1, KVM_EXITCOUNT_VENDOR_VMX);
		break;
	case 2:
		try_histogram(text, size - 1, KVM_EXITCOUNT_VENDOR_VMX);
		break;
	default:
		try_histogram(text, size - 1, KVM_EXITCOUNT_VENDOR_SVM);
		break;
	}
	return 0;
}
