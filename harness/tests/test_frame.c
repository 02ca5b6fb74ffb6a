/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <zlib.h>

#include "model/frameset.h"
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

TEST(begin_and_end_are_as_documented)
{
	struct frame_line line;

	assert_true(frame_begin(&line, "probe"));
	assert_memory_equal(line.line, "@ept1 0 begin proto=1 from=probe #", 34);
	assert_int_equal(line.length, 34 + 8 + 1);
	assert_int_equal(line.line[line.length - 1], '\n');
	assert_int_equal(strlen(line.line), line.length);

	assert_true(frame_end(&line, 65));
	assert_memory_equal(line.line, "@ept1 65 end frames=65 #", 24);
}

TEST(values_are_escaped)
{
	struct frame_line line;

	frame_open(&line, 7, "text");
	frame_add_bytes(&line, "data", "a b%c#d=e@f\n\r\t\0\x7f\x80\xff~!", 20);
	assert_true(frame_close(&line));
	assert_memory_equal(line.line,
			    "@ept1 7 text data=a%20b%25c%23d%3de%40f%0a%0d%09%00%7f%80%ff~! #", 64);
}

TEST(numbers_are_written_in_both_ways)
{
	struct frame_line line;

	frame_open(&line, 1, "exit");
	frame_add_u64(&line, "a", UINT64_MAX);
	frame_add_u64(&line, "b", 0);
	frame_add_hex(&line, "c", 0xdeadbeef);
	frame_add_hex(&line, "d", 0);
	assert_true(frame_close(&line));
	assert_memory_equal(line.line,
			    "@ept1 1 exit a=18446744073709551615 b=0 c=0xdeadbeef d=0x0 #", 60);
}

/* Parse what was written and compare. */
TEST(parse_gives_back_what_was_written)
{
	struct frame_line line;
	struct frame frame;
	bool has_seq;
	char bytes[256];
	unsigned int i;
	uint64_t number;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	frame_open(&line, 4711, "mixed_9");
	frame_add_bytes(&line, "all", bytes, sizeof(bytes));
	frame_add_string(&line, "empty", "");
	frame_add_u64(&line, "u", UINT64_MAX);
	frame_add_hex(&line, "h", UINT64_MAX);
	assert_true(frame_close(&line));

	assert_null(frame_parse(line.line, line.length - 1, &frame, &has_seq));
	assert_true(has_seq);
	assert_int_equal(frame.seq, 4711);
	assert_string_equal(frame.kind, "mixed_9");
	assert_int_equal(frame.count, 4);
	assert_int_equal(frame_find(&frame, "all")->length, sizeof(bytes));
	assert_memory_equal(frame_find(&frame, "all")->value, bytes, sizeof(bytes));
	assert_null(frame_get(&frame, "all")); /* holds a NUL, so it is no C string */
	assert_string_equal(frame_get(&frame, "empty"), "");
	assert_null(frame_get(&frame, "missing"));
	assert_true(frame_get_u64(&frame, "u", &number) && number == UINT64_MAX);
	assert_true(frame_get_u64(&frame, "h", &number) && number == UINT64_MAX);
	assert_false(frame_get_u64(&frame, "empty", &number));
	assert_false(frame_get_u64(&frame, "missing", &number));
}

