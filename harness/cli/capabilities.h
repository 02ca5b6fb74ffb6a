/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CLI_CAPABILITIES_H
#define EPTLAB_CLI_CAPABILITIES_H

#include <stdbool.h>

#include "cli/experiment.h"
#include "wire/frameset.h"

/*
 * libvirt asks QEMU what it can do, which in an emulated L1 costs as much as an experiment, and
 * keeps the answers in its cache. They are got once from an L1 of the same kind, so that no other
 * experiment begins with questions. Whether they still hold is decided by libvirt itself.
 */

/*
 * Where they are for this platform, kernel and appliance, or would be: named by digests of these,
 * which takes a while. The caller frees it.
 */
char *capabilities_folder(const struct experiment *experiment);

/* Are they in that folder? On this machine libvirt itself sees to it. */
bool capabilities_are_in(const struct experiment *experiment, const char *folder);

/*
 * Is the experiment's own L1 the one that asks? Not where all L1 have to be the same; nor with a
 * KVM that somebody else has made, which would say what others' L1 begins with.
 */
bool capabilities_may_come(const struct experiment *experiment);

/* That folder, if it is there, or NULL. The caller frees it. */
char *capabilities_find(const struct experiment *experiment);

/*
 * Take what L1 has sent of them out of texts, and keep it where capabilities_find() looks: whole or
 * not at all. EPTLAB_ERROR_MACHINE.
 */
bool capabilities_keep(const struct experiment *experiment, frame_texts *texts, GError **error);

#endif
