/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_BASE_FOLDER_H
#define EPTLAB_BASE_FOLDER_H

#include <glib.h>

/*
 * The names of all that is in a folder, sorted, so that nothing depends on the disk's order. Free
 * with g_strfreev. NULL with an error of GLib's (G_FILE_ERROR) if it cannot be read.
 */
char **folder_names(const char *path, GError **error);

/* Remove a file, or a folder with all that is in it; links are not followed. What cannot be removed
 * stays.
 */
void folder_remove(const char *path);

#endif
