/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/forms.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "foreign/number.h"
#include "record/reasons.h"

/*
 * Quantifiers are possessive ("*+") where they can be: a line is looked at once, however it is made
 * up. Groups have names; what is missing there is missing in the line.
 */
#define REASON "(?<reason>-?(?:0x[0-9a-f]++|\\d++)(?![0-9a-z]))"
#define COUNT                                                                                      \
	"(?<count>[-~]?\\d[0-9a-f]*+(?:x[0-9a-f]++)?+(?:[,.'_]\\d++| \\d{3}(?!\\d))*+"             \
	"(?:e[+-]?\\d++)?+(?: ?(?:[kmgb](?![a-z])|thousand|million|billion))?+)"
#define NAME "(?<name>[a-z](?:[a-z0-9_/]|[ -](?=[a-z]))*+)"
/* Of a tool that prints one for each thread or vCPU. */
#define PART	"(?<part>"
#define BEFORE	"(?<![a-z0-9_])"
#define BETWEEN "(?:[\\s=:#(.\\[]|-(?!\\d)|is\\s)*+"
#define KEY                                                                                        \
	BEFORE "(?:(?:vm[ _-]?)?(?:exit|reason)|[a-z_]*(?:exit|count|reason)[a-z_]*(?=\\[)|"       \
	       "(?:type|number)(?=\\s?=))"                                                         \
	       "(?:[\\s_#-]*+(?:basic|number|num|no|nr|reason|type|code|id)(?![a-z]))*+" BETWEEN   \
		       REASON
/* What may stand between a reason and its count. */
#define FILLER                                                                                     \
	"(?:[\\s,;:=.|>#)\\]_]|-(?!\\d)|\\([^()]{0,60}+\\)|(?:and|is|are|was|were|has|have|had|"   \
	"the|an?|for|of|in|total|number|num|no|nr|counts?|counter|(?:vm[ -]?)?exits?|hits?|"       \
	"occu\\w++|happened|times|value|approximately|about|to)(?![a-z]))*+"
#define UPPER "(?:(?-i:[A-Z][A-Z0-9_]{2,})(?![a-z])" FILLER ")?+"

/* Stands for the end of the first line in a form of two; no other form is looked for there. */
#define BREAK "\n"

struct form {
	const char *example;
	const char *hint; /* a line without it is not looked at any closer; NULL: all are */
	const char *tool; /* that watches for a while, and prints it; NULL: anything */
	enum reading_kind kind;
	enum reading_class class;
	bool more; /* other numbers may follow the count */
	const char *pattern;
};

