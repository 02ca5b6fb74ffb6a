/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations that go wrong, each in its own way, in the place of those of memory.c and protect.c:
 * test_faults.c puts a probe with them in the place of the real one.
 */
#include "../../guest-image/workloads/workloads.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static bool fail(uint64_t unused)
{
	(void)unused;
	errno = ENOSPC;
	return false;
}

static bool fail_in_a_child(uint64_t unused)
{
	(void)unused;
	return in_a_child(fail, 0);
}

static bool hang(uint64_t unused)
{
	(void)unused;
	while (pause() < 0)
		;
	return true;
}

/* And the one that waits for it must not be waited for. */
static bool hang_in_a_child(uint64_t unused)
{
	(void)unused;
	return in_a_child(hang, 0);
}

/* However long the machine takes for it: it ends by memory, and by nothing else. */
static bool take_all_memory(uint64_t unused)
{
	char *pages;

	(void)unused;
	alarm(0);
	while ((pages = map_pages(256, MAP_PRIVATE)))
		touch(pages, 256);
	return false;
}

/* The result is right, but who knows what it is that was counted? */
static bool talk(uint64_t unused)
{
	(void)unused;
	return puts("@ept1 nonsense 0 n=48,\t\xff") >= 0 && fflush(stdout) == 0;
}

static bool crash(uint64_t unused)
{
	(void)unused;
	return raise(SIGSEGV) == 0;
}

static bool leave(uint64_t unused)
{
	(void)unused;
	_exit(0);
}

const struct workload workload_mmap = { .run = fail };
const struct workload workload_fault = { .run = take_all_memory };
const struct workload workload_mprotect = { .run = hang };
const struct workload workload_segv = { .run = crash };
const struct workload workload_pagefault_file = { .run = talk };
const struct workload workload_brk = { .prepare = fail_in_a_child };
const struct workload workload_shm = { .run = hang_in_a_child };
const struct workload workload_stride = { .run = leave };
