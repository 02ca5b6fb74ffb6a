/* SPDX-License-Identifier: GPL-2.0-only */
/* What L0 makes of the agent's frames, the good ones and the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "model/error.h"
#include "model/frame.h"
#include "model/l1_result.h"

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

static bool feed_text(struct stream *stream, const char *name, const char *text)
{
	struct frame_line line;
	size_t taken;

	assert_true(frame_text(&line, stream->seq, name, text, strlen(text), &taken));
	assert_int_equal(taken, strlen(text));
	return feed(stream, &line);
}

static void assert_refused(const struct stream *stream, bool ok, const char *part)
{
	assert_false(ok);
	assert_true(g_error_matches(stream->error, EPTLAB_ERROR, EPTLAB_ERROR_L1));
	if (strstr(stream->error->message, part) == NULL)
		fail_msg("expected \"%s\", saw: %s", part, stream->error->message);
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

static void good_frames_fill_the_record(void **state)
{
	struct stream *stream = *state;
	const struct record_run *run = g_ptr_array_index(stream->record->runs, 0);
	const struct record_module *module;

	assert_true(feed_frame(stream, L1_FRAME_L1, "release", "6.1-l1", NULL, NULL));
	assert_true(feed_frame(stream, L1_FRAME_STEP, "ticks", "5", "text", "L1: doing"));
	assert_true(feed_frame(stream, L1_FRAME_RUN, "config", "ept", NULL, NULL));
	assert_true(feed_frame(stream, L1_FRAME_MODULE, "name", "kvm", "build_id", "0a"));
	assert_true(feed_frame(stream, L1_FRAME_PARAMETER, "name", "ept", "value", "Y"));
	assert_true(feed_frame(stream, L1_FRAME_PARAMETER, "name", "vpid", "value", "N"));
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

static void frames_that_make_no_sense_are_refused(void **state)
{
	static const struct {
		const char *kind, *key_a, *value_a, *key_b, *value_b, *part;
	} frames[] = {
		{ "dance", NULL, NULL, NULL, NULL, "unknown kind" },
		{ L1_FRAME_PARAMETER, "name", "ept", "value", "Y", "before any run" },
		{ L1_FRAME_RUN, "config", "sideways", NULL, NULL, "not asked for" },
		{ L1_FRAME_RUN, NULL, NULL, NULL, NULL, "config" },
		{ L1_FRAME_STEP, "text", "x", NULL, NULL, "ticks" },
		{ L1_FRAME_FAIL, "code", "999", "message", "x", "code" },
		{ L1_FRAME_FAIL, "code", "0", "message", "x", "success" },
	};

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(frames); i++) {
		struct stream *stream = stream_new();

		assert_true(feed_begin(stream));
		assert_refused(stream,
			       feed_frame(stream, frames[i].kind, frames[i].key_a,
					  frames[i].value_a, frames[i].key_b, frames[i].value_b),
			       frames[i].part);
		stream_free(stream);
	}
}

static void frames_of_a_run_that_make_no_sense_are_refused(void **state)
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

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(frames); i++) {
		struct stream *stream = stream_new();

		assert_true(feed_begin(stream));
		assert_true(feed_frame(stream, L1_FRAME_RUN, "config", "ept", NULL, NULL));
		assert_refused(stream,
			       feed_frame(stream, frames[i].kind, frames[i].key_a,
					  frames[i].value_a, frames[i].key_b, frames[i].value_b),
			       frames[i].part);
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

static void silent_l2_is_a_timeout(void **state)
{
	run_ends(*state, "timed_out", "", "");
	assert_ends_with(*state, EPTLAB_ERROR_TIMEOUT, "L2: ");
}

static void panicked_l2_is_told_by_its_console(void **state)
{
	run_ends(*state, "ended", "hello\n[ 1.0] Kernel panic - not syncing: no init\r\nmore", "");
	assert_ends_with(*state, EPTLAB_ERROR_L2, "(Kernel panic - not syncing: no init)");
}

static void crashed_qemu_is_told(void **state)
{
	run_ends(*state, "crashed", "", "");
	assert_ends_with(*state, EPTLAB_ERROR_L2, "QEMU");
}

static void cut_off_frames_are_no_counts(void **state)
{
	struct frame_line line;

	assert_true(frame_begin(&line, "probe"));
	run_ends(*state, "ended", "", line.line);
	assert_ends_with(*state, EPTLAB_ERROR_L2, "without a complete set of counts");
}

static void what_the_agent_says_comes_first(void **state)
{
	struct stream *stream = *state;
	g_autoptr(GError) error = NULL;

	assert_true(feed_frame(stream, L1_FRAME_RUN, "config", "ept", NULL, NULL));
	assert_true(feed_frame(stream, L1_FRAME_FAIL, "code", "4", "message", "L1: no modules"));
	assert_false(l1_result_finish(stream->result, &error));
	assert_true(g_error_matches(error, EPTLAB_ERROR, EPTLAB_ERROR_L1));
	assert_string_equal(error->message, "L1: no modules");
}

/* L1 ended properly, but never began the second run: nothing was measured there. */
static void run_that_never_began_is_no_success(void **state)
{
	g_autoptr(GError) error = NULL;
	struct stream *stream = *state;

	assert_false(l1_result_finish(stream->result, &error));
	assert_true(g_error_matches(error, EPTLAB_ERROR, EPTLAB_ERROR_L1));
	assert_non_null(strstr(error->message, "ept"));
}

#define test(function) cmocka_unit_test_setup_teardown(function, make_stream, remove_stream)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(good_frames_fill_the_record),
		cmocka_unit_test(frames_that_make_no_sense_are_refused),
		cmocka_unit_test(frames_of_a_run_that_make_no_sense_are_refused),
		test(silent_l2_is_a_timeout),
		test(panicked_l2_is_told_by_its_console),
		test(crashed_qemu_is_told),
		test(cut_off_frames_are_no_counts),
		test(what_the_agent_says_comes_first),
		test(run_that_never_began_is_no_success),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
