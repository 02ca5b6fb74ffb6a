/* SPDX-License-Identifier: GPL-2.0-only */
/* What each rule says of records that are changed in one thing. */
#include "collect/kernel_log.h"
#include "judge/rules.h"
#include "record/reasons.h"
#include "tests/sample.h"
#include "tests/test.h"
#include "wire/l1_frames.h"

/* A rule's verdict; TOO: what is changed may make other rules fail as well. */
enum {
	PASS = RECORD_CHECK_PASS,
	FAIL = RECORD_CHECK_FAIL,
	NOT = RECORD_CHECK_NOT_APPLICABLE,
	UNKNOWN = RECORD_CHECK_UNKNOWN,
	VERDICT = 0xf,
	TOO = 0x10,
	NO_MATTER = 0x20, /* and the record is valid all the same */
};

/* Which rules were seen to fail in this program, by their place in the table. */
static bool seen_to_fail[64];

static void assert_saw(const struct record_check *check, const char *pattern)
{
	g_autofree char *text =
		pattern != NULL && strstr(pattern, ", expected ") != NULL
			? g_strdup_printf("%s, expected %s", check->saw, check->expected)
			: g_strdup(check->saw);

	assert_true(strlen(check->saw) > 0);
	assert_true(strlen(check->expected) > 0);
	if (pattern != NULL && !g_pattern_match_simple(pattern, text))
		fail_msg("saw %s, expected %s", text, pattern);
}

/* No rule but this one decides: what it is about is invalid if it does, and nothing else is. */
static void assert_alone(const struct record *record, const struct record_check *about)
{
	for (guint i = 0; i < record->checks->len; i++) {
		const struct record_check *check = record->checks->pdata[i];

		if (check->decisive && strcmp(check->rule, about->rule) != 0)
			fail_msg("%s fails as well: saw %s", check->rule, check->saw);
	}
	assert_int_equal(record->verdict, about->decisive ? RECORD_INVALID : RECORD_VALID);
	for (guint i = 0; i < record->runs->len; i++) {
		const struct record_run *run = record->runs->pdata[i];
		const bool bad = about->decisive && g_strcmp0(run->config, about->run) == 0;

		assert_int_equal(run->verdict, bad ? RECORD_INVALID : RECORD_VALID);
	}
}

/* Two runs that are no pair are so in the words of the rule that says it. */
static void assert_no_pair(const struct record *record, const struct record_check *check)
{
	g_autofree char *different = NULL;

	if ((strcmp(check->rule, "same-guest") != 0 && strcmp(check->rule, "same-host") != 0) ||
	    record->runs->len < 2)
		return;
	different = rules_not_a_pair(record->runs->pdata[0], record->runs->pdata[1]);
	if (g_strcmp0(different, check->verdict == RECORD_CHECK_FAIL ? check->saw : NULL) != 0)
		fail_msg("no pair: %s", different != NULL ? different : "nothing");
}

/* ---- Records to begin with ---- */

/* What others have seen; histograms have no line for what never happened, lists of KVM have. */
static GPtrArray *seen(const GPtrArray *exits, const GPtrArray *lines)
{
	GPtrArray *list = record_exits_new();

	for (guint i = 0; i < lines->len; i++) {
		const struct record_exit *line = lines->pdata[i];
		const struct record_exit *one = record_find_exit(exits, line->reason);
		const uint64_t count = one != NULL ? one->before + one->count : 0;

		if (count > 0 || lines != exits)
			g_ptr_array_add(list, record_exit_new(line->reason, line->name, count));
	}
	return list;
}

/*
 * A witness, KVM's statistic, and an earlier run with the same counts. 7731 exits until the latch,
 * 7781 in all.
 */
static void add_witness(void *element, void *data G_GNUC_UNUSED)
{
	struct record_run *run = element;
	run->witness = (struct record_witness){
		.known = true,
		.at_latch = seen(run->exits, run->exits),
		.at_end = seen(run->l1_exits, run->l1_exits),
	};
	run->mmu = (struct record_mmu){
		.known = true,
		.reasons = seen(run->l1_exits, run->exits),
	};
	run->earlier = (struct record_earlier){ true, g_strdup("20260131T000000Z-bochs-boot"),
						seen(run->exits, run->exits) };
}

/* A getppid() that was done 4 and 8 times, and of what there were a and b exits then. */
#define GETPPID_POINT(n, reason, count)                                                            \
	"{\"n\":" n ",\"ticks\":1,\"exits\":[{\"reason\":" #reason                                 \
	",\"name\":\"CR\",\"before\":0,\"count\":" #count ",\"cycles\":null}]}"
#define GETPPID(reason, a, b)                                                                      \
	"operations=[{\"workload\":\"getppid\",\"error\":null,\"points\":[" GETPPID_POINT(         \
		"4", reason, a) "," GETPPID_POINT("8", reason, b) "]}]"
#define GETPPID_FAILED                                                                             \
	"operations=[{\"workload\":\"getppid\",\"error\":\"it_has_failed\",\"points\":[]}]"

/* The sample, if changes begin with "+seen" with witnesses; with "+svm", a record of AMD. */
static struct record *changed_record(const char *changes, const char *root)
{
	const bool svm = g_str_has_prefix(changes, "+svm");
	struct record *record = svm ? record_load("results/reference/tcg", NULL) : sample_record();

	assert_non_null(record);
	assert_true(*changes != '+' || svm || g_str_has_prefix(changes, "+seen"));
	if (*changes == '+' && !svm)
		g_ptr_array_foreach(record->runs, add_witness, NULL);
	if (*changes == '+')
		changes += strcspn(changes, " ");
	sample_change(&record, root, changes + strspn(changes, " "));
	return record;
}

/* ---- Each rule: pass, fail, not applicable, unknown ---- */

#define OURS	   "\"KVMexitcount\", version 3"
#define KVM	   "0123456789abcdef0123456789abcdef01234567"
#define FULL	   "18446744073709551615"
#define BUG	   "[\"[    9.1] BUG: unable to handle page fault\"]"
#define NO_WITNESS "no witness was asked for (witness in [experiment])"
#define TOO_MANY   "more than 64 bits of exits"

/*
 * Worked out by hand: 100 exits before, counted up to and including the read of the total; 20
 * reads, of which the 11th is that of reason 10. If nothing else exits: 121 after, and the parts
 * add up to 100 + 11 = 111.
 */
#define SWEEP "leaf_total.before=100 .after=121 .reads=20 .cpuid_read=11 .sum=111 "

/* A witness that was asked for, and has said nothing. */
#define SILENT "witness={\"at_latch\":null,\"at_end\":null}"

/* What KVM's statistics say of the vCPU. */
#define STATISTICS(vcpu) "mmu={\"error\":null,\"vm\":{},\"vcpu\":{" vcpu "}}"

/* A thousand times CPUID between two readings, of which the second executed 93 by itself. */
#define DOSE                                                                                       \
	"workload=dose-cpuid dose={\"n\":1000,\"cpuids\":93} count.0=0 .1=0 .12=0 .28=0 .29=0 "    \
	".30=0 .48=0 .49=0 .55=0 .10=1093 "

/* Both runs have the same two counts. */
#define TWO                                                                                        \
	"[{\"reason\":10,\"name\":null,\"before\":0,\"count\":7,\"cycles\":null},{\"reason\":12,"  \
	"\"name\":null,\"before\":0,\"count\":12,\"cycles\":null}] "
#define TWICE "ept.exits=" TWO "noept.exits=" TWO

/*
 * A rule, with the run that it is about; its verdict; what is changed: words of sample_change(),
 * below the run if there is one; what the rule saw, or "saw, expected ..." (NULL: something).
 */
