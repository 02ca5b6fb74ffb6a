/* SPDX-License-Identifier: GPL-2.0-only */
#include "commands/commands.h"

#include "model/error.h"
#include "virt/reaper.h"

/* Commands that eptlab starts itself. */

static int refuse(const char *name, GError **error)
{
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_USAGE,
		    "L0: %s is for eptlab itself, and takes a folder", name);
	return EPTLAB_ERROR_USAGE;
}

/* virt/reaper.c */
int command_reap(int argc, char **argv, GError **error)
{
	return argc == 2 && *argv[1] == '/' ? reaper_main(argv[1]) : refuse(argv[0], error);
}
