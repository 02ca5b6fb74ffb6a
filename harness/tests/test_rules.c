/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "collect/kernel_log.h"
#include "wire/l1_frames.h"
#include "record/reasons.h"
#include "judge/rules.h"
#include "tests/sample.h"

#define PASS	RECORD_CHECK_PASS
#define FAIL	RECORD_CHECK_FAIL
#define NOT	RECORD_CHECK_NOT_APPLICABLE
#define UNKNOWN RECORD_CHECK_UNKNOWN

/* The sample, and its two runs. */
struct pair {
	struct record *record;
	struct record_run *ept, *noept;
};

static int setup(void **state)
{
	struct pair *pair = g_new0(struct pair, 1);

	pair->record = sample_record();
	pair->ept = record_find_run(pair->record, "ept");
	pair->noept = record_find_run(pair->record, "noept");
	*state = pair;
	return 0;
}

static int teardown(void **state)
{
	struct pair *pair = *state;

	record_free(pair->record);
	g_free(pair);
	return 0;
}

static const struct record_check *find_check(const struct record *record, const char *rule,
					     const char *run)
{
	guint i;

	for (i = 0; i < record->checks->len; i++) {
		const struct record_check *check = record->checks->pdata[i];

		if (strcmp(check->rule, rule) == 0 && g_strcmp0(check->run, run) == 0)
			return check;
	}
	fail_msg("there is no check %s of %s", rule, run ? run : "the pair");
	return NULL;
}

/* Which rules were seen to fail in this program, by their place in the table. */
static bool seen_to_fail[64];

static void note_failure(const char *rule)
{
	size_t count;
	size_t index = (size_t)(rules_find(rule) - rules_table(&count));

	assert_true(index < G_N_ELEMENTS(seen_to_fail));
	seen_to_fail[index] = true;
}

static const char *verdict_name(const struct record_check *check)
{
	static const char *const names[] = {
		[PASS] = "passed",
		[FAIL] = "failed",
		[NOT] = "not applicable",
		[UNKNOWN] = "unknown",
	};

	return names[check->verdict];
}

/* Judge, and look at what one rule says. Returns the text of what it saw. */
static const char *verdict_is(struct pair *pair, const char *rule, const char *run,
			      enum record_check_verdict verdict)
{
	const struct record_check *check;

	rules_judge(pair->record);
	check = find_check(pair->record, rule, run);
	if (check->verdict != verdict)
		fail_msg("%s of %s: %s (saw %s, expected %s)", rule, run ? run : "the pair",
			 verdict_name(check), check->saw, check->expected);
	assert_true(strlen(check->saw) > 0);
	assert_true(strlen(check->expected) > 0);
	assert_string_equal(check->why, rules_find(rule)->why);
	assert_string_equal(check->advice, rules_find(rule)->advice);
	if (verdict == FAIL)
		note_failure(rule);
	return check->saw;
}

/* This rule is the one that makes the record invalid. */
static void only_decisive_is(const struct pair *pair, const char *rule)
{
	guint i;

	assert_int_equal(pair->record->verdict, RECORD_INVALID);
	for (i = 0; i < pair->record->checks->len; i++) {
		const struct record_check *check = pair->record->checks->pdata[i];

		if (check->decisive && strcmp(check->rule, rule) != 0)
			fail_msg("%s fails as well: saw %s", check->rule, check->saw);
	}
}

static void fails(struct pair *pair, const char *rule, const char *run, const char *saw)
{
	assert_string_equal(verdict_is(pair, rule, run, FAIL), saw);
	assert_true(find_check(pair->record, rule, run)->decisive);
	assert_int_equal(pair->record->verdict, RECORD_INVALID);
}

static void is_unknown(struct pair *pair, const char *rule, const char *run)
{
	verdict_is(pair, rule, run, UNKNOWN);
	assert_true(find_check(pair->record, rule, run)->decisive);
	assert_int_equal(pair->record->verdict, RECORD_INVALID);
}

/* ---- The table ---- */

