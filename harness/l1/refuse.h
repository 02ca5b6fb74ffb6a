/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_L1_REFUSE_H
#define EPTLAB_L1_REFUSE_H

#include <stdbool.h>
#include <glib.h>

/* Why this machine cannot do it: EPTLAB_ERROR_MACHINE, level L0. Returns false. */
bool platform_refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/*
 * Are these there, programs in the PATH or files? The array ends with NULL; purpose goes on behind
 * "is not installed, ".
 */
bool platform_needs(const char *const *needed, const char *purpose, GError **error);

#endif
