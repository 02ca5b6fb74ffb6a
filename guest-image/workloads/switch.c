/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Context switches: a byte goes around a ring of pipes, and each member sleeps until it comes.
 * Between processes each switch is a MOV to CR3, which exits under shadow paging (CR_ACCESS) and
 * makes KVM find, check or build the shadow of the other tables; threads share one address space,
 * and Linux leaves CR3 alone (switch_mm_irqs_off() of a mm that is loaded). Under EPT no switch
 * exits.
 */
#include "workloads.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#define MEMBERS_MAX 16

/* Member i reads from pipe i and writes to pipe i + 1; the last one writes to pipe 0. */
static struct {
	int members;
	int pipes[MEMBERS_MAX][2];
	int children[MEMBERS_MAX];
	pthread_t thread;
} ring;

static bool pass_on(int member)
{
	const int next = (member + 1) % ring.members;
	char byte;

	return read(ring.pipes[member][0], &byte, 1) == 1 &&
	       write(ring.pipes[next][1], &byte, 1) == 1;
}

/* Ends when nobody can write to its pipe any more. */
static void serve(int member)
{
	for (int i = 0; i < ring.members; i++)
		if (i != (member + 1) % ring.members)
			close(ring.pipes[i][1]);
	while (pass_on(member))
		;
}

static bool open_ring(int members)
{
	ring.members = members;
	for (int i = 0; i < members; i++)
		if (pipe(ring.pipes[i]) < 0)
			return false;
	return true;
}

static bool prepare_processes(int members)
{
	if (!open_ring(members))
		return false;
	for (int i = 1; i < members; i++) {
		ring.children[i] = fork();
		if (ring.children[i] < 0)
			return false;
		if (ring.children[i] == 0) {
			serve(i);
			_exit(0);
		}
	}
	return true;
}

static bool prepare_2(uint64_t most)
{
	(void)most;
	return prepare_processes(2);
}

static bool prepare_16(uint64_t most)
{
	(void)most;
	return prepare_processes(16);
}

/* Once around the ring. */
static bool run(uint64_t n)
{
	char byte = 0;

	while (n-- > 0)
		if (write(ring.pipes[1][1], &byte, 1) != 1 || read(ring.pipes[0][0], &byte, 1) != 1)
			return false;
	return true;
}

static void finish_processes(void)
{
	for (int i = 0; i < ring.members; i++)
		close(ring.pipes[i][1]);
	for (int i = 1; i < ring.members; i++)
		wait_for(ring.children[i]);
}

const struct workload workload_switch_2 = {
	.prepare = prepare_2,
	.run = run,
	.finish = finish_processes,
};
const struct workload workload_switch_16 = {
	.prepare = prepare_16,
	.run = run,
	.finish = finish_processes,
};

/* ---- thread-switch ---- */

static void *serve_in_thread(void *unused)
{
	(void)unused;
	while (pass_on(1))
		;
	return NULL;
}

static bool prepare_threads(uint64_t most)
{
	(void)most;
	if (!open_ring(2))
		return false;
	errno = pthread_create(&ring.thread, NULL, serve_in_thread, NULL);
	return errno == 0;
}

static void finish_threads(void)
{
	close(ring.pipes[1][1]);
	pthread_join(ring.thread, NULL);
}

const struct workload workload_thread_switch = {
	.prepare = prepare_threads,
	.run = run,
	.finish = finish_threads,
};
