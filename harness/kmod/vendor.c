/* SPDX-License-Identifier: GPL-2.0-only */
#include "kmod/vendor.h"

#include <cpuid.h>

#include "base/error.h"

static const struct vendor vmx = {
	.names = { "irqbypass", VENDOR_KVM, "kvm_intel" },
	.nested = "ept",
	.parameters = (const char *const[]){ "ept", "vpid", "unrestricted_guest", NULL },
	.has_vpid = true,
};

static const struct vendor svm = {
	.names = { "irqbypass", VENDOR_KVM, "kvm_amd" },
	.nested = "npt",
	.parameters = (const char *const[]){ "npt", NULL },
};

#define CPUID_1_ECX_VMX	       (1u << 5)
#define CPUID_80000001_ECX_SVM (1u << 2)

const struct vendor *vendor_of_cpu(GError **error)
{
	unsigned int a, b, c, d;

	if (__get_cpuid(1, &a, &b, &c, &d) && (c & CPUID_1_ECX_VMX) != 0)
		return &vmx;
	if (__get_cpuid(0x80000001, &a, &b, &c, &d) && (c & CPUID_80000001_ECX_SVM) != 0)
		return &svm;
	return eptlab_null(
		error, EPTLAB_ERROR_L1,
		"L1: its CPU has neither VMX nor SVM, and no KVM works on it; give it one that "
		"has, or nested virtualization");
}

char *vendor_options(const struct vendor *vendor, const struct job_run *run)
{
	const bool given = run->unrestricted_guest != JOB_UNSET;

	if (!vendor->has_vpid)
		return g_strdup_printf("%s=%d", vendor->nested, run->ept);
	return g_strdup_printf("%s=%d vpid=%d%s%s", vendor->nested, run->ept, run->vpid,
			       given ? " unrestricted_guest=" : "",
			       !given				   ? ""
			       : run->unrestricted_guest == JOB_ON ? "1"
								   : "0");
}
