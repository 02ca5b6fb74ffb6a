/* SPDX-License-Identifier: GPL-2.0-only */
#include "operations.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../workloads/workloads.h"

/* Of L2's clock. What hangs must not take the other workloads with it. The tests have less time. */
#ifndef SECONDS
#define SECONDS 60
#endif

static const struct {
	const char *name;
	uint64_t n;
	const struct workload *workload;
} workloads[] = {
#define WORKLOAD_ROW(variable, name, n, what) { name, n, &workload_##variable },
	WORKLOAD_LIST(WORKLOAD_ROW)
};

#define COUNT (sizeof(workloads) / sizeof(workloads[0]))

/* In memory that a workload's process shares with its parent. */
struct result {
	size_t workload; /* its index */
	size_t points;
	uint64_t n[WORKLOAD_POINTS_MOST];
	bool complete;
	char failed[120]; /* "": nothing did */
	struct reading_counts counts[WORKLOAD_POINTS_MOST + 1];
};

static struct {
	size_t count;
	struct result *results;
} done;

static bool say(const char *names, const char *what)
{
	fprintf(stderr, "probe: operations=%s: %s\n", names, what);
	return false;
}

/* "N", or "N,N..." up to the end of the word. */
static bool add_points(struct result *result, const char *at, const char *end)
{
	while (result->points < WORKLOAD_POINTS_MOST) {
		char *behind;
		const uint64_t n = strtoull(at, &behind, 10);

		if (n == 0 || behind > end)
			return false;
		result->n[result->points++] = n;
		if (behind == end)
			return true;
		if (*behind != ',')
			return false;
		at = behind + 1;
	}
	return false;
}

static bool add(const char *word, size_t length)
{
	const char *colon = memchr(word, ':', length);
	const size_t name = colon ? (size_t)(colon - word) : length;
	struct result *result = &done.results[done.count];

	for (size_t i = 0; i < COUNT; i++) {
		if (strlen(workloads[i].name) != name || memcmp(workloads[i].name, word, name) != 0)
			continue;
		result->workload = i;
		done.count++;
		if (!colon)
			result->n[result->points++] = workloads[i].n;
		else if (!add_points(result, colon + 1, word + length))
			return false;
		if (result->points > 1)
			return true;
		for (; result->points < WORKLOAD_POINTS; result->points++)
			result->n[result->points] = result->n[0] * (result->points + 1);
		return true;
	}
	return false;
}

