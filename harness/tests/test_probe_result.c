/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/probe_result.h"
#include "model/reasons.h"
#include "model/rules.h"
#include "tests/test.h"

/* ---- What a program in L2 sends ---- */

struct probe {
	GString *out;
	uint32_t seq;
};

static void put(struct probe *probe, struct frame_line *line)
{
	assert_true(frame_close(line));
	g_string_append_len(probe->out, line->line, (gssize)line->length);
	probe->seq++;
}

/* A frame of that kind; text is "key=value key=value". */
static void put_frame(struct probe *probe, const char *kind, const char *text)
{
	g_auto(GStrv) fields = g_strsplit(text, " ", -1);
	struct frame_line line;

	frame_open(&line, probe->seq, kind);
	for (char **field = fields; *field != NULL; field++) {
		char *value = strchr(*field, '=');

		*value = '\0';
		frame_add_string(&line, *field, value + 1);
	}
	put(probe, &line);
}

/* Version 1 or 2, and "KVMe" "xitc" "ount", least significant byte first. */
static void put_iface(struct probe *probe, unsigned int version)
{
	g_autofree char *text =
		g_strdup_printf("regs=%u,1699567179,1668573560,1953396079", version);

	put_frame(probe, "iface", text);
}

#define EFFECT_VMX	  "regs=5,1,85,2"  /* EPT, unrestricted guest; no VPID */
#define EFFECT_VMX_CYCLES "regs=13,1,85,2" /* cycles as well */
#define EFFECT_SVM	  "regs=3,2,1027,1"

static void put_exit(struct probe *probe, uint32_t first, uint32_t last, const char *live,
		     const char *latched, const char *cycles)
{
	g_autofree char *text = g_strdup_printf("first=%u last=%u live=%s latched=%s cycles=%s",
						first, last, live, latched, cycles);

	put_frame(probe, "exit", text);
}

static struct probe begin(void)
{
	struct frame_line line;
	bool good = frame_begin(&line, PROBE_SENDER);

	assert_true(good);
	return (struct probe){ .out = g_string_new(line.line), .seq = 1 };
}

static GString *end(struct probe *probe)
{
	struct frame_line line;

	assert_true(frame_end(&line, probe->seq));
	g_string_append(probe->out, line.line);
	return probe->out;
}

#define UNDEFINED "0,0,0,4294967295"

/* One reading around the exit frames that the caller puts in between. */
static void open_reading(struct probe *probe, const char *name, const char *before)
{
	g_autofree char *reading = g_strdup_printf("name=%s n=0 tsc=77", name);
	g_autofree char *total = g_strdup_printf("at=before regs=%s", before);

	put_frame(probe, "reading", reading);
	put_frame(probe, "total", total);
}

static void close_reading_after(struct probe *probe, const char *after, const char *latch,
				unsigned int cpuids)
{
	g_autofree char *total = g_strdup_printf("at=after regs=%s", after);
	g_autofree char *latched = g_strdup_printf("regs=%s cpuids=%u", latch, cpuids);

	put_frame(probe, "total", total);
	put_frame(probe, "latch", latched);
	put_frame(probe, "cycles", "regs=0,0,0,0");
}

static void close_reading(struct probe *probe, const char *after, const char *latch)
{
	close_reading_after(probe, after, latch, 20);
}

/*
 * A VM that had 100 exits by reason 0 and 50 by reason 10 when the first leaf was read, that read
 * included; nothing else exits. Reasons 0 to 12 are asked for, so reason 10 is the 11th read: it
 * has 50 + 11 then. After the 13th comes the total, 150 + 13 + 1 = 164, of which 64 by reason 10,
 * and then the latch, 165 and 65. The latched cycles are made up.
 */
static void put_sample_reading(struct probe *probe)
{
	open_reading(probe, "boot", "150,0,0,0");
	put_exit(probe, 0, 0, "100,0,0,0", "100,0,7,1", "0,1,7,0");
	put_exit(probe, 1, 9, "0,0,0,0", "0,0,0,0", "0,0,0,0");
	put_exit(probe, 10, 10, "61,0,0,0", "65,0,9,0", "0,0,9,0");
	put_exit(probe, 11, 12, "0,0,0,0", "0,0,0,0", "0,0,0,0");
	close_reading(probe, "164,0,0,0", "165,0,2,0");
}

static GString *sample(unsigned int version, const char *effect)
{
	struct probe probe = begin();

	put_iface(&probe, version);
	put_frame(&probe, "effect", effect);
	put_sample_reading(&probe);
	return end(&probe);
}

/*
 * Each letter is a frame: i iface, e effect, x bad, k cost, r reading, b total before, 0 to 9 exit,
 * a total after, l latch, c cycles.
 */
static void put_in_order(struct probe *probe, const char *order)
{
	static const struct {
		char letter;
		const char *kind, *text;
	} frames[] = {
		{ 'i', "iface", "regs=2,1699567179,1668573560,1953396079" },
		{ 'e', "effect", EFFECT_VMX },
		{ 'x', "bad", "leaf=1 index=2 regs=1,2,3,4" },
		{ 'k', "cost", "exits=1000 ticks=5" },
		{ 'r', "reading", "name=boot n=0 tsc=1" },
		{ 'b', "total", "at=before regs=1,0,0,0" },
		{ 'a', "total", "at=after regs=9,0,0,0" },
		{ 'l', "latch", "regs=9,0,1,0 cpuids=3" },
		{ 'c', "cycles", "regs=0,0,0,0" },
	};

	for (; *order; order++) {
		uint32_t reason = (uint32_t)(*order - '0');

		if (g_ascii_isdigit(*order))
			put_exit(probe, reason, reason, "1,0,0,0", "1,0,0,0", "0,0,0,0");
		test_each (row, frames)
			if (row->letter == *order)
				put_frame(probe, row->kind, row->text);
	}
}

