/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/interrupt.h"

#include <pthread.h>
#include <signal.h>

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

/* A signal that is ignored stays so (nohup): to wait for it would be to take it. */
static void fill(sigset_t *set)
{
	struct sigaction action;

	sigemptyset(set);
	for (unsigned int i = 0; i < G_N_ELEMENTS(signals); i++) {
		if (sigaction(signals[i], NULL, &action) != 0 || action.sa_handler != SIG_IGN)
			sigaddset(set, signals[i]);
	}
}

static void *wait_for_signal(void *data)
{
	g_autoptr(GCancellable) cancellable = data;
	sigset_t set;
	int number;

	fill(&set);
	while (sigwait(&set, &number) == 0)
		g_cancellable_cancel(cancellable);
	return NULL;
}

GCancellable *interrupt_catch(void)
{
	GCancellable *cancellable = g_cancellable_new();
	sigset_t set;

	fill(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	g_thread_unref(g_thread_new("signals", wait_for_signal, g_object_ref(cancellable)));
	return cancellable;
}
