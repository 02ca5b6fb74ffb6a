/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_KMOD_VENDOR_H
#define EPTLAB_KMOD_VENDOR_H

#include <stdbool.h>
#include <glib.h>

#include "wire/job.h"

/* The KVM modules, in the order in which they are loaded; the vendor's is the last. */
#define VENDOR_MODULES 3
struct vendor {
	const char *names[VENDOR_MODULES];
	const char *nested;	       /* the parameter for nested paging: "ept" or "npt" */
	const char *const *parameters; /* to be read back; ends with NULL */
	bool has_vpid;		       /* a parameter; SVM tags its TLB by ASID always */
};

/* The module that holds the counters. */
#define VENDOR_KVM "kvm"

/*
 * Those of this CPU: kvm_intel where CPUID has VMX (leaf 1, ECX bit 5: SDM vol. 2, "CPUID"),
 * kvm_amd where it has SVM (leaf 0x80000001, ECX bit 2: APM vol. 3, appendix E). Static.
 * EPTLAB_ERROR_L1 if it has neither.
 */
const struct vendor *vendor_of_cpu(GError **error);

/*
 * The options with which the vendor's module is loaded for a run. The caller frees them.
 */
char *vendor_options(const struct vendor *vendor, const struct job_run *run);

#endif