static const struct row {
	const char *about;
	unsigned int expected;
	const char *changes, *saw;
} rows[] = {
	/* ---- Who answers, and what is loaded ---- */
	{ "signature ept", PASS, "", OURS ", expected \"KVMexitcount\", version 2 to 3" },
	{ "signature ept", PASS, "interface.eax=2", "\"KVMexitcount\", version 2" },
	/* The version without a latch, and one that nobody has defined yet. */
	{ "signature ept", FAIL, "interface.eax=1", "\"KVMexitcount\", version 1" },
	{ "signature ept", FAIL, "interface.eax=4", "\"KVMexitcount\", version 4" },
	/* Of an unknown leaf it may be anything; it must not reach a terminal as it is. */
	{ "signature ept", FAIL, "interface.eax=7 .ebx=27 .ecx=0 .edx=1094861636",
	  "\"\\033\", version 7" },
	{ "signature ept", UNKNOWN, "interface=null", NULL },
	{ "modules noept", PASS, "", "2 modules, all as built" },
	{ "modules noept", FAIL | TOO, "module_ids.kvm.build_id=stock",
	  "kvm is stock, built was " KVM },
	{ "modules noept", UNKNOWN, "module_ids.kvm.build_id=null", NULL },
	{ "modules noept", FAIL | TOO, "module_ids.kvm=", "kvm is not loaded, built was " KVM },
	{ "modules noept", UNKNOWN, "module_ids=null", NULL },
	{ "modules ept", UNKNOWN, "kernel.modules.kvm.build_id=null", NULL },
	{ "modules ept", UNKNOWN, "kernel.modules=[]", NULL },

	/* ---- What is in effect is what was asked for ---- */
	{ "ept-sysfs ept", PASS, "", "EPT on" },
	{ "ept-sysfs noept", PASS, "", "EPT off" },
	{ "ept-sysfs noept", FAIL, "in_effect.ept=true", "EPT on" },
	{ "ept-sysfs noept", UNKNOWN, "in_effect.ept=null", NULL },
	{ "ept-sysfs noept", UNKNOWN | TOO, "requested.ept=null", NULL },
	{ "ept-leaf ept", PASS, "", "EPT on" },
	{ "ept-leaf ept", FAIL, "l2_in_effect.ept=false", "EPT off" },
	{ "ept-leaf ept", UNKNOWN | TOO, "l2_in_effect=null", NULL },
	{ "vpid-sysfs ept", PASS, "", "VPID on" },
	{ "vpid-sysfs ept", FAIL | TOO, "in_effect.vpid=false", "VPID off" },
	{ "vpid-sysfs ept", UNKNOWN | TOO, "in_effect.vpid=null", NULL },
	{ "vpid-sysfs ept", PASS | TOO,
	  "requested.vpid=false in_effect.vpid=false l2_in_effect.vpid=false", "VPID off" },
	{ "vpid-leaf noept", PASS, "", "VPID on" },
	{ "vpid-leaf noept", FAIL, "l2_in_effect.vpid=false", "VPID off" },
	{ "vpid-leaf noept", UNKNOWN | TOO, "l2_in_effect=null", NULL },
	{ "vpid-equal", PASS, "", "VPID on in ept, on in noept" },
	/* Each run on its own is as it should be. */
	{ "vpid-equal", FAIL,
	  "noept.requested.vpid=false .in_effect.vpid=false .l2_in_effect.vpid=false",
	  "VPID on in ept, off in noept" },
	/* vpid=0 asked for and in effect is as good, if it is so in both. */
	{ "vpid-equal", PASS,
	  "noept.requested.vpid=false .in_effect.vpid=false .l2_in_effect.vpid=false "
	  "ept.requested.vpid=false .in_effect.vpid=false .l2_in_effect.vpid=false",
	  "VPID off in ept, off in noept" },
	{ "vpid-equal", UNKNOWN | TOO, "ept.in_effect.vpid=null", NULL },
	/* Unless that is what they were asked to differ in, and nothing else. */
	{ "vpid-equal", NOT | TOO,
	  "noept.requested.ept=true noept.requested.vpid=false noept.in_effect.vpid=false "
	  "noept.l2_in_effect.vpid=false",
	  "VPID alone is what these two were asked to differ in" },
	{ "unrestricted-sysfs ept", PASS, "requested.unrestricted_guest=true",
	  "unrestricted guest on" },
	{ "unrestricted-sysfs ept", FAIL | TOO, "requested.unrestricted_guest=false",
	  "unrestricted guest on" },
	{ "unrestricted-sysfs ept", UNKNOWN,
	  "requested.unrestricted_guest=true in_effect.unrestricted_guest=null", NULL },
	{ "unrestricted-sysfs ept", NOT | TOO, "+svm requested.unrestricted_guest=false", NULL },
	{ "unrestricted-leaf ept", PASS, "requested.unrestricted_guest=true",
	  "unrestricted guest on" },
	{ "unrestricted-leaf ept", FAIL | TOO,
	  "requested.unrestricted_guest=true l2_in_effect.unrestricted_guest=false",
	  "unrestricted guest off" },
	{ "unrestricted-leaf ept", UNKNOWN | TOO,
	  "requested.unrestricted_guest=true l2_in_effect=null", NULL },
	/* Bit 17 of leaf 1's ECX. */
	{ "pcid-leaf noept", PASS | TOO, "requested.pcid=false cpuid.1.ecx=0", "no PCID in L2" },
	{ "pcid-leaf noept", FAIL | TOO, "requested.pcid=false cpuid.1.ecx=131072", "PCID in L2" },
	{ "pcid-leaf noept", UNKNOWN | TOO, "requested.pcid=false cpuid=null", NULL },
	{ "pcid-leaf noept", NOT | TOO, "requested.pcid=false workload=dose-cpuid", "*dose*" },
	{ "thp-sysfs noept", PASS | TOO, "requested.thp=true in_effect.thp=true", "huge pages on" },
	{ "thp-sysfs noept", FAIL | TOO, "requested.thp=true in_effect.thp=false",
	  "huge pages off" },
	{ "thp-sysfs noept", UNKNOWN | TOO, "requested.thp=true", NULL },
	/* Asked of one run alone: the two are no pair then. */
	{ "kpti noept", PASS | TOO, "requested.pti=true " GETPPID(28, 16, 32),
	  "4.00 CR_ACCESS for one getppid()" },
	{ "kpti noept", FAIL | TOO, "requested.pti=true " GETPPID(28, 1, 1),
	  "0.00 CR_ACCESS for one getppid()" },
	{ "kpti noept", PASS, "requested.pti=false " GETPPID(28, 1, 1),
	  "0.00 CR_ACCESS for one getppid()" },
	{ "kpti noept", FAIL, "requested.pti=false " GETPPID(28, 16, 32),
	  "4.00 CR_ACCESS for one getppid()" },
	/* Of AMD it is the writes that tell: two of one system call. */
	{ "kpti noept", PASS | TOO, "+svm requested.pti=true " GETPPID(19, 8, 16),
	  "2.00 WRITE_CR3 for one getppid()" },
	{ "kpti noept", FAIL | TOO, "+svm requested.pti=true " GETPPID(3, 8, 16),
	  "0.00 WRITE_CR3 for one getppid()" },
	{ "kpti ept", NOT | TOO, "requested.pti=true " GETPPID(28, 0, 0), "*with nested paging*" },
	{ "kpti noept", UNKNOWN | NO_MATTER | TOO, "requested.pti=true",
	  "the operation getppid, *" },
	{ "kpti noept", UNKNOWN | NO_MATTER | TOO, "requested.pti=true " GETPPID_FAILED,
	  "the points of *" },
	{ "same-guest", FAIL, "ept.requested.pti=false noept.requested.pti=true",
	  "KPTI: off and on" },
	{ "one-change", PASS, "noept.requested.thp=false noept.in_effect.thp=false", "1" },
	{ "one-change", FAIL, "noept.requested.thp=true noept.in_effect.thp=true", "2" },
	{ "one-change", FAIL | TOO,
	  "noept.requested.thp=true noept.in_effect.thp=true noept.requested.vpid=false", "3" },

	/* ---- What the counts must be ---- */
	{ "ept-off-no-ept-exits noept", PASS, "", "48 EPT_VIOLATION 0, 49 EPT_MISCONFIG 0" },
	{ "ept-off-no-ept-exits ept", NOT, "", "this run has ept=1" },
	{ "ept-off-no-ept-exits noept", FAIL, "count.48=1",
	  "48 EPT_VIOLATION 1, 49 EPT_MISCONFIG 0" },
	{ "ept-off-no-ept-exits noept", FAIL, "count.49=1",
	  "48 EPT_VIOLATION 0, 49 EPT_MISCONFIG 1" },
	{ "ept-off-no-ept-exits noept", UNKNOWN | TOO, "exits.49=", NULL },
	{ "ept-off-no-ept-exits noept", UNKNOWN | TOO, "requested.ept=null", NULL },
	{ "ept-off-page-faults noept", PASS, "", "0 EXCEPTION_NMI 7157" },
	{ "ept-off-page-faults ept", NOT, "", "this run has ept=1" },
	{ "ept-off-page-faults noept", FAIL, "count.0=0", "0 EXCEPTION_NMI 0" },
	{ "ept-off-page-faults noept", UNKNOWN | TOO, "exits=null", NULL },
	{ "ept-on-violations ept", PASS, "", "48 EPT_VIOLATION 6184" },
	{ "ept-on-violations noept", NOT, "", "this run has ept=0" },
	{ "ept-on-violations ept", FAIL, "count.48=0", "48 EPT_VIOLATION 0" },
	{ "ept-on-violations ept", UNKNOWN | TOO, "exits=null", NULL },
	{ "ept-on-no-invlpg ept", PASS, "", "14 INVLPG 0" },
	{ "ept-on-no-invlpg noept", NOT, "", "this run has ept=0" },
	{ "ept-on-no-invlpg ept", FAIL, "count.14=308", "14 INVLPG 308" },
	{ "ept-on-no-invlpg ept", UNKNOWN | TOO, "requested.ept=null", NULL },

	/* ---- Are the answers whole? ---- */
	{ "answers ept", PASS, "", NULL },
	{ "answers ept", FAIL, "malformed=[12]",
	  "1 answers have no form that is specified, the first is that for reason 12" },
	/* The SDM defines no reason 35; KVM counts it all the same. */
	{ "answers ept", FAIL, "exits.35.count=0", "35 is answered with a count" },
	/* Counted by the latch, and undefined when it was asked for live. */
	{ "answers ept", FAIL, "undefined=[35,12]", "12 HLT is answered as undefined" },
	/* A reason far behind the last, and one as far as can be. */
	{ "answers ept", FAIL, "exits.200.count=0", "200 is answered with a count" },
	{ "answers ept", FAIL, "exits.4294967295.count=0", "4294967295 is answered with a count" },
	{ "answers ept", FAIL, "exits.12=", "12 HLT is not answered" },
	{ "answers ept", FAIL, "exits.12= undefined=[12]", "12 HLT is answered as undefined" },
	{ "answers ept", UNKNOWN, "malformed=null", NULL },
	{ "answers ept", UNKNOWN, "undefined=null", NULL },
	/* 1 + 104 + 256 + 12 + 9 + 2 + 763 + 6184 + 399 + 1 */
	{ "sum ept", PASS, "", "7731, expected exactly 7731" },
	{ "sum ept", FAIL, "latch.sum=7730", "7730" },
	{ "sum ept", FAIL, "latch.sum=7732", "7732" },
	{ "sum ept", PASS, "latch.total=" FULL " .sum=" FULL, FULL },
	{ "sum ept", FAIL, "latch.sum=null", "the parts add up to more than 64 bits" },
	{ "sum ept", UNKNOWN, "latch=null", NULL },
	{ "sum ept", UNKNOWN | TOO, "exits=null", NULL },

	/* ---- The sweep ---- */
	{ "sweep ept", PASS, "", NULL },
	{ "sweep ept", PASS, SWEEP, "111, expected exactly 111" },
	{ "sweep ept", FAIL, SWEEP ".sum=110", "110" },
	{ "sweep ept", FAIL, SWEEP ".sum=112", "112" },
	/* Three more exits while reading: they may be in the parts, or have come too late. */
	{ "sweep ept", PASS, SWEEP ".after=124",
	  "111, expected 111 to 114, as 3 exits came in between" },
	{ "sweep ept", PASS, SWEEP ".after=124 .sum=114", "114" },
	{ "sweep ept", FAIL, SWEEP ".after=124 .sum=110", "110" },
	{ "sweep ept", FAIL, SWEEP ".after=124 .sum=115", "115" },
	/* Reads that are not counted, and a total that runs backwards. */
	{ "sweep ept", FAIL, SWEEP ".after=120", "total 100 before, 120 after 20 reads" },
	{ "sweep ept", FAIL, SWEEP ".after=99", "total 100 before, 99 after 20 reads" },
	/* At the edge of 64 bits nothing may wrap. */
	{ "sweep ept", PASS,
	  SWEEP ".before=18446744073709551594 .after=" FULL " .sum=18446744073709551605", NULL },
	{ "sweep ept", FAIL, SWEEP ".before=18446744073709551595 .after=0 .sum=0",
	  "total 18446744073709551595 before, 0 after 20 reads" },
	{ "sweep ept", FAIL, SWEEP ".sum=null", "the parts add up to more than 64 bits" },
	{ "sweep ept", UNKNOWN, SWEEP ".cpuid_read=0", NULL },
	{ "sweep ept", UNKNOWN, SWEEP ".cpuid_read=21", NULL },
	{ "sweep ept", UNKNOWN, "leaf_total=null", NULL },

	/* ---- What L1 has counted ---- */
	/* 7731 and 50 more by reason 30; what L2 has read as 0 is not in the log. */
	{ "l1-log ept", PASS, "", "10 reasons, 7781 exits" },
	/* One less than L2 has read; then one more, which is as good. */
	{ "l1-log ept", FAIL, "l1_exits.12.count=11 l1_total=7780", "reason 12: L2 12, L1 11" },
	{ "l1-log ept", PASS, "l1_exits.12.count=13 l1_total=7782", "10 reasons, 7782 exits" },
	/* Its lines must add up, to the exit. */
	{ "l1-log ept", FAIL, "l1_total=7782", "lines of 7781 exits, 7782 in the first line" },
	{ "l1-log ept", FAIL, "l1_total=7780", "lines of 7781 exits, 7780 in the first line" },
	/* A reason that came only later, when the frames were sent. */
	{ "l1-log ept", PASS, "l1_exits.31.count=3 l1_total=7784", "11 reasons, 7784 exits" },
	/* More than 64 bits do not wrap into the right sum. */
	{ "l1-log ept", FAIL, "l1_exits.31.count=" FULL " l1_total=7780", NULL },
	/* What was there before the workload began is in the log as well: 256 in all. */
	{ "l1-log ept", PASS, "exits.10.before=255 .10.count=1", NULL },
	{ "l1-log ept", FAIL, "exits.10.before=255 .10.count=2", "reason 10: L2 257, L1 256" },
	/* A reason that only L2 has. */
	{ "l1-log ept", FAIL, "l1_exits.55= l1_total=7780", "reason 55: L2 1, L1 0" },
	{ "l1-log ept", UNKNOWN, "l1_total=null", NULL },
	{ "l1-log ept", UNKNOWN, "l1_exits=null", NULL },
	{ "l1-log noept", UNKNOWN | TOO, "exits=null", NULL },

	/* ---- The witness ---- */
	{ "witness-leaves ept", NOT, "", NO_WITNESS },
	{ "witness-end ept", NOT, "", NO_WITNESS },
	{ "witness-leaves ept", UNKNOWN | TOO, SILENT, NULL },
	{ "witness-end ept", UNKNOWN | TOO, SILENT, NULL },
	{ "witness-leaves noept", NOT, "", NO_WITNESS },
	{ "witness-leaves ept", PASS, "+seen", "equal for each reason, 7731 exits" },
	/* One exit more or less in one reason. */
	{ "witness-leaves ept", FAIL, "+seen witness.at_latch.48.count=6185",
	  "reason 48: L2 6184, tracepoint 6185" },
	{ "witness-leaves ept", FAIL, "+seen witness.at_latch.48.count=6183",
	  "reason 48: L2 6184, tracepoint 6183" },
	/* A reason that only one of them has. */
	{ "witness-leaves ept", FAIL, "+seen witness.at_latch.35.count=1",
	  "reason 35: L2 0, tracepoint 1" },
	{ "witness-leaves ept", FAIL,
	  "+seen witness.at_latch.55=", "reason 55: L2 1, tracepoint 0" },
	/* What was there before the workload began counts. */
	{ "witness-leaves ept", PASS, "+seen exits.48.before=6000 .48.count=184", NULL },
	{ "witness-leaves ept", FAIL | TOO, "+seen exits.48.before=5999 .48.count=184",
	  "reason 48: L2 6183, tracepoint 6184" },
	{ "witness-leaves ept", UNKNOWN | TOO, "+seen exits=null", NULL },
	/* 8741 and 50 more; one exit less in one of the two, and then in both. */
	{ "witness-end noept", PASS, "+seen", "equal for each reason, 8791 exits" },
	{ "witness-end noept", FAIL, "+seen witness.at_end.14.count=307",
	  "reason 14: tracepoint 307, kernel log 308" },
	{ "witness-end noept", PASS | TOO,
	  "+seen witness.at_end.14.count=307 l1_exits.14.count=307",
	  "equal for each reason, 8790 exits" },
	/* A reason that only one of them has. */
	{ "witness-end noept", FAIL, "+seen witness.at_end.86.count=1",
	  "reason 86: tracepoint 1, kernel log 0" },
	{ "witness-end noept", FAIL | TOO, "+seen l1_exits.86.count=1 l1_total=8792",
	  "reason 86: tracepoint 0, kernel log 1" },
	{ "witness-end noept", UNKNOWN, "+seen witness.at_end=null", NULL },
	{ "witness-end noept", UNKNOWN | TOO, "+seen l1_exits=null", NULL },
	/* Counts that are equal and have no sum of 64 bits were counted by nobody. */
	{ "witness-leaves ept", FAIL | TOO,
	  "+seen exits.30.count=" FULL " witness.at_latch.30.count=" FULL, TOO_MANY },
	{ "witness-end ept", FAIL | TOO,
	  "+seen witness.at_end.30.count=" FULL " l1_exits.30.count=" FULL, TOO_MANY },

	/* ---- KVM's statistics, when L2 stood still: 7781 and 8791 exits in all ---- */
	{ "kvm-stats ept", NOT, "", "L1 did not look at KVM's statistics" },
	{ "kvm-stats ept", PASS, STATISTICS("\"exits\":7781"), "7781, expected exactly 7781" },
	{ "kvm-stats ept", FAIL, STATISTICS("\"exits\":7782"), "7782, expected exactly 7781" },
	{ "kvm-stats ept", FAIL, STATISTICS("\"exits\":7780"), "7780, expected exactly 7781" },
	/* Without unrestricted guest some entries were emulated. */
	{ "kvm-stats noept", PASS, STATISTICS("\"exits\":9791"),
	  "9791: 1000 entries were emulated, expected 8791 or more" },
	{ "kvm-stats noept", PASS, STATISTICS("\"exits\":8791"), NULL },
	{ "kvm-stats noept", FAIL, STATISTICS("\"exits\":8790"), "8790, expected 8791 or more" },
	/* A KVM without the series: 7731 until the latch. */
	{ "kvm-stats ept", PASS | TOO,
	  "source=tracepoint l1_exits=null l1_total=null " STATISTICS("\"exits\":7731"),
	  "7731, expected 7731 or more" },
	{ "kvm-stats ept", FAIL | TOO,
	  "source=tracepoint l1_exits=null l1_total=null " STATISTICS("\"exits\":7730"),
	  "7730, expected 7731 or more" },
	{ "kvm-stats ept", UNKNOWN | NO_MATTER | TOO,
	  "exits=null total=null l1_total=null " STATISTICS("\"exits\":7730"), "the counts" },
	/* The same by reason, where KVM has the series. */
	{ "kvm-reasons noept", NOT, "", "KVM has no statistic exit_reasons" },
	{ "kvm-reasons noept", PASS, "+seen", "equal for each reason, 8791 exits" },
	{ "kvm-reasons noept", FAIL, "+seen mmu.reasons.14.count=307",
	  "reason 14: statistic 307, kernel log 308" },
	{ "kvm-reasons noept", FAIL, "+seen mmu.reasons.2.count=1",
	  "reason 2: statistic 1, kernel log 0" },
	{ "kvm-reasons noept", FAIL | TOO, "+seen l1_exits.86.count=1 l1_total=8792",
	  "reason 86: statistic 0, kernel log 1" },
	/* Without a table: what was counted until the latch is not more. */
	{ "kvm-reasons noept", PASS | TOO, "+seen l1_exits=null", "none has less" },
	{ "kvm-reasons ept", PASS | TOO, "+seen l1_exits=null mmu.reasons.48.count=6184", NULL },
	{ "kvm-reasons ept", FAIL | TOO, "+seen l1_exits=null mmu.reasons.48.count=6183",
	  "reason 48: counted 6184, statistic 6183" },
	{ "kvm-reasons ept", UNKNOWN | NO_MATTER | TOO, "+seen l1_exits=null exits=null", NULL },
	/* There are none, or not this one: it is said, and decides nothing. */
	{ "kvm-stats ept", UNKNOWN | NO_MATTER, STATISTICS("\"pf_taken\":7"),
	  "the statistic \"exits\"" },
	{ "kvm-stats ept", UNKNOWN | NO_MATTER,
	  "mmu={\"error\":\"QEMU_has_none\",\"vm\":null,\"vcpu\":null}", "QEMU_has_none" },
	/* AMD never emulates instead of entering. */
	{ "kvm-stats noept", FAIL | TOO, "+svm l1_total=8000 " STATISTICS("\"exits\":8001"),
	  "8001, expected exactly 8000" },

	/* ---- Doses ---- */
	{ "dose ept", NOT, "", "the workload is no single dose" },
	{ "dose ept", UNKNOWN | TOO, "workload=null", NULL },
	{ "boot-fingerprint", UNKNOWN | NO_MATTER | TOO, "ept.workload=null", NULL },
	{ "dose ept", NOT | TOO, "workload=doses", NULL },
	{ "dose ept", UNKNOWN | TOO, "workload=dose-cpuid", NULL },
	{ "dose ept", PASS | TOO, DOSE, "as derived for n = 1000, 93 CPUIDs of the reader apart" },
	/* L1's own interrupts come when they come. */
	{ "dose ept", PASS | TOO, DOSE "count.1=7", NULL },
	/* One exit too few, one too many, and one that the dose does not make. */
	{ "dose ept", FAIL | TOO, DOSE "count.10=1092", "*reason 10 (CPUID)*" },
	{ "dose ept", FAIL | TOO, DOSE "count.10=1094", "*reason 10 (CPUID)*" },
	{ "dose ept", FAIL | TOO, DOSE "count.30=1",
	  "*1 exits of reason 30 (IO_INSTRUCTION), expected none*" },
	{ "dose ept", UNKNOWN | TOO, DOSE "l2_in_effect=null", NULL },
	{ "dose ept", UNKNOWN | TOO, DOSE "exits=null", NULL },

	/* ---- Equal inputs, and so equal counts ---- */
	{ "repeats ept", NOT, "", "no earlier record has a run with the same inputs" },
	{ "repeats ept", PASS, "+seen",
	  "equal for each reason, expected for each reason the count of "
	  "20260131T000000Z-bochs-boot" },
	{ "repeats ept", FAIL, "+seen earlier.exits.30.count=762", "reason 30: now 763, then 762" },
	{ "repeats ept", FAIL, "+seen earlier.exits.30.count=764", "reason 30: now 763, then 764" },
	/* A reason that only one of them has. */
	{ "repeats ept", FAIL, "+seen earlier.exits.58.count=1", "reason 58: now 0, then 1" },
	{ "repeats noept", NOT, "+seen earlier=null", NULL },
	/* On hardware two boots are never the same. */
	{ "repeats ept", NOT, "+seen platform.deterministic=false",
	  "the platform does not give the same counts again" },
	{ "repeats ept", UNKNOWN | TOO, "+seen exits=null", NULL },

	/* ---- Logs ---- */
	{ "kernel-log noept", PASS, "", "none in 7 lines" },
	/* A run in which L1 had nothing to say is no less known. */
	{ "kernel-log noept", PASS, "kernel_log.lines=0", "none in 0 lines" },
	{ "kernel-log noept", FAIL, "kernel_log.findings=" BUG,
	  "1 in 7 lines, the first: [    9.1] BUG: unable to handle page fault" },
	{ "kernel-log noept", FAIL, "kernel_log.findings=" BUG " .lost=true", NULL },
	{ "kernel-log noept", UNKNOWN, "kernel_log.lost=true", NULL },
	{ "kernel-log noept", UNKNOWN, "kernel_log=null", NULL },
	{ "l2-log ept", PASS, "", "none in 3 lines" },
	{ "l2-log noept", FAIL, "l2_log.findings=[\"BUG: one\"]",
	  "1 in 3 lines, the first: BUG: one" },
	{ "l2-log ept", UNKNOWN, "l2_log=null", NULL },

	/* ---- Rules of the pair ---- */
	{ "runs-differ", PASS, "", NULL },
	{ "runs-differ", UNKNOWN | TOO, "noept.requested.ept=null", NULL },
	{ "runs-differ", UNKNOWN | TOO, "noept.exits=null", NULL },
	{ "runs-differ", FAIL | TOO, TWICE, "0 of 2 reasons differ" },
	{ "runs-differ", PASS | TOO, TWICE "noept.exits.12.count=13", "1 of 2 reasons differ" },
	/* Two runs of the same kind may be equal on a deterministic emulator. */
	{ "runs-differ", NOT | TOO, TWICE "noept.requested.ept=true", NULL },
	{ "same-guest", PASS, "", "all the same" },
	{ "same-guest", FAIL, "noept.guest.image_sha256=other", "image: 1111 and other" },
	{ "same-guest", UNKNOWN, "noept.guest.image_sha256=null", "image" },
	{ "same-guest", FAIL, "noept.guest.kernel_sha256=other", "L2's kernel: 2222 and other" },
	{ "same-guest", UNKNOWN, "noept.guest.kernel_sha256=null", "L2's kernel" },
	{ "same-guest", FAIL, "noept.guest.probe_sha256=other", "probe: 3333 and other" },
	{ "same-guest", UNKNOWN, "noept.guest.probe_sha256=null", "probe" },
	{ "same-guest", FAIL, "noept.guest.memory_mib=129", "memory in MiB: 128 and 129" },
	{ "same-guest", UNKNOWN, "noept.guest.memory_mib=null", NULL },
	/* What differs is said, whatever else is missing. */
	{ "same-guest", FAIL, "noept.guest.vcpus=2 .guest.memory_mib=null", "vCPUs: 1 and 2" },
	{ "same-guest", UNKNOWN, "noept.guest.vcpus=null", NULL },
	{ "same-guest", FAIL, "noept.workload=other", "workload: boot and other" },
	{ "same-guest", UNKNOWN | TOO, "noept.workload=null", NULL },
	/* Of the host, what is not known may still be the same. */
	/* What a KVM takes away with the other paging is found, and called by its name. */
	{ "same-cpuid", PASS, "", "5 leaves, the same" },
	{ "same-cpuid", FAIL, "ept.cpuid.2.ecx=8", "leaf 0x7 index 0 ECX: 0x8 and 0x0, bit 3 PKU" },
	{ "same-cpuid", FAIL, "ept.cpuid.2.ecx=136 ept.cpuid.2.edx=1048608",
	  "leaf 0x7 index 0 ECX: 0x88 and 0x0, bit 3 PKU, bit 7 SHSTK; leaf 0x7 index 0 EDX: "
	  "0x100020 and 0x0, bit 5, bit 20 IBT" },
	{ "same-cpuid", FAIL,
	  "ept.cpuid.2.ecx=136 ept.cpuid.2.edx=1048608 ept.cpuid.0.eax=14 "
	  "ept.cpuid.1.edx=126614511",
	  "leaf 0x0 index 0 EAX: 0xE and 0xD, bit 0, bit 1; leaf 0x1 index 0 EDX: 0x78BFBEF and "
	  "0x78BFBFF, bit 4; leaf 0x7 index 0 ECX: 0x88 and 0x0, bit 3 PKU, bit 7 SHSTK; and 1 "
	  "registers more" },
	{ "same-cpuid", UNKNOWN | NO_MATTER, "noept.cpuid=null", NULL },
	/* What belongs to the vCPU that asks, or to its state, and what must follow the paging. */
	{ "same-cpuid", PASS, "ept.cpuid.1.ebx=50333696 ept.cpuid.3.ebx=576 noept.cpuid.4.edx=0",
	  "5 leaves, the same; leaf 0x1 index 0 EBX differs as it may (initial APIC ID of the "
	  "vCPU that asks: SDM vol. 2A, CPUID); leaf 0xD index 0 EBX differs as it may (size for "
	  "what XCR0 enables now: SDM vol. 2A, CPUID); leaf 0x8000000A index 0 EDX differs as it "
	  "may (NPT for L2's own guests, which KVM offers with npt=1 only: svm_set_cpu_caps())" },
	/* Beside the exempt bits there are others. */
	{ "same-cpuid", FAIL, "ept.cpuid.1.ebx=50333697",
	  "leaf 0x1 index 0 EBX: 0x3000801 and 0x800, bit 0" },
	{ "same-cpuid", NOT | TOO, "ept.workload=dose-cpuid", NULL },
	{ "same-host", PASS, "", "all the same" },
	{ "same-host", FAIL, "noept.platform.name=other", "platform: bochs and other" },
	{ "same-host", UNKNOWN | NO_MATTER, "noept.platform.name=null", NULL },
	{ "same-host", FAIL, "noept.platform.cpu=other", "CPU: corei7_haswell_4770 and other" },
	{ "same-host", UNKNOWN | NO_MATTER, "ept.platform.cpu=null", NULL },
	{ "same-host", FAIL, "noept.kernel.release=other", "L1's kernel: 6.1.0-eptlab and other" },
	{ "same-host", UNKNOWN | NO_MATTER, "noept.kernel.release=null", NULL },
	{ "same-host", FAIL, "noept.source=tracepoint",
	  "source of the counts: leaves and tracepoint" },
	{ "same-host", FAIL | TOO, "noept.module_ids.kvm_intel.build_id=other",
	  "modules: another build-id" },
	{ "same-host", UNKNOWN | NO_MATTER | TOO, "noept.module_ids=null", NULL },
	{ "boot-fingerprint", PASS, "", NULL },
	/* WBINVD (54) need not be a multiple. */
	{ "boot-fingerprint", FAIL,
	  "ept.count.46=6 .count.54=3 noept.count.29=4 .count.46=12 .count.54=8 .count.55=2",
	  "29 DR_ACCESS 2 and 4, 46 GDTR_IDTR 6 and 12, 54 WBINVD 3 and 8, 55 XSETBV 1 and 2: "
	  "exactly 2 times as many, so 2 boots are in one of the counters" },
	/* The first may be the one that ran on. */
	{ "boot-fingerprint", FAIL,
	  "ept.count.29=12 .count.46=36 .count.54=3 .count.55=6 noept.count.29=4 .count.46=12 "
	  ".count.54=8 .count.55=2",
	  NULL },
	/* Different, but no multiple: another CPU, perhaps. It decides nothing. */
	{ "boot-fingerprint", UNKNOWN | NO_MATTER,
	  "ept.count.29=2 .count.46=7 .count.54=3 .count.55=6 noept.count.29=4 .count.46=12 "
	  ".count.54=8 .count.55=2",
	  NULL },
	{ "boot-fingerprint", NOT | TOO, "ept.workload=dose-cpuid", NULL },
	{ "vpid-equal", NOT, "noept=", "there is one run only" },
	{ "runs-differ", NOT, "noept=", "there is one run only" },
	{ "same-guest", NOT, "noept=", "there is one run only" },
	{ "same-host", NOT, "noept=", "there is one run only" },

	/* ---- AMD ---- */
	{ "ept-off-no-ept-exits noept", PASS, "+svm", "1024 NPF 0" },
	{ "ept-off-no-ept-exits noept", FAIL | TOO, "+svm count.1024=7", "1024 NPF 7" },
	{ "ept-on-no-invlpg ept", FAIL | TOO, "+svm count.121=2", "121 INVLPG 2" },
	{ "ept-on-violations ept", FAIL | TOO, "+svm count.1024=0", "1024 NPF 0" },
	{ "ept-off-page-faults noept", FAIL | TOO, "+svm count.78=0", "78 EXCP_PF 0" },
	/* npt=0 was asked for and has not taken effect. */
	{ "ept-sysfs noept", FAIL, "+svm in_effect.ept=true", "EPT on" },
	{ "ept-leaf noept", FAIL, "+svm l2_in_effect.ept=true", "EPT on" },
	/* kvm-amd has no parameter vpid, and tags the TLB by ASID all the same. */
	{ "vpid-sysfs ept", NOT, "+svm", NULL },
	{ "vpid-equal", NOT, "+svm", NULL },
	{ "vpid-leaf ept", NOT, "+svm", NULL },
	{ "vpid-leaf ept", NOT, "+svm requested.vpid=false", NULL },
	{ "vpid-leaf noept", NOT, "+svm requested.vpid=false", NULL },
	/* Also when no leaf was answered: whose CPU it is, the platform says as well. */
	{ "vpid-leaf ept", NOT | TOO, "+svm requested.vpid=false l2_in_effect=null", NULL },
	{ "vpid-sysfs ept", NOT | TOO, "+svm requested.vpid=false l2_in_effect=null", NULL },
	{ "vpid-leaf ept", UNKNOWN | TOO,
	  "+svm requested.vpid=false l2_in_effect=null platform.vendor=null", NULL },
};