static const struct form forms[] = {
	{ "kvm: exitcount: VM 123: 10007 exits", "exitcount", NULL, READING_TABLE, READING_WORDS,
	  false, "kvm: exitcount: VM \\d++: " COUNT " exits" },
	{ "kvm: exitcount: VM 123: 48 EPT_VIOLATION 4025 40.2%", "exitcount", NULL, READING_COUNT,
	  READING_WORDS, true, "kvm: exitcount: VM \\d++: " REASON " " NAME " (?<count>\\d++) " },
	{ "   0x4ffffffe 0x30: eax=0x00000fb9 ebx=0x00000000 ecx=0x00000000 "
	  "edx=0x00000000",
	  "eax=", NULL, READING_COUNT, READING_REGISTERS, false,
	  "0x[0-9a-f]{8} (?<reason>0x[0-9a-f]{1,8}): "
	  "eax=(?<eax>0x[0-9a-f]{8}) ebx=(?<ebx>0x[0-9a-f]{8}) "
	  "ecx=(?<ecx>0x[0-9a-f]{8}) edx=(?<edx>0x[0-9a-f]{8})" },
	{ "EPT_VIOLATION    2667    2.72%    0.04%    5.49us", "%", "perf kvm stat", READING_COUNT,
	  READING_WORDS, true,
	  "^\\s*+" NAME "\\s++" COUNT "\\s++\\d++\\.\\d++%\\s++\\d++\\.\\d++%" },
	{ "Total Samples:98200, Total events handled time:40000.01us.", "samples:", "perf kvm stat",
	  READING_TOTAL, READING_WORDS, false, "^\\s*+Total Samples:\\s*+" COUNT },
	{ "1273551  1273568  EPT_VIOLATION    6", NULL, "kvmexit", READING_COUNT, READING_WORDS,
	  true,
	  "^\\s*+(?:\\^C)?" PART "\\d++\\s++\\d++)\\s++" NAME "\\s++" COUNT
	  "(?:\\s++\\d++)?+\\s*+$" },
	{ "@[48]: 383853", "@", "bpftrace", READING_COUNT, READING_WORDS, false,
	  "^\\s*+@\\w*+\\[(?:" REASON "|" NAME ")" PART "(?:,[^\\],]*+)*+)\\]:\\s*+" COUNT
	  "\\s*+$" },
	{ "@[qemu-system-x86, 48]: 383853", "@", "bpftrace", READING_COUNT, READING_WORDS, false,
	  "^\\s*+@\\w*+\\[" PART "[^\\],]*+),\\s*+(?:" REASON "|" NAME ")\\]:\\s*+" COUNT
	  "\\s*+$" },
	{ "{ exit_reason: 48 } hitcount: 383853", "hitcount", "tracefs hist", READING_COUNT,
	  READING_WORDS, false,
	  "\\{[^}]*?exit_reason:\\s*+(?:" REASON "|" NAME ")" PART
	  "[^}]*+)\\}\\s*+hitcount:\\s*+" COUNT },
	{ "    Hits: 383860", "hits", "tracefs hist", READING_TOTAL, READING_WORDS, false,
	  "^\\s*+Hits: " COUNT "$" },
	{ "kvm_exit(EPT_VIOLATION)    383853    2.0    234", "kvm_exit(", "kvm_stat", READING_COUNT,
	  READING_WORDS, true, "^\\s*+kvm_exit\\(" NAME "\\)\\s++" COUNT "(?:\\s|$)" },
	{ "   EPT_VIOLATION    383853    2.0    234", NULL, "kvm_stat", READING_COUNT,
	  READING_WORDS, true, "^\\s*+" NAME "\\s++" COUNT "\\s++\\d++\\.\\d\\s++\\d++\\s*+$" },
	{ "kvm_exit    1234567    22.0    10234", "kvm_exit", "kvm_stat", READING_TOTAL,
	  READING_WORDS, true, "^\\s*+kvm_exit\\s++" COUNT "(?:\\s++\\d++\\.\\d|\\s*+$)" },
	{ "vcpu.0.exits.sum=5468522", "exits.sum", "KVM's statistics", READING_TOTAL, READING_WORDS,
	  false, "^\\s*+vcpu\\." PART "\\d++)\\.exits\\.sum=" COUNT },
	{ "vcpu.0.halt_exits.sum=132437", NULL, "KVM's statistics", READING_COUNT, READING_WORDS,
	  true,
	  "^\\s*+(?:vcpu\\." PART "\\d++)\\.)?(?<statistic>(?-i:(?:halt|io|irq|"
	  "irq_window|nmi_window)_exits|invlpg))(?:\\.sum)?(?:=|:?\\s++)" COUNT },
	{ "CPUID(0x4FFFFFFE), exit number=0, number of exits=7999", "exit", NULL, READING_COUNT,
	  READING_WORDS, false, KEY FILLER UPPER COUNT },
	{ "exit number 48, cycles: 99, exits: 5", "exit", NULL, READING_COUNT, READING_WORDS, false,
	  KEY "[\\s,;:.]++\\D.{0,80}?exits?(?:[ _]count)?\\s*+(?:[=:]|is )\\s*+" COUNT },
	{ "exit number 48" BREAK "  exits = 693838", BREAK, NULL, READING_COUNT, READING_WORDS,
	  false,
	  KEY "(?:[^\\w(\\n]|\\([^()\\n]{0,60}+\\)|(?-i:[A-Z][A-Z0-9_]{2,})(?![a-z])|is\\b)*+" BREAK
	      "\\s*+(?:(?:the|total|number|num|no|of|vm|exit)[\\s._-]++)*"
	      "(?:exits|counts?|counter|hits|occurrences|times|total|value)"
	      "\\s*+(?:[=:]++|is)\\s*+" COUNT "(?:\\s(?:exits|times|hits))?+"
	      "(?:[\\s,;.]++[^\\d]*(?:cycle|time).*+|[\\s,;.]*+)$" },
	{ "27479 exits for exit reason 48", "exit", NULL, READING_COUNT, READING_WORDS, true,
	  BEFORE COUNT "\\s++(?:vm[ -]?)?exits?\\s[a-z\\s]{0,30}?" KEY },
	{ "number of exits: 123 for exit number: 48", "exits", NULL, READING_COUNT, READING_WORDS,
	  true, "exits\\s*+[=:]\\s*+" COUNT "[\\s,;](?:for|of|by|with|[\\s,;])*+" KEY },
	{ "exit type 4 not enabled in KVM", "not enabled", NULL, READING_DISABLED, READING_WORDS,
	  false, KEY "[\\s,]*+(?:is )?not enabled" },
	{ "value 35 not defined by the SDM", " not ", NULL, READING_UNDEFINED, READING_WORDS, false,
	  "(?:" KEY "|value "
	  "(?<value>\\d++)"
	  ")[\\s,]*+(?:is )?not (?:defined|"
	  "supported|present|valid|known|implemented|handled)" },
	{ "The Exit Number is not present in the SDM: 35", "SDM", NULL, READING_UNDEFINED,
	  READING_WORDS, false,
	  "exit (?:number|reason|type) is not (?:present|defined) (?:in|by) the SDM"
	  "\\s*+[=:]?+\\s*+" REASON },
	{ "CPUID(0x4FFFFFFC), total exits=449531", "total", NULL, READING_TOTAL, READING_WORDS,
	  false,
	  BEFORE "total(?![a-z])(?![^=:]*cycle)[^0-9=:]{0,40}?(?:exits?|count)"
		 "(?![a-z])[^0-9=:]{0,40}?(?<![en]pt)(?<![en]pt\\s)(?:\\s*+[=:]++|"
		 "\\sis\\s)\\s*+" COUNT },
	{ "48 EPT_VIOLATION 383853", NULL, NULL, READING_COUNT, READING_PLAIN, false,
	  "^\\s*+(?:" REASON "[\\s,;:.)-]++)?+\\(?" NAME
	  "\\)?+(?:\\s*+(?:[,;:=]|-(?!\\d))\\s*+|\\s++)" COUNT "\\s*+$" },
	{ "EXIT_REASON_EPT_VIOLATION (48): 383853", "(", NULL, READING_COUNT, READING_PLAIN, false,
	  "^\\s*+[a-z][\\w ]*+\\(" REASON "\\)\\s*+[,;:=-]?+\\s++" COUNT "\\s*+$" },
	{ "ecx=48 eax=5877", "ecx", NULL, READING_COUNT, READING_WORDS, true,
	  BEFORE "ecx\\s*+[=:]\\s*+" REASON "[\\s,;>-]++eax\\s*+[=:]\\s*+" COUNT },
	{ "48- 35708, ffff97e0, 30, ffffffff", "-", NULL, READING_COUNT, READING_PLAIN, false,
	  "^\\s*+" REASON "\\s*+-\\s++" COUNT "(?:,\\s[0-9a-f]++){3}$" },
	{ "48 206477", NULL, NULL, READING_COUNT, READING_PLAIN, false,
	  "^\\s*+" REASON "(?:\\s*+(?:[,;:=|]|[-=]>)\\s*+|\\s++-\\s++|-\\s++|\\s++)" COUNT
	  "\\s*+$" },
};

