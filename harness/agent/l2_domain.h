/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_AGENT_L2_DOMAIN_H
#define EPTLAB_AGENT_L2_DOMAIN_H

#include <stdbool.h>

#include "agent/stage.h"
#include "virt/domain.h"

/* L1's libvirt, and L2 for it. */
extern const struct virt_level l2_level;

/* What is filled in to the template of L2's domain. All is borrowed. */
struct l2_spec {
	const char *name;     /* also of the folder with what its serial ports write */
	unsigned int number;  /* of its UUID: no two domains have the same */
	const char *kernel;   /* path in L1; NULL: L2 boots from its disk */
	const char *workload; /* eptlab.workload= */
	unsigned int memory_mib;
	unsigned int vcpus;
	const char *append;
	bool no_pcid;
	const char *disk;	 /* path in L1: a block device or a file */
	const char *disk_format; /* "raw", "qcow2" */
};

/* The domain's XML: the template with that filled in. Free with g_free. EPTLAB_ERROR_L1. */
char *l2_domain_xml(const struct stage *stage, const char *template, const struct l2_spec *spec,
		    GError **error);

/* Files of a domain, from its serial ports: the console, and the frames. The caller frees it. */
char *l2_domain_file(const struct stage *stage, const char *name, const char *file);
#define L2_CONSOLE "console.log"
#define L2_FRAMES  "probe.frames"

/* QEMU, as the template names it. */
#define L2_EMULATOR "/usr/bin/qemu-system-x86_64"

/* What a guest writes to its console when it has said all and holds. */
#define L2_HELD "eptlab: held"

/*
 * Start it from the template (a libvirt domain XML); paused: before its first instruction.
 * EPTLAB_ERROR_L1.
 */
struct domain *l2_domain_start(struct hypervisor *hypervisor, const struct stage *stage,
			       const char *template, const struct l2_spec *spec, bool paused,
			       GError **error);

#endif
