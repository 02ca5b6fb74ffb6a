// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts of hardware VM exits by reason: what only SVM knows.
 */
#include <linux/kernel.h>

#include <asm/svm.h>

#include "svm_exitcount.h"

struct svm_exitcount_known {
	u32 code;
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
			 "KVM: exit code %#x (%s) is not in KVM_EXITCOUNT_SVM_REASONS\n",
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
	return &to_kvm_svm(kvm)->exitcount;
}

/*
 * Taken from the VMCB that a guest runs on which is not nested, as for VMX.
 * There is no way to run without an ASID, nor is unrestricted guest an option.
 */
static u32 svm_exitcount_in_effect(struct kvm_vcpu *vcpu)
{
	const struct vmcb_control_area *control = &to_svm(vcpu)->vmcb01.ptr->control;
	u32 in_effect = 0;

	if (control->nested_ctl & SVM_NESTED_CTL_NP_ENABLE)
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
