/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/wording.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/*
 * Quantifiers are possessive ("*+"): a line is looked at once, however it is made up. Groups have
 * names; what is missing there is missing in the line.
 */
#define LEAF	"(?:CPUID\\((?<leaf>0x[0-9a-f]{1,8})\\)[,:;]?+\\s*+)?"
#define REASON	"(?<reason>-?\\d++)"
#define COUNT	"(?<count>-?\\d++)"
#define BETWEEN "\\s*+[=:]?+\\s*+"

static const struct wording {
	const char *example;
	const char *pattern;
	const char *hint; /* a line without it is not looked at any closer; NULL: all are */
	enum reading_kind kind;
	bool plain;
} wordings[] = {
	{
		.example = "CPUID(0x4FFFFFFE), exit number=0, number of exits=7999",
		.pattern = LEAF "exit[ _](?:number|reason|type)" BETWEEN REASON
				"\\s*+[,;]?+\\s*+(?:number[ _]of[ _])?+(?:exits|count)\\s*+[=:]"
				"\\s*+" COUNT,
		.hint = "exit",
		.kind = READING_COUNT,
	},
	{
		.example = "The Exit Number is not present in the SDM: 35",
		.pattern = "exit number is not present in the SDM" BETWEEN REASON,
		.hint = "SDM",
		.kind = READING_UNDEFINED,
	},
	{
		.example = "value 35 not defined by the SDM",
		.pattern = "value " REASON " (?:is )?+not defined (?:by|in) the SDM",
		.hint = "SDM",
		.kind = READING_UNDEFINED,
	},
	{
		.example = "exit type 4 not enabled in KVM",
		.pattern = "exit (?:number|reason|type) " REASON " (?:is )?+not enabled in KVM",
		.hint = "exit",
		.kind = READING_DISABLED,
	},
	{
		.example = "kvm: exitcount: VM 123: 10007 exits",
		.pattern = "kvm: exitcount: VM \\d++: " COUNT " exits",
		.hint = "exitcount",
		.kind = READING_TABLE,
	},
	{
		.example = "kvm: exitcount: VM 123: 48 EPT_VIOLATION 4025 40.2%",
		.pattern = "kvm: exitcount: VM \\d++: " REASON " \\S++ " COUNT " ",
		.hint = "exitcount",
		.kind = READING_COUNT,
	},
	{
		.example = "CPUID(0x4FFFFFFC), total exits=449531",
		.pattern = LEAF "total[ _](?:number[ _]of[ _])?+exits\\s*+(?:[=:]|is)\\s*+" COUNT,
		.hint = "total",
		.kind = READING_TOTAL,
	},
	{
		.example = "   0x4ffffffe 0x30: eax=0x00000fb9 ebx=0x00000000 ecx=0x00000000 "
			   "edx=0x00000000",
		.pattern = "^\\s*+(?<leaf>0x[0-9a-f]{8}) (?<subleaf>0x[0-9a-f]{2,8}): "
			   "eax=(?<eax>0x[0-9a-f]{8}) ebx=(?<ebx>0x[0-9a-f]{8}) "
			   "ecx=(?<ecx>0x[0-9a-f]{8}) edx=(?<edx>0x[0-9a-f]{8})",
		.hint = "eax=",
		.kind = READING_COUNT,
	},
	{
		.example = "48 206477",
		.pattern = "^\\s*+" REASON "\\s*+[,;:=]?+\\s*+" COUNT "\\s*+$",
		.kind = READING_COUNT,
		.plain = true,
	},
};

static GRegex *patterns[G_N_ELEMENTS(wordings)];
static GRegex *stamp;

static GRegex *compile(const char *pattern)
{
	GRegex *regex =
		g_regex_new(pattern, G_REGEX_CASELESS | G_REGEX_RAW | G_REGEX_OPTIMIZE, 0, NULL);

	g_assert(regex != NULL); /* the table's patterns are constants */
	return regex;
}

static void compile_once(void)
{
	static gsize done;

	if (!g_once_init_enter(&done))
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(wordings); i++)
		patterns[i] = compile(wordings[i].pattern);
	stamp = compile("\\[\\s*+(?<seconds>\\d{1,9}\\.\\d{6})\\]");
	g_once_init_leave(&done, 1);
}

/* ---- Numbers ---- */

