/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <zlib.h>

#include "wire/frameset.h"
#include "tests/sample.h"
#include "tests/test.h"

/* ---- One frame ---- */

/*
 * The CRC-32 of the nine digits is the check value that catalogues of CRCs give for this algorithm;
 * without it, a wrong CRC on both sides would go unnoticed.
 */
TEST(crc_is_the_documented_one)
{
	assert_int_equal(crc32(0, (const Bytef *)"123456789", 9), 0xcbf43926);
}

static void assert_line(bool good, const struct frame_line *line, const char *expected)
{
	assert_true(good);
	assert_int_equal(line->length, strlen(expected) + strlen("12345678\n"));
	assert_int_equal(strlen(line->line), line->length);
	assert_memory_equal(line->line, expected, strlen(expected));
	assert_int_equal(line->line[line->length - 1], '\n');
}

TEST(frames_are_written_as_documented)
{
	struct frame_line line;

	assert_line(frame_begin(&line, "probe"), &line, "@ept1 0 begin proto=1 from=probe #");
	assert_line(frame_end(&line, 65), &line, "@ept1 65 end frames=65 #");
	frame_open(&line, 7, "text");
	frame_add_bytes(&line, "data", "a b%c#d=e@f\n\r\t\0\x7f\x80\xff~!", 20);
	assert_line(frame_close(&line), &line,
		    "@ept1 7 text data=a%20b%25c%23d%3de%40f%0a%0d%09%00%7f%80%ff~! #");
	frame_open(&line, 1, "exit");
	frame_add_u64(&line, "a", UINT64_MAX);
	frame_add_u64(&line, "b", 0);
	frame_add_string(&line, "c", "0xdeadbeef");
	frame_add_string(&line, "d", "0x0");
	assert_line(frame_close(&line), &line,
		    "@ept1 1 exit a=18446744073709551615 b=0 c=0xdeadbeef d=0x0 #");
}

/* The line as it is read again. */
static struct frame *parsed(struct frame_line *line)
{
	static struct frame frame;
	bool has_seq;

	assert_null(frame_parse(line->line, line->length - 1, &frame, &has_seq));
	assert_true(has_seq);
	return &frame;
}

/* Parse what was written and compare. */
TEST(parse_gives_back_what_was_written)
{
	struct frame_line line;
	const struct frame *frame;
	char bytes[256];
	uint64_t number;

	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	frame_open(&line, 4711, "mixed_9");
	frame_add_bytes(&line, "all", bytes, sizeof(bytes));
	frame_add_string(&line, "empty", "");
	frame_add_u64(&line, "u", UINT64_MAX);
	frame_add_string(&line, "h", "0xffffffffffffffff");
	assert_true(frame_close(&line));
	frame = parsed(&line);
	assert_int_equal(frame->seq, 4711);
	assert_string_equal(frame->kind, "mixed_9");
	assert_int_equal(frame->count, 4);
	assert_int_equal(frame_find(frame, "all")->length, sizeof(bytes));
	assert_memory_equal(frame_find(frame, "all")->value, bytes, sizeof(bytes));
	assert_null(frame_get(frame, "all")); /* holds a NUL, so it is no C string */
	assert_string_equal(frame_get(frame, "empty"), "");
	assert_null(frame_get(frame, "missing"));
	assert_true(frame_get_u64(frame, "u", &number) && number == UINT64_MAX);
	assert_true(frame_get_u64(frame, "h", &number) && number == UINT64_MAX);
	assert_false(frame_get_u64(frame, "empty", &number));
	assert_false(frame_get_u64(frame, "missing", &number));
}

