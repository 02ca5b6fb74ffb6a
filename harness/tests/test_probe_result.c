/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "model/probe_result.h"
#include "model/reasons.h"
#include "model/rules.h"

/* Reasons 0 to 12, so that 10 (CPUID) is among them. */
#define REASONS 13

/* ---- What a probe sends ---- */

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

static void put_registers(struct probe *probe, struct frame_line *line, uint32_t eax, uint32_t ebx,
			  uint32_t ecx, uint32_t edx)
{
	frame_add_u64(line, "eax", eax);
	frame_add_hex(line, "ebx", ebx);
	frame_add_u64(line, "ecx", ecx);
	frame_add_hex(line, "edx", edx);
	put(probe, line);
}

static void put_leaf(struct probe *probe, const char *kind, uint32_t eax, uint32_t ebx,
		     uint32_t ecx, uint32_t edx)
{
	struct frame_line line;

	frame_open(&line, probe->seq, kind);
	put_registers(probe, &line, eax, ebx, ecx, edx);
}

static void put_total(struct probe *probe, const char *at, uint64_t count)
{
	struct frame_line line;

	frame_open(&line, probe->seq, "total");
	frame_add_string(&line, "at", at);
	put_registers(probe, &line, (uint32_t)count, (uint32_t)(count >> 32), 0, 0);
}

static void put_exit(struct probe *probe, uint64_t reason, uint32_t eax, uint32_t ebx, uint32_t ecx,
		     uint32_t edx)
{
	struct frame_line line;

	frame_open(&line, probe->seq, "exit");
	frame_add_u64(&line, "reason", reason);
	put_registers(probe, &line, eax, ebx, ecx, edx);
}

static void put_iface(struct probe *probe)
{
	/* "KVMe" "xitc" "ount", least significant byte first. */
	put_leaf(probe, "iface", 1, 0x654d564b, 0x63746978, 0x746e756f);
}

static void put_effect(struct probe *probe)
{
	put_leaf(probe, "effect", 0x5, 1, 85, 2); /* EPT, unrestricted guest; no VPID */
}

/* Reason n has 10 * n. */
static void put_exits(struct probe *probe)
{
	uint32_t reason;

	for (reason = 0; reason < REASONS; reason++)
		put_exit(probe, reason, reason * 10, 0, 0, 0);
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

static GString *sample(void)
{
	struct probe probe = begin();

	put_iface(&probe);
	put_effect(&probe);
	put_total(&probe, "before", 769);
	put_exits(&probe);
	put_total(&probe, "after", 783);
	return end(&probe);
}

/* ---- What becomes of it ---- */

static struct record_run *run_of(GString *frames)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(probe_result) result = probe_result_parse(frames->str, frames->len, &error);
	struct record_run *run = record_run_new("ept");

	if (!result)
		fail_msg("%s", error->message);
	assert_true(probe_result_is_complete(result));
	probe_result_store(result, run);
	g_string_free(frames, TRUE);
	return run;
}

static void sample_is_stored(void **state)
{
	g_autoptr(struct_record_run) run = run_of(sample());
	const struct record_l2_effect *effect = &run->l2_in_effect;

	(void)state;
	assert_true(run->interface.known);
	assert_int_equal(run->interface.eax, 1);
	assert_int_equal(run->interface.ebx, 0x654d564b);
	assert_int_equal(run->interface.ecx, 0x63746978);
	assert_int_equal(run->interface.edx, 0x746e756f);
	assert_true(effect->known && effect->ept && !effect->vpid && effect->unrestricted_guest);
	assert_int_equal(effect->vendor, 1);
	assert_int_equal(effect->highest_reason, 85);
	assert_int_equal(effect->vcpus, 2);
	assert_true(run->leaf_total.known);
	assert_int_equal(run->leaf_total.before, 769);
	assert_int_equal(run->leaf_total.after, 783);
	assert_int_equal(run->leaf_total.reads, REASONS);
	assert_int_equal(run->leaf_total.cpuid_read, 11);
	assert_int_equal(run->exits->len, REASONS);
	assert_int_equal(record_find_exit(run->exits, 12)->count, 120);
	assert_string_equal(record_find_exit(run->exits, 12)->name, "HLT");
	assert_int_equal(run->undefined->len, 0);
	assert_int_equal(run->malformed->len, 0);
	/* 10 * (0 + 1 + ... + 12) */
	assert_true(run->total.known && run->total.value == 780);
}

static void counts_have_64_bits(void **state)
{
	struct probe probe = begin();
	g_autoptr(struct_record_run) run = NULL;

	(void)state;
	put_iface(&probe);
	put_effect(&probe);
	put_total(&probe, "before", 0x123456789abcdef0);
	put_exit(&probe, 0, 0x9abcdef0, 0x12345678, 0, 0);
	put_exit(&probe, 1, 0xffffffff, 0xedcba987, 0, 0);
	put_total(&probe, "after", UINT64_MAX);
	run = run_of(end(&probe));
	assert_true(run->leaf_total.before == 0x123456789abcdef0);
	assert_true(run->leaf_total.after == UINT64_MAX);
	assert_true(record_find_exit(run->exits, 0)->count == 0x123456789abcdef0);
	assert_true(record_find_exit(run->exits, 1)->count == 0xedcba987ffffffff);
	/* The sum does not fit, so it is not known. */
	assert_false(run->total.known);
	/* Reason 10 was not read. */
	assert_int_equal(run->leaf_total.cpuid_read, 0);
}

