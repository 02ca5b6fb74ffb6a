/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/reasons.h"

#include <stddef.h>
#include <glib.h>

#define REASON_NAME(number, name) [number] = #name,

static const char *const names[] = { KVM_EXITCOUNT_VMX_REASONS(REASON_NAME) };

static const struct reason_paging paging[] = {
	{
		.reason = REASON_EXCEPTION_NMI,
		.explanation = "shadow paging sees each page fault of the guest first; with EPT "
			       "they stay in the guest",
		.source = "SDM vol. 3, \"Other Causes of VM Exits\" (26.2), on page faults",
	},
	{
		.reason = REASON_INVLPG,
		.explanation = "shadow paging must drop its own copy of the translation; with EPT "
			       "nothing exits",
		.source = "SDM vol. 3, \"Instructions That Cause VM Exits Conditionally\" (26.1.3)",
	},
	{
		.reason = REASON_CR_ACCESS,
		.explanation = "with shadow paging, each change of CR3 is a change of the tables "
			       "that KVM shadows",
		.source = "SDM vol. 3, \"Instructions That Cause VM Exits Conditionally\" (26.1.3)",
	},
	{
		.reason = REASON_EPT_VIOLATION,
		.explanation = "a guest-physical page that EPT does not map yet, or not for this "
			       "access",
		.source = "SDM vol. 3, \"EPT Violations\" (29.3.3.2)",
	},
	{
		.reason = REASON_EPT_MISCONFIG,
		.explanation = "an EPT entry that KVM made invalid on purpose: access to an "
			       "emulated device (MMIO)",
		.source = "SDM vol. 3, \"EPT Misconfigurations\" (29.3.3.1); KVM: "
			  "handle_ept_misconfig()",
	},
	{
		.reason = REASON_INVPCID,
		.explanation =
			"like INVLPG, for one address space or all: exits with shadow paging "
			"only",
		.source = "SDM vol. 3, \"Instructions That Cause VM Exits Conditionally\" (26.1.3)",
	},
};

const char *reason_name(uint32_t reason)
{
	return reason < G_N_ELEMENTS(names) ? names[reason] : NULL;
}

bool reason_is_defined(uint32_t reason)
{
	return reason_name(reason) != NULL;
}

uint32_t reason_highest(void)
{
	return KVM_EXITCOUNT_VMX_HIGHEST;
}

const struct reason_paging *reason_paging(uint32_t reason)
{
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(paging); i++)
		if (paging[i].reason == reason)
			return &paging[i];
	return NULL;
}