TEST(unwritable_frames_are_refused)
{
	static const char *const bad_words[] = {
		"",    "Upper",	   "9digit",
		"_x",  "a-b",	   "a b",
		"a=b", "\xc3\xa4", "abcdefghijklmnopqrstuvwxyzabcdef", /* 32 characters */
	};
	struct frame_line line;

	test_each (row, bad_words) {
		frame_open(&line, 1, *row);
		assert_false(frame_close(&line));
		frame_open(&line, 1, "good");
		frame_add_u64(&line, *row, 1);
		assert_false(frame_close(&line));
	}
	frame_open(&line, 1, "abcdefghijklmnopqrstuvwxyzabcde"); /* 31 */
	assert_true(frame_close(&line));
	frame_open(&line, (uint32_t)FRAME_SEQ_MAX + 1, "good");
	assert_false(frame_close(&line));

	frame_open(&line, 1, "many");
	for (unsigned int i = 0; i < FRAME_FIELDS_MAX; i++) {
		g_autofree char *key = g_strdup_printf("k%u", i);

		frame_add_u64(&line, key, i);
	}
	assert_false(line.failed);
	frame_add_u64(&line, "toomany", 1);
	assert_false(frame_close(&line));
}

/* A line of exactly FRAME_LINE_MAX bytes is good, one byte more is not written. */
TEST(longest_line)
{
	const size_t head = strlen("@ept1 1 x d=");
	const size_t space = FRAME_LINE_MAX - head - 1 - FRAME_TAIL_LENGTH;
	char data[FRAME_LINE_MAX];
	struct frame_line line;

	memset(data, 'x', sizeof(data));
	frame_open(&line, 1, "x");
	frame_add_bytes(&line, "d", data, space);
	assert_true(frame_close(&line));
	assert_int_equal(line.length, FRAME_LINE_MAX);
	parsed(&line);
	frame_open(&line, 1, "x");
	frame_add_bytes(&line, "d", data, space + 1);
	assert_false(frame_close(&line));

	/* A part stops at the same byte; an escape is taken whole or not at all. */
	frame_open(&line, 1, "x");
	assert_int_equal(frame_add_part(&line, "d", data, sizeof(data)), space);
	assert_true(frame_close(&line));
	data[space - 2] = ' ';
	frame_open(&line, 1, "x");
	assert_int_equal(frame_add_part(&line, "d", data, sizeof(data)), space - 2);
	assert_true(frame_close(&line));
}

TEST(text_name_without_room_for_data_fails)
{
	char name[FRAME_LINE_MAX];
	struct frame_line line;
	size_t taken;

	memset(name, 'n', sizeof(name));
	/* "@ept1 1 text name=" NAME " data=" and the tail fill the line. */
	name[FRAME_LINE_MAX - 18 - 6 - 1 - FRAME_TAIL_LENGTH] = '\0';
	assert_false(frame_text(&line, 1, name, "x", 1, &taken));
	name[FRAME_LINE_MAX - 18 - 6 - 1 - FRAME_TAIL_LENGTH - 1] = '\0';
	assert_true(frame_text(&line, 1, name, "xy", 2, &taken));
	assert_int_equal(taken, 1);
}

/* The text with its CRC, as a line of a frame ends. */
static GString *with_crc(const char *text, size_t length)
{
	GString *line = g_string_new_len(text, (gssize)length);

	g_string_append_printf(line, "#%08lx", crc32(0, (const Bytef *)text, (uInt)length));
	return line;
}

static const char *parse_text(const char *text, size_t length)
{
	g_autoptr(GString) line = with_crc(text, length);
	struct frame frame;
	bool has_seq;

	return frame_parse(line->str, line->len, &frame, &has_seq);
}

