/* SPDX-License-Identifier: GPL-2.0-only */
#include "platform/emulator.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <glib-unix.h>

/* A panic's last line (kernel/panic.c, panic()), and how long to wait for it after the first. */
#define PANIC_FIRST	    "Kernel panic - not syncing"
#define PANIC_LAST	    "---[ end Kernel panic"
#define PANIC_GRACE_SECONDS 10

struct emulator {
	const struct emulator_request *request;
	GMainContext *context;
	GMainLoop *loop;
	pid_t pid;
	int signal; /* that ended it, before we did; 0: none */
	int pty;
	int console; /* reading end of the FIFO */
	int frames;  /* reading end of the FIFO */
	int console_file;
	int cancelled; /* readable once the request is cancelled; -1: it cannot be */
	GString *line; /* the console's current line */
	char *panic;   /* the first line of L1's panic */
	GError *error; /* the first thing that went wrong */
};

static void set_machine_error(GError **error, const char *what)
{
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_MACHINE,
		    "L0: the emulator could not be set up (%s: %s)", what, g_strerror(errno));
}

static void end(struct emulator *emulator)
{
	g_main_loop_quit(emulator->loop);
}

static void set_panic_error(struct emulator *emulator)
{
	if (emulator->error == NULL)
		g_set_error(&emulator->error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
			    "L1: its kernel panicked (%s); read l1-console.log", emulator->panic);
}

static gboolean on_panic_grace(void *data)
{
	set_panic_error(data);
	end(data);
	return G_SOURCE_REMOVE;
}

/* The source belongs to the context, which the caller pops and frees. */
static void add_source(struct emulator *emulator, GSource *source, GSourceFunc function)
{
	g_source_set_callback(source, function, emulator, NULL);
	g_source_attach(source, emulator->context);
	g_source_unref(source);
}

static void look_at_line(struct emulator *emulator)
{
	const char *found = strstr(emulator->line->str, PANIC_FIRST);

	if (strstr(emulator->line->str, PANIC_LAST) != NULL) {
		if (emulator->panic == NULL)
			emulator->panic = g_strdup(PANIC_FIRST);
		on_panic_grace(emulator);
	} else if (found != NULL && emulator->panic == NULL) {
		emulator->panic = g_strndup(found, strcspn(found, "\r"));
		add_source(emulator, g_timeout_source_new_seconds(PANIC_GRACE_SECONDS),
			   on_panic_grace);
	}
}

/* Longer lines than this are cut for look_at_line; the file has them whole. */
#define CONSOLE_LINE_MAX 4096

static bool take_console(struct emulator *emulator, const char *bytes, size_t length)
{
	size_t written = 0;

	while (written < length) {
		ssize_t n = write(emulator->console_file, bytes + written, length - written);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (emulator->error == NULL)
				g_set_error(&emulator->error, EPTLAB_ERROR, EPTLAB_ERROR_MACHINE,
					    "L0: L1's console could not be kept in %s (%s); free "
					    "some disk space",
					    emulator->request->console_file, g_strerror(errno));
			return false;
		}
		written += (size_t)n;
	}
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '\n') {
			look_at_line(emulator);
			g_string_truncate(emulator->line, 0);
		} else if (emulator->line->len < CONSOLE_LINE_MAX && bytes[i] != '\0') {
			g_string_append_c(emulator->line, bytes[i]);
		}
	}
	return true;
}

static bool take_frames(struct emulator *emulator, const char *bytes, size_t length)
{
	g_autoptr(GError) cause = NULL;

	if (frameset_feed(emulator->request->frames, bytes, length, &cause))
		return true;
	if (emulator->error == NULL)
		g_propagate_error(&emulator->error, g_steal_pointer(&cause));
	return false;
}

/* The emulator's own screen is of no use: it is read so that the emulator does not block. */
static bool take_screen(struct emulator *emulator G_GNUC_UNUSED, const char *bytes G_GNUC_UNUSED,
			size_t length G_GNUC_UNUSED)
{
	return true;
}

typedef bool (*take_func)(struct emulator *emulator, const char *bytes, size_t length);

/* All that is there now. False when take has refused it. */
static bool drain(struct emulator *emulator, int fd, take_func take)
{
	char bytes[16384];
	ssize_t n;

	do {
		n = read(fd, bytes, sizeof(bytes));
		if (n > 0 && !take(emulator, bytes, (size_t)n))
			return false;
	} while (n > 0 || (n < 0 && errno == EINTR));
	return true;
}

