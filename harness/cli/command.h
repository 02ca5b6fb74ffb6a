/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CLI_COMMAND_H
#define EPTLAB_CLI_COMMAND_H

#include <stdbool.h>
#include <glib.h>

#include "config/config.h"
#include "l2/guestfs_helper.h"

/* A command of the user's own, which L2 runs between two readings (wire/command.h). */
struct command {
	char **argv;
	char *line;	  /* the same as one would type it */
	GPtrArray *files; /* of struct guest_file: what is put into L2's image for it */
	GString *text;	  /* what the probe is given */
};

/*
 * puts: "FILE" or "FILE:/PATH" each, NULL if there are none; without a path it goes into the folder
 * that the command works in. EPTLAB_ERROR_USAGE: what is no file, or could not run in L2. The
 * caller frees it with command_free.
 */
struct command *command_new(char **argv, char **puts, const struct config *config, GError **error);
void command_free(struct command *command);

/* For the record's inputs: a digest of all of it. The caller frees it. EPTLAB_ERROR_MACHINE. */
char *command_digest(const struct command *command, GError **error);

#endif
