/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_TESTS_LAB_H
#define EPTLAB_TESTS_LAB_H

#include <stdbool.h>
#include <glib.h>

#include "record/record.h"

/*
 * For tests that run the real program: a results folder of their own, and what became of it. The
 * build folder is the one that the environment variable EPTLAB_BUILD names.
 */
struct lab {
	char *results;
	char *platform; /* what the last eptlab was told to take; NULL: it needs none */
	char *tag;	/* in the environment of all that is started: finds what is left running */
	int status;	/* exit status of the last eptlab; 128 + signal if it was killed */
	char *output;	/* its standard output */
	char *errors;	/* its standard error */
};

/*
 * platform is where all that boots an L1 does so, unless an argument names another: never "auto",
 * which depends on the machine. NULL: nothing boots one.
 */
struct lab *lab_new(const char *platform);
void lab_free(struct lab *lab);

/* A path in the build folder; the caller frees it. */
char *lab_built(const char *name);

/*
 * Into a new folder: a clone as far as eptlab reads one, of links to this one, in which no answers
 * of QEMU are kept yet.
 */
void lab_tree(const char *folder);

/*
 * Run eptlab with a command, its results folder and more arguments (NULL-terminated), and wait for
 * its end. Prints the command line and, if the status is another than expected, what it printed.
 */
void lab_run(struct lab *lab, int expected, const char *command, ...) G_GNUC_NULL_TERMINATED;

/* What was run last has printed such a line, or one that begins so. */
void lab_assert_line(const struct lab *lab, const char *line);

/* A command of bash, which must succeed. */
void lab_shell(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* Fails the test if a process that carries the tag is left after so many seconds. */
void lab_assert_nothing_left(const struct lab *lab, unsigned int seconds);

/* Number of entries in the results folder whose names begin with prefix. */
unsigned int lab_count(const struct lab *lab, const char *prefix);

/*
 * The newest record in the results folder, also a failed one. The test fails if there is none, or
 * if it is of another platform than the last eptlab was told to take.
 */
struct record *lab_newest(const struct lab *lab);

/* The name of a file in the newest record; the caller frees it. */
char *lab_newest_file(const struct lab *lab, const char *name);

/* The folder of QEMU's answers, as "eptlab capabilities" says it. The caller frees the path. */
char *lab_answers(struct lab *lab);

/*
 * The folder for "eptlab in-l1" in which L1 is a machine of its own with an eptlab on it, for the
 * platform local: a clone as far as it needs one, the L2 image with the probe, QEMU's answers, and
 * harness/tests/local. The caller frees the path.
 */
char *lab_l1_folder(struct lab *lab);

/*
 * Into such a folder: what makes of L1 a machine that boots an L1 of its own, harness/tests/nested/
 * host with what it needs, but for eptlab.
 */
void lab_l1_host(const char *folder);

#endif
