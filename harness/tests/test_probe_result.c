/* SPDX-License-Identifier: GPL-2.0-only */
#include "collect/probe_result.h"
#include "record/reasons.h"
#include "judge/rules.h"
#include "tests/sample.h"
#include "tests/test.h"

/* ---- What a program in L2 sends ---- */

/*
 * A set of frames is written as words, a frame each: a letter, or the reasons of an exit frame, and
 * after a ':' values for its fields, with '/' between them. What is left out stands below. Of
 * registers, those left out are 0, and '-' is the answer for an undefined reason.
 *
 *	"r:boot b:150 0:100/100,0,7,1 1-9:0 10 a:164 l:165,0,2 c"
 */
static const struct {
	char letter;
	const char *kind, *keys[3], *values[3];
} forms[] = {
	{ 'i', "iface", { "regs" }, { "2" } }, /* the version alone, or all registers */
	{ 'e', "effect", { "regs" }, { "5,1,85,2" } },
	{ 'x', "bad", { "leaf", "index", "regs" }, { "1", "2", "1,2,3,4" } },
	{ 'k', "cost", { "exits", "ticks" }, { "1000", "5" } },
	{ 'r', "reading", { "name", "n", "tsc" }, { "boot", "0", "77" } },
	{ 'b', "total", { "regs", "at" }, { "1", "before" } },
	{ '0', "exit", { "live", "latched", "cycles" }, { "1", "1", "0" } },
	{ 'a', "total", { "regs", "at" }, { "9", "after" } },
	{ 'l', "latch", { "regs", "cpuids" }, { "9,0,1", "20" } },
	{ 'c', "cycles", { "regs" }, { "0" } },
	/* One reason, short: that of its number. */
	{ 's', "exit", { "first", "last", "live" }, { "5", "5", "7,0,0,0" } },
	{ 'u', "cpuid", { "data" }, { "" } },
	{ 'm', "mark", { "name", "tsc", "cpuids" }, { "boot", "77", "9" } },
};

#define VMX	   "i e "	    /* EPT, unrestricted guest; no VPID, no cycles */
#define VMX_CYCLES "i e:13,1,85,2 " /* cycles as well */
#define SVM	   "i e:3,2,1027,1 "

/* "KVMe" "xitc" "ount", least significant byte first. */
#define SIGNATURE "1699567179,1668573560,1953396079"

static char *registers(const char *value, bool is_version)
{
	g_auto(GStrv) four = g_strsplit(value, ",", -1);
	const guint count = g_strv_length(four);

	if (strcmp(value, "-") == 0)
		return g_strdup("0,0,0,4294967295");
	if (is_version && count == 1)
		return g_strdup_printf("%s," SIGNATURE, value);
	return g_strconcat(value, count < 2 ? ",0" : "", count < 3 ? ",0" : "",
			   count < 4 ? ",0" : "", NULL);
}

static bool is_registers(const char *key)
{
	static const char *const keys[] = { "regs", "live", "latched", "cycles", NULL };

	return g_strv_contains(keys, key);
}

static void put_word(GString *out, uint32_t seq, const char *word)
{
	const char letter = g_ascii_isdigit(*word) ? '0' : *word;
	g_auto(GStrv) halves = g_strsplit(word, ":", 2);
	g_auto(GStrv) given = g_strsplit(halves[1] != NULL ? halves[1] : "", "/", -1);
	g_auto(GStrv) reasons = g_strsplit(halves[0], "-", 2);
	g_autoptr(GString) fields = g_string_new(NULL);
	const guint count = g_strv_length(given);
	size_t form = 0;

	while (forms[form].letter != letter)
		assert_true(++form < G_N_ELEMENTS(forms));
	if (letter == '0')
		g_string_append_printf(fields, "first=%s|last=%s|", reasons[0],
				       reasons[reasons[1] != NULL]);
	for (guint i = 0; i < 3 && forms[form].keys[i] != NULL; i++) {
		const char *value = i < count ? given[i] : forms[form].values[i];
		const char *key = forms[form].keys[i];
		g_autofree char *four = is_registers(key) ? registers(value, letter == 'i') : NULL;

		g_string_append_printf(fields, "%s=%s|", key, four != NULL ? four : value);
	}
	g_string_truncate(fields, fields->len - 1);
	put_frame(out, seq, forms[form].kind, fields->str);
}

static GString *begin(const char *words, uint32_t *seq)
{
	g_auto(GStrv) all = g_strsplit(words, " ", -1);
	GString *out = g_string_new(NULL);

	put_begin(out, PROBE_SENDER);
	*seq = 1;
	for (char **word = all; *word != NULL; word++)
		if (**word != '\0')
			put_word(out, (*seq)++, *word);
	return out;
}

