/* SPDX-License-Identifier: GPL-2.0-only */
/* What L0 makes of the agent's frames, the good ones and the others. */

#include "model/frame.h"
#include "model/l1_result.h"
#include "tests/test.h"

/* A stream of the agent on its way: the receiver, and the number of the next frame. */
struct stream {
	struct record *record;
	l1_result *result;
	frameset *frames;
	uint32_t seq;
	GError *error;
};

static struct stream *stream_new(void)
{
	struct stream *stream = g_new0(struct stream, 1);

	stream->record = record_new("test", "2026-01-01T00:00:00Z", "bochs", "boot");
	g_ptr_array_add(stream->record->runs, record_run_new("ept"));
	g_ptr_array_add(stream->record->runs, record_run_new("noept"));
	stream->result = l1_result_new(stream->record, NULL, NULL);
	stream->frames =
		frameset_new("L1", EPTLAB_ERROR_L1, L1_SENDER, l1_result_add, stream->result);
	return stream;
}

static void stream_free(struct stream *stream)
{
	frameset_free(stream->frames);
	l1_result_free(stream->result);
	record_free(stream->record);
	g_clear_error(&stream->error);
	g_free(stream);
}

static bool feed(struct stream *stream, const struct frame_line *line)
{
	stream->seq++;
	g_clear_error(&stream->error);
	return frameset_feed(stream->frames, line->line, line->length, &stream->error);
}

static bool feed_begin(struct stream *stream)
{
	struct frame_line line;

	assert_true(frame_begin(&line, L1_SENDER));
	return feed(stream, &line);
}

/* One frame with up to two fields. */
static bool feed_frame(struct stream *stream, const char *kind, const char *key_a,
		       const char *value_a, const char *key_b, const char *value_b)
{
	struct frame_line line;

	frame_open(&line, stream->seq, kind);
	if (key_a != NULL)
		frame_add_string(&line, key_a, value_a);
	if (key_b != NULL)
		frame_add_string(&line, key_b, value_b);
	assert_true(frame_close(&line));
	return feed(stream, &line);
}

/* In as many frames as it takes. */
static bool feed_text(struct stream *stream, const char *name, const char *text)
{
	size_t length = strlen(text), taken;
	struct frame_line line;

	do {
		assert_true(frame_text(&line, stream->seq, name, text, length, &taken));
		if (!feed(stream, &line))
			return false;
		text += taken;
		length -= taken;
	} while (length > 0);
	return true;
}

static void assert_refused(struct stream *stream, bool ok, const char *part)
{
	assert_false(ok);
	assert_error(&stream->error, EPTLAB_ERROR_L1, part);
}

static int make_stream(void **state)
{
	struct stream *stream = stream_new();

	assert_true(feed_begin(stream));
	*state = stream;
	return 0;
}

static int remove_stream(void **state)
{
	stream_free(*state);
	return 0;
}

#define TEST_STREAM(name)                                                                          \
	TEST_OF(struct stream *stream G_GNUC_UNUSED, make_stream, remove_stream, name)

