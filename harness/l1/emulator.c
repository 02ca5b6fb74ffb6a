/* SPDX-License-Identifier: GPL-2.0-only */
#include "l1/emulator.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <glib-unix.h>

#include "config/paths.h"
#include "l1/watch.h"

struct emulator {
	const struct emulator_request *request;
	pid_t pid;
	int status; /* with which it ended by itself; 0: it did not */
	int ended;  /* pidfd: readable once it has ended (pidfd_open(2)) */
	int pty;
	int console; /* reading end of the FIFO */
	int frames;  /* reading end of the FIFO */
};

static void set_machine_error(GError **error, const char *what)
{
	eptlab_fail(error, EPTLAB_ERROR_MACHINE, "L0: the emulator could not be set up (%s: %s)",
		    what, g_strerror(errno));
}

static bool open_fifo(const char *path, int *fd, GError **error)
{
	/* Opened for reading first, so that the emulator's opening for writing does not wait. */
	if (mkfifo(path, 0600) != 0 || (*fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) < 0) {
		set_machine_error(error, path);
		return false;
	}
	return true;
}

/* The status of a child that did not become the emulator, as a shell has it. */
#define NOT_STARTED 127

/* In the child, after fork: only what is safe there. */
static void become_emulator(const struct emulator_request *request, pid_t parent)
{
	sigset_t none;

	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) != 0 ||
	    prctl(PR_SET_PDEATHSIG, request->told ? SIGTERM : SIGKILL) != 0 || getppid() != parent)
		_exit(NOT_STARTED);
	if (chdir(request->folder) != 0)
		_exit(NOT_STARTED);
	execvpe(request->argv[0], (char *const *)request->argv, request->environment);
	_exit(NOT_STARTED);
}

static bool start(struct emulator *emulator, GError **error)
{
	const struct emulator_request *request = emulator->request;
	pid_t parent = getpid();

	if (!open_fifo(request->console_fifo, &emulator->console, error) ||
	    !open_fifo(request->frames_fifo, &emulator->frames, error))
		return false;
	emulator->pid = forkpty(&emulator->pty, NULL, NULL, NULL);
	if (emulator->pid == 0)
		become_emulator(request, parent);
	if (emulator->pid < 0) {
		emulator->pid = 0;
		set_machine_error(error, "forkpty");
		return false;
	}
	emulator->ended = (int)syscall(SYS_pidfd_open, emulator->pid, 0);
	if (emulator->ended < 0) {
		set_machine_error(error, "pidfd_open");
		return false;
	}
	if (!g_unix_set_fd_nonblocking(emulator->pty, TRUE, NULL) ||
	    fcntl(emulator->pty, F_SETFD, FD_CLOEXEC) != 0) {
		set_machine_error(error, "pseudo-terminal");
		return false;
	}
	return true;
}

/*
 * How long one may take to end what it has started, and one that is killed to die. The first is
 * more than its supervisor takes (virt/supervisor.c).
 */
#define TOLD_MS	  (40 * 1000)
#define KILLED_MS (30 * 1000)

/* True if it has ended. It is not waited for before that, so the number is its own. */
static bool end_by(const struct emulator *emulator, int number, int milliseconds)
{
	struct pollfd ended = { .fd = emulator->ended, .events = POLLIN };
	int ready;

	kill(emulator->pid, number);
	do
		ready = poll(&ended, 1, milliseconds);
	while (ready < 0 && errno == EINTR);
	return ready > 0;
}

/* One that has ended by itself keeps the status that it ended with: the signal comes too late. */
static void stop(void *data)
{
	struct emulator *emulator = data;

	if (emulator->pid <= 0)
		return;
	if (waitpid(emulator->pid, &emulator->status, WNOHANG) == 0) {
		if (!emulator->request->told || !end_by(emulator, SIGTERM, TOLD_MS))
			end_by(emulator, SIGKILL, KILLED_MS);
		waitpid(emulator->pid, NULL, WNOHANG);
	}
	emulator->pid = 0;
}

static bool run(struct emulator *emulator, GError **error)
{
	const struct emulator_request *request = emulator->request;
	const struct watch_request watch = {
		.console = emulator->console,
		.frames = emulator->frames,
		.screen = emulator->pty,
		.ended = emulator->ended,
		.stop = stop,
		.data = emulator,
		.console_file = request->console_file,
		.log = request->log,
		.seconds = request->seconds,
		.frameset = request->frames,
		.cancellable = request->cancellable,
	};

	if (!watch_l1(&watch, error))
		return false;
	if (WIFEXITED(emulator->status) && WEXITSTATUS(emulator->status) == NOT_STARTED)
		return eptlab_fail(
			error, EPTLAB_ERROR_MACHINE,
			"L0: %s could not be started; look whether it is there and can be "
			"executed; %s",
			request->argv[0], paths_get_packages());
	if (!WIFSIGNALED(emulator->status) || frameset_is_complete(request->frames))
		return true;
	return eptlab_fail(
		error, EPTLAB_ERROR_MACHINE,
		"L0: the emulator was ended by a signal (%s) before L1 had finished; read "
		"emulator.log and, for lack of memory, L0's kernel log",
		g_strsignal(WTERMSIG(emulator->status)));
}

bool emulator_run(const struct emulator_request *request, GError **error)
{
	struct emulator emulator = {
		.request = request,
		.ended = -1,
		.pty = -1,
		.console = -1,
		.frames = -1,
	};
	const int *const fds[] = { &emulator.ended, &emulator.pty, &emulator.console,
				   &emulator.frames };
	bool ok = start(&emulator, error) && run(&emulator, error);

	stop(&emulator);
	for (unsigned int i = 0; i < G_N_ELEMENTS(fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
	}
	return ok;
}
