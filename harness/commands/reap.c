/* SPDX-License-Identifier: GPL-2.0-only */
#include "commands/commands.h"

#include "model/error.h"
#include "virt/reaper.h"

/* Started by eptlab itself: virt/reaper.h. */
int command_reap(int argc, char **argv, GError **error)
{
	if (argc == 2 && *argv[1] == '/')
		return reaper_main(argv[1]);
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_USAGE,
		    "L0: reap is for eptlab itself, and takes the root of libvirt's embedded "
		    "driver");
	return EPTLAB_ERROR_USAGE;
}
