/* SPDX-License-Identifier: GPL-2.0-only */
#include "wire/frameset.h"

#include <inttypes.h>
#include <string.h>

/*
 * What makes a line a frame, good or bad: "@ept", at least one digit, a blank. More than the first
 * four characters, because a prompt may well read "root@eptlab". Other versions count as frames,
 * so that they are refused and not overlooked.
 */
#define MARK	       "@ept"
#define VERSION_DIGITS 9

enum scan {
	SCAN_FOREIGN, /* outside a frame */
	SCAN_MARK,    /* line holds the beginning of what may be a frame */
	SCAN_FRAME,   /* line holds the beginning of a frame */
};

struct frameset {
	char *level;
	enum eptlab_error code;
	char *sender;
	frameset_func func;
	void *data;

	enum scan scan;
	char line[FRAME_LINE_MAX + 1];
	size_t length;

	uint32_t next; /* number that the next frame must have */
	bool ended;
	GError *refused; /* once set, for good */
};

frameset *frameset_new(const char *level, enum eptlab_error code, const char *sender,
		       frameset_func func, void *data)
{
	frameset *set = g_new0(frameset, 1);

	set->level = g_strdup(level);
	set->code = code;
	set->sender = g_strdup(sender);
	set->func = func;
	set->data = data;
	return set;
}

void frameset_free(frameset *set)
{
	if (!set)
		return;
	g_free(set->level);
	g_free(set->sender);
	g_clear_error(&set->refused);
	g_free(set);
}

#define refuse(set, format, ...)                                                                   \
	eptlab_fail(&(set)->refused, (set)->code, "%s: the frames of '%s' are refused: " format,   \
		    (set)->level, (set)->sender, ##__VA_ARGS__)

/*
 * Text from the other end, fit for a message: it may hold anything. NULL is nobody's name.
 */
static char *quoted(const char *text)
{
	g_autofree char *whole = g_strescape(text ? text : "nobody", NULL);

	return g_strndup(whole, 60);
}

/* The frame before is not known to be the same one, so "twice" is all that can be said. */
static bool check_sequence(frameset *set, const struct frame *frame)
{
	if (set->ended)
		return refuse(set,
			      "frame %" PRIu32 " came after the end frame, nothing was expected",
			      frame->seq);
	if (frame->seq < set->next)
		return refuse(set,
			      "frame %" PRIu32 " came twice or out of order, frame %" PRIu32
			      " was expected",
			      frame->seq, set->next);
	if (frame->seq > set->next)
		return refuse(set,
			      "frame %" PRIu32 " came where frame %" PRIu32
			      " was expected: %" PRIu32 " missing or out of order",
			      frame->seq, set->next, frame->seq - set->next);
	return true;
}

static bool check_begin(frameset *set, const struct frame *frame)
{
	const char *sender = frame_get(frame, "from");
	uint64_t version;

	if (strcmp(frame->kind, "begin") != 0)
		return refuse(set, "frame 0 is of kind '%s', expected 'begin'", frame->kind);
	if (!frame_get_u64(frame, "proto", &version) || version != FRAME_PROTOCOL)
		return refuse(set, "frame 0 does not say proto=%d", FRAME_PROTOCOL);
	if (!sender || strcmp(sender, set->sender) != 0) {
		g_autofree char *name = quoted(sender);

		return refuse(set, "frame 0 is from '%s', expected '%s'", name, set->sender);
	}
	return true;
}

static bool check_end(frameset *set, const struct frame *frame)
{
	uint64_t frames;

	if (frame->count != 1 || !frame_get_u64(frame, "frames", &frames))
		return refuse(set, "the end frame %" PRIu32 " does not say how many frames came",
			      frame->seq);
	if (frames != frame->seq)
		return refuse(set, "the end frame says %" PRIu64 " frames, %" PRIu32 " came",
			      frames, frame->seq);
	set->ended = true;
	return true;
}

static bool check_kind(frameset *set, const struct frame *frame)
{
	if (frame->seq == 0)
		return check_begin(set, frame);
	if (strcmp(frame->kind, "begin") == 0)
		return refuse(set, "frame %" PRIu32 " is a second begin frame", frame->seq);
	if (strcmp(frame->kind, "end") == 0)
		return check_end(set, frame);
	return true;
}

static bool pass_on(frameset *set, const struct frame *frame)
{
	bool good = !set->func || set->func(frame, set->data, &set->refused);

	if (!good && !set->refused)
		return refuse(set, "frame %" PRIu32 " of kind '%s' was not wanted", frame->seq,
			      frame->kind);
	return good;
}

/* A whole line that begins with MARK is in set->line, without its '\n'. */
static bool take_line(frameset *set)
{
	struct frame frame;
	const char *wrong;
	bool has_seq;

	/* A terminal line may have put one '\r' or more before the '\n'. */
	while (set->length > 0 && set->line[set->length - 1] == '\r')
		set->length--;
	wrong = frame_parse(set->line, set->length, &frame, &has_seq);
	if (wrong && has_seq)
		return refuse(set,
			      "the frame that says it is number %" PRIu32 ", where %" PRIu32
			      " was expected: %s",
			      frame.seq, set->next, wrong);
	if (wrong)
		return refuse(set, "the frame where number %" PRIu32 " was expected: %s", set->next,
			      wrong);
	if (!check_sequence(set, &frame) || !check_kind(set, &frame))
		return false;
	set->next++;
	return pass_on(set, &frame);
}

/* Could line be the beginning of a frame; is it one already? */
static enum scan scan_mark(const char *line, size_t length)
{
	const size_t mark = strlen(MARK);
	size_t digits;

	if (length <= mark)
		return memcmp(line, MARK, length) == 0 ? SCAN_MARK : SCAN_FOREIGN;
	for (digits = 0; mark + digits < length; digits++)
		if (!g_ascii_isdigit(line[mark + digits]))
			break;
	if (digits > VERSION_DIGITS)
		return SCAN_FOREIGN;
	if (mark + digits == length)
		return SCAN_MARK;
	return digits > 0 && line[mark + digits] == ' ' ? SCAN_FRAME : SCAN_FOREIGN;
}

/* It was text, and only its last byte can be the beginning of something. */
static void start(frameset *set, char c)
{
	set->scan = c == MARK[0] ? SCAN_MARK : SCAN_FOREIGN;
	set->line[0] = c;
	set->length = 1;
}

static bool take_byte(frameset *set, char c)
{
	if (set->scan == SCAN_FOREIGN) {
		start(set, c);
		return true;
	}
	if (set->scan == SCAN_FRAME && c == '\n') {
		set->scan = SCAN_FOREIGN;
		return take_line(set);
	}
	/* One byte of the line is the '\n' that has not come yet. */
	if (set->length == FRAME_LINE_MAX - 1)
		return refuse(set,
			      "the line where frame %" PRIu32
			      " was expected is longer than %d bytes",
			      set->next, FRAME_LINE_MAX);
	set->line[set->length++] = c;
	if (set->scan == SCAN_MARK)
		set->scan = scan_mark(set->line, set->length);
	if (set->scan == SCAN_FOREIGN)
		start(set, c);
	return true;
}

static bool report(const frameset *set, GError **error)
{
	if (set->refused)
		g_propagate_error(error, g_error_copy(set->refused));
	return !set->refused;
}

bool frameset_feed(frameset *set, const void *bytes, size_t length, GError **error)
{
	const char *text = bytes;

	for (size_t i = 0; i < length && !set->refused; i++)
		take_byte(set, text[i]);
	return report(set, error);
}

bool frameset_finish(frameset *set, GError **error)
{
	if (set->refused)
		return report(set, error);
	if (set->scan == SCAN_FRAME)
		refuse(set,
		       "the input ended within the frame where number %" PRIu32 " was expected",
		       set->next);
	else if (!set->ended)
		refuse(set, "the input ended after %" PRIu32 " frames without an end frame",
		       set->next);
	return report(set, error);
}

bool frameset_is_complete(const frameset *set)
{
	return set->ended && !set->refused;
}

uint32_t frameset_frames(const frameset *set)
{
	return set->next;
}

bool frameset_field_u64(const struct frame *frame, const char *level, enum eptlab_error code,
			const char *key, uint64_t max, uint64_t *value, GError **error)
{
	const char *text = frameset_field_string(frame, level, code, key, error);
	g_autofree char *shown = quoted(text);

	return text && ((frame_parse_u64(text, value) && *value <= max) ||
			eptlab_fail(error, code,
				    "%s: frame %" PRIu32
				    " (%s): %s=%s, expected a number from 0 to %" PRIu64,
				    level, frame->seq, frame->kind, key, shown, max));
}

const char *frameset_field_string(const struct frame *frame, const char *level,
				  enum eptlab_error code, const char *key, GError **error)
{
	const char *text = frame_get(frame, key);

	if (!text)
		eptlab_fail(error, code,
			    "%s: frame %" PRIu32 " (%s) has no field '%s' that is a text", level,
			    frame->seq, frame->kind, key);
	return text;
}

static void free_string(gpointer string)
{
	g_string_free(string, TRUE);
}

frame_texts *frame_texts_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_string);
}