static struct probe in_order(const char *order)
{
	struct probe probe = begin();

	put_in_order(&probe, order);
	return probe;
}

/* ---- What becomes of it ---- */

static probe_result *result_of(GString *frames)
{
	g_autoptr(GError) error = NULL;
	probe_result *result = probe_result_parse(frames->str, frames->len, &error);

	if (!result)
		fail_msg("%s", error->message);
	assert_true(probe_result_is_complete(result));
	g_string_free(frames, TRUE);
	return result;
}

static struct record_run *run_of(GString *frames)
{
	g_autoptr(probe_result) result = result_of(frames);
	struct record_run *run = record_run_new("ept");

	probe_result_store(result, run);
	return run;
}

static uint64_t count_in(const struct record_run *run, uint32_t reason)
{
	const struct record_exit *one = record_find_exit(run->exits, reason);

	assert_non_null(one);
	return one->count;
}

TEST(sample_is_stored)
{
	g_autoptr(struct_record_run) run = run_of(sample(2, EFFECT_VMX));
	const struct record_l2_effect *effect = &run->l2_in_effect;

	assert_true(run->interface.known);
	assert_int_equal(run->interface.eax, 2);
	assert_int_equal(run->interface.ebx, 0x654d564b);
	assert_int_equal(run->interface.ecx, 0x63746978);
	assert_int_equal(run->interface.edx, 0x746e756f);
	assert_true(effect->known && effect->ept && !effect->vpid && effect->unrestricted_guest);
	assert_false(effect->cycles);
	assert_int_equal(effect->vendor, 1);
	assert_int_equal(effect->highest_reason, 85);
	assert_int_equal(effect->vcpus, 2);
	assert_true(run->leaf_total.known);
	assert_int_equal(run->leaf_total.before, 150);
	assert_int_equal(run->leaf_total.after, 164);
	assert_int_equal(run->leaf_total.reads, 13);
	assert_int_equal(run->leaf_total.cpuid_read, 11);
	assert_true(run->leaf_total.sum.known);
	assert_int_equal(run->leaf_total.sum.value, 161);
	assert_true(run->latch.known);
	assert_int_equal(run->latch.total, 165);
	assert_int_equal(run->latch.serial, 2);
	assert_true(run->latch.sum.known);
	assert_int_equal(run->latch.sum.value, 165);
	/* Each of the four ranges is as many entries as it has reasons. */
	assert_int_equal(run->exits->len, 13);
	assert_int_equal(count_in(run, 0), 100);
	assert_int_equal(count_in(run, 9), 0);
	assert_int_equal(count_in(run, 10), 65);
	assert_int_equal(record_find_exit(run->exits, 10)->before, 0);
	assert_string_equal(record_find_exit(run->exits, 12)->name, "HLT");
	assert_int_equal(run->undefined->len, 0);
	assert_int_equal(run->malformed->len, 0);
	assert_true(run->total.known && run->total.value == 165);
	assert_false(run->dose.known);
}

/* Version 1 has no latch: what leaf 0x4FFFFF02 and 0x4FFFFF03 say means nothing. */
TEST(before_version_2_counts_are_the_live_ones)
{
	g_autoptr(struct_record_run) run = run_of(sample(1, EFFECT_VMX));

	assert_int_equal(run->interface.eax, 1);
	assert_true(run->l2_in_effect.known);
	assert_false(run->latch.known);
	assert_int_equal(count_in(run, 10), 61);
	assert_int_equal(run->total.value, 161);
	assert_int_equal(run->leaf_total.sum.value, 161);
}

/* A later version has all that an earlier one had. */
TEST(from_version_2_on_counts_are_the_latched_ones)
{
	g_autoptr(struct_record_run) run = run_of(sample(3, EFFECT_VMX));

	assert_true(run->latch.known);
	assert_int_equal(count_in(run, 10), 65);
	assert_int_equal(run->total.value, 165);
}

/* Latched: low half in ECX, high half in EDX. Live: high half in EBX, low half in ECX. */
TEST(cycles_are_known_if_kvm_counts_them)
{
	g_autoptr(struct_record_run) without = run_of(sample(2, EFFECT_VMX));
	g_autoptr(struct_record_run) latched = run_of(sample(2, EFFECT_VMX_CYCLES));
	struct probe probe = begin();
	g_autoptr(struct_record_run) live = NULL;

	assert_false(record_find_exit(without->exits, 0)->cycles.known);
	assert_true(latched->l2_in_effect.cycles);
	assert_true(record_find_exit(latched->exits, 0)->cycles.known);
	assert_true(record_find_exit(latched->exits, 0)->cycles.value == 0x100000007);
	assert_int_equal(record_find_exit(latched->exits, 10)->cycles.value, 9);
	assert_true(record_find_exit(latched->exits, 12)->cycles.known);
	assert_int_equal(record_find_exit(latched->exits, 12)->cycles.value, 0);

	put_iface(&probe, 1);
	put_frame(&probe, "effect", EFFECT_VMX_CYCLES);
	open_reading(&probe, "boot", "1,0,0,0");
	put_exit(&probe, 0, 0, "1,0,0,0", "2,0,3,4", "0,5,6,0");
	close_reading(&probe, "3,0,0,0", "4,0,1,0");
	live = run_of(end(&probe));
	assert_int_equal(count_in(live, 0), 1);
	assert_true(record_find_exit(live->exits, 0)->cycles.value == 0x500000006);
}

