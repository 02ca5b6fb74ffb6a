/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/commands.h"

#include <stdio.h>

#include "base/folder.h"
#include "cli/arguments.h"
#include "cli/formats.h"
#include "cli/selection.h"
#include "report/show.h"

static void show(const struct selection *selection)
{
	struct screen screen = {
		.out = g_string_new(NULL),
		.width = terminal_width(),
		.colour = terminal_has_colour(),
	};
	g_auto(GStrv) files = folder_names(selection->path, NULL);

	report_show(&screen, selection->record, selection->path, files);
	fputs(screen.out->str, stdout);
	g_string_free(screen.out, TRUE);
}

static const struct arguments show_arguments = {
	.names = "[RECORD]",
	.summary = "Show what is known of a record (without a name: of the newest) beside its\n"
		   "counts: how it was made, each run, the rules, what L1 and L2 were made of.",
	.description = "Example:\n  eptlab show results/reference/bochs\n"
		       "\nThe counts themselves are shown by eptlab compare.",
	.most = 1,
	.takes = "show takes one record",
};

int command_show(int argc, char **argv, GError **error)
{
	struct selection selection = { .path = NULL };
	g_autofree char *latest = NULL;
	int status = 0;

	if (!arguments_parse(&show_arguments, &argc, &argv, error))
		return EPTLAB_ERROR_USAGE;
	latest = argc < 2 ? selection_latest(error) : NULL;
	if ((argc < 2 && latest == NULL) ||
	    !selection_open(&selection, argc < 2 ? latest : argv[1], error))
		status = (*error)->code;
	else
		show(&selection);
	selection_clear(&selection);
	return status;
}
