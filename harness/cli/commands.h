/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CLI_COMMANDS_H
#define EPTLAB_CLI_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <glib.h>

#define EPTLAB_VERSION "0.1"

/*
 * A subcommand: argv[0] is its name. Returns the exit status; when it is not 0 because of an error
 * (base/error.h), *error says so and main prints it. EPTLAB_ERROR_INVALID needs no error: the
 * report has said why.
 */
typedef int (*command_func)(int argc, char **argv, GError **error);

/* One of them, by its name. */
struct command_row {
	const char *name;
	command_func run;
	const char *help; /* NULL: for the Makefile, not for people */
};

/* All of them, in the order of the help, and their number. */
const struct command_row *commands_all(size_t *count);

int command_run(int argc, char **argv, GError **error);
int command_rerun(int argc, char **argv, GError **error);
int command_compare(int argc, char **argv, GError **error);
int command_check(int argc, char **argv, GError **error);
int command_conform(int argc, char **argv, GError **error);
int command_grade(int argc, char **argv, GError **error);
int command_report(int argc, char **argv, GError **error);
int command_doctor(int argc, char **argv, GError **error);
int command_merge(int argc, char **argv, GError **error);
int command_list(int argc, char **argv, GError **error);
int command_show(int argc, char **argv, GError **error);
int command_capabilities(int argc, char **argv, GError **error);
int command_in_l1(int argc, char **argv, GError **error);
int command_matrix(int argc, char **argv, GError **error);
int command_cell(int argc, char **argv, GError **error);
int command_kunit(int argc, char **argv, GError **error);

/* The columns that list can show, with separator between two. The caller frees the text. */
char *list_columns(const char *separator);

/*
 * Do the results of KUnit in a kernel log say that all that is planned has come and is ok? *planned
 * is the largest number of cases that a suite has planned. EPTLAB_ERROR_INVALID says what is wrong
 * first.
 */
bool kunit_judge(const char *log, unsigned int *planned, GError **error);

#endif