static void table_is_complete(void **state)
{
	size_t count, i, j;
	const struct rule *rules = rules_table(&count);

	(void)state;
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

/* ---- All is right ---- */

static void sample_is_valid(void **state)
{
	struct pair *pair = *state;
	size_t count, i, of_pair = 0;
	const struct rule *rules = rules_table(&count);
	guint j;

	rules_judge(pair->record);
	for (j = 0; j < pair->record->checks->len; j++) {
		const struct record_check *check = pair->record->checks->pdata[j];

		if (check->verdict != PASS && check->verdict != NOT)
			fail_msg("%s: saw %s, expected %s", check->rule, check->saw,
				 check->expected);
		assert_false(check->decisive);
	}
	assert_int_equal(pair->record->verdict, RECORD_VALID);
	assert_int_equal(pair->ept->verdict, RECORD_VALID);
	assert_int_equal(pair->noept->verdict, RECORD_VALID);
	/* One check for each run, one for the pair, in the table's order. */
	for (i = 0; i < count; i++)
		of_pair += rules[i].of_pair != NULL;
	assert_int_equal(pair->record->checks->len, 2 * (count - of_pair) + of_pair);
}

static void judging_twice_changes_nothing(void **state)
{
	struct pair *pair = *state;
	g_autofree char *first = NULL;
	g_autofree char *second = NULL;

	rules_judge(pair->record);
	first = record_to_text(pair->record);
	rules_judge(pair->record);
	second = record_to_text(pair->record);
	assert_string_equal(first, second);
}

/* ---- One rule after the other: fail, pass, not applicable, unknown ---- */

static void rule_signature(void **state)
{
	struct pair *pair = *state;

	assert_string_equal(verdict_is(pair, "signature", "ept", PASS),
			    "\"KVMexitcount\", version 2");
	assert_string_equal(find_check(pair->record, "signature", "ept")->expected,
			    "\"KVMexitcount\", version 2");
	/* The version before, without a latch, and one that nobody has defined yet. */
	pair->ept->interface.eax = 1;
	fails(pair, "signature", "ept", "\"KVMexitcount\", version 1");
	only_decisive_is(pair, "signature");
	pair->ept->interface.eax = 3;
	fails(pair, "signature", "ept", "\"KVMexitcount\", version 3");
	/* What KVM answers to an unknown leaf may be anything; it must not reach a terminal as it
	 * is. */
	pair->ept->interface = (struct record_interface){ true, 7, 0x1b, 0, 0x41424344 };
	fails(pair, "signature", "ept", "\"\\033\", version 7");
	pair->ept->interface.known = false;
	is_unknown(pair, "signature", "ept");
	assert_int_equal(pair->ept->verdict, RECORD_INVALID);
	assert_int_equal(pair->noept->verdict, RECORD_VALID);
}

static void rule_modules(void **state)
{
	struct pair *pair = *state;
	struct record_module *kvm = pair->noept->module_ids->pdata[0];
	struct record_module *built = pair->noept->kernel.modules->pdata[0];

	assert_string_equal(verdict_is(pair, "modules", "noept", PASS), "2 modules, all as built");
	record_set_string(&kvm->build_id, "stock");
	fails(pair, "modules", "noept",
	      "kvm is stock, built was 0123456789abcdef0123456789abcdef01234567");
	verdict_is(pair, "modules", "ept", PASS);
	record_set_string(&kvm->build_id, NULL);
	is_unknown(pair, "modules", "noept");
	g_ptr_array_remove_index(pair->noept->module_ids, 0);
	fails(pair, "modules", "noept",
	      "kvm is not loaded, built was 0123456789abcdef0123456789abcdef01234567");
	g_clear_pointer(&pair->noept->module_ids, g_ptr_array_unref);
	is_unknown(pair, "modules", "noept");
	record_set_string(&built->build_id, NULL);
	is_unknown(pair, "modules", "ept");
	g_ptr_array_set_size(pair->ept->kernel.modules, 0);
	is_unknown(pair, "modules", "ept");
}

static void rule_ept_sysfs(void **state)
{
	struct pair *pair = *state;

	assert_string_equal(verdict_is(pair, "ept-sysfs", "ept", PASS), "EPT on");
	assert_string_equal(verdict_is(pair, "ept-sysfs", "noept", PASS), "EPT off");
	pair->noept->in_effect.ept = RECORD_TRUE;
	fails(pair, "ept-sysfs", "noept", "EPT on");
	only_decisive_is(pair, "ept-sysfs");
	pair->noept->in_effect.ept = RECORD_UNKNOWN;
	is_unknown(pair, "ept-sysfs", "noept");
	pair->noept->in_effect.ept = RECORD_FALSE;
	pair->noept->requested.ept = RECORD_UNKNOWN;
	is_unknown(pair, "ept-sysfs", "noept");
}

static void rule_ept_leaf(void **state)
{
	struct pair *pair = *state;

	assert_string_equal(verdict_is(pair, "ept-leaf", "ept", PASS), "EPT on");
	pair->ept->l2_in_effect.ept = false;
	fails(pair, "ept-leaf", "ept", "EPT off");
	only_decisive_is(pair, "ept-leaf");
	pair->ept->l2_in_effect.known = false;
	is_unknown(pair, "ept-leaf", "ept");
}

static void rule_vpid_sysfs(void **state)
{
	struct pair *pair = *state;

	verdict_is(pair, "vpid-sysfs", "ept", PASS);
	pair->ept->in_effect.vpid = RECORD_FALSE;
	fails(pair, "vpid-sysfs", "ept", "VPID off");
	pair->ept->in_effect.vpid = RECORD_UNKNOWN;
	is_unknown(pair, "vpid-sysfs", "ept");
	/* vpid=0 asked for and in effect is as good, if it is so in both. */
	pair->ept->requested.vpid = pair->noept->requested.vpid = RECORD_FALSE;
	pair->ept->in_effect.vpid = pair->noept->in_effect.vpid = RECORD_FALSE;
	pair->ept->l2_in_effect.vpid = pair->noept->l2_in_effect.vpid = false;
	assert_string_equal(verdict_is(pair, "vpid-sysfs", "ept", PASS), "VPID off");
	assert_int_equal(pair->record->verdict, RECORD_VALID);
}

static void rule_vpid_leaf(void **state)
{
	struct pair *pair = *state;

	verdict_is(pair, "vpid-leaf", "noept", PASS);
	pair->noept->l2_in_effect.vpid = false;
	fails(pair, "vpid-leaf", "noept", "VPID off");
	only_decisive_is(pair, "vpid-leaf");
	pair->noept->l2_in_effect.known = false;
	is_unknown(pair, "vpid-leaf", "noept");
}

static void rule_vpid_equal(void **state)
{
	struct pair *pair = *state;

	assert_string_equal(verdict_is(pair, "vpid-equal", NULL, PASS),
			    "VPID on in ept, on in noept");
	pair->noept->requested.vpid = pair->noept->in_effect.vpid = RECORD_FALSE;
	pair->noept->l2_in_effect.vpid = false;
	fails(pair, "vpid-equal", NULL, "VPID on in ept, off in noept");
	only_decisive_is(pair, "vpid-equal");
	/* Each run on its own is as it should be. */
	assert_int_equal(pair->noept->verdict, RECORD_VALID);
	pair->ept->in_effect.vpid = RECORD_UNKNOWN;
	is_unknown(pair, "vpid-equal", NULL);
}

static void rule_no_ept_exits(void **state)
{
	struct pair *pair = *state;

	assert_string_equal(verdict_is(pair, "ept-off-no-ept-exits", "noept", PASS),
			    "48 EPT_VIOLATION 0, 49 EPT_MISCONFIG 0");
	assert_string_equal(verdict_is(pair, "ept-off-no-ept-exits", "ept", NOT),
			    "this run has ept=1");
	sample_set_count(pair->noept, 48, 1);
	fails(pair, "ept-off-no-ept-exits", "noept", "48 EPT_VIOLATION 1, 49 EPT_MISCONFIG 0");
	only_decisive_is(pair, "ept-off-no-ept-exits");
	sample_set_count(pair->noept, 48, 0);
	sample_set_count(pair->noept, 49, 1);
	fails(pair, "ept-off-no-ept-exits", "noept", "48 EPT_VIOLATION 0, 49 EPT_MISCONFIG 1");
	sample_exit(pair->noept, 49)->reason = 1000;
	is_unknown(pair, "ept-off-no-ept-exits", "noept");
	pair->noept->requested.ept = RECORD_UNKNOWN;
	is_unknown(pair, "ept-off-no-ept-exits", "noept");
}

static void rule_page_faults(void **state)
{
	struct pair *pair = *state;

	assert_string_equal(verdict_is(pair, "ept-off-page-faults", "noept", PASS),
			    "0 EXCEPTION_NMI 7157");
	assert_string_equal(verdict_is(pair, "ept-off-page-faults", "ept", NOT),
			    "this run has ept=1");
	sample_set_count(pair->noept, 0, 0);
	fails(pair, "ept-off-page-faults", "noept", "0 EXCEPTION_NMI 0");
	only_decisive_is(pair, "ept-off-page-faults");
	g_clear_pointer(&pair->noept->exits, g_ptr_array_unref);
	is_unknown(pair, "ept-off-page-faults", "noept");
}

static void rule_violations(void **state)
{
	struct pair *pair = *state;

	verdict_is(pair, "ept-on-violations", "ept", PASS);
	assert_string_equal(verdict_is(pair, "ept-on-violations", "noept", NOT),
			    "this run has ept=0");
	sample_set_count(pair->ept, 48, 0);
	fails(pair, "ept-on-violations", "ept", "48 EPT_VIOLATION 0");
	only_decisive_is(pair, "ept-on-violations");
	g_clear_pointer(&pair->ept->exits, g_ptr_array_unref);
	is_unknown(pair, "ept-on-violations", "ept");
}

static void rule_no_invlpg(void **state)
{
	struct pair *pair = *state;

	verdict_is(pair, "ept-on-no-invlpg", "ept", PASS);
	verdict_is(pair, "ept-on-no-invlpg", "noept", NOT);
	sample_set_count(pair->ept, 14, 308);
	fails(pair, "ept-on-no-invlpg", "ept", "14 INVLPG 308");
	only_decisive_is(pair, "ept-on-no-invlpg");
	pair->ept->requested.ept = RECORD_UNKNOWN;
	is_unknown(pair, "ept-on-no-invlpg", "ept");
}

static void rule_answers(void **state)
{
	struct pair *pair = *state;
	uint32_t reason = 12;
	guint i;

	verdict_is(pair, "answers", "ept", PASS);

	g_array_append_val(pair->ept->malformed, reason);
	fails(pair, "answers", "ept",
	      "1 answers have no form that is specified, the first is that for reason 12");
	only_decisive_is(pair, "answers");
	g_array_set_size(pair->ept->malformed, 0);

	/* The SDM defines no reason 35; KVM counts it all the same. */
	g_ptr_array_insert(pair->ept->exits, 35, record_exit_new(35, NULL, 0));
	fails(pair, "answers", "ept", "35 is answered with a count");
	g_ptr_array_remove_index(pair->ept->exits, 35);

	/* Counted by the latch, and undefined when it was asked for live. */
	g_array_append_val(pair->ept->undefined, reason);
	fails(pair, "answers", "ept", "12 HLT is answered as undefined");
	only_decisive_is(pair, "answers");
	g_array_set_size(pair->ept->undefined, pair->ept->undefined->len - 1);

	/* A reason far behind the last. */
	g_ptr_array_add(pair->ept->exits, record_exit_new(200, NULL, 0));
	fails(pair, "answers", "ept", "200 is answered with a count");
	g_ptr_array_set_size(pair->ept->exits, (gint)pair->ept->exits->len - 1);
	verdict_is(pair, "answers", "ept", PASS);

	/* As far as can be, which is found without asking for each reason before it. */
	g_ptr_array_add(pair->ept->exits, record_exit_new(UINT32_MAX, NULL, 0));
	fails(pair, "answers", "ept", "4294967295 is answered with a count");
	g_ptr_array_set_size(pair->ept->exits, (gint)pair->ept->exits->len - 1);

	/* 12 HLT left out, then called undefined. */
	for (i = 0; ((struct record_exit *)pair->ept->exits->pdata[i])->reason != 12; i++)
		;
	g_ptr_array_remove_index(pair->ept->exits, i);
	fails(pair, "answers", "ept", "12 HLT is not answered");
	g_array_append_val(pair->ept->undefined, reason);
	fails(pair, "answers", "ept", "12 HLT is answered as undefined");

	g_clear_pointer(&pair->ept->malformed, g_array_unref);
	is_unknown(pair, "answers", "ept");
}

static void rule_sum(void **state)
{
	struct pair *pair = *state;
	struct record_latch *latch = &pair->ept->latch;

	/* 1 + 104 + 256 + 12 + 9 + 2 + 763 + 6184 + 399 + 1 */
	assert_string_equal(verdict_is(pair, "sum", "ept", PASS), "7731");
	assert_string_equal(find_check(pair->record, "sum", "ept")->expected, "exactly 7731");
	latch->sum = record_u64_from(7730);
	fails(pair, "sum", "ept", "7730");
	only_decisive_is(pair, "sum");
	latch->sum = record_u64_from(7732);
	fails(pair, "sum", "ept", "7732");
	latch->total = UINT64_MAX;
	latch->sum = record_u64_from(UINT64_MAX);
	assert_string_equal(verdict_is(pair, "sum", "ept", PASS), "18446744073709551615");
	latch->sum.known = false;
	fails(pair, "sum", "ept", "the parts add up to more than 64 bits");
	latch->known = false;
	is_unknown(pair, "sum", "ept");
	latch->known = true;
	g_clear_pointer(&pair->ept->exits, g_ptr_array_unref);
	is_unknown(pair, "sum", "ept");
}

/*
 * Worked out by hand: 100 exits before, counted up to and including the read of the total; 20
 * reads, of which the 11th is that of reason 10. If nothing else exits: 121 after, and the parts
 * add up to 100 + 11 = 111.
 */
static void set_sweep(struct record_run *run, uint64_t before, uint64_t after, uint64_t sum)
{
	run->leaf_total =
		(struct record_leaf_total){ true, before, after, 20, 11, record_u64_from(sum) };
}

static void rule_sweep(void **state)
{
	struct pair *pair = *state;

	verdict_is(pair, "sweep", "ept", PASS);

	set_sweep(pair->ept, 100, 121, 111);
	assert_string_equal(verdict_is(pair, "sweep", "ept", PASS), "111");
	assert_string_equal(find_check(pair->record, "sweep", "ept")->expected, "exactly 111");
	set_sweep(pair->ept, 100, 121, 110);
	fails(pair, "sweep", "ept", "110");
	only_decisive_is(pair, "sweep");
	set_sweep(pair->ept, 100, 121, 112);
	fails(pair, "sweep", "ept", "112");

	/* Three more exits while reading: they may be in the parts, or have come too late. */
	set_sweep(pair->ept, 100, 124, 111);
	verdict_is(pair, "sweep", "ept", PASS);
	assert_string_equal(find_check(pair->record, "sweep", "ept")->expected,
			    "111 to 114, as 3 exits came in between");
	set_sweep(pair->ept, 100, 124, 114);
	verdict_is(pair, "sweep", "ept", PASS);
	set_sweep(pair->ept, 100, 124, 110);
	fails(pair, "sweep", "ept", "110");
	set_sweep(pair->ept, 100, 124, 115);
	fails(pair, "sweep", "ept", "115");

	/* Reads that are not counted, and a total that runs backwards. */
	set_sweep(pair->ept, 100, 120, 111);
	fails(pair, "sweep", "ept", "total 100 before, 120 after 20 reads");
	set_sweep(pair->ept, 100, 99, 111);
	fails(pair, "sweep", "ept", "total 100 before, 99 after 20 reads");

	/* At the edge of 64 bits nothing may wrap. */
	set_sweep(pair->ept, UINT64_MAX - 21, UINT64_MAX, UINT64_MAX - 10);
	verdict_is(pair, "sweep", "ept", PASS);
	set_sweep(pair->ept, UINT64_MAX - 20, 0, 0);
	fails(pair, "sweep", "ept", "total 18446744073709551595 before, 0 after 20 reads");
	pair->ept->leaf_total.sum.known = false;
	fails(pair, "sweep", "ept", "the parts add up to more than 64 bits");

	set_sweep(pair->ept, 100, 121, 111);
	pair->ept->leaf_total.cpuid_read = 0;
	is_unknown(pair, "sweep", "ept");
	pair->ept->leaf_total.cpuid_read = 21;
	is_unknown(pair, "sweep", "ept");
	pair->ept->leaf_total.known = false;
	is_unknown(pair, "sweep", "ept");
}

/* ---- What L1 has counted ---- */

static struct record_exit *exit_in(GPtrArray *exits, uint32_t reason)
{
	struct record_exit *one = (struct record_exit *)record_find_exit(exits, reason);

	assert_non_null(one);
	return one;
}

static void rule_l1_log(void **state)
{
	struct pair *pair = *state;
	struct record_run *run = pair->ept;

	/* 7731 and 50 more by reason 30; reasons that L2 has read as 0 are not in the log. */
	assert_string_equal(verdict_is(pair, "l1-log", "ept", PASS), "10 reasons, 7781 exits");

	/* One less than L2 has read; then as many, which is as good. */
	exit_in(run->l1_exits, 12)->count--;
	run->l1_total.value--;
	fails(pair, "l1-log", "ept", "reason 12: L2 12, L1 11");
	only_decisive_is(pair, "l1-log");
	exit_in(run->l1_exits, 12)->count += 2;
	run->l1_total.value += 2;
	verdict_is(pair, "l1-log", "ept", PASS);

	/* Its lines must add up, to the exit. */
	run->l1_total.value++;
	fails(pair, "l1-log", "ept", "lines of 7782 exits, 7783 in the first line");
	only_decisive_is(pair, "l1-log");
	run->l1_total.value -= 2;
	fails(pair, "l1-log", "ept", "lines of 7782 exits, 7781 in the first line");
	run->l1_total.value++;
	verdict_is(pair, "l1-log", "ept", PASS);

	/* A reason that came only later, when the frames were sent. */
	g_ptr_array_add(run->l1_exits, record_exit_new(31, "MSR_READ", 3));
	run->l1_total.value += 3;
	assert_string_equal(verdict_is(pair, "l1-log", "ept", PASS), "11 reasons, 7785 exits");

	/* More than 64 bits do not wrap into the right sum. */
	exit_in(run->l1_exits, 31)->count = UINT64_MAX;
	verdict_is(pair, "l1-log", "ept", FAIL);
}

/* What was there before the workload began is in the log as well. */
static void rule_l1_log_counts_from_the_creation(void **state)
{
	struct pair *pair = *state;

	/* 255 and 1 are the 256 that L1 has. */
	sample_exit(pair->ept, 10)->before = 255;
	sample_exit(pair->ept, 10)->count = 1;
	verdict_is(pair, "l1-log", "ept", PASS);
	sample_exit(pair->ept, 10)->count = 2;
	fails(pair, "l1-log", "ept", "reason 10: L2 257, L1 256");
}

static void rule_l1_log_lacks_something(void **state)
{
	struct pair *pair = *state;
	struct record_run *run = pair->ept;

	/* A reason that only L2 has. */
	run->l1_total.value -= exit_in(run->l1_exits, 55)->count;
	g_ptr_array_remove(run->l1_exits, exit_in(run->l1_exits, 55));
	fails(pair, "l1-log", "ept", "reason 55: L2 1, L1 0");
	run->l1_total.known = false;
	is_unknown(pair, "l1-log", "ept");
	run->l1_total.known = true;
	g_clear_pointer(&run->l1_exits, g_ptr_array_unref);
	is_unknown(pair, "l1-log", "ept");
	g_clear_pointer(&pair->noept->exits, g_ptr_array_unref);
	is_unknown(pair, "l1-log", "noept");
}

/* A witness that has seen what was counted; histograms have no line for what never happened. */
static GPtrArray *without_zeros(const GPtrArray *exits)
{
	GPtrArray *seen = record_exits_new();
	guint i;

	for (i = 0; i < exits->len; i++) {
		const struct record_exit *one = exits->pdata[i];

		if (one->before + one->count > 0)
			g_ptr_array_add(seen, record_exit_new(one->reason, one->name,
							      one->before + one->count));
	}
	return seen;
}

/* KVM's debugfs file has a line for each reason. */
static GPtrArray *with_zeros(const struct record_run *run)
{
	GPtrArray *all = record_exits_new();
	guint i;

	for (i = 0; i < run->exits->len; i++) {
		const struct record_exit *one = run->exits->pdata[i];
		const struct record_exit *later = record_find_exit(run->l1_exits, one->reason);

		g_ptr_array_add(all, record_exit_new(one->reason, one->name,
						     later != NULL ? later->count : 0));
	}
	return all;
}

/* 7731 exits until the latch, 7781 in all: without unrestricted guest 3 entries were emulated. */
static struct record_witness *add_witness(struct record_run *run)
{
	run->witness = (struct record_witness){
		.known = true,
		.at_latch = without_zeros(run->exits),
		.at_end = without_zeros(run->l1_exits),
		.debugfs = with_zeros(run),
		.vcpu_exits = record_u64_from(run->l1_total.value +
					      (run->l2_in_effect.unrestricted_guest ? 0 : 3)),
	};
	return &run->witness;
}

static void no_witness_was_asked_for(void **state)
{
	static const char *const names[] = { "witness-leaves", "witness-end", "witness-vcpu" };
	struct pair *pair = *state;
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(names); i++)
		assert_string_equal(verdict_is(pair, names[i], "ept", NOT),
				    "no witness was asked for (witness in [experiment])");
	assert_int_equal(pair->record->verdict, RECORD_VALID);
}

