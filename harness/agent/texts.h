/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_AGENT_TEXTS_H
#define EPTLAB_AGENT_TEXTS_H

#include <stdbool.h>

#include "agent/link.h"

/* Files of a run (collect/l1_result.h), sent to L0 as "<run>/<name>". EPTLAB_ERROR_L1. */

bool texts_send(struct link *link, const char *run, const char *name, const char *text,
		GError **error);

/* What is in the file path. One that was never written is sent as an empty one: L2 said nothing. */
bool texts_send_file(struct link *link, const char *run, const char *name, const char *path,
		     GError **error);

/* The kernel log of a run. */
bool texts_send_log(struct link *link, const char *run, const GString *log, GError **error);

#endif
