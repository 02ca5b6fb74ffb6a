/* SPDX-License-Identifier: GPL-2.0-only */
#include "collect/l1_counts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "wire/frame.h"
#include "record/reasons.h"

#define LOG_PREFIX "kvm: exitcount: VM "

/* The file, for messages. */
#define HISTOGRAM "the histogram of kvm:kvm_exit"

/* Bits 15:0 of VMX's exit reason are the basic one (SDM vol. 3, "Format of Exit Reason"). */
#define VMX_BASIC_REASON 0xffff

static bool refuse(const char *what, const char *line, GError **error)
{
	g_autofree char *start = g_strndup(line, 80);
	g_autofree char *shown = g_strescape(start, NULL);

	return eptlab_fail(error, EPTLAB_ERROR_L1,
			   "L1: %s has the line \"%s\", which KVM of this series does not write; "
			   "use the kernel "
			   "that make has built",
			   what, shown);
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

/* The same for a file of the kernel's own, which is text from end to end. */
static char **lines_of_histogram(const char *text, size_t length, GError **error)
{
	if (length == 0 || memchr(text, '\0', length) == NULL)
		return lines_of(text, length);
	return eptlab_null(error, EPTLAB_ERROR_L1,
			   "L1: " HISTOGRAM
			   " has a NUL byte, which no kernel writes; it was damaged on its way");
}

static bool parse_reason(const char *text, uint32_t *reason)
{
	uint64_t value;

	if (!frame_parse_u64(text, &value) || value > UINT32_MAX)
		return false;
	*reason = (uint32_t)value;
	return true;
}

/* "<reason> <NAME> <count>", of a reason that has not been there yet. */
static bool take_words(GPtrArray *exits, char **words)
{
	uint64_t count;
	uint32_t reason;

	return parse_reason(words[0], &reason) && frame_parse_u64(words[2], &count) &&
	       record_find_exit(exits, reason) == NULL && exits_add(exits, reason, words[1], count);
}

static bool adds_up(const GPtrArray *exits, struct record_u64 *sum, GError **error)
{
	*sum = exits_sum(exits);
	return sum->known ||
	       eptlab_fail(error, EPTLAB_ERROR_L1,
			   "L1: " HISTOGRAM
			   " has lines that add up to more than 64 bits; run it again");
}

/* ---- The kernel log ---- */

/* *vm is whose the first line was, and *exits what has been read of its table. */
static bool take_log_line(char **vm, GPtrArray **exits, char *number, char *rest, uint64_t *total,
			  GError **error)
{
	g_autofree char *other = g_strndup(number, (size_t)(rest - number));
	g_auto(GStrv) words = g_strsplit(rest + 2, " ", -1);
	const guint count = g_strv_length(words);
	const bool first =
		count == 2 && g_str_equal(words[1], "exits") && frame_parse_u64(words[0], total);

	if (*vm == NULL)
		*vm = g_strdup(other);
	if (!g_str_equal(*vm, other) || (first && *exits != NULL))
		return eptlab_fail(
			error, EPTLAB_ERROR_L1,
			"L1: its kernel log has the tables of two VMs; end other VMs on L1");
	if (first)
		*exits = record_exits_new();
	return first || (*exits != NULL && count == 4 && take_words(*exits, words)) ||
	       refuse("its kernel log", rest + 2, error);
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

		if (rest != NULL && !take_log_line(&vm, &exits, number, rest, total, error))
			return NULL;
	}
	return g_steal_pointer(&exits);
}

/* ---- KVM's statistic ---- */

/* Which bucket a reason has: asm/kvm_exit_reasons.h. */
static guint bucket_of(uint32_t vendor, uint32_t reason)
{
	return vendor == KVM_EXITCOUNT_VENDOR_SVM && reason >= KVM_EXITCOUNT_SVM_NPF
		       ? reason - KVM_EXITCOUNT_SVM_NPF + KVM_EXITCOUNT_SVM_NPF_SLOT
		       : reason;
}

/*
 * QEMU puts each bucket in front of those before it (add_kvmstat_entry() in accel/kvm/kvm-all.c),
 * so that the last one comes first. Should a QEMU not do so: whoever reads counts has executed
 * CPUID, and the bucket that is as far from the other end is of no reason (161 of VMX) or of one
 * that cannot happen (57 of SVM, WRITE_DR9: there is no DR9).
 */
static uint64_t *in_order(const GArray *buckets, uint32_t vendor)
{
	const guint cpuid = vendor == KVM_EXITCOUNT_VENDOR_SVM ? REASON_SVM_CPUID : REASON_CPUID;
	const uint64_t *given = (const uint64_t *)(void *)buckets->data;
	const guint last = buckets->len - 1;
	uint64_t *sorted = g_new(uint64_t, buckets->len);

	for (guint i = 0; i <= last; i++)
		sorted[i] = given[given[last - cpuid] > 0 ? last - i : i];
	return sorted;
}

