/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/show.h"

#include <inttypes.h>
#include <string.h>

#include "base/each.h"
#include "record/words.h"
#include "report/grid.h"
#include "report/prose.h"

/* Enough of a digest to tell two apart. */
#define DIGEST_SHOWN 12

/* "name: value", where the value goes on below itself. */
static void put_fact(const struct screen *screen, const char *name, const char *value)
{
	g_autofree char *line = g_strdup_printf("%s: %s", name, value);

	screen_paragraph(screen, 0, 4, line);
}

static void put_facts(const struct screen *screen, const struct record *record)
{
	const struct report report = {
		.verdict = record->verdict,
		.records = { record },
		.seconds = record->seconds,
		.ticks = record->ticks,
	};
	g_autoptr(GPtrArray) facts = prose_facts(&report);

	each (const struct prose_fact, fact, facts)
		put_fact(screen, fact->name, fact->value);
	if (!record->cell.known)
		return;
	g_string_append_printf(screen->out, "Cell of a matrix: ");
	put_fact(screen, record->cell.matrix, record->cell.id);
	each (const struct record_axis, axis, record->cell.axes) {
		g_autofree char *line = g_strdup_printf("%s = %s", axis->axis, axis->value);

		screen_paragraph(screen, 4, 8, line);
	}
}

static void put_run(const struct screen *screen, const struct record_run *run)
{
	g_autofree char *total = words_count(run->total.value);
	g_autofree char *ticks = words_count(run->ticks.value);
	g_autofree char *effect = prose_in_effect(run);
	g_autofree char *command = prose_command(run);
	g_autofree char *line = g_strdup_printf(
		"Run %s, %s: %s%s; %s%s; counted by %s", run->config,
		record_verdict_name(run->verdict), run->exits != NULL ? total : "no",
		run->exits != NULL ? " exits" : " counts", run->ticks.known ? ticks : "no",
		" ticks", run->source == RECORD_TRACEPOINT ? "L1's tracepoint" : "the series");

	screen_paragraph(screen, 0, 4, line);
	screen_paragraph(screen, 4, 4, effect);
	if (command != NULL)
		screen_paragraph(screen, 4, 4, command);
	if (run->error != NULL)
		screen_paragraph(screen, 4, 4, run->error);
}

static void put_checks(const struct screen *screen, const struct record *record)
{
	guint by_verdict[RECORD_CHECK_UNKNOWN + 1] = { 0 };
	g_autofree char *line = NULL;

	each (const struct record_check, check, record->checks)
		by_verdict[check->verdict]++;
	line = g_strdup_printf("Answers of the rules: %u passed, %u failed, %u not known, %u not "
			       "applicable",
			       by_verdict[RECORD_CHECK_PASS], by_verdict[RECORD_CHECK_FAIL],
			       by_verdict[RECORD_CHECK_UNKNOWN],
			       by_verdict[RECORD_CHECK_NOT_APPLICABLE]);
	screen_paragraph(screen, 0, 4, line);
	screen_decisive_checks(screen, record->checks, "These counts must not be used:");
}

/* Its digest in a run; NULL: that run has none of it. */
static const char *digest_of(const struct record_run *run, const char *name)
{
	each (const struct record_input, input, run->inputs)
		if (g_str_equal(input->name, name))
			return input->sha256;
	return NULL;
}

/* A row for each input of the first run, and a column for each run: they should be the same. */
static void put_inputs(const struct screen *screen, const struct record *record)
{
	const struct record_run *first = record->runs->len > 0 ? record->runs->pdata[0] : NULL;
	const guint count = record->runs->len + 1;
	g_autofree struct grid_column *columns = g_new0(struct grid_column, count);
	g_autoptr(struct_grid) grid = NULL;

	if (first == NULL || first->inputs == NULL)
		return;
	columns[0] = (struct grid_column){ .heading = "input (SHA-256)", .left = true };
	for (guint i = 1; i < count; i++)
		columns[i] = (struct grid_column){
			.heading = ((const struct record_run *)record->runs->pdata[i - 1])->config,
			.left = true,
			.most = 24,
		};
	grid = grid_new(columns, count);
	each (const struct record_input, input, first->inputs) {
		g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);

		g_ptr_array_add(cells, g_strdup(input->name));
		each (const struct record_run, run, record->runs) {
			const char *digest = digest_of(run, input->name);

			g_ptr_array_add(cells, digest != NULL ? g_strndup(digest, DIGEST_SHOWN)
							      : g_strdup("none"));
		}
		grid_add(grid, (const char *const *)cells->pdata);
	}
	g_string_append_c(screen->out, '\n');
	grid_put(grid, screen->out, screen->width);
}

void report_show(const struct screen *screen, const struct record *record, const char *title,
		 char *const *files)
{
	g_autofree char *names = files != NULL ? g_strjoinv(" ", (char **)files) : NULL;

	screen_verdict(screen, record->verdict, title, record->error);
	g_string_append_c(screen->out, '\n');
	put_facts(screen, record);
	g_string_append_c(screen->out, '\n');
	each (const struct record_run, run, record->runs)
		put_run(screen, run);
	if (record->verdict != RECORD_FAILED)
		put_checks(screen, record);
	put_inputs(screen, record);
	if (names != NULL) {
		g_string_append_c(screen->out, '\n');
		put_fact(screen, "Files", names);
	}
}