static void answers_of_each_form(void **state)
{
	struct probe probe = begin();
	g_autoptr(struct_record_run) run = NULL;

	(void)state;
	put_iface(&probe);
	put_effect(&probe);
	put_total(&probe, "before", 1);
	put_exit(&probe, 0, 0, 0, 0, 0);	  /* never seen */
	put_exit(&probe, 1, 0, 0, 0, 0xffffffff); /* undefined */
	put_exit(&probe, 2, 1, 0, 0, 0xffffffff); /* undefined, with a count? */
	put_exit(&probe, 3, 0, 1, 0, 0xffffffff);
	put_exit(&probe, 4, 0, 0, 1, 0xffffffff);
	put_exit(&probe, 5, 0, 0, 0, 0xfffffffe);
	put_exit(&probe, 6, 7, 0, 1, 0);
	put_total(&probe, "after", 9);
	run = run_of(end(&probe));
	assert_int_equal(run->exits->len, 1);
	assert_int_equal(run->undefined->len, 1);
	assert_int_equal(g_array_index(run->undefined, uint32_t, 0), 1);
	assert_int_equal(run->malformed->len, 5);
	assert_int_equal(g_array_index(run->malformed, uint32_t, 4), 6);
	assert_int_equal(run->leaf_total.reads, 7);
}

/*
 * Unpatched KVM on Intel answers an unknown leaf with the highest basic one, so all leaves look the
 * same. That was measured, and it is not to be believed.
 */
static void stock_kvm_is_measured_and_invalid(void **state)
{
	g_autoptr(struct_record) record =
		record_new("0.1", "2026-01-31T23:59:59Z", "bochs", "boot");
	struct probe probe = begin();
	struct record_run *run;
	uint32_t reason;

	(void)state;
	put_leaf(&probe, "iface", 7, 832, 832, 5);
	put_leaf(&probe, "effect", 7, 832, 832, 5);
	put_total(&probe, "before", 7);
	for (reason = 0; reason < REASONS; reason++)
		put_exit(&probe, reason, 7, 832, 832, 5);
	put_total(&probe, "after", 7);
	run = run_of(end(&probe));
	assert_false(run->l2_in_effect.known);
	assert_int_equal(run->exits->len, 0);
	assert_int_equal(run->malformed->len, REASONS);
	g_ptr_array_add(record->runs, run);
	rules_judge(record);
	assert_int_equal(record->verdict, RECORD_INVALID);
}

static void malformed_total_is_unknown(void **state)
{
	struct probe probe = begin();
	struct frame_line line;
	g_autoptr(struct_record_run) run = NULL;

	(void)state;
	put_iface(&probe);
	put_effect(&probe);
	put_total(&probe, "before", 1);
	put_exits(&probe);
	frame_open(&line, probe.seq, "total");
	frame_add_string(&line, "at", "after");
	put_registers(&probe, &line, 7, 832, 832, 5);
	run = run_of(end(&probe));
	assert_false(run->leaf_total.known);
}

static void storing_again_replaces(void **state)
{
	GString *frames = sample();
	g_autoptr(probe_result) result = probe_result_parse(frames->str, frames->len, NULL);
	g_autoptr(struct_record_run) run = record_run_new("ept");

	(void)state;
	probe_result_store(result, run);
	probe_result_store(result, run);
	assert_int_equal(run->exits->len, REASONS);
	assert_int_equal(run->total.value, 780);
	g_string_free(frames, TRUE);
}

