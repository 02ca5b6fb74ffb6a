/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_AGENT_RUNS_H
#define EPTLAB_AGENT_RUNS_H

#include <stdbool.h>

#include "agent/link.h"
#include "agent/stage.h"
#include "wire/job.h"
#include "virt/hypervisor.h"

/*
 * Make the runs of a job, and tell L0 of each: reload KVM, read back what is in effect, boot L2,
 * send what L2 and L1 have said. EPTLAB_ERROR_L1, EPTLAB_ERROR_L2.
 */
bool runs_do(struct link *link, const struct stage *stage, const struct job *job, GError **error);

/*
 * libvirt on this stage: the embedded driver, or what the URI names, if it is not "". *root gets
 * the root of the embedded driver, borrowed. EPTLAB_ERROR_L1.
 */
struct hypervisor *runs_open_libvirt(const struct stage *stage, const char *uri, const char **root,
				     GError **error);

/*
 * In an appliance, with its embedded driver: let libvirt ask QEMU what it can do, and send L0 the
 * answers, as "capabilities/<file>". EPTLAB_ERROR_L1.
 */
bool runs_ask_qemu(struct link *link, const struct stage *stage, struct hypervisor *hypervisor,
		   GError **error);

#endif