/* Each of these has a good CRC: whoever wrote it does not keep to the protocol. */
TEST(only_one_way_to_write_a_frame)
{
	assert_null(parse_text("@ept1 1 kind ", 13));
	assert_null(parse_text("@ept1 1 kind k=v ", 17));
	assert_null(parse_text("@ept1 1 kind k=%0a ", 19));
	assert_null(parse_text("@ept1 2147483647 kind ", 22));
	test_each_of (row, "@ept1 ", "@ept1 1 ", "@ept1 1  ", "@ept1 x kind ", "@ept1 01 kind ",
		      "@ept1 0x1 kind ", "@ept1 -1 kind ", "@ept1 +1 kind ", "@ept1  1 kind ",
		      "@ept1 2147483648 kind ", "@ept1 99999999999999999999 kind ", "@ept1 1 Kind ",
		      "@ept1 1 k=v ", "@ept1 1 kind  ", "@ept1 1 kind k ", "@ept1 1 kind  k=v ",
		      "@ept1 1 kind k=v  ", "@ept1 1 kind =v ", "@ept1 1 kind k=v k=v ",
		      "@ept1 1 kind K=v ", "@ept1 1 kind k=%4 ", "@ept1 1 kind k=% ",
		      "@ept1 1 kind k=%zz ", "@ept1 1 kind k=%41 ", "@ept1 1 kind k=%2D ",
		      "@ept1 1 kind k=%2A ", "@ept1 1 kind k=%0A ", "@ept1 1 kind k=a=b ",
		      "@ept1 1 kind k=a#b ", "@ept1 1 kind k=a@b ", "@ept1 1 kind k=\x80 ",
		      "@ept1 1 kind k=a\tb ", "@ept2 1 kind ", "@ept12 1 kind ", "@ept1x1 kind ",
		      "@ept1 1 kind")
		if (!parse_text(*row, strlen(*row)))
			fail_msg("taken for a frame: '%s'", *row);
	assert_non_null(parse_text("@ept1 1 kind k=\0 ", 17));
	assert_non_null(parse_text("@ept1 1\0kind k=v ", 17));
}

TEST(fields_are_limited_on_both_sides)
{
	g_autoptr(GString) text = g_string_new("@ept1 1 kind ");

	for (unsigned int i = 0; i < FRAME_FIELDS_MAX; i++)
		g_string_append_printf(text, "k%u= ", i);
	assert_null(parse_text(text->str, text->len));
	g_string_append(text, "more= ");
	assert_string_equal(parse_text(text->str, text->len), "there are too many fields");
}

TEST(numbers_are_read_strictly)
{
	static const struct {
		const char *text;
		uint64_t value;
	} good[] = {
		{ "0", 0 },
		{ "7", 7 },
		{ "18446744073709551615", UINT64_MAX },
		{ "0x0", 0 },
		{ "0xffffffffffffffff", UINT64_MAX },
		{ "0x00000000000000ff", 255 },
		{ "0xAbC", 0xabc },
	};
	uint64_t value;

	test_each (row, good) {
		assert_true(frame_parse_u64(row->text, &value));
		assert_true(value == row->value);
	}
	test_each_of (row, "", "+1", "-1", " 1", "1 ", "1x", "x", "0x", "0xg", "0X1", "00", "01",
		      "1e3", "1.0", "18446744073709551616", "99999999999999999999",
		      "184467440737095516150", "0x10000000000000000", "0x00000000000000001",
		      "\xd9\xa1") {
		value = 42;
		if (frame_parse_u64(*row, &value))
			fail_msg("taken for a number: '%s'", *row);
		assert_int_equal(value, 42);
	}
}

/* ---- A set of frames ---- */

#define SAMPLE_FRAMES 5
#define SAMPLE_SEEN   "0:begin 1:exit 2:exit 3:exit 4:end "

static GString *sample(void)
{
	GString *out = g_string_new(NULL);

	put_begin(out, "probe");
	put_frame(out, 1, "exit", "reason=0|eax=0x1eee");
	put_frame(out, 2, "exit", "reason=1|eax=0x0");
	put_frame(out, 3, "exit", "reason=2|eax=0x1ef");
	put_end(out, 4);
	return out;
}

/* Its lines, which are to end so, in another order, doubled or left out. */
static GString *lines_in_order(const char *order, const char *before, size_t length,
			       const char *after)
{
	g_autoptr(GString) whole = sample();
	g_auto(GStrv) lines = g_strsplit(whole->str, "\n", -1);
	GString *bytes = g_string_new(NULL);

	for (; *order; order++) {
		g_string_append_len(bytes, before, (gssize)length);
		g_string_append_printf(bytes, "%s%s", lines[*order - '0'], after);
	}
	return bytes;
}

