/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_MODEL_PROBE_RESULT_H
#define EPTLAB_MODEL_PROBE_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <glib.h>

#include "model/frameset.h"
#include "model/record.h"

/*
 * What the probe in L2 has read, from the frames of one sweep. They come in this order, each once:
 *
 *	begin proto=1 from=probe
 *	iface eax= ebx= ecx= edx=		leaf 0x4FFFFF00
 *	effect eax= ebx= ecx= edx=		leaf 0x4FFFFF01
 *	total at=before eax= ebx= ecx= edx=	leaf 0x4FFFFFFC
 *	exit reason= eax= ebx= ecx= edx=	leaf 0x4FFFFFFE; reason 0, 1, 2 ... without a gap
 *	total at=after eax= ebx= ecx= edx=	leaf 0x4FFFFFFC
 *	end frames=N
 *
 * Anything else is an error, EPTLAB_ERROR_L2. What the registers say is not judged here: a kernel
 * that answers nonsense was still measured, and rules.h says what is wrong with it.
 */
typedef struct probe_result probe_result;

/* The name that the probe gives itself in its begin frame. */
#define PROBE_SENDER "probe"

/* An empty result; free with probe_result_free. */
probe_result *probe_result_new(void);
void probe_result_free(probe_result *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(probe_result, probe_result_free)

/*
 * Take the next frame. A frameset_func: give it to frameset_new with the probe_result as data.
 */
bool probe_result_add(const struct frame *frame, void *result, GError **error);

/* How many reasons have been read so far, for progress. */
unsigned int probe_result_reasons(const probe_result *result);

/* Has the end frame been taken? */
bool probe_result_is_complete(const probe_result *result);

/* A whole set of frames from memory (the file probe.frames); NULL with an error if refused. */
probe_result *probe_result_parse(const void *frames, size_t length, GError **error);

/*
 * Put what was read into a run: interface, l2_in_effect, leaf_total, exits, total, undefined and
 * malformed. What the run had there is replaced. The result must be complete.
 */
void probe_result_store(const probe_result *result, struct record_run *run);

#endif
