/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_WIRE_WORKLOAD_LIST_H
#define EPTLAB_WIRE_WORKLOAD_LIST_H

/*
 * construct(variable, "name", N, "what one operation is"): the operations of Linux that L2's probe
 * does between two latches, in this order, and how many at its first point. Shared by the probe,
 * which does them, and the harness, which checks names and explains them. Macros only.
 *
 * N is as small as it can be: each operation is emulated twice over. A timer interrupt of L2, which
 * comes 100 times a second, must not be most of what is measured.
 */
/* clang-format off */
#define WORKLOAD_LIST(construct)									\
	construct(getppid,	  "getppid",	    1000, "one getppid()")				\
	construct(fork,		  "fork",	    4,	  "fork(), exit of the child, wait")		\
	construct(exec,		  "exec",	    4,	  "fork(), exec of a static program, wait")	\
	construct(forkwait,	  "forkwait",	    4,	  "one more process in a chain, each waiting for the next") \
	construct(switch_2,	  "switch",	    50,	  "a byte there and back between 2 processes, by pipes") \
	construct(switch_16,	  "switch-16",	    8,	  "a byte once around 16 processes, by pipes")	\
	construct(thread_switch,  "thread-switch",  50,	  "a byte there and back between 2 threads, by pipes") \
	construct(mmap,		  "mmap",	    16,	  "map 16 pages, write to each, unmap")		\
	construct(fault,	  "fault",	    64,	  "the first write to a page of anonymous memory") \
	construct(cow,		  "cow",	    4,	  "fork(), the child writes to 16 pages, wait")	\
	construct(mprotect,	  "mprotect",	    64,	  "one page made read-only, writable again, written to") \
	construct(segv,		  "segv",	    64,	  "a write to a read-only page, its SIGSEGV handled") \
	construct(pagefault_file, "pagefault-file", 16,	  "map a file, read a byte of 8 of its pages, unmap") \
	construct(brk,		  "brk",	    16,	  "the heap 16 pages up, each written to, and down again") \
	construct(shm,		  "shm",	    16,	  "map 16 shared pages, write to each, unmap")	\
	construct(stride,	  "stride",	    4,	  "read a byte of each of 1536 pages")		\
	construct(compile,	  "compile",	    3,	  "a process that reads a file, maps and fills 32 pages, and runs another one")
/* clang-format on */

/* Points of each: N, 2 N, 3 N operations between latches. */
#define WORKLOAD_POINTS 3

/* Of a workload that is given points of its own; and operations at one point. */
#define WORKLOAD_POINTS_MOST 8
#define WORKLOAD_N_MOST	     1000000

/*
 * L2's kernel has it as an argument: names with ';' between, each with ":N" behind it, which is the
 * first point, or ":N,N..." (all points, ascending), or without.
 */
#define WORKLOAD_PARAMETER "eptlab.operations="

#endif
