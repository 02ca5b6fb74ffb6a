/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_AGENT_MODULES_H
#define EPTLAB_AGENT_MODULES_H

#include <stdbool.h>
#include <glib.h>

#include "model/job.h"

/* The KVM modules, in the order in which they are loaded; the vendor's is the last. */
#define MODULES_COUNT 3
struct modules_vendor {
	const char *names[MODULES_COUNT];
	const char *nested;	       /* the parameter for nested paging: "ept" or "npt" */
	const char *const *parameters; /* to be read back; ends with NULL */
	bool has_vpid;		       /* a parameter; SVM tags its TLB by ASID always */
};

/* The module that holds the counters. */
#define MODULES_KVM "kvm"

/*
 * Those of this CPU: kvm_intel where CPUID has VMX (leaf 1, ECX bit 5: SDM vol. 2, "CPUID"),
 * kvm_amd where it has SVM (leaf 0x80000001, ECX bit 2: APM vol. 3, appendix E). Static.
 * EPTLAB_ERROR_L1 if it has neither.
 */
const struct modules_vendor *modules_vendor(GError **error);

/*
 * Unload KVM and load it again from the .ko files in folder, the vendor module with the parameters
 * that the run asks for, kvm.ko with exitcount_cycles=1 if cycles are to be counted.
 * EPTLAB_ERROR_L1 says which module, and whether it was to be unloaded (who holds it) or loaded.
 */
bool modules_reload(const struct modules_vendor *vendor, const char *folder,
		    const struct job_run *run, bool cycles, GError **error);

/* Load one more module from folder. EPTLAB_ERROR_L1. */
bool modules_load(const char *folder, const char *name, GError **error);

/* The options with which the vendor's module is loaded for a run. The caller frees them. */
char *modules_vendor_options(const struct modules_vendor *vendor, const struct job_run *run);

/*
 * The value of a parameter of a loaded module that is in effect, as /sys/module shows it ("Y",
 * "N"). The caller frees it. EPTLAB_ERROR_L1 if it cannot be read.
 */
char *modules_parameter(const char *module, const char *name, GError **error);

/*
 * The GNU build-id of a loaded module, from /sys/module/NAME/notes, as lower-case hexadecimal
 * digits; the caller frees it. EPTLAB_ERROR_L1 if there is none.
 */
char *modules_build_id(const char *name, GError **error);

#endif