/* The frames that a set gives on, as "seq:kind ". */
static bool collect(const struct frame *frame, void *data, GError **error G_GNUC_UNUSED)
{
	g_string_append_printf(data, "%u:%s ", frame->seq, frame->kind);
	return true;
}

struct outcome {
	char *message; /* NULL: taken */
	char *seen;
};

static void outcome_clear(struct outcome *outcome)
{
	g_free(outcome->message);
	g_free(outcome->seen);
}

/* Feed bytes in chunks of that size (0: all at once), finish, and say what came of it. */
static struct outcome receive(const char *bytes, size_t length, size_t chunk)
{
	GString *seen = g_string_new(NULL);
	g_autoptr(frameset) set = frameset_new("L2", EPTLAB_ERROR_L2, "probe", collect, seen);
	GError *error = NULL;
	bool good = true;
	struct outcome outcome;

	for (size_t at = 0, step; at < length && good; at += step) {
		step = chunk && chunk < length - at ? chunk : length - at;
		good = frameset_feed(set, bytes + at, step, &error);
	}
	good = good && frameset_finish(set, &error);
	assert_int_equal(good, frameset_is_complete(set));
	assert_int_equal(good, error == NULL);
	outcome.message = error != NULL ? g_strdup(error->message) : NULL;
	outcome.seen = g_string_free(seen, FALSE);
	if (error != NULL)
		assert_error(&error, EPTLAB_ERROR_L2, "L2: ");
	assert_true(good || g_str_has_prefix(outcome.message, "L2: "));
	return outcome;
}

static void assert_good(const GString *bytes)
{
	for (size_t chunk = 0; chunk < 8; chunk++) {
		struct outcome outcome = receive(bytes->str, bytes->len, chunk);

		if (outcome.message != NULL)
			fail_msg("chunks of %zu: %s", chunk, outcome.message);
		assert_string_equal(outcome.seen, SAMPLE_SEEN);
		outcome_clear(&outcome);
	}
}

/* Refused, with these words in the message, and so many frames of the sample given on before. */
static void assert_refused(const GString *bytes, const char *words, int seen)
{
	static const size_t lengths[] = { 0, 8, 15, 22, 29, 35 };
	g_autofree char *expected = g_strndup(SAMPLE_SEEN, lengths[seen]);

	for (size_t chunk = 0; chunk < 3; chunk++) {
		struct outcome outcome = receive(bytes->str, bytes->len, chunk);

		assert_says(outcome.message, words);
		assert_string_equal(outcome.seen, expected);
		outcome_clear(&outcome);
	}
}

TEST(callback_comes_at_the_end_of_the_line)
{
	g_autoptr(GString) bytes = sample();
	GString *seen = g_string_new(NULL);
	g_autoptr(frameset) set = frameset_new("L2", EPTLAB_ERROR_L2, "probe", collect, seen);
	size_t first = strlen("@ept1 0 begin proto=1 from=probe #12345678\n");

	assert_true(frameset_feed(set, bytes->str, first - 1, NULL));
	assert_string_equal(seen->str, "");
	assert_int_equal(frameset_frames(set), 0);
	assert_true(frameset_feed(set, bytes->str + first - 1, 1, NULL));
	assert_string_equal(seen->str, "0:begin ");
	assert_int_equal(frameset_frames(set), 1);
	assert_false(frameset_is_complete(set));
	assert_true(frameset_feed(set, bytes->str + first, bytes->len - first, NULL));
	assert_true(frameset_is_complete(set));
	assert_int_equal(frameset_frames(set), SAMPLE_FRAMES);
	g_string_free(seen, TRUE);
}

