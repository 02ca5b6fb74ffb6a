/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/words.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <asm/kvm_exitcount.h>

char *words_count(uint64_t value)
{
	g_autofree char *digits = g_strdup_printf("%" PRIu64, value);
	GString *grouped = g_string_new(NULL);
	size_t left;

	for (left = strlen(digits); left > 0; left--) {
		g_string_append_c(grouped, digits[strlen(digits) - left]);
		if (left > 1 && left % 3 == 1)
			g_string_append_c(grouped, ',');
	}
	return g_string_free(grouped, FALSE);
}

char *words_double(const char *format, double value)
{
	char buffer[G_ASCII_DTOSTR_BUF_SIZE];

	return g_strdup(g_ascii_formatd(buffer, sizeof(buffer), format, value));
}

const char *words_on_off(enum record_bool value)
{
	return value == RECORD_UNKNOWN ? "unknown" : value == RECORD_TRUE ? "on" : "off";
}

char *words_command_end(const struct record_command *command)
{
	const int value = (int)MIN(command->value, INT_MAX);

	switch (command->end) {
	case RECORD_EXITED:
		break;
	case RECORD_SIGNALLED:
		return g_strdup_printf("was ended by signal %d (%s)", value, g_strsignal(value));
	case RECORD_TIMED_OUT:
		return g_strdup_printf("had not ended after %d s", value);
	case RECORD_NOT_STARTED:
		return g_strdup_printf("could not be started (%s)", g_strerror(value));
	}
	return g_strdup_printf("exited with status %d", value);
}

char *words_printable(const char *foreign)
{
	g_autofree char *valid = g_utf8_make_valid(foreign != NULL ? foreign : "", -1);
	GString *clean = g_string_new(NULL);

	for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at))
		g_string_append_c(clean, g_ascii_isprint(*at) ? *at : '?');
	return g_string_free(clean, FALSE);
}

char *words_in_effect(uint32_t vendor, enum record_bool nested, enum record_bool vpid)
{
	if (vendor == KVM_EXITCOUNT_VENDOR_SVM)
		return g_strdup_printf("NPT %s", words_on_off(nested));
	return g_strdup_printf("EPT %s, VPID %s", words_on_off(nested), words_on_off(vpid));
}

char *words_run_in_effect(const struct record_run *run)
{
	const struct record_parameters *asked = &run->requested, *effect = &run->in_effect;
	g_autofree char *paging =
		words_in_effect(record_run_vendor(run), effect->ept, effect->vpid);

	return g_strconcat(
		paging, asked->unrestricted_guest != RECORD_UNKNOWN ? ", unrestricted guest " : "",
		asked->unrestricted_guest != RECORD_UNKNOWN
			? words_on_off(effect->unrestricted_guest)
			: "",
		asked->pcid == RECORD_FALSE ? ", no PCID in L2" : "",
		asked->thp != RECORD_UNKNOWN ? ", huge pages " : "",
		asked->thp != RECORD_UNKNOWN ? words_on_off(effect->thp) : "",
		asked->pti == RECORD_TRUE ? ", KPTI in L2" : "", NULL);
}