/* Room for each of them once, and its pages written to. */
static bool prepare(const char *names)
{
	done.results = mmap(NULL, COUNT * sizeof(struct result), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (done.results == MAP_FAILED)
		return say(names, strerror(errno));
	for (const char *word = names; *word;) {
		const size_t length = strcspn(word, ";");

		if (done.count == COUNT)
			return say(names, "more than there are");
		if (!add(word, length))
			return say(names,
				   "expected names of workloads, each with :N, :N,N... or without");
		word += length + (word[length] == ';');
	}
	return true;
}

static bool measure(const struct reading_identity *identity, struct result *result)
{
	const struct workload *workload = workloads[result->workload].workload;
	const uint64_t last = result->n[result->points - 1];
	uint64_t all = last;

	for (size_t i = 0; i <= result->points; i++)
		memset(&result->counts[i], 0xff, sizeof(result->counts[i]));
	for (size_t i = 0; i < result->points; i++)
		all += result->n[i];
	if (workload->prepare && !workload->prepare(all))
		return false;
	if (!workload->run(last))
		return false;
	reading_count(identity, &result->counts[0]);
	for (size_t i = 1; i <= result->points; i++) {
		if (!workload->run(result->n[i - 1]))
			return false;
		reading_count(identity, &result->counts[i]);
	}
	if (workload->finish)
		workload->finish();
	return true;
}

static void __attribute__((format(printf, 2, 3)))
fail(struct result *result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(result->failed, sizeof(result->failed), format, args);
	va_end(args);
}

/*
 * In the process of the workload, which may itself be the parent of others. What it prints goes to
 * where nobody waits for it. Where memory ends, it is the one to be killed, and not the probe.
 */
static void __attribute__((noreturn))
be_workload(const struct reading_identity *identity, struct result *result, int output)
{
	int adjust = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	setpgid(0, 0);
	alarm(SECONDS);
	if (adjust < 0 || write(adjust, "1000", 4) != 4 || close(adjust) < 0 ||
	    dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
		_exit(1);
	result->complete = measure(identity, result);
	if (!result->complete)
		fail(result, "%s", errno == ECHILD ? workload_child_end() : strerror(errno));
	_exit(0);
}

static void explain(struct result *result, int status)
{
	if (result->complete || result->failed[0])
		return;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		fail(result, "not at its end after %d s", SECONDS);
	else if (WIFSIGNALED(status))
		fail(result, "%s", workload_signal(WTERMSIG(status)));
	else
		fail(result, "it ended before it was measured");
}

/* A workload has nothing to say: what it prints is exits that are not the operation's. */
static void explain_output(struct result *result, int output)
{
	char said[25];
	const ssize_t length = read(output, said, sizeof(said) - 1);

	if (length <= 0 || result->failed[0])
		return;
	said[length] = '\0';
	fail(result, "it printed \"%.24s%s\", and an operation prints nothing", said,
	     length == sizeof(said) - 1 ? "..." : "");
}

static void wait_for_workload(pid_t pid, struct result *result)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* Whoever it has left behind. They come to us, and none may run beside the next one. */
	kill(-pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	explain(result, status);
}

static void do_one(const struct reading_identity *identity, struct result *result)
{
	int output[2];
	pid_t pid;

	if (pipe2(output, O_CLOEXEC | O_NONBLOCK) < 0) {
		fail(result, "%s", strerror(errno));
		return;
	}
	pid = fork();
	if (pid == 0)
		be_workload(identity, result, output[1]);
	if (pid < 0)
		fail(result, "%s", strerror(errno));
	else
		wait_for_workload(pid, result);
	explain_output(result, output[0]);
	close(output[0]);
	close(output[1]);
}

bool operations_do(const struct reading_identity *identity, const char *names)
{
	if (!prepare(names))
		return false;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (size_t i = 0; i < done.count; i++)
		do_one(identity, &done.results[i]);
	return true;
}

/* ---- Frames ---- */

static bool went_wrong(const struct result *result, size_t point, size_t reasons)
{
	const struct reading_counts *now = &result->counts[point], *before = now - 1;

	if (!now->latched || !before->latched)
		return true;
	for (size_t i = 0; i < reasons; i++)
		if (now->exits[i] < before->exits[i])
			return true;
	return false;
}

/* "0:12,48:4": reasons that were seen between two latches. */
static void add_exits(struct frame_line *line, const struct reading_identity *identity,
		      const struct reading_counts *now, const struct reading_counts *before)
{
	char text[READING_REASONS_MAX * sizeof("1024:18446744073709551615,")];
	size_t length = 0, index = 0;

	text[0] = '\0';
	for (size_t i = 0; i < identity->range_count; i++) {
		const struct reading_range *reasons = &identity->ranges[i];

		for (uint32_t reason = reasons->first; reason <= reasons->last; reason++) {
			const uint64_t count = now->exits[index] - before->exits[index];

			if (count > 0)
				length += (size_t)sprintf(text + length, "%s%" PRIu32 ":%" PRIu64,
							  length > 0 ? "," : "", reason, count);
			index++;
		}
	}
	frame_add_string(line, "exits", text);
}

static size_t count_reasons(const struct reading_identity *identity)
{
	size_t reasons = 0;

	for (size_t i = 0; i < identity->range_count; i++)
		reasons += identity->ranges[i].last - identity->ranges[i].first + 1;
	return reasons;
}

static void report_failure(struct report *report, const struct result *result, const char *what)
{
	struct frame_line line;

	frame_open(&line, report->frames, "failed");
	frame_add_string(&line, "name", workloads[result->workload].name);
	frame_add_string(&line, "why", what);
	report_put(report, &line);
}

static void report_points(struct report *report, const struct reading_identity *identity,
			  const struct result *result)
{
	for (size_t i = 1; i <= result->points; i++) {
		const struct reading_counts *now = &result->counts[i], *before = now - 1;
		struct frame_line line;

		frame_open(&line, report->frames, "operation");
		frame_add_string(&line, "name", workloads[result->workload].name);
		frame_add_u64(&line, "n", result->n[i - 1]);
		frame_add_u64(&line, "ticks", now->tsc - before->tsc);
		add_exits(&line, identity, now, before);
		report_put(report, &line);
	}
}

static void report_one(struct report *report, const struct reading_identity *identity,
		       const struct result *result)
{
	const size_t reasons = count_reasons(identity);

	if (result->failed[0]) {
		report_failure(report, result, result->failed);
		return;
	}
	for (size_t i = 1; i <= result->points; i++) {
		if (went_wrong(result, i, reasons)) {
			report_failure(report, result, "KVM could not latch its counts");
			return;
		}
	}
	report_points(report, identity, result);
}

void operations_report(struct report *report, const struct reading_identity *identity)
{
	for (size_t i = 0; i < done.count; i++)
		report_one(report, identity, &done.results[i]);
}