static void progress_can_be_seen(void **state)
{
	g_autoptr(probe_result) result = probe_result_new();
	g_autoptr(frameset) set =
		frameset_new("L2", EPTLAB_ERROR_L2, PROBE_SENDER, probe_result_add, result);
	GString *frames = sample();
	unsigned int most = 0;
	gsize i;

	(void)state;
	for (i = 0; i < frames->len; i++) {
		assert_false(probe_result_is_complete(result));
		assert_true(frameset_feed(set, frames->str + i, 1, NULL));
		assert_true(probe_result_reasons(result) >= most);
		most = probe_result_reasons(result);
	}
	assert_true(probe_result_is_complete(result));
	assert_int_equal(most, REASONS);
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

/* Each letter is a frame: i iface, e effect, b total before, 0 1 2 ... exit, a total after. */
static struct probe in_order(const char *order)
{
	struct probe probe = begin();

	for (; *order; order++) {
		if (*order == 'i')
			put_iface(&probe);
		else if (*order == 'e')
			put_effect(&probe);
		else if (*order == 'b')
			put_total(&probe, "before", 1);
		else if (*order == 'a')
			put_total(&probe, "after", 9);
		else
			put_exit(&probe, (uint64_t)(*order - '0'), 1, 0, 0, 0);
	}
	return probe;
}

static void order_of_frames(void **state)
{
	static const struct {
		const char *order, *message;
	} cases[] = {
		{ "", "L2: frame 1 of the probe is of kind 'end', expected iface" },
		{ "e", "L2: frame 1 of the probe is of kind 'effect', expected iface" },
		{ "ii", "L2: frame 2 of the probe is of kind 'iface', expected effect" },
		{ "ib", "L2: frame 2 of the probe is of kind 'total', expected effect" },
		{ "iee", "L2: frame 3 of the probe is of kind 'effect', expected total" },
		{ "ie0", "L2: frame 3 of the probe is of kind 'exit', expected total" },
		{ "iea", "L2: frame 3 is not the total at=before that was expected" },
		{ "ieb", "L2: frame 4 of the probe is of kind 'end', expected exit" },
		{ "ieba", "L2: frame 4 of the probe is of kind 'total', expected exit" },
		{ "ieb1", "L2: frame 4 is about reason 1, expected 0" },
		{ "ieb00", "L2: frame 5 is about reason 0, expected 1" },
		{ "ieb02", "L2: frame 5 is about reason 2, expected 1" },
		{ "ieb01", "L2: frame 6 of the probe is of kind 'end', expected exit or total" },
		{ "ieb01i", "L2: frame 6 of the probe is of kind 'iface', expected exit or total" },
		{ "ieb01b", "L2: frame 6 is not the total at=after that was expected" },
		{ "ieb01aa", "L2: frame 7 of the probe is of kind 'total', expected end" },
		{ "ieb01a2", "L2: frame 7 of the probe is of kind 'exit', expected end" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct probe probe = in_order(cases[i].order);

		assert_refused(&probe, cases[i].message);
	}
}

static void fields_of_frames(void **state)
{
	struct probe probe = begin();
	struct frame_line line;

	(void)state;
	frame_open(&line, probe.seq, "iface");
	frame_add_u64(&line, "eax", 1);
	frame_add_u64(&line, "ebx", 1);
	frame_add_u64(&line, "ecx", 1);
	put(&probe, &line);
	assert_refused(&probe, "L2: frame 1 (iface) has no field 'edx' that is a text");

	probe = begin();
	frame_open(&line, probe.seq, "iface");
	frame_add_u64(&line, "eax", 4294967296);
	put(&probe, &line);
	assert_refused(&probe, "L2: frame 1 (iface): eax=4294967296, expected a number from 0 to "
			       "4294967295");

	probe = begin();
	frame_open(&line, probe.seq, "iface");
	frame_add_string(&line, "esi", "1");
	put_registers(&probe, &line, 1, 2, 3, 4);
	assert_refused(&probe, "L2: frame 1 (iface) has 5 fields, expected 4");

	probe = in_order("ie");
	frame_open(&line, probe.seq, "total");
	put_registers(&probe, &line, 1, 2, 3, 4);
	assert_refused(&probe, "L2: frame 3 (total) has no field 'at' that is a text");

	probe = in_order("ieb");
	put_exit(&probe, 65536, 0, 0, 0, 0);
	assert_refused(&probe,
		       "L2: frame 4 (exit): reason=65536, expected a number from 0 to 65535");
}

static void nothing_comes_after_the_end(void **state)
{
	GString *frames = sample();
	g_autoptr(probe_result) result = probe_result_parse(frames->str, frames->len, NULL);
	const struct frame frame = { .seq = 18, .kind = "exit" };
	g_autoptr(GError) error = NULL;

	(void)state;
	assert_false(probe_result_add(&frame, result, &error));
	assert_string_equal(error->message, "L2: frame 18 of the probe is of kind 'exit', expected "
					    "none after the end");
	g_string_free(frames, TRUE);
}

static void other_sender_is_refused(void **state)
{
	struct frame_line line;
	g_autoptr(GError) error = NULL;

	(void)state;
	assert_true(frame_begin(&line, "agent"));
	assert_null(probe_result_parse(line.line, line.length, &error));
	assert_int_equal(error->code, EPTLAB_ERROR_L2);
}

static void cut_set_is_refused(void **state)
{
	GString *frames = sample();
	gsize length;

	(void)state;
	for (length = 0; length < frames->len; length += 7) {
		g_autoptr(GError) error = NULL;

		assert_null(probe_result_parse(frames->str, length, &error));
		assert_int_equal(error->code, EPTLAB_ERROR_L2);
	}
	g_string_free(frames, TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sample_is_stored),
		cmocka_unit_test(counts_have_64_bits),
		cmocka_unit_test(answers_of_each_form),
		cmocka_unit_test(stock_kvm_is_measured_and_invalid),
		cmocka_unit_test(malformed_total_is_unknown),
		cmocka_unit_test(storing_again_replaces),
		cmocka_unit_test(progress_can_be_seen),
		cmocka_unit_test(order_of_frames),
		cmocka_unit_test(fields_of_frames),
		cmocka_unit_test(nothing_comes_after_the_end),
		cmocka_unit_test(other_sender_is_refused),
		cmocka_unit_test(cut_set_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