static void judge_row(const struct row *row)
{
	g_auto(GStrv) about = g_strsplit(row->about, " ", 2);
	g_autofree char *root = about[1] != NULL ? g_strconcat(about[1], ".", NULL) : g_strdup("");
	g_autoptr(struct_record) record = changed_record(row->changes, root);
	const unsigned int verdict = row->expected & VERDICT;
	const struct rule *rule = rules_find(about[0]);
	const struct record_check *check;
	size_t count;

	rules_judge(record);
	check = sample_check(record, about[0], about[1]);
	if (check->verdict != verdict)
		fail_msg("verdict %d (saw %s, expected %s)", (int)check->verdict, check->saw,
			 check->expected);
	assert_saw(check, row->saw);
	assert_string_equal(check->why, rule->why);
	assert_string_equal(check->advice, rule->advice);
	assert_int_equal(check->decisive,
			 verdict == FAIL || (verdict == UNKNOWN && !(row->expected & NO_MATTER)));
	if (verdict == FAIL)
		seen_to_fail[rule - rules_table(&count)] = true;
	if (check->decisive)
		assert_int_equal(record->verdict, RECORD_INVALID);
	if (!(row->expected & TOO))
		assert_alone(record, check);
	assert_no_pair(record, check);
}

TEST(each_rule_says_what_it_must)
{
	test_each (row, rows) {
		g_autofree char *text = g_strjoin(" ", row->about, row->changes, NULL);

		test_row(text, TEST_TEXT);
		judge_row(row);
		test_row(NULL, 0);
	}
}

