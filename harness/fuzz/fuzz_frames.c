/* SPDX-License-Identifier: GPL-2.0-only */
/* The stream of frames that the agent in L1 sends to L0, with everything in it. */
#include "fuzz/check.h"
#include "fuzz/fuzz.h"
#include "fuzz/mutate.h"
#include "collect/l1_result.h"

/* A stream that has been received. */
struct stream {
	struct record *record;
	l1_result *result;
	frameset *frames;
	GError *error; /* why the frames were refused */
};

static struct record *new_record(void)
{
	static const char *const names[] = { "ept", "noept" };
	struct record *record = record_new("0.1", "2026-01-31T23:59:59Z", "bochs", "boot");

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		struct record_run *run = record_run_new(names[i]);

		run->requested.ept = record_bool_from(i == 0);
		run->requested.vpid = RECORD_TRUE;
		g_ptr_array_add(record->runs, run);
	}
	return record;
}

/* Steps go to the terminal as they are. */
static void on_step(uint64_t ticks G_GNUC_UNUSED, const char *text, void *data G_GNUC_UNUSED)
{
	check_printable(text, "");
}

static void receive(struct stream *stream, const uint8_t *data, size_t size, size_t chunk)
{
	bool ok = true;

	stream->record = new_record();
	stream->result = l1_result_new(stream->record, on_step, NULL);
	stream->frames =
		frameset_new("L1", EPTLAB_ERROR_L1, L1_SENDER, l1_result_add, stream->result);
	for (size_t at = 0; ok && at < size; at += chunk)
		ok = frameset_feed(stream->frames, data + at, MIN(chunk, size - at),
				   &stream->error);
	ok = ok && frameset_finish(stream->frames, &stream->error);
	check_outcome(ok, stream->error, EPTLAB_ERROR_L1);
	g_assert_true(frameset_is_complete(stream->frames) == ok);
}

static void stream_clear(struct stream *stream)
{
	frameset_free(stream->frames);
	l1_result_free(stream->result);
	record_free(stream->record);
	g_clear_error(&stream->error);
}

/* A line comes in pieces of any size, and none of them makes a difference. */
static void check_pieces(const struct stream *stream, const uint8_t *data, size_t size)
{
	struct stream other = { .record = NULL };
	g_autofree char *text = record_to_text(stream->record);
	g_autofree char *again = NULL;

	receive(&other, data, size, 1 + size % 61);
	again = record_to_text(other.record);
	g_assert_cmpstr(again, ==, text);
	g_assert_cmpuint(frameset_frames(other.frames), ==, frameset_frames(stream->frames));
	g_assert_cmpstr(other.error != NULL ? other.error->message : "", ==,
			stream->error != NULL ? stream->error->message : "");
	stream_clear(&other);
}

/* They become files below the record's folder. */
static void check_texts(frame_texts *texts)
{
	GHashTableIter at;
	gpointer name;

	g_hash_table_iter_init(&at, texts);
	while (g_hash_table_iter_next(&at, &name, NULL))
		g_assert_true(frame_text_name_is_safe(name) && *(const char *)name != '/');
}

/* Whatever came is read and kept, also where not all has come. */
static void finish(struct stream *stream)
{
	g_autoptr(GError) error = NULL;
	const GString *log = frame_texts_get(l1_result_texts(stream->result), "ept/" L1_FILE_DMESG);
	bool ok = l1_result_finish(stream->result, &error);

	check_outcome(ok, error, 0);
	for (guint i = 0; i < stream->record->runs->len; i++) {
		const struct record_run *run = g_ptr_array_index(stream->record->runs, i);

		g_assert_true(!ok || (run->error == NULL && run->exits != NULL));
		check_ascending(run->exits);
		check_ascending(run->l1_exits);
		check_ascending(run->witness.at_latch);
		check_ascending(run->witness.at_end);
		check_ascending(run->mmu.reasons);
	}
	check_texts(l1_result_texts(stream->result));
	/* A failed experiment leaves a record too, but nobody judges it. */
	if (ok)
		check_judged(stream->record, log != NULL ? log->str : NULL);
	else
		check_round_trip(stream->record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stream stream = { .record = NULL };

	receive(&stream, data, size, size + 1);
	check_pieces(&stream, data, size);
	finish(&stream);
	stream_clear(&stream);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	return mutate_frames(data, size, max, seed);
}