/* What only one tool prints above its list. */
static const struct {
	const char *words, *tool;
} marks[] = {
	{ "KVM_EXIT_REASON", "kvmexit" },	   { "kvm exit reasons and statistics", "kvmexit" },
	{ "Analyze events for", "perf kvm stat" }, { "VM-EXIT    Samples", "perf kvm stat" },
	{ "# event histogram", "tracefs hist" },   { "kvm statistics", "kvm_stat" },
};

/* KVM counts these events for each vCPU, whatever tool shows them (struct kvm_vcpu_stat). */
static const struct {
	const char *name;
	uint32_t reason;
} statistics[] = {
	{ "irq_exits", REASON_EXTERNAL_INTERRUPT },
	{ "irq_window_exits", REASON_INTERRUPT_WINDOW },
	{ "nmi_window_exits", REASON_NMI_WINDOW },
	{ "halt_exits", REASON_HLT },
	{ "invlpg", REASON_INVLPG },
	{ "io_exits", REASON_IO_INSTRUCTION },
};

/* Other words for them: the SDM's, former kernels', perf's on AMD. */
static const struct {
	const char *name;
	uint32_t reason;
	bool svm;
} aliases[] = {
	{ "EXCEPTION", REASON_EXCEPTION_NMI, false },
	{ "EXCEPTION_OR_NMI", REASON_EXCEPTION_NMI, false },
	{ "EXTERNAL_INT", REASON_EXTERNAL_INTERRUPT, false },
	{ "PENDING_INTERRUPT", REASON_INTERRUPT_WINDOW, false },
	{ "HALT", REASON_HLT, false },
	{ "CR", REASON_CR_ACCESS, false },
	{ "MOV_CR", REASON_CR_ACCESS, false },
	{ "CONTROL_REGISTER_ACCESS", REASON_CR_ACCESS, false },
	{ "CONTROL_REGISTER_ACCESSES", REASON_CR_ACCESS, false },
	{ "MOV_DR", REASON_DR_ACCESS, false },
	{ "I_O_INSTRUCTION", REASON_IO_INSTRUCTION, false },
	{ "RDMSR", REASON_MSR_READ, false },
	{ "WRMSR", REASON_MSR_WRITE, false },
	{ "PAUSE", REASON_PAUSE_INSTRUCTION, false },
	{ "ACCESS_TO_GDTR_OR_IDTR", REASON_GDTR_IDTR, false },
	{ "ACCESS_TO_LDTR_OR_TR", REASON_LDTR_TR, false },
	{ "EPT_MISCONFIGURATION", REASON_EPT_MISCONFIG, false },
	{ "VMX_PREEMPTION_TIMER", REASON_PREEMPTION_TIMER, false },
	{ "VMX_PREEMPTION_TIMER_EXPIRED", REASON_PREEMPTION_TIMER, false },
	{ "IO", REASON_SVM_IOIO, true },
	{ "INTERRUPT", REASON_SVM_INTR, true },
	{ "PAUSE", REASON_SVM_PAUSE, true },
};