TEST(table_is_complete)
{
	size_t count, i, j;
	const struct rule *rules = rules_table(&count);

	assert_true(count >= 15);
	for (i = 0; i < count; i++) {
		assert_true(strlen(rules[i].why) > 40);
		assert_true(strlen(rules[i].advice) > 20);
		assert_true((rules[i].of_run == NULL) != (rules[i].of_pair == NULL));
		assert_ptr_equal(rules_find(rules[i].name), &rules[i]);
		for (j = i + 1; j < count; j++)
			assert_string_not_equal(rules[i].name, rules[j].name);
	}
	assert_null(rules_find("no-such-rule"));
}

/* One check for each run, one for the pair; judged again, nothing changes. */
TEST(sample_is_valid)
{
	g_autoptr(struct_record) record = judged_sample();
	g_autofree char *first = record_to_text(record);
	g_autofree char *second = NULL;
	size_t count, of_pair = 0, of_run = 0;
	const struct rule *rules = rules_table(&count);

	for (guint i = 0; i < record->checks->len; i++) {
		const struct record_check *check = record->checks->pdata[i];

		if (check->decisive || (check->verdict != RECORD_CHECK_PASS &&
					check->verdict != RECORD_CHECK_NOT_APPLICABLE))
			fail_msg("%s: saw %s, expected %s", check->rule, check->saw,
				 check->expected);
	}
	assert_alone(record, record->checks->pdata[0]);
	for (size_t i = 0; i < count; i++)
		if (rules[i].asked == NULL)
			(*(rules[i].of_pair != NULL ? &of_pair : &of_run))++;
	assert_int_equal(record->checks->len, 2 * of_run + of_pair);
	rules_judge(record);
	second = record_to_text(record);
	assert_string_equal(first, second);
}

