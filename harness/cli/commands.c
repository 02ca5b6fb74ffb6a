/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/commands.h"

static const struct command_row rows[] = {
	{ "run", command_run, "run an experiment: each configuration in turn, and compare" },
	{ "rerun", command_rerun, "run one configuration again, against the newest record" },
	{ "compare", command_compare, "compare two records, or the two runs of one" },
	{ "report", command_report, "one record as Markdown, a web page, text or numbers" },
	{ "show", command_show, "what is known of a record beside its counts" },
	{ "list", command_list, "list the records" },
	{ "merge", command_merge, "one table of many records" },
	{ "check", command_check, "check counts that somebody took by hand" },
	{ "conform", command_conform, "mark the KVM of a kernel: does it count right?" },
	{ "matrix", command_matrix, "make many experiments: workloads, kernels, settings..." },
	{ "grade", command_grade, "grade a class: other people's patches, and their counts" },
	{ "doctor", command_doctor, "what this machine can run, and what is missing" },
	{ "capabilities", command_capabilities, NULL },
	{ "cell", command_cell, NULL },
	{ "kunit", command_kunit, NULL },
	{ "in-l1", command_in_l1, NULL },
};

const struct command_row *commands_all(size_t *count)
{
	*count = G_N_ELEMENTS(rows);
	return rows;
}
