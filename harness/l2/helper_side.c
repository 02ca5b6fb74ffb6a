/* SPDX-License-Identifier: GPL-2.0-only */
#include "l2/helper_side.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* How long libguestfs may take to tidy up once its children are gone. */
#define GRACE_SECONDS 2

void helper_side_step(const char *text)
{
	printf("step %s\n", text);
	fflush(stdout);
}

/* End all other processes of our group: supermin and its children, QEMU, the recovery process. */
static void kill_others(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (pid > 0 && pid != getpid() && getpgid(pid) == getpgrp())
			kill(pid, SIGKILL);
	}
	if (proc)
		closedir(proc);
}

/*
 * Wait for the end of standard input. Then the children go first: libguestfs' call fails, and it
 * removes its temporary files, the one in /tmp included (the socket's folder, which cannot be
 * moved for root). Should that hang, the group goes as a whole.
 */
static void *watch(void *unused)
{
	ssize_t length;
	char byte;

	(void)unused;
	do {
		length = read(STDIN_FILENO, &byte, 1);
	} while (length > 0 || (length < 0 && errno == EINTR));
	kill_others();
	sleep(GRACE_SECONDS);
	kill(0, SIGKILL);
	return NULL;
}

/* The end of standard input is what counts; SIGTERM comes beside it (virt/supervisor.c). */
static void stay(int number)
{
	(void)number;
}

bool helper_side_start(const char *tmp)
{
	/* supermin looks from another folder. */
	g_autofree char *whole = g_canonicalize_filename(tmp, NULL);
	pthread_t thread;

	/* Not ignored: its children would inherit that. */
	signal(SIGTERM, stay);
	g_setenv("TMPDIR", whole, TRUE);
	return pthread_create(&thread, NULL, watch, NULL) == 0;
}

int helper_side_end(const GError *error)
{
	if (error == NULL)
		return 0;
	printf("error %d %s\n", error->code, error->message);
	fflush(stdout);
	return error->code;
}
