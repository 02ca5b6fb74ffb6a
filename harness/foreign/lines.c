/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/lines.h"

#include <errno.h>
#include <string.h>

/* One line, whatever it is. False at the end of the file. *whole: it has been kept. */
static bool read_line(struct lines *lines, bool *whole)
{
	size_t length = 0;
	int byte = getc_unlocked(lines->file);

	if (byte == EOF)
		return false;
	*whole = true;
	for (; byte != EOF && byte != '\n'; byte = getc_unlocked(lines->file)) {
		if (byte == '\0' || length == LINES_LONGEST)
			*whole = false;
		else
			lines->text[length++] = (char)byte;
	}
	if (length > 0 && lines->text[length - 1] == '\r')
		length--;
	lines->text[length] = '\0';
	lines->number++;
	return true;
}

bool lines_next(struct lines *lines, GError **error)
{
	bool whole;

	while (read_line(lines, &whole)) {
		if (whole)
			return true;
		lines->passed++;
	}
	if (ferror_unlocked(lines->file))
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_USAGE,
			    "L0: %s cannot be read to its end (%s)", lines->name,
			    g_strerror(errno));
	return false;
}
