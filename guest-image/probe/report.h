/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_PROBE_REPORT_H
#define EPTLAB_PROBE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/frame.h"
#include "reading.h"

/*
 * Says what was read, in frames (harness/wire/frame.h), in the order that
 * harness/collect/probe_result.h has.
 *
 * regs= is EAX,EBX,ECX,EDX in decimal, since most are 0, which then is one byte: sending takes
 * several exits for each byte. For the same reason reasons that follow each other and are answered
 * alike share a frame, from first to last.
 *
 * Sending causes exits, so all is read before anything is said.
 */

/* Takes the bytes of a frame; false: they could not be sent. */
typedef bool (*report_sink)(void *data, const char *bytes, size_t length);

/* Set up sink and data, the rest is 0. */
struct report {
	report_sink sink;
	void *data;
	uint32_t frames;
	bool failed; /* a frame could not be written or sent: what was sent is no set */
};

void report_begin(struct report *report, const struct reading_identity *identity);

/* n: how large the dose was; 0 where there is none. */
void report_reading(struct report *report, const struct reading_identity *identity,
		    const struct reading *reading, const char *name, uint64_t n);

/* Where there are no counts: only when it was, and how many CPUIDs the reading took. */
void report_mark(struct report *report, const struct reading *reading, const char *name);

/* False if anything has failed since the beginning. */
bool report_end(struct report *report);

/* For frames of other kinds: close and send it; and a field with four registers. */
void report_put(struct report *report, struct frame_line *line);
void report_add_registers(struct frame_line *line, const char *key,
			  const struct reading_registers *registers);

#endif