static GRegex *patterns[G_N_ELEMENTS(forms)];
static GRegex *stamp, *leaf, *reason_cell;
static GHashTable *names[2]; /* canonical name -> reason + 1, on Intel and on AMD */

static GRegex *compile(const char *pattern)
{
	GRegex *regex = g_regex_new(
		pattern, G_REGEX_CASELESS | G_REGEX_RAW | G_REGEX_OPTIMIZE | G_REGEX_DUPNAMES, 0,
		NULL);

	g_assert(regex != NULL); /* the tables' patterns are constants */
	return regex;
}

static void add_name(bool svm, const char *name, uint32_t reason)
{
	g_hash_table_insert(names[svm], (gpointer)(uintptr_t)name, GUINT_TO_POINTER(reason + 1));
}

static void add_names(void)
{
	for (int svm = 0; svm < 2; svm++) {
		const uint32_t vendor = svm ? KVM_EXITCOUNT_VENDOR_SVM : KVM_EXITCOUNT_VENDOR_VMX;

		names[svm] = g_hash_table_new(g_str_hash, g_str_equal);
		for (uint32_t reason = 0; reason <= reason_highest(vendor); reason++)
			if (reason_is_defined(vendor, reason))
				add_name(svm, reason_name(vendor, reason), reason);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(aliases); i++)
		add_name(aliases[i].svm, aliases[i].name, aliases[i].reason);
}

static const struct {
	const char *pattern, *instead;
} tidies[] = {
	/* No-break and thin spaces, apostrophes, dashes, the line of a box. */
	{ "\xc2\xa0|\xe2\x80[\x80-\x8a\xaf]|\xe3\x80\x80", " " },
	{ "\xe2\x80\x99|\xca\xbc", "'" },
	{ "\xe2\x80[\x90-\x95]|\xe2\x88\x92", "-" },
	{ "\xe2\x94[\x82\x83]", "|" },
	{ "\xe2\x86\x92", "->" },
	/* Bold, code, colours; cells of an HTML table, other tags. */
	{ "\\*\\*|`|\x1b\\[[0-9;]*+m", "" },
	{ "</t[dh]>\\s*+<t[dh][^<>]*+>", "|" },
	{ "</?[a-z][^<>]*+>", " " },
	/* The table of report.txt, whose columns stand as near as they can: the two of counts. */
	{ "^\\s*+exit reason\\s++(\\S++)\\s++(\\S++)\\s++difference\\s++ratio\\s.*+",
	  "exit reason|\\1|\\2" },
	{ "^\\s*+(\\d++ [A-Z]\\w++|total)\\s++(\\d[\\d,]*+|-)\\s++(\\d[\\d,]*+|-)"
	  "\\s++[+-]?\\d[\\d,]*+\\s++(?:<?\\d[\\d.,]*+|new|-)\\s++[\\d.]++%\\s++[\\d.]++%.*+",
	  "\\1|\\2|\\3" },
};

