/* SPDX-License-Identifier: GPL-2.0-only */
#include "grade/step.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What eptlab conform may take to end what it has started. */
#define GRACE_SECONDS 60

enum { OUTPUT, ERRORS, CHILD, CANCEL, N_POLLED };

/* In the child, between fork and exec. Nothing outlives the thread that has started it. */
static void set_up(void *data G_GNUC_UNUSED)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
}

/* False at its end. */
static bool drain(int fd, size_t keep, GString *text, bool *cut)
{
	char block[16384];
	ssize_t got;

	while ((got = read(fd, block, sizeof(block))) > 0) {
		const size_t room = keep - MIN(keep, text->len);

		g_string_append_len(text, block, (gssize)MIN(room, (size_t)got));
		*cut |= (size_t)got > room;
	}
	return got < 0 && (errno == EAGAIN || errno == EINTR);
}

static bool start(const struct step *step, pid_t *pid, struct pollfd *polled, GError **error)
{
	g_autoptr(GError) cause = NULL;

	if (!g_spawn_async_with_pipes(NULL, step->argv, step->environment,
				      G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH, set_up, NULL,
				      pid, NULL, &polled[OUTPUT].fd, &polled[ERRORS].fd, &cause))
		return eptlab_fail(error, EPTLAB_ERROR_MACHINE, "L0: %s cannot be started (%s)",
				   step->argv[0], cause->message);
	polled[CHILD].fd = (int)syscall(SYS_pidfd_open, *pid, 0);
	for (int i = OUTPUT; i <= ERRORS; i++) {
		fcntl(polled[i].fd, F_SETFL, O_NONBLOCK);
		fcntl(polled[i].fd, F_SETFD, FD_CLOEXEC);
	}
	return true;
}

/* Until it has ended. *timed_out: it had to be ended. */
static void watch(const struct step *step, pid_t pid, struct pollfd *polled,
		  GCancellable *cancellable, struct step_result *result, bool *timed_out)
{
	const gint64 begun = g_get_monotonic_time();
	gint64 end = begun + (gint64)step->seconds * G_USEC_PER_SEC;
	bool told = false;

	while (!(polled[CHILD].revents & POLLIN)) {
		const gint64 left = end - g_get_monotonic_time();
		const bool cancelled = g_cancellable_is_cancelled(cancellable);

		if (left <= 0 || (cancelled && !told)) {
			*timed_out |= !cancelled;
			kill(-pid, step->gentle && !told ? SIGTERM : SIGKILL);
			end = g_get_monotonic_time() + (gint64)GRACE_SECONDS * G_USEC_PER_SEC;
			told = true;
			polled[CANCEL].fd = -1;
		}
		if (poll(polled, N_POLLED, (int)CLAMP(left / 1000 + 1, 1, 1000)) < 0)
			continue;
		for (int i = OUTPUT; i <= ERRORS; i++)
			if (polled[i].revents != 0 &&
			    !drain(polled[i].fd, step->keep,
				   i == OUTPUT ? result->output : result->errors, &result->cut))
				polled[i].fd = -polled[i].fd - 1;
	}
	/* Its own children have no more to say. */
	kill(-pid, SIGKILL);
	for (int i = OUTPUT; i <= ERRORS; i++)
		if (polled[i].fd >= 0)
			drain(polled[i].fd, step->keep,
			      i == OUTPUT ? result->output : result->errors, &result->cut);
	result->seconds = (double)(g_get_monotonic_time() - begun) / G_USEC_PER_SEC;
}

bool step_run(const struct step *step, GCancellable *cancellable, struct step_result *result,
	      GError **error)
{
	struct pollfd polled[N_POLLED] = {
		{ .fd = -1, .events = POLLIN },
		{ .fd = -1, .events = POLLIN },
		{ .fd = -1, .events = POLLIN },
		{ .fd = g_cancellable_get_fd(cancellable), .events = POLLIN },
	};
	bool timed_out = false;
	int status = 0;
	pid_t pid;

	*result = (struct step_result){
		.output = g_string_new(NULL),
		.errors = g_string_new(NULL),
	};
	if (!start(step, &pid, polled, error)) {
		g_cancellable_release_fd(cancellable);
		return false;
	}
	watch(step, pid, polled, cancellable, result, &timed_out);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	for (int i = OUTPUT; i <= CHILD; i++)
		close(polled[i].fd >= 0 ? polled[i].fd : -polled[i].fd - 1);
	g_cancellable_release_fd(cancellable);
	if (g_cancellable_is_cancelled(cancellable))
		return eptlab_fail(error, EPTLAB_ERROR_INTERRUPTED,
				   "L0: interrupted; the same command goes on with what is left");
	result->end = timed_out ? STEP_TIMEOUT : WIFEXITED(status) ? STEP_EXITED : STEP_KILLED;
	result->status = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
	return true;
}

void step_result_clear(struct step_result *result)
{
	if (result->output != NULL)
		g_string_free(result->output, TRUE);
	if (result->errors != NULL)
		g_string_free(result->errors, TRUE);
	*result = (struct step_result){ .output = NULL };
}
