/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page protection changed and violated. Each change writes one entry of a page table and flushes
 * one page (INVLPG); the shadow of the entry is thrown away and comes back with the next #PF.
 * Under EPT no page fault of the guest exits.
 */
#include "workloads.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

static char *page;
static sigjmp_buf back;

static bool prepare_mprotect(uint64_t most)
{
	(void)most;
	page = map_pages(1, MAP_PRIVATE);
	if (page)
		touch(page, 1);
	return page;
}

static bool run_mprotect(uint64_t n)
{
	while (n-- > 0) {
		if (mprotect(page, PAGE, PROT_READ) < 0 ||
		    mprotect(page, PAGE, PROT_READ | PROT_WRITE) < 0)
			return false;
		touch(page, 1);
	}
	return true;
}

const struct workload workload_mprotect = { .prepare = prepare_mprotect, .run = run_mprotect };

/* ---- segv ---- */

static void jump_back(int signal)
{
	(void)signal;
	siglongjmp(back, 1);
}

static bool prepare_segv(uint64_t most)
{
	struct sigaction action = { .sa_handler = jump_back };

	return prepare_mprotect(most) && mprotect(page, PAGE, PROT_READ) == 0 &&
	       sigaction(SIGSEGV, &action, NULL) == 0;
}

static bool run_segv(uint64_t n)
{
	volatile uint64_t left = n;

	while (left > 0) {
		left--;
		if (sigsetjmp(back, 1) == 0) {
			touch(page, 1);
			return false; /* it was writable */
		}
	}
	return true;
}

const struct workload workload_segv = { .prepare = prepare_segv, .run = run_segv };
