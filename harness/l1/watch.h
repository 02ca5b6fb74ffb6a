/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_L1_WATCH_H
#define EPTLAB_L1_WATCH_H

#include <stdbool.h>
#include <gio/gio.h>

#include "wire/frameset.h"

/*
 * What a platform does while L1 runs, whatever starts L1: by events, keep its console, take its
 * frames, and notice its panic, its end, the time-out and the user's wish to end.
 */
struct watch_request {
	/* Non-blocking, for reading; the caller closes them after watch_l1. */
	int console;
	int frames;
	int screen; /* read and thrown away, so that nobody blocks; -1: there is none */
	int ended;  /* readable once L1 has ended by itself */
	/*
	 * Once L1 has been stopped, console and frames come to their end: read on until then, or
	 * for some seconds.
	 */
	bool to_end;
	/* End L1 if it has not ended, and wait until it has. Called once, always. */
	void (*stop)(void *data);
	/* Wake L1, which has said nothing for WATCH_SILENT seconds; NULL: there is no need to. */
	void (*wake)(void *data);
	void *data;
	const char *console_file; /* file that keeps the console */
	const char *log;	  /* file that the emulator logs to; NULL: there is none */
	unsigned int seconds;	  /* time-out, wall clock */
	frameset *frameset;
	GCancellable *cancellable;
};

/* In seconds: longer than most steps of an L1 take. */
#define WATCH_SILENT 10

/* In bytes: many times what they ever have, and what a runaway L1 may make L0 keep. */
#define WATCH_CONSOLE_MOST (16u << 20)
#define WATCH_LOG_MOST	   (64u << 20)

/*
 * Watch L1 to its end. It is stopped when it panics (once the panic's last line is out), when its
 * frames are refused, when there is more than it may make L0 keep, at the time-out, and when it is
 * cancelled. EPTLAB_ERROR_MACHINE, _L1, _TIMEOUT, _INTERRUPTED. True says only that it ended by
 * itself: whether its frames are complete is for the caller to ask.
 */
bool watch_l1(const struct watch_request *request, GError **error);

/*
 * L1 has ended by itself: has it sent all its frames? EPTLAB_ERROR_L1 if it has begun to, and
 * EPTLAB_ERROR_MACHINE, with silent as what happened, if it has not.
 */
bool watch_judge(const frameset *frames, const char *silent, GError **error);

#endif
