/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_COLLECT_L1_RESULT_H
#define EPTLAB_COLLECT_L1_RESULT_H

#include <stdbool.h>
#include <glib.h>

#include "wire/frameset.h"
#include "wire/l1_frames.h"
#include "record/record.h"

/* Called with each step of L1; ticks is L1's time-stamp counter. */
typedef void (*l1_step_func)(uint64_t ticks, const char *text, void *data);

typedef struct l1_result l1_result;

/*
 * An empty result of the experiment that record describes; its runs are added to record as they
 * come. The record must outlive the result. step may be NULL. Free with l1_result_free.
 */
l1_result *l1_result_new(struct record *record, l1_step_func step, void *data);
void l1_result_free(l1_result *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(l1_result, l1_result_free)

/* Take the next frame. A frameset_func; errors are EPTLAB_ERROR_L1. */
bool l1_result_add(const struct frame *frame, void *result, GError **error);

/*
 * All frames have come, or no more will: read each run's probe frames and kernel log into the
 * record, and say what went wrong first, if anything did. False with, in this order:
 * what the agent said that failed; EPTLAB_ERROR_TIMEOUT or EPTLAB_ERROR_L2 for the first run whose
 * L2 was silent, crashed, panicked or ended without a complete set of frames. The run's error is
 * set to the same sentence.
 */
bool l1_result_finish(l1_result *result, GError **error);

/* Texts that came, as "<folder>/<file>" → GString. Owned by the result. */
frame_texts *l1_result_texts(l1_result *result);

#endif
