/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes made and ended. Each has page tables of its own: under shadow paging every new table is
 * shadowed entry by entry (#PF), writes to one that is write-protected are emulated (#PF), the
 * switch to it and back is a MOV to CR3 (CR_ACCESS), and what fork() write-protects in the parent
 * faults again when it is next written to. Under EPT none of this exits; new memory is an
 * EPT_VIOLATION the first time that the VM uses it, and never again.
 */
#include "workloads.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- fork: the child exits at once ---- */

static bool nothing(uint64_t unused)
{
	(void)unused;
	return true;
}

static bool run_fork(uint64_t n)
{
	while (n-- > 0)
		if (!in_a_child(nothing, 0))
			return false;
	return true;
}

const struct workload workload_fork = { .run = run_fork };

/* ---- exec: it becomes another program first ---- */

static bool run_exec(uint64_t n)
{
	while (n-- > 0)
		if (!in_a_child(exec_nothing, 0))
			return false;
	return true;
}

const struct workload workload_exec = { .run = run_exec };

/* ---- forkwait: a chain, each one waits for the next (Adams and Agesen, ASPLOS 2006) ---- */

static bool run_forkwait(uint64_t n)
{
	return n == 0 || in_a_child(run_forkwait, n - 1);
}

const struct workload workload_forkwait = { .run = run_forkwait };

/* ---- cow: the child writes to what it shares with its parent ---- */

#define COW_PAGES 16

static char *shared;

static bool prepare_cow(uint64_t most)
{
	(void)most;
	shared = map_pages(COW_PAGES, MAP_PRIVATE);
	if (shared)
		touch(shared, COW_PAGES);
	return shared;
}

static bool write_all(uint64_t unused)
{
	(void)unused;
	touch(shared, COW_PAGES);
	return true;
}

static bool run_cow(uint64_t n)
{
	while (n-- > 0)
		if (!in_a_child(write_all, 0))
			return false;
	return true;
}

const struct workload workload_cow = { .prepare = prepare_cow, .run = run_cow };
