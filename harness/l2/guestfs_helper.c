/* SPDX-License-Identifier: GPL-2.0-only */
#include "l2/guestfs_helper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/paths.h"
#include "base/error.h"

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

/* In the child: a group of its own, and no signal blocked as in the harness. */
static void lead_group(void *unused G_GNUC_UNUSED)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
}

/* No GSubprocess: that would reap it at once, and its number must go on naming its group. */
static bool start(struct helper *helper, GError **error)
{
	g_autoptr(GError) cause = NULL;

	return g_spawn_async_with_pipes(NULL, (char **)helper->job->argv, NULL,
					G_SPAWN_DO_NOT_REAP_CHILD, lead_group, NULL, &helper->pid,
					&helper->to, &helper->from, NULL, &cause) ||
	       eptlab_fail(error, EPTLAB_ERROR_MACHINE, "L0: cannot start %s: %s; %s",
			   helper->job->argv[0], cause->message, paths_get_built());
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

	while (ok) {
		int ready = poll(fds, G_N_ELEMENTS(fds), POLL_MS);

		if (g_cancellable_is_cancelled(job->cancellable))
			ok = eptlab_fail(error, EPTLAB_ERROR_INTERRUPTED,
					 "L0: interrupted while libguestfs worked on the L2 image; "
					 "nothing was changed, so just start again");
		else if (g_get_monotonic_time() > deadline)
			ok = eptlab_fail(
				error, EPTLAB_ERROR_TIMEOUT,
				"L0: libguestfs was not ready with the L2 image after %u s "
				"(it was at: %s); start again when this machine is less "
				"busy, and look at its free disk space",
				job->seconds, helper->step ? helper->step : "starting");
		else if (ready > 0 && fds[0].revents ? !take_output(helper) : has_ended(helper))
			break;
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

	close(helper->to);
	while (!has_ended(helper) && g_get_monotonic_time() < deadline)
		g_usleep(10 * 1000ul);
	kill(-helper->pid, SIGKILL);
	while (waitpid(helper->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* The dynamic loader's, where a library is missing (_dl_signal_error() in glibc's elf/rtld.c). */
#define NOT_LOADED 127

static bool judge(struct helper *helper, int status, GError **error)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && !helper->failed)
		return true;
	if (!helper->failed && WIFEXITED(status) && WEXITSTATUS(status) == NOT_LOADED)
		return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
				   "L0: libguestfs, which puts files into disk images, is not "
				   "installed; %s",
				   paths_get_packages());
	if (!helper->failed)
		return eptlab_fail(
			error, EPTLAB_ERROR_MACHINE,
			"L0: the libguestfs helper ended with %s %d without saying why (it was at: "
			"%s); start again with LIBGUESTFS_DEBUG=1 to see more",
			WIFSIGNALED(status) ? "signal" : "status",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
			helper->step ? helper->step : "starting");
	g_propagate_error(error, g_steal_pointer(&helper->failed));
	return false;
}

bool guestfs_helper_run(const struct guestfs_helper_job *job, GError **error)
{
	struct helper helper = { .job = job };
	bool ok;
	int status;

	if (!start(&helper, error))
		return false;
	helper.line = g_string_new(NULL);
	ok = follow(&helper, error);
	status = finish(&helper);
	ok = ok && judge(&helper, status, error);
	close(helper.from);
	g_string_free(helper.line, TRUE);
	g_free(helper.step);
	g_clear_error(&helper.failed);
	return ok;
}
