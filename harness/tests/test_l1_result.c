/* SPDX-License-Identifier: GPL-2.0-only */
/* What L0 makes of the agent's frames, the good ones and the others. */

#include "wire/frame.h"
#include "collect/l1_result.h"
#include "tests/sample.h"
#include "tests/test.h"

/* A stream of the agent on its way: the receiver, and the number of the next frame. */
struct stream {
	struct record *record;
	const struct record_run *run; /* the first of its two, "ept" */
	l1_result *result;
	frameset *frames;
	uint32_t seq;
	GError *error;
};

/* Frames that put_begin, put_frame and frame_text have made. */
static bool feed(struct stream *stream, const char *line, size_t length)
{
	stream->seq++;
	g_clear_error(&stream->error);
	return frameset_feed(stream->frames, line, length, &stream->error);
}

static struct stream *stream_new(void)
{
	struct stream *stream = g_new0(struct stream, 1);
	g_autoptr(GString) begin = g_string_new(NULL);

	stream->record = record_new("test", "2026-01-01T00:00:00Z", "bochs", "boot");
	g_ptr_array_add(stream->record->runs, record_run_new("ept"));
	g_ptr_array_add(stream->record->runs, record_run_new("noept"));
	stream->run = g_ptr_array_index(stream->record->runs, 0);
	stream->result = l1_result_new(stream->record, NULL, NULL);
	stream->frames =
		frameset_new("L1", EPTLAB_ERROR_L1, L1_SENDER, l1_result_add, stream->result);
	put_begin(begin, L1_SENDER);
	assert_true(feed(stream, begin->str, begin->len));
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

static bool feed_frame(struct stream *stream, const char *kind, const char *fields)
{
	g_autoptr(GString) line = g_string_new(NULL);

	put_frame(line, stream->seq, kind, fields);
	return feed(stream, line->str, line->len);
}

/* In as many frames as it takes. */
static bool feed_text(struct stream *stream, const char *name, const char *text)
{
	size_t length = strlen(text), taken;
	struct frame_line line;

	do {
		assert_true(frame_text(&line, stream->seq, name, text, length, &taken));
		if (!feed(stream, line.line, line.length))
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
	assert_true(feed_frame(stream, L1_FRAME_L1, "release=6.1-l1"));
	assert_true(feed_frame(stream, L1_FRAME_STEP, "ticks=5|text=L1: doing"));
	assert_true(feed_frame(stream, L1_FRAME_RUN, "config=ept"));
	assert_true(feed_frame(stream, L1_FRAME_MODULE, "name=kvm|build_id=0a"));
	assert_true(feed_frame(stream, L1_FRAME_PARAMETER, "name=ept|value=Y"));
	assert_true(feed_frame(stream, L1_FRAME_PARAMETER, "name=vpid|value=N"));
	assert_false(stream->run->witness.known);
	assert_true(feed_frame(stream, L1_FRAME_WITNESS, ""));
	assert_true(stream->run->witness.known);
	assert_true(feed_frame(stream, L1_FRAME_L2, "end=ended|ticks=77"));
	assert_string_equal(stream->record->kernel.release, "6.1-l1");
	assert_run(stream->run, "in_effect.ept=true .vpid=false .unrestricted_guest=null ticks=77 "
				"module_ids.len=1 .0.name=kvm .0.build_id=0a");
}

TEST(frames_that_make_no_sense_are_refused)
{
	static const struct {
		bool in_run; /* of "ept", which has begun */
		const char *kind, *fields, *part;
	} frames[] = {
		{ false, "dance", "", "unknown kind" },
		{ false, L1_FRAME_PARAMETER, "name=ept|value=Y", "before any run" },
		{ false, L1_FRAME_WITNESS, "", "before any run" },
		{ false, L1_FRAME_L2, "end=ended|ticks=1", "before any run" },
		{ false, L1_FRAME_MODULE, "name=kvm|build_id=0a", "before any run" },
		{ false, L1_FRAME_RUN, "config=sideways", "not asked for" },
		{ false, L1_FRAME_RUN, "", "config" },
		{ false, L1_FRAME_STEP, "text=x", "ticks" },
		{ false, L1_FRAME_FAIL, "code=999|message=x", "code" },
		{ false, L1_FRAME_FAIL, "code=0|message=x", "success" },
		{ true, L1_FRAME_RUN, "config=ept", "second time" },
		{ true, L1_FRAME_PARAMETER, "name=ept|value=maybe", "neither Y nor N" },
		{ true, L1_FRAME_PARAMETER, "name=nested|value=Y", "unknown parameter" },
		{ true, L1_FRAME_L2, "end=vanished|ticks=1", "unknown end" },
		{ true, L1_FRAME_L2, "end=ended|ticks=-1", "ticks" },
	};

	test_each (row, frames) {
		struct stream *stream = stream_new();

		if (row->in_run)
			assert_true(feed_frame(stream, L1_FRAME_RUN, "config=ept"));
		assert_refused(stream, feed_frame(stream, row->kind, row->fields), row->part);
		stream_free(stream);
	}
}

static GString *probe_begin(void)
{
	GString *out = g_string_new(NULL);

	put_begin(out, "probe");
	return out;
}

/* One run whose L2 ended so, with that console and those probe frames. */
static void run_ends(struct stream *stream, const char *end, const char *console,
		     const char *frames)
{
	g_autofree char *fields = g_strdup_printf("end=%s|ticks=1", end);

	assert_true(feed_frame(stream, L1_FRAME_RUN, "config=ept"));
	assert_true(feed_frame(stream, L1_FRAME_L2, fields));
	assert_true(feed_text(stream, "ept/l2-console.log", console));
	assert_true(feed_text(stream, "ept/dmesg.log", ""));
	assert_true(feed_text(stream, "ept/probe.frames", frames));
}

static void assert_ends_with(struct stream *stream, int code, const char *part)
{
	g_autoptr(GError) error = NULL;

	assert_false(l1_result_finish(stream->result, &error));
	if (error->code != code || strstr(error->message, part) == NULL)
		fail_msg("expected %d ...%s..., saw %d %s", code, part, error->code,
			 error->message);
	assert_string_equal(stream->run->error, error->message);
}

TEST(end_of_a_run_without_counts)
{
	g_autoptr(GString) begin = probe_begin();
	static const char *no_counts = "without a complete set of counts";
	const struct {
		const char *end, *console, *frames;
		int code;
		const char *part;
	} cases[] = {
		{ "timed_out", "", "", EPTLAB_ERROR_TIMEOUT, "L2: " },
		{ "ended", "hello\n[ 1.0] Kernel panic - not syncing: no init\r\nmore", "",
		  EPTLAB_ERROR_L2, "(Kernel panic - not syncing: no init)" },
		/* What a terminal obeys, and ends of lines, are shown. */
		{ "ended", "Kernel panic - not \x1b[2Jsyncing: \"init\"\r\n", "", EPTLAB_ERROR_L2,
		  "(Kernel panic - not \\033[2Jsyncing: \"init\")" },
		{ "crashed", "", "", EPTLAB_ERROR_L2, "QEMU" },
		{ "stuck", "", "", EPTLAB_ERROR_L2, "QEMU stopped it in the middle" },
		{ "ended", "", begin->str, EPTLAB_ERROR_L2, no_counts },
		/* It held, so it was looked at; that is no success. */
		{ "held", "", "", EPTLAB_ERROR_L2, no_counts },
	};

	test_each (row, cases) {
		struct stream *stream = stream_new();

		run_ends(stream, row->end, row->console, row->frames);
		assert_ends_with(stream, row->code, row->part);
		stream_free(stream);
	}
}

TEST_STREAM(what_the_agent_says_comes_first)
{
	g_autoptr(GError) error = NULL;

	assert_true(feed_frame(stream, L1_FRAME_RUN, "config=ept"));
	assert_true(feed_frame(stream, L1_FRAME_FAIL, "code=4|message=L1: no modules"));
	assert_false(l1_result_finish(stream->result, &error));
	assert_true(g_error_matches(error, EPTLAB_ERROR, EPTLAB_ERROR_L1));
	assert_string_equal(error->message, "L1: no modules");
}

TEST_STREAM(words_of_the_agent_are_one_line)
{
	g_autoptr(GError) error = NULL;

	run_ends(stream, "ended", "", "");
	assert_true(feed_frame(stream, L1_FRAME_FAIL, "code=4|message=L1: \"a\"\n\x9b 2J"));
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

/*
 * What a probe sends that asks for one reason only, that of CPUID: 10 on VMX, 0x72 on SVM. The
 * VM's fourth exit is the latch.
 */
static GString *probe_frames(bool svm)
{
	const char *const frames[][2] = {
		{ "iface", "regs=2,1699567179,1668573560,1953396079" },
		{ "effect", svm ? "regs=3,2,1027,1" : "regs=7,1,85,1" },
		{ "reading", "name=boot|n=0|tsc=1" },
		{ "total", "at=before|regs=1,0,0,0" },
		{ "exit", svm ? "first=114|last=114|live=2,0,0,0|latched=4,0,0,0|cycles=0,0,0,0"
			      : "first=10|last=10|live=2,0,0,0|latched=4,0,0,0|cycles=0,0,0,0" },
		{ "total", "at=after|regs=3,0,0,0" },
		{ "latch", "regs=4,0,1,0|cpuids=4" },
		{ "cycles", "regs=0,0,0,0" },
	};
	GString *out = probe_begin();

	for (uint32_t i = 0; i < G_N_ELEMENTS(frames); i++)
		put_frame(out, i + 1, frames[i][0], frames[i][1]);
	put_end(out, G_N_ELEMENTS(frames) + 1);
	return out;
}

#define HISTOGRAM(reason, hits)                                                                    \
	"# event histogram\n#\n# trigger info: hist:keys=exit_reason:vals=hitcount:"               \
	"sort=hitcount:size=2048 [paused]\n#\n\n"                                                  \
	"{ exit_reason: " reason " } hitcount: " hits "\n"                                         \
	"\nTotals:\n    Hits: " hits "\n    Entries: 1\n    Dropped: 0\n"

/* The texts of a run with a witness, by name of the file. */
struct witnessed {
	const char *dmesg, *at_latch, *at_end;
};

static const struct witnessed vmx = {
	.dmesg = "[    1.000000] random: crng init done\n"
		 "[    2.000000] kvm: exitcount: VM 99: 6 exits\n"
		 "[    2.000001] kvm: exitcount: VM 99: 10 CPUID 5 83.3%\n"
		 "[    2.000002] kvm: exitcount: VM 99: 30 IO_INSTRUCTION 1 16.6%\n",
	/* 10 with bit 26, which says that there was a bus lock. */
	.at_latch = HISTOGRAM("  67108874", "         4"),
	.at_end = HISTOGRAM("        10", "         5"),
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
	};
	g_autoptr(GString) frames = probe_frames(svm);

	g_ptr_array_set_size(stream->record->runs, 1);
	assert_true(feed_frame(stream, L1_FRAME_RUN, "config=ept"));
	assert_true(feed_frame(stream, L1_FRAME_WITNESS, ""));
	assert_true(feed_frame(stream, L1_FRAME_L2, "end=held|ticks=1"));
	test_each (row, all) {
		if (row->text != NULL)
			assert_true(feed_text(stream, row->name, row->text));
	}
	assert_true(feed_text(stream, "ept/" L1_FILE_PROBE, frames->str));
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
	run_with_witness(stream, false, &vmx);
	assert_finishes(stream);
	assert_run(stream->run,
		   "error=null exits.10.count=4 witness.at_latch.len=1 .at_latch.10.count=4 "
		   ".at_end.10.count=5 "
		   "l1_exits.len=2 .30.count=1 l1_total=6 kernel_log.lines=4 .findings=[]");
}

/* The histogram has numbers only: whose names they have is what L2 has said. */
TEST_STREAM(vendor_is_known_before_the_histogram)
{
	struct witnessed svm = vmx;

	svm.at_latch = HISTOGRAM("       114", "         4");
	svm.at_end = HISTOGRAM("     65650", "         5");
	run_with_witness(stream, true, &svm);
	assert_finishes(stream);
	/* 65650 is 0x10072, which is another code and not 0x72. */
	assert_run(stream->run,
		   "witness.at_latch.114.name=CPUID .at_end.65650.count=5 .at_end.114=nothing");
}

/* ---- Counts by the tracepoint ---- */

/* The only run, of a KVM that does not count. NULL: the histogram did not come. */
static void run_by_tracepoint(struct stream *stream, const char *histogram)
{
	struct record_run *run = g_ptr_array_index(stream->record->runs, 0);
	g_autoptr(GString) frames = probe_begin();

	put_frame(frames, 1, "iface", "regs=7,832,832,0");
	put_frame(frames, 2, "effect", "regs=7,832,832,0");
	put_frame(frames, 3, "mark", "name=boot|tsc=77|cpuids=9");
	put_end(frames, 4);
	g_ptr_array_set_size(stream->record->runs, 1);
	run->source = RECORD_TRACEPOINT;
	run_ends(stream, "ended", "", frames->str);
	if (histogram != NULL)
		assert_true(feed_text(stream, "ept/" L1_FILE_AT_LATCH, histogram));
}

/* What never happened is 0, as no exit was dropped; what only L2 can read is not there. */
TEST_STREAM(histogram_is_the_counts)
{
	const struct record_run *run = g_ptr_array_index(stream->record->runs, 0);

	run_by_tracepoint(stream, HISTOGRAM("  67108874", "         4"));
	assert_finishes(stream);
	assert_run(run, "error=null source=tracepoint exits.10.count=4 .10.name=CPUID .10.before=0 "
			".10.cycles=null .48.count=0 .35=nothing total=4 latch=null "
			"leaf_total=null l2_in_effect=null undefined=null malformed=null "
			"witness=null l1_exits=null");
}

TEST_STREAM(histogram_of_svm)
{
	struct record_run *run = g_ptr_array_index(stream->record->runs, 0);

	record_set_string(&run->platform.vendor, "svm");
	run_by_tracepoint(stream, HISTOGRAM("       114", "         4"));
	assert_finishes(stream);
	assert_run(run, "exits.114.count=4 .114.name=CPUID .1024.count=0 .200=nothing total=4");
}

TEST(histogram_that_is_no_count)
{
	g_auto(GStrv) parts = g_strsplit(HISTOGRAM("        10", "         4"), "[paused]", 2);
	g_autofree char *running = g_strjoinv("[active]", parts);
	const struct {
		const char *text, *part;
	} cases[] = {
		{ NULL, "no histogram of kvm:kvm_exit came from the run ept" },
		{ running, "was never stopped" },
		{ "", "is not whole" },
	};

	test_each (row, cases) {
		struct stream *stream = stream_new();
		const struct record_run *run = g_ptr_array_index(stream->record->runs, 0);

		run_by_tracepoint(stream, row->text);
		assert_ends_with(stream, EPTLAB_ERROR_L1, row->part);
		assert_null(run->exits);
		assert_false(run->total.known);
		stream_free(stream);
	}
}

TEST_STREAM(what_did_not_come_is_not_known)
{
	static const struct witnessed nothing = { .dmesg = "[    1.000000] quiet\n" };

	run_with_witness(stream, false, &nothing);
	assert_finishes(stream);
	assert_run(stream->run, "witness.at_latch=null .at_end=null "
				"l1_exits=null l1_total=null kernel_log.lines=1 latch.total=4");
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
		{ { .dmesg = "kvm: exitcount: VM 99: 10 CPUID 5 83.3%\n" }, "kernel log" },
		{ { .dmesg = "kvm: exitcount: VM 99: 6 exits\nkvm: exitcount: VM 98: 6 exits\n" },
		  "kernel log" },
	};

	test_each (row, cases) {
		struct stream *stream = stream_new();
		const struct witnessed *damaged = &row->texts;
		const struct witnessed texts = {
			.dmesg = damaged->dmesg ? damaged->dmesg : vmx.dmesg,
			.at_latch = damaged->at_latch ? damaged->at_latch : vmx.at_latch,
			.at_end = damaged->at_end ? damaged->at_end : vmx.at_end,
		};
		g_autoptr(GError) error = NULL;

		run_with_witness(stream, false, &texts);
		assert_false(l1_result_finish(stream->result, &error));
		assert_string_equal(stream->run->error, error->message);
		assert_error(&error, EPTLAB_ERROR_L1, row->part);
		assert_true((stream->run->witness.at_latch == NULL) == (damaged->at_latch != NULL));
		assert_true((stream->run->witness.at_end == NULL) == (damaged->at_end != NULL));
		assert_true((stream->run->l1_exits == NULL) == (damaged->dmesg != NULL));
		assert_true(stream->run->l1_total.known == (damaged->dmesg == NULL));
		assert_int_equal(count_in(stream->run->exits, 10), 4);
		stream_free(stream);
	}
}

/* Why there are no counts matters more than a table that is missing for the same reason. */
TEST_STREAM(what_l2_did_comes_before_what_l1_counted)
{
	assert_true(feed_text(stream, "ept/" L1_FILE_AT_LATCH, "cut"));
	run_ends(stream, "timed_out", "", "");
	assert_ends_with(stream, EPTLAB_ERROR_TIMEOUT, "L2: ");
	assert_null(stream->run->witness.at_latch);
}
