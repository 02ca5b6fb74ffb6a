/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_VIRT_HYPERVISOR_H
#define EPTLAB_VIRT_HYPERVISOR_H

#include <stdbool.h>
#include <gio/gio.h>
#include <libvirt/libvirt.h>

/* Who asks libvirt for a VM, and for which: for messages, and for the code of errors. */
struct virt_level {
	const char *here; /* "L0", "L1" */
	const char *vm;	  /* "L1", "L2" */
	int code;	  /* of all errors: EPTLAB_ERROR_MACHINE or EPTLAB_ERROR_L1 */
};

/* A connection to libvirt, with an event loop in a thread of its own. */
struct hypervisor {
	const struct virt_level *level;
	virConnectPtr connection;
	bool embedded; /* the driver is in this process */

	/* Changed by the event loop's thread. */
	GMutex lock;
	GCond changed;
	GPtrArray *domains; /* of struct domain, borrowed */
};

/* Open it. Errors have the level's code. Close it with hypervisor_close. */
struct hypervisor *hypervisor_open(const struct virt_level *level, const char *uri, GError **error);

/*
 * All domains must have been freed. The event loop's thread ends with the process, and so may a
 * callback of it still run: the structure stays.
 */
void hypervisor_close(struct hypervisor *hypervisor);

typedef struct hypervisor struct_hypervisor;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_hypervisor, hypervisor_close)

/*
 * Let libvirt find out about QEMU, which makes the files in ROOT/cache/qemu/capabilities of an
 * embedded driver.
 */
bool hypervisor_probe(struct hypervisor *hypervisor, GError **error);

/* Set *error to what libvirt's last call, which was to do what, has said. Returns false. */
bool hypervisor_fail(const struct hypervisor *hypervisor, const char *what, GError **error);

#endif
