/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_MODEL_CONFIG_SCAN_H
#define EPTLAB_MODEL_CONFIG_SCAN_H

#include <stddef.h>
#include <glib.h>

/*
 * Where things stand in a configuration file. GKeyFile gives values but no lines, and merges a
 * section or key that stands twice without a word; this scan is what it is missing.
 */
struct config_entry {
	char *section;
	char *key;	   /* NULL: the section's own line */
	unsigned int line; /* from 1 */
};

/*
 * The sections and keys of a file in their order, as an array of struct config_entry that the
 * caller frees with g_ptr_array_unref. EPTLAB_ERROR_USAGE, with file and line, for a line that is
 * neither empty, comment, [section] nor key=value, for a key outside of any section, for a section
 * or key that stands twice, and for bytes that are not printable ASCII outside of comments.
 */
GPtrArray *config_scan(const char *file, const char *text, size_t length, GError **error);

#endif
