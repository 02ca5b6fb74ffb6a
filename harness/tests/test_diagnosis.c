/* SPDX-License-Identifier: GPL-2.0-only */
/* What counts tell that somebody has taken. */

#include "foreign/diagnosis.h"
#include "foreign/read.h"
#include "report/check.h"
#include "report/report.h"
#include "tests/sample.h"
#include "tests/test.h"

#define REPORTS "harness/tests/field-reports/"

/* "0=1,14=2" as counts. */
static struct foreign_counts *counts_of(const char *name, const char *list)
{
	struct foreign_counts *counts = foreign_counts_new(name);
	g_auto(GStrv) items = g_strsplit(list, ",", -1);

	for (char **item = items; *item != NULL; item++) {
		char *equals = strchr(*item, '=');

		assert_non_null(equals);
		foreign_counts_set(counts, (uint32_t)strtoul(*item, NULL, 10),
				   strtoull(equals + 1, NULL, 10));
	}
	foreign_counts_finish(counts);
	return counts;
}

static struct foreign_counts *report(const char *name)
{
	g_autofree char *path = g_strconcat(REPORTS, name, NULL);
	g_autoptr(GPtrArray) columns = foreign_read(path, NULL, NULL);
	struct foreign_counts *counts = g_ptr_array_index(columns, 0);

	columns->pdata[0] = NULL;
	record_set_string(&counts->name, name);
	return counts;
}

/* A pair that was published as sound, from another CPU and kernel. */
#define SOUND_EPT   "0=8407,10=132076,14=0,28=18175,30=132365,48=35708,49=30422"
#define SOUND_NOEPT "0=1566621,10=132252,14=171510,28=8618699,30=139731,48=0,49=0"

static struct diagnosis *pair(const char *first, const char *second)
{
	g_autoptr(struct_foreign_counts) a = counts_of("first", first);
	g_autoptr(struct_foreign_counts) b = counts_of("second", second);

	return diagnosis_of_pair(a, b);
}

static struct diagnosis *one(const char *list)
{
	g_autoptr(struct_foreign_counts) counts = counts_of("file", list);

	return diagnosis_of_one(counts);
}

static void assert_headline(const struct diagnosis *diagnosis, enum diagnosis_verdict verdict,
			    const char *words)
{
	assert_says(diagnosis->headline, words);
	assert_int_equal(diagnosis->verdict, verdict);
}

static void assert_told(const struct diagnosis *diagnosis, const char *words)
{
	for (guint i = 0; i < diagnosis->story->len; i++)
		if (strstr(g_ptr_array_index(diagnosis->story, i), words) != NULL)
			return;
	fail_msg("nobody says \"%s\"", words);
}

/* The verdict of one question; about NULL: of the pair. */
static enum record_check_verdict verdict_of(const struct diagnosis *diagnosis, const char *name)
{
	for (guint i = 0; i < diagnosis->checks->len; i++) {
		const struct record_check *check = g_ptr_array_index(diagnosis->checks, i);

		if (g_str_equal(check->rule, name))
			return check->verdict;
	}
	fail_msg("there is no question \"%s\"", name);
	return RECORD_CHECK_UNKNOWN;
}

/* ---- Field reports ---- */

TEST(first_report_is_sound_alone)
{
	g_autoptr(struct_foreign_counts) ept = report("a-ept.txt");
	g_autoptr(struct_diagnosis) diagnosis = diagnosis_of_one(ept);

	assert_headline(diagnosis, DIAGNOSIS_SOUND, "EPT was on");
}

/* 4,564,148 - 206,477 = 4,357,671. */
TEST(second_report_is_called_what_it_is)
{
	g_autoptr(struct_foreign_counts) ept = report("a-ept.txt");
	g_autoptr(struct_foreign_counts) noept = report("a-noept.txt");
	g_autoptr(struct_diagnosis) diagnosis = diagnosis_of_pair(ept, noept);
	g_autoptr(struct_diagnosis) turned = diagnosis_of_pair(noept, ept);
	g_autoptr(struct_diagnosis) alone = diagnosis_of_one(noept);

	assert_headline(diagnosis, DIAGNOSIS_UNSOUND,
			"EPT stayed on, and the counter of a-noept.txt went on");
	assert_told(diagnosis, "exactly 2 times those of a-ept.txt (29 DR_ACCESS 2 and 4");
	assert_told(diagnosis, "leaves 4,357,671 EPT violations and no INVLPG");
	assert_int_equal(verdict_of(diagnosis, "boot-fingerprint"), RECORD_CHECK_FAIL);
	assert_non_null(diagnosis->difference);
	/* In either order. */
	assert_headline(turned, DIAGNOSIS_UNSOUND, "the counter of a-noept.txt went on");
	/* Alone it can be no more than a hint. */
	assert_headline(alone, DIAGNOSIS_SOUND, "EPT was on");
	assert_told(alone, "all multiples of 2");
}

