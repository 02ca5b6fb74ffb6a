/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CLI_CAPABILITIES_H
#define EPTLAB_CLI_CAPABILITIES_H

#include "cli/experiment.h"
#include "cli/progress.h"

/*
 * libvirt asks QEMU what it can do, which in an emulated L1 costs as much as an experiment, and
 * keeps the answers in its cache. They are got once from an L1 of the same kind, so that no
 * experiment begins with questions. Whether they still hold is decided by libvirt itself.
 *
 * The folder with them: made by booting L1 if it is not there for this platform, kernel and
 * appliance. The caller frees it. Errors of the platform; NULL.
 */
char *capabilities_get(const struct experiment *experiment, struct progress *progress,
		       GError **error);

#endif
