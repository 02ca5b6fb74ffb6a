/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_AGENT_LINK_H
#define EPTLAB_AGENT_LINK_H

#include <stdbool.h>
#include <glib.h>

#include "wire/frame.h"

/* L1's end of the serial line to L0: one set of frames (wire/frame.h), from begin to end. */
struct link {
	int fd;
	bool tty;
	uint32_t seq;
	struct frame_line line;
};

/*
 * Open the serial port at path, raw, or the FIFO (where L1 is this machine), and send the begin
 * frame. Errors: EPTLAB_ERROR_L1 when the
 * port cannot be opened or written.
 */
bool link_open(struct link *link, const char *path, GError **error);

/*
 * Start a frame of that kind; add fields with frame_add_* to what is returned (owned by link), and
 * send it with link_send. EPTLAB_ERROR_L1 when the frame is malformed or the port fails.
 */
struct frame_line *link_frame(struct link *link, const char *kind);
bool link_send(struct link *link, GError **error);

/* Send data as the text file of that name, in as many frames as it takes. */
bool link_text(struct link *link, const char *name, const char *data, size_t length,
	       GError **error);

/*
 * Say what L1 is about to do, with the TSC's reading: on Bochs that is the number of emulated
 * instructions (ticks) since power-on, idle time included.
 */
bool link_step(struct link *link, const char *text, GError **error);

/*
 * Send the end frame, wait until the UART has sent the last bit (what is in it when L1 powers off
 * is lost), and close.
 */
bool link_close(struct link *link, GError **error);

#endif
