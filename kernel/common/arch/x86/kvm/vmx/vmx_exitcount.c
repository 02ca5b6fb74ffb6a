// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts of hardware VM exits by reason: what only VMX knows.
 */
#include <linux/string.h>
#include <linux/version.h>

#include <asm/vmx.h>

#include "vmx_exitcount.h"
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#include "tdx.h"
#endif

struct vmx_exitcount_known {
	unsigned int reason;
	const char *name;
};

/*
 * The list of reasons in <asm/kvm_exitcount.h> is there for guests, hence it
 * cannot be made from VMX_EXIT_REASONS and from the handlers of this kernel.
 * Refuse to load rather than call a reason undefined that KVM knows, should
 * either of them grow and the list be forgotten.
 */
int __init vmx_exitcount_check_reasons(int (*const handlers[])(struct kvm_vcpu *),
				       unsigned int nr_handlers)
{
	static const struct vmx_exitcount_known known[] __initconst = {
		VMX_EXIT_REASONS
	};
	const struct kvm_exitcount_reasons *reasons = &kvm_exitcount_vmx_reasons;
	unsigned int i;
	int slot;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		slot = kvm_exitcount_slot(reasons, known[i].reason);
		if (WARN(slot < 0 || strcmp(reasons->slots[slot].name, known[i].name),
			 "KVM: exit reason %u (%s) is not in KVM_EXITCOUNT_VMX_REASONS\n",
			 known[i].reason, known[i].name))
			return -EINVAL;
	}

	for (i = 0; i < nr_handlers; i++) {
		if (WARN(handlers[i] && kvm_exitcount_slot(reasons, i) < 0,
			 "KVM: exit reason %u has a handler, but is not in KVM_EXITCOUNT_VMX_REASONS\n",
			 i))
			return -EINVAL;
	}

	return 0;
}

/*
 * Since Linux 6.16 a vCPU and a VM of this module may be TDX's, see
 * vt_vcpu_create() and vt_vm_init().
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
static struct kvm_exitcount *vmx_exitcount_counts(struct kvm_vcpu *vcpu)
{
	return &to_vt(vcpu)->exitcount;
}

static struct kvm_exitcount_vm *vmx_exitcount_vm(struct kvm *kvm)
{
#ifdef CONFIG_KVM_INTEL_TDX
	if (is_td(kvm))
		return container_of(kvm, struct kvm_tdx, kvm)->exitcount;
#endif

	return to_kvm_vmx(kvm)->exitcount;
}
#else
static bool is_td_vcpu(struct kvm_vcpu *vcpu)
{
	return false;
}

static struct kvm_exitcount *vmx_exitcount_counts(struct kvm_vcpu *vcpu)
{
	return &to_vmx(vcpu)->exitcount;
}

static struct kvm_exitcount_vm *vmx_exitcount_vm(struct kvm *kvm)
{
	return &to_kvm_vmx(kvm)->exitcount;
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

const struct kvm_exitcount_ops vmx_exitcount_ops = {
	.reasons = &kvm_exitcount_vmx_reasons,
	.counts = vmx_exitcount_counts,
	.vm = vmx_exitcount_vm,
	.in_effect = vmx_exitcount_in_effect,
};
