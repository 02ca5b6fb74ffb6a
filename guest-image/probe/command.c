/* SPDX-License-Identifier: GPL-2.0-only */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "wire/command.h"

#define ARGUMENTS_MOST 1024

enum end {
#define END(name, word) END_##name,
	COMMAND_ENDS(END)
};

static const char *const ends[] = {
#define WORD(name, word) word,
	COMMAND_ENDS(WORD)
};

static struct {
	char text[COMMAND_FILE_MOST + 1];
	char *arguments[ARGUMENTS_MOST + 1];
	const char *folder;
	time_t seconds;
	enum end end;
	uint64_t value;
	int output[2];
	bool full;
} command;

static bool say(const char *path, const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", path, what);
	return false;
}

/* All is in its place before the first reading: no page is touched for the first time after it. */
static bool split(const char *path, size_t length)
{
	char *at = command.text, *end = command.text + length;
	size_t count = 0;

	for (size_t i = 0; at < end; i++, at += strlen(at) + 1) {
		if (count == ARGUMENTS_MOST)
			return say(path, "too many arguments");
		if (i == 0)
			command.seconds = (time_t)strtoul(at, NULL, 10);
		else if (i == 1)
			command.folder = at;
		else
			command.arguments[count++] = at;
	}
	return count > 0 || say(path, "there is no command in it");
}

bool command_load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, command.text, COMMAND_FILE_MOST);

	if (length < 0 || close(fd) < 0)
		return say(path, strerror(errno));
	return split(path, (size_t)length) &&
	       (pipe2(command.output, O_CLOEXEC | O_NONBLOCK) == 0 || say(path, strerror(errno)));
}

/* A group of its own, so that all of it can be ended. 0, or errno. */
static int start(pid_t *pid, const sigset_t *mask)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error;

	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attributes, mask);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, command.output[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, command.output[1], STDERR_FILENO);
	error = chdir(command.folder) < 0 ? errno
					  : posix_spawnp(pid, command.arguments[0], &actions,
							 &attributes, command.arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return error;
}

/* Of what is left until then. */
static struct timespec left_until(time_t end)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (struct timespec){ .tv_sec = now.tv_sec < end ? end - now.tv_sec : 0 };
}

static bool has_ended(pid_t pid, int *status)
{
	return waitpid(pid, status, WNOHANG) == pid;
}

/* False if its time was up. SIGCHLD is blocked, so that none is lost. */
static bool wait_until(pid_t pid, time_t end, const sigset_t *child, int *status)
{
	while (!has_ended(pid, status)) {
		const struct timespec left = left_until(end);

		if (sigtimedwait(child, NULL, &left) < 0 && errno == EAGAIN)
			return has_ended(pid, status);
	}
	return true;
}

static void finish(enum end end, int value)
{
	command.end = end;
	command.value = (uint64_t)value;
}

void command_run(void)
{
	struct pollfd room = { .fd = command.output[1], .events = POLLOUT };
	sigset_t child, before;
	struct timespec now;
	int status = 0, error;
	pid_t pid = 0;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &before);
	clock_gettime(CLOCK_MONOTONIC, &now);
	error = start(&pid, &before);
	if (error)
		finish(END_NOT_STARTED, error);
	else if (!wait_until(pid, now.tv_sec + command.seconds, &child, &status))
		finish(END_TIMED_OUT, (int)command.seconds);
	else if (WIFSIGNALED(status))
		finish(END_SIGNALLED, WTERMSIG(status));
	else
		finish(END_EXITED, WEXITSTATUS(status));
	if (!error) {
		/* Whoever is left would go on beside the readings. */
		kill(-pid, SIGKILL);
		while (waitpid(-pid, NULL, 0) > 0)
			;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	command.full = poll(&room, 1, 0) == 0;
}

static void report_output(struct report *report)
{
	static char bytes[COMMAND_FILE_MOST];
	ssize_t length;

	while ((length = read(command.output[0], bytes, sizeof(bytes))) > 0) {
		for (size_t sent = 0; sent < (size_t)length;) {
			struct frame_line line;

			frame_open(&line, report->frames, "output");
			sent += frame_add_part(&line, "data", bytes + sent, (size_t)length - sent);
			report_put(report, &line);
		}
	}
}

void command_report(struct report *report)
{
	struct frame_line line;

	if (!command.arguments[0])
		return;
	frame_open(&line, report->frames, "command");
	frame_add_string(&line, "end", ends[command.end]);
	frame_add_u64(&line, "value", command.value);
	frame_add_u64(&line, "full", command.full);
	report_put(report, &line);
	report_output(report);
}
