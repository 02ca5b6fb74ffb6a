/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a compiler's driver makes a system do, in small: a process that reads a file, fills memory,
 * and starts another program that does the same as exec. The parts are those of fork, exec and
 * mmap; what is new is that they come together, in one address space.
 */
#include "workloads.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY_PAGES 32

static bool work(uint64_t unused)
{
	char *memory = map_pages(MEMORY_PAGES, MAP_PRIVATE);
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)unused;
	if (!memory || fd < 0 || read(fd, memory, MEMORY_PAGES * PAGE) < 0)
		return false;
	touch(memory, MEMORY_PAGES);
	return in_a_child(exec_nothing, 0);
}

static bool run(uint64_t n)
{
	while (n-- > 0)
		if (!in_a_child(work, 0))
			return false;
	return true;
}

const struct workload workload_compile = { .run = run };
