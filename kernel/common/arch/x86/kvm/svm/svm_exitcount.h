/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __KVM_X86_SVM_SVM_EXITCOUNT_H
#define __KVM_X86_SVM_SVM_EXITCOUNT_H

#include "exitcount.h"
#include "svm.h"

extern const struct kvm_exitcount_ops svm_exitcount_ops;

/*
 * The lowest of the codes that say why VMRUN did not enter the guest (APM vol. 2,
 * appendix C: INVALID, BUSY, IDLE_REQUIRED, INVALID_PMC).
 */
#define SVM_EXITCOUNT_NOT_ENTERED	((u32)-4)

/* Count the last exit, if it was one. */
static __always_inline void svm_exitcount_inc(struct vcpu_svm *svm)
{
	u32 code = svm->vmcb->control.exit_code;
	unsigned int slot = kvm_exitcount_svm_slot(code);

	if (unlikely(slot == KVM_EXITCOUNT_SVM_OVERFLOW &&
		     code >= SVM_EXITCOUNT_NOT_ENTERED))
		return;

	kvm_exitcount_inc(&svm->exitcount, slot);
}

int svm_exitcount_check_reasons(int (*const handlers[])(struct kvm_vcpu *),
				unsigned int nr_handlers) __init;

#endif /* __KVM_X86_SVM_SVM_EXITCOUNT_H */
