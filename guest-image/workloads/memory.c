/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory mapped, touched and given back. A page that Linux maps for the first time in a table is a
 * #PF twice under shadow paging: the guest's own, which KVM passes on, and the shadow's, when the
 * instruction is tried again. Unmapping flushes the TLB: an INVLPG for each page, or a MOV to CR3
 * for more than 33 (tlb_single_page_flush_ceiling). Under EPT the guest's page tables are its own
 * affair.
 */
#include "workloads.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGES 16

static char *area;

/* ---- mmap, shm: memory that comes and goes ---- */

static bool come_and_go(int flags, uint64_t n)
{
	while (n-- > 0) {
		char *pages = map_pages(PAGES, flags);

		if (!pages)
			return false;
		touch(pages, PAGES);
		if (munmap(pages, PAGES * PAGE) < 0)
			return false;
	}
	return true;
}

static bool run_mmap(uint64_t n)
{
	return come_and_go(MAP_PRIVATE, n);
}

static bool run_shm(uint64_t n)
{
	return come_and_go(MAP_SHARED, n);
}

const struct workload workload_mmap = { .run = run_mmap };
const struct workload workload_shm = { .run = run_shm };

/* ---- brk: the same, as malloc() does it ---- */

static bool run_brk(uint64_t n)
{
	while (n-- > 0) {
		char *pages = sbrk(PAGES * PAGE);

		if (pages == (void *)-1)
			return false;
		touch(pages, PAGES);
		if (sbrk(-(intptr_t)(PAGES * PAGE)) == (void *)-1)
			return false;
	}
	return true;
}

const struct workload workload_brk = { .run = run_brk };

/*
 * ---- fault: the first write to a page, n of them in one piece ----
 *
 * Given back at the end, so that the next call gets what the VM has used before: memory that is new
 * to it would be an EPT violation each.
 */

static bool run_fault(uint64_t n)
{
	char *pages = map_pages(n, MAP_PRIVATE);

	if (!pages)
		return false;
	touch(pages, n);
	return munmap(pages, n * PAGE) == 0;
}

const struct workload workload_fault = { .run = run_fault };

/* ---- stride: memory that is there already, more than a TLB holds; nothing changes ---- */

#define STRIDE_PAGES 1536

static bool prepare_stride(uint64_t most)
{
	(void)most;
	area = map_pages(STRIDE_PAGES, MAP_PRIVATE);
	if (area)
		touch(area, STRIDE_PAGES);
	return area;
}

static bool run_stride(uint64_t n)
{
	while (n-- > 0)
		for (size_t i = 0; i < STRIDE_PAGES; i++)
			(void)*(volatile char *)(area + i * PAGE);
	return true;
}

const struct workload workload_stride = { .prepare = prepare_stride, .run = run_stride };

/* ---- pagefault-file: pages of a file that is in the page cache ---- */

/* So far from each other that one fault does not bring the next (fault_around_bytes, 64 KiB). */
#define FILE_STEP  ((size_t)64 << 10)
#define FILE_STEPS 8

static int file;

static bool prepare_file(uint64_t most)
{
	(void)most;
	file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	return file >= 0;
}

static bool run_file(uint64_t n)
{
	while (n-- > 0) {
		area = mmap(NULL, FILE_STEP * FILE_STEPS, PROT_READ, MAP_PRIVATE, file, 0);
		if (area == MAP_FAILED)
			return false;
		for (size_t i = 0; i < FILE_STEPS; i++)
			(void)*(volatile char *)(area + i * FILE_STEP);
		if (munmap(area, FILE_STEP * FILE_STEPS) < 0)
			return false;
	}
	return true;
}

const struct workload workload_pagefault_file = { .prepare = prepare_file, .run = run_file };
