/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CLI_SESSION_H
#define EPTLAB_CLI_SESSION_H

#include <stdbool.h>
#include <gio/gio.h>

#include "cli/arguments.h"
#include "cli/experiment.h"
#include "config/paths.h"
#include "config/config.h"

/* What the commands that boot L1 have in common: their options, configuration, and clean-up. */
struct session {
	char **overrides; /* --override */
	char **settings;  /* --set */
	char *configs;	  /* --configs, or NULL */
	char *results;	  /* --results, or NULL */
	char **argv;	  /* of a command that is the workload, or NULL */
	char **puts;	  /* --put: files for it */
	struct command *command;
	bool dry;   /* nothing is to be started, or written: also not what others have left */
	bool marks; /* what [conform] says about the kernel counts */
	struct paths *paths;
	struct config *config;
	GPtrArray *expected; /* by progress_expect */
	GCancellable *cancellable;
};

/*
 * Take the common options out of the command line; what is left are the command's names. Prints
 * the help and exits for --help. Entries of asked come beside them. Returns in the supervisor's
 * worker: no thread may have been started. EPTLAB_ERROR_USAGE.
 */
struct session *session_open(int *argc, char ***argv, const struct arguments *asked,
			     GError **error);
void session_close(struct session *session);

typedef struct session struct_session;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_session, session_close)

/* The two first steps of session_prepare, for who makes many experiments: catch signals and find
 * what make has built; then load a configuration, and say why no experiment can be made of it.
 */
bool session_find_paths(struct session *session, GError **error);
bool session_configure(struct session *session, const char *const *settings, GError **error);

/*
 * Load the configuration, take care of what a killed harness left behind, choose the platform, and
 * catch signals. Fills in *experiment, which borrows from the session.
 */
bool session_prepare(struct session *session, struct experiment *experiment, GError **error);

/* One setting more, over all that is given: for session_prepare. */
void session_set(struct session *session, const char *key, const char *value);

/*
 * From now on SIGINT, SIGTERM and SIGHUP do not end the program: they cancel what is returned, from
 * a thread that waits for them. Call once, before any other thread is started. The caller owns a
 * reference.
 */
GCancellable *interrupt_catch(void);

#endif
