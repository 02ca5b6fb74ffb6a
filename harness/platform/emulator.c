/* SPDX-License-Identifier: GPL-2.0-only */
#include "platform/emulator.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <glib-unix.h>

#include "platform/watch.h"

struct emulator {
	const struct emulator_request *request;
	pid_t pid;
	int signal; /* that ended it, before we did; 0: none */
	int ended;  /* pidfd: readable once it has ended (pidfd_open(2)) */
	int pty;
	int console; /* reading end of the FIFO */
	int frames;  /* reading end of the FIFO */
};

static void set_machine_error(GError **error, const char *what)
{
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_MACHINE,
		    "L0: the emulator could not be set up (%s: %s)", what, g_strerror(errno));
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

/* In the child, after fork: only what is safe there. */
static void become_emulator(const struct emulator_request *request, pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(127);
	if (chdir(request->folder) != 0)
		_exit(127);
	execvpe(request->argv[0], (char *const *)request->argv, request->environment);
	_exit(127);
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

/* One that has ended by itself keeps the status that it ended with: the signal comes too late. */
static void stop(void *data)
{
	struct emulator *emulator = data;
	bool alive;
	int status = 0;

	if (emulator->pid <= 0)
		return;
	alive = waitpid(emulator->pid, &status, WNOHANG) == 0;
	if (alive) {
		kill(emulator->pid, SIGKILL);
		while (waitpid(emulator->pid, NULL, 0) < 0 && errno == EINTR)
			;
	} else if (WIFSIGNALED(status)) {
		emulator->signal = WTERMSIG(status);
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
		.to_end = request->to_end,
		.stop = stop,
		.data = emulator,
		.console_file = request->console_file,
		.seconds = request->seconds,
		.frameset = request->frames,
		.cancellable = request->cancellable,
	};

	if (!watch_l1(&watch, error))
		return false;
	if (emulator->signal == 0 || frameset_is_complete(request->frames))
		return true;
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_MACHINE,
		    "L0: the emulator was ended by a signal (%s) before L1 had finished; read "
		    "emulator.log and, for lack of memory, L0's kernel log",
		    g_strsignal(emulator->signal));
	return false;
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
