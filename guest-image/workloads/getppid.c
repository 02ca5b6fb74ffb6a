/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A system call that does nothing: no exit under either paging, because SYSCALL and SYSRET touch
 * neither CR3 nor a page table. (With KPTI each is two MOV to CR3, and so under shadow paging two
 * exits.) What must be there in both is 0.
 */
#include "workloads.h"

#include <sys/syscall.h>
#include <unistd.h>

static bool run(uint64_t n)
{
	while (n-- > 0)
		syscall(SYS_getppid);
	return true;
}

const struct workload workload_getppid = { .run = run };