/* 286,903 - 206,477 = 80,426; 198,306 - 0. */
TEST(third_report_is_called_what_it_is)
{
	g_autoptr(struct_foreign_counts) ept = report("a-ept.txt");
	g_autoptr(struct_foreign_counts) noept = report("b-noept.txt");
	g_autoptr(struct_diagnosis) alone = diagnosis_of_one(noept);
	g_autoptr(struct_diagnosis) diagnosis = diagnosis_of_pair(ept, noept);
	const struct record_exit *left;

	assert_headline(alone, DIAGNOSIS_UNSOUND, "both kinds of paging are in this counter");
	assert_told(alone, "--baseline");
	assert_headline(diagnosis, DIAGNOSIS_UNSOUND,
			"shadow paging was in effect for b-noept.txt, but on a counter that was "
			"not reset");
	assert_told(diagnosis, "exactly 2 times");
	assert_told(diagnosis, "leaves 198,306 INVLPG");
	assert_told(diagnosis, "80,426 EPT violations");
	left = record_find_exit(diagnosis->difference->run->exits, 48);
	assert_int_equal(left->count, 80426);
}

/* ---- Pairs ---- */

TEST(pairs_are_told_apart)
{
	static const struct {
		const char *first, *second;
		enum diagnosis_verdict verdict;
		const char *headline, *told;
	} cases[] = {
		{ SOUND_EPT, SOUND_NOEPT, DIAGNOSIS_SOUND, "a sound pair: EPT was on in first",
		  NULL },
		/* A guest that changes CR3 rarely, has no MMIO, and uses INVPCID alone. */
		{ "0=1,10=9,14=0,28=37,48=5,49=0,58=0", "0=7,10=9,14=0,28=30,48=0,49=0,58=8",
		  DIAGNOSIS_SOUND, "a sound pair", NULL },
		/* Another kernel: the fingerprint differs, but is no multiple. */
		{ "0=1,14=0,29=2,46=6,47=2,48=9,55=3", "0=7,14=5,29=2,46=7,47=2,48=0,55=3",
		  DIAGNOSIS_SOUND, "a sound pair", NULL },
		/* How it goes wrong. */
		{ SOUND_NOEPT, SOUND_EPT, DIAGNOSIS_UNSOUND, "the columns are swapped", NULL },
		{ SOUND_EPT, SOUND_EPT, DIAGNOSIS_UNSOUND, "one reading", NULL },
		{ "0=1,14=0,48=5", "0=2,14=0,48=6", DIAGNOSIS_UNSOUND, "EPT was on in both", NULL },
		{ "0=1,14=3,48=0", "0=2,14=4,48=0", DIAGNOSIS_UNSOUND, "EPT was off in both",
		  NULL },
		{ "0=1,14=0", "0=2,14=4,48=0", DIAGNOSIS_UNDECIDED, "cannot be told", NULL },
		{ "0=0,14=0,48=0", "0=2,14=4,48=0", DIAGNOSIS_UNSOUND, "no sound pair", NULL },
		/* A second run with shadow paging on one counter. */
		{ "0=10,14=0,29=2,46=6,48=500", "0=110,14=7,29=6,46=18,48=0", DIAGNOSIS_UNSOUND,
		  "something else is wrong", "exactly 3 times" },
	};
	g_autoptr(GPtrArray) own = foreign_read("results/reference/bochs", NULL, NULL);
	g_autoptr(struct_diagnosis) reference =
		diagnosis_of_pair(g_ptr_array_index(own, 0), g_ptr_array_index(own, 1));

	assert_headline(reference, DIAGNOSIS_SOUND, "a sound pair");
	test_each (row, cases) {
		g_autoptr(struct_diagnosis) diagnosis = pair(row->first, row->second);

		assert_headline(diagnosis, row->verdict, row->headline);
		if (row->told != NULL)
			assert_told(diagnosis, row->told);
		if (row->verdict == DIAGNOSIS_SOUND)
			assert_null(diagnosis->difference);
	}
}