static GString *set_of(const char *words)
{
	uint32_t seq;
	GString *out = begin(words, &seq);

	put_end(out, seq);
	return out;
}

/*
 * A VM that had 100 exits by reason 0 and 50 by reason 10 when the first leaf was read, that read
 * included; nothing else exits. Reasons 0 to 12 are asked for, so reason 10 is the 11th read: it
 * has 50 + 11 then. After the 13th comes the total, 150 + 13 + 1 = 164, of which 64 by reason 10,
 * and then the latch, 165 and 65. The latched cycles are made up.
 */
#define SAMPLE                                                                                     \
	"r b:150 0:100/100,0,7,1/0,1,7 1-9:0/0 10:61/65,0,9/0,0,9 11-12:0/0 a:164 l:165,0,2 c"

/*
 * Three readings: 0 has 40 at the start and 47 at the end, 10 has 100 and 130. What is in between
 * is the workload's; the reading in the middle plays no part in it. The reader executed 113 CPUIDs
 * in all, 20 before.
 */
#define DOSES                                                                                      \
	"r:start b:141 0:39/40,0,1000,1/0,1,900 9:0/0 10:101/100,0,50/0,0,40 a:145 l:146,0,1 c "   \
	"x:1342177279/35 x:1342177278/4294967295/0 "                                               \
	"r:dose-io/5/18446744073709551615 b:1 0-10:1/2 a:2 l:3,0,2 c "                             \
	"r:dose-cpuid/1000/5 b:160 0:45/47,0,7,3/0,3 9:0/0 10:131/130,0,60/0,0,45 "                \
	"a:164 l:177,0,3/113 c"

/* ---- What becomes of it ---- */

static probe_result *result_of(const char *words)
{
	g_autoptr(GString) frames = set_of(words);
	g_autoptr(GError) error = NULL;
	probe_result *result = probe_result_parse(frames->str, frames->len, &error);

	assert_no_error(error);
	assert_true(probe_result_is_complete(result));
	return result;
}

static struct record_run *run_of(const char *words)
{
	g_autoptr(probe_result) result = result_of(words);
	struct record_run *run = record_run_new("ept");

	probe_result_store(result, run);
	return run;
}

