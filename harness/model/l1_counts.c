/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/l1_counts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/frame.h"
#include "model/reasons.h"

#define LOG_PREFIX "kvm: exitcount: VM "

/* The files, for messages. */
#define DEBUGFS	  "KVM's debugfs file"
#define HISTOGRAM "the histogram of kvm:kvm_exit"

/* Bits 15:0 of VMX's exit reason are the basic one (SDM vol. 3, "Format of Exit Reason"). */
#define VMX_BASIC_REASON 0xffff

static bool fail(const char *what, const char *line, GError **error)
{
	g_autofree char *start = g_strndup(line, 80);
	g_autofree char *shown = g_strescape(start, NULL);

	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
		    "L1: %s has the line \"%s\", which KVM of this series does not write; use the "
		    "kernel that make has built",
		    what, shown);
	return false;
}

/*
 * Whole text as lines; what follows the last newline is one as well, if anything does. A NUL byte
 * must not hide what comes after it, and becomes a '?'.
 */
static char **lines_of(const char *text, size_t length)
{
	g_autoptr(GString) copy = g_string_new_len(text, (gssize)length);

	for (size_t i = 0; i < length; i++)
		if (copy->str[i] == '\0')
			copy->str[i] = '?';
	return g_strsplit(copy->str, "\n", -1);
}

/* The kernel's own files are text from end to end. */
static bool is_text(const char *what, const char *text, size_t length, GError **error)
{
	if (length == 0 || memchr(text, '\0', length) == NULL)
		return true;
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
		    "L1: %s has a NUL byte, which no kernel writes; it was damaged on its way",
		    what);
	return false;
}

static bool parse_reason(const char *text, uint32_t *reason)
{
	uint64_t value;

	if (!frame_parse_u64(text, &value) || value > UINT32_MAX)
		return false;
	*reason = (uint32_t)value;
	return true;
}

static int by_reason(gconstpointer left, gconstpointer right)
{
	const struct record_exit *a = *(const struct record_exit *const *)left;
	const struct record_exit *b = *(const struct record_exit *const *)right;

	return (a->reason > b->reason) - (a->reason < b->reason);
}

/*
 * Add count to the entry of a reason, which is made if there is none. False if it is more than 64
 * bits then: that many exits there cannot have been.
 */
static bool add_count(GPtrArray *exits, uint32_t reason, const char *name, uint64_t count)
{
	struct record_exit *one = (struct record_exit *)record_find_exit(exits, reason);

	if (one == NULL) {
		one = record_exit_new(reason, name, 0);
		g_ptr_array_add(exits, one);
	}
	return !__builtin_add_overflow(one->count, count, &one->count);
}

static bool add_up(const GPtrArray *exits, const char *what, uint64_t *sum, GError **error)
{
	*sum = 0;
	for (guint i = 0; i < exits->len; i++) {
		const struct record_exit *one = g_ptr_array_index(exits, i);

		if (!__builtin_add_overflow(*sum, one->count, sum))
			continue;
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
			    "L1: %s has lines that add up to more than 64 bits; run it again",
			    what);
		return false;
	}
	return true;
}

/* ---- The kernel log ---- */

static bool fail_two_vms(GError **error)
{
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
		    "L1: its kernel log has the tables of two VMs; end other VMs on L1");
	return false;
}

/* One line of the table; text is what follows the VM. */
static bool take_log_line(GPtrArray **exits, char *text, uint64_t *total, GError **error)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	guint count = g_strv_length(words);
	uint64_t value;
	uint32_t reason;

	if (count == 2 && g_str_equal(words[1], "exits") && frame_parse_u64(words[0], total)) {
		if (*exits != NULL)
			return fail_two_vms(error);
		*exits = record_exits_new();
		return true;
	}
	if (*exits == NULL || count != 4 || !parse_reason(words[0], &reason) ||
	    !frame_parse_u64(words[2], &value) || record_find_exit(*exits, reason) != NULL)
		return fail("its kernel log", text, error);
	add_count(*exits, reason, words[1], value);
	return true;
}

/* Each line says whose it is; *vm is whose the first was. */
static bool is_of_one_vm(char **vm, const char *number, size_t length, GError **error)
{
	g_autofree char *other = g_strndup(number, length);

	if (*vm == NULL)
		*vm = g_strdup(other);
	return g_str_equal(*vm, other) || fail_two_vms(error);
}

GPtrArray *l1_counts_of_log(const char *text, size_t length, uint64_t *total, GError **error)
{
	g_auto(GStrv) lines = lines_of(text, length);
	g_autoptr(GPtrArray) exits = NULL;
	g_autofree char *vm = NULL;

	for (char **line = lines; *line != NULL; line++) {
		char *found = strstr(*line, LOG_PREFIX);
		char *number = found != NULL ? found + strlen(LOG_PREFIX) : NULL;
		char *rest = number != NULL ? strstr(number, ": ") : NULL;

		if (rest == NULL)
			continue;
		if (!is_of_one_vm(&vm, number, (size_t)(rest - number), error) ||
		    !take_log_line(&exits, rest + 2, total, error))
			return NULL;
	}
	if (exits != NULL)
		g_ptr_array_sort(exits, by_reason);
	return g_steal_pointer(&exits);
}