/* ---- Verdict of the whole ---- */

TEST(three_runs)
{
	g_autoptr(struct_record) record = sample_record();
	struct record_run *third = record_run_copy(record->runs->pdata[1]);
	unsigned int pairs = 0;

	record_set_string(&third->config, "third");
	third->guest.memory_mib = record_u64_from(64);
	g_ptr_array_add(record->runs, third);
	rules_judge(record);
	assert_int_equal(record->verdict, RECORD_INVALID);
	for (guint i = 0; i < record->checks->len; i++) {
		const struct record_check *check = record->checks->pdata[i];

		/* ept with noept, ept with third. */
		if (strcmp(check->rule, "same-guest") == 0)
			assert_int_equal(check->verdict,
					 pairs++ == 0 ? RECORD_CHECK_PASS : RECORD_CHECK_FAIL);
	}
	assert_int_equal(pairs, 2);
}

TEST(failure_stays_failure)
{
	g_autoptr(struct_record) record = sample_record();
	struct record_run *ept = record->runs->pdata[0], *noept = record->runs->pdata[1];

	record_set_string(&noept->error, "L2: the probe never spoke");
	rules_judge(record);
	assert_int_equal(record->verdict, RECORD_FAILED);
	assert_int_equal(noept->verdict, RECORD_FAILED);
	assert_int_equal(ept->verdict, RECORD_VALID);
	record_set_string(&noept->error, NULL);
	record_set_string(&record->error, "L1: panic");
	rules_judge(record);
	assert_int_equal(record->verdict, RECORD_FAILED);
	record_set_string(&record->error, NULL);
	rules_judge(record);
	assert_int_equal(record->verdict, RECORD_VALID);
	g_ptr_array_set_size(record->runs, 0);
	rules_judge(record);
	assert_int_equal(record->verdict, RECORD_FAILED);
	assert_int_equal(record->checks->len, 0);
}