TEST(counts_have_64_bits)
{
	struct probe probe = begin();
	g_autoptr(struct_record_run) run = NULL;

	put_iface(&probe, 2);
	put_frame(&probe, "effect", EFFECT_VMX_CYCLES);
	/* 0x12345678:9abcdef0 */
	open_reading(&probe, "boot", "2596069104,305419896,0,0");
	/* 0xedcba987:ffffffff; cycles 0x80000000:00000001 */
	put_exit(&probe, 0, 0, "2596069104,305419896,0,0", "4294967295,3989547399,1,2147483648",
		 "0,2147483648,1,0");
	put_exit(&probe, 1, 1, "4294967295,3989547399,0,0", "2596069104,305419896,0,0", "0,0,0,0");
	close_reading(&probe, "4294967295,4294967295,0,0", "4294967295,4294967295,4294967295,0");
	run = run_of(end(&probe));
	assert_true(run->leaf_total.before == 0x123456789abcdef0);
	assert_true(run->leaf_total.after == UINT64_MAX);
	assert_true(run->latch.total == UINT64_MAX);
	assert_true(run->latch.serial == UINT32_MAX);
	assert_true(count_in(run, 0) == 0xedcba987ffffffff);
	assert_true(count_in(run, 1) == 0x123456789abcdef0);
	assert_true(record_find_exit(run->exits, 0)->cycles.value == 0x8000000000000001);
	/* The two add up to 2^64 + 0x9abcdeef: a sum that does not fit is not known. */
	assert_false(run->total.known);
	assert_false(run->latch.sum.known);
	assert_false(run->leaf_total.sum.known);
	/* Reason 10 was not read. */
	assert_int_equal(run->leaf_total.cpuid_read, 0);
}

/* A range with one answer for several reasons is an answer for each. */
TEST(answers_of_each_form)
{
	struct probe probe = begin();
	g_autoptr(struct_record_run) run = NULL;

	put_iface(&probe, 2);
	put_frame(&probe, "effect", EFFECT_VMX);
	open_reading(&probe, "boot", "1,0,0,0");
	put_exit(&probe, 0, 0, "0,0,0,0", "0,0,0,0", "0,0,0,0");
	put_exit(&probe, 1, 2, UNDEFINED, UNDEFINED, UNDEFINED);
	/* Undefined, with a count? */
	put_exit(&probe, 3, 3, "1,0,0,4294967295", UNDEFINED, UNDEFINED);
	put_exit(&probe, 4, 5, "0,1,0,4294967295", UNDEFINED, UNDEFINED);
	put_exit(&probe, 6, 6, "0,0,1,4294967295", UNDEFINED, UNDEFINED);
	put_exit(&probe, 7, 7, "0,0,0,4294967294", UNDEFINED, UNDEFINED);
	put_exit(&probe, 8, 8, "7,0,1,0", UNDEFINED, UNDEFINED);
	close_reading(&probe, "11,0,0,0", "12,0,1,0");
	run = run_of(end(&probe));
	assert_int_equal(run->exits->len, 1);
	assert_int_equal(run->undefined->len, 2);
	assert_int_equal(g_array_index(run->undefined, uint32_t, 0), 1);
	assert_int_equal(g_array_index(run->undefined, uint32_t, 1), 2);
	assert_int_equal(run->malformed->len, 6);
	assert_int_equal(g_array_index(run->malformed, uint32_t, 0), 3);
	assert_int_equal(g_array_index(run->malformed, uint32_t, 2), 5);
	assert_int_equal(g_array_index(run->malformed, uint32_t, 5), 8);
	assert_int_equal(run->leaf_total.reads, 9);
}

/* In a latched answer, ECX and EDX are cycles, except for what no count can look like. */
TEST(latched_cycles_may_be_anything)
{
	struct probe probe = begin();
	g_autoptr(struct_record_run) run = NULL;

	put_iface(&probe, 2);
	put_frame(&probe, "effect", EFFECT_VMX_CYCLES);
	open_reading(&probe, "boot", "1,0,0,0");
	put_exit(&probe, 0, 0, "1,0,0,0", "1,0,0,4294967295", "0,4294967295,0,0");
	put_exit(&probe, 1, 1, "1,0,0,0", "0,0,1,4294967295", "0,4294967295,1,0");
	put_exit(&probe, 2, 2, UNDEFINED, UNDEFINED, UNDEFINED);
	close_reading(&probe, "5,0,0,0", "6,0,1,0");
	run = run_of(end(&probe));
	assert_int_equal(run->exits->len, 2);
	assert_true(record_find_exit(run->exits, 0)->cycles.value == 0xffffffff00000000);
	assert_int_equal(count_in(run, 1), 0);
	assert_null(record_find_exit(run->exits, 2));
}

/*
 * SVM's reasons are the low 256 and those around 0x400. Reason 0x72 is CPUID's: the 115th read, as
 * it is the 115th number from 0 on; 0x400 is that of nested page faults. 256 + 9 reads in all.
 */