TEST(console_text_is_counted_and_left_out)
{
	static const char noise[] =
		"[    0.000000] Linux version 6.1\r\n\0\0root@eptlab:~# mail a@ept "
		"@@ept\xff @e @ept @ept1\n\n@ept1x @ept1234567890 ";
	const size_t size = sizeof(noise) - 1;
	/* In front of each frame, on its own line. */
	g_autoptr(GString) bytes = lines_in_order("01234", noise, size, "\r\n");

	g_string_append_len(bytes, noise, (gssize)size);
	assert_good(bytes);
}

TEST(mark_after_half_a_mark)
{
	test_each_of (row, "", "@", "@e", "@ep", "@ept", "@ept1", "@ept12", "@@") {
		g_autoptr(GString) bytes = sample();

		g_string_prepend(bytes, *row);
		assert_good(bytes);
	}
}

TEST(line_ends)
{
	test_each_of (row, "\r\n", "\r\r\n") {
		g_autoptr(GString) bytes = lines_in_order("01234", "", 0, *row);

		assert_good(bytes);
	}
}

/* Ten megabytes without a line's end are text like any other, and are not kept. */
TEST(endless_console_line)
{
	g_autofree char *noise = g_strnfill(10 << 20, '@');
	g_autoptr(GString) bytes = sample();

	g_string_prepend(bytes, noise);
	assert_good(bytes);
}

static void assert_none(const char *bytes, size_t length, const char *words)
{
	struct outcome outcome = receive(bytes, length, 0);

	assert_says(outcome.message, words);
	outcome_clear(&outcome);
}

/* At every byte. The beginning lost: the first frame seen whole is not number 0. */
TEST(set_without_its_end_or_beginning_is_refused)
{
	g_autoptr(GString) bytes = sample();

	for (size_t at = 0; at < bytes->len; at++)
		assert_none(bytes->str, at, "the input ended");
	for (size_t at = 1; at <= bytes->len; at++)
		assert_none(bytes->str + at, bytes->len - at, "");
}

TEST(every_byte_left_out_or_changed_is_refused)
{
	g_autoptr(GString) whole = sample();

	for (size_t at = 0; at < whole->len; at++) {
		const char right = whole->str[at];

		for (unsigned int change = 1; change < 256; change++) {
			test_row("changes", at);
			whole->str[at] = (char)(right ^ change);
			assert_none(whole->str, whole->len, "");
		}
		g_string_erase(whole, (gssize)at, 1);
		assert_none(whole->str, whole->len, "");
		g_string_insert_c(whole, (gssize)at, right);
	}
}

/*
 * Every byte in front of every byte, except at a line's ends: there it is console text, or an empty
 * line. An '@' after the first one is an '@' in front of it.
 */
TEST(every_byte_put_in_is_refused)
{
	g_autoptr(GString) bytes = sample();

	for (size_t at = 1; at < bytes->len; at++) {
		const char before = bytes->str[at - 1];

		if (before == '\n' || bytes->str[at] == '\n')
			continue;
		for (unsigned int c = 0; c < 256; c++) {
			test_row("bytes", at);
			g_string_insert_c(bytes, (gssize)at, (char)c);
			if (c != '@' || before != '@')
				assert_none(bytes->str, bytes->len, "");
			g_string_erase(bytes, (gssize)at, 1);
		}
	}
}