/* A witness that was asked for, and has said nothing, is no witness for anything. */
static void silent_witness_is_unknown(void **state)
{
	static const char *const names[] = { "witness-leaves", "witness-end", "witness-vcpu" };
	struct pair *pair = *state;
	size_t i;

	pair->ept->witness.known = true;
	for (i = 0; i < G_N_ELEMENTS(names); i++)
		is_unknown(pair, names[i], "ept");
	verdict_is(pair, "witness-leaves", "noept", NOT);
}

static void rule_witness_leaves(void **state)
{
	struct pair *pair = *state;
	struct record_witness *witness = add_witness(pair->ept);
	struct record_exit *one;

	assert_string_equal(verdict_is(pair, "witness-leaves", "ept", PASS),
			    "equal for each reason, 7731 exits");
	assert_int_equal(pair->record->verdict, RECORD_VALID);

	/* One exit more or less in one reason. */
	one = exit_in(witness->at_latch, 48);
	one->count++;
	fails(pair, "witness-leaves", "ept", "reason 48: L2 6184, tracepoint 6185");
	only_decisive_is(pair, "witness-leaves");
	one->count -= 2;
	fails(pair, "witness-leaves", "ept", "reason 48: L2 6184, tracepoint 6183");
	one->count++;

	/* A reason that only one of them has. */
	g_ptr_array_add(witness->at_latch, record_exit_new(35, NULL, 1));
	fails(pair, "witness-leaves", "ept", "reason 35: L2 0, tracepoint 1");
	g_ptr_array_set_size(witness->at_latch, (gint)witness->at_latch->len - 1);
	g_ptr_array_remove(witness->at_latch, exit_in(witness->at_latch, 55));
	fails(pair, "witness-leaves", "ept", "reason 55: L2 1, tracepoint 0");
	g_ptr_array_add(witness->at_latch, record_exit_new(55, "XSETBV", 1));
	verdict_is(pair, "witness-leaves", "ept", PASS);

	/* What was there before the workload began counts. */
	sample_exit(pair->ept, 48)->before = 6000;
	sample_exit(pair->ept, 48)->count = 184;
	verdict_is(pair, "witness-leaves", "ept", PASS);
	sample_exit(pair->ept, 48)->before = 5999;
	fails(pair, "witness-leaves", "ept", "reason 48: L2 6183, tracepoint 6184");

	g_clear_pointer(&pair->ept->exits, g_ptr_array_unref);
	is_unknown(pair, "witness-leaves", "ept");
}

