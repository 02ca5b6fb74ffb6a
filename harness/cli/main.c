/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/complete.h"
#include "base/error.h"

static void print_help(FILE *out)
{
	size_t count;
	const struct command_row *commands = commands_all(&count);

	fprintf(out,
		"Usage: eptlab COMMAND [OPTION...]\n\n"
		"Boots a VM on a KVM that counts VM exits, with EPT and with shadow paging, and\n"
		"compares the counts that the VM has read from inside.\n\n");
	for (size_t i = 0; i < count; i++) {
		if (commands[i].help != NULL)
			fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
	}
	fprintf(out, "\neptlab COMMAND --help tells more about each.\n\n"
		     "Exit status: 0 valid, 1 usage or configuration, 2 this machine (nothing was\n"
		     "measured), 3 measured and invalid, 4 L1 failed, 5 L2 failed, 6 time-out,\n"
		     "130 interrupted.\n");
}

/* A report that a full disk has cut off must not look like a good one. */
static int finish_output(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr,
		"eptlab: L0: standard output could not be written (%s); what it shows is "
		"not complete\n",
		strerror(errno));
	return status == 0 || status == EPTLAB_ERROR_INVALID ? EPTLAB_ERROR_MACHINE : status;
}

static int dispatch(int argc, char **argv)
{
	g_autofree char *name = g_strconcat("eptlab ", argv[1], NULL);
	g_autoptr(GError) error = NULL;
	size_t count;
	const struct command_row *commands = commands_all(&count);

	g_set_prgname(name); /* for --help */

	for (size_t i = 0; i < count; i++) {
		int status;

		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		status = commands[i].run(argc - 1, argv + 1, &error);
		if (error != NULL)
			fprintf(stderr, "eptlab: %s\n", error->message);
		return finish_output(status);
	}
	fprintf(stderr, "eptlab: L0: there is no command \"%s\"; eptlab --help lists them\n",
		argv[1]);
	return EPTLAB_ERROR_USAGE;
}

int main(int argc, char **argv)
{
	setlocale(LC_ALL, "");
	if (argc < 2) {
		print_help(stderr);
		return EPTLAB_ERROR_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_help(stdout);
		return 0;
	}
	if (strcmp(argv[1], COMPLETE_OPTION) == 0) {
		complete_command(argv + 2);
		return finish_output(0);
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("eptlab " EPTLAB_VERSION "\n");
		return 0;
	}
	return dispatch(argc, argv);
}