/* Lines of the sample, then a frame with a good CRC, then anything; what is said of it. */
TEST(what_is_no_set_is_refused)
{
	static const char long_frame[] = "@ept1 1 text data=";
	static const struct {
		const char *order, *frame, *rest, *words;
		int seen; /* frames given on before */
	} cases[] = {
		/* Order and number of frames. */
		{ "001234", "", "", "frame 0 came twice or out of order, frame 1 was expected", 1 },
		{ "011234", "", "", "frame 1 came twice or out of order, frame 2 was expected", 2 },
		{ "02134", "", "", "frame 2 came where frame 1 was expected: 1 missing", 1 },
		{ "0134", "", "", "frame 3 came where frame 2 was expected: 1 missing", 2 },
		{ "04", "", "", "frame 4 came where frame 1 was expected: 3 missing", 1 },
		{ "1234", "", "", "frame 1 came where frame 0 was expected", 0 },
		{ "0123401234", "", "", "frame 0 came after the end frame", 5 },
		{ "012344", "", "", "frame 4 came after the end frame", 5 },
		{ "0123", "", "", "the input ended after 4 frames without an end frame", 4 },
		{ "", "", "", "the input ended after 0 frames without an end frame", 0 },
		{ "01234", "", "reboot: Power down\n@ept1 ", "the input ended within the frame",
		  5 },
		/* The end must count right. */
		{ "0123", "4 end frames=3 ", "", "4 came", 4 },
		{ "0123", "4 end frames=5 ", "", "4 came", 4 },
		{ "0123", "4 end frames=-4 ", "", "does not say how many", 4 },
		{ "0123", "4 end frames=four ", "", "does not say how many", 4 },
		{ "0123", "4 end frames= ", "", "does not say how many", 4 },
		/* The beginning must be right. The last but one must not reach a terminal. */
		{ "", "0 exit proto=1 from=probe ", "", "expected 'begin'", 0 },
		{ "", "0 end proto=1 from=probe ", "", "expected 'begin'", 0 },
		{ "", "0 begin proto=2 from=probe ", "", "does not say proto=1", 0 },
		{ "", "0 begin proto=one from=probe ", "", "does not say proto=1", 0 },
		{ "", "0 begin proto=1 from=agent ", "", "from 'agent', expected 'probe'", 0 },
		{ "", "0 begin proto=1 from=%1b[2J ", "", "from '\\033[2J'", 0 },
		{ "", "0 begin proto=1 ", "", "from 'nobody'", 0 },
		{ "0", "1 begin ", "", "second begin", 1 },
		/* Other versions. */
		{ "0", "", "@ept2 1 exit\n", "version", 1 },
		{ "0", "", "@ept10 \n", "version", 1 },
		{ "0", "", "@ept0 \n", "version", 1 },
		{ "0", "", "@ept123456789 \n", "version", 1 },
		/* Text right after the mark is a broken frame, whatever else it may be. */
		{ "0", "", "@ept1 1 exit reason=0 eax=0x1eee #00000000\n",
		  "number 1, where 1 was expected: its CRC", 1 },
		{ "0", "", "@ept1 1 exit rea[  1.5] usb 1-1\n",
		  "number 1, where 1 was expected: it does not end", 1 },
		{ "0", "", "@ept1 1 exit reason=0 eax=0x1eee #0000000\n", "does not end with a CRC",
		  1 },
		{ "0", "", "@ept1 1 exit reason=0 eax=0x1eee #0000000A\n",
		  "does not end with a CRC", 1 },
		{ "0", "", "@ept1 is how a frame begins\n", "where number 1 was expected", 1 },
		{ "0", "", long_frame, "longer than 1024 bytes", 1 },
	};
	g_autofree char *filler = g_strnfill(FRAME_LINE_MAX, 'x');

	test_each (row, cases) {
		g_autoptr(GString) bytes = lines_in_order(row->order, "", 0, "\n");
		g_autofree char *text = g_strconcat("@ept1 ", row->frame, NULL);
		g_autoptr(GString) frame = with_crc(text, strlen(text));

		if (*row->frame != '\0')
			g_string_append_printf(bytes, "%s\n", frame->str);
		g_string_append(bytes, row->rest);
		if (row->rest == long_frame)
			g_string_append(bytes, filler);
		assert_refused(bytes, row->words, row->seen);
	}
}