static GRegex *tidy[G_N_ELEMENTS(tidies)];

static void compile_once(void)
{
	static gsize done;

	if (!g_once_init_enter(&done))
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(forms); i++)
		patterns[i] = compile(forms[i].pattern);
	for (size_t i = 0; i < G_N_ELEMENTS(tidies); i++)
		tidy[i] = compile(tidies[i].pattern);
	/* A quotation, an item of a list, what syslog and the kernel write in front. */
	stamp = compile(
		"^[\\s>]*+(?:(?:[-+*]|\xe2\x80\xa2)\\s++)?(?:<\\d++>\\s*+)?"
		"(?:(?-i:[A-Z][a-z]{2})\\s++\\d++\\s[\\d:]{8}\\s\\S++\\s++)?(?:kernel:\\s*+)?"
		"(?:\\[(?:\\s*+(?<seconds>\\d{1,9}\\.\\d{6})|[^\\]]*?:[^\\]]*)\\]\\s*+)?");
	leaf = compile("(?<![0-9a-z])(?:0x)?(?<leaf>4f[0-9a-f]{6})(?![0-9a-z])");
	reason_cell = compile("^(?:exit|vm|reason|type|number|no|[\\s#:.-])*+(?:" REASON
			      "(?:[\\s:.)-]++[a-z(#].*+)?|[a-z#(/][^()]*+\\(" REASON "\\)\\s*+)$");
	add_names();
	g_once_init_leave(&done, 1);
}

/* ---- Lines ---- */

double forms_seconds(const char *text)
{
	g_autoptr(GMatchInfo) match = NULL;
	g_autofree char *seconds = NULL;

	compile_once();
	if (strchr(text, '[') == NULL || !g_regex_match(stamp, text, 0, &match))
		return -1;
	seconds = g_match_info_fetch_named(match, "seconds");
	return seconds != NULL && *seconds != '\0' ? g_ascii_strtod(seconds, NULL) : -1;
}

char *forms_tidy(const char *text)
{
	char *tidied = g_strdup(text);
	g_autoptr(GMatchInfo) match = NULL;
	int begin = 0, end = 0;

	compile_once();
	for (size_t i = 0; i < G_N_ELEMENTS(tidies); i++) {
		char *next;

		/* Most lines are plain ASCII. */
		if (i < 5 && g_str_is_ascii(tidied))
			continue;
		next = g_regex_replace(tidy[i], tidied, -1, 0, tidies[i].instead, 0, NULL);
		g_free(tidied);
		tidied = next;
	}
	/* A Markdown table may begin with a blank, and cpuid's lines do. */
	if (g_regex_match(stamp, tidied, 0, &match))
		g_match_info_fetch_pos(match, 0, &begin, &end);
	memmove(tidied, tidied + end, strlen(tidied + end) + 1);
	return tidied;
}

/* ---- Reasons and counts ---- */

/* "EXIT_REASON_EPT_VIOLATION", "EPT violation": "EPT_VIOLATION". */
static char *canonical(const char *text)
{
	static const char *const prefixes[] = { "EXIT_REASON_", "VMEXIT_", "SVM_EXIT_" };
	GString *name = g_string_new(NULL);
	size_t skip = 0;

	for (; *text != '\0'; text++) {
		if (g_ascii_isalnum(*text))
			g_string_append_c(name, g_ascii_toupper(*text));
		else if (name->len > 0 && name->str[name->len - 1] != '_')
			g_string_append_c(name, '_');
	}
	if (name->len > 0 && name->str[name->len - 1] == '_')
		g_string_truncate(name, name->len - 1);
	for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
		if (g_str_has_prefix(name->str, prefixes[i]))
			skip = strlen(prefixes[i]);
	g_string_erase(name, 0, (gssize)skip);
	return g_string_free(name, FALSE);
}

