/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_PROBE_COMMAND_H
#define EPTLAB_PROBE_COMMAND_H

#include <stdbool.h>

#include "report.h"

/* Read what is to be done (wire/command.h) from a file; false, and said why on stderr. */
bool command_load(const char *path);

/*
 * Run it to its end, or until its time is up. What it prints goes into a pipe that nobody reads
 * meanwhile: reading would be switches of address spaces that are not the command's.
 */
void command_run(void);

/* The frames that tell what became of it. */
void command_report(struct report *report);

#endif
