/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_WORKLOADS_WORKLOADS_H
#define EPTLAB_WORKLOADS_WORKLOADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/workload_list.h"

/*
 * What a Linux does all day, one operation at a time. Each file here is one workload, or a kind of
 * them; what an operation causes under nested and under shadow paging, and why, stands above its
 * code and, derived, in docs/workloads.md.
 *
 * A workload runs in a process of its own, so that what it leaves behind is gone with it. prepare
 * and finish may be NULL. What returns false has set errno.
 */
struct workload {
	bool (*prepare)(uint64_t most); /* most: operations of all calls of run() together */
	bool (*run)(uint64_t n);
	void (*finish)(void);
};

/* One for each line of the list, workload_VARIABLE. */
#define WORKLOAD_DECLARE(variable, name, n, what) extern const struct workload workload_##variable;
WORKLOAD_LIST(WORKLOAD_DECLARE)

#define PAGE ((size_t)4096)

/* The argument with which the probe does nothing: what exec() starts. */
#define WORKLOAD_NOTHING "--nothing"

/* fork(), work(n) in the child, which exits with 0 if that is true; wait for it. */
bool in_a_child(bool (*work)(uint64_t n), uint64_t n);

/* Wait for a child; false, and errno is ECHILD, unless it exited with 0. */
bool wait_for(int pid);

/* What became of the child that wait_for() failed for: a clause, valid until the next call. */
const char *workload_child_end(void);

/* What it means that a signal has ended a workload: the same. */
const char *workload_signal(int number);

/* Replace this process by one of the same program that does nothing; false if that fails. */
bool exec_nothing(uint64_t unused);

/* New anonymous memory, not yet touched; flags: MAP_PRIVATE or MAP_SHARED. NULL: there is none. */
char *map_pages(size_t pages, int flags);

/* Write to the first byte of each page. */
void touch(char *area, size_t pages);

#endif
