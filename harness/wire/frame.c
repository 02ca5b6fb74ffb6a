/* SPDX-License-Identifier: GPL-2.0-only */
#include "wire/frame.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

static const char hex_digits[] = "0123456789abcdef";

/* Own tests of characters: those of <ctype.h> depend on the locale. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Numbers are read in both cases; escapes and CRCs are written in one. */
static int hex_value_any_case(char c)
{
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : hex_value(c);
}

static bool byte_is_plain(unsigned char c)
{
	return c > 0x20 && c < 0x7f && c != '%' && c != '#' && c != '=' && c != '@';
}

static bool is_word(const char *text)
{
	size_t length;

	if (!is_lower(text[0]))
		return false;
	for (length = 1; text[length]; length++)
		if (!is_lower(text[length]) && !is_digit(text[length]) && text[length] != '_')
			return false;
	return length <= FRAME_WORD_MAX;
}

static uint32_t crc_of(const char *bytes, size_t length)
{
	return (uint32_t)crc32(crc32(0, Z_NULL, 0), (const Bytef *)bytes, (uInt)length);
}

/* How many more bytes the fields may take: one blank and the tail must still fit. */
static size_t room(const struct frame_line *out)
{
	const size_t reserved = 1 + FRAME_TAIL_LENGTH;

	return out->length + reserved < FRAME_LINE_MAX ? FRAME_LINE_MAX - reserved - out->length
						       : 0;
}

static bool put(struct frame_line *out, const char *bytes, size_t length)
{
	if (out->failed || length > room(out)) {
		out->failed = true;
		return false;
	}
	memcpy(out->line + out->length, bytes, length);
	out->length += length;
	return true;
}

void frame_open(struct frame_line *out, uint32_t seq, const char *kind)
{
	char head[32];

	*out = (struct frame_line){ .length = 0 };
	put(out, head, (size_t)snprintf(head, sizeof(head), FRAME_MAGIC "%" PRIu32 " ", seq));
	if (!is_word(kind) || seq > FRAME_SEQ_MAX)
		out->failed = true;
	put(out, kind, strlen(kind));
}

static void put_key(struct frame_line *out, const char *key)
{
	if (!is_word(key) || out->fields == FRAME_FIELDS_MAX)
		out->failed = true;
	out->fields++;
	put(out, " ", 1);
	put(out, key, strlen(key));
	put(out, "=", 1);
}

size_t frame_add_part(struct frame_line *out, const char *key, const void *value, size_t length)
{
	const unsigned char *bytes = value;
	size_t taken;

	put_key(out, key);
	for (taken = 0; taken < length; taken++) {
		unsigned char c = bytes[taken];
		char text[3] = { '%', hex_digits[c >> 4], hex_digits[c & 15] };
		size_t size = sizeof(text);

		if (byte_is_plain(c)) {
			text[0] = (char)c;
			size = 1;
		}
		if (out->failed || size > room(out))
			break;
		put(out, text, size);
	}
	return taken;
}

void frame_add_bytes(struct frame_line *out, const char *key, const void *value, size_t length)
{
	if (frame_add_part(out, key, value, length) < length)
		out->failed = true;
}

void frame_add_string(struct frame_line *out, const char *key, const char *value)
{
	frame_add_bytes(out, key, value, strlen(value));
}

void frame_add_u64(struct frame_line *out, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	frame_add_string(out, key, text);
}

bool frame_close(struct frame_line *out)
{
	if (out->failed)
		return false;
	out->line[out->length++] = ' ';
	snprintf(out->line + out->length, FRAME_TAIL_LENGTH + 1, "#%08" PRIx32 "\n",
		 crc_of(out->line, out->length));
	out->length += FRAME_TAIL_LENGTH;
	return true;
}

bool frame_begin(struct frame_line *out, const char *sender)
{
	frame_open(out, 0, "begin");
	frame_add_u64(out, "proto", FRAME_PROTOCOL);
	frame_add_string(out, "from", sender);
	return frame_close(out);
}

bool frame_end(struct frame_line *out, uint32_t seq)
{
	frame_open(out, seq, "end");
	frame_add_u64(out, "frames", seq);
	return frame_close(out);
}

bool frame_text(struct frame_line *out, uint32_t seq, const char *name, const void *data,
		size_t length, size_t *taken)
{
	frame_open(out, seq, "text");
	frame_add_string(out, "name", name);
	*taken = frame_add_part(out, "data", data, length);
	/* A name so long that no data fits would make the caller's loop endless. */
	if (*taken == 0 && length > 0)
		out->failed = true;
	return frame_close(out);
}

bool frame_parse_u64(const char *text, uint64_t *value)
{
	const bool hex = text[0] == '0' && text[1] == 'x';
	const char *digits = hex ? text + 2 : text;
	const int base = hex ? 16 : 10;
	uint64_t number = 0;

	if (!digits[0] || (hex ? strlen(digits) > 16 : digits[0] == '0' && digits[1]))
		return false;
	for (; *digits; digits++) {
		int digit = hex_value_any_case(*digits);

		if (digit < 0 || digit >= base || __builtin_mul_overflow(number, base, &number) ||
		    __builtin_add_overflow(number, digit, &number))
			return false;
	}
	*value = number;
	return true;
}