/* The frames, and what the run is then (assert_run). */
static const struct {
	const char *frames, *run;
} stored[] = {
	/* Each of the four ranges is as many entries as it has reasons. */
	{ VMX SAMPLE,
	  "interface.eax=2 .ebx=1699567179 .ecx=1668573560 .edx=1953396079 "
	  "l2_in_effect.ept=true .vpid=false .unrestricted_guest=true .cycles=false .vendor=1 "
	  ".highest_reason=85 .vcpus=2 leaf_total.before=150 .after=164 .reads=13 .cpuid_read=11 "
	  ".sum=161 latch.total=165 .serial=2 .sum=165 exits.len=13 .0.count=100 .0.cycles=null "
	  ".9.count=0 .10.count=65 .10.before=0 .12.name=HLT undefined=[] malformed=[] total=165 "
	  "dose=null" },
	/* Version 1 has no latch: what leaf 0x4FFFFF02 and 0x4FFFFF03 say means nothing. */
	{ "i:1 e " SAMPLE, "interface.eax=1 l2_in_effect.ept=true latch=null exits.10.count=61 "
			   "total=161 leaf_total.sum=161" },
	/* What is left out: latched as live, and no cycles. */
	{ VMX_CYCLES "r b:1 s a:7 l:5,0,1 c", "exits.len=1 .5.count=7 .5.cycles=0" },
	/* A later version has all that an earlier one had. */
	{ "i:3 e " SAMPLE, "latch.total=165 exits.10.count=65 total=165" },
	/* Latched cycles: low half in ECX, high half in EDX; 0x1:00000007. */
	{ VMX_CYCLES SAMPLE, "l2_in_effect.cycles=true exits.0.cycles=4294967303 .10.cycles=9 "
			     ".12.cycles=0" },
	/* Live ones: high half in EBX, low half in ECX; 0x5:00000006. */
	{ "i:1 e:13,1,85,2 r b 0:1/2,0,3,4/0,5,6 a:3 l:4,0,1 c",
	  "exits.0.count=1 .0.cycles=21474836486" },
	/*
	 * Counts have 64 bits: 0x12345678:9abcdef0 and 0xedcba987:ffffffff, whose sum does not fit
	 * and so is not known; cycles 0x80000000:00000001. Reason 10 was not read.
	 */
	{ VMX_CYCLES "r b:2596069104,305419896 "
		     "0:2596069104,305419896/4294967295,3989547399,1,2147483648/0,2147483648,1 "
		     "1:4294967295,3989547399/2596069104,305419896 "
		     "a:4294967295,4294967295 l:4294967295,4294967295,4294967295 c",
	  "leaf_total.before=1311768467463790320 .after=18446744073709551615 .sum=null "
	  ".cpuid_read=0 latch.total=18446744073709551615 .serial=4294967295 .sum=null "
	  "exits.0.count=17134975608841830399 .1.count=1311768467463790320 "
	  ".0.cycles=9223372036854775809 total=null" },
	/* A range with one answer for several reasons is an answer for each. 3 to 8: undefined,
	 * with a count? */
	{ VMX "r b:1 0:0/0 1-2:-/-/- 3:1,0,0,4294967295/-/- 4-5:0,1,0,4294967295/-/- "
	      "6:0,0,1,4294967295/-/- 7:0,0,0,4294967294/-/- 8:7,0,1/-/- a:11 l:12,0,1 c",
	  "exits.len=1 undefined=[1,2] malformed=[3,4,5,6,7,8] leaf_total.reads=9" },
	/* Another vCPU used the latch: for reason 1 there is no frozen count, as the sum shows. */
	{ VMX "r b:1 0:1/1 1:4/0,0,0,4294967294 a:5 l:6,0,1 c",
	  "exits.len=1 .0.count=1 .1=nothing latch.total=6 .sum=1" },
	/* In a latched answer, ECX and EDX are cycles, except for what no count can look like. */
	{ VMX_CYCLES "r b:1 0:1/1,0,0,4294967295/0,4294967295 1:1/0,0,1,4294967295/0,4294967295,1 "
		     "2:-/-/- a:5 l:6,0,1 c",
	  "exits.len=2 .0.cycles=18446744069414584320 .1.count=0 .2=nothing" },
	/*
	 * SVM's reasons are the low 256 and those around 0x400. Reason 0x72 (114) is CPUID's: the
	 * 115th read, as it is the 115th number from 0 on; 0x400 (1024) is that of nested page
	 * faults. 256 + 9 reads in all. Exits: 0xa7 and four; undefined: 0x59, two and three.
	 */
	{ SVM "r b:1000 0-113:0/0 114:200/300 115-166:0/0 167-255:-/-/- 1022-1023:-/-/- "
	      "1024:500/501 1025-1027:0/0 1028-1030:-/-/- a:1266 l:1267,0,1 c",
	  "l2_in_effect.vendor=2 .ept=true .vpid=true leaf_total.reads=265 .cpuid_read=115 "
	  ".sum=700 exits.len=171 .114.name=CPUID .1024.name=NPF .1024.count=501 total=801 "
	  "undefined.len=94 .93=1030" },
	/*
	 * Of several readings, counts are those of the workload: cycles 0x3:00000007 less
	 * 0x1:000003e8, and 113 - 20 CPUIDs of the reader. The size is that of the last dose. The
	 * latch, and the totals, are those of the last reading, from the VM's creation; 10 is its
	 * third read.
	 */
	{ VMX_CYCLES DOSES,
	  "exits.len=3 .0.before=40 .0.count=7 .0.cycles=8589933599 .10.before=100 .10.count=30 "
	  ".10.cycles=10 .9.before=0 .9.count=0 total=37 dose.n=1000 .cpuids=93 latch.total=177 "
	  ".serial=3 .sum=177 leaf_total.before=160 .after=164 .sum=176 .reads=3 .cpuid_read=3" },
	/* The same without a latch: 0x3:00000000 less 0x1:00000384. */
	{ "i:1 e:13,1,85,2 " DOSES, "exits.0.before=39 .0.count=6 .0.cycles=8589933692 "
				    ".10.count=30 total=36 latch=null" },
	/* A reason that the first reading has not is taken as it is. */
	{ VMX "r:start b:1 0:5/5 a:3 l:4,0,1 c r b:9 0-1:6/6 a:12 l:13,0,2 c",
	  "exits.0.before=5 .0.count=1 .1.before=0 .1.count=6" },
	/* What an exit costs is that of the reading it comes before; a run has the last one's. */
	{ VMX "k r b 0 a l c k:4294967295/18446744073709551615 r b 0 a l c",
	  "cost.exits=4294967295 .ticks=18446744073709551615" },
	{ VMX "k r b 0 a l c r b 0 a l c", "cost=null" },
	/* KVM could not find an instant: what is frozen is nothing, or of an earlier latch. */
	{ VMX "r b:1 0:5/0 a:3 l:- c", "latch=null" },
	/* A counter that goes down is none: 3 less 5 is no count of 18446744073709551614. */
	{ VMX "r:start b:1 0-1:5/5 a:4 l:5,0,1 c r b:1 0:3/3 1:6/6 a:4 l:5,0,1 c",
	  "malformed=[0] exits.0.count=3 .1.count=1" },
	/* Nor do cycles: 7 less 9 are none. */
	{ VMX_CYCLES "r:start b:1 0-1:5/5,0,9/0,0,9 a:4 l:5,0,1 c "
		     "r b:1 0:6/6,0,7/0,0,7 1:6/6,0,9/0,0,9 a:4 l:5,0,1 c",
	  "malformed=[0] exits.0.cycles=7 .1.cycles=0" },
	/* A total of no permitted form is not known. */
	{ VMX "r b:1 0-12:0/0 a:7,832,832,5 l:4,0,1 c", "leaf_total=null" },
	{ VMX "r b:7,832,832,5 0-12:0/0 a:3 l:4,0,1 c", "leaf_total=null" },
	{ VMX "r b:1,0,1 0-12:0/0 a:3 l:4,0,1 c", "leaf_total=null" },
	/* Gaps are right, in a range and between ranges. */
	{ VMX "r b 0 65534-65535 a l c", "exits.len=3 .65535.count=1 leaf_total.reads=3" },
	{ VMX "r b 0 a l c", "exits.len=1" },
	{ VMX "r b 5 a l c", "exits.len=1" },
	{ VMX "r b 0 5 9 a l c", "exits.len=3" },
	{ VMX "x r b 0 a l c", "exits.len=1" },
	{ VMX "r b 0 a l c r b 0 1 a l c", "exits.len=2" },
	{ VMX "k x r b 0 a l c", "exits.len=1" },
	{ VMX "r b 0 a l c k r b 0 a l c k r b 0 a l c", "exits.len=1" },
	{ VMX "r b 0 a l c x x r b 7 a l c", "exits.len=1" },
};

