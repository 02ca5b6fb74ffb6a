/* SPDX-License-Identifier: GPL-2.0-only */
#include "workloads.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

bool wait_for(int pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	errno = ECHILD;
	return false;
}

bool in_a_child(bool (*work)(uint64_t n), uint64_t n)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(work(n) ? 0 : 1);
	return pid > 0 && wait_for(pid);
}

bool exec_nothing(uint64_t unused)
{
	char *const argv[] = { (char *)"probe", (char *)WORKLOAD_NOTHING, NULL };
	char *const environment[] = { NULL };

	(void)unused;
	execve("/proc/self/exe", argv, environment);
	return false;
}

char *map_pages(size_t pages, int flags)
{
	char *area = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	return area != MAP_FAILED ? area : NULL;
}

void touch(char *area, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		*(volatile char *)(area + i * PAGE) = 1;
}