static void rule_witness_end(void **state)
{
	struct pair *pair = *state;
	struct record_run *run = pair->noept;
	struct record_witness *witness = add_witness(run);
	GPtrArray **const parts[] = { &witness->at_end, &witness->debugfs, &run->l1_exits };
	size_t i;

	/* 8741 and 50 more. */
	assert_string_equal(verdict_is(pair, "witness-end", "noept", PASS),
			    "equal for each reason, 8791 exits");
	assert_int_equal(pair->record->verdict, RECORD_VALID);

	/* One exit less in one of the three, and then in all of them. */
	exit_in(witness->at_end, 14)->count--;
	fails(pair, "witness-end", "noept", "reason 14: debugfs 308, tracepoint 307");
	only_decisive_is(pair, "witness-end");
	exit_in(witness->debugfs, 14)->count--;
	fails(pair, "witness-end", "noept", "reason 14: debugfs 307, kernel log 308");
	exit_in(run->l1_exits, 14)->count--;
	assert_string_equal(verdict_is(pair, "witness-end", "noept", PASS),
			    "equal for each reason, 8790 exits");

	/* A reason that only one of the three has. */
	g_ptr_array_add(witness->at_end, record_exit_new(86, NULL, 1));
	fails(pair, "witness-end", "noept", "reason 86: debugfs 0, tracepoint 1");
	g_ptr_array_set_size(witness->at_end, (gint)witness->at_end->len - 1);
	g_ptr_array_add(run->l1_exits, record_exit_new(86, "OTHER", 1));
	fails(pair, "witness-end", "noept", "reason 86: debugfs 0, kernel log 1");
	g_ptr_array_set_size(run->l1_exits, (gint)run->l1_exits->len - 1);
	exit_in(witness->debugfs, 2)->count++;
	fails(pair, "witness-end", "noept", "reason 2: debugfs 1, tracepoint 0");
	exit_in(witness->debugfs, 2)->count--;
	verdict_is(pair, "witness-end", "noept", PASS);

	for (i = 0; i < G_N_ELEMENTS(parts); i++) {
		GPtrArray *part = g_steal_pointer(parts[i]);

		is_unknown(pair, "witness-end", "noept");
		*parts[i] = part;
	}
}