TEST(what_was_read_is_stored)
{
	test_each (row, stored) {
		g_autoptr(struct_record_run) run = run_of(row->frames);

		assert_run(run, row->run);
	}
}

/* One short line can speak of all reasons there are; each has what it had more at the end. */
TEST(all_reasons_at_once)
{
	g_autoptr(struct_record_run) run = run_of(VMX "r:start b:1 0-65535:5/5 a:4 l:5,0,1 c "
						      "r b:1 0-65535:7/7 a:4 l:5,0,1 c");

	assert_int_equal(run->exits->len, UINT16_MAX + 1);
	for (uint32_t reason = 0; reason <= UINT16_MAX; reason++)
		if (record_find_exit(run->exits, reason)->count != 7 - 5)
			fail_msg("reason %u", reason);
}

static void assert_registers(const struct probe_registers *saw, const char *expected)
{
	g_autofree char *text =
		g_strdup_printf("%u,%u,%u,%u", saw->eax, saw->ebx, saw->ecx, saw->edx);

	assert_string_equal(text, expected);
}

static void assert_reading(const struct probe_reading *reading, const char *expected)
{
	g_autofree char *text = g_strdup_printf(
		"%s n=%" G_GUINT64_FORMAT " tsc=%" G_GUINT64_FORMAT
		" bad=%u cpuids=%" G_GUINT64_FORMAT " ranges=%u asked=%u",
		reading->name, reading->n, reading->tsc, reading->bad->len, reading->cpuids,
		reading->ranges->len, probe_reading_asked(reading));

	assert_string_equal(text, expected);
}

