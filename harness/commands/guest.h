/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_COMMANDS_GUEST_H
#define EPTLAB_COMMANDS_GUEST_H

#include <stdbool.h>

#include "commands/experiment.h"
#include "commands/progress.h"
#include "guest/inject.h"
#include "platform/platform.h"

/*
 * What the commands that boot L2 have in common: its files, which are those that make has built
 * unless the configuration names others.
 */

struct guest {
	struct guest_injected injected;
	char *capabilities; /* what libvirt in L1 would otherwise have to ask QEMU */
};

/*
 * Put probe and workloads into the image of L2, and have the capabilities ready; say so as
 * progress. Errors of guest_inject and of capabilities_get. Free with guest_clear, always.
 */
bool guest_prepare(const struct experiment *experiment, struct progress *progress,
		   struct guest *guest, GError **error);
void guest_clear(struct guest *guest);

/* The file that L2 boots for this workload: its Linux, or the dose guest. */
const char *guest_kernel(const struct experiment *experiment, const char *workload);

/*
 * All of a request that does not depend on the job: files, configuration, the cancellable. All is
 * borrowed. The rest is NULL.
 */
void guest_request(const struct experiment *experiment, const struct guest *guest,
		   struct platform_request *request);

#endif