static void rule_witness_vcpu(void **state)
{
	struct pair *pair = *state;
	struct record_witness *ept = add_witness(pair->ept);
	struct record_witness *noept = add_witness(pair->noept);

	assert_string_equal(verdict_is(pair, "witness-vcpu", "ept", PASS), "7781");
	assert_string_equal(find_check(pair->record, "witness-vcpu", "ept")->expected,
			    "exactly 7781");
	/* ept=0 turns unrestricted guest off: entries may have been emulated. */
	assert_string_equal(verdict_is(pair, "witness-vcpu", "noept", PASS),
			    "8794: 3 entries were emulated");
	assert_string_equal(find_check(pair->record, "witness-vcpu", "noept")->expected,
			    "8791 or more");
	assert_int_equal(pair->record->verdict, RECORD_VALID);

	ept->vcpu_exits.value++;
	fails(pair, "witness-vcpu", "ept", "7782");
	only_decisive_is(pair, "witness-vcpu");
	ept->vcpu_exits.value -= 2;
	fails(pair, "witness-vcpu", "ept", "7780");
	noept->vcpu_exits.value = 8791;
	verdict_is(pair, "witness-vcpu", "noept", PASS);
	noept->vcpu_exits.value = 8790;
	fails(pair, "witness-vcpu", "noept", "8790");

	ept->vcpu_exits.known = false;
	is_unknown(pair, "witness-vcpu", "ept");
	ept->vcpu_exits.known = true;
	pair->ept->l2_in_effect.known = false;
	is_unknown(pair, "witness-vcpu", "ept");
	g_clear_pointer(&noept->debugfs, g_ptr_array_unref);
	is_unknown(pair, "witness-vcpu", "noept");
}

/* Counts that are equal and have no sum of 64 bits were not counted by anybody. */
static void sums_of_witnesses_do_not_wrap(void **state)
{
	static const char more[] = "more than 64 bits of exits";
	struct pair *pair = *state;
	struct record_run *run = pair->ept;
	struct record_witness *witness = add_witness(run);

	sample_exit(run, 30)->count = UINT64_MAX;
	exit_in(witness->at_latch, 30)->count = UINT64_MAX;
	fails(pair, "witness-leaves", "ept", more);
	exit_in(witness->at_end, 30)->count = UINT64_MAX;
	exit_in(witness->debugfs, 30)->count = UINT64_MAX;
	exit_in(run->l1_exits, 30)->count = UINT64_MAX;
	fails(pair, "witness-end", "ept", more);
	fails(pair, "witness-vcpu", "ept", more);
}

/* A thousand times CPUID between two readings, of which the second executed 93 by itself. */
static void set_dose(struct record_run *run, uint64_t cpuids)
{
	guint i;

	for (i = 0; i < run->exits->len; i++)
		((struct record_exit *)run->exits->pdata[i])->count = 0;
	sample_set_count(run, 10, cpuids);
	run->dose = (struct record_dose){ true, 1000, 93 };
}

static void rule_dose(void **state)
{
	struct pair *pair = *state;

	assert_string_equal(verdict_is(pair, "dose", "ept", NOT), "the workload is no single dose");
	record_set_string(&pair->ept->workload, NULL);
	is_unknown(pair, "dose", "ept");
	verdict_is(pair, "boot-fingerprint", NULL, UNKNOWN);
	record_set_string(&pair->ept->workload, "doses");
	verdict_is(pair, "dose", "ept", NOT);
	record_set_string(&pair->ept->workload, "dose-cpuid");
	is_unknown(pair, "dose", "ept");

	set_dose(pair->ept, 1093);
	assert_string_equal(verdict_is(pair, "dose", "ept", PASS),
			    "as derived for n = 1000, 93 CPUIDs of the reader apart");
	/* L1's own interrupts come when they come. */
	sample_set_count(pair->ept, 1, 7);
	verdict_is(pair, "dose", "ept", PASS);

	/* One exit too few, one too many, and one that the dose does not make. */
	set_dose(pair->ept, 1092);
	assert_non_null(strstr(verdict_is(pair, "dose", "ept", FAIL), "reason 10 (CPUID)"));
	assert_true(find_check(pair->record, "dose", "ept")->decisive);
	set_dose(pair->ept, 1094);
	assert_non_null(strstr(verdict_is(pair, "dose", "ept", FAIL), "reason 10 (CPUID)"));
	set_dose(pair->ept, 1093);
	sample_set_count(pair->ept, 30, 1);
	assert_non_null(strstr(verdict_is(pair, "dose", "ept", FAIL),
			       "1 exits of reason 30 (IO_INSTRUCTION), expected none"));

	set_dose(pair->ept, 1093);
	pair->ept->l2_in_effect.known = false;
	is_unknown(pair, "dose", "ept");
	pair->ept->l2_in_effect.known = true;
	g_clear_pointer(&pair->ept->exits, g_ptr_array_unref);
	is_unknown(pair, "dose", "ept");
}

static void rule_kernel_log(void **state)
{
	struct pair *pair = *state;
	struct record_kernel_log *log = &pair->noept->kernel_log;

	assert_string_equal(verdict_is(pair, "kernel-log", "noept", PASS), "none in 7 lines");
	/* A run in which L1 had nothing to say is no less known. */
	log->lines = 0;
	assert_string_equal(verdict_is(pair, "kernel-log", "noept", PASS), "none in 0 lines");
	log->lines = 7;
	g_ptr_array_add(log->findings, g_strdup("[    9.1] BUG: unable to handle page fault"));
	fails(pair, "kernel-log", "noept",
	      "1 in 7 lines, the first: [    9.1] BUG: unable to handle page fault");
	only_decisive_is(pair, "kernel-log");
	log->lost = true;
	verdict_is(pair, "kernel-log", "noept", FAIL);
	g_ptr_array_set_size(log->findings, 0);
	is_unknown(pair, "kernel-log", "noept");
	log->known = false;
	is_unknown(pair, "kernel-log", "noept");
}

static void rule_runs_differ(void **state)
{
	struct pair *pair = *state;

	verdict_is(pair, "runs-differ", NULL, PASS);
	g_ptr_array_unref(pair->noept->exits);
	pair->noept->exits = g_ptr_array_ref(pair->ept->exits);
	verdict_is(pair, "runs-differ", NULL, FAIL);
	assert_true(find_check(pair->record, "runs-differ", NULL)->decisive);

	/* Two runs of the same kind are expected to be equal on a deterministic emulator. */
	pair->noept->requested.ept = RECORD_TRUE;
	verdict_is(pair, "runs-differ", NULL, NOT);
	pair->noept->requested.ept = RECORD_UNKNOWN;
	is_unknown(pair, "runs-differ", NULL);
	pair->noept->requested.ept = RECORD_FALSE;
	g_clear_pointer(&pair->noept->exits, g_ptr_array_unref);
	is_unknown(pair, "runs-differ", NULL);
}