TEST(readings_can_be_seen)
{
	g_autoptr(probe_result) result = result_of(VMX_CYCLES DOSES);
	const GPtrArray *readings = probe_result_readings(result);
	const struct probe_reading *first = readings->pdata[0], *middle = readings->pdata[1],
				   *last = readings->pdata[2];
	const struct probe_bad *bad = &g_array_index(middle->bad, struct probe_bad, 0);
	const struct probe_range *range = &g_array_index(last->ranges, struct probe_range, 2);
	g_autoptr(GPtrArray) live =
		probe_reading_exits(last, PROBE_LIVE, KVM_EXITCOUNT_VENDOR_VMX, true);
	g_autoptr(GPtrArray) latched =
		probe_reading_exits(last, PROBE_LATCHED, KVM_EXITCOUNT_VENDOR_VMX, false);

	assert_int_equal(readings->len, 3);
	assert_reading(first, "start n=0 tsc=77 bad=0 cpuids=20 ranges=3 asked=3");
	assert_registers(&first->before, "141,0,0,0");
	assert_registers(&first->after, "145,0,0,0");
	assert_registers(&first->latch, "146,0,1,0");
	/* What was found wrong belongs to the reading after it. */
	assert_reading(middle, "dose-io n=5 tsc=18446744073709551615 bad=2 cpuids=20 ranges=1 "
			       "asked=11");
	assert_true(bad[0].leaf == 0x4fffffff && bad[0].index == 35);
	assert_registers(&bad[0].answer, "1,2,3,4");
	assert_true(bad[1].leaf == 0x4ffffffe && bad[1].index == UINT32_MAX);
	assert_reading(last, "dose-cpuid n=1000 tsc=5 bad=0 cpuids=113 ranges=3 asked=3");
	assert_int_equal(range->first, 10);
	assert_registers(&range->live, "131,0,0,0");
	assert_registers(&range->latched, "130,0,60,0");
	assert_registers(&range->cycles, "0,0,45,0");
	/* As they were read: nothing subtracted. */
	assert_int_equal(record_find_exit(live, 10)->count, 131);
	assert_int_equal(record_find_exit(live, 10)->cycles.value, 45);
	assert_int_equal(record_find_exit(latched, 10)->count, 130);
	assert_int_equal(record_find_exit(latched, 10)->before, 0);
	assert_false(record_find_exit(latched, 10)->cycles.known);
}

/*
 * Unpatched KVM on Intel answers an unknown leaf with the highest basic one, so all leaves look the
 * same. That was measured, and it is not to be believed.
 */
#define STOCK "7,832,832,5"
TEST(stock_kvm_is_measured_and_invalid)
{
	g_autoptr(struct_record) record =
		record_new("0.1", "2026-01-31T23:59:59Z", "bochs", "boot");
	struct record_run *run = run_of("i:" STOCK " e:" STOCK " r b:" STOCK " 0-12:" STOCK
					"/" STOCK "/" STOCK " a:" STOCK " l:" STOCK " c");

	assert_run(run, "l2_in_effect=null latch=null leaf_total=null exits=[] malformed.len=13");
	g_ptr_array_add(record->runs, run);
	rules_judge(record);
	assert_int_equal(record->verdict, RECORD_INVALID);
}

/* KVM counts nothing, and the probe has asked for nothing: only who answered is known. */
TEST(mark_is_no_reading)
{
	g_autoptr(probe_result) result = result_of("i:" STOCK " e:" STOCK " m");
	g_autoptr(probe_result) full = result_of(VMX SAMPLE);
	g_autoptr(struct_record_run) run = record_run_new("ept");

	assert_int_equal(probe_result_readings(result)->len, 0);
	probe_result_store(full, run);
	probe_result_store(result, run);
	assert_run(run, "l2_in_effect=null latch=null leaf_total=null exits=null undefined=null "
			"malformed=null total=null dose=null cost=null interface.ebx=832");
}

/* Leaf 0: EAX 1, EBX 2; leaf 1: ECX 8; the hypervisor's and the extended ones: nothing. */
#define CPU "AwEAAAACAAAABAgAAAAAAA"

TEST(cpu_is_told)
{
	static const char expected[] =
		"cpuid.len=4 .0.leaf=0 .0.index=0 .0.eax=1 .0.ebx=2 .0.ecx=0 .1.leaf=1 .1.ecx=8 "
		".2.leaf=1073741824 .2.eax=0 .3.leaf=2147483648";

	/* In one frame or several, after counts or without. */
	test_each_of (row, VMX SAMPLE " u:" CPU, VMX SAMPLE " u:AwEAAAA u:CAAAABAgAAAAAAA",
		      "i:" STOCK " e m u:" CPU) {
		g_autoptr(struct_record_run) run = run_of(*row);

		assert_run(run, expected);
	}
}

TEST(storing_again_replaces)
{
	g_autoptr(probe_result) old = result_of("i:1 e " SAMPLE);
	g_autoptr(probe_result) result = result_of(VMX SAMPLE);
	g_autoptr(struct_record_run) run = record_run_new("ept");

	probe_result_store(result, run);
	probe_result_store(result, run);
	assert_run(run, "exits.len=13 total=165 latch.total=165");
	run->dose = (struct record_dose){ true, 1, 1 };
	run->cost = (struct record_cost){ true, 1, 1 };
	probe_result_store(old, run);
	assert_run(run, "dose=null cost=null total=161 latch=null");
}

