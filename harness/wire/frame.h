/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_WIRE_FRAME_H
#define EPTLAB_WIRE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The framed line protocol between L2 and L1 and between L1 and L0. Nothing but libc and zlib's
 * crc32() is needed, so that the static probe in L2 uses the very code that reads its frames.
 *
 * One frame is one line:
 *
 *	@ept1 <seq> <kind> <key>=<value> ... #<crc>\n
 *
 * - "@ept" begins a frame, "1" is the version of the protocol.
 * - seq is a decimal number without leading zeros: 0 for the first frame of a set, then +1 each.
 * - kind and key are words: a lower-case letter, then lower-case letters, digits and '_', at most
 *   FRAME_WORD_MAX characters. No key stands twice in a frame.
 * - value is printable ASCII; every other byte, and each of blank % # = @, is written as %xx with
 *   two lower-case hexadecimal digits. So a payload can hold neither '@' nor '#' nor a line's end.
 * - crc is the CRC-32 of zlib (ISO 3309, ITU-T V.42) over all from '@' up to and including the
 *   blank before '#', as eight lower-case hexadecimal digits.
 *
 * There is one way only to write a given frame: whatever differs from it is refused. A set of
 * frames begins with kind "begin" (proto=1 from=SENDER) and ends with kind "end" (frames=N, the
 * number of frames before it). Putting a set together again is the work of frameset.h.
 */
#define FRAME_PROTOCOL	 1
#define FRAME_MAGIC	 "@ept1 "
#define FRAME_LINE_MAX	 1024 /* bytes of one line, from '@' to '\n', both included */
#define FRAME_WORD_MAX	 31   /* characters of a kind or of a key */
#define FRAME_FIELDS_MAX 24   /* fields of one frame */
#define FRAME_SEQ_MAX	 0x7fffffff

/* SENDER of the begin frame of L2's probe; that of L1's agent stands in l1_frames.h. */
#define PROBE_SENDER "probe"

/* What follows the fields: '#', eight digits, '\n'. */
#define FRAME_TAIL_LENGTH 10

/* One frame while it is written. The members are for reading: line and length after frame_close. */
struct frame_line {
	char line[FRAME_LINE_MAX + 1]; /* ends with "\n\0" once closed */
	size_t length;		       /* without the NUL */
	unsigned int fields;
	bool failed; /* a word was no word, or the line grew too long */
};

/* Start the frame number seq of its set. Whatever can go wrong here or in frame_add_* is
 * remembered, and reported by frame_close. */
void frame_open(struct frame_line *out, uint32_t seq, const char *kind);

/* Add a field. A value may be any bytes; it is escaped as needed. u64 is written in decimal. */
void frame_add_string(struct frame_line *out, const char *key, const char *value);
void frame_add_bytes(struct frame_line *out, const char *key, const void *value, size_t length);
void frame_add_u64(struct frame_line *out, const char *key, uint64_t value);

/*
 * Add as many of the length bytes as the line has room for. Returns how many were taken: less
 * than length when the rest needs another frame.
 */
size_t frame_add_part(struct frame_line *out, const char *key, const void *value, size_t length);

/* Add the CRC and the line's end. False if the frame could not be written: it must not be sent. */
bool frame_close(struct frame_line *out);

/* The three frames that every set or text needs, complete: */

/* "begin proto=1 from=SENDER", frame 0. */
bool frame_begin(struct frame_line *out, const char *sender);

/* "end frames=SEQ": seq is its own number, which is the number of frames before it. */
bool frame_end(struct frame_line *out, uint32_t seq);

/*
 * "text name=NAME data=…": the next piece of a text file. *taken is how much of data went in; call
 * again with the next seq and the rest until all is taken. A file with nothing in it is one frame
 * with empty data.
 */
bool frame_text(struct frame_line *out, uint32_t seq, const char *name, const void *data,
		size_t length, size_t *taken);

/* One field of a parsed frame. */
struct frame_field {
	const char *key;
	const char *value; /* unescaped; a NUL follows it, and it may hold NULs itself */
	size_t length;	   /* of value, without the NUL that follows */
};

/* One parsed frame. All pointers point into the line that was parsed. */
struct frame {
	uint32_t seq;
	const char *kind;
	unsigned int count;
	struct frame_field fields[FRAME_FIELDS_MAX];
};

/*
 * Parse one line in place; it begins with '@' and has neither its '\n' nor the '\r' before it.
 * line[length] must be writable. Returns NULL if the frame is good, else what is wrong with it, as
 * a clause without a full stop. The line is overwritten in both cases. If seq could be read, it is
 * in frame->seq even when something else is wrong, and *has_seq says so (not trusted: no CRC).
 */
const char *frame_parse(char *line, size_t length, struct frame *frame, bool *has_seq);

/* The field of that name, or NULL. */
const struct frame_field *frame_find(const struct frame *frame, const char *key);

/* The value of a field as a C string; NULL if the field is missing or holds a NUL byte. */
const char *frame_get(const struct frame *frame, const char *key);

/* The value of a field as a number; false if it is missing or not one (frame_parse_u64). */
bool frame_get_u64(const struct frame *frame, const char *key, uint64_t *value);

/*
 * A number of 64 bits without a sign: decimal without leading zeros, or 0x and 1 to 16 hexadecimal
 * digits. False, and *value untouched, for everything else: sign, blank, overflow, garbage,
 * nothing.
 */
bool frame_parse_u64(const char *text, uint64_t *value);

#endif
