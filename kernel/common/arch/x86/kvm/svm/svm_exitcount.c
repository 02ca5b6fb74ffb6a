// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts of hardware VM exits by reason: what only SVM knows.
 */
#include <linux/kernel.h>
#include <linux/kvm_host.h>
#include <linux/version.h>

#include <asm/svm.h>

#include "svm_exitcount.h"

/* 64 bits, as SVM_EXIT_ERR has since exit_code in the VMCB is one field of 64. */
struct svm_exitcount_known {
	u64 code;
	const char *name;
};

/*
 * As for VMX: refuse to load rather than call a reason undefined that KVM knows.
 * Names are not compared, as SVM_EXIT_REASONS has its own.  It also has what a
 * guest puts into a GHCB, from 0x80000000 on, and codes of a VMRUN that failed.
 */
int __init svm_exitcount_check_reasons(int (*const handlers[])(struct kvm_vcpu *),
				       unsigned int nr_handlers)
{
	static const struct svm_exitcount_known known[] __initconst = {
		SVM_EXIT_REASONS
	};
	const struct kvm_exitcount_reasons *reasons = &kvm_exitcount_svm_reasons;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (WARN(known[i].code < SVM_VMGEXIT_MMIO_READ &&
			 kvm_exitcount_slot(reasons, known[i].code) < 0,
			 "KVM: exit code %#llx (%s) is not in KVM_EXITCOUNT_SVM_REASONS\n",
			 known[i].code, known[i].name))
			return -EINVAL;
	}

	for (i = 0; i < nr_handlers; i++) {
		if (WARN(handlers[i] && kvm_exitcount_slot(reasons, i) < 0,
			 "KVM: exit code %#x has a handler, but is not in KVM_EXITCOUNT_SVM_REASONS\n",
			 i))
			return -EINVAL;
	}

	return 0;
}

static struct kvm_exitcount *svm_exitcount_counts(struct kvm_vcpu *vcpu)
{
	return &to_svm(vcpu)->exitcount;
}

static struct kvm_exitcount_vm *svm_exitcount_vm(struct kvm *kvm)
{
	/* KVM_SANITY_CHECK_VM_STRUCT_SIZE() leaves no room in struct kvm_svm. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	return to_kvm_svm(kvm)->exitcount;
#else
	return &to_kvm_svm(kvm)->exitcount;
#endif
}

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

const struct kvm_exitcount_ops svm_exitcount_ops = {
	.reasons = &kvm_exitcount_svm_reasons,
	.counts = svm_exitcount_counts,
	.vm = svm_exitcount_vm,
	.in_effect = svm_exitcount_in_effect,
};