/*
 * A run of which nothing is known but its name fails no rule, and passes none. Only a witness,
 * KVM's statistics and an earlier run need not be there.
 */
TEST(nothing_known_passes_nothing)
{
	g_autoptr(struct_record) record = sample_record();

	g_ptr_array_set_size(record->runs, 0);
	g_ptr_array_set_size(record->kernel.modules, 0);
	g_ptr_array_add(record->runs, record_run_new("ept"));
	g_ptr_array_add(record->runs, record_run_new("noept"));
	rules_judge(record);
	assert_int_equal(record->verdict, RECORD_INVALID);
	for (guint i = 0; i < record->checks->len; i++) {
		const struct record_check *check = record->checks->pdata[i];
		const bool need_not_be = g_str_has_prefix(check->rule, "witness-") ||
					 g_str_has_prefix(check->rule, "kvm-") ||
					 strcmp(check->rule, "repeats") == 0;

		if (check->verdict !=
		    (need_not_be ? RECORD_CHECK_NOT_APPLICABLE : RECORD_CHECK_UNKNOWN))
			fail_msg("%s is %d", check->rule, (int)check->verdict);
	}
}

/* What was not measured to its end is failed, and judged by no rule. */
TEST(no_rule_applies_to_a_failed_run)
{
	g_autoptr(struct_record) record = sample_record();
	const struct record_run *const *runs =
		(const struct record_run *const *)record->runs->pdata;
	g_autoptr(GPtrArray) checks = NULL;
	size_t count, asked = 0, seen = 0;
	const struct rule *rules = rules_table(&count);
	bool valid;

	for (guint i = 0; i < record->runs->len; i++)
		record_set_string(&((struct record_run *)record->runs->pdata[i])->error,
				  "L2: it crashed");
	checks = rules_check(runs, 2, &valid);
	assert_false(valid);
	for (size_t i = 0; i < count; i++)
		asked += rules[i].asked != NULL;
	for (guint i = 0; i < checks->len; i++) {
		const struct record_check *check = g_ptr_array_index(checks, i);

		assert_int_equal(check->verdict, RECORD_CHECK_NOT_APPLICABLE);
		seen += g_strcmp0(check->run, "noept") != 0;
	}
	assert_int_equal(seen, count - asked);
}