/* REASON_NONE if it is no name there. */
static uint32_t named(bool svm, const char *name)
{
	const guint found = GPOINTER_TO_UINT(g_hash_table_lookup(names[svm], name));

	return found > 0 ? found - 1 : REASON_NONE;
}

static bool reason_by_name(const char *text, struct reading *reading)
{
	g_autofree char *name = canonical(text);

	reading->reason = named(false, name);
	reading->svm_reason = named(true, name);
	return reading->reason != REASON_NONE || reading->svm_reason != REASON_NONE;
}

static bool reason_by_number(const char *text, struct reading *reading)
{
	uint64_t value = 0;
	bool rounded;

	if (g_str_has_prefix(text, "0x"))
		reading->wrong = number_read(text, &value, &rounded);
	else if (*text == '-' || !g_ascii_string_to_unsigned(text, 10, 0, UINT32_MAX, &value, NULL))
		value = UINT64_MAX;
	if (reading->wrong == NULL && value > UINT32_MAX)
		reading->wrong = g_strdup_printf("%.40s is no exit reason: it is negative, or has "
						 "more than 32 bits",
						 text);
	reading->reason = (uint32_t)value;
	reading->svm_reason = REASON_NONE;
	return true;
}

bool forms_reason(const char *text, struct reading *reading)
{
	g_autoptr(GMatchInfo) match = NULL;
	g_autofree char *number = NULL;

	compile_once();
	if (!g_regex_match(reason_cell, text, 0, &match))
		return reason_by_name(text, reading);
	number = g_match_info_fetch_named(match, "reason");
	return reason_by_number(number, reading);
}

void forms_count(const char *text, struct reading *reading)
{
	char *wrong = number_read(text, &reading->count, &reading->rounded);

	if (reading->wrong == NULL)
		reading->wrong = wrong;
	else
		g_free(wrong);
}

/* A number goes on as far as this; what follows it is part of what is not understood. */
static char *whole_number(const char *text, int begin, int end, bool more)
{
	const char *from = text + begin, *to = text + end;

	while (g_ascii_isalnum(*to) || *to == '%' || (*to == '_' && g_ascii_isdigit(to[1])) ||
	       (*to != '\0' && strchr(",.'", *to) != NULL && g_ascii_isdigit(to[1])) ||
	       (!more && *to == ' ' && g_ascii_isdigit(to[1])))
		to++;
	return g_strndup(from, (gsize)(to - from));
}

static void read_count(const struct form *form, const GMatchInfo *match, const char *text,
		       struct reading *reading)
{
	g_autofree char *count = NULL;
	int begin = -1, end = -1;

	if (!g_match_info_fetch_named_pos(match, "count", &begin, &end) || begin < 0)
		return;
	count = whole_number(text, begin, end, form->more);
	/* "5877exits" */
	if (g_str_has_suffix(count, "exits"))
		count[strlen(count) - strlen("exits")] = '\0';
	forms_count(count, reading);
	reading->spaced = strpbrk(count, " ,") != NULL && form->class == READING_PLAIN;
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

	if (eax == 0 && ebx == 0 && ecx == 0 && edx == UINT32_MAX) {
		reading->kind = READING_UNDEFINED;
		return;
	}
	reading->more_registers = ecx != 0 || edx != 0;
	/* A kernel that only sets EAX leaves something of its own in the others. */
	reading->count = reading->more_registers ? eax : (uint64_t)ebx << 32 | eax;
}

/* False if a name is no reason's. */
static bool read_reason(const GMatchInfo *match, struct reading *reading)
{
	static const char *const groups[] = { "reason", "value", "statistic", "name" };
	g_autofree char *text = NULL;
	size_t group;

	for (group = 0; group < G_N_ELEMENTS(groups); group++) {
		g_free(text);
		text = g_match_info_fetch_named(match, groups[group]);
		if (text != NULL && *text != '\0')
			break;
	}
	if (group < 2) {
		g_autofree char *name = g_match_info_fetch_named(match, "name");
		struct reading other = { .line = 0 };

		if (name == NULL || *name == '\0')
			return reason_by_number(text, reading);
		/* "2 vcpus 4" */
		if (!reason_by_name(name, &other))
			return reading->class != READING_PLAIN && reason_by_number(text, reading);
		reason_by_number(text, reading);
		/* The number is that of the name on AMD. */
		if (other.svm_reason == reading->reason && other.reason != reading->reason)
			reading->svm_reason = reading->reason;
		/* kvmexit has the thread there. */
		if (reading->tool == NULL || reading->reason == other.reason)
			return true;
		reading->part = reading->reason | 1u << 31;
		return reason_by_name(name, reading);
	}
	if (group == 3)
		return reason_by_name(text, reading);
	for (size_t i = 0; i < G_N_ELEMENTS(statistics); i++)
		if (group == 2 && g_ascii_strcasecmp(statistics[i].name, text) == 0)
			reading->reason = statistics[i].reason;
	return true;
}