TEST(refusal_is_for_good)
{
	g_autoptr(GString) bytes = lines_in_order("02", "", 0, "\n");
	g_autoptr(GString) rest = sample();
	g_autoptr(GError) first = NULL, second = NULL, third = NULL;
	g_autoptr(frameset) set = frameset_new("L1", EPTLAB_ERROR_L1, "probe", NULL, NULL);

	assert_false(frameset_feed(set, bytes->str, bytes->len, &first));
	assert_int_equal(first->code, EPTLAB_ERROR_L1);
	assert_false(frameset_feed(set, rest->str, rest->len, &second));
	assert_false(frameset_finish(set, &third));
	assert_string_equal(first->message, second->message);
	assert_string_equal(first->message, third->message);
	assert_false(frameset_is_complete(set));
	assert_false(frameset_feed(set, "", 0, NULL));
}

static bool refuse_with_error(const struct frame *frame, void *data, GError **error)
{
	(void)data;
	if (frame->seq < 2)
		return true;
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L2, "L2: not this one");
	return false;
}

static bool refuse_without_a_word(const struct frame *frame, void *data, GError **error)
{
	(void)data;
	(void)error;
	return frame->seq < 2;
}

TEST(callback_can_refuse)
{
	g_autoptr(GString) bytes = sample();
	g_autoptr(frameset) one =
		frameset_new("L2", EPTLAB_ERROR_L2, "probe", refuse_with_error, NULL);
	g_autoptr(frameset) two =
		frameset_new("L2", EPTLAB_ERROR_L2, "probe", refuse_without_a_word, NULL);
	g_autoptr(GError) error = NULL;

	assert_false(frameset_feed(one, bytes->str, bytes->len, &error));
	assert_string_equal(error->message, "L2: not this one");
	assert_false(frameset_finish(one, NULL));
	g_clear_error(&error);
	assert_false(frameset_feed(two, bytes->str, bytes->len, &error));
	assert_says(error->message, "frame 2 of kind 'exit' was not wanted");
}

/* ---- Fields and texts ---- */

TEST(fields_are_named_in_messages)
{
	static const struct {
		const char *key;
		uint64_t most;
		const char *message;
	} cases[] = {
		{ "eax", 255, "L1: frame 9 (exit): eax=256, expected a number from 0 to 255" },
		{ "word", 9, "L1: frame 9 (exit): word=-1\\n, expected a number from 0 to 9" },
		{ "ebx", 9, "L1: frame 9 (exit) has no field 'ebx' that is a text" },
	};
	struct frame_line line;
	const struct frame *frame;
	g_autoptr(GError) error = NULL;
	uint64_t value = 5;

	frame_open(&line, 9, "exit");
	frame_add_u64(&line, "eax", 256);
	frame_add_string(&line, "word", "-1\n");
	frame_add_bytes(&line, "nul", "\0", 1);
	assert_true(frame_close(&line));
	frame = parsed(&line);
	assert_true(frameset_field_u64(frame, "L2", EPTLAB_ERROR_L2, "eax", 256, &value, &error));
	test_each (row, cases) {
		assert_false(frameset_field_u64(frame, "L1", EPTLAB_ERROR_L1, row->key, row->most,
						&value, &error));
		assert_string_equal(error->message, row->message);
		assert_error(&error, EPTLAB_ERROR_L1, "");
	}
	assert_false(frameset_field_u64(frame, "L2", EPTLAB_ERROR_L2, "eax", 255, &value, &error));
	assert_error(&error, EPTLAB_ERROR_L2, "L2: frame 9 (exit): eax=256, expected");
	assert_null(frameset_field_string(frame, "L1", EPTLAB_ERROR_L1, "nul", &error));
	assert_non_null(error);
	assert_int_equal(value, 256);
}

/* Send data as text frames and take them again; returns how many frames it took. */
static unsigned int carry(frame_texts *texts, const char *name, const char *data, size_t length)
{
	struct frame_line line;
	unsigned int frames = 0;
	size_t taken;

	do {
		assert_true(frame_text(&line, ++frames, name, data, length, &taken));
		assert_true(frame_texts_add(texts, parsed(&line), "L1", EPTLAB_ERROR_L1, 1 << 20,
					    NULL));
		data += taken;
		length -= taken;
	} while (length > 0);
	return frames;
}

