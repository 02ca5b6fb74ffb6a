/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_KMOD_TRIGGERS_H
#define EPTLAB_KMOD_TRIGGERS_H

#include <stdbool.h>
#include <glib.h>

/*
 * The trace triggers of the histograms (agent/witness.h): as long as there is one on an event of
 * KVM, KVM cannot be unloaded. tracefs is below the sysfs of kmod/modules.h. Errors:
 * EPTLAB_ERROR_L1.
 */

/* The trace instance whose histogram is never stopped, below tracefs. */
#define TRIGGERS_ENDLESS "/instances/eptlab"

/* All of them, or none. endless: with the histogram that is never stopped. */
bool triggers_arm(bool endless, GError **error);

/* Those that there are, and the instance. None, or no tracefs, is as good. */
bool triggers_disarm(GError **error);

/*
 * Append text to a file of tracefs, at its whole path: a trigger file or a list of events takes one
 * more, and to write it anew would take away the others.
 */
bool triggers_put(const char *path, const char *text, GError **error);

/* Set *error: errno says why path could not be what, "written". Returns false. */
bool triggers_fail(const char *what, const char *path, GError **error);

#endif