TEST(svm_has_names_and_reads_of_its_own)
{
	struct probe probe = begin();
	g_autoptr(struct_record_run) run = NULL;

	put_iface(&probe, 2);
	put_frame(&probe, "effect", EFFECT_SVM);
	open_reading(&probe, "boot", "1000,0,0,0");
	put_exit(&probe, 0, 0x71, "0,0,0,0", "0,0,0,0", "0,0,0,0");
	put_exit(&probe, 0x72, 0x72, "200,0,0,0", "300,0,0,0", "0,0,0,0");
	put_exit(&probe, 0x73, 0xa6, "0,0,0,0", "0,0,0,0", "0,0,0,0");
	put_exit(&probe, 0xa7, 0xff, UNDEFINED, UNDEFINED, UNDEFINED);
	put_exit(&probe, 0x3fe, 0x3ff, UNDEFINED, UNDEFINED, UNDEFINED);
	put_exit(&probe, 0x400, 0x400, "500,0,0,0", "501,0,0,0", "0,0,0,0");
	put_exit(&probe, 0x401, 0x403, "0,0,0,0", "0,0,0,0", "0,0,0,0");
	put_exit(&probe, 0x404, 0x406, UNDEFINED, UNDEFINED, UNDEFINED);
	close_reading(&probe, "1266,0,0,0", "1267,0,1,0");
	run = run_of(end(&probe));
	assert_int_equal(run->l2_in_effect.vendor, KVM_EXITCOUNT_VENDOR_SVM);
	assert_true(run->l2_in_effect.ept && run->l2_in_effect.vpid);
	assert_int_equal(run->leaf_total.reads, 265);
	assert_int_equal(run->leaf_total.cpuid_read, 115);
	/* 0xa7 and four. */
	assert_int_equal(run->exits->len, 171);
	assert_string_equal(record_find_exit(run->exits, 0x72)->name, "CPUID");
	assert_string_equal(record_find_exit(run->exits, 0x400)->name, "NPF");
	assert_int_equal(count_in(run, 0x400), 501);
	assert_int_equal(run->total.value, 801);
	assert_int_equal(run->leaf_total.sum.value, 700);
	/* 0x59, two and three. */
	assert_int_equal(run->undefined->len, 94);
	assert_int_equal(g_array_index(run->undefined, uint32_t, 93), 0x406);
}

/* ---- Several readings ---- */

/*
 * Three readings: 0 has 40 at the start and 47 at the end, 10 has 100 and 130. What is in between
 * is the workload's; the reading in the middle plays no part in it.
 */
static GString *doses(unsigned int version)
{
	struct probe probe = begin();

	put_iface(&probe, version);
	put_frame(&probe, "effect", EFFECT_VMX_CYCLES);
	open_reading(&probe, PROBE_START, "141,0,0,0");
	put_exit(&probe, 0, 0, "39,0,0,0", "40,0,1000,1", "0,1,900,0");
	put_exit(&probe, 9, 9, "0,0,0,0", "0,0,0,0", "0,0,0,0");
	put_exit(&probe, 10, 10, "101,0,0,0", "100,0,50,0", "0,0,40,0");
	close_reading(&probe, "145,0,0,0", "146,0,1,0");
	put_frame(&probe, "bad", "leaf=1342177279 index=35 regs=1,2,3,4");
	put_frame(&probe, "bad", "leaf=1342177278 index=4294967295 regs=0,0,0,0");
	put_frame(&probe, "reading", "name=dose-io n=5 tsc=18446744073709551615");
	put_frame(&probe, "total", "at=before regs=1,0,0,0");
	put_exit(&probe, 0, 10, "1,0,0,0", "2,0,0,0", "0,0,0,0");
	close_reading(&probe, "2,0,0,0", "3,0,2,0");
	put_frame(&probe, "reading", "name=dose-cpuid n=1000 tsc=5");
	put_frame(&probe, "total", "at=before regs=160,0,0,0");
	put_exit(&probe, 0, 0, "45,0,0,0", "47,0,7,3", "0,3,0,0");
	put_exit(&probe, 9, 9, "0,0,0,0", "0,0,0,0", "0,0,0,0");
	put_exit(&probe, 10, 10, "131,0,0,0", "130,0,60,0", "0,0,45,0");
	close_reading_after(&probe, "164,0,0,0", "177,0,3,0", 113);
	return end(&probe);
}

TEST(counts_are_those_of_the_workload)
{
	g_autoptr(struct_record_run) run = run_of(doses(2));
	const struct record_exit *one = record_find_exit(run->exits, 0);

	assert_int_equal(one->before, 40);
	assert_int_equal(one->count, 7);
	/* 0x3:00000007 less 0x1:000003e8 */
	assert_true(one->cycles.value == 0x1fffffc1f);
	one = record_find_exit(run->exits, 10);
	assert_int_equal(one->before, 100);
	assert_int_equal(one->count, 30);
	assert_int_equal(one->cycles.value, 10);
	one = record_find_exit(run->exits, 9);
	assert_int_equal(one->before, 0);
	assert_int_equal(one->count, 0);
	assert_int_equal(run->exits->len, 3);
	assert_int_equal(run->total.value, 37);
	/* The size is that of the last dose; the reader executed 113 CPUIDs in all, 20 before. */
	assert_true(run->dose.known);
	assert_int_equal(run->dose.n, 1000);
	assert_int_equal(run->dose.cpuids, 93);
	/* The latch, and the totals, are those of the last reading, from the VM's creation. */
	assert_int_equal(run->latch.total, 177);
	assert_int_equal(run->latch.serial, 3);
	assert_int_equal(run->latch.sum.value, 177);
	assert_int_equal(run->leaf_total.before, 160);
	assert_int_equal(run->leaf_total.after, 164);
	assert_int_equal(run->leaf_total.sum.value, 176);
	assert_int_equal(run->leaf_total.reads, 3);
	/* 0, 9 and then 10. */
	assert_int_equal(run->leaf_total.cpuid_read, 3);
}

TEST(counts_of_the_workload_without_a_latch)
{
	g_autoptr(struct_record_run) run = run_of(doses(1));
	const struct record_exit *one = record_find_exit(run->exits, 0);

	assert_int_equal(one->before, 39);
	assert_int_equal(one->count, 6);
	/* 0x3:00000000 less 0x1:00000384 */
	assert_true(one->cycles.value == 0x1fffffc7c);
	assert_int_equal(record_find_exit(run->exits, 10)->count, 30);
	assert_int_equal(run->total.value, 36);
	assert_false(run->latch.known);
}

