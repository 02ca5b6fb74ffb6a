/* SPDX-License-Identifier: GPL-2.0-only */
#include "fuzz/mutate.h"

#include <string.h>

#include "fuzz/fuzz.h"

/* How much a text may grow at a time. */
#define GROWTH 64

unsigned int mutate_choose(unsigned int *state, size_t limit)
{
	/* As in the C standard's example of rand(). */
	*state = *state * 1103515245 + 12345;
	return (*state >> 16) % (unsigned int)limit;
}

void mutate_exchange(GString *text, unsigned int *state)
{
	g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
	const guint count = g_strv_length(lines);
	const guint chosen = count > 0 ? mutate_choose(state, count) : 0;
	const guint how = mutate_choose(state, 3);

	g_string_truncate(text, 0);
	for (guint i = 0; i < count; i++) {
		guint from = i;

		if (how == 0 && i == chosen)
			continue;
		if (how == 1 && chosen + 1 < count && (i == chosen || i == chosen + 1))
			from = 2 * chosen + 1 - i;
		g_string_append_printf(text, "%s%s", lines[from], i + 1 < count ? "\n" : "");
		if (how == 2 && i == chosen)
			g_string_append_printf(text, "%s\n", lines[i]);
	}
}

void mutate_bytes(GString *text, size_t start)
{
	const size_t length = text->len - start;

	g_string_set_size(text, text->len + GROWTH);
	g_string_truncate(text, start + LLVMFuzzerMutate((uint8_t *)text->str + start, length,
							 length + GROWTH));
}

size_t mutate_done(GString *text, uint8_t *data, size_t max)
{
	const size_t size = MIN(text->len, max);

	memcpy(data, text->str, size);
	g_string_free(text, TRUE);
	return size;
}

/* Change what stands behind the '=' of a line, and keep it printable. */
static void change_value(GString *text, unsigned int *state)
{
	g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
	const guint count = g_strv_length(lines);
	char **line = &lines[count > 0 ? mutate_choose(state, count) : 0];
	const char *equals = *line != NULL ? strchr(*line, '=') : NULL;
	GString *changed;
	size_t start;

	if (equals == NULL)
		return;
	changed = g_string_new(*line);
	start = (size_t)(equals - *line) + 1;
	mutate_bytes(changed, start);
	for (size_t i = start; i < changed->len; i++)
		if (!g_ascii_isprint(changed->str[i]))
			changed->str[i] =
				(char)(' ' + (unsigned char)changed->str[i] % ('~' - ' '));
	g_free(*line);
	*line = g_string_free(changed, FALSE);
	g_string_truncate(text, 0);
	for (guint i = 0; i < count; i++)
		g_string_append_printf(text, "%s%s", lines[i], i + 1 < count ? "\n" : "");
}

size_t mutate_values(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	unsigned int state = seed;
	const unsigned int how = mutate_choose(&state, 4);
	GString *text;

	if (how == 0)
		return LLVMFuzzerMutate(data, size, max);
	text = g_string_new_len((const char *)data, (gssize)size);
	if (how == 1)
		mutate_exchange(text, &state);
	else
		change_value(text, &state);
	return mutate_done(text, data, max);
}