/* Unescape in place; false unless every byte is written in its one way. */
static bool unescape(char *text, size_t *length)
{
	const char *from = text;
	char *to = text;

	while (*from) {
		if (*from == '%') {
			int high = hex_value(from[1]);
			int low = high < 0 ? -1 : hex_value(from[2]);

			if (low < 0 || byte_is_plain((unsigned char)(high << 4 | low)))
				return false;
			*to++ = (char)(high << 4 | low);
			from += 3;
		} else if (byte_is_plain((unsigned char)*from)) {
			*to++ = *from++;
		} else {
			return false;
		}
	}
	*to = '\0';
	*length = (size_t)(to - text);
	return true;
}

static const char *parse_field(char *text, struct frame *frame)
{
	struct frame_field field = { .key = text };
	char *value = strchr(text, '=');

	if (!value)
		return "a field has no '='";
	*value++ = '\0';
	field.value = value;
	if (!is_word(field.key))
		return "the name of a field is not a word";
	if (frame_find(frame, field.key))
		return "a field stands twice";
	if (frame->count == FRAME_FIELDS_MAX)
		return "there are too many fields";
	if (!unescape(value, &field.length))
		return "a value is not escaped as it must be";
	frame->fields[frame->count++] = field;
	return NULL;
}

/* Cut text at the next blank and return what follows it, or NULL if there is no blank. */
static char *cut_word(char *text)
{
	char *blank = strchr(text, ' ');

	if (blank)
		*blank++ = '\0';
	return blank;
}

static bool parse_seq(const char *text, struct frame *frame)
{
	uint64_t number;

	if (!is_digit(text[0]) || text[1] == 'x' || !frame_parse_u64(text, &number) ||
	    number > FRAME_SEQ_MAX)
		return false;
	frame->seq = (uint32_t)number;
	return true;
}

/* Does the line end with a CRC? */
static bool read_crc(const char *line, size_t length, uint32_t *crc)
{
	const size_t tail = FRAME_TAIL_LENGTH - 1; /* without the '\n' */
	const char *text = line + length - tail;
	uint32_t number = 0;

	if (length <= tail || text[-1] != ' ' || text[0] != '#')
		return false;
	for (size_t i = 1; i < tail; i++) {
		if (hex_value(text[i]) < 0)
			return false;
		number = number << 4 | (uint32_t)hex_value(text[i]);
	}
	*crc = number;
	return true;
}

/* The fields, each ended by a blank; text is empty after the last. */
static const char *parse_fields(char *text, struct frame *frame)
{
	while (*text) {
		char *next = cut_word(text);
		const char *wrong = parse_field(text, frame);

		if (wrong)
			return wrong;
		text = next;
	}
	return NULL;
}

const char *frame_parse(char *line, size_t length, struct frame *frame, bool *has_seq)
{
	const size_t magic = strlen(FRAME_MAGIC);
	const size_t tail = FRAME_TAIL_LENGTH - 1;
	bool has_crc, good_crc;
	uint32_t crc = 0;
	char *kind, *rest;

	*frame = (struct frame){ .seq = 0 };
	*has_seq = false;
	line[length] = '\0';
	if (length < magic || memcmp(line, FRAME_MAGIC, magic) != 0)
		return "it is of a version of the protocol that this program does not know";
	if (strlen(line) != length)
		return "it holds a NUL byte";
	has_crc = read_crc(line, length, &crc);
	good_crc = has_crc && crc == crc_of(line, length - tail);
	kind = cut_word(line + magic);
	*has_seq = parse_seq(line + magic, frame);
	if (!has_crc)
		return "it does not end with a CRC: bytes were lost, changed or added";
	if (!good_crc)
		return "its CRC is wrong: bytes were lost or changed";
	if (!*has_seq)
		return "its number is not a number";
	line[length - tail] = '\0';
	rest = cut_word(kind);
	if (!rest || !is_word(kind))
		return "its kind is not a word";
	frame->kind = kind;
	return parse_fields(rest, frame);
}

const struct frame_field *frame_find(const struct frame *frame, const char *key)
{
	for (unsigned int i = 0; i < frame->count; i++)
		if (strcmp(frame->fields[i].key, key) == 0)
			return &frame->fields[i];
	return NULL;
}

const char *frame_get(const struct frame *frame, const char *key)
{
	const struct frame_field *field = frame_find(frame, key);

	return field && strlen(field->value) == field->length ? field->value : NULL;
}

bool frame_get_u64(const struct frame *frame, const char *key, uint64_t *value)
{
	const char *text = frame_get(frame, key);

	return text && frame_parse_u64(text, value);
}
