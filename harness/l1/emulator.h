/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_L1_EMULATOR_H
#define EPTLAB_L1_EMULATOR_H

#include <stdbool.h>
#include <gio/gio.h>

#include "wire/frameset.h"

/*
 * An emulator as a child process: on a pseudo-terminal of its own, with L1's two serial ports as
 * FIFOs, watched by events until it has ended.
 */
struct emulator_request {
	const char *const *argv;  /* ends with NULL */
	char **environment;	  /* ends with NULL */
	const char *folder;	  /* its working directory */
	const char *console_fifo; /* a FIFO to be made: what L1's console writes */
	const char *frames_fifo;  /* a FIFO to be made: what the agent writes */
	const char *console_file; /* file that keeps the console */
	const char *log;	  /* file that it logs to; NULL: there is none */
	unsigned int seconds;	  /* time-out, wall clock */
	/*
	 * It is to be told to end by SIGTERM, and ends what it has started (virt/supervisor.h);
	 * SIGKILL comes only when it does not.
	 */
	bool told;
	frameset *frames;
	GCancellable *cancellable;
};

/*
 * Run it to its end. It is ended, and waited for, when L1 panics (once the panic's last line is
 * out), when the frames are refused, when there is more than L1 may make L0 keep (l1/watch.h), at
 * the time-out, and when it is cancelled; the kernel ends it when this process dies.
 * EPTLAB_ERROR_MACHINE, _L1, _TIMEOUT, _INTERRUPTED. True says only that the emulator ended by
 * itself, or with complete frames: whether they are complete is for the caller to ask.
 */
bool emulator_run(const struct emulator_request *request, GError **error);

#endif
