/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_MODEL_L1_RESULT_H
#define EPTLAB_MODEL_L1_RESULT_H

#include <stdbool.h>
#include <glib.h>

#include "model/frameset.h"
#include "model/record.h"

/*
 * What the agent in L1 tells L0, in this order:
 *
 *	begin proto=1 from=agent
 *	l1 release=				uname -r
 *	then for each configuration:
 *	  run config=
 *	  module name= build_id=		each loaded module, from /sys/module
 *	  param name= value=			each parameter in effect, from /sys/module
 *	  witness				the kernel's own counters are being read as well
 *	  l2 end= ticks=			how L2's life ended (enum l1_end), and its length
 *	  text name=<config>/<file> data=	the files below
 *	step ticks= text=			anywhere: what L1 is about to do
 *	fail code= message=			last but for end, if L1 had to give up
 *	end frames=N
 */
#define L1_SENDER	   "agent"
#define L1_FRAME_L1	   "l1"
#define L1_FRAME_RUN	   "run"
#define L1_FRAME_MODULE	   "module"
#define L1_FRAME_PARAMETER "param"
#define L1_FRAME_L2	   "l2"
#define L1_FRAME_WITNESS   "witness"
#define L1_FRAME_STEP	   "step"
#define L1_FRAME_FAIL	   "fail"

/* Files of a run, after "<config>/". */
#define L1_FILE_PROBE	"probe.frames"
#define L1_FILE_CONSOLE "l2-console.log"
#define L1_FILE_DMESG	"dmesg.log"
/* Of a second VM that was alive meanwhile. */
#define L1_FILE_COMPANION "companion.frames"
/* With a witness: two histograms of kvm:kvm_exit, and two files of the VM in KVM's debugfs. */
#define L1_FILE_AT_LATCH "witness-latch.hist"
#define L1_FILE_AT_END	 "witness-end.hist"
#define L1_FILE_DEBUGFS	 "exitcount"
#define L1_FILE_EXITS	 "exits"

enum l1_end {
	L1_END_ENDED, /* L2 reset itself or powered off, as its init does at the end */
	L1_END_HELD,  /* L2 said that it was done, stood still to be looked at, and was destroyed */
	L1_END_CRASHED,	  /* QEMU died or reported a crash */
	L1_END_TIMED_OUT, /* L2 was still running when its time was up, and was destroyed */
	L1_END_COUNT,
};

/* The names of enum l1_end in frames. */
extern const char *const l1_end_names[L1_END_COUNT];

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
