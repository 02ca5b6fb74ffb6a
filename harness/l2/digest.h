/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_L2_DIGEST_H
#define EPTLAB_L2_DIGEST_H

#include <glib.h>

/* The length of a SHA-256 in hexadecimal digits. */
#define DIGEST_LENGTH 64

/*
 * The SHA-256 (FIPS 180-4) of all bytes of a regular file, as DIGEST_LENGTH lower-case hexadecimal
 * digits: the same as sha256sum prints. Free with g_free. NULL with EPTLAB_ERROR_MACHINE if the
 * file cannot be read to its end.
 */
char *digest_file(const char *path, GError **error);

/*
 * The same of a folder: of a text with a line "NAME SHA256" for each file in it, sorted by name. A
 * folder in it is an error.
 */
char *digest_folder(const char *path, GError **error);

#endif
