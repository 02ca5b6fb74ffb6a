/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CLI_GUEST_H
#define EPTLAB_CLI_GUEST_H

#include <stdbool.h>

#include "cli/experiment.h"
#include "cli/progress.h"
#include "l2/inject.h"
#include "l2/user_image.h"
#include "record/record.h"
#include "l1/platform.h"

/*
 * What the commands that boot L2 have in common: its files, which are those that make has built
 * unless the configuration names others.
 */

struct guest {
	struct guest_injected injected; /* our own image, or */
	struct user_image user;		/* the user's */
	char *folder;			/* temporary, with what the probe is told of a command */
	char *command;			/* the file in it */
	char *capabilities; /* what libvirt in L1 would otherwise have to ask QEMU; or NULL */
};

/*
 * Put probe and workloads into the image of L2, and have the capabilities ready unless L1 is to ask
 * for them; say so as progress. Errors of guest_inject and of capabilities_make. Free with
 * guest_clear, always.
 */
bool guest_prepare(const struct experiment *experiment, struct progress *progress,
		   struct guest *guest, GError **error);
void guest_clear(struct guest *guest);

/*
 * What L2 boots: SHA-256 of its image (the user's own, without the overlay), of the file with its
 * kernel (which in the user's case is the image), of the probe, and its size.
 */
bool guest_describe(const struct experiment *experiment, const struct guest *guest,
		    const char *workload, struct record_guest *out, GError **error);

/* After the runs: is the user's own image as it was? */
bool guest_is_unchanged(const struct experiment *experiment, const struct guest *guest,
			GError **error);

/* l1_request(), and L2's disk. */
void guest_request(const struct experiment *experiment, const struct guest *guest,
		   struct platform_request *request);

#endif