GPtrArray *l1_counts_of_statistic(const struct kvm_histogram *statistic, uint32_t vendor,
				  GError **error)
{
	g_autofree uint64_t *buckets = NULL;
	g_autoptr(GPtrArray) exits = record_exits_new();
	uint64_t others = 0;
	guint named = 0;

	if (statistic->buckets->len != KVM_EXITCOUNT_SLOTS)
		return eptlab_null(error, EPTLAB_ERROR_L1,
				   "L1: KVM's statistic exit_reasons has %u buckets, expected %u; "
				   "use the kernel that make has built",
				   statistic->buckets->len, KVM_EXITCOUNT_SLOTS);
	buckets = in_order(statistic->buckets, vendor);
	for (uint32_t reason = 0; reason <= reason_highest(vendor); reason++) {
		if (!reason_is_defined(vendor, reason))
			continue;
		for (guint end = bucket_of(vendor, reason); named < end; named++)
			others += buckets[named];
		if (!exits_add(exits, reason, reason_name(vendor, reason), buckets[named++]))
			return NULL;
	}
	while (named < KVM_EXITCOUNT_SLOTS)
		others += buckets[named++];
	if (others > 0)
		exits_add(exits, reason_highest(vendor) + 1, "OTHER", others);
	return g_steal_pointer(&exits);
}

/* ---- The histogram ---- */

/* "{ exit_reason:         48 } hitcount:       4016" */
static bool take_bucket(GPtrArray *exits, const char *line, uint32_t vendor)
{
	char reason_text[11], count_text[21];
	uint32_t reason;
	uint64_t count;
	int end = 0;

	/* Digits only: as numbers, sscanf takes signs, and what does not fit. */
	if (sscanf(line, "{ exit_reason: %10[0-9] } hitcount: %20[0-9]%n", reason_text, count_text,
		   &end) != 2 ||
	    line[end] != '\0' || !parse_reason(reason_text, &reason) ||
	    !frame_parse_u64(count_text, &count))
		return false;
	if (vendor == KVM_EXITCOUNT_VENDOR_VMX)
		reason &= VMX_BASIC_REASON;
	return exits_add(exits, reason, reason_name(vendor, reason), count);
}

/* "    Hits: 4016" and the like. */
static void take_total(char *line, const char *what, struct record_u64 *total)
{
	g_strstrip(line);
	if (g_str_has_prefix(line, what))
		total->known = frame_parse_u64(g_strchug(line + strlen(what)), &total->value);
}

GPtrArray *l1_counts_of_histogram(const char *text, size_t length, uint32_t vendor, GError **error)
{
	g_auto(GStrv) lines = lines_of_histogram(text, length, error);
	g_autoptr(GPtrArray) exits = record_exits_new();
	struct record_u64 hits = { .value = UINT64_MAX }, dropped = hits, sum;

	for (char **line = lines; line != NULL && *line != NULL; line++) {
		if (g_str_has_prefix(*line, "{ ")) {
			if (take_bucket(exits, g_strchomp(*line), vendor))
				continue;
			refuse(HISTOGRAM, *line, error);
			return NULL;
		}
		take_total(*line, "Hits:", &hits);
		take_total(*line, "Dropped:", &dropped);
	}
	if (lines == NULL || !adds_up(exits, &sum, error))
		return NULL;
	if (hits.known && sum.value == hits.value && dropped.known && dropped.value == 0)
		return g_steal_pointer(&exits);
	return eptlab_null(error, EPTLAB_ERROR_L1,
			   "L1: the histogram of kvm:kvm_exit is not whole: %" PRIu64
			   " hits, lines of %" PRIu64 ", %" PRIu64
			   " dropped; expected equal and none",
			   hits.value, sum.value, dropped.value);
}

/* "# trigger info: hist:keys=exit_reason:...:size=2048 [paused]": event_hist_trigger_print(). */
static bool is_stopped(const char *text, size_t length)
{
	g_autofree char *copy = g_strndup(text, length);
	const char *info = strstr(copy, "# trigger info: ");
	g_autofree char *line = info != NULL ? g_strndup(info, strcspn(info, "\n")) : NULL;

	return line != NULL && g_str_has_suffix(g_strchomp(line), " [paused]");
}

static int by_reason(gconstpointer a, gconstpointer b)
{
	const struct record_exit *one = *(const struct record_exit *const *)a;
	const struct record_exit *other = *(const struct record_exit *const *)b;

	return (one->reason > other->reason) - (one->reason < other->reason);
}

/* No bucket was dropped, so a reason without one has not happened. */
static void add_zeros(GPtrArray *exits, uint32_t vendor)
{
	for (uint32_t reason = 0; reason <= reason_highest(vendor); reason++) {
		if (reason_is_defined(vendor, reason) && record_find_exit(exits, reason) == NULL)
			g_ptr_array_add(exits,
					record_exit_new(reason, reason_name(vendor, reason), 0));
	}
	g_ptr_array_sort(exits, by_reason);
}

GPtrArray *l1_counts_of_stopped_histogram(const char *text, size_t length, uint32_t vendor,
					  GError **error)
{
	GPtrArray *exits = l1_counts_of_histogram(text, length, vendor, error);

	if (exits == NULL)
		return NULL;
	if (is_stopped(text, length)) {
		add_zeros(exits, vendor);
		return exits;
	}
	g_ptr_array_unref(exits);
	eptlab_fail(
		error, EPTLAB_ERROR_L1,
		"L1: the histogram of kvm:kvm_exit was never stopped, so exits behind the end of "
		"the interval are in it; L1's kernel needs the tracepoint kvm:kvm_cpuid with the "
		"fields function and index");
	return NULL;
}
