/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VM exits of a vCPU by reason: the statistic exit_reasons.
 */
#ifndef __KVM_X86_EXIT_REASONS_H
#define __KVM_X86_EXIT_REASONS_H

#include <linux/kvm_host.h>

#include <asm/kvm_exit_reasons.h>

/*
 * To KVM's own modules and to the tests only, where the kernel can say so.  Such
 * a kernel's KVM does not build with what exports to everybody, wherever its
 * Makefile (check_kvm_exports) reads the word; an empty namespace is the same.
 */
#ifdef EXPORT_SYMBOL_FOR_MODULES
#define EXPORT_SYMBOL_FOR_EXITCOUNT(symbol)	\
	EXPORT_SYMBOL_FOR_MODULES(symbol, "kvm-amd,kvm-intel,kvm-exitcount-kunit")
#else
#define EXPORT_SYMBOL_FOR_EXITCOUNT(symbol)	EXPORT_SYMBOL_NS_GPL(symbol, )
#endif

/* Slot of a basic exit reason.  The reasons are dense, so each is its own slot. */
static __always_inline unsigned int kvm_exit_reasons_vmx_slot(u32 reason)
{
	return reason < KVM_EXITCOUNT_OVERFLOW ? reason : KVM_EXITCOUNT_OVERFLOW;
}

/* Slot of an exit code of the list.  A macro, to make tables of the list. */
#define KVM_EXIT_REASONS_SVM_SLOT(NUMBER)				\
	((NUMBER) < KVM_EXITCOUNT_SVM_NPF ? (NUMBER) :			\
	 (NUMBER) - KVM_EXITCOUNT_SVM_NPF + KVM_EXITCOUNT_SVM_NPF_SLOT)

/*
 * Slot of an exit code as the CPU reports it; one that a guest has made up needs
 * a bound under speculation before.  A table takes fewer instructions than
 * comparing the code with the bounds of both parts of the list.
 */
extern const u8 kvm_exit_reasons_svm_slots[KVM_EXITCOUNT_SVM_HIGHEST + 1];

static __always_inline unsigned int kvm_exit_reasons_svm_slot(u32 code)
{
	if (unlikely(code > KVM_EXITCOUNT_SVM_HIGHEST))
		return KVM_EXITCOUNT_OVERFLOW;

	return kvm_exit_reasons_svm_slots[code];
}

/*
 * Count one VM exit.  Called by vendor code right after the exit, on the CPU
 * that ran the vCPU and before preemption is enabled again, thus there is one
 * writer and neither a lock nor an atomic is needed.
 *
 * @slot: the vendor's slot for the reason
 */
static __always_inline void kvm_exit_reasons_inc(struct kvm_vcpu *vcpu, unsigned int slot)
{
	++vcpu->stat.exit_reasons[slot];
}

#endif /* __KVM_X86_EXIT_REASONS_H */