TEST(progress_can_be_seen)
{
	g_autoptr(probe_result) result = probe_result_new();
	g_autoptr(frameset) set =
		frameset_new("L2", EPTLAB_ERROR_L2, PROBE_SENDER, probe_result_add, result);
	g_autoptr(GString) frames = set_of(VMX_CYCLES DOSES);
	unsigned int most = 0;

	for (gsize i = 0; i < frames->len; i++) {
		assert_false(probe_result_is_complete(result));
		assert_true(frameset_feed(set, frames->str + i, 1, NULL));
		assert_true(probe_result_readings(result)->len >= most);
		most = probe_result_readings(result)->len;
	}
	assert_true(probe_result_is_complete(result));
	assert_int_equal(most, 3);
}

/* ---- What is refused ---- */

static void assert_refused(const char *words, const char *message)
{
	g_autoptr(GString) frames = set_of(words);
	g_autoptr(GError) error = NULL;

	assert_null(probe_result_parse(frames->str, frames->len, &error));
	assert_int_equal(error->code, EPTLAB_ERROR_L2);
	assert_string_equal(error->message, message);
}

/* The last frame is at fault, and the first after "begin" is number 1. */
TEST(order_of_frames)
{
	static const struct {
		const char *frames, *kind, *expected;
	} cases[] = {
		{ "", "end", "iface" },
		{ "e", "effect", "iface" },
		{ "i i", "iface", "effect" },
		{ "i b", "total", "effect" },
		{ "i e", "end", "reading" },
		{ "i e e", "effect", "reading" },
		{ "i e b", "total", "reading" },
		{ "i e x", "end", "reading" },
		{ "i e x b", "total", "reading" },
		{ "i e k", "end", "reading" },
		{ "i k", "cost", "effect" },
		{ "i e r k", "cost", "total" },
		{ "i e r b 0 k", "cost", "exit or total" },
		{ "i e r b 0 1 a l c k", "end", "reading" },
		{ "i e r", "end", "total" },
		{ "i e r r", "reading", "total" },
		{ "i e r x", "bad", "total" },
		{ "i e r 0", "exit", "total" },
		{ "i e r b", "end", "exit" },
		{ "i e r b b", "total", "exit" },
		{ "i e r b a", "total", "exit" },
		{ "i e r b 0 1", "end", "exit or total" },
		{ "i e r b 0 1 i", "iface", "exit or total" },
		{ "i e r b 0 1 l", "latch", "exit or total" },
		{ "i e r b 0 1 a", "end", "latch" },
		{ "i e r b 0 1 a 2", "exit", "latch" },
		{ "i e r b 0 1 a c", "cycles", "latch" },
		{ "i e r b 0 1 a l", "end", "cycles" },
		{ "i e r b 0 1 a l l", "latch", "cycles" },
		{ "i e r b 0 1 a l c c", "cycles", "end" },
		{ "i e r b 0 1 a l c 2", "exit", "end" },
		{ "i e r b 0 1 a l c i", "iface", "end" },
		{ "i e r b 0 1 a l c x", "end", "reading" },
		{ "i e r b 0 1 a l c r b 0 1 a l", "end", "cycles" },
	};

	test_each (row, cases) {
		bool at_end = strcmp(row->kind, "end") == 0;
		g_autofree char *message = g_strdup_printf(
			"L2: frame %zu (%s) of the probe is of another kind than the expected %s",
			(strlen(row->frames) + 1) / 2 + at_end, row->kind, row->expected);

		assert_refused(row->frames, message);
	}
}

