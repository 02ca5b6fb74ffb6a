// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaves with the counts of VM exits: what only VMX knows.
 */
#include <linux/version.h>

#include <asm/vmx.h>

#include "vmx_exitcount.h"
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#include "tdx.h"
#endif

/* Since Linux 6.16 a vCPU of this module may be TDX's, see vt_vcpu_create(). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
static bool is_td_vcpu(struct kvm_vcpu *vcpu)
{
	return false;
}
#endif

/*
 * Taken from the VMCS and not from the module's parameters: a vCPU for which no
 * VPID was left runs without.  vmcs01, as a guest asks about the hypervisor it
 * runs on and not about the one that it may be itself.  A TD's VMCS is the TDX
 * module's, which demands EPT (tdx_hardware_setup()) and does not tell of VPID.
 */
static u32 vmx_exitcount_in_effect(struct kvm_vcpu *vcpu)
{
	u32 controls, in_effect = 0;

	if (is_td_vcpu(vcpu))
		return KVM_EXITCOUNT_IN_EFFECT_TDP;

	controls = __secondary_exec_controls_get(&to_vmx(vcpu)->vmcs01);
	if (controls & SECONDARY_EXEC_ENABLE_EPT)
		in_effect |= KVM_EXITCOUNT_IN_EFFECT_TDP;
	if (controls & SECONDARY_EXEC_ENABLE_VPID)
		in_effect |= KVM_EXITCOUNT_IN_EFFECT_TLB_TAG;
	if (controls & SECONDARY_EXEC_UNRESTRICTED_GUEST)
		in_effect |= KVM_EXITCOUNT_IN_EFFECT_UNRESTRICTED;

	return in_effect;
}

const struct kvm_exitcount_vendor vmx_exitcount_vendor = {
	.reasons = &kvm_exitcount_vmx_reasons,
	.in_effect = vmx_exitcount_in_effect,
};