/* A reason that the first reading has not is taken as it is. */
TEST(reason_that_only_the_last_reading_has)
{
	struct probe probe = begin();
	g_autoptr(struct_record_run) run = NULL;

	put_iface(&probe, 2);
	put_frame(&probe, "effect", EFFECT_VMX);
	open_reading(&probe, PROBE_START, "1,0,0,0");
	put_exit(&probe, 0, 0, "5,0,0,0", "5,0,0,0", "0,0,0,0");
	close_reading(&probe, "3,0,0,0", "4,0,1,0");
	open_reading(&probe, "boot", "9,0,0,0");
	put_exit(&probe, 0, 1, "6,0,0,0", "6,0,0,0", "0,0,0,0");
	close_reading(&probe, "12,0,0,0", "13,0,2,0");
	run = run_of(end(&probe));
	assert_int_equal(record_find_exit(run->exits, 0)->before, 5);
	assert_int_equal(count_in(run, 0), 1);
	assert_int_equal(record_find_exit(run->exits, 1)->before, 0);
	assert_int_equal(count_in(run, 1), 6);
}

/* What an exit costs is that of the reading it comes before; a run has the last reading's. */
TEST(cost_belongs_to_a_reading)
{
	struct probe both = begin();
	struct probe first = begin();
	g_autoptr(struct_record_run) run = NULL;
	g_autoptr(struct_record_run) without = NULL;

	put_in_order(&both, "iekrb0alc");
	put_frame(&both, "cost", "exits=4294967295 ticks=18446744073709551615");
	put_in_order(&both, "rb0alc");
	run = run_of(end(&both));
	assert_true(run->cost.known);
	assert_true(run->cost.exits == UINT32_MAX);
	assert_true(run->cost.ticks == UINT64_MAX);
	put_in_order(&first, "iekrb0alcrb0alc");
	without = run_of(end(&first));
	assert_false(without->cost.known);
}

/* KVM could not find an instant: what is frozen is nothing, or of an earlier latch. */
TEST(latch_that_was_not_given_is_unknown)
{
	struct probe probe = begin();
	g_autoptr(struct_record_run) run = NULL;

	put_iface(&probe, 2);
	put_frame(&probe, "effect", EFFECT_VMX);
	open_reading(&probe, "boot", "1,0,0,0");
	put_exit(&probe, 0, 0, "5,0,0,0", "0,0,0,0", "0,0,0,0");
	close_reading(&probe, "3,0,0,0", "0,0,0,4294967295");
	run = run_of(end(&probe));
	assert_false(run->latch.known);
}

/* 3 less 5 is no count of 18446744073709551614. */
TEST(counter_that_goes_down_is_none)
{
	struct probe probe = begin();
	g_autoptr(struct_record_run) run = NULL;

	put_iface(&probe, 2);
	put_frame(&probe, "effect", EFFECT_VMX);
	open_reading(&probe, PROBE_START, "1,0,0,0");
	put_exit(&probe, 0, 1, "5,0,0,0", "5,0,0,0", "0,0,0,0");
	close_reading(&probe, "4,0,0,0", "5,0,1,0");
	open_reading(&probe, "boot", "1,0,0,0");
	put_exit(&probe, 0, 0, "3,0,0,0", "3,0,0,0", "0,0,0,0");
	put_exit(&probe, 1, 1, "6,0,0,0", "6,0,0,0", "0,0,0,0");
	close_reading(&probe, "4,0,0,0", "5,0,1,0");
	run = run_of(end(&probe));
	assert_int_equal(run->malformed->len, 1);
	assert_int_equal(g_array_index(run->malformed, uint32_t, 0), 0);
	assert_int_equal(count_in(run, 0), 3);
	assert_int_equal(count_in(run, 1), 1);
}

/* Nor do cycles: 7 less 9 are none. */
TEST(cycles_that_go_down_are_none)
{
	struct probe probe = begin();
	g_autoptr(struct_record_run) run = NULL;

	put_iface(&probe, 2);
	put_frame(&probe, "effect", EFFECT_VMX_CYCLES);
	open_reading(&probe, PROBE_START, "1,0,0,0");
	put_exit(&probe, 0, 1, "5,0,0,0", "5,0,9,0", "0,0,9,0");
	close_reading(&probe, "4,0,0,0", "5,0,1,0");
	open_reading(&probe, "boot", "1,0,0,0");
	put_exit(&probe, 0, 0, "6,0,0,0", "6,0,7,0", "0,0,7,0");
	put_exit(&probe, 1, 1, "6,0,0,0", "6,0,9,0", "0,0,9,0");
	close_reading(&probe, "4,0,0,0", "5,0,1,0");
	run = run_of(end(&probe));
	assert_int_equal(run->malformed->len, 1);
	assert_int_equal(g_array_index(run->malformed, uint32_t, 0), 0);
	assert_int_equal(record_find_exit(run->exits, 0)->cycles.value, 7);
	assert_int_equal(record_find_exit(run->exits, 1)->cycles.value, 9 - 9);
}

/* One short line can speak of all reasons there are; each has what it had more at the end. */
TEST(all_reasons_at_once)
{
	struct probe probe = begin();
	g_autoptr(struct_record_run) run = NULL;

	put_iface(&probe, 2);
	put_frame(&probe, "effect", EFFECT_VMX);
	open_reading(&probe, PROBE_START, "1,0,0,0");
	put_exit(&probe, 0, UINT16_MAX, "5,0,0,0", "5,0,0,0", "0,0,0,0");
	close_reading(&probe, "4,0,0,0", "5,0,1,0");
	open_reading(&probe, "boot", "1,0,0,0");
	put_exit(&probe, 0, UINT16_MAX, "7,0,0,0", "7,0,0,0", "0,0,0,0");
	close_reading(&probe, "4,0,0,0", "5,0,1,0");
	run = run_of(end(&probe));
	assert_int_equal(run->exits->len, UINT16_MAX + 1);
	for (uint32_t reason = 0; reason <= UINT16_MAX; reason++)
		if (count_in(run, reason) != 7 - 5)
			fail_msg("reason %u", reason);
}