TEST(totals_and_reasons_have_an_order_too)
{
	static const struct {
		const char *frames, *message;
	} cases[] = {
		{ "i e r a",
		  "4 (total) of the probe is not the total at=before that was expected" },
		{ "i e r b 0 1 b",
		  "7 (total) of the probe is not the total at=after that was expected" },
		{ "i e r b 1 1", "6 (exit) of the probe is about reason 1, expected one after 1" },
		{ "i e r b 3 2", "6 (exit) of the probe is about reason 2, expected one after 3" },
		/* Inside the range before. */
		{ "i e r b 3-7:0/0 7-9:0/0",
		  "6 (exit) of the probe is about reason 7, expected one after 7" },
		/* Cut off, with more behind it, written in another way, and no base64. */
		{ "i e r b 0 a l c u:AwEAAAACAAAABAgAAAAA",
		  "10 (end) of the probe ends a CPU that no CPUID describes" },
		{ "i e r b 0 a l c u:AwEAAAACAAAABAgAAAAAAAA",
		  "10 (end) of the probe ends a CPU that no CPUID describes" },
		{ "i e r b 0 a l c u:AwEAAAACAAAABAgAAAAAAA!",
		  "10 (end) of the probe ends a CPU that no CPUID describes" },
		{ "i e r b 0 a l c u:AwEAAAACAAAABAgAAAAAAA k",
		  "10 (cost) of the probe is of another kind than the expected end" },
		{ "i e u", "3 (cpuid) of the probe is of another kind than the expected reading" },
		/* A mark is all there is, and only where nothing else can be. */
		{ "i e m", "3 (mark) of the probe is instead of the counts that this KVM has" },
		{ "i:" STOCK " m", "2 (mark) of the probe is of another kind than the expected "
				   "effect" },
		{ "i:" STOCK " e m m",
		  "4 (mark) of the probe is of another kind than the expected end" },
		{ "i:" STOCK " e m r",
		  "4 (reading) of the probe is of another kind than the expected end" },
		{ "i:" STOCK " e x m",
		  "4 (mark) of the probe is of another kind than the expected reading" },
		{ "i:" STOCK " e r b 0 a l c m",
		  "9 (mark) of the probe is of another kind than the expected end" },
		{ "i e r b 3-2:0/0", "5 (exit) of the probe is about no reason: 3 to 2" },
		/* Four billion reasons would not fit into L0. */
		{ "i e r b 0-4294967295:0/0", "5 (exit) of the probe is about reason 4294967295, "
					      "expected at most 65535" },
	};

	test_each (row, cases) {
		g_autofree char *message = g_strconcat("L2: frame ", row->message, NULL);

		assert_refused(row->frames, message);
	}
}

