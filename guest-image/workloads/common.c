/* SPDX-License-Identifier: GPL-2.0-only */
#include "workloads.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int child_status;

const char *workload_signal(int number)
{
	static char text[80];

	/* Nobody else sends it before its time is up. */
	if (number == SIGKILL)
		return "killed, as Linux does when there is no memory left";
	snprintf(text, sizeof(text), "ended by signal %d, %s", number, strsignal(number));
	return text;
}

const char *workload_child_end(void)
{
	static char text[120];

	if (WIFSIGNALED(child_status))
		snprintf(text, sizeof(text), "a child of it was %s",
			 workload_signal(WTERMSIG(child_status)));
	else
		snprintf(text, sizeof(text), "a child of it exited with status %d",
			 WEXITSTATUS(child_status));
	return text;
}

bool wait_for(int pid)
{
	while (waitpid(pid, &child_status, 0) < 0)
		if (errno != EINTR)
			return false;
	if (WIFEXITED(child_status) && WEXITSTATUS(child_status) == 0)
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