TEST_STREAM(good_frames_fill_the_record)
{
	const struct record_run *run = g_ptr_array_index(stream->record->runs, 0);
	const struct record_module *module;

	assert_true(feed_frame(stream, L1_FRAME_L1, "release", "6.1-l1", NULL, NULL));
	assert_true(feed_frame(stream, L1_FRAME_STEP, "ticks", "5", "text", "L1: doing"));
	assert_true(feed_frame(stream, L1_FRAME_RUN, "config", "ept", NULL, NULL));
	assert_true(feed_frame(stream, L1_FRAME_MODULE, "name", "kvm", "build_id", "0a"));
	assert_true(feed_frame(stream, L1_FRAME_PARAMETER, "name", "ept", "value", "Y"));
	assert_true(feed_frame(stream, L1_FRAME_PARAMETER, "name", "vpid", "value", "N"));
	assert_false(run->witness.known);
	assert_true(feed_frame(stream, L1_FRAME_WITNESS, NULL, NULL, NULL, NULL));
	assert_true(run->witness.known);
	assert_true(feed_frame(stream, L1_FRAME_L2, "end", "ended", "ticks", "77"));
	assert_string_equal(stream->record->kernel.release, "6.1-l1");
	assert_int_equal(run->in_effect.ept, RECORD_TRUE);
	assert_int_equal(run->in_effect.vpid, RECORD_FALSE);
	assert_int_equal(run->in_effect.unrestricted_guest, RECORD_UNKNOWN);
	assert_true(run->ticks.known);
	assert_int_equal(run->ticks.value, 77);
	assert_int_equal(run->module_ids->len, 1);
	module = g_ptr_array_index(run->module_ids, 0);
	assert_string_equal(module->build_id, "0a");
}

TEST(frames_that_make_no_sense_are_refused)
{
	static const struct {
		const char *kind, *key_a, *value_a, *key_b, *value_b, *part;
	} frames[] = {
		{ "dance", NULL, NULL, NULL, NULL, "unknown kind" },
		{ L1_FRAME_PARAMETER, "name", "ept", "value", "Y", "before any run" },
		{ L1_FRAME_WITNESS, NULL, NULL, NULL, NULL, "before any run" },
		{ L1_FRAME_L2, "end", "ended", "ticks", "1", "before any run" },
		{ L1_FRAME_MODULE, "name", "kvm", "build_id", "0a", "before any run" },
		{ L1_FRAME_RUN, "config", "sideways", NULL, NULL, "not asked for" },
		{ L1_FRAME_RUN, NULL, NULL, NULL, NULL, "config" },
		{ L1_FRAME_STEP, "text", "x", NULL, NULL, "ticks" },
		{ L1_FRAME_FAIL, "code", "999", "message", "x", "code" },
		{ L1_FRAME_FAIL, "code", "0", "message", "x", "success" },
	};

	test_each (row, frames) {
		struct stream *stream = stream_new();

		assert_true(feed_begin(stream));
		assert_refused(stream,
			       feed_frame(stream, row->kind, row->key_a, row->value_a, row->key_b,
					  row->value_b),
			       row->part);
		stream_free(stream);
	}
}

TEST(frames_of_a_run_that_make_no_sense_are_refused)
{
	static const struct {
		const char *kind, *key_a, *value_a, *key_b, *value_b, *part;
	} frames[] = {
		{ L1_FRAME_RUN, "config", "ept", NULL, NULL, "second time" },
		{ L1_FRAME_PARAMETER, "name", "ept", "value", "maybe", "neither Y nor N" },
		{ L1_FRAME_PARAMETER, "name", "nested", "value", "Y", "unknown parameter" },
		{ L1_FRAME_L2, "end", "vanished", "ticks", "1", "unknown end" },
		{ L1_FRAME_L2, "end", "ended", "ticks", "-1", "ticks" },
	};

	test_each (row, frames) {
		struct stream *stream = stream_new();

		assert_true(feed_begin(stream));
		assert_true(feed_frame(stream, L1_FRAME_RUN, "config", "ept", NULL, NULL));
		assert_refused(stream,
			       feed_frame(stream, row->kind, row->key_a, row->value_a, row->key_b,
					  row->value_b),
			       row->part);
		stream_free(stream);
	}
}

/* One run whose L2 ended so, with that console and those probe frames. */
static void run_ends(struct stream *stream, const char *end, const char *console,
		     const char *frames)
{
	assert_true(feed_frame(stream, L1_FRAME_RUN, "config", "ept", NULL, NULL));
	assert_true(feed_frame(stream, L1_FRAME_L2, "end", end, "ticks", "1"));
	assert_true(feed_text(stream, "ept/l2-console.log", console));
	assert_true(feed_text(stream, "ept/dmesg.log", ""));
	assert_true(feed_text(stream, "ept/probe.frames", frames));
}

