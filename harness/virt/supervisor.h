/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_VIRT_SUPERVISOR_H
#define EPTLAB_VIRT_SUPERVISOR_H

/*
 * What libvirt and libguestfs start outlives whoever started it, and becomes the child of the next
 * process above that wants orphans (PR_SET_CHILD_SUBREAPER), or of pid 1, which may not reap. So
 * the work is done by a child, the worker, and the process above it does nothing but reap, hand on
 * signals, and, once the worker has ended in whatever way, end all that is left and remove the
 * folders that the worker has named.
 */
enum supervisor_kind {
	/*
	 * Three processes: the one that was started stands for the worker, hands on the signals
	 * that it gets, and ends with its status. Should it be killed, the supervisor, in a session
	 * of its own, ends the worker and the rest. Should the supervisor be killed, it does that
	 * itself, unless it has had children before.
	 */
	SUPERVISOR_APART,
	/* Two: the one that was started is the supervisor. SIGKILL is not for it. */
	SUPERVISOR_HERE,
};

/*
 * Returns in the worker. The others end with its exit status, or EPTLAB_ERROR_MACHINE and a
 * sentence if a signal has ended it. To be called before any thread is started. Apart, SIGINT,
 * SIGTERM and SIGHUP are blocked in the worker, and stay pending until interrupt_catch.
 */
void supervise(enum supervisor_kind kind);

/* The folder, or file, is to be removed at the end. Without a supervisor, nothing happens. */
void supervisor_remove(const char *folder);

#endif
