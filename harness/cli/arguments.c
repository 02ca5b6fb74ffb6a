/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/arguments.h"

#include <stdlib.h>

#include "base/error.h"
#include "cli/complete.h"

bool arguments_parse(const struct arguments *arguments, int *argc, char ***argv, GError **error)
{
	g_autoptr(GOptionContext) context = g_option_context_new(arguments->names);
	g_autoptr(GError) cause = NULL;

	/* As GOptionContext does for --help. */
	if (*argc > 1 && g_str_equal((*argv)[1], COMPLETE_OPTION)) {
		complete_arguments(arguments, *argv + 2);
		exit(0);
	}
	if (arguments->entries != NULL)
		g_option_context_add_main_entries(context, arguments->entries, NULL);
	g_option_context_set_summary(context, arguments->summary);
	g_option_context_set_description(context, arguments->description);
	if (g_option_context_parse(context, argc, argv, &cause) && *argc > arguments->least &&
	    *argc - 1 <= arguments->most)
		return true;
	return eptlab_fail(error, EPTLAB_ERROR_USAGE, "L0: %s; see eptlab %s --help",
			   cause != NULL ? cause->message : arguments->takes, (*argv)[0]);
}