/* ---- The kernel log ---- */

TEST(log_finds_trouble)
{
	g_autoptr(struct_record) record = sample_record();
	struct record_kernel_log *log = &((struct record_run *)record->runs->pdata[0])->kernel_log;

	test_each_of (
		line,
		"[    1.234567] WARNING: CPU: 0 PID: 1 at arch/x86/kvm/x86.c:100 f+0x1/0x2 [kvm]",
		"[   12.000000] BUG: unable to handle page fault for address: ffff",
		"[   12.000000] BUG: kernel NULL pointer dereference, address: 0000000000000008",
		"[12345.678901] Oops: 0000 [#1] PREEMPT SMP PTI",
		"[    0.5][    T1] kernel BUG at mm/slub.c:1!",
		"<0>[    3.000000] Kernel panic - not syncing: Fatal exception",
		"<4>WARNING: possible circular locking dependency detected",
		"[    3.0] general protection fault, probably for non-canonical address 0x1: 0000",
		"[    3.0] invalid opcode: 0000 [#1] SMP", "[    3.0] divide error: 0000 [#1]",
		"[    3.0] watchdog: BUG: soft lockup - CPU#0 stuck for 22s!",
		"[    3.0] INFO: task qemu:7 blocked for more than 120 seconds.",
		"[    3.0] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
		"[    3.0] UBSAN: array-index-out-of-bounds in a.c:1:1") {
		kernel_log_scan(*line, strlen(*line), log);
		assert_int_equal(log->findings->len, 1);
		assert_string_equal(log->findings->pdata[0], *line);
		assert_int_equal(log->lines, 1);
	}
}

/* All of these are in logs of healthy machines. */
TEST(log_does_not_cry_wolf)
{
	g_autoptr(struct_record) record = sample_record();
	struct record_kernel_log *log = &((struct record_run *)record->runs->pdata[0])->kernel_log;
	static const char text[] =
		"[    0.000000] Linux version 6.1.0 (gcc) #1 SMP PREEMPT_DYNAMIC\n"
		"[    0.100000] Spectre V2 : WARNING: Unprivileged eBPF is enabled\n"
		"[    0.200000] NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.\n"
		"[    0.300000] rcu: Preemptible hierarchical RCU implementation.\n"
		"[    0.400000] Warning: unable to open an initial console.\n"
		"[    0.500000] traps: qemu[7] general protection fault ip:1 sp:2 error:0\n"
		"[    0.600000] qemu[7]: segfault at 0 ip 0 sp 0 error 4\n"
		"[    0.700000] kvm: this line says BUG: and Oops: and Kernel panic - not syncing\n"
		"[    0.800000] MDS CPU bug present and SMT on, data leak possible.\n"
		"[no time] WARNING: of something else\n"
		"\n";

	kernel_log_scan(text, strlen(text), log);
	assert_true(log->known);
	assert_int_equal(log->lines, 11);
	assert_int_equal(log->findings->len, 0);
	assert_false(log->lost);
}

TEST(log_is_read_to_its_end)
{
	g_autoptr(struct_record) record = sample_record();
	struct record_kernel_log *log = &((struct record_run *)record->runs->pdata[0])->kernel_log;
	static const char with_nul[] = "one\n\0BUG: hidden\nBUG: seen\r\n" KERNEL_LOG_LOST "\nlast";
	g_autoptr(GString) many = g_string_new(NULL);

	kernel_log_scan(with_nul, sizeof(with_nul) - 1, log);
	assert_int_equal(log->lines, 5);
	assert_int_equal(log->findings->len, 1);
	assert_string_equal(log->findings->pdata[0], "BUG: seen");
	assert_true(log->lost);

	for (unsigned int i = 0; i < 1000; i++)
		g_string_append_printf(many, "BUG: %0*u\n", 300, i);
	kernel_log_scan(many->str, many->len, log);
	assert_int_equal(log->lines, 1000);
	assert_int_equal(log->findings->len, KERNEL_LOG_FINDINGS_MAX);
	assert_int_equal(strlen(log->findings->pdata[0]), 200);
	assert_false(log->lost);

	kernel_log_scan("", 0, log);
	assert_true(log->known);
	assert_int_equal(log->lines, 0);
}

/* ---- Counts of a tracepoint ---- */

