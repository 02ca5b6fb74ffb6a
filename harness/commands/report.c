/* SPDX-License-Identifier: GPL-2.0-only */
#include "commands/commands.h"

#include <stdio.h>
#include <string.h>

#include "commands/formats.h"
#include "commands/side.h"

/* A whole file or none. */
static bool write_output(const char *path, const char *text, GError **error)
{
	g_autoptr(GError) cause = NULL;

	if (path == NULL) {
		fputs(text, stdout);
		return true;
	}
	if (g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, &cause))
		return true;
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_MACHINE, "L0: %s", cause->message);
	return false;
}

static int report(const struct side *side, const struct format *format, const char *output,
		  GError **error)
{
	g_autofree char *text = side_report(side, format);

	if (!write_output(output, text, error))
		return EPTLAB_ERROR_MACHINE;
	return side->record->verdict == RECORD_VALID ? 0 : EPTLAB_ERROR_INVALID;
}

static int report_of(const char *argument, const char *format_name, const char *output,
		     GError **error)
{
	const struct format *format =
		formats_find(format_name != NULL ? format_name : "markdown", error);
	g_autofree char *latest = NULL;
	struct side side = { .path = NULL };
	int status = EPTLAB_ERROR_USAGE;

	if (format == NULL)
		return EPTLAB_ERROR_USAGE;
	if (argument == NULL) {
		latest = side_latest(error);
		if (latest == NULL)
			return (*error)->code;
		argument = latest;
	}
	if (side_open(&side, argument, error) && side_is_measured(&side, error) &&
	    (side.configuration == NULL || side_choose(&side, side.configuration, error)))
		status = report(&side, format, output, error);
	side_clear(&side);
	return status;
}

int command_report(int argc, char **argv, GError **error)
{
	g_autofree char *format = NULL;
	g_autofree char *output = NULL;
	const GOptionEntry entries[] = {
		{ "format", 'f', 0, G_OPTION_ARG_STRING, &format,
		  "text, csv, json, markdown (default) or html", "FORMAT" },
		{ "output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
		  "write to FILE, not to standard output", "FILE" },
		{ .long_name = NULL },
	};
	g_autoptr(GOptionContext) context = g_option_context_new("[RECORD[:RUN]]");
	g_autoptr(GError) cause = NULL;

	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_summary(
		context,
		"Report on a record (without a name: on the newest), in another form: as an\n"
		"answer to the assignment, as a page for a browser, or as numbers.");
	g_option_context_set_description(
		context,
		"Examples:\n  eptlab report > answer.md\n"
		"  eptlab report -f html -o page.html results/reference/bochs\n"
		"\nTwo records are compared by eptlab compare, which has the same formats.");
	if (!g_option_context_parse(context, &argc, &argv, &cause) || argc > 2) {
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_USAGE,
			    "L0: %s; see eptlab report --help",
			    cause != NULL ? cause->message : "report takes one record");
		return EPTLAB_ERROR_USAGE;
	}
	return report_of(argc > 1 ? argv[1] : NULL, format, output, error);
}
