/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/commands.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/formats.h"
#include "cli/selection.h"
#include "report/compare.h"
#include "record/record.h"
#include "judge/rules.h"
#include "report/prose.h"
#include "report/report.h"

/* What the verdict of two runs from two records is. */
static GPtrArray *judge(const struct selection *a, const struct selection *b,
			enum record_verdict *verdict)
{
	const struct record_run *const runs[] = { a->run, b->run };
	bool sound = a->record->verdict == RECORD_VALID && b->record->verdict == RECORD_VALID;
	bool valid;
	GPtrArray *checks = rules_check(runs, G_N_ELEMENTS(runs), &valid);

	*verdict = sound && valid ? RECORD_VALID : RECORD_INVALID;
	return checks;
}

static char *label(const struct selection *selection)
{
	g_autofree char *name = g_path_get_basename(selection->path);

	return g_strdup_printf("%s:%s", name, selection->run->config);
}

/* Compare the chosen runs. Returns whether they can be believed. */
static bool print_pair(const struct selection *a, const struct selection *b,
		       const struct format *format)
{
	enum record_verdict verdict;
	g_autoptr(GPtrArray) checks = judge(a, b, &verdict);
	bool same = g_str_equal(a->run->config, b->run->config);
	g_autoptr(struct_comparison) comparison =
		comparison_new(a->run, same ? "A" : NULL, b->run, same ? "B" : NULL);
	g_autofree char *label_a = label(a);
	g_autofree char *label_b = label(b);
	g_autofree char *title = g_strdup_printf("%s against %s", label_a, label_b);
	g_autofree char *log_a = selection_kernel_log(a->path, a->run);
	g_autofree char *log_b = selection_kernel_log(b->path, b->run);
	const char *const logs[] = { log_a, log_b };
	const struct report report = {
		.comparison = comparison,
		.verdict = verdict,
		.checks = checks,
		.title = title,
		.seconds = -1,
		.records = { a->record, b->record },
		.kernel_logs = logs,
	};
	g_autofree char *text = format->make(&report);
	g_autofree char *inputs = prose_inputs(&report);

	/* A table of counts has no place for it. */
	if (inputs != NULL && g_str_equal(format->name, "csv"))
		fprintf(stderr, "%s\n", inputs);
	fputs(text, stdout);
	return verdict == RECORD_VALID;
}

/* The runs of one record. */
static int compare_one(struct selection *selection, const struct format *format, GError **error)
{
	g_autofree char *text = NULL;

	if ((selection->configuration != NULL &&
	     !selection_choose(selection, selection->configuration, error)) ||
	    !selection_is_measured(selection, error))
		return EPTLAB_ERROR_USAGE;
	text = selection_report(selection, format);
	fputs(text, stdout);
	return selection->record->verdict == RECORD_VALID ? 0 : EPTLAB_ERROR_INVALID;
}

static int compare_named(struct selection *a, struct selection *b, const struct format *format,
			 GError **error)
{
	const char *of_a = a->configuration != NULL ? a->configuration : b->configuration;
	const char *of_b = b->configuration != NULL ? b->configuration : of_a;

	if (!selection_choose(a, of_a, error) || !selection_choose(b, of_b, error))
		return EPTLAB_ERROR_USAGE;
	return print_pair(a, b, format) ? 0 : EPTLAB_ERROR_INVALID;
}

/* Choose the next configuration that both have counts of, from *at on. False if there is none. */
static bool choose_common(struct selection *a, struct selection *b, unsigned int *at)
{
	while (*at < a->record->runs->len) {
		a->run = g_ptr_array_index(a->record->runs, (*at)++);
		b->run = record_find_run(b->record, a->run->config);
		if (b->run != NULL && a->run->exits != NULL && b->run->exits != NULL)
			return true;
	}
	return false;
}

/* Each configuration that both have. How many there are is looked at before anything is printed. */
static int compare_common(struct selection *a, struct selection *b, const struct format *format,
			  GError **error)
{
	unsigned int tables = 0;
	bool sound = true;

	for (unsigned int at = 0; choose_common(a, b, &at);)
		tables++;
	if (tables == 0)
		return eptlab_status(
			error, EPTLAB_ERROR_USAGE,
			"L0: %s and %s have no configuration in common; name the runs as "
			"RECORD:CONFIGURATION",
			a->path, b->path);
	if (tables > 1 && !g_str_equal(format->name, "text"))
		return eptlab_status(
			error, EPTLAB_ERROR_USAGE,
			"L0: both records have several runs, and %s holds one table; name the "
			"runs as RECORD:CONFIGURATION",
			format->name);
	for (unsigned int at = 0; choose_common(a, b, &at);) {
		sound = print_pair(a, b, format) && sound;
		if (--tables > 0)
			fputc('\n', stdout);
	}
	return sound ? 0 : EPTLAB_ERROR_INVALID;
}

static int compare_two(struct selection *a, struct selection *b, const struct format *format,
		       GError **error)
{
	if (a->configuration != NULL || b->configuration != NULL)
		return compare_named(a, b, format, error);
	return compare_common(a, b, format, error);
}

static int compare(int argc, char **argv, const struct format *format, GError **error)
{
	g_autofree char *latest = argc < 2 ? selection_latest(error) : NULL;
	const char *first = argc < 2 ? latest : argv[1];
	struct selection a = { .path = NULL };
	struct selection b = { .path = NULL };
	int status = EPTLAB_ERROR_USAGE;

	if (first == NULL)
		return (*error)->code;
	if (selection_open(&a, first, error)) {
		if (argc < 3)
			status = compare_one(&a, format, error);
		else if (selection_open(&b, argv[2], error))
			status = compare_two(&a, &b, format, error);
	}
	selection_clear(&a);
	selection_clear(&b);
	return status;
}

int command_compare(int argc, char **argv, GError **error)
{
	g_autofree char *name = NULL;
	const GOptionEntry entries[] = {
		{ "format", 'f', 0, G_OPTION_ARG_STRING, &name,
		  "text (default), csv, operations or statistics (csv of them), json, markdown or "
		  "html",
		  "FORMAT" },
		{ .long_name = NULL },
	};
	const struct arguments arguments = {
		.entries = entries,
		.names = "[RECORD[:RUN] [RECORD[:RUN]]]",
		.summary =
			"Compare the two runs of a record (without a name: of the newest), or the "
			"runs\n"
			"of two records: those that are named, or each configuration that both "
			"have.",
		.description = "Examples:\n  eptlab compare --format csv > counts.csv\n"
			       "  eptlab compare results/reference/bochs results/latest\n"
			       "  eptlab compare results/latest:ept results/reference/bochs:noept",
		.most = 2,
		.takes = "compare takes at most two records",
	};
	const struct format *format;

	if (!arguments_parse(&arguments, &argc, &argv, error))
		return EPTLAB_ERROR_USAGE;
	format = formats_find(name != NULL ? name : "text", error);
	return format != NULL ? compare(argc, argv, format, error) : EPTLAB_ERROR_USAGE;
}
