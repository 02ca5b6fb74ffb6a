/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "base/error.h"

static const struct {
	const char *name;
	command_func run;
	const char *help; /* NULL: for the Makefile, not for people */
} commands[] = {
	{ "run", command_run, "run an experiment: each configuration in turn, and compare" },
	{ "rerun", command_rerun, "run one configuration again, against the newest record" },
	{ "compare", command_compare, "compare two records, or the two runs of one" },
	{ "report", command_report, "one record as Markdown, a web page, text or numbers" },
	{ "merge", command_merge, "one table of many records" },
	{ "check", command_check, "check counts that somebody took by hand" },
	{ "conform", command_conform, "mark the KVM of a kernel: does it count right?" },
	{ "matrix", command_matrix, "make many experiments: workloads, kernels, settings..." },
	{ "grade", command_grade, "grade a class: other people's patches, and their counts" },
	{ "doctor", command_doctor, "what this machine can run, and what is missing" },
	{ "list", command_list, "list the records" },
	{ "capabilities", command_capabilities, NULL },
	{ "cell", command_cell, NULL },
	{ "kunit", command_kunit, NULL },
	{ "in-l1", command_in_l1, NULL },
};

static void print_help(FILE *out)
{
	fprintf(out,
		"Usage: eptlab COMMAND [OPTION...]\n\n"
		"Boots a VM on a KVM that counts VM exits, with EPT and with shadow paging, and\n"
		"compares the counts that the VM has read from inside.\n\n");
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
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

	g_set_prgname(name); /* for --help */

	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
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
	if (strcmp(argv[1], "--version") == 0) {
		printf("eptlab " EPTLAB_VERSION "\n");
		return 0;
	}
	return dispatch(argc, argv);
}