static void assert_ends_with(struct stream *stream, int code, const char *part)
{
	const struct record_run *run = g_ptr_array_index(stream->record->runs, 0);
	g_autoptr(GError) error = NULL;

	assert_false(l1_result_finish(stream->result, &error));
	if (error->code != code || strstr(error->message, part) == NULL)
		fail_msg("expected %d ...%s..., saw %d %s", code, part, error->code,
			 error->message);
	assert_string_equal(run->error, error->message);
}

TEST_STREAM(silent_l2_is_a_timeout)
{
	run_ends(stream, "timed_out", "", "");
	assert_ends_with(stream, EPTLAB_ERROR_TIMEOUT, "L2: ");
}

TEST_STREAM(panicked_l2_is_told_by_its_console)
{
	run_ends(stream, "ended", "hello\n[ 1.0] Kernel panic - not syncing: no init\r\nmore", "");
	assert_ends_with(stream, EPTLAB_ERROR_L2, "(Kernel panic - not syncing: no init)");
}

TEST_STREAM(crashed_qemu_is_told)
{
	run_ends(stream, "crashed", "", "");
	assert_ends_with(stream, EPTLAB_ERROR_L2, "QEMU");
}

TEST_STREAM(cut_off_frames_are_no_counts)
{
	struct frame_line line;

	assert_true(frame_begin(&line, "probe"));
	run_ends(stream, "ended", "", line.line);
	assert_ends_with(stream, EPTLAB_ERROR_L2, "without a complete set of counts");
}

TEST_STREAM(what_the_agent_says_comes_first)
{
	g_autoptr(GError) error = NULL;

	assert_true(feed_frame(stream, L1_FRAME_RUN, "config", "ept", NULL, NULL));
	assert_true(feed_frame(stream, L1_FRAME_FAIL, "code", "4", "message", "L1: no modules"));
	assert_false(l1_result_finish(stream->result, &error));
	assert_true(g_error_matches(error, EPTLAB_ERROR, EPTLAB_ERROR_L1));
	assert_string_equal(error->message, "L1: no modules");
}

/* Escape sequences of a terminal, and ends of lines, are shown and not obeyed. */
TEST_STREAM(foreign_text_is_one_line)
{
	g_autoptr(GError) error = NULL;

	run_ends(stream, "ended", "Kernel panic - not \x1b[2Jsyncing: \"init\"\r\n", "");
	assert_ends_with(stream, EPTLAB_ERROR_L2, "(Kernel panic - not \\033[2Jsyncing: \"init\")");
	assert_true(
		feed_frame(stream, L1_FRAME_FAIL, "code", "4", "message", "L1: \"a\"\n\x9b 2J"));
	assert_false(l1_result_finish(stream->result, &error));
	assert_string_equal(error->message, "L1: \"a\"\\n\\233 2J");
}

static void keep_step(uint64_t ticks G_GNUC_UNUSED, const char *text, void *data)
{
	char **kept = data;

	g_free(*kept);
	*kept = g_strdup(text);
}

TEST(step_is_one_line)
{
	g_autoptr(struct_record) record =
		record_new("test", "2026-01-01T00:00:00Z", "bochs", "boot");
	g_autofree char *text = NULL;
	g_autoptr(l1_result) result = l1_result_new(record, keep_step, &text);
	const struct frame frame = {
		.kind = L1_FRAME_STEP,
		.count = 2,
		.fields = { { "ticks", "5", 1 }, { "text", "L1: \n\x1b[2J", 9 } },
	};

	assert_true(l1_result_add(&frame, result, NULL));
	assert_string_equal(text, "L1: \\n\\033[2J");
}