static void one_difference_is_enough(void **state)
{
	struct pair *pair = *state;
	guint i;

	for (i = 0; i < pair->noept->exits->len; i++) {
		struct record_exit *to = pair->noept->exits->pdata[i];
		const struct record_exit *from = pair->ept->exits->pdata[i];

		to->count = from->count;
	}
	assert_true(g_str_has_prefix(verdict_is(pair, "runs-differ", NULL, FAIL), "0 of "));
	sample_set_count(pair->noept, 12, 13);
	assert_true(g_str_has_prefix(verdict_is(pair, "runs-differ", NULL, PASS), "1 of "));
}

static void rule_same_guest(void **state)
{
	struct pair *pair = *state;
	struct record_guest *guest = &pair->noept->guest;
	char **const texts[] = { &guest->image_sha256, &guest->kernel_sha256,
				 &guest->probe_sha256 };
	static const char *const saw[] = { "image: 1111 and other", "L2's kernel: 2222 and other",
					   "probe: 3333 and other" };
	size_t i;

	assert_string_equal(verdict_is(pair, "same-guest", NULL, PASS), "all the same");
	for (i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *right = g_strdup(*texts[i]);

		record_set_string(texts[i], "other");
		fails(pair, "same-guest", NULL, saw[i]);
		only_decisive_is(pair, "same-guest");
		record_set_string(texts[i], NULL);
		is_unknown(pair, "same-guest", NULL);
		record_set_string(texts[i], right);
	}
	guest->memory_mib = record_u64_from(129);
	fails(pair, "same-guest", NULL, "memory in MiB: 128 and 129");
	guest->memory_mib.known = false;
	is_unknown(pair, "same-guest", NULL);
	/* What differs is said, whatever else is missing. */
	guest->vcpus = record_u64_from(2);
	fails(pair, "same-guest", NULL, "vCPUs: 1 and 2");
	guest->memory_mib = record_u64_from(128);
	guest->vcpus.known = false;
	is_unknown(pair, "same-guest", NULL);
}

/* A rerun stands in one record with the other half, which another experiment has made. */
static void runs_of_two_experiments_in_one_record(void **state)
{
	struct pair *pair = *state;
	struct record_run *run = pair->noept;
	char **const texts[] = { &run->workload, &run->platform.name, &run->platform.cpu,
				 &run->kernel.release };
	static const char *const rules[] = { "same-guest", "same-host", "same-host", "same-host" };
	static const char *const saw[] = {
		"workload: boot and other",
		"platform: bochs and other",
		"CPU: corei7_haswell_4770 and other",
		"L1's kernel: 6.1.0-eptlab and other",
	};
	size_t i;

	assert_null(rules_not_a_pair(pair->ept, run));
	for (i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *right = g_strdup(*texts[i]);
		g_autofree char *different = NULL;

		record_set_string(texts[i], "other");
		fails(pair, rules[i], NULL, saw[i]);
		only_decisive_is(pair, rules[i]);
		different = rules_not_a_pair(pair->ept, run);
		assert_string_equal(different, saw[i]);
		/* What is not known yet may still be the same. */
		record_set_string(texts[i], NULL);
		verdict_is(pair, rules[i], NULL, UNKNOWN);
		assert_null(rules_not_a_pair(pair->ept, run));
		record_set_string(texts[i], right);
	}
	run->source = RECORD_TRACEPOINT;
	fails(pair, "same-host", NULL, "source of the counts: leaves and tracepoint");
	only_decisive_is(pair, "same-host");
}

static void set_earlier(struct record_run *run)
{
	run->earlier = (struct record_earlier){ true, g_strdup("20260131T000000Z-bochs-boot"),
						without_zeros(run->exits) };
}

/* Equal inputs, and so equal counts: one exit more or less is too many. */
static void rule_repeats(void **state)
{
	struct pair *pair = *state;
	struct record_exit *one;

	assert_string_equal(verdict_is(pair, "repeats", "ept", NOT),
			    "no earlier record has a run with the same inputs");
	set_earlier(pair->ept);
	assert_string_equal(verdict_is(pair, "repeats", "ept", PASS), "equal for each reason");
	assert_string_equal(find_check(pair->record, "repeats", "ept")->expected,
			    "for each reason the count of 20260131T000000Z-bochs-boot");
	assert_int_equal(pair->record->verdict, RECORD_VALID);
	one = exit_in(pair->ept->earlier.exits, 30);
	one->count--;
	fails(pair, "repeats", "ept", "reason 30: now 763, then 762");
	only_decisive_is(pair, "repeats");
	one->count += 2;
	fails(pair, "repeats", "ept", "reason 30: now 763, then 764");
	one->count--;
	/* A reason that only one of them has. */
	g_ptr_array_add(pair->ept->earlier.exits, record_exit_new(58, "INVPCID", 1));
	fails(pair, "repeats", "ept", "reason 58: now 0, then 1");
	verdict_is(pair, "repeats", "noept", NOT);
	/* On hardware two boots are never the same. */
	pair->ept->platform.deterministic = RECORD_FALSE;
	assert_string_equal(verdict_is(pair, "repeats", "ept", NOT),
			    "the platform does not give the same counts again");
	pair->ept->platform.deterministic = RECORD_TRUE;
	g_clear_pointer(&pair->ept->exits, g_ptr_array_unref);
	is_unknown(pair, "repeats", "ept");
}

static void rule_same_host(void **state)
{
	struct pair *pair = *state;
	struct record_module *module = pair->noept->module_ids->pdata[1];
	struct record_module *built = pair->record->kernel.modules->pdata[1];

	verdict_is(pair, "same-host", NULL, PASS);
	record_set_string(&module->build_id, "other");
	fails(pair, "same-host", NULL, "modules: another build-id");
	/* Not known is not decisive for this rule, and no pass. */
	record_set_string(&module->build_id, built->build_id);
	record_set_string(&pair->ept->platform.cpu, NULL);
	verdict_is(pair, "same-host", NULL, UNKNOWN);
	assert_false(find_check(pair->record, "same-host", NULL)->decisive);
	assert_int_equal(pair->record->verdict, RECORD_VALID);
	g_clear_pointer(&pair->noept->module_ids, g_ptr_array_unref);
	verdict_is(pair, "same-host", NULL, UNKNOWN);
}

/* ---- Verdict of the whole ---- */

static void one_run_alone(void **state)
{
	struct pair *pair = *state;
	static const char *const of_pair[] = { "vpid-equal", "runs-differ", "same-guest",
					       "same-host" };
	size_t i;

	g_ptr_array_remove(pair->record->runs, pair->noept);
	rules_judge(pair->record);
	assert_int_equal(pair->record->verdict, RECORD_VALID);
	for (i = 0; i < G_N_ELEMENTS(of_pair); i++)
		assert_string_equal(verdict_is(pair, of_pair[i], NULL, NOT),
				    "there is one run only");
}