TEST(texts_are_carried_whole)
{
	g_autofree char *console = g_malloc(100000);
	frame_texts *texts = frame_texts_new();

	for (unsigned int i = 0; i < 100000; i++)
		console[i] = (char)(i * 7 + i / 256);
	assert_true(carry(texts, "ept/l2-console.log", console, 100000) > 100);
	assert_int_equal(carry(texts, "empty", "", 0), 1);
	assert_int_equal(carry(texts, "dmesg.log", "one\n", 4), 1);
	assert_int_equal(carry(texts, "dmesg.log", "two\n", 4), 1);

	assert_int_equal(frame_texts_get(texts, "ept/l2-console.log")->len, 100000);
	assert_memory_equal(frame_texts_get(texts, "ept/l2-console.log")->str, console, 100000);
	assert_int_equal(frame_texts_get(texts, "empty")->len, 0);
	assert_string_equal(frame_texts_get(texts, "dmesg.log")->str, "one\ntwo\n");
	assert_null(frame_texts_get(texts, "other"));
	g_hash_table_unref(texts);
}

TEST(text_frames_are_checked)
{
	static const char no_name[] = "is no name of a file in a record";
	static const struct {
		const char *fields;
		size_t limit;
		const char *words; /* NULL: it is taken */
	} cases[] = {
		{ "name=a|data=x", 1, NULL },
		{ "name=ept/dmesg.log|data=x", 1, NULL },
		{ "name=no-ept_2/x.y|data=x", 1, NULL },
		/* No safe paths. */
		{ "name=|data=x", 1, no_name },
		{ "name=/|data=x", 1, no_name },
		{ "name=/a|data=x", 1, no_name },
		{ "name=a/|data=x", 1, no_name },
		{ "name=../a|data=x", 1, no_name },
		{ "name=a/..|data=x", 1, no_name },
		{ "name=a/../b|data=x", 1, no_name },
		{ "name=.a|data=x", 1, no_name },
		{ "name=a/.b|data=x", 1, no_name },
		{ "name=a//b|data=x", 1, no_name },
		{ "name=a/b/c|data=x", 1, no_name },
		{ "name=a b|data=x", 1, no_name },
		{ "name=a\nb|data=x", 1, no_name },
		{ "name=-a|data=x", 1, no_name },
		/* Not all is there, or too much. */
		{ "name=a", 1, "has no field 'data'" },
		{ "data=x", 1, "" },
		{ "name=a|data=12345", 5, NULL },
		{ "name=a|data=12345", 4, "more than 4 bytes" },
	};

	test_each (row, cases) {
		g_autoptr(GString) line = g_string_new(NULL);
		frame_texts *texts = frame_texts_new();
		g_autoptr(GError) error = NULL;
		struct frame frame;
		bool has_seq;

		put_frame(line, 3, "text", row->fields);
		assert_null(frame_parse(line->str, line->len - 1, &frame, &has_seq));
		assert_int_equal(
			frame_texts_add(texts, &frame, "L1", EPTLAB_ERROR_L1, row->limit, &error),
			row->words == NULL);
		if (row->words != NULL)
			assert_error(&error, EPTLAB_ERROR_L1, row->words);
		assert_null(error);
		g_hash_table_unref(texts);
	}
}

TEST(texts_are_bounded_together)
{
	frame_texts *texts = frame_texts_new();
	struct frame_line line;
	const struct frame *frame;
	size_t taken;

	carry(texts, "one", "123", 3);
	assert_true(frame_text(&line, 1, "two", "4567", 4, &taken));
	frame = parsed(&line);
	assert_false(frame_texts_add(texts, frame, "L1", EPTLAB_ERROR_L1, 6, NULL));
	assert_null(frame_texts_get(texts, "two"));
	assert_true(frame_texts_add(texts, frame, "L1", EPTLAB_ERROR_L1, 7, NULL));
	g_hash_table_unref(texts);
}
