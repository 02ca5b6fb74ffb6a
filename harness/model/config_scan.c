/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/config_scan.h"

#include <stdbool.h>
#include <string.h>

#include "model/error.h"

struct scan {
	const char *file;
	unsigned int line;
	char *section; /* NULL before the first */
	GPtrArray *entries;
};

static void entry_free(gpointer data)
{
	struct config_entry *entry = data;

	g_free(entry->section);
	g_free(entry->key);
	g_free(entry);
}

static bool fail(const struct scan *scan, GError **error, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

static bool fail(const struct scan *scan, GError **error, const char *format, ...)
{
	g_autofree char *what = NULL;
	va_list args;

	va_start(args, format);
	what = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_USAGE, "L0: %s:%u: %s", scan->file,
		    scan->line, what);
	return false;
}

static bool is_name(const char *text)
{
	if (!g_ascii_islower(*text))
		return false;
	for (; *text; text++)
		if (!g_ascii_islower(*text) && !g_ascii_isdigit(*text) && *text != '_')
			return false;
	return true;
}

/* Equal with NULL equal to NULL only: a section's own line has no key. */
static const struct config_entry *find(const struct scan *scan, const char *section,
				       const char *key)
{
	guint i;

	for (i = 0; i < scan->entries->len; i++) {
		const struct config_entry *entry = scan->entries->pdata[i];

		if (g_strcmp0(entry->section, section) == 0 && g_strcmp0(entry->key, key) == 0)
			return entry;
	}
	return NULL;
}

static void add(struct scan *scan, const char *key)
{
	struct config_entry *entry = g_new0(struct config_entry, 1);

	entry->section = g_strdup(scan->section);
	entry->key = g_strdup(key);
	entry->line = scan->line;
	g_ptr_array_add(scan->entries, entry);
}

static bool scan_section(struct scan *scan, char *text, GError **error)
{
	const struct config_entry *before;
	size_t length = strlen(text);

	if (text[length - 1] != ']')
		return fail(scan, error, "'%s' begins like a section, expected '[name]'", text);
	text[length - 1] = '\0';
	text++;
	if (!is_name(text))
		return fail(scan, error,
			    "'[%s]' is no section, expected a name of a-z, 0-9 and _ in brackets",
			    text);
	before = find(scan, text, NULL);
	if (before)
		return fail(scan, error, "the section [%s] stands twice, first in line %u", text,
			    before->line);
	g_free(scan->section);
	scan->section = g_strdup(text);
	add(scan, NULL);
	return true;
}

static bool scan_key(struct scan *scan, char *text, GError **error)
{
	const struct config_entry *before;
	char *equals = strchr(text, '=');

	if (!equals)
		return fail(scan, error,
			    "'%s' is neither a comment (#) nor '[section]' nor 'key=value'", text);
	*equals = '\0';
	g_strchomp(text);
	if (!is_name(text))
		return fail(scan, error,
			    "'%s' is no key, expected a name of a-z, 0-9 and _ before '='", text);
	if (!scan->section)
		return fail(scan, error, "'%s' stands before the first [section]", text);
	before = find(scan, scan->section, text);
	if (before)
		return fail(scan, error, "'%s' stands twice in [%s], first in line %u", text,
			    scan->section, before->line);
	add(scan, text);
	return true;
}

static bool scan_line(struct scan *scan, const char *line, size_t length, GError **error)
{
	g_autofree char *text = g_strndup(line, length);
	const char *start;
	size_t i;

	if (memchr(line, '\0', length))
		return fail(scan, error, "there is a NUL byte, expected a text file");
	/* Comments may be in any language; all else is checked before blanks are taken away. */
	start = text + strspn(text, " \t");
	if (start[0] == '#')
		return true;
	for (i = 0; text[i]; i++)
		if (!g_ascii_isprint(text[i]) && text[i] != '\t')
			return fail(scan, error,
				    "there is a byte 0x%02x, expected printable ASCII outside of "
				    "comments",
				    (unsigned char)text[i]);
	g_strstrip(text);
	if (text[0] == '\0')
		return true;
	if (text[0] == '[')
		return scan_section(scan, text, error);
	return scan_key(scan, text, error);
}

GPtrArray *config_scan(const char *file, const char *text, size_t length, GError **error)
{
	g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(entry_free);
	struct scan scan = { .file = file, .entries = entries };
	bool good = true;
	size_t at = 0;

	while (good && at < length) {
		const char *start = text + at;
		const char *newline = memchr(start, '\n', length - at);
		const char *end = newline ? newline : text + length;

		scan.line++;
		at = (size_t)(end - text) + 1;
		/* Like GKeyFile: a '\r' belongs to the line's end only where there is a '\n'. */
		if (newline && end > start && end[-1] == '\r')
			end--;
		good = scan_line(&scan, start, (size_t)(end - start), error);
	}
	g_free(scan.section);
	return good ? g_steal_pointer(&entries) : NULL;
}
