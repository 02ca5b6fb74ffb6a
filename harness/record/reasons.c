/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/reasons.h"

#include <stddef.h>
#include <glib.h>

/* SVM's are sparse, so each list is searched: it is short. */
struct reason_named {
	uint32_t reason;
	const char *name;
};

#define REASON_NAMED(number, text) { (number), #text },

static const struct reason_named vmx_names[] = { KVM_EXITCOUNT_VMX_REASONS(REASON_NAMED) };
static const struct reason_named svm_names[] = { KVM_EXITCOUNT_SVM_REASONS(REASON_NAMED) };

static const struct reason_paging vmx_paging[] = {
	{
		.reason = REASON_EXCEPTION_NMI,
		.where = REASON_SHADOW_MORE,
		.explanation = "shadow paging sees each page fault of the guest first; with EPT "
			       "they stay in the guest",
		.source = "SDM vol. 3, \"Other Causes of VM Exits\" (26.2), on page faults",
	},
	{
		.reason = REASON_INVLPG,
		.where = REASON_SHADOW_ONLY,
		.explanation = "shadow paging must drop its own copy of the translation; with EPT "
			       "nothing exits",
		.source = "SDM vol. 3, \"Instructions That Cause VM Exits Conditionally\" (26.1.3)",
	},
	{
		.reason = REASON_CR_ACCESS,
		.where = REASON_SHADOW_MORE,
		.explanation = "with shadow paging, each change of CR3 is a change of the tables "
			       "that KVM shadows",
		.source = "SDM vol. 3, \"Instructions That Cause VM Exits Conditionally\" (26.1.3)",
	},
	{
		.reason = REASON_EPT_VIOLATION,
		.where = REASON_NESTED_ONLY,
		.explanation = "a guest-physical page that EPT does not map yet, or not for this "
			       "access",
		.source = "SDM vol. 3, \"EPT Violations\" (29.3.3.2)",
	},
	{
		.reason = REASON_EPT_MISCONFIG,
		.where = REASON_NESTED_ONLY,
		.explanation = "an EPT entry that KVM made invalid on purpose: access to an "
			       "emulated device (MMIO)",
		.source = "SDM vol. 3, \"EPT Misconfigurations\" (29.3.3.1); KVM: "
			  "handle_ept_misconfig()",
	},
	{
		.reason = REASON_INVPCID,
		.where = REASON_SHADOW_ONLY,
		.explanation =
			"like INVLPG, for one address space or all: exits with shadow paging "
			"only",
		.source = "SDM vol. 3, \"Instructions That Cause VM Exits Conditionally\" (26.1.3)",
	},
};

static const struct reason_paging svm_paging[] = {
	{
		.reason = REASON_SVM_WRITE_CR3,
		.where = REASON_SHADOW_ONLY,
		.explanation = "with shadow paging, each change of CR3 is a change of the tables "
			       "that KVM shadows",
		.source = "APM vol. 2, \"CR0-15 Reads and Writes\" (15.8.1)",
	},
	{
		.reason = REASON_SVM_EXCP_PF,
		.where = REASON_SHADOW_ONLY,
		.explanation = "shadow paging sees each page fault of the guest first; with NPT "
			       "they stay in the guest",
		.source = "APM vol. 2, \"Exception Intercepts\" (15.12)",
	},
	{
		.reason = REASON_SVM_INVLPG,
		.where = REASON_SHADOW_ONLY,
		.explanation = "shadow paging must drop its own copy of the translation; with NPT "
			       "nothing exits",
		.source = "APM vol. 2, \"Instruction Intercepts\" (15.9)",
	},
	{
		.reason = REASON_SVM_INVPCID,
		.where = REASON_SHADOW_ONLY,
		.explanation =
			"like INVLPG, for one address space or all: exits with shadow paging "
			"only",
		.source = "APM vol. 2, \"Instruction Intercepts\" (15.9)",
	},
	{
		.reason = REASON_SVM_NPF,
		.where = REASON_NESTED_ONLY,
		.explanation =
			"a guest-physical page that the nested tables do not map yet, or not "
			"for this access; with KVM also access to an emulated device (MMIO)",
		.source =
			"APM vol. 2, \"Nested versus Guest Page Faults, Fault Ordering\" (15.25.6)",
	},
};

/* All that is known of a vendor's reasons. */
struct reason_vendor {
	const struct reason_named *names;
	size_t name_count;
	const struct reason_paging *paging;
	size_t paging_count;
	uint32_t highest;
	uint32_t cpuid;
	uint32_t interrupt;
	struct reason_roles roles;
};

static const struct reason_vendor vmx = {
	.names = vmx_names,
	.name_count = G_N_ELEMENTS(vmx_names),
	.paging = vmx_paging,
	.paging_count = G_N_ELEMENTS(vmx_paging),
	.highest = KVM_EXITCOUNT_VMX_HIGHEST,
	.cpuid = REASON_CPUID,
	.interrupt = REASON_EXTERNAL_INTERRUPT,
	.roles = {
		.page_fault = REASON_EXCEPTION_NMI,
		.violation = REASON_EPT_VIOLATION,
		.cr_access = REASON_CR_ACCESS,
		.misconfig = REASON_EPT_MISCONFIG,
		.invlpg = REASON_INVLPG,
	},
};

static const struct reason_vendor svm = {
	.names = svm_names,
	.name_count = G_N_ELEMENTS(svm_names),
	.paging = svm_paging,
	.paging_count = G_N_ELEMENTS(svm_paging),
	.highest = KVM_EXITCOUNT_SVM_HIGHEST,
	.cpuid = REASON_SVM_CPUID,
	.interrupt = REASON_SVM_INTR,
	.roles = {
		.page_fault = REASON_SVM_EXCP_PF,
		.violation = REASON_SVM_NPF,
		.cr_access = REASON_SVM_WRITE_CR3,
		.misconfig = REASON_NONE,
		.invlpg = REASON_SVM_INVLPG,
	},
};

static const struct reason_vendor *of(uint32_t vendor)
{
	return vendor == KVM_EXITCOUNT_VENDOR_SVM ? &svm : &vmx;
}

const char *reason_name(uint32_t vendor, uint32_t reason)
{
	const struct reason_vendor *v = of(vendor);

	for (size_t i = 0; i < v->name_count; i++)
		if (v->names[i].reason == reason)
			return v->names[i].name;
	return NULL;
}

bool reason_is_defined(uint32_t vendor, uint32_t reason)
{
	return reason_name(vendor, reason) != NULL;
}

uint32_t reason_highest(uint32_t vendor)
{
	return of(vendor)->highest;
}

uint32_t reason_of_cpuid(uint32_t vendor)
{
	return of(vendor)->cpuid;
}

uint32_t reason_of_interrupt(uint32_t vendor)
{
	return of(vendor)->interrupt;
}

const struct reason_roles *reason_roles(uint32_t vendor)
{
	return &of(vendor)->roles;
}

const struct reason_paging *reason_paging(uint32_t vendor, uint32_t reason)
{
	const struct reason_vendor *v = of(vendor);

	for (size_t i = 0; i < v->paging_count; i++)
		if (v->paging[i].reason == reason)
			return &v->paging[i];
	return NULL;
}