TEST(readings_can_be_seen)
{
	g_autoptr(probe_result) result = result_of(doses(2));
	const GPtrArray *readings = probe_result_readings(result);
	const struct probe_reading *reading;
	const struct probe_bad *bad;
	const struct probe_range *range;
	g_autoptr(GPtrArray) live = NULL;
	g_autoptr(GPtrArray) latched = NULL;

	assert_int_equal(probe_result_interface(result)->eax, 2);
	assert_int_equal(probe_result_interface(result)->edx, 0x746e756f);
	assert_int_equal(probe_result_effect(result)->eax, 13);
	assert_int_equal(probe_result_effect(result)->ecx, 85);
	assert_int_equal(readings->len, 3);

	reading = readings->pdata[0];
	assert_string_equal(reading->name, PROBE_START);
	assert_int_equal(reading->n, 0);
	assert_int_equal(reading->tsc, 77);
	assert_int_equal(reading->bad->len, 0);
	assert_int_equal(reading->cpuids, 20);
	assert_int_equal(reading->before.eax, 141);
	assert_int_equal(reading->after.eax, 145);
	assert_int_equal(reading->latch.ecx, 1);

	/* What was found wrong belongs to the reading after it. */
	reading = readings->pdata[1];
	assert_string_equal(reading->name, "dose-io");
	assert_int_equal(reading->n, 5);
	assert_true(reading->tsc == UINT64_MAX);
	assert_int_equal(reading->bad->len, 2);
	bad = &g_array_index(reading->bad, struct probe_bad, 0);
	assert_int_equal(bad->leaf, 0x4fffffff);
	assert_int_equal(bad->index, 35);
	assert_int_equal(bad->answer.edx, 4);
	bad = &g_array_index(reading->bad, struct probe_bad, 1);
	assert_int_equal(bad->leaf, 0x4ffffffe);
	assert_true(bad->index == UINT32_MAX);
	assert_int_equal(reading->ranges->len, 1);
	assert_int_equal(probe_reading_asked(reading), 11);

	reading = readings->pdata[2];
	assert_int_equal(reading->bad->len, 0);
	assert_int_equal(reading->n, 1000);
	assert_int_equal(probe_reading_asked(reading), 3);
	range = &g_array_index(reading->ranges, struct probe_range, 2);
	assert_int_equal(range->first, 10);
	assert_int_equal(range->live.eax, 131);
	assert_int_equal(range->latched.ecx, 60);
	assert_int_equal(range->cycles.ecx, 45);

	/* As they were read: nothing subtracted. */
	live = probe_reading_exits(reading, PROBE_LIVE, KVM_EXITCOUNT_VENDOR_VMX, true);
	latched = probe_reading_exits(reading, PROBE_LATCHED, KVM_EXITCOUNT_VENDOR_VMX, false);
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
TEST(stock_kvm_is_measured_and_invalid)
{
	g_autoptr(struct_record) record =
		record_new("0.1", "2026-01-31T23:59:59Z", "bochs", "boot");
	struct probe probe = begin();
	struct record_run *run;

	put_frame(&probe, "iface", "regs=7,832,832,5");
	put_frame(&probe, "effect", "regs=7,832,832,5");
	open_reading(&probe, "boot", "7,832,832,5");
	put_exit(&probe, 0, 12, "7,832,832,5", "7,832,832,5", "7,832,832,5");
	close_reading(&probe, "7,832,832,5", "7,832,832,5");
	run = run_of(end(&probe));
	assert_false(run->l2_in_effect.known);
	assert_false(run->latch.known);
	assert_false(run->leaf_total.known);
	assert_int_equal(run->exits->len, 0);
	assert_int_equal(run->malformed->len, 13);
	g_ptr_array_add(record->runs, run);
	rules_judge(record);
	assert_int_equal(record->verdict, RECORD_INVALID);
}

TEST(malformed_total_is_unknown)
{
	static const char *const totals[][2] = {
		{ "1,0,0,0", "7,832,832,5" },
		{ "7,832,832,5", "3,0,0,0" },
		{ "1,0,1,0", "3,0,0,0" },
	};

	test_each (row, totals) {
		struct probe probe = begin();
		g_autoptr(struct_record_run) run = NULL;

		put_iface(&probe, 2);
		put_frame(&probe, "effect", EFFECT_VMX);
		open_reading(&probe, "boot", (*row)[0]);
		put_exit(&probe, 0, 12, "0,0,0,0", "0,0,0,0", "0,0,0,0");
		close_reading(&probe, (*row)[1], "4,0,1,0");
		run = run_of(end(&probe));
		assert_false(run->leaf_total.known);
	}
}

TEST(storing_again_replaces)
{
	g_autoptr(probe_result) old = result_of(sample(1, EFFECT_VMX));
	g_autoptr(probe_result) result = result_of(sample(2, EFFECT_VMX));
	g_autoptr(struct_record_run) run = record_run_new("ept");

	probe_result_store(result, run);
	probe_result_store(result, run);
	assert_int_equal(run->exits->len, 13);
	assert_int_equal(run->total.value, 165);
	assert_true(run->latch.known);
	run->dose = (struct record_dose){ true, 1, 1 };
	run->cost = (struct record_cost){ true, 1, 1 };
	probe_result_store(old, run);
	assert_false(run->dose.known);
	assert_false(run->cost.known);
	assert_int_equal(run->total.value, 161);
	assert_false(run->latch.known);
}

TEST(progress_can_be_seen)
{
	g_autoptr(probe_result) result = probe_result_new();
	g_autoptr(frameset) set =
		frameset_new("L2", EPTLAB_ERROR_L2, PROBE_SENDER, probe_result_add, result);
	GString *frames = doses(2);
	unsigned int most = 0;
	gsize i;

	for (i = 0; i < frames->len; i++) {
		assert_false(probe_result_is_complete(result));
		assert_true(frameset_feed(set, frames->str + i, 1, NULL));
		assert_true(probe_result_readings(result)->len >= most);
		most = probe_result_readings(result)->len;
	}
	assert_true(probe_result_is_complete(result));
	assert_int_equal(most, 3);
	g_string_free(frames, TRUE);
}

/* ---- What is refused ---- */

static void assert_refused(struct probe *probe, const char *message)
{
	GString *frames = end(probe);
	g_autoptr(GError) error = NULL;

	assert_null(probe_result_parse(frames->str, frames->len, &error));
	assert_int_equal(error->code, EPTLAB_ERROR_L2);
	assert_string_equal(error->message, message);
	g_string_free(frames, TRUE);
}

TEST(order_of_frames)
{
	static const struct {
		const char *order, *kind, *expected;
	} cases[] = {
		{ "", "end", "iface" },
		{ "e", "effect", "iface" },
		{ "ii", "iface", "effect" },
		{ "ib", "total", "effect" },
		{ "ie", "end", "reading" },
		{ "iee", "effect", "reading" },
		{ "ieb", "total", "reading" },
		{ "iex", "end", "reading" },
		{ "iexb", "total", "reading" },
		{ "iek", "end", "reading" },
		{ "ik", "cost", "effect" },
		{ "ierk", "cost", "total" },
		{ "ierb0k", "cost", "exit or total" },
		{ "ierb01alck", "end", "reading" },
		{ "ier", "end", "total" },
		{ "ierr", "reading", "total" },
		{ "ierx", "bad", "total" },
		{ "ier0", "exit", "total" },
		{ "ierb", "end", "exit" },
		{ "ierbb", "total", "exit" },
		{ "ierba", "total", "exit" },
		{ "ierb01", "end", "exit or total" },
		{ "ierb01i", "iface", "exit or total" },
		{ "ierb01l", "latch", "exit or total" },
		{ "ierb01a", "end", "latch" },
		{ "ierb01a2", "exit", "latch" },
		{ "ierb01ac", "cycles", "latch" },
		{ "ierb01al", "end", "cycles" },
		{ "ierb01all", "latch", "cycles" },
		{ "ierb01alcc", "cycles", "end" },
		{ "ierb01alc2", "exit", "end" },
		{ "ierb01alci", "iface", "end" },
		{ "ierb01alcx", "end", "reading" },
		{ "ierb01alcrb01al", "end", "cycles" },
	};

	test_each (row, cases) {
		struct probe probe = in_order(row->order);
		bool at_end = strcmp(row->kind, "end") == 0;
		/* The first frame after "begin" is number 1; the last one is at fault. */
		g_autofree char *message = g_strdup_printf(
			"L2: frame %zu (%s) of the probe is of another kind than the expected %s",
			strlen(row->order) + at_end, row->kind, row->expected);

		assert_refused(&probe, message);
	}
}

TEST(totals_and_reasons_have_an_order_too)
{
	static const struct {
		const char *order, *message;
	} cases[] = {
		{ "iera", "L2: frame 4 (total) of the probe is not the total at=before that was "
			  "expected" },
		{ "ierb01b", "L2: frame 7 (total) of the probe is not the total at=after that was "
			     "expected" },
		{ "ierb11", "L2: frame 6 (exit) of the probe is about reason 1, expected one after "
			    "1" },
		{ "ierb32", "L2: frame 6 (exit) of the probe is about reason 2, expected one after "
			    "3" },
	};
	struct probe probe;

	test_each (row, cases) {
		probe = in_order(row->order);
		assert_refused(&probe, row->message);
	}
	/* Inside the range before. */
	probe = in_order("ierb");
	put_exit(&probe, 3, 7, "0,0,0,0", "0,0,0,0", "0,0,0,0");
	put_exit(&probe, 7, 9, "0,0,0,0", "0,0,0,0", "0,0,0,0");
	assert_refused(&probe,
		       "L2: frame 6 (exit) of the probe is about reason 7, expected one after 7");
	probe = in_order("ierb");
	put_exit(&probe, 3, 2, "0,0,0,0", "0,0,0,0", "0,0,0,0");
	assert_refused(&probe, "L2: frame 5 (exit) of the probe is about no reason: 3 to 2");
	/* Four billion reasons would not fit into L0. */
	probe = in_order("ierb");
	put_exit(&probe, 0, UINT32_MAX, "0,0,0,0", "0,0,0,0", "0,0,0,0");
	assert_refused(&probe, "L2: frame 5 (exit) of the probe is about reason 4294967295, "
			       "expected at most 65535");
}

/* Gaps are right, in a range and between ranges. */
TEST(orders_that_are_right)
{
	static const char *const orders[] = {
		"ierb0alc",
		"ierb5alc",
		"ierb059alc",
		"iexrb0alc",
		"ierb0alcrb01alc",
		"iekxrb0alc",
		"ierb0alckrb0alckrb0alc",
		"ierb0alcxxrb7alc",
	};
	struct probe probe;
	g_autoptr(struct_record_run) run = NULL;

	test_each (row, orders) {
		probe = in_order(*row);
		probe_result_free(result_of(end(&probe)));
	}
	probe = in_order("ierb0");
	put_exit(&probe, 65534, 65535, "1,0,0,0", "1,0,0,0", "0,0,0,0");
	put_in_order(&probe, "alc");
	run = run_of(end(&probe));
	assert_int_equal(run->exits->len, 3);
	assert_non_null(record_find_exit(run->exits, 65535));
	assert_int_equal(run->leaf_total.reads, 3);
}

TEST(fields_of_frames)
{
	static const struct {
		const char *order, *kind, *text, *message;
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
		{ "", "iface", "regs=1,2,3,4 more=1", "(iface) of the probe has 2 fields, " },
		{ "i", "effect", "regs=1,2,3", "(effect) of the probe has regs=1,2,3, " },
		{ "ie", "bad", "leaf=1 index=2", "(bad) of the probe has 2 fields, expected 3" },
		{ "ie", "bad", "leaf=1 index=2 regs=1", "(bad) of the probe has regs=1, " },
		{ "ie", "bad", "leaf=4294967296 index=2 regs=1,2,3,4", "leaf=4294967296" },
		{ "ie", "bad", "leaf=1 index=x regs=1,2,3,4", "(bad): index=x, expected" },
		{ "ie", "cost", "exits=1", "(cost) of the probe has 1 fields, expected 2" },
		{ "ie", "cost", "exits=0 ticks=1", "(cost) of the probe is about no exit" },
		{ "ie", "cost", "exits=4294967296 ticks=1", "(cost): exits=4294967296, expected" },
		{ "ie", "cost", "exits=1 ticks=-1", "(cost): ticks=-1, expected" },
		{ "iek", "cost", "exits=1 ticks=1",
		  "(cost) of the probe stands twice before a reading" },
		{ "ie", "reading", "n=1 tsc=1", "(reading) has no field 'name' that is a text" },
		{ "ie", "reading", "name=boot tsc=1", "(reading) of the probe has 2 fields, " },
		{ "ie", "reading", "name=boot n=-1 tsc=1", "(reading): n=-1, expected" },
		{ "ie", "reading", "name=boot n=1 tsc=18446744073709551616",
		  "(reading): tsc=18446744073709551616, expected" },
		{ "ie", "reading", "name=boot n=1 tsc=1 x=1", "has 4 fields, expected 3" },
		{ "ier", "total", "regs=1,0,0,0", "(total) has no field 'at' that is a text" },
		{ "ier", "total", "at=before", "(total) of the probe has 1 fields, expected 2" },
		{ "ier", "total", "at=before regs=1,0,0", "(total) of the probe has regs=1,0,0" },
		{ "ierb", "exit", "first=0 last=0 live=0,0,0,0 latched=0,0,0,0",
		  "(exit) of the probe has 4 fields, expected 5" },
		{ "ierb", "exit",
		  "first=0 last=4294967296 live=0,0,0,0 latched=0,0,0,0 cycles=0,0,0,0",
		  "(exit): last=4294967296, expected a number from 0 to 4294967295" },
		{ "ierb", "exit", "first=x last=0 live=0,0,0,0 latched=0,0,0,0 cycles=0,0,0,0",
		  "(exit): first=x, expected" },
		{ "ierb", "exit", "first=0 last=0 live=0,0,0 latched=0,0,0,0 cycles=0,0,0,0",
		  "(exit) of the probe has live=0,0,0, expected" },
		{ "ierb", "exit", "first=0 last=0 live=0,0,0,0 latched=0,0,0 cycles=0,0,0,0",
		  "(exit) of the probe has latched=0,0,0, expected" },
		{ "ierb", "exit", "first=0 last=0 live=0,0,0,0 latched=0,0,0,0 cycles=0,0,0",
		  "(exit) of the probe has cycles=0,0,0, expected" },
		{ "ierb", "exit", "reason=0 last=0 live=0,0,0,0 latched=0,0,0,0 cycles=0,0,0,0",
		  "(exit) has no field 'first' that is a text" },
		{ "ierb0a", "latch", "regs=1,0,0,0", "(latch) of the probe has 1 fields, " },
		{ "ierb0a", "latch", "regs=1,0,0 cpuids=1", "(latch) of the probe has regs=1,0,0" },
		{ "ierb0a", "latch", "regs=1,0,0,0 cpuids=x", "(latch): cpuids=x, expected" },
		{ "ierb0al", "cycles", "regs=0,0,0", "(cycles) of the probe has regs=0,0,0, " },
		{ "ierb0al", "cycles", "at=x regs=0,0,0,0", "(cycles) of the probe has 2 fields" },
	};

	test_each (row, cases) {
		struct probe probe = in_order(row->order);
		g_autofree char *frame = g_strdup_printf("L2: frame %zu (", strlen(row->order) + 1);
		g_autoptr(GError) error = NULL;
		GString *frames;

		put_frame(&probe, row->kind, row->text);
		frames = end(&probe);
		assert_null(probe_result_parse(frames->str, frames->len, &error));
		assert_int_equal(error->code, EPTLAB_ERROR_L2);
		if (!g_str_has_prefix(error->message, frame) ||
		    !strstr(error->message, row->message))
			fail_msg("expected \"%s...%s\", saw: %s", frame, row->message,
				 error->message);
		g_string_free(frames, TRUE);
	}
}

TEST(nothing_comes_after_the_end)
{
	g_autoptr(probe_result) result = result_of(sample(2, EFFECT_VMX));
	const struct frame frame = { .seq = 14, .kind = "exit" };
	g_autoptr(GError) error = NULL;

	assert_false(probe_result_add(&frame, result, &error));
	assert_string_equal(error->message, "L2: frame 14 (exit) of the probe is of another kind "
					    "than the expected none after the end");
}

TEST(other_sender_is_refused)
{
	struct frame_line line;
	g_autoptr(GError) error = NULL;

	assert_true(frame_begin(&line, "agent"));
	assert_null(probe_result_parse(line.line, line.length, &error));
	assert_int_equal(error->code, EPTLAB_ERROR_L2);
}

TEST(cut_set_is_refused)
{
	GString *frames = doses(2);
	gsize length;

	/* The last byte is only the line's end. */
	for (length = 0; length + 1 < frames->len; length += 7) {
		g_autoptr(GError) error = NULL;

		assert_null(probe_result_parse(frames->str, length, &error));
		assert_int_equal(error->code, EPTLAB_ERROR_L2);
	}
	g_string_free(frames, TRUE);
}
