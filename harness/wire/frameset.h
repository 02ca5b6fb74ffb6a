/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_WIRE_FRAMESET_H
#define EPTLAB_WIRE_FRAMESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <glib.h>

#include "base/error.h"
#include "wire/frame.h"

/*
 * The receiving end of the framed line protocol: takes the bytes of a serial line as they come,
 * finds the frames among console text, and gives them on one by one, in order. The first thing that
 * is wrong refuses the whole set for good: half a set of counts looks like a set of counts.
 *
 * Memory is bounded: at most one line is kept.
 */
typedef struct frameset frameset;

/*
 * Called with each good frame as soon as it is in sequence, "begin" and "end" included. The frame
 * is valid until the function returns. False with *error set refuses the set.
 */
typedef bool (*frameset_func)(const struct frame *frame, void *data, GError **error);

/*
 * A new set, expected from sender (the from= of its begin frame). level is the level that sends
 * ("L2"), for messages; code is what an error of the set is reported as (EPTLAB_ERROR_L2). func may
 * be NULL. Free with frameset_free.
 */
frameset *frameset_new(const char *level, enum eptlab_error code, const char *sender,
		       frameset_func func, void *data);
void frameset_free(frameset *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(frameset, frameset_free)

/*
 * Take the next bytes of the line, in chunks of any size. False once the set is refused, then and
 * at each later call with the same error: a bad CRC, another version of the protocol, a frame that
 * came twice, is missing, out of order or after the end frame, a wrong number in the end frame, a
 * frame longer than FRAME_LINE_MAX, or what func refused. The message says which frame and why.
 */
bool frameset_feed(frameset *set, const void *bytes, size_t length, GError **error);

/* No more bytes will come. False if the set was refused, or is not complete. */
bool frameset_finish(frameset *set, GError **error);

/* Has the end frame been seen, and is all right so far? */
bool frameset_is_complete(const frameset *set);

/* Good frames so far, "begin" and "end" included. */
uint32_t frameset_frames(const frameset *set);

/*
 * A field that must be there, and be a number of at most max. False with an error of that code,
 * which names level, frame and field.
 */
bool frameset_field_u64(const struct frame *frame, const char *level, enum eptlab_error code,
			const char *key, uint64_t max, uint64_t *value, GError **error);

/* A field that must be there, as a C string (owned by the frame), or NULL with an error. */
const char *frameset_field_string(const struct frame *frame, const char *level,
				  enum eptlab_error code, const char *key, GError **error);

/*
 * The texts that came as "text" frames (frame_text), put together again: name → GString. A text of
 * a run is called <config>/<file>; a name is one or two parts of letters, digits, '.', '_' and '-'
 * that do not begin with '.', so that it can be used as a path below a folder.
 */
typedef GHashTable frame_texts;

/* Is it such a name? */
bool frame_text_name_is_safe(const char *name);

/* An empty collection; free with g_hash_table_unref. */
frame_texts *frame_texts_new(void);

/*
 * Append one frame of kind "text". False with an error of that code for a bad name, a missing
 * field, or when all texts together would grow over limit bytes.
 */
bool frame_texts_add(frame_texts *texts, const struct frame *frame, const char *level,
		     enum eptlab_error code, size_t limit, GError **error);

/* The text of that name, or NULL if no frame of it came. Owned by the collection. */
const GString *frame_texts_get(frame_texts *texts, const char *name);

#endif