static void three_runs(void **state)
{
	struct pair *pair = *state;
	struct record_run *third = record_run_copy(pair->noept);
	guint i, pairs = 0;

	record_set_string(&third->config, "third");
	third->guest.memory_mib = record_u64_from(64);
	g_ptr_array_add(pair->record->runs, third);
	rules_judge(pair->record);
	assert_int_equal(pair->record->verdict, RECORD_INVALID);
	for (i = 0; i < pair->record->checks->len; i++) {
		const struct record_check *check = pair->record->checks->pdata[i];

		if (strcmp(check->rule, "same-guest") != 0)
			continue;
		/* ept with noept, ept with third. */
		assert_int_equal(check->verdict, pairs == 0 ? PASS : FAIL);
		pairs++;
	}
	assert_int_equal(pairs, 2);
}

static void failure_stays_failure(void **state)
{
	struct pair *pair = *state;

	record_set_string(&pair->noept->error, "L2: the probe never spoke");
	rules_judge(pair->record);
	assert_int_equal(pair->record->verdict, RECORD_FAILED);
	assert_int_equal(pair->noept->verdict, RECORD_FAILED);
	assert_int_equal(pair->ept->verdict, RECORD_VALID);
	record_set_string(&pair->noept->error, NULL);
	record_set_string(&pair->record->error, "L1: panic");
	rules_judge(pair->record);
	assert_int_equal(pair->record->verdict, RECORD_FAILED);
	record_set_string(&pair->record->error, NULL);
	rules_judge(pair->record);
	assert_int_equal(pair->record->verdict, RECORD_VALID);
	g_ptr_array_set_size(pair->record->runs, 0);
	rules_judge(pair->record);
	assert_int_equal(pair->record->verdict, RECORD_FAILED);
	assert_int_equal(pair->record->checks->len, 0);
}

/*
 * A run of which nothing is known but its name fails no rule, and passes none. Only a witness and
 * an earlier run need not be there.
 */
static void nothing_known_passes_nothing(void **state)
{
	struct pair *pair = *state;
	guint i;

	g_ptr_array_set_size(pair->record->runs, 0);
	g_ptr_array_set_size(pair->record->kernel.modules, 0);
	g_ptr_array_add(pair->record->runs, record_run_new("ept"));
	g_ptr_array_add(pair->record->runs, record_run_new("noept"));
	rules_judge(pair->record);
	assert_int_equal(pair->record->verdict, RECORD_INVALID);
	for (i = 0; i < pair->record->checks->len; i++) {
		const struct record_check *check = pair->record->checks->pdata[i];
		const bool need_not_be = g_str_has_prefix(check->rule, "witness-") ||
					 strcmp(check->rule, "repeats") == 0;

		if (check->verdict != (need_not_be ? NOT : UNKNOWN))
			fail_msg("%s is %s", check->rule, verdict_name(check));
	}
}

/* A rule that cannot fail is none: this stands behind all other tests. */
static void each_rule_was_seen_to_fail(void **state)
{
	size_t count;
	const struct rule *rules = rules_table(&count);

	(void)state;
	for (size_t i = 0; i < count; i++)
		if (!seen_to_fail[i])
			fail_msg("no test has seen %s fail", rules[i].name);
}

/* What was not measured to its end is failed, and judged by no rule. */
static void no_rule_applies_to_a_failed_run(void **state)
{
	struct pair *pair = *state;
	size_t count, seen = 0;
	bool valid;
	const struct record_run *const runs[] = { pair->ept, pair->noept };
	g_autoptr(GPtrArray) checks = NULL;

	record_set_string(&pair->ept->error, "L2: it crashed");
	record_set_string(&pair->noept->error, "L2: it crashed");
	checks = rules_check(runs, 2, &valid);
	assert_false(valid);
	rules_table(&count);
	for (guint i = 0; i < checks->len; i++) {
		const struct record_check *check = g_ptr_array_index(checks, i);

		assert_int_equal(check->verdict, NOT);
		seen += g_strcmp0(check->run, "noept") != 0;
	}
	assert_int_equal(seen, count);
}

/* ---- L2's console, and the boot fingerprint ---- */

static void rule_l2_log(void **state)
{
	struct pair *pair = *state;

	verdict_is(pair, "l2-log", "ept", PASS);
	g_ptr_array_add(pair->noept->l2_log.findings, g_strdup("BUG: one"));
	fails(pair, "l2-log", "noept", "1 in 3 lines, the first: BUG: one");
	only_decisive_is(pair, "l2-log");
	pair->ept->l2_log.known = false;
	is_unknown(pair, "l2-log", "ept");
}

static void set_fingerprint(struct record_run *run, uint64_t dr, uint64_t gdtr, uint64_t wbinvd)
{
	sample_set_count(run, 29, dr);
	sample_set_count(run, 46, gdtr);
	sample_set_count(run, 54, wbinvd);
}

static void rule_boot_fingerprint(void **state)
{
	struct pair *pair = *state;

	verdict_is(pair, "boot-fingerprint", NULL, PASS);
	set_fingerprint(pair->ept, 2, 6, 3);
	set_fingerprint(pair->noept, 4, 12, 8);
	sample_set_count(pair->noept, 55, 2); /* and 1 in the other */
	fails(pair, "boot-fingerprint", NULL,
	      "29 DR_ACCESS 2 and 4, 46 GDTR_IDTR 6 and 12, 54 WBINVD 3 and 8, 55 XSETBV 1 and 2: "
	      "exactly 2 times as many, so 2 boots are in one of the counters");
	only_decisive_is(pair, "boot-fingerprint");
	/* The first may be the one that ran on. */
	set_fingerprint(pair->ept, 12, 36, 3);
	sample_set_count(pair->ept, 55, 6);
	verdict_is(pair, "boot-fingerprint", NULL, FAIL);
	/* Different, but no multiple: another CPU, perhaps. It decides nothing. */
	set_fingerprint(pair->ept, 2, 7, 3);
	verdict_is(pair, "boot-fingerprint", NULL, UNKNOWN);
	assert_int_equal(pair->record->verdict, RECORD_VALID);
	record_set_string(&pair->ept->workload, "dose-cpuid");
	verdict_is(pair, "boot-fingerprint", NULL, NOT);
}

/* ---- The kernel log ---- */

static void scan(struct pair *pair, const char *text)
{
	kernel_log_scan(text, strlen(text), &pair->ept->kernel_log);
}

static void log_finds_trouble(void **state)
{
	static const char *const trouble[] = {
		"[    1.234567] WARNING: CPU: 0 PID: 1 at arch/x86/kvm/x86.c:100 f+0x1/0x2 [kvm]",
		"[   12.000000] BUG: unable to handle page fault for address: ffff",
		"[   12.000000] BUG: kernel NULL pointer dereference, address: 0000000000000008",
		"[12345.678901] Oops: 0000 [#1] PREEMPT SMP PTI",
		"[    0.5][    T1] kernel BUG at mm/slub.c:1!",
		"<0>[    3.000000] Kernel panic - not syncing: Fatal exception",
		"<4>WARNING: possible circular locking dependency detected",
		"[    3.0] general protection fault, probably for non-canonical address 0x1: 0000",
		"[    3.0] invalid opcode: 0000 [#1] SMP",
		"[    3.0] divide error: 0000 [#1]",
		"[    3.0] watchdog: BUG: soft lockup - CPU#0 stuck for 22s!",
		"[    3.0] INFO: task qemu:7 blocked for more than 120 seconds.",
		"[    3.0] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
		"[    3.0] UBSAN: array-index-out-of-bounds in a.c:1:1",
	};
	struct pair *pair = *state;
	const struct record_kernel_log *log = &pair->ept->kernel_log;
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(trouble); i++) {
		scan(pair, trouble[i]);
		if (log->findings->len != 1)
			fail_msg("not found: %s", trouble[i]);
		assert_string_equal(log->findings->pdata[0], trouble[i]);
		assert_int_equal(log->lines, 1);
	}
}

