/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/texts.h"

#include <string.h>

#include "base/error.h"
#include "wire/l1_frames.h"

bool texts_send(struct link *link, const char *run, const char *name, const char *text,
		GError **error)
{
	g_autofree char *sent_as = g_strdup_printf("%s/%s", run, name);

	return link_text(link, sent_as, text, strlen(text), error);
}

bool texts_send_file(struct link *link, const char *run, const char *name, const char *path,
		     GError **error)
{
	g_autofree char *sent_as = g_strdup_printf("%s/%s", run, name);
	g_autofree char *data = NULL;
	g_autoptr(GError) cause = NULL;
	gsize length = 0;

	if (!g_file_get_contents(path, &data, &length, &cause) &&
	    !g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOENT))
		return eptlab_fail(
			error, EPTLAB_ERROR_L1,
			"L1: %s could not be read (%s); give L1 more memory (memory_mib in "
			"[bochs])",
			path, cause->message);
	return link_text(link, sent_as, data != NULL ? data : "", length, error);
}

bool texts_send_log(struct link *link, const char *run, const GString *log, GError **error)
{
	g_autofree char *name = g_strdup_printf("%s/" L1_FILE_DMESG, run);

	return link_text(link, name, log->str, log->len, error);
}