/* L1 ended properly, but never began the second run: nothing was measured there. */
TEST_STREAM(run_that_never_began_is_no_success)
{
	g_autoptr(GError) error = NULL;

	assert_false(l1_result_finish(stream->result, &error));
	assert_error(&error, EPTLAB_ERROR_L1, "ept");
}

/* ---- What L1's kernel has counted ---- */

static void put_frame(GString *out, uint32_t *seq, const char *kind, const char *text)
{
	g_auto(GStrv) fields = g_strsplit(text, " ", -1);
	struct frame_line line;

	frame_open(&line, (*seq)++, kind);
	for (char **field = fields; *field != NULL; field++) {
		char *value = strchr(*field, '=');

		*value = '\0';
		frame_add_string(&line, *field, value + 1);
	}
	assert_true(frame_close(&line));
	g_string_append(out, line.line);
}

/*
 * What a probe sends that asks for one reason only, that of CPUID: 10 on VMX, 0x72 on SVM. The
 * VM's fourth exit is the latch.
 */
static char *probe_frames(bool svm)
{
	struct frame_line line;
	GString *out;
	uint32_t seq = 1;

	assert_true(frame_begin(&line, "probe"));
	out = g_string_new(line.line);
	put_frame(out, &seq, "iface", "regs=2,1699567179,1668573560,1953396079");
	put_frame(out, &seq, "effect", svm ? "regs=3,2,1027,1" : "regs=7,1,85,1");
	put_frame(out, &seq, "reading", "name=boot n=0 tsc=1");
	put_frame(out, &seq, "total", "at=before regs=1,0,0,0");
	put_frame(out, &seq, "exit",
		  svm ? "first=114 last=114 live=2,0,0,0 latched=4,0,0,0 cycles=0,0,0,0"
		      : "first=10 last=10 live=2,0,0,0 latched=4,0,0,0 cycles=0,0,0,0");
	put_frame(out, &seq, "total", "at=after regs=3,0,0,0");
	put_frame(out, &seq, "latch", "regs=4,0,1,0 cpuids=4");
	put_frame(out, &seq, "cycles", "regs=0,0,0,0");
	assert_true(frame_end(&line, seq));
	g_string_append(out, line.line);
	return g_string_free(out, FALSE);
}

#define HISTOGRAM(reason, hits)                                                                    \
	"# event histogram\n#\n# trigger info: hist:keys=exit_reason:vals=hitcount:"               \
	"sort=hitcount:size=2048 [paused]\n#\n\n"                                                  \
	"{ exit_reason: " reason " } hitcount: " hits "\n"                                         \
	"\nTotals:\n    Hits: " hits "\n    Entries: 1\n    Dropped: 0\n"

/* The texts of a run with a witness, by name of the file. */
struct witnessed {
	const char *dmesg, *at_latch, *at_end, *debugfs, *exits;
};

static const struct witnessed vmx = {
	.dmesg = "[    1.000000] random: crng init done\n"
		 "[    2.000000] kvm: exitcount: VM 99: 6 exits\n"
		 "[    2.000001] kvm: exitcount: VM 99: 10 CPUID 5 83.3%\n"
		 "[    2.000002] kvm: exitcount: VM 99: 30 IO_INSTRUCTION 1 16.6%\n",
	/* 10 with bit 26, which says that there was a bus lock. */
	.at_latch = HISTOGRAM("  67108874", "         4"),
	.at_end = HISTOGRAM("        10", "         5"),
	.debugfs = "10 CPUID 5 0\n48 EPT_VIOLATION 0 0\ntotal 5 0\n",
	.exits = "7\n",
};