static bool fail(const struct reading *reading, const char *name, const char *what, GError **error)
{
	return eptlab_fail(error, EPTLAB_ERROR_USAGE, "L0: %s, line %" PRIu64 ": %s", name,
			   reading->line, what);
}

static bool read_number(const GMatchInfo *match, const char *group, uint64_t most,
			const struct reading *reading, const char *name, uint64_t *value,
			GError **error)
{
	g_autofree char *text = g_match_info_fetch_named(match, group);
	g_autofree char *what = NULL;

	if (text == NULL || *text == '\0')
		return true;
	errno = 0;
	*value = g_ascii_strtoull(text, NULL, 10);
	if (*text != '-' && errno == 0 && *value <= most)
		return true;
	if (*text == '-')
		what = g_strdup_printf(
			"%.40s is negative, which no count is; a counter over 2^31 was printed "
			"with a sign: print it with %%llu",
			text);
	else
		what = g_strdup_printf("%.40s%s has more than %d bits, which no %s has", text,
				       strlen(text) > 40 ? "..." : "", most == UINT64_MAX ? 64 : 32,
				       most == UINT64_MAX ? "count" : "exit reason");
	return fail(reading, name, what, error);
}

/* A group that is at most eight hexadecimal digits, as the pattern says; 0 if it is missing. */
static uint32_t hexadecimal(const GMatchInfo *match, const char *group)
{
	g_autofree char *text = g_match_info_fetch_named(match, group);

	return text != NULL ? (uint32_t)strtoul(text, NULL, 16) : 0;
}

/* The cpuid program prints registers; what they mean is as in asm/kvm_exitcount.h. */
static void read_registers(const GMatchInfo *match, struct reading *reading)
{
	uint32_t eax = hexadecimal(match, "eax"), ebx = hexadecimal(match, "ebx");
	uint32_t ecx = hexadecimal(match, "ecx"), edx = hexadecimal(match, "edx");

	reading->reason = hexadecimal(match, "subleaf");
	if (eax == 0 && ebx == 0 && ecx == 0 && edx == UINT32_MAX) {
		reading->kind = READING_UNDEFINED;
		return;
	}
	reading->more_registers = ecx != 0 || edx != 0;
	/* A kernel that only sets EAX leaves something of its own in the others. */
	reading->count = reading->more_registers ? eax : (uint64_t)ebx << 32 | eax;
}

static double seconds_of(const char *text)
{
	g_autoptr(GMatchInfo) match = NULL;
	g_autofree char *seconds = NULL;

	if (strchr(text, '[') == NULL || !g_regex_match(stamp, text, 0, &match))
		return -1;
	seconds = g_match_info_fetch_named(match, "seconds");
	return g_ascii_strtod(seconds, NULL);
}

/* ---- Lines ---- */

static bool read_match(const struct wording *wording, const GMatchInfo *match, const char *text,
		       const char *name, struct reading *reading, GError **error)
{
	uint64_t reason = 0;

	reading->kind = wording->kind;
	reading->plain = wording->plain;
	reading->leaf = hexadecimal(match, "leaf");
	reading->seconds = seconds_of(text);
	if (strstr(wording->pattern, "(?<eax>") != NULL) {
		read_registers(match, reading);
		return true;
	}
	if (!read_number(match, "reason", UINT32_MAX, reading, name, &reason, error) ||
	    !read_number(match, "count", UINT64_MAX, reading, name, &reading->count, error))
		return false;
	reading->reason = (uint32_t)reason;
	return true;
}

bool wording_read(const char *text, const char *name, struct reading *reading, GError **error)
{
	*reading = (struct reading){ .line = reading->line };
	compile_once();
	for (size_t i = 0; i < G_N_ELEMENTS(wordings); i++) {
		g_autoptr(GMatchInfo) match = NULL;

		if (wordings[i].hint != NULL && strcasestr(text, wordings[i].hint) == NULL)
			continue;
		if (g_regex_match(patterns[i], text, 0, &match))
			return read_match(&wordings[i], match, text, name, reading, error);
	}
	return false;
}

const char *const *wording_examples(void)
{
	static const char *examples[G_N_ELEMENTS(wordings) + 1];

	for (size_t i = 0; i < G_N_ELEMENTS(wordings); i++)
		examples[i] = wordings[i].example;
	return examples;
}