bool frame_text_name_is_safe(const char *name)
{
	unsigned int slashes = 0;
	bool at_start = true;

	for (; *name; name++) {
		if (at_start && !g_ascii_isalnum(*name))
			return false;
		at_start = *name == '/';
		slashes += at_start;
		if (!at_start && !g_ascii_isalnum(*name) && !strchr("._-", *name))
			return false;
	}
	return !at_start && slashes <= 1;
}

static size_t texts_size(frame_texts *texts)
{
	GHashTableIter iter;
	gpointer text;
	size_t size = 0;

	g_hash_table_iter_init(&iter, texts);
	while (g_hash_table_iter_next(&iter, NULL, &text))
		size += ((GString *)text)->len;
	return size;
}

bool frame_texts_add(frame_texts *texts, const struct frame *frame, const char *level,
		     enum eptlab_error code, size_t limit, GError **error)
{
	const char *name = frameset_field_string(frame, level, code, "name", error);
	const struct frame_field *data = frame_find(frame, "data");
	g_autofree char *shown = quoted(name);
	GString *text;

	if (!name)
		return false;
	if (!data || !frame_text_name_is_safe(name))
		return eptlab_fail(error, code, "%s: frame %" PRIu32 ": a text called '%s' %s",
				   level, frame->seq, shown,
				   data ? "is no name of a file in a record"
					: "has no field 'data'");
	if (data->length > limit || texts_size(texts) > limit - data->length)
		return eptlab_fail(error, code,
				   "%s: frame %" PRIu32 ": with more of '%s' the texts would be "
				   "more than %zu bytes, which is the limit",
				   level, frame->seq, name, limit);
	text = g_hash_table_lookup(texts, name);
	if (!text) {
		text = g_string_new(NULL);
		g_hash_table_insert(texts, g_strdup(name), text);
	}
	g_string_append_len(text, data->value, (gssize)data->length);
	return true;
}

const GString *frame_texts_get(frame_texts *texts, const char *name)
{
	return g_hash_table_lookup(texts, name);
}
