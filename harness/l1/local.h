/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_L1_LOCAL_H
#define EPTLAB_L1_LOCAL_H

#include <stdbool.h>
#include <glib.h>

/*
 * An eptlab that was killed on the platform local cannot give KVM's modules back their parameters:
 * the next one does. *said gets a sentence if there was something to do, else NULL; the caller
 * frees it. False, with an error, if it could not be done.
 */
bool local_repair(char **said, GError **error);

#endif