static gboolean on_readable(struct emulator *emulator, int fd, GIOCondition condition,
			    take_func take)
{
	if (!drain(emulator, fd, take))
		end(emulator);
	/* A hang-up comes again and again; the end of the child is what ends the loop. */
	return (condition & (G_IO_HUP | G_IO_ERR)) == 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static gboolean on_console(int fd, GIOCondition condition, void *data)
{
	return on_readable(data, fd, condition, take_console);
}

static gboolean on_frames(int fd, GIOCondition condition, void *data)
{
	return on_readable(data, fd, condition, take_frames);
}

static gboolean on_screen(int fd, GIOCondition condition, void *data)
{
	return on_readable(data, fd, condition, take_screen);
}

static gboolean on_timeout(void *data)
{
	struct emulator *emulator = data;

	if (emulator->error == NULL)
		g_set_error(&emulator->error, EPTLAB_ERROR, EPTLAB_ERROR_TIMEOUT,
			    "L1: it had not finished after %u s of wall time (timeout_seconds of "
			    "the platform); read l1-console.log",
			    emulator->request->seconds);
	end(emulator);
	return G_SOURCE_REMOVE;
}

static gboolean on_cancelled(int fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, void *data)
{
	struct emulator *emulator = data;

	if (emulator->error == NULL)
		g_set_error(&emulator->error, EPTLAB_ERROR, EPTLAB_ERROR_INTERRUPTED,
			    "L0: interrupted while L1 was running; L1 has been ended");
	end(emulator);
	return G_SOURCE_REMOVE;
}

static void on_child_exit(GPid pid G_GNUC_UNUSED, int status, void *data)
{
	struct emulator *emulator = data;

	emulator->pid = 0;
	emulator->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	end(emulator);
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

	emulator->console_file =
		open(request->console_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (emulator->console_file < 0) {
		set_machine_error(error, request->console_file);
		return false;
	}
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
	if (!g_unix_set_fd_nonblocking(emulator->pty, TRUE, NULL) ||
	    fcntl(emulator->pty, F_SETFD, FD_CLOEXEC) != 0) {
		set_machine_error(error, "pseudo-terminal");
		return false;
	}
	return true;
}

static void watch(struct emulator *emulator)
{
	const struct {
		int fd;
		GUnixFDSourceFunc function;
	} ports[] = {
		{ emulator->console, on_console },
		{ emulator->frames, on_frames },
		{ emulator->pty, on_screen },
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(ports); i++)
		add_source(emulator, g_unix_fd_source_new(ports[i].fd, G_IO_IN),
			   G_SOURCE_FUNC(ports[i].function));
	add_source(emulator, g_child_watch_source_new(emulator->pid), G_SOURCE_FUNC(on_child_exit));
	add_source(emulator, g_timeout_source_new_seconds(emulator->request->seconds), on_timeout);
	/*
	 * Not a cancellable source: that waits for a signal of the object, and leaks when it is
	 * freed while another thread still emits it.
	 */
	if (emulator->cancelled >= 0)
		add_source(emulator, g_unix_fd_source_new(emulator->cancelled, G_IO_IN),
			   G_SOURCE_FUNC(on_cancelled));
}

static void stop(struct emulator *emulator)
{
	if (emulator->pid > 0) {
		kill(emulator->pid, SIGKILL);
		while (waitpid(emulator->pid, NULL, 0) < 0 && errno == EINTR)
			;
		emulator->pid = 0;
	}
	/* What it wrote before it ended is still in the FIFOs. */
	if (emulator->console >= 0 && drain(emulator, emulator->console, take_console))
		look_at_line(emulator);
	if (emulator->frames >= 0 && emulator->error == NULL)
		drain(emulator, emulator->frames, take_frames);
}

/* What ended it, when all that it wrote has been read. */
static void judge(struct emulator *emulator)
{
	if (emulator->panic != NULL)
		set_panic_error(emulator);
	if (emulator->signal != 0 && emulator->error == NULL &&
	    !frameset_is_complete(emulator->request->frames))
		g_set_error(&emulator->error, EPTLAB_ERROR, EPTLAB_ERROR_MACHINE,
			    "L0: the emulator was ended by a signal (%s) before L1 had finished; "
			    "read emulator.log and, for lack of memory, L0's kernel log",
			    g_strsignal(emulator->signal));
}

static void clear(struct emulator *emulator)
{
	const int fds[] = { emulator->pty, emulator->console, emulator->frames,
			    emulator->console_file };

	for (unsigned int i = 0; i < G_N_ELEMENTS(fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	g_main_loop_unref(emulator->loop);
	g_main_context_unref(emulator->context);
	if (emulator->cancelled >= 0)
		g_cancellable_release_fd(emulator->request->cancellable);
	g_string_free(emulator->line, TRUE);
	g_free(emulator->panic);
}

bool emulator_run(const struct emulator_request *request, GError **error)
{
	struct emulator emulator = {
		.request = request,
		.context = g_main_context_new(),
		.pty = -1,
		.console = -1,
		.frames = -1,
		.console_file = -1,
		.cancelled = g_cancellable_get_fd(request->cancellable),
		.line = g_string_new(NULL),
	};

	emulator.loop = g_main_loop_new(emulator.context, FALSE);
	if (start(&emulator, &emulator.error)) {
		watch(&emulator);
		g_main_loop_run(emulator.loop);
	}
	stop(&emulator);
	judge(&emulator);
	clear(&emulator);
	if (emulator.error == NULL)
		return true;
	g_propagate_error(error, emulator.error);
	return false;
}