TEST(fields_of_frames)
{
	static const struct {
		const char *frames, *kind, *text, *message;
	} cases[] = {
		{ "", "iface", "regs=1,2,3", "(iface) of the probe has regs=1,2,3, expected " },
		{ "", "iface", "regs=1,2,3,4,5", "(iface) of the probe has regs=1,2,3,4,5, " },
		{ "", "iface", "regs=", "(iface) of the probe has regs=, expected four numbers" },
		{ "", "iface", "regs=1,2,3,", "(iface) of the probe has regs=1,2,3,, expected " },
		{ "", "iface", "regs=1,2,3,-4", "(iface) of the probe has regs=1,2,3,-4, " },
		{ "", "iface", "regs=1,2,x,4", "(iface) of the probe has regs=1,2,x,4, " },
		{ "", "iface", "regs=4294967296,2,3,4", "has regs=4294967296,2,3,4, expected " },
		{ "", "iface", "regs=1,2,3\x1b,\n", "has regs=1,2,3\\033,\\n, expected " },
		{ "", "iface", "eax=1", "(iface) has no field 'regs' that is a text" },
		{ "", "iface", "regs=1,2,3,4|more=1", "(iface) of the probe has 2 fields, " },
		{ "i", "effect", "regs=1,2,3", "(effect) of the probe has regs=1,2,3, " },
		{ "i e", "bad", "leaf=1|index=2", "(bad) of the probe has 2 fields, expected 3" },
		{ "i e", "bad", "leaf=1|index=2|regs=1", "(bad) of the probe has regs=1, " },
		{ "i e", "bad", "leaf=4294967296|index=2|regs=1,2,3,4", "leaf=4294967296" },
		{ "i e", "bad", "leaf=1|index=x|regs=1,2,3,4", "(bad): index=x, expected" },
		{ "i e", "cost", "exits=1", "(cost) of the probe has 1 fields, expected 2" },
		{ "i e", "cost", "exits=0|ticks=1", "(cost) of the probe is about no exit" },
		{ "i e", "cost", "exits=4294967296|ticks=1", "(cost): exits=4294967296, expected" },
		{ "i e", "cost", "exits=1|ticks=-1", "(cost): ticks=-1, expected" },
		{ "i e k", "cost", "exits=1|ticks=1",
		  "(cost) of the probe stands twice before a reading" },
		{ "i e", "reading", "n=1|tsc=1", "(reading) has no field 'name' that is a text" },
		{ "i e", "reading", "name=boot|tsc=1", "(reading) of the probe has 2 fields, " },
		{ "i e", "reading", "name=boot|n=-1|tsc=1", "(reading): n=-1, expected" },
		{ "i e", "reading", "name=boot|n=1|tsc=18446744073709551616",
		  "(reading): tsc=18446744073709551616, expected" },
		{ "i e", "reading", "name=boot|n=1|tsc=1|x=1", "has 4 fields, expected 3" },
		{ "i e r", "total", "regs=1,0,0,0", "(total) has no field 'at' that is a text" },
		{ "i e r", "total", "at=before", "(total) of the probe has 1 fields, expected 2" },
		{ "i e r", "total", "at=before|regs=1,0,0", "(total) of the probe has regs=1,0,0" },
		{ "i e r b", "exit", "first=0|last=0|live=0,0,0,0|latched=0,0,0,0|more=1",
		  "(exit) of the probe has 5 fields, expected 4" },
		{ "i e r b", "exit", "first=0|last=0|latched=0,0,0,0|cycles=0,0,0,0",
		  "(exit) of the probe has 4 fields, expected 5" },
		{ "i e r b", "exit",
		  "first=0|last=4294967296|live=0,0,0,0|latched=0,0,0,0|cycles=0,0,0,0",
		  "(exit): last=4294967296, expected a number from 0 to 4294967295" },
		{ "i e r b", "exit", "first=x|last=0|live=0,0,0,0|latched=0,0,0,0|cycles=0,0,0,0",
		  "(exit): first=x, expected" },
		{ "i e r b", "exit", "first=0|last=0|live=0,0,0|latched=0,0,0,0|cycles=0,0,0,0",
		  "(exit) of the probe has live=0,0,0, expected" },
		{ "i e r b", "exit", "first=0|last=0|live=0,0,0,0|latched=0,0,0|cycles=0,0,0,0",
		  "(exit) of the probe has latched=0,0,0, expected" },
		{ "i e r b", "exit", "first=0|last=0|live=0,0,0,0|latched=0,0,0,0|cycles=0,0,0",
		  "(exit) of the probe has cycles=0,0,0, expected" },
		{ "i e r b", "exit", "reason=0|last=0|live=0,0,0,0|latched=0,0,0,0|cycles=0,0,0,0",
		  "(exit) has no field 'first' that is a text" },
		{ "i e r b 0 a", "latch", "regs=1,0,0,0", "(latch) of the probe has 1 fields, " },
		{ "i e r b 0 a", "latch", "regs=1,0,0|cpuids=1",
		  "(latch) of the probe has regs=1,0,0" },
		{ "i e r b 0 a", "latch", "regs=1,0,0,0|cpuids=x", "(latch): cpuids=x, expected" },
		{ "i e r b 0 a l", "cycles", "regs=0,0,0",
		  "(cycles) of the probe has regs=0,0,0, " },
		{ "i e r b 0 a l", "cycles", "at=x|regs=0,0,0,0",
		  "(cycles) of the probe has 2 fields" },
	};

	test_each (row, cases) {
		uint32_t seq;
		g_autoptr(GString) frames = begin(row->frames, &seq);
		g_autofree char *first = g_strdup_printf("L2: frame %u (", seq);
		g_autoptr(GError) error = NULL;

		put_frame(frames, seq, row->kind, row->text);
		put_end(frames, seq + 1);
		assert_null(probe_result_parse(frames->str, frames->len, &error));
		assert_true(error != NULL && g_str_has_prefix(error->message, first));
		assert_error(&error, EPTLAB_ERROR_L2, row->message);
	}
}

TEST(nothing_comes_after_the_end)
{
	g_autoptr(probe_result) result = result_of(VMX SAMPLE);
	const struct frame frame = { .seq = 14, .kind = "exit" };
	g_autoptr(GError) error = NULL;

	assert_false(probe_result_add(&frame, result, &error));
	assert_string_equal(error->message, "L2: frame 14 (exit) of the probe is of another kind "
					    "than the expected none after the end");
}

TEST(other_sender_is_refused)
{
	g_autoptr(GString) frames = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	put_begin(frames, "agent");
	assert_null(probe_result_parse(frames->str, frames->len, &error));
	assert_int_equal(error->code, EPTLAB_ERROR_L2);
}

TEST(cut_set_is_refused)
{
	g_autoptr(GString) frames = set_of(VMX_CYCLES DOSES);

	/* The last byte is only the line's end. */
	for (gsize length = 0; length + 1 < frames->len; length += 7) {
		g_autoptr(GError) error = NULL;

		assert_null(probe_result_parse(frames->str, length, &error));
		assert_int_equal(error->code, EPTLAB_ERROR_L2);
	}
}
