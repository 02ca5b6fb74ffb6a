// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaves with the counts of VM exits: what only SVM knows.
 */
#include <linux/kvm_host.h>

#include <asm/svm.h>

#include "svm_exitcount.h"

static bool svm_exitcount_has_npt(const struct vmcb_control_area *control)
{
	/* What init_vmcb() sets; the names of newer kernels. */
#ifdef SVM_MISC_ENABLE_NP
	return control->misc_ctl & SVM_MISC_ENABLE_NP;
#else
	return control->nested_ctl & SVM_NESTED_CTL_NP_ENABLE;
#endif
}

/*
 * Taken from the VMCB that a guest runs on which is not nested, as for VMX.
 * There is no way to run without an ASID, nor is unrestricted guest an option.
 */
static u32 svm_exitcount_in_effect(struct kvm_vcpu *vcpu)
{
	const struct vmcb_control_area *control = &to_svm(vcpu)->vmcb01.ptr->control;
	u32 in_effect = 0;

	if (svm_exitcount_has_npt(control))
		in_effect |= KVM_EXITCOUNT_IN_EFFECT_TDP;
	if (control->asid)
		in_effect |= KVM_EXITCOUNT_IN_EFFECT_TLB_TAG;

	return in_effect;
}

const struct kvm_exitcount_vendor svm_exitcount_vendor = {
	.reasons = &kvm_exitcount_svm_reasons,
	.in_effect = svm_exitcount_in_effect,
};
