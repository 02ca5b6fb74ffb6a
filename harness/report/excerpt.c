/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/excerpt.h"

#include <string.h>
#include <glib.h>

#include "record/words.h"

#define MARK "kvm: exitcount: VM "

char *report_excerpt(const char *kernel_log)
{
	g_auto(GStrv) lines = g_strsplit(kernel_log != NULL ? kernel_log : "", "\n", -1);
	GString *excerpt = g_string_new(NULL);

	for (char **line = lines; *line != NULL; line++) {
		g_autofree char *printable = NULL;

		if (strstr(*line, MARK) == NULL)
			continue;
		printable = words_printable(*line);
		g_string_append_printf(excerpt, "%s\n", printable);
	}
	return g_string_free(excerpt, excerpt->len == 0);
}
