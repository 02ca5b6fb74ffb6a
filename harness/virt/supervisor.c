/* SPDX-License-Identifier: GPL-2.0-only */
#include "virt/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <glib.h>

#include "base/error.h"
#include "base/folder.h"

/* How long what is left may take to end by itself after SIGTERM, and to die after SIGKILL. */
#define GRACE_SECONDS 3
#define DEATH_SECONDS 30

/* Handed on to the worker. One that is ignored stays so (nohup), but that of a parent's end. */
static const int handed_on[] = { SIGINT, SIGTERM, SIGHUP };

static struct {
	pid_t parent;
	pid_t worker; /* 0: it has been waited for */
	int status;   /* of the worker */
	sigset_t waited_for;
	sigset_t before;
	int folders[2]; /* a pipe: each ends with '\0' */
	bool heir;	/* all children are our own, and what the supervisor orphans is too */
} self = { .folders = { -1, -1 } };

static void fail(const char *what)
{
	fprintf(stderr, "eptlab: L0: the process that looks after all others failed (%s: %s)\n",
		what, g_strerror(errno));
	_exit(EPTLAB_ERROR_MACHINE);
}

static pid_t fork_or_fail(void)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	return pid;
}

/* What was inherited, /dev/kvm for example, is the worker's. */
static void close_all_but(int fd)
{
	if (fd > 3)
		close_range(3, (unsigned int)fd - 1, 0);
	close_range((unsigned int)MAX(fd + 1, 3), ~0u, 0);
}

static void block_signals(void)
{
	struct sigaction action;

	/* An ignored SIGCHLD, which is inherited, has the kernel throw the status away. */
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&self.waited_for);
	sigaddset(&self.waited_for, SIGCHLD);
	for (size_t i = 0; i < G_N_ELEMENTS(handed_on); i++) {
		if (handed_on[i] == SIGTERM || sigaction(handed_on[i], NULL, &action) != 0 ||
		    action.sa_handler != SIG_IGN)
			sigaddset(&self.waited_for, handed_on[i]);
	}
	sigprocmask(SIG_BLOCK, &self.waited_for, &self.before);
}

/* False once there is no child. */
static bool reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == self.worker) {
			self.worker = 0;
			self.status = status;
		}
	}
	return pid == 0;
}

/* The parent of a process is the second word behind the name, which may have any character. */
static pid_t parent_of(const char *pid)
{
	g_autofree char *path = g_build_filename("/proc", pid, "stat", NULL);
	g_autofree char *text = NULL;
	const char *end;
	int parent = 0;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return 0;
	end = strrchr(text, ')');
	return end != NULL && sscanf(end, ") %*c %d", &parent) == 1 ? parent : 0;
}

/* Nobody else reaps them: their numbers are theirs. Their children will be ours when they end. */
static void tell_children(int number)
{
	g_autoptr(GDir) proc = g_dir_open("/proc", 0, NULL);
	const char *name;

	while (proc != NULL && (name = g_dir_read_name(proc)) != NULL) {
		if (g_ascii_isdigit(*name) && parent_of(name) == getpid())
			kill((pid_t)strtol(name, NULL, 10), number);
	}
}

/* True if no child is left. Whoever has been orphaned meanwhile gets the signal too. */
static bool end_children(int number, int seconds)
{
	const gint64 deadline = g_get_monotonic_time() + seconds * G_TIME_SPAN_SECOND;
	const struct timespec look_again = { .tv_sec = 1 };
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	while (reap()) {
		if (g_get_monotonic_time() > deadline)
			return false;
		tell_children(number);
		sigtimedwait(&child, NULL, &look_again);
	}
	return true;
}

static void remove_folders(void)
{
	g_autoptr(GString) names = g_string_new(NULL);
	char buffer[4096];
	ssize_t n;

	while ((n = read(self.folders[0], buffer, sizeof(buffer))) > 0)
		g_string_append_len(names, buffer, n);
	for (gsize at = 0; at < names->len; at += strlen(names->str + at) + 1)
		folder_remove(names->str + at);
}

