/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_WIRE_L1_FRAMES_H
#define EPTLAB_WIRE_L1_FRAMES_H

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
/* Not sent, but taken from the probe's frames: what a command has printed. */
#define L1_FILE_OUTPUT "output.txt"
#define L1_FILE_QEMU   "qemu.log"
/* Of a second VM that was alive meanwhile. */
#define L1_FILE_COMPANION "companion.frames"
/*
 * With a witness: two histograms of kvm:kvm_exit. The first alone where the counts come from the
 * tracepoint.
 */
#define L1_FILE_AT_LATCH "witness-latch.hist"
#define L1_FILE_AT_END	 "witness-end.hist"

/*
 * What KVM's statistics (KVM_GET_STATS_FD) say when L2 stands still for good: QEMU's answers to
 * query-stats, as they are.
 */
#define L1_FILE_STATS_VM   "kvm-vm.json"
#define L1_FILE_STATS_VCPU "kvm-vcpu.json"

enum l1_end {
	L1_END_ENDED, /* L2 reset itself or powered off, as its init does at the end */
	L1_END_HELD,  /* L2 said that it was done, stood still to be looked at, and was destroyed */
	L1_END_CRASHED,	  /* QEMU died or reported a crash */
	L1_END_TIMED_OUT, /* L2 was still running when its time was up, and was destroyed */
	L1_END_STUCK,	  /* QEMU stopped L2's vCPUs, and it was destroyed */
	L1_END_COUNT,
};

/* The names of enum l1_end in frames. */
extern const char *const l1_end_names[L1_END_COUNT];

/* The line that stands in a "dmesg.log" where lines were overwritten before they could be read. */
#define KERNEL_LOG_LOST "(eptlab: kernel log overwritten here)"

#endif