/* The only run, whose L2 said all and stood still. NULL: that text did not come. */
static void run_with_witness(struct stream *stream, bool svm, const struct witnessed *texts)
{
	const struct {
		const char *name, *text;
	} all[] = {
		{ "ept/" L1_FILE_DMESG, texts->dmesg },
		{ "ept/" L1_FILE_AT_LATCH, texts->at_latch },
		{ "ept/" L1_FILE_AT_END, texts->at_end },
		{ "ept/" L1_FILE_DEBUGFS, texts->debugfs },
		{ "ept/" L1_FILE_EXITS, texts->exits },
	};
	g_autofree char *frames = probe_frames(svm);

	g_ptr_array_set_size(stream->record->runs, 1);
	assert_true(feed_frame(stream, L1_FRAME_RUN, "config", "ept", NULL, NULL));
	assert_true(feed_frame(stream, L1_FRAME_WITNESS, NULL, NULL, NULL, NULL));
	assert_true(feed_frame(stream, L1_FRAME_L2, "end", "held", "ticks", "1"));
	test_each (row, all) {
		if (row->text != NULL)
			assert_true(feed_text(stream, row->name, row->text));
	}
	assert_true(feed_text(stream, "ept/" L1_FILE_PROBE, frames));
}

static void assert_finishes(struct stream *stream)
{
	g_autoptr(GError) error = NULL;

	if (!l1_result_finish(stream->result, &error))
		fail_msg("%s", error->message);
}

static uint64_t count_in(const GPtrArray *exits, uint32_t reason)
{
	const struct record_exit *one = record_find_exit(exits, reason);

	assert_non_null(one);
	return one->count;
}

TEST_STREAM(witness_is_read_into_the_run)
{
	const struct record_run *run = g_ptr_array_index(stream->record->runs, 0);

	run_with_witness(stream, false, &vmx);
	assert_finishes(stream);
	assert_null(run->error);
	assert_int_equal(count_in(run->exits, 10), 4);
	assert_true(run->witness.known);
	assert_int_equal(run->witness.at_latch->len, 1);
	assert_int_equal(count_in(run->witness.at_latch, 10), 4);
	assert_int_equal(count_in(run->witness.at_end, 10), 5);
	assert_int_equal(run->witness.debugfs->len, 2);
	assert_int_equal(count_in(run->witness.debugfs, 10), 5);
	assert_true(run->witness.vcpu_exits.known);
	assert_int_equal(run->witness.vcpu_exits.value, 7);
	assert_int_equal(run->l1_exits->len, 2);
	assert_int_equal(count_in(run->l1_exits, 30), 1);
	assert_true(run->l1_total.known);
	assert_int_equal(run->l1_total.value, 6);
	assert_true(run->kernel_log.known);
	assert_int_equal(run->kernel_log.lines, 4);
	assert_int_equal(run->kernel_log.findings->len, 0);
}

/* The histogram has numbers only: whose names they have is what L2 has said. */
TEST_STREAM(vendor_is_known_before_the_histogram)
{
	const struct record_run *run = g_ptr_array_index(stream->record->runs, 0);
	struct witnessed svm = vmx;

	svm.at_latch = HISTOGRAM("       114", "         4");
	svm.at_end = HISTOGRAM("     65650", "         5");
	run_with_witness(stream, true, &svm);
	assert_finishes(stream);
	assert_string_equal(record_find_exit(run->witness.at_latch, 114)->name, "CPUID");
	/* 0x10072, which is another code and not 0x72. */
	assert_int_equal(count_in(run->witness.at_end, 65650), 5);
	assert_null(record_find_exit(run->witness.at_end, 114));
}

TEST_STREAM(what_did_not_come_is_not_known)
{
	static const struct witnessed nothing = { .dmesg = "[    1.000000] quiet\n" };
	const struct record_run *run = g_ptr_array_index(stream->record->runs, 0);

	run_with_witness(stream, false, &nothing);
	assert_finishes(stream);
	assert_true(run->witness.known);
	assert_null(run->witness.at_latch);
	assert_null(run->witness.at_end);
	assert_null(run->witness.debugfs);
	assert_false(run->witness.vcpu_exits.known);
	assert_null(run->l1_exits);
	assert_false(run->l1_total.known);
	assert_true(run->kernel_log.known);
	assert_int_equal(run->latch.total, 4);
}