TEST(unwritable_frames_are_refused)
{
	static const char *const bad_words[] = {
		"",    "Upper",	   "9digit",
		"_x",  "a-b",	   "a b",
		"a=b", "\xc3\xa4", "abcdefghijklmnopqrstuvwxyzabcdef", /* 32 characters */
	};
	struct frame_line line;
	char many[8];
	unsigned int i;

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
	for (i = 0; i < FRAME_FIELDS_MAX; i++) {
		snprintf(many, sizeof(many), "k%u", i);
		frame_add_u64(&line, many, i);
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
	struct frame frame;
	bool has_seq;

	memset(data, 'x', sizeof(data));
	frame_open(&line, 1, "x");
	frame_add_bytes(&line, "d", data, space);
	assert_true(frame_close(&line));
	assert_int_equal(line.length, FRAME_LINE_MAX);
	assert_null(frame_parse(line.line, line.length - 1, &frame, &has_seq));

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

/* A line with a good CRC and this text before it. */
static const char *parse_text(const char *text, size_t length)
{
	static char line[2 * FRAME_LINE_MAX];
	struct frame frame;
	bool has_seq;

	memcpy(line, text, length);
	snprintf(line + length, 16, "#%08lx", crc32(0, (const Bytef *)text, (uInt)length));
	return frame_parse(line, length + 9, &frame, &has_seq);
}

/* Each of these has a good CRC: whoever wrote it does not keep to the protocol. */
TEST(only_one_way_to_write_a_frame)
{
	static const char *const bad[] = {
		"@ept1 ",
		"@ept1 1 ",
		"@ept1 1  ",
		"@ept1 x kind ",
		"@ept1 01 kind ",
		"@ept1 0x1 kind ",
		"@ept1 -1 kind ",
		"@ept1 +1 kind ",
		"@ept1  1 kind ",
		"@ept1 2147483648 kind ",
		"@ept1 99999999999999999999 kind ",
		"@ept1 1 Kind ",
		"@ept1 1 k=v ",
		"@ept1 1 kind  ",
		"@ept1 1 kind k ",
		"@ept1 1 kind  k=v ",
		"@ept1 1 kind k=v  ",
		"@ept1 1 kind =v ",
		"@ept1 1 kind k=v k=v ",
		"@ept1 1 kind K=v ",
		"@ept1 1 kind k=%4 ",
		"@ept1 1 kind k=% ",
		"@ept1 1 kind k=%zz ",
		"@ept1 1 kind k=%41 ",
		"@ept1 1 kind k=%2D ",
		"@ept1 1 kind k=%2A ",
		"@ept1 1 kind k=%0A ",
		"@ept1 1 kind k=a=b ",
		"@ept1 1 kind k=a#b ",
		"@ept1 1 kind k=a@b ",
		"@ept1 1 kind k=\x80 ",
		"@ept1 1 kind k=a\tb ",
		"@ept2 1 kind ",
		"@ept12 1 kind ",
		"@ept1x1 kind ",
		"@ept1 1 kind",
	};

	assert_null(parse_text("@ept1 1 kind ", 13));
	assert_null(parse_text("@ept1 1 kind k=v ", 17));
	assert_null(parse_text("@ept1 1 kind k=%0a ", 19));
	assert_null(parse_text("@ept1 2147483647 kind ", 22));
	test_each (row, bad)
		if (!parse_text(*row, strlen(*row)))
			fail_msg("taken for a frame: '%s'", *row);
	assert_non_null(parse_text("@ept1 1 kind k=\0 ", 17));
	assert_non_null(parse_text("@ept1 1\0kind k=v ", 17));
}

TEST(fields_are_limited_on_both_sides)
{
	GString *text = g_string_new("@ept1 1 kind ");
	unsigned int i;

	for (i = 0; i < FRAME_FIELDS_MAX; i++)
		g_string_append_printf(text, "k%u= ", i);
	assert_null(parse_text(text->str, text->len));
	g_string_append(text, "more= ");
	assert_string_equal(parse_text(text->str, text->len), "there are too many fields");
	g_string_free(text, TRUE);
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
	static const char *const bad[] = {
		"",
		"+1",
		"-1",
		" 1",
		"1 ",
		"1x",
		"x",
		"0x",
		"0xg",
		"0X1",
		"00",
		"01",
		"1e3",
		"1.0",
		"18446744073709551616",
		"99999999999999999999",
		"184467440737095516150",
		"0x10000000000000000",
		"0x00000000000000001",
		"\xd9\xa1",
	};
	uint64_t value;

	test_each (row, good) {
		assert_true(frame_parse_u64(row->text, &value));
		assert_true(value == row->value);
	}
	test_each (row, bad) {
		value = 42;
		if (frame_parse_u64(*row, &value))
			fail_msg("taken for a number: '%s'", *row);
		assert_int_equal(value, 42);
	}
}

/* ---- A set of frames ---- */

/* The frames that a set gives on, as "seq:kind ". */
static bool collect(const struct frame *frame, void *data, GError **error)
{
	(void)error;
	g_string_append_printf(data, "%u:%s ", frame->seq, frame->kind);
	return true;
}

static void append_line(GString *out, bool good, const struct frame_line *line)
{
	assert_true(good);
	g_string_append_len(out, line->line, (gssize)line->length);
}

static void append_exit(GString *out, uint32_t seq, uint64_t count)
{
	struct frame_line line;

	frame_open(&line, seq, "exit");
	frame_add_u64(&line, "reason", seq - 1);
	frame_add_hex(&line, "eax", count);
	append_line(out, frame_close(&line), &line);
}

static void append_begin(GString *out)
{
	struct frame_line line;

	append_line(out, frame_begin(&line, "probe"), &line);
}

static void append_end(GString *out, uint32_t seq)
{
	struct frame_line line;

	append_line(out, frame_end(&line, seq), &line);
}

#define SAMPLE_FRAMES 5
#define SAMPLE_SEEN   "0:begin 1:exit 2:exit 3:exit 4:end "

static GString *sample(void)
{
	GString *out = g_string_new(NULL);

	append_begin(out);
	append_exit(out, 1, 7918);
	append_exit(out, 2, 0);
	append_exit(out, 3, 495);
	append_end(out, 4);
	return out;
}

/* Split a set into its lines, without their ends. */
static char **sample_lines(void)
{
	g_autoptr(GString) out = sample();

	g_string_truncate(out, out->len - 1);
	return g_strsplit(out->str, "\n", -1);
}

struct outcome {
	bool good;
	char *message;
	char *seen;
	uint64_t foreign;
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
	g_autoptr(GError) error = NULL;
	struct outcome outcome = { .good = true };
	size_t at, step;

	for (at = 0; at < length && outcome.good; at += step) {
		step = chunk && chunk < length - at ? chunk : length - at;
		outcome.good = frameset_feed(set, bytes + at, step, &error);
	}
	if (outcome.good)
		outcome.good = frameset_finish(set, &error);
	assert_int_equal(outcome.good, frameset_is_complete(set));
	assert_int_equal(outcome.good, error == NULL);
	if (error) {
		assert_int_equal(error->domain, EPTLAB_ERROR);
		assert_int_equal(error->code, EPTLAB_ERROR_L2);
		assert_true(g_str_has_prefix(error->message, "L2: "));
		outcome.message = g_strdup(error->message);
	}
	outcome.seen = g_string_free(seen, FALSE);
	outcome.foreign = frameset_foreign_bytes(set);
	return outcome;
}

static void assert_good(const GString *bytes, uint64_t foreign)
{
	size_t chunk;

	for (chunk = 0; chunk < 8; chunk++) {
		struct outcome outcome = receive(bytes->str, bytes->len, chunk);

		if (!outcome.good)
			fail_msg("chunks of %zu: %s", chunk, outcome.message);
		assert_string_equal(outcome.seen, SAMPLE_SEEN);
		assert_int_equal(outcome.foreign, foreign);
		outcome_clear(&outcome);
	}
}

/* Refused, with these words in the message, and only these frames given on before. */
static void assert_refused(const GString *bytes, const char *words, const char *seen)
{
	size_t chunk;

	for (chunk = 0; chunk < 3; chunk++) {
		struct outcome outcome = receive(bytes->str, bytes->len, chunk);

		assert_false(outcome.good);
		if (!outcome.message || !strstr(outcome.message, words))
			fail_msg("'%s' is not in: %s", words, outcome.message);
		assert_string_equal(outcome.seen, seen);
		outcome_clear(&outcome);
	}
}

TEST(set_is_taken_in_any_chunks)
{
	g_autoptr(GString) bytes = sample();

	assert_good(bytes, 0);
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
	g_auto(GStrv) lines = sample_lines();
	g_autoptr(GString) bytes = g_string_new(NULL);
	unsigned int i;

	for (i = 0; lines[i]; i++) {
		/* In front of a frame, on its own line. */
		g_string_append_len(bytes, noise, (gssize)size);
		g_string_append(bytes, lines[i]);
		g_string_append(bytes, "\r\n");
	}
	g_string_append_len(bytes, noise, (gssize)size);
	assert_good(bytes, (SAMPLE_FRAMES + 1) * size);
}

TEST(mark_after_half_a_mark)
{
	static const char *const prefixes[] = { "@", "@e", "@ep", "@ept", "@ept1", "@ept12", "@@" };

	test_each (row, prefixes) {
		g_autoptr(GString) bytes = sample();

		g_string_prepend(bytes, *row);
		assert_good(bytes, strlen(*row));
	}
}

TEST(line_ends)
{
	static const char *const ends[] = { "\r\n", "\r\r\n" };
	g_auto(GStrv) lines = sample_lines();

	test_each (row, ends) {
		g_autoptr(GString) bytes = g_string_new(NULL);
		g_autofree char *body = g_strjoinv(*row, lines);

		g_string_append(bytes, body);
		g_string_append(bytes, *row);
		assert_good(bytes, 0);
	}
}

/* Ten megabytes without a line's end are text like any other, and are not kept. */
TEST(endless_console_line)
{
	g_autofree char *noise = g_malloc(10 << 20);
	g_autoptr(GString) bytes = sample();

	memset(noise, '@', 10 << 20);
	g_string_prepend_len(bytes, noise, 10 << 20);
	assert_good(bytes, 10 << 20);
}

TEST(set_cut_at_every_byte_is_refused)
{
	g_autoptr(GString) bytes = sample();
	size_t length;

	for (length = 0; length < bytes->len; length++) {
		struct outcome outcome = receive(bytes->str, length, 0);

		assert_false(outcome.good);
		assert_says(outcome.message, "the input ended");
		outcome_clear(&outcome);
	}
}

/* The beginning lost, at every byte: the first frame seen whole is not number 0. */
TEST(set_without_its_beginning_is_refused)
{
	g_autoptr(GString) bytes = sample();
	size_t start;

	for (start = 1; start <= bytes->len; start++) {
		struct outcome outcome = receive(bytes->str + start, bytes->len - start, 0);

		assert_false(outcome.good);
		outcome_clear(&outcome);
	}
}

TEST(every_byte_left_out_is_refused)
{
	g_autoptr(GString) whole = sample();
	size_t at;

	for (at = 0; at < whole->len; at++) {
		g_autoptr(GString) bytes = g_string_new_len(whole->str, (gssize)whole->len);
		struct outcome outcome;

		g_string_erase(bytes, (gssize)at, 1);
		outcome = receive(bytes->str, bytes->len, 0);
		assert_false(outcome.good);
		outcome_clear(&outcome);
	}
}

TEST(every_changed_byte_is_refused)
{
	g_autoptr(GString) bytes = sample();
	size_t at;
	unsigned int change;

	for (at = 0; at < bytes->len; at++) {
		char right = bytes->str[at];

		for (change = 1; change < 256; change++) {
			struct outcome outcome;

			bytes->str[at] = (char)(right ^ change);
			outcome = receive(bytes->str, bytes->len, 0);
			if (outcome.good)
				fail_msg("byte %zu changed by %#x was taken", at, change);
			outcome_clear(&outcome);
		}
		bytes->str[at] = right;
	}
}

/*
 * Every byte in front of every byte, except at a line's ends: there it is console text, or an empty
 * line. An '@' after the first one is an '@' in front of it.
 */
TEST(every_byte_put_in_is_refused)
{
	g_autoptr(GString) whole = sample();
	size_t at;
	unsigned int c;

	for (at = 0; at < whole->len; at++) {
		bool at_edge = at == 0 || whole->str[at - 1] == '\n' || whole->str[at] == '\n';

		for (c = 0; c < 256 && !at_edge; c++) {
			g_autoptr(GString) bytes = g_string_new_len(whole->str, (gssize)whole->len);
			struct outcome outcome;

			g_string_insert_c(bytes, (gssize)at, (char)c);
			outcome = receive(bytes->str, bytes->len, 0);
			if (outcome.good && !(c == '@' && whole->str[at - 1] == '@'))
				fail_msg("byte %#x put in at %zu was taken", c, at);
			outcome_clear(&outcome);
		}
	}
}

/* The sample with its lines in another order, doubled or left out. */
static GString *lines_in_order(const char *order)
{
	g_auto(GStrv) lines = sample_lines();
	GString *bytes = g_string_new(NULL);

	for (; *order; order++)
		g_string_append_printf(bytes, "%s\n", lines[*order - '0']);
	return bytes;
}

TEST(order_and_number_of_frames)
{
	static const struct {
		const char *order, *words, *seen;
	} cases[] = {
		{ "001234", "frame 0 came twice or out of order, frame 1 was expected",
		  "0:begin " },
		{ "011234", "frame 1 came twice or out of order, frame 2 was expected",
		  "0:begin 1:exit " },
		{ "02134", "frame 2 came where frame 1 was expected: 1 missing", "0:begin " },
		{ "0134", "frame 3 came where frame 2 was expected: 1 missing", "0:begin 1:exit " },
		{ "04", "frame 4 came where frame 1 was expected: 3 missing", "0:begin " },
		{ "1234", "frame 1 came where frame 0 was expected", "" },
		{ "0123401234", "frame 0 came after the end frame", SAMPLE_SEEN },
		{ "012344", "frame 4 came after the end frame", SAMPLE_SEEN },
		{ "0123", "the input ended after 4 frames without an end frame",
		  "0:begin 1:exit 2:exit 3:exit " },
		{ "", "the input ended after 0 frames without an end frame", "" },
	};

	test_each (row, cases) {
		g_autoptr(GString) bytes = lines_in_order(row->order);

		assert_refused(bytes, row->words, row->seen);
	}
}

TEST(end_must_count_right)
{
	static const char *const ends[] = { "3", "5", "-4", "four", "" };
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(ends); i++) {
		g_autoptr(GString) bytes = lines_in_order("0123");
		struct frame_line line;

		frame_open(&line, 4, "end");
		frame_add_string(&line, "frames", ends[i]);
		append_line(bytes, frame_close(&line), &line);
		assert_refused(bytes, i < 2 ? "4 came" : "does not say how many",
			       "0:begin 1:exit 2:exit 3:exit ");
	}
}

TEST(begin_must_be_right)
{
	static const struct {
		const char *kind, *proto, *from, *words;
	} cases[] = {
		{ "exit", "1", "probe", "expected 'begin'" },
		{ "end", "1", "probe", "expected 'begin'" },
		{ "begin", "2", "probe", "does not say proto=1" },
		{ "begin", "one", "probe", "does not say proto=1" },
		{ "begin", "1", "agent", "from 'agent', expected 'probe'" },
		{ "begin", "1", "\x1b[2J", "from '\\033[2J'" }, /* must not reach a terminal */
		{ "begin", "1", NULL, "from 'nobody'" },
	};

	test_each (row, cases) {
		g_autoptr(GString) bytes = g_string_new(NULL);
		struct frame_line line;

		frame_open(&line, 0, row->kind);
		frame_add_string(&line, "proto", row->proto);
		if (row->from)
			frame_add_string(&line, "from", row->from);
		append_line(bytes, frame_close(&line), &line);
		assert_refused(bytes, row->words, "");
	}
}

TEST(second_begin_is_refused)
{
	g_autoptr(GString) bytes = lines_in_order("0");
	struct frame_line line;

	frame_open(&line, 1, "begin");
	append_line(bytes, frame_close(&line), &line);
	assert_refused(bytes, "second begin", "0:begin ");
}

TEST(other_version_is_refused)
{
	static const char *const others[] = { "@ept2 1 exit", "@ept10 ", "@ept0 ",
					      "@ept123456789 " };

	test_each (row, others) {
		g_autoptr(GString) bytes = lines_in_order("0");

		g_string_append_printf(bytes, "%s\n", *row);
		assert_refused(bytes, "version", "0:begin ");
	}
}

/* Text right after the mark of a frame is a broken frame, whatever else it may be. */
TEST(broken_frame_is_named)
{
	static const struct {
		const char *line, *words;
	} cases[] = {
		{ "@ept1 1 exit reason=0 eax=0x1eee #00000000",
		  "number 1, where 1 was expected: its CRC" },
		{ "@ept1 1 exit rea[  1.5] usb 1-1",
		  "number 1, where 1 was expected: it does not end" },
		{ "@ept1 1 exit reason=0 eax=0x1eee #0000000", "does not end with a CRC" },
		{ "@ept1 1 exit reason=0 eax=0x1eee #0000000A", "does not end with a CRC" },
		{ "@ept1 is how a frame begins", "where number 1 was expected" },
	};

	test_each (row, cases) {
		g_autoptr(GString) bytes = lines_in_order("0");

		g_string_append_printf(bytes, "%s\n", row->line);
		assert_refused(bytes, row->words, "0:begin ");
	}
}

TEST(over_long_frame_is_refused)
{
	g_autoptr(GString) bytes = lines_in_order("0");
	size_t i;

	g_string_append(bytes, "@ept1 1 text data=");
	for (i = 0; i < FRAME_LINE_MAX; i++)
		g_string_append_c(bytes, 'x');
	assert_refused(bytes, "longer than 1024 bytes", "0:begin ");
}

TEST(refusal_is_for_good)
{
	g_autoptr(GString) bytes = lines_in_order("02");
	g_autoptr(GString) rest = sample();
	g_autoptr(GError) first = NULL;
	g_autoptr(GError) second = NULL;
	g_autoptr(GError) third = NULL;
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

TEST(frame_begun_after_the_end)
{
	g_autoptr(GString) bytes = sample();

	g_string_append(bytes, "reboot: Power down\n@ept1 ");
	assert_refused(bytes, "the input ended within the frame", SAMPLE_SEEN);
}

/* ---- Fields and texts ---- */

static void parse_into(struct frame_line *line, struct frame *frame)
{
	bool has_seq;

	assert_true(frame_close(line));
	assert_null(frame_parse(line->line, line->length - 1, frame, &has_seq));
}

TEST(fields_are_named_in_messages)
{
	struct frame_line line;
	struct frame frame;
	g_autoptr(GError) error = NULL;
	uint64_t value = 5;

	frame_open(&line, 9, "exit");
	frame_add_u64(&line, "eax", 256);
	frame_add_string(&line, "word", "-1\n");
	frame_add_bytes(&line, "nul", "\0", 1);
	parse_into(&line, &frame);

	assert_true(frameset_field_u64(&frame, "L2", EPTLAB_ERROR_L2, "eax", 256, &value, &error));
	assert_int_equal(value, 256);
	assert_false(frameset_field_u64(&frame, "L2", EPTLAB_ERROR_L2, "eax", 255, &value, &error));
	assert_string_equal(error->message,
			    "L2: frame 9 (exit): eax=256, expected a number from 0 to 255");
	g_clear_error(&error);
	assert_false(frameset_field_u64(&frame, "L2", EPTLAB_ERROR_L2, "word", 9, &value, &error));
	assert_string_equal(error->message,
			    "L2: frame 9 (exit): word=-1\\n, expected a number from 0 to 9");
	g_clear_error(&error);
	assert_false(frameset_field_u64(&frame, "L1", EPTLAB_ERROR_L1, "ebx", 9, &value, &error));
	assert_int_equal(error->code, EPTLAB_ERROR_L1);
	assert_string_equal(error->message, "L1: frame 9 (exit) has no field 'ebx' that is a text");
	g_clear_error(&error);
	assert_null(frameset_field_string(&frame, "L1", EPTLAB_ERROR_L1, "nul", &error));
	assert_non_null(error);
	assert_int_equal(value, 256);
}

/* Send data as text frames and take them again; returns how many frames it took. */
static unsigned int carry(frame_texts *texts, const char *name, const char *data, size_t length)
{
	struct frame_line line;
	struct frame frame;
	unsigned int frames = 0;
	size_t taken;
	bool has_seq;

	do {
		g_autoptr(GError) error = NULL;

		assert_true(frame_text(&line, ++frames, name, data, length, &taken));
		assert_null(frame_parse(line.line, line.length - 1, &frame, &has_seq));
		assert_true(frame_texts_add(texts, &frame, "L1", EPTLAB_ERROR_L1, 1 << 20, &error));
		data += taken;
		length -= taken;
	} while (length > 0);
	return frames;
}

TEST(texts_are_carried_whole)
{
	g_autofree char *console = g_malloc(100000);
	frame_texts *texts = frame_texts_new();
	unsigned int i;

	for (i = 0; i < 100000; i++)
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

static bool message_has(const char *message, const char *words)
{
	return message && strstr(message, words);
}

static bool text_frame_is_taken(const char *name, const char *data, size_t limit, char **message)
{
	frame_texts *texts = frame_texts_new();
	g_autoptr(GError) error = NULL;
	struct frame_line line;
	struct frame frame;
	bool good;

	frame_open(&line, 3, "text");
	if (name)
		frame_add_string(&line, "name", name);
	if (data)
		frame_add_string(&line, "data", data);
	parse_into(&line, &frame);
	good = frame_texts_add(texts, &frame, "L1", EPTLAB_ERROR_L1, limit, &error);
	*message = error ? g_strdup(error->message) : NULL;
	assert_int_equal(good, error == NULL);
	g_hash_table_unref(texts);
	return good;
}

TEST(text_names_are_safe_paths)
{
	static const char *const good[] = { "a", "ept/dmesg.log", "no-ept_2/x.y" };
	static const char *const bad[] = { "",	 "/",	 "/a",	 "a/",	  "../a", "a/..", "a/../b",
					   ".a", "a/.b", "a//b", "a/b/c", "a b",  "a\nb", "-a" };
	char *message = NULL;

	test_each (row, good)
		assert_true(text_frame_is_taken(*row, "x", 1, &message));
	test_each (row, bad) {
		if (text_frame_is_taken(*row, "x", 1, &message))
			fail_msg("taken for a name: '%s'", *row);
		assert_true(message_has(message, "is no name of a file in a record"));
		g_free(message);
	}
	assert_false(text_frame_is_taken("a", NULL, 1, &message));
	assert_true(message_has(message, "has no field 'data'"));
	g_free(message);
	assert_false(text_frame_is_taken(NULL, "x", 1, &message));
	g_free(message);
}

TEST(texts_are_bounded)
{
	char *message;

	assert_true(text_frame_is_taken("a", "12345", 5, &message));
	assert_false(text_frame_is_taken("a", "12345", 4, &message));
	assert_true(message_has(message, "more than 4 bytes"));
	g_free(message);
}

TEST(texts_are_bounded_together)
{
	frame_texts *texts = frame_texts_new();
	struct frame_line line;
	struct frame frame;
	g_autoptr(GError) error = NULL;
	size_t taken;
	bool has_seq;

	carry(texts, "one", "123", 3);
	assert_true(frame_text(&line, 1, "two", "4567", 4, &taken));
	assert_null(frame_parse(line.line, line.length - 1, &frame, &has_seq));
	assert_false(frame_texts_add(texts, &frame, "L1", EPTLAB_ERROR_L1, 6, &error));
	assert_null(frame_texts_get(texts, "two"));
	assert_true(frame_texts_add(texts, &frame, "L1", EPTLAB_ERROR_L1, 7, NULL));
	g_hash_table_unref(texts);
}