static void end_all(void)
{
	if (!end_children(SIGTERM, GRACE_SECONDS) && !end_children(SIGKILL, DEATH_SECONDS))
		fprintf(stderr,
			"eptlab: L0: what this eptlab has started did not end within %d s of "
			"SIGKILL; look for it with ps, and in L0's kernel log\n",
			DEATH_SECONDS);
	remove_folders();
}

static void G_GNUC_NORETURN conclude(void)
{
	end_all();
	if (WIFEXITED(self.status))
		_exit(WEXITSTATUS(self.status));
	if (getppid() == self.parent)
		fprintf(stderr,
			"eptlab: L0: eptlab's process at work was ended by a signal (%s), and what "
			"it had started has been ended too; run it again, and for lack of memory "
			"look in L0's kernel log\n",
			strsignal(WTERMSIG(self.status)));
	_exit(EPTLAB_ERROR_MACHINE);
}

static void G_GNUC_NORETURN look_after(void)
{
	close_all_but(self.folders[0]);
	for (;;) {
		int number = sigwaitinfo(&self.waited_for, NULL);

		reap();
		if (self.worker == 0)
			conclude();
		/* Nobody waits for its work any more: kill -9, or the end of whoever started us. */
		if (getppid() != self.parent)
			kill(self.worker, SIGKILL);
		else if (number > 0 && number != SIGCHLD)
			kill(self.worker, number);
	}
}

/*
 * There is nothing to be cleaned up: the supervisor has done it before it ended. Unless that was
 * killed: then its orphans are ours.
 */
static void G_GNUC_NORETURN stand_for(pid_t supervisor)
{
	int status;

	close_all_but(self.folders[0]);
	while (waitpid(supervisor, &status, WNOHANG) != supervisor) {
		int number = sigwaitinfo(&self.waited_for, NULL);

		if (number > 0 && number != SIGCHLD)
			kill(supervisor, number);
	}
	if (WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	if (self.heir)
		end_all();
	fprintf(stderr,
		"eptlab: L0: the process that looks after all others was ended by a signal "
		"(%s)%s\n",
		strsignal(WTERMSIG(status)),
		self.heir ? ", and what eptlab had started has been ended too; run it again"
			  : "; what eptlab had started may be left, so look for it with ps");
	_exit(EPTLAB_ERROR_MACHINE);
}

/* SIGTERM when the parent ends; a parent that has ended already sends none. */
static void follow_parent(int number)
{
	if (prctl(PR_SET_PDEATHSIG, number) != 0)
		fail("prctl");
	if (getppid() != self.parent)
		raise(number);
}

void supervise(enum supervisor_kind kind)
{
	pid_t supervisor;

	block_signals();
	if (pipe2(self.folders, O_CLOEXEC | O_NONBLOCK) != 0)
		fail("pipe");
	self.parent = getpid();
	if (kind == SUPERVISOR_HERE) {
		self.parent = getppid();
	} else {
		/* A shell that has become us by exec may have left children of its own. */
		self.heir = waitpid(-1, NULL, WNOHANG) < 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
		supervisor = fork_or_fail();
		if (supervisor > 0)
			stand_for(supervisor);
	}
	follow_parent(SIGTERM);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		fail("prctl");
	supervisor = getpid();
	self.worker = fork_or_fail();
	if (self.worker > 0) {
		/* The worker stays in the terminal's session and group; Ctrl-C there is not for us.
		 */
		setsid();
		look_after();
	}
	self.parent = supervisor;
	follow_parent(SIGKILL);
	close(self.folders[0]);
	if (kind == SUPERVISOR_HERE)
		sigprocmask(SIG_SETMASK, &self.before, NULL);
}

void supervisor_remove(const char *folder)
{
	g_autofree char *whole = g_canonicalize_filename(folder, NULL);

	/* One that finds no room is left behind. */
	if (self.folders[1] >= 0 && write(self.folders[1], whole, strlen(whole) + 1) < 0)
		return;
}