/* An EPT run, then one without, in one counter that is exactly the sum of both. */
TEST(what_ran_on_can_be_taken_off)
{
	g_autoptr(struct_diagnosis) diagnosis =
		pair("0=10,14=0,29=2,46=6,48=500", "0=110,14=7,29=4,46=12,48=500");
	g_autoptr(struct_diagnosis) another =
		pair("0=1000,14=0,29=2,46=6,48=500", "0=110,14=7,29=4,46=12,48=500");

	assert_headline(diagnosis, DIAGNOSIS_UNSOUND, "on a counter that was not reset");
	assert_told(diagnosis, "leaves no EPT violation and 7 INVLPG");
	assert_int_equal(record_find_exit(diagnosis->difference->run->exits, 0)->count, 100);
	/* A counter does not fall. */
	assert_told(another, "nothing can be taken off");
	assert_null(another->difference);
}

TEST(each_question_can_fail)
{
	static const struct {
		const char *name, *list;
		enum record_check_verdict verdict;
	} cases[] = {
		{ "decisive-reasons", "0=5", RECORD_CHECK_UNKNOWN },
		{ "counts-at-all", "0=7,14=7,48=7", RECORD_CHECK_FAIL },
		{ "counts-at-all", "0=7", RECORD_CHECK_UNKNOWN },
		{ "undefined-reasons", "0=7,14=0,35=2,48=7", RECORD_CHECK_FAIL },
		{ "cpuid-counted", "0=7,10=0,14=0,48=7", RECORD_CHECK_FAIL },
		{ "cpuid-counted", "0=7,14=0,48=7", RECORD_CHECK_NOT_APPLICABLE },
		{ "counts-grow", "0=7,14=0,48=7", RECORD_CHECK_PASS },
		{ "total", "0=7,14=0,48=7", RECORD_CHECK_NOT_APPLICABLE },
		{ "one-paging", "0=7,14=1,48=7", RECORD_CHECK_FAIL },
		{ "one-paging", "0=0,14=0,48=0,10=3", RECORD_CHECK_FAIL },
		{ "one-paging", "0=0,14=0", RECORD_CHECK_UNKNOWN },
		{ "early-exits", "0=9,1=0,7=0,12=0,14=0,30=10000,32=0,48=7,49=0",
		  RECORD_CHECK_FAIL },
		/* A few milliseconds, or one of them was counted. */
		{ "early-exits", "0=9,1=0,7=0,12=0,14=0,30=1000,32=0,48=7,49=0",
		  RECORD_CHECK_PASS },
		{ "early-exits", "0=9,1=1,7=0,12=0,14=0,30=10000,32=0,48=7,49=0",
		  RECORD_CHECK_PASS },
		{ "early-exits", "0=9,7=0,14=0,30=10000,48=7,49=0", RECORD_CHECK_PASS },
		{ "as-claimed", "0=9,14=0,48=7", RECORD_CHECK_NOT_APPLICABLE },
	};

	test_each (row, cases) {
		g_autoptr(struct_diagnosis) diagnosis = one(row->list);

		if (verdict_of(diagnosis, row->name) != row->verdict)
			fail_msg("%s of %s", row->name, row->list);
		assert_int_equal(diagnosis->verdict == DIAGNOSIS_SOUND,
				 row->verdict == RECORD_CHECK_PASS ||
					 row->verdict == RECORD_CHECK_NOT_APPLICABLE);
	}
}

TEST(what_a_list_cannot_say_can_fail)
{
	g_autoptr(struct_foreign_counts) counts = counts_of("file", SOUND_EPT);
	g_autoptr(struct_foreign_counts) other = counts_of("other", SOUND_NOEPT);
	g_autoptr(struct_diagnosis) total_missing = NULL;
	g_autoptr(struct_diagnosis) total_first = NULL;
	g_autoptr(struct_diagnosis) falling = NULL;
	g_autoptr(struct_diagnosis) registers = NULL;
	g_autoptr(struct_diagnosis) leaves = NULL;

	counts->stated_total = record_u64_from(counts->run->total.value - 1);
	total_missing = diagnosis_of_one(counts);
	assert_int_equal(verdict_of(total_missing, "total"), RECORD_CHECK_FAIL);
	/* Not all parts are there, so they may be less than what was read before. */
	counts->total_first = true;
	total_first = diagnosis_of_one(counts);
	assert_int_equal(verdict_of(total_first, "total"), RECORD_CHECK_NOT_APPLICABLE);
	counts->stated_total.known = false;
	counts->shrinking = g_strdup("0: 2, then 1");
	falling = diagnosis_of_one(counts);
	assert_int_equal(verdict_of(falling, "counts-grow"), RECORD_CHECK_FAIL);
	/* Many assignments ask for EAX alone: that is in the notes, and no fault. */
	counts->more_registers = true;
	registers = diagnosis_of_one(counts);
	assert_int_equal(verdict_of(registers, "counts-at-all"), RECORD_CHECK_PASS);
	counts->leaf = 0x4ffffffe;
	other->leaf = 0x4ffffffd;
	leaves = diagnosis_of_pair(counts, other);
	assert_int_equal(verdict_of(leaves, "same-leaf"), RECORD_CHECK_FAIL);
}