/* All of these are in logs of healthy machines. */
static void log_does_not_cry_wolf(void **state)
{
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
	struct pair *pair = *state;

	scan(pair, text);
	assert_true(pair->ept->kernel_log.known);
	assert_int_equal(pair->ept->kernel_log.lines, 11);
	assert_int_equal(pair->ept->kernel_log.findings->len, 0);
	assert_false(pair->ept->kernel_log.lost);
	verdict_is(pair, "kernel-log", "ept", PASS);
}

static void log_is_read_to_its_end(void **state)
{
	struct pair *pair = *state;
	struct record_kernel_log *log = &pair->ept->kernel_log;
	static const char with_nul[] = "one\n\0BUG: hidden\nBUG: seen\r\n" KERNEL_LOG_LOST "\nlast";
	GString *many = g_string_new(NULL);
	guint i;

	kernel_log_scan(with_nul, sizeof(with_nul) - 1, log);
	assert_int_equal(log->lines, 5);
	assert_int_equal(log->findings->len, 1);
	assert_string_equal(log->findings->pdata[0], "BUG: seen");
	assert_true(log->lost);
	assert_int_equal(pair->noept->kernel_log.findings->len, 0);

	for (i = 0; i < 1000; i++)
		g_string_append_printf(many, "BUG: %0*u\n", 300, i);
	kernel_log_scan(many->str, many->len, log);
	assert_int_equal(log->lines, 1000);
	assert_int_equal(log->findings->len, KERNEL_LOG_FINDINGS_MAX);
	assert_int_equal(strlen(log->findings->pdata[0]), 200);
	assert_false(log->lost);
	g_string_free(many, TRUE);

	kernel_log_scan("", 0, log);
	assert_true(log->known);
	assert_int_equal(log->lines, 0);
}

#define with_pair(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* ---- AMD ---- */

static int setup_svm(void **state)
{
	struct pair *pair = g_new0(struct pair, 1);

	pair->record = record_load("results/reference/tcg", NULL);
	assert_non_null(pair->record);
	pair->ept = record_find_run(pair->record, "ept");
	pair->noept = record_find_run(pair->record, "noept");
	*state = pair;
	return 0;
}

/* The same rules, with SVM's reasons; what SVM has no parameter for is not applicable. */
static void rules_take_the_reasons_of_svm(void **state)
{
	struct pair *pair = *state;

	verdict_is(pair, "ept-off-no-ept-exits", "noept", PASS);
	verdict_is(pair, "vpid-sysfs", "ept", NOT);
	verdict_is(pair, "vpid-equal", NULL, NOT);
	verdict_is(pair, "vpid-leaf", "ept", NOT);
	assert_int_equal(pair->record->verdict, RECORD_VALID);
	sample_set_count(pair->noept, REASON_SVM_NPF, 7);
	fails(pair, "ept-off-no-ept-exits", "noept", "1024 NPF 7");
	sample_set_count(pair->noept, REASON_SVM_NPF, 0);
	sample_set_count(pair->ept, REASON_SVM_INVLPG, 2);
	fails(pair, "ept-on-no-invlpg", "ept", "121 INVLPG 2");
	sample_set_count(pair->ept, REASON_SVM_INVLPG, 0);
	sample_set_count(pair->ept, REASON_SVM_NPF, 0);
	fails(pair, "ept-on-violations", "ept", "1024 NPF 0");
}

/* vpid=0 in both: kvm-amd has no such parameter, and tags the TLB by ASID all the same. */
static void vpid_is_nothing_to_svm(void **state)
{
	struct pair *pair = *state;

	pair->ept->requested.vpid = pair->noept->requested.vpid = RECORD_FALSE;
	verdict_is(pair, "vpid-leaf", "ept", NOT);
	verdict_is(pair, "vpid-leaf", "noept", NOT);
	assert_int_equal(pair->record->verdict, RECORD_VALID);
	/* Also when no leaf was answered: whose CPU it is, the platform says as well. */
	pair->ept->l2_in_effect.known = false;
	verdict_is(pair, "vpid-leaf", "ept", NOT);
	verdict_is(pair, "vpid-sysfs", "ept", NOT);
	record_set_string(&pair->ept->platform.vendor, NULL);
	is_unknown(pair, "vpid-leaf", "ept");
}

static void shadow_paging_of_svm_has_page_faults(void **state)
{
	struct pair *pair = *state;

	sample_set_count(pair->noept, REASON_SVM_EXCP_PF, 0);
	fails(pair, "ept-off-page-faults", "noept", "78 EXCP_PF 0");
}

/* npt=0 was asked for and has not taken effect. */
static void nested_paging_that_stayed_on_with_svm(void **state)
{
	struct pair *pair = *state;

	pair->noept->in_effect.ept = RECORD_TRUE;
	fails(pair, "ept-sysfs", "noept", "EPT on");
	pair->noept->l2_in_effect.ept = true;
	fails(pair, "ept-leaf", "noept", "EPT on");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_complete),
		with_pair(sample_is_valid),
		with_pair(judging_twice_changes_nothing),
		with_pair(rule_signature),
		with_pair(rule_modules),
		with_pair(rule_ept_sysfs),
		with_pair(rule_ept_leaf),
		with_pair(rule_vpid_sysfs),
		with_pair(rule_vpid_leaf),
		with_pair(rule_vpid_equal),
		with_pair(rule_no_ept_exits),
		with_pair(rule_page_faults),
		with_pair(rule_violations),
		with_pair(rule_no_invlpg),
		with_pair(rule_answers),
		with_pair(rule_sum),
		with_pair(rule_sweep),
		with_pair(rule_l1_log),
		with_pair(rule_l1_log_counts_from_the_creation),
		with_pair(rule_l1_log_lacks_something),
		with_pair(no_witness_was_asked_for),
		with_pair(silent_witness_is_unknown),
		with_pair(rule_witness_leaves),
		with_pair(rule_witness_end),
		with_pair(rule_witness_vcpu),
		with_pair(sums_of_witnesses_do_not_wrap),
		with_pair(rule_dose),
		with_pair(rule_kernel_log),
		with_pair(rule_runs_differ),
		with_pair(one_difference_is_enough),
		with_pair(rule_same_guest),
		with_pair(rule_same_host),
		with_pair(runs_of_two_experiments_in_one_record),
		with_pair(rule_repeats),
		with_pair(one_run_alone),
		with_pair(three_runs),
		with_pair(failure_stays_failure),
		with_pair(nothing_known_passes_nothing),
		with_pair(log_finds_trouble),
		with_pair(log_does_not_cry_wolf),
		with_pair(log_is_read_to_its_end),
		with_pair(rule_l2_log),
		with_pair(rule_boot_fingerprint),
		with_pair(no_rule_applies_to_a_failed_run),
		cmocka_unit_test(each_rule_was_seen_to_fail),
		cmocka_unit_test_setup_teardown(rules_take_the_reasons_of_svm, setup_svm, teardown),
		cmocka_unit_test_setup_teardown(vpid_is_nothing_to_svm, setup_svm, teardown),
		cmocka_unit_test_setup_teardown(shadow_paging_of_svm_has_page_faults, setup_svm,
						teardown),
		cmocka_unit_test_setup_teardown(nested_paging_that_stayed_on_with_svm, setup_svm,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
