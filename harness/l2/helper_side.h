/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_L2_HELPER_SIDE_H
#define EPTLAB_L2_HELPER_SIDE_H

#include <stdbool.h>
#include <glib.h>

/* The helper's side of guestfs_helper.h: what each program that uses libguestfs has in common. */

/*
 * Watch the standard input from now on: its end ends this process and its group. tmp is where
 * supermin, which libguestfs starts, is to keep its temporary files. False: no thread.
 */
bool helper_side_start(const char *tmp);

/* What begins now. */
void helper_side_step(const char *text);

/* Tell the harness what went wrong, if anything did; returns the exit status. */
int helper_side_end(const GError *error);

#endif
