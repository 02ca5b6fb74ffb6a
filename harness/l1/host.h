/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_L1_HOST_H
#define EPTLAB_L1_HOST_H

#include <stdbool.h>
#include <glib.h>

/* What this machine's CPU and KVM can do, as the kernel shows it. */
struct host {
	const char *vendor; /* "vmx", "svm", or NULL: the CPU has neither */
	const char *module; /* "kvm_intel", "kvm_amd"; NULL with vendor */
	char *cpu;	    /* model name; NULL: unknown */
	bool device;	    /* there is a /dev/kvm */
	bool usable;	    /* and this user may open it */
	bool loaded;	    /* the module, or built in */
	bool nested;	    /* its parameter "nested" is on */
};

/*
 * Read it below root ("" for this machine): proc/cpuinfo, dev/kvm, sys/module. A /dev/kvm alone
 * tells nothing: a hypervisor may show one that does not work. Free with host_clear.
 */
void host_read(const char *root, struct host *host);
void host_clear(struct host *host);

/* Can VMs on this machine have VMs? EPTLAB_ERROR_MACHINE says what is missing, and what mends it.
 */
bool host_can_nest(const struct host *host, GError **error);

#endif
