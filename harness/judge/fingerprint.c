/* SPDX-License-Identifier: GPL-2.0-only */
#include "judge/fingerprint.h"

#include <inttypes.h>

#include "record/reasons.h"
#include "record/record.h"

static const struct {
	uint32_t reason;
	bool exact; /* a second boot doubles it */
} vmx[] = {
	{ REASON_DR_ACCESS, true }, { REASON_GDTR_IDTR, true }, { REASON_LDTR_TR, true },
	{ REASON_WBINVD, false },   { REASON_XSETBV, true },
};

/* SVM has no such list: nobody has measured one yet. */
static size_t list_length(uint32_t vendor)
{
	return vendor == KVM_EXITCOUNT_VENDOR_SVM ? 0 : G_N_ELEMENTS(vmx);
}

static struct record_u64 count_of(const GPtrArray *exits, uint32_t reason)
{
	const struct record_exit *one = record_find_exit(exits, reason);

	return one != NULL ? record_u64_from(one->before + one->count)
			   : (struct record_u64){ .known = false };
}

struct fingerprint fingerprint_compare(uint32_t vendor, const GPtrArray *a, const GPtrArray *b)
{
	struct fingerprint result = { .verdict = FINGERPRINT_UNKNOWN };
	unsigned int alike = 0, compared = 0, exact = 0, multiples = 0;

	for (size_t i = 0; i < list_length(vendor); i++) {
		struct record_u64 one = count_of(a, vmx[i].reason);
		struct record_u64 other = count_of(b, vmx[i].reason);

		if (!one.known || !other.known || (one.value == 0 && other.value == 0))
			continue;
		compared++;
		alike += one.value == other.value;
		if (!vmx[i].exact)
			continue;
		exact++;
		if (one.value == 0 || other.value % one.value != 0)
			continue;
		if (result.factor == 0)
			result.factor = other.value / one.value;
		multiples += other.value / one.value == result.factor;
	}
	if (compared < 2)
		return result;
	result.verdict = FINGERPRINT_DIFFERENT;
	if (alike == compared)
		result.verdict = FINGERPRINT_SAME;
	else if (exact >= 2 && multiples == exact && result.factor >= 2)
		result.verdict = FINGERPRINT_MULTIPLE;
	return result;
}

uint64_t fingerprint_at_least(uint32_t vendor, const GPtrArray *a, const GPtrArray *b)
{
	uint64_t least = UINT64_MAX;
	unsigned int exact = 0;

	for (size_t i = 0; i < list_length(vendor); i++) {
		struct record_u64 one = count_of(a, vmx[i].reason);
		struct record_u64 other = count_of(b, vmx[i].reason);

		if (one.known && other.known && one.value > 0)
			least = MIN(least, other.value / one.value);
	}
	for (size_t i = 0; i < list_length(vendor); i++) {
		struct record_u64 one = count_of(a, vmx[i].reason);
		struct record_u64 other = count_of(b, vmx[i].reason);

		exact += one.known && other.known && one.value > 0 &&
			 other.value % one.value == 0 && other.value / one.value == least;
	}
	return exact >= 2 && least >= 2 ? least : 0;
}

char *fingerprint_words(uint32_t vendor, const GPtrArray *a, const GPtrArray *b, uint64_t factor)
{
	GString *words = g_string_new(NULL);

	for (size_t i = 0; i < list_length(vendor); i++) {
		struct record_u64 one = count_of(a, vmx[i].reason);
		struct record_u64 other = count_of(b, vmx[i].reason);

		if (factor != 0 && (one.value == 0 || other.value % one.value != 0 ||
				    other.value / one.value != factor))
			continue;
		if (one.known && other.known && (one.value > 0 || other.value > 0))
			g_string_append_printf(words, "%s%" PRIu32 " %s %" PRIu64 " and %" PRIu64,
					       words->len > 0 ? ", " : "", vmx[i].reason,
					       reason_name(vendor, vmx[i].reason), one.value,
					       other.value);
	}
	return g_string_free(words, FALSE);
}

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b)
{
	while (b != 0) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

uint64_t fingerprint_divisor(uint32_t vendor, const GPtrArray *exits)
{
	uint64_t divisor = 0;
	unsigned int seen = 0;

	for (size_t i = 0; i < list_length(vendor); i++) {
		struct record_u64 one = count_of(exits, vmx[i].reason);

		if (!one.known || one.value == 0)
			continue;
		seen++;
		divisor = greatest_common_divisor(divisor, one.value);
	}
	return seen >= 4 ? divisor : 1;
}