/* As from a KVM without the leaves: what they would have told is not there. */
static void make_traced(void *element, void *data G_GNUC_UNUSED)
{
	struct record_run *run = element;

	run->source = RECORD_TRACEPOINT;
	run->interface.ebx = 0;
	run->l2_in_effect.known = false;
	run->latch.known = false;
	run->leaf_total.known = false;
	g_clear_pointer(&run->undefined, g_array_unref);
	g_clear_pointer(&run->malformed, g_array_unref);
	g_clear_pointer(&run->l1_exits, g_ptr_array_unref);
	run->l1_total.known = false;
	run->requested.pti = RECORD_TRUE;
}

static enum record_check_verdict verdict_of(struct record *record, const char *rule,
					    const char *run)
{
	rules_judge(record);
	return sample_check(record, rule, run)->verdict;
}

/* Nothing of it is unknown: those rules are about nothing, and the others hold as ever. */
TEST(rules_of_leaves_are_about_nothing_there)
{
	static const char *const leaves[] = { "signature", "ept-leaf", "vpid-leaf",
					      "answers",   "sum",      "sweep",
					      "l1-log",	   "dose",     "kpti" };
	g_autoptr(struct_record) record = sample_record();
	struct record_run *noept = record->runs->pdata[1];

	g_ptr_array_foreach(record->runs, make_traced, NULL);
	test_each (row, leaves) {
		assert_int_equal(verdict_of(record, *row, "ept"), NOT);
		assert_says(sample_check(record, *row, "ept")->saw,
			    "not of leaves that L2 has read");
	}
	assert_int_equal(record->verdict, RECORD_VALID);
	for (guint i = 0; i < record->checks->len; i++) {
		const struct record_check *check = record->checks->pdata[i];

		if (check->verdict == RECORD_CHECK_UNKNOWN)
			fail_msg("%s is unknown", check->rule);
	}
	/* Which paging it was is proven by sysfs and by the counts. */
	noept->in_effect.ept = RECORD_TRUE;
	assert_int_equal(verdict_of(record, "ept-sysfs", "noept"), FAIL);
	noept->in_effect.ept = RECORD_FALSE;
	sample_exit(noept, REASON_EPT_VIOLATION)->count = 1;
	assert_int_equal(verdict_of(record, "ept-off-no-ept-exits", "noept"), FAIL);
}

/* It is what was given that must be loaded, as far as anybody can know it. */
TEST(given_modules_must_be_loaded)
{
	g_autoptr(struct_record) record = sample_record();
	struct record_run *ept = record->runs->pdata[0];
	struct record_module *given = ept->kernel.modules->pdata[1];

	make_traced(ept, NULL);
	record_set_string(&given->build_id, "other");
	assert_int_equal(verdict_of(record, "modules", "ept"), FAIL);
	record_set_string(&given->build_id, NULL);
	assert_int_equal(verdict_of(record, "modules", "ept"), NOT);
	ept->source = RECORD_LEAVES;
	assert_int_equal(verdict_of(record, "modules", "ept"), UNKNOWN);
}

/* PCID takes INVPCID with it, where that is what was asked for; no other bit. */
TEST(cpu_without_pcid)
{
	g_autoptr(struct_record) record = sample_record();
	struct record_run *noept = record->runs->pdata[1];
	struct record_cpuid *one = noept->cpuid->pdata[1], *seven = noept->cpuid->pdata[2];

	one->ecx ^= 1u << 17;
	seven->ebx ^= 1u << 10;
	assert_int_equal(verdict_of(record, "same-cpuid", NULL), FAIL);
	noept->requested.pcid = RECORD_FALSE;
	assert_int_equal(verdict_of(record, "same-cpuid", NULL), PASS);
	seven->ebx ^= 1u << 11;
	assert_int_equal(verdict_of(record, "same-cpuid", NULL), FAIL);
}

/* What nobody has asked for has no line in any report. */
TEST(rules_of_what_was_not_asked_for_are_left_out)
{
	g_autoptr(struct_record) record = judged_sample();

	for (guint i = 0; i < record->checks->len; i++) {
		const struct record_check *check = record->checks->pdata[i];

		test_each_of (rule, "unrestricted-sysfs", "unrestricted-leaf", "pcid-leaf",
			      "thp-sysfs", "kpti", "one-change")
			assert_string_not_equal(check->rule, *rule);
	}
	((struct record_run *)record->runs->pdata[1])->requested = (struct record_parameters){
		.ept = RECORD_FALSE,
		.vpid = RECORD_TRUE,
		.unrestricted_guest = RECORD_FALSE,
		.pcid = RECORD_FALSE,
		.thp = RECORD_TRUE,
		.pti = RECORD_TRUE,
	};
	test_each_of (rule, "unrestricted-sysfs", "unrestricted-leaf", "pcid-leaf", "thp-sysfs",
		      "kpti")
		assert_int_equal(verdict_of(record, *rule, "ept"), NOT);
}

/* The third differs from the first in two things, from the second in one. */
TEST(runs_are_held_against_one_that_differs_in_one_thing)
{
	g_autoptr(struct_record) record = sample_record();
	struct record_run *third = record_run_copy(record->runs->pdata[1]);
	guint seen = 0;

	record_set_string(&third->config, "noept-novpid");
	third->requested.vpid = third->in_effect.vpid = RECORD_FALSE;
	third->l2_in_effect.vpid = false;
	g_ptr_array_add(record->runs, third);
	rules_judge(record);
	assert_int_equal(record->verdict, RECORD_VALID);
	for (guint i = 0; i < record->checks->len; i++) {
		const struct record_check *check = record->checks->pdata[i];

		if (strcmp(check->rule, "vpid-equal") != 0)
			continue;
		assert_says(check->saw, seen++ == 0 ? "ept and noept: VPID on in ept"
						    : "noept and noept-novpid: VPID alone is");
	}
	assert_int_equal(seen, 2);
}

/* A leaf on one side only, whichever that is. */
TEST(cpu_with_a_leaf_more)
{
	static const char *const saw[] = { "leaf 0x14 index 1 EDX: 0x6 and 0x0, bit 1, bit 2",
					   "leaf 0x14 index 1 EDX: 0x0 and 0x6, bit 1, bit 2" };

	for (guint i = 0; i < 2; i++) {
		g_autoptr(struct_record) record = sample_record();
		const struct record_run *run = record->runs->pdata[i];

		g_ptr_array_add(run->cpuid, record_cpuid_new(0x14, 1, 0, 0, 0, 6));
		assert_int_equal(verdict_of(record, "same-cpuid", NULL), FAIL);
		assert_string_equal(sample_check(record, "same-cpuid", NULL)->saw, saw[i]);
	}
}

/* Linux 6.10 and newer with QEMU 9.1 and newer: it is about the EPT, and nothing without one. */
TEST(guest_physical_bits_follow_the_paging)
{
	g_autoptr(struct_record) record = sample_record();
	struct record_run *ept = record->runs->pdata[0], *noept = record->runs->pdata[1];

	g_ptr_array_add(ept->cpuid, record_cpuid_new(0x80000008, 0, 0x283028, 0, 0, 0));
	g_ptr_array_add(noept->cpuid, record_cpuid_new(0x80000008, 0, 0x3028, 0, 0, 0));
	assert_int_equal(verdict_of(record, "same-cpuid", NULL), PASS);
	assert_says(sample_check(record, "same-cpuid", NULL)->saw, "GuestPhysAddrSize");
	((struct record_cpuid *)ept->cpuid->pdata[5])->eax++;
	assert_int_equal(verdict_of(record, "same-cpuid", NULL), FAIL);
}

/* ---- At the end ---- */

/* A rule that cannot fail is none: this stands behind all other tests. */
TEST(each_rule_was_seen_to_fail)
{
	size_t count;
	const struct rule *rules = rules_table(&count);

	for (size_t i = 0; i < count; i++)
		if (!seen_to_fail[i])
			fail_msg("no test has seen %s fail", rules[i].name);
}
