/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_WIRE_COMMAND_H
#define EPTLAB_WIRE_COMMAND_H

/*
 * A command of the user's own as the workload: the name of that workload, whose file is no program
 * but a text for the probe: strings, a NUL behind each,
 *
 *	SECONDS		of L2's clock, after which the command is ended
 *	FOLDER		that it works in
 *	ARGUMENT...	the first one is the program, looked for in PATH if there is no '/' in it
 *
 * The probe says of it, behind the readings around it:
 *
 *	command end= value= full=	a name of command_ends, what it says below, and 1 if it has
 *					printed more than a pipe holds
 *	output data=			any number: what it has printed, any bytes
 */
#define COMMAND_WORKLOAD  "command"
#define COMMAND_FILE_MOST 65536 /* bytes of the file */

/* construct(NAME, "name"): how a command ends, and what value is then. */
/* clang-format off */
#define COMMAND_ENDS(construct)							\
	construct(EXITED, "exited")	  /* its exit status */			\
	construct(SIGNALLED, "signalled") /* the signal */			\
	construct(TIMED_OUT, "timed-out") /* after so many seconds */		\
	construct(NOT_STARTED, "not-started") /* errno */
/* clang-format on */

#endif
