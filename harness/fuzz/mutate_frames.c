/* SPDX-License-Identifier: GPL-2.0-only */
#include "fuzz/mutate.h"

#include <inttypes.h>
#include <string.h>
#include <glib.h>
#include <zlib.h>

#include "fuzz/fuzz.h"
#include "wire/frame.h"

/* ---- Repair ---- */

/* One line without its '\n'. What is no frame at all is left as it is. */
static void repair_line(GString *out, const char *line, size_t length, uint32_t *seq)
{
	g_autofree char *text = g_strndup(line, length);
	const size_t start = out->len;
	char *rest = g_str_has_prefix(text, FRAME_MAGIC) ? strchr(text + strlen(FRAME_MAGIC), ' ')
							 : NULL;
	char *tail = rest != NULL ? strrchr(rest, '#') : NULL;

	if (rest == NULL || strlen(text) != length) {
		g_string_append_len(out, line, (gssize)length);
		return;
	}
	if (tail != NULL && tail[-1] == ' ')
		tail[-1] = '\0';
	g_string_append_printf(out, FRAME_MAGIC "%" PRIu32, *seq);
	if (g_str_has_prefix(rest, " end "))
		g_string_append_printf(out, " end frames=%" PRIu32 " ", *seq);
	else
		g_string_append_printf(out, "%s ", rest);
	g_string_append_printf(out, "#%08lx",
			       crc32(0, (const Bytef *)out->str + start, (uInt)(out->len - start)));
	(*seq)++;
}

static GString *repair(const GString *text)
{
	GString *out = g_string_new(NULL);
	uint32_t seq = 0;
	size_t at = 0;

	while (at < text->len) {
		const char *line = text->str + at;
		const char *newline = memchr(line, '\n', text->len - at);
		size_t length = newline != NULL ? (size_t)(newline - line) : text->len - at;

		repair_line(out, line, length, &seq);
		if (newline != NULL)
			g_string_append_c(out, '\n');
		at += length + 1;
	}
	return out;
}

/* ---- Texts that frames carry ---- */

/* Is the line a good frame of kind "text", of that name if one is given? It is overwritten. */
static bool is_text(char *line, const char *name, struct frame *frame)
{
	bool has_seq;
	const char *wrong = frame_parse(line, strlen(line), frame, &has_seq);
	const char *is = wrong == NULL ? frame_get(frame, "name") : NULL;

	return is != NULL && strcmp(frame->kind, "text") == 0 &&
	       frame_find(frame, "data") != NULL && (name == NULL || strcmp(is, name) == 0);
}

/* The name of the text that one of the lines is about; NULL if it is about none. */
static char *choose_text(char **lines, unsigned int *state)
{
	const guint count = g_strv_length(lines);
	g_autofree char *line = count > 0 ? g_strdup(lines[mutate_choose(state, count)]) : NULL;
	struct frame frame;

	return line != NULL && is_text(line, NULL, &frame) ? g_strdup(frame_get(&frame, "name"))
							   : NULL;
}

static GString *text_of(char **lines, const char *name)
{
	GString *text = g_string_new(NULL);

	for (; *lines != NULL; lines++) {
		g_autofree char *line = g_strdup(*lines);
		struct frame frame;

		if (is_text(line, name, &frame)) {
			const struct frame_field *data = frame_find(&frame, "data");

			g_string_append_len(text, data->value, (gssize)data->length);
		}
	}
	return text;
}

static void put_text(GString *out, const char *name, const GString *text)
{
	const char *from = text->str;
	size_t length = text->len, taken;
	struct frame_line line;

	do {
		if (!frame_text(&line, 0, name, from, length, &taken))
			return;
		g_string_append_len(out, line.line, (gssize)line.length);
		from += taken;
		length -= taken;
	} while (length > 0);
}

/* Change a text as it was before it was escaped and cut; false if there is none where we look. */
static bool change_text(GString *stream, unsigned int *state)
{
	g_auto(GStrv) lines = g_strsplit(stream->str, "\n", -1);
	g_autofree char *name = choose_text(lines, state);
	GString *text;
	bool done = false;

	if (name == NULL)
		return false;
	text = text_of(lines, name);
	mutate_bytes(text, 0);
	if (g_str_has_suffix(name, ".frames")) {
		GString *repaired = repair(text);

		g_string_free(text, TRUE);
		text = repaired;
	}
	g_string_truncate(stream, 0);
	for (char **line = lines; *line != NULL; line++) {
		g_autofree char *copy = g_strdup(*line);
		struct frame frame;

		if (!is_text(copy, name, &frame)) {
			g_string_append_printf(stream, "%s%s", *line, line[1] != NULL ? "\n" : "");
			continue;
		}
		if (!done)
			put_text(stream, name, text);
		done = true;
	}
	g_string_free(text, TRUE);
	return true;
}

size_t mutate_frames(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	unsigned int state = seed;
	const unsigned int how = mutate_choose(&state, 8);
	GString *text, *repaired;

	if (how == 0)
		return LLVMFuzzerMutate(data, size, max);
	text = g_string_new_len((const char *)data, (gssize)size);
	if (how <= 2)
		mutate_exchange(text, &state);
	else if (how <= 5 || !change_text(text, &state))
		mutate_bytes(text, 0);
	repaired = repair(text);
	g_string_free(text, TRUE);
	return mutate_done(repaired, data, max);
}