static bool read_match(const struct form *form, const GMatchInfo *match, const char *text,
		       struct reading *reading)
{
	g_autoptr(GMatchInfo) named_leaf = NULL;
	g_autofree char *part = g_match_info_fetch_named(match, "part");
	g_autofree char *name = g_match_info_fetch_named(match, "name");

	reading->kind = form->kind;
	reading->class = form->class;
	reading->svm_reason = REASON_NONE;
	if (g_regex_match(leaf, text, 0, &named_leaf))
		reading->leaf = hexadecimal(named_leaf, "leaf");
	if (form->kind != READING_TOTAL && form->kind != READING_TABLE &&
	    !read_reason(match, reading))
		return false;
	/* A name alone may be a line of the tool's that was named before. */
	if (form->tool != NULL || form->class != READING_PLAIN || name == NULL || *name == '\0')
		reading->tool = form->tool;
	/* Its lines are a table, whether or not all of them look like one. */
	if (reading->tool != NULL && form->class != READING_REGISTERS)
		reading->class = READING_CELLS;
	if (part != NULL && *part != '\0')
		reading->part = MAX(g_str_hash(part), 1);
	if (form->class == READING_REGISTERS)
		read_registers(match, reading);
	else
		read_count(form, match, text, reading);
	return true;
}

void forms_mark(const char *text, const char **tool)
{
	for (size_t i = 0; i < G_N_ELEMENTS(marks); i++)
		if (strcasestr(text, marks[i].words) != NULL)
			*tool = marks[i].tool;
}

/* A sentence quotes numbers that are in a list, or says about how many. */
static bool is_sentence(const char *text, const GMatchInfo *match)
{
	const size_t length = strlen(text);
	guint letters = 0;
	int begin = 0, end = 0;

	g_match_info_fetch_pos(match, 0, &begin, &end);
	for (size_t i = 0; i < length; i++)
		letters += g_ascii_isalpha(text[i]) && ((int)i < begin || (int)i >= end);
	return letters >= 25 || (length > 0 && letters > 0 && text[length - 1] == '.');
}

bool forms_read(const char *text, uint64_t line, const char **tool, GArray *readings)
{
	const bool two_lines = strstr(text, BREAK) != NULL;

	compile_once();
	forms_mark(text, tool);
	for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
		g_autoptr(GMatchInfo) match = NULL;
		struct reading reading = { .line = line, .seconds = -1, .tool = *tool };
		bool sentence;

		if (two_lines != (g_strcmp0(forms[i].hint, BREAK) == 0) ||
		    (forms[i].hint != NULL && strcasestr(text, forms[i].hint) == NULL))
			continue;
		if (!g_regex_match(patterns[i], text, 0, &match) ||
		    !read_match(&forms[i], match, text, &reading))
			continue;
		sentence = reading.class == READING_WORDS && is_sentence(text, match);
		g_array_append_val(readings, reading);
		/* One line may have several; a list in a line is no sentence. */
		while (g_match_info_next(match, NULL)) {
			struct reading next = { .line = line, .seconds = -1, .tool = *tool };

			sentence = false;
			if (read_match(&forms[i], match, text, &next))
				g_array_append_val(readings, next);
		}
		if (sentence)
			g_array_index(readings, struct reading, readings->len - 1).class =
				READING_SENTENCE;
		return true;
	}
	return false;
}

const char *const *forms_examples(void)
{
	static const char *examples[G_N_ELEMENTS(forms) + 1];

	for (size_t i = 0; i < G_N_ELEMENTS(forms); i++)
		examples[i] = forms[i].example;
	return examples;
}
