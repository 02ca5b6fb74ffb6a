/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CLI_COMPLETE_H
#define EPTLAB_CLI_COMPLETE_H

#include "cli/arguments.h"

/*
 * For the shell, which completes words (harness/completion.bash): "eptlab --complete WORD" prints
 * the commands that begin so, "eptlab COMMAND --complete WORD..." what the last word may become,
 * one a line. It may be empty. COMPLETE_FILES and COMPLETE_FOLDERS stand for those that the shell
 * knows. Where nothing is known of a word, nothing is printed.
 */
#define COMPLETE_OPTION	 "--complete"
#define COMPLETE_FILES	 "@files"
#define COMPLETE_FOLDERS "@folders"

/* words ends with NULL; of both only the last one is completed. */
void complete_command(char *const *words);
void complete_arguments(const struct arguments *arguments, char *const *words);

#endif
