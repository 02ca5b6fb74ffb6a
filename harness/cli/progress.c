/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "record/record.h"
#include "base/each.h"
#include "matrix/cost.h"

struct progress {
	gint64 start; /* monotonic, microseconds */
	struct progress_place place;
	GPtrArray *steps; /* of struct record_step; the last one has its beginning for seconds */
	bool terminal;
	GThread *thread; /* on a terminal only */
	GMutex lock;
	GCond changed;
	char *text;
	bool ended;
};

/* ---- What is expected ---- */

/* Each run has one step of L2; a rerun's record has more runs than it has made. */
static bool made_runs(const struct record *record, unsigned int runs)
{
	unsigned int made = 0;

	each (const struct record_step, step, record->steps) {
		made += g_str_has_prefix(step->text, "L2: ") ? 1 : 0;
	}
	return made == runs;
}

/* The step that has the same text as the one at index, and as many of that text before it. */
static const struct record_step *same_step(const GPtrArray *steps, guint index,
					   const GPtrArray *others)
{
	const struct record_step *step = steps->pdata[index];
	guint before = 0;

	for (guint i = 0; i < index; i++)
		before += strcmp(((struct record_step *)steps->pdata[i])->text, step->text) == 0;
	each (const struct record_step, other, others) {
		if (strcmp(other->text, step->text) == 0 && before-- == 0)
			return other;
	}
	return NULL;
}

/* Half of them take as long or less: a stall of one does not count. */
static double median_of_step(const GPtrArray *records, unsigned int runs, const GPtrArray *steps,
			     guint index)
{
	g_autoptr(GArray) seconds = g_array_new(FALSE, FALSE, sizeof(double));

	each (const struct record, record, records) {
		const struct record_step *same =
			made_runs(record, runs) ? same_step(steps, index, record->steps) : NULL;

		if (same != NULL && same->seconds >= 0)
			g_array_append_val(seconds, same->seconds);
	}
	return seconds->len > 0 ? matrix_median(seconds) : 0;
}

static void expect_whole(const GPtrArray *records, GPtrArray *expected)
{
	g_autoptr(GArray) seconds = g_array_new(FALSE, FALSE, sizeof(double));

	each (const struct record, record, records) {
		if (record->seconds >= 0)
			g_array_append_val(seconds, record->seconds);
	}
	if (seconds->len > 0)
		g_ptr_array_add(expected, record_step_new("", matrix_median(seconds)));
}

GPtrArray *progress_expect(const GPtrArray *records, unsigned int runs)
{
	GPtrArray *expected = record_steps_new();
	const GPtrArray *steps = NULL;

	for (guint i = 0; steps == NULL && i < records->len; i++) {
		const struct record *record = records->pdata[i];

		if (made_runs(record, runs))
			steps = record->steps;
	}
	if (steps == NULL)
		expect_whole(records, expected);
	for (guint i = 0; steps != NULL && i < steps->len; i++) {
		const struct record_step *step = steps->pdata[i];

		g_ptr_array_add(expected, record_step_new(step->text,
							  median_of_step(records, runs, steps, i)));
	}
	return expected;
}

void progress_place_move(struct progress_place *place, const char *text, double now)
{
	for (guint i = place->next; place->expected != NULL && i < place->expected->len; i++) {
		const struct record_step *step = place->expected->pdata[i];

		if (strcmp(step->text, text) != 0)
			continue;
		place->at = i;
		place->next = i + 1;
		place->since = now;
		return;
	}
}

double progress_place_total(const struct progress_place *place, double now)
{
	double total = now;

	if (place->expected == NULL || place->expected->len == 0)
		return -1;
	for (guint i = place->at; i < place->expected->len; i++) {
		const struct record_step *step = place->expected->pdata[i];

		total += i == place->at ? MAX(step->seconds - (now - place->since), 0)
					: step->seconds;
	}
	return total;
}

/* ---- The line ---- */

#define CLEAR_LINE "\r\033[K"

double progress_seconds(const struct progress *progress)
{
	return (double)(g_get_monotonic_time() - progress->start) / G_TIME_SPAN_SECOND;
}

static char *elapsed(const struct progress *progress)
{
	const double now = progress_seconds(progress);
	const double total = progress_place_total(&progress->place, now);

	if (total < 0)
		return g_strdup_printf("%3.0f s", now);
	return g_strdup_printf("%3.0f of about %.0f s", now, total);
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

struct progress *progress_new(const GPtrArray *expected)
{
	struct progress *progress = g_new0(struct progress, 1);

	progress->start = g_get_monotonic_time();
	progress->place.expected = expected;
	progress->steps = record_steps_new();
	progress->terminal = isatty(STDERR_FILENO) != 0;
	g_mutex_init(&progress->lock);
	g_cond_init(&progress->changed);
	if (progress->terminal)
		progress->thread = g_thread_new("progress", keep_up_to_date, progress);
	return progress;
}

/* Until now the last step has had the time of its beginning. */
static void end_step(GPtrArray *steps, double now)
{
	struct record_step *last = steps->len > 0 ? steps->pdata[steps->len - 1] : NULL;

	if (last != NULL)
		last->seconds = MAX(now - last->seconds, 0);
}

GPtrArray *progress_steps(struct progress *progress)
{
	GPtrArray *steps = record_steps_new();

	g_mutex_lock(&progress->lock);
	each (const struct record_step, step, progress->steps) {
		g_ptr_array_add(steps, record_step_new(step->text, step->seconds));
	}
	g_mutex_unlock(&progress->lock);
	end_step(steps, progress_seconds(progress));
	return steps;
}

void progress_step(struct progress *progress, const char *text)
{
	const double now = progress_seconds(progress);

	g_mutex_lock(&progress->lock);
	end_step(progress->steps, now);
	g_ptr_array_add(progress->steps, record_step_new(text, now));
	progress_place_move(&progress->place, text, now);
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
	g_ptr_array_unref(progress->steps);
	g_free(progress->text);
	g_free(progress);
}
