/* SPDX-License-Identifier: GPL-2.0-only */
#include "guest/guestfs_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/error.h"

#define POLL_MS 200
/* How long a helper that was told to stop may take to remove its temporary files. */
#define GRACE_US (G_GINT64_CONSTANT(3) * G_USEC_PER_SEC)

struct helper {
	const struct guestfs_helper_job *job;
	pid_t pid;
	int to;	  /* its standard input */
	int from; /* its standard output */
	GString *line;
	char *step;	/* the last one that it reported */
	GError *failed; /* what it reported as its error */
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* "CODE TEXT" */
static void take_error(struct helper *helper, const char *text)
{
	char *end;
	guint64 code = g_ascii_strtoull(text, &end, 10);

	if (end == text || *end != ' ' || code == 0 || code > G_MAXUINT8)
		return;
	g_clear_error(&helper->failed);
	helper->failed = g_error_new_literal(EPTLAB_ERROR, (int)code, end + 1);
}

static void take_line(struct helper *helper, const char *line)
{
	if (g_str_has_prefix(line, "step ")) {
		g_free(helper->step);
		helper->step = g_strdup(line + strlen("step "));
		if (helper->job->progress)
			helper->job->progress(helper->step, helper->job->progress_data);
	} else if (g_str_has_prefix(line, "error ")) {
		take_error(helper, line + strlen("error "));
	}
}

/* False at the end of its output. */
static bool take_output(struct helper *helper)
{
	char buffer[512];
	ssize_t length = read(helper->from, buffer, sizeof(buffer));
	char *end;

	if (length < 0)
		return errno == EINTR;
	g_string_append_len(helper->line, buffer, length);
	while ((end = strchr(helper->line->str, '\n'))) {
		*end = '\0';
		take_line(helper, helper->line->str);
		g_string_erase(helper->line, 0, end + 1 - helper->line->str);
	}
	return length > 0;
}

static int spawn(struct helper *helper, int input, int output)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int status;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
						      POSIX_SPAWN_SETSIGDEF);
	status = posix_spawn(&helper->pid, helper->job->argv[0], &actions, &attributes,
			     (char *const *)helper->job->argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return status;
}

static bool start(struct helper *helper, GError **error)
{
	int input[2] = { -1, -1 };
	int output[2] = { -1, -1 };
	int status = 0;

	if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0)
		status = errno;
	else
		status = spawn(helper, input[0], output[1]);
	close_fd(&input[0]);
	close_fd(&output[1]);
	helper->to = input[1];
	helper->from = output[0];
	if (status)
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_MACHINE,
			    "L0: cannot start %s: %s; build the project again with `make`",
			    helper->job->argv[0], g_strerror(status));
	return status == 0;
}

/* Has it ended? It is not reaped, so that its number still names its group. */
static bool has_ended(const struct helper *helper)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)helper->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	       info.si_pid == helper->pid;
}

/* Wait until it ends by itself; false with an error if it must be told to stop. */
static bool follow(struct helper *helper, GError **error)
{
	const struct guestfs_helper_job *job = helper->job;
	gint64 deadline = g_get_monotonic_time() + (gint64)job->seconds * G_USEC_PER_SEC;
	struct pollfd fds[] = {
		{ .fd = helper->from, .events = POLLIN },
		{ .fd = g_cancellable_get_fd(job->cancellable), .events = POLLIN },
	};
	bool ok = true;

	for (;;) {
		int ready = poll(fds, G_N_ELEMENTS(fds), POLL_MS);

		if (g_cancellable_is_cancelled(job->cancellable)) {
			g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_INTERRUPTED,
				    "L0: interrupted while libguestfs worked on the L2 image; "
				    "nothing was changed, so just start again");
			ok = false;
			break;
		}
		if (g_get_monotonic_time() > deadline) {
			g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_TIMEOUT,
				    "L0: libguestfs was not ready with the L2 image after %u s "
				    "(it was at: %s); start again when this machine is less busy, "
				    "and look at its free disk space",
				    job->seconds, helper->step ? helper->step : "starting");
			ok = false;
			break;
		}
		if (ready > 0 && fds[0].revents) {
			if (!take_output(helper))
				break;
		} else if (has_ended(helper)) {
			break;
		}
	}
	if (fds[1].fd >= 0)
		g_cancellable_release_fd(job->cancellable);
	return ok;
}

/* Let it tidy up if it is still there, then end all of its group. Returns its wait status. */
static int finish(struct helper *helper)
{
	gint64 deadline = g_get_monotonic_time() + GRACE_US;
	int status = 0;

	close_fd(&helper->to);
	while (!has_ended(helper) && g_get_monotonic_time() < deadline)
		g_usleep(10 * 1000ul);
	kill(-helper->pid, SIGKILL);
	while (waitpid(helper->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static bool judge(struct helper *helper, int status, GError **error)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && !helper->failed)
		return true;
	if (helper->failed) {
		g_propagate_error(error, g_steal_pointer(&helper->failed));
		return false;
	}
	g_set_error(
		error, EPTLAB_ERROR, EPTLAB_ERROR_MACHINE,
		"L0: the libguestfs helper ended with %s %d without saying why (it was at: %s); "
		"start again with LIBGUESTFS_DEBUG=1 to see more",
		WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		helper->step ? helper->step : "starting");
	return false;
}

bool guestfs_helper_run(const struct guestfs_helper_job *job, GError **error)
{
	struct helper helper = { .job = job, .to = -1, .from = -1 };
	bool ok;

	helper.line = g_string_new(NULL);
	ok = start(&helper, error);
	if (ok) {
		int status;

		ok = follow(&helper, error);
		status = finish(&helper);
		ok = ok && judge(&helper, status, error);
	}
	close_fd(&helper.to);
	close_fd(&helper.from);
	g_string_free(helper.line, TRUE);
	g_free(helper.step);
	g_clear_error(&helper.failed);
	return ok;
}
