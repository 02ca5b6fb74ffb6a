/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CLI_ARGUMENTS_H
#define EPTLAB_CLI_ARGUMENTS_H

#include <stdbool.h>
#include <glib.h>

/* A subcommand's options, and what its --help says. */
struct arguments {
	const GOptionEntry *entries; /* the last one without a long_name; NULL: none */
	const char *names, *summary, *description;
	int least, most;   /* names that it takes */
	const char *takes; /* said of another number: "check takes one file or two" */
};

/* Takes the options out of argv. EPTLAB_ERROR_USAGE. */
bool arguments_parse(const struct arguments *arguments, int *argc, char ***argv, GError **error);

#endif
