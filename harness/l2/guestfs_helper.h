/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_L2_GUESTFS_HELPER_H
#define EPTLAB_L2_GUESTFS_HELPER_H

#include <stdbool.h>
#include <gio/gio.h>

/* A file of L0, and the path that it gets in an image. */
struct guest_file {
	char *host;
	char *guest;
};

/* A step that has just begun, as one short line without a full stop. */
typedef void (*guest_progress_func)(const char *step, void *data);

/*
 * libguestfs runs in a program of its own (inject_helper.c), the leader of a process group, and not
 * in the harness: its calls block, and only a whole group of processes (supermin, QEMU, libguestfs'
 * recovery process) can be ended promptly at any moment. The agent, which is the harness in L1,
 * need not load libguestfs either.
 *
 * The helper's standard input is a pipe on which nothing is ever sent. Its end of file means stop:
 * the harness has closed it, or is no more, however it died. On its standard output the helper
 * writes lines: "step TEXT", and before it exits with another status than 0 "error CODE TEXT".
 */
struct guestfs_helper_job {
	const char *const *argv;      /* argv[0] is the path of the program; ends with NULL */
	unsigned int seconds;	      /* time-out, wall clock */
	guest_progress_func progress; /* NULL: not wanted */
	void *progress_data;
	GCancellable *cancellable; /* NULL, or cancelled by another thread */
};

/*
 * Run the helper to its end. When the function returns, true or false, no process of its group is
 * left. False with: what the helper reported; EPTLAB_ERROR_MACHINE if it could not be started or
 * died; EPTLAB_ERROR_TIMEOUT; EPTLAB_ERROR_INTERRUPTED if cancelled.
 */
bool guestfs_helper_run(const struct guestfs_helper_job *job, GError **error);

#endif