/* ---- debugfs ---- */

/* *ended: the last line, that of the total, has been there. */
static bool take_debugfs_line(GPtrArray *exits, const char *line, uint64_t *total, bool *ended,
			      GError **error)
{
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	guint count = g_strv_length(words);
	uint64_t value, cycles;
	uint32_t reason;

	if (!*ended && count == 3 && g_str_equal(words[0], "total") &&
	    frame_parse_u64(words[1], total) && frame_parse_u64(words[2], &cycles)) {
		*ended = true;
		return true;
	}
	if (*ended || count != 4 || !parse_reason(words[0], &reason) ||
	    !frame_parse_u64(words[2], &value) || !frame_parse_u64(words[3], &cycles) ||
	    record_find_exit(exits, reason) != NULL)
		return fail(DEBUGFS, line, error);
	add_count(exits, reason, words[1], value);
	return true;
}

GPtrArray *l1_counts_of_debugfs(const char *text, size_t length, GError **error)
{
	g_auto(GStrv) lines = lines_of(text, length);
	g_autoptr(GPtrArray) exits = record_exits_new();
	uint64_t total = UINT64_MAX, sum = 0;
	bool ended = false;

	if (!is_text(DEBUGFS, text, length, error))
		return NULL;
	for (char **line = lines; *line != NULL; line++) {
		if (**line != '\0' && !take_debugfs_line(exits, *line, &total, &ended, error))
			return NULL;
	}
	if (!add_up(exits, DEBUGFS, &sum, error))
		return NULL;
	if (ended && sum == total) {
		g_ptr_array_sort(exits, by_reason);
		return g_steal_pointer(&exits);
	}
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
		    "L1: KVM's debugfs file says %" PRIu64 " exits in all, and its lines add up to "
		    "%" PRIu64 "; it was cut off, or read while L2 ran",
		    total, sum);
	return NULL;
}

/* ---- The histogram ---- */

/* "{ exit_reason:         48 } hitcount:       4016"; *is_bucket says whether it is such a line. */
static bool take_bucket(GPtrArray *exits, const char *line, uint32_t vendor, bool *is_bucket)
{
	char reason_text[11], count_text[21];
	uint32_t reason;
	uint64_t count;
	int end = 0;

	*is_bucket = g_str_has_prefix(line, "{ ");
	if (!*is_bucket)
		return true;
	/* Digits only: as numbers, sscanf takes signs, and what does not fit. */
	if (sscanf(line, "{ exit_reason: %10[0-9] } hitcount: %20[0-9]%n", reason_text, count_text,
		   &end) != 2 ||
	    line[end] != '\0' || !parse_reason(reason_text, &reason) ||
	    !frame_parse_u64(count_text, &count))
		return false;
	if (vendor == KVM_EXITCOUNT_VENDOR_VMX)
		reason &= VMX_BASIC_REASON;
	return add_count(exits, reason, reason_name(vendor, reason), count);
}

/* "    Hits: 4016" and the like. */
static bool take_total(const char *line, const char *what, uint64_t *value)
{
	g_autofree char *stripped = g_strstrip(g_strdup(line));

	return g_str_has_prefix(stripped, what) &&
	       frame_parse_u64(g_strstrip(stripped + strlen(what)), value);
}

GPtrArray *l1_counts_of_histogram(const char *text, size_t length, uint32_t vendor, GError **error)
{
	g_auto(GStrv) lines = lines_of(text, length);
	g_autoptr(GPtrArray) exits = record_exits_new();
	uint64_t hits = UINT64_MAX, dropped = UINT64_MAX, sum = 0;
	bool is_bucket, has_hits = false;

	if (!is_text(HISTOGRAM, text, length, error))
		return NULL;
	for (char **line = lines; *line != NULL; line++) {
		g_strchomp(*line);
		if (!take_bucket(exits, *line, vendor, &is_bucket)) {
			fail(HISTOGRAM, *line, error);
			return NULL;
		}
		if (is_bucket)
			continue;
		if (take_total(*line, "Hits:", &hits))
			has_hits = true;
		else
			take_total(*line, "Dropped:", &dropped);
	}
	if (!add_up(exits, HISTOGRAM, &sum, error))
		return NULL;
	if (has_hits && sum == hits && dropped == 0) {
		g_ptr_array_sort(exits, by_reason);
		return g_steal_pointer(&exits);
	}
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
		    "L1: the histogram of kvm:kvm_exit is not whole: %" PRIu64
		    " hits, lines of %" PRIu64 ", %" PRIu64 " dropped; expected equal and none",
		    hits, sum, dropped);
	return NULL;
}