TEST(statistic_that_is_no_number_is_not_known)
{
	test_each_of (row, "", "\n", "many\n", "-1\n", "1 2\n", "18446744073709551616\n") {
		struct stream *stream = stream_new();
		const struct record_run *run = g_ptr_array_index(stream->record->runs, 0);
		struct witnessed damaged = vmx;

		assert_true(feed_begin(stream));
		damaged.exits = *row;
		run_with_witness(stream, false, &damaged);
		assert_finishes(stream);
		assert_false(run->witness.vcpu_exits.known);
		stream_free(stream);
	}
}

/* What L1's kernel says must be whole: the run has failed, and what is whole is kept all the same.
 */
TEST(damaged_text_is_an_error_of_l1)
{
	static const struct {
		struct witnessed texts;
		const char *part;
	} cases[] = {
		{ { .at_latch = "{ exit_reason: 10 } hitcount: 4\n" }, "histogram" },
		{ { .at_end = HISTOGRAM("10", "5x") }, "histogram" },
		{ { .at_end = "" }, "histogram" },
		{ { .debugfs = "10 CPUID 5 0\n" }, "debugfs" },
		{ { .debugfs = "10 CPUID 5 0\ntotal 6 0\n" }, "debugfs" },
		{ { .dmesg = "kvm: exitcount: VM 99: 10 CPUID 5 83.3%\n" }, "kernel log" },
		{ { .dmesg = "kvm: exitcount: VM 99: 6 exits\nkvm: exitcount: VM 98: 6 exits\n" },
		  "kernel log" },
	};

	test_each (row, cases) {
		struct stream *stream = stream_new();
		const struct record_run *run = g_ptr_array_index(stream->record->runs, 0);
		const struct witnessed *damaged = &row->texts;
		const struct witnessed texts = {
			.dmesg = damaged->dmesg ? damaged->dmesg : vmx.dmesg,
			.at_latch = damaged->at_latch ? damaged->at_latch : vmx.at_latch,
			.at_end = damaged->at_end ? damaged->at_end : vmx.at_end,
			.debugfs = damaged->debugfs ? damaged->debugfs : vmx.debugfs,
			.exits = vmx.exits,
		};
		g_autoptr(GError) error = NULL;

		assert_true(feed_begin(stream));
		run_with_witness(stream, false, &texts);
		assert_false(l1_result_finish(stream->result, &error));
		assert_string_equal(run->error, error->message);
		assert_error(&error, EPTLAB_ERROR_L1, row->part);
		assert_true((run->witness.at_latch == NULL) == (damaged->at_latch != NULL));
		assert_true((run->witness.at_end == NULL) == (damaged->at_end != NULL));
		assert_true((run->witness.debugfs == NULL) == (damaged->debugfs != NULL));
		assert_true((run->l1_exits == NULL) == (damaged->dmesg != NULL));
		assert_true(run->l1_total.known == (damaged->dmesg == NULL));
		assert_int_equal(count_in(run->exits, 10), 4);
		stream_free(stream);
	}
}

/* Why there are no counts matters more than a table that is missing for the same reason. */
TEST_STREAM(what_l2_did_comes_before_what_l1_counted)
{
	const struct record_run *run = g_ptr_array_index(stream->record->runs, 0);

	assert_true(feed_text(stream, "ept/" L1_FILE_AT_LATCH, "cut"));
	run_ends(stream, "timed_out", "", "");
	assert_ends_with(stream, EPTLAB_ERROR_TIMEOUT, "L2: ");
	assert_null(run->witness.at_latch);
}

/* It held, so it was looked at; without a whole set of frames it is no success for that. */
TEST_STREAM(holding_is_no_success_without_counts)
{
	run_ends(stream, "held", "", "");
	assert_ends_with(stream, EPTLAB_ERROR_L2, "without a complete set of counts");
}
