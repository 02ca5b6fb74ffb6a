/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CLI_L1_BOOT_H
#define EPTLAB_CLI_L1_BOOT_H

#include "cli/experiment.h"
#include "cli/progress.h"
#include "collect/l1_result.h"

/* The configured path, or what make has built if that is "". */
const char *or_built(const char *configured, const char *built);

/*
 * L2's Linux, unless it boots an image of the user's own: one that can use all of its vCPUs, if it
 * is built.
 */
const char *l2_kernel_of(const struct experiment *experiment);

/*
 * All of a request that depends neither on the job nor on L2's disk: files, configuration, the
 * cancellable. All is borrowed. The rest is NULL.
 */
void l1_request(const struct experiment *experiment, struct platform_request *request);

/*
 * Boot L1 once, and take what it sends into the record, with the platform's version and the ticks.
 * step is said while it boots. Its console and the emulator's log are kept in folder; work is an
 * empty folder. What came until L1's end is in the result, whatever *failure says: the caller
 * finishes and owns it.
 */
l1_result *l1_boot(const struct experiment *experiment, struct platform_request *request,
		   const char *folder, const char *work, struct record *record,
		   struct progress *progress, const char *step, GError **failure);

#endif