TEST(baseline_must_be_an_earlier_reading)
{
	g_autoptr(struct_foreign_counts) counts = counts_of("file", "0=5,14=1,48=9,55=2");
	g_autoptr(struct_foreign_counts) base = counts_of("base", "0=2,14=1,48=9");
	g_autoptr(struct_foreign_counts) less = foreign_counts_less(counts, base, NULL);
	g_autoptr(GError) error = NULL;

	assert_int_equal(record_find_exit(less->run->exits, 0)->count, 3);
	assert_null(record_find_exit(less->run->exits, 55));
	assert_int_equal(less->notes->len, 1);
	assert_int_equal(less->run->total.value, 3);
	assert_null(foreign_counts_less(base, counts, &error));
	assert_error(&error, EPTLAB_ERROR_USAGE, "more than base, which has 2");
}

/* ---- Reports ---- */

TEST(text_says_it_all_in_printable_words)
{
	g_autoptr(struct_foreign_counts) a = counts_of("\033[2J<script>", SOUND_EPT);
	g_autoptr(struct_foreign_counts) b = counts_of("b", SOUND_NOEPT);
	g_autoptr(struct_diagnosis) diagnosis = diagnosis_of_pair(a, b);
	g_autofree char *text = report_check_text(diagnosis, a, b, REPORT_WIDTH, false);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	assert_null(strchr(text, '\033'));
	assert_says(text, "\nSOUND: a sound pair");
	for (char **line = lines; *line != NULL; line++)
		assert_true(strlen(*line) <= REPORT_WIDTH);
}

TEST(json_has_it_all)
{
	g_autoptr(struct_foreign_counts) a = report("a-ept.txt");
	g_autoptr(struct_foreign_counts) b = report("a-noept.txt");
	g_autoptr(struct_diagnosis) diagnosis = diagnosis_of_pair(a, b);
	g_autofree char *text = report_check_json(diagnosis, a, b);
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "verdict")), "unsound");
	assert_int_equal(json_array_size(json_object_get(root, "readings")), 2);
	assert_int_equal(json_array_size(json_object_get(root, "checks")), diagnosis->checks->len);
	assert_true(json_is_object(json_object_get(root, "difference")));
	json_decref(root);
}

/* ---- Claims ---- */

TEST(words_about_the_paging)
{
	static const struct {
		const char *words;
		enum foreign_claim claim;
	} rows[] = {
		{ "With ept:", CLAIM_NESTED },
		{ "## Exits with EPT enabled", CLAIM_NESTED },
		{ "ept=1", CLAIM_NESTED },
		{ "ept", CLAIM_NESTED },
		{ "Nested paging", CLAIM_NESTED },
		{ "kvm-intel.ko ept=Y", CLAIM_NESTED },
		{ "Without EPT", CLAIM_SHADOW },
		{ "no-ept", CLAIM_SHADOW },
		{ "noept", CLAIM_SHADOW },
		{ "EPT Disabled", CLAIM_SHADOW },
		{ "Exits with EPT disabled", CLAIM_SHADOW },
		{ "$ sudo modprobe kvm-intel ept=0 vpid=0", CLAIM_SHADOW },
		{ "npt=0", CLAIM_SHADOW },
		{ "Shadow", CLAIM_SHADOW },
		{ "w/o ept", CLAIM_SHADOW },
		{ "with ept and without ept", CLAIM_NONE },
		{ "before disabling EPT", CLAIM_NONE },
		{ "AFTER EPT=0", CLAIM_SHADOW },
		{ "- dmesg output (ept=0 NOT set)", CLAIM_NONE },
		{ "- dmesg output \"with ept=0\"", CLAIM_SHADOW },
		{ "The count of exits", CLAIM_NONE },
		{ "accepted: 1", CLAIM_NONE },
		{ "except 0 nothing", CLAIM_NONE },
		{ NULL, CLAIM_NONE },
	};

	test_each (row, rows)
		if (foreign_claim(row->words) != row->claim)
			fail_msg("%s: %d", row->words, foreign_claim(row->words));
}
