/* SPDX-License-Identifier: GPL-2.0-only */
#include "commands/progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

struct progress {
	gint64 start; /* monotonic, microseconds */
	double expected;
	bool terminal;
	GThread *thread; /* on a terminal only */
	GMutex lock;
	GCond changed;
	char *text;
	bool ended;
};

#define CLEAR_LINE "\r\033[K"

double progress_seconds(const struct progress *progress)
{
	return (double)(g_get_monotonic_time() - progress->start) / G_TIME_SPAN_SECOND;
}

static char *elapsed(const struct progress *progress)
{
	if (progress->expected < 0)
		return g_strdup_printf("%3.0f s", progress_seconds(progress));
	return g_strdup_printf("%3.0f of about %.0f s", progress_seconds(progress),
			       progress->expected);
}

static void print(const struct progress *progress, const char *before, const char *after)
{
	g_autofree char *time = elapsed(progress);

	fprintf(stderr, "%s[%s] %s%s", before, time, progress->text, after);
	fflush(stderr);
}

static void *keep_up_to_date(void *data)
{
	struct progress *progress = data;

	g_mutex_lock(&progress->lock);
	while (!progress->ended) {
		if (progress->text != NULL)
			print(progress, CLEAR_LINE, "");
		g_cond_wait_until(&progress->changed, &progress->lock,
				  g_get_monotonic_time() + G_TIME_SPAN_SECOND);
	}
	g_mutex_unlock(&progress->lock);
	return NULL;
}

struct progress *progress_new(double expected)
{
	struct progress *progress = g_new0(struct progress, 1);

	progress->start = g_get_monotonic_time();
	progress->expected = expected;
	progress->terminal = isatty(STDERR_FILENO) != 0;
	g_mutex_init(&progress->lock);
	g_cond_init(&progress->changed);
	if (progress->terminal)
		progress->thread = g_thread_new("progress", keep_up_to_date, progress);
	return progress;
}

void progress_step(struct progress *progress, const char *text)
{
	g_mutex_lock(&progress->lock);
	g_free(progress->text);
	progress->text = g_strdup(text);
	if (progress->terminal)
		g_cond_signal(&progress->changed);
	else
		print(progress, "", "\n");
	g_mutex_unlock(&progress->lock);
}

void progress_free(struct progress *progress)
{
	if (progress == NULL)
		return;
	g_mutex_lock(&progress->lock);
	progress->ended = true;
	g_cond_signal(&progress->changed);
	g_mutex_unlock(&progress->lock);
	if (progress->thread != NULL) {
		g_thread_join(progress->thread);
		fputs(CLEAR_LINE, stderr);
	}
	g_mutex_clear(&progress->lock);
	g_cond_clear(&progress->changed);
	g_free(progress->text);
	g_free(progress);
}
