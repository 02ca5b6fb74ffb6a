/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/formats.h"
#include "cli/output.h"
#include "cli/selection.h"

static int report_of(const char *argument, const char *format_name, const char *output,
		     GError **error)
{
	const struct format *format =
		formats_find(format_name != NULL ? format_name : "markdown", error);
	g_autofree char *latest =
		format != NULL && argument == NULL ? selection_latest(error) : NULL;
	g_autofree char *text = NULL;
	struct selection selection = { .path = NULL };
	int status = 0;

	if (format != NULL && (argument != NULL || latest != NULL) &&
	    selection_open(&selection, argument != NULL ? argument : latest, error) &&
	    selection_is_measured(&selection, error) &&
	    (selection.configuration == NULL ||
	     selection_choose(&selection, selection.configuration, error)))
		text = selection_report(&selection, format);
	if (text == NULL || !output_write(output, text, error))
		status = (*error)->code;
	else if (selection.record->verdict != RECORD_VALID)
		status = EPTLAB_ERROR_INVALID;
	selection_clear(&selection);
	return status;
}

int command_report(int argc, char **argv, GError **error)
{
	g_autofree char *format = NULL;
	g_autofree char *output = NULL;
	const GOptionEntry entries[] = {
		{ "format", 'f', 0, G_OPTION_ARG_STRING, &format,
		  "text, csv, operations or statistics (csv), json, markdown (default), html or "
		  "published",
		  "FORMAT" },
		{ "output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
		  "write to FILE, not to standard output", "FILE" },
		{ .long_name = NULL },
	};
	const struct arguments arguments = {
		.entries = entries,
		.names = "[RECORD[:RUN]]",
		.summary =
			"Report on a record (without a name: on the newest), in another form: as "
			"an\n"
			"answer to the assignment, as a page for a browser, or as numbers.",
		.description = "Examples:\n  eptlab report > answer.md\n"
			       "  eptlab report -f html -o page.html results/reference/bochs\n"
			       "\nTwo records are compared by eptlab compare, which has the same "
			       "formats.",
		.most = 1,
		.takes = "report takes one record",
	};

	if (!arguments_parse(&arguments, &argc, &argv, error))
		return EPTLAB_ERROR_USAGE;
	return report_of(argc > 1 ? argv[1] : NULL, format, output, error);
}
