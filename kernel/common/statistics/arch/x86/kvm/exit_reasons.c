// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM exits by reason: which slot of the statistic exit_reasons a reason has.
 * Vendor code counts with kvm_exit_reasons_inc().
 */
#include <linux/build_bug.h>
#include <linux/export.h>
#include <linux/kvm_host.h>

#include <asm/svm.h>
#include <asm/vmx.h>

#include "exit_reasons.h"

#define SVM_TO_SLOT(NUMBER, NAME)	[NUMBER] = KVM_EXIT_REASONS_SVM_SLOT(NUMBER),

const u8 kvm_exit_reasons_svm_slots[KVM_EXITCOUNT_SVM_HIGHEST + 1] = {
	[KVM_EXITCOUNT_SVM_BASE_HIGHEST + 1 ... KVM_EXITCOUNT_SVM_NPF - 1] =
		KVM_EXITCOUNT_OVERFLOW,
	KVM_EXITCOUNT_SVM_REASONS(SVM_TO_SLOT)
};
EXPORT_SYMBOL_FOR_EXITCOUNT(kvm_exit_reasons_svm_slots);

static_assert(KVM_EXITCOUNT_OVERFLOW <= U8_MAX);
static_assert(KVM_EXITCOUNT_VMX_HIGHEST < KVM_EXITCOUNT_OVERFLOW);

/* A code missing from either part would have slot 0. */
#define ONE(NUMBER, NAME)	1,
static_assert(sizeof((char []){ KVM_EXITCOUNT_SVM_REASONS(ONE) }) == KVM_EXITCOUNT_OVERFLOW);

/* 64 bits, as SVM_EXIT_ERR has since exit_code in the VMCB is one field of 64. */
struct known_reason {
	u64 number;
	const char *name;
};

#define IS_LISTED(NUMBER, NAME)	[NUMBER] = true,

/*
 * The lists are there for whoever reads the counts, hence they cannot be made from
 * those of this kernel.  It does not compile if either of these grows and ours is
 * forgotten: the compiler must see through both loops, or there is a call left to
 * a function that does not exist.  SVM_EXIT_REASONS also has what a guest puts
 * into a GHCB, from 0x80000000 on, and why a VMRUN failed.
 *
 * Never called.
 */
static void __used kvm_exit_reasons_are_listed(void)
{
	static const struct known_reason vmx[] = { VMX_EXIT_REASONS };
	static const struct known_reason svm[] = { SVM_EXIT_REASONS };
	static const bool vmx_listed[] = { KVM_EXITCOUNT_VMX_REASONS(IS_LISTED) };
	static const bool svm_listed[] = { KVM_EXITCOUNT_SVM_REASONS(IS_LISTED) };
	unsigned int i;

#pragma GCC unroll 1024
	for (i = 0; i < ARRAY_SIZE(vmx); i++)
		BUILD_BUG_ON_MSG(vmx[i].number >= ARRAY_SIZE(vmx_listed) ||
				 !vmx_listed[vmx[i].number],
				 "a reason of VMX_EXIT_REASONS is not in KVM_EXITCOUNT_VMX_REASONS");

#pragma GCC unroll 1024
	for (i = 0; i < ARRAY_SIZE(svm); i++)
		BUILD_BUG_ON_MSG(svm[i].number < 0x80000000 &&
				 (svm[i].number >= ARRAY_SIZE(svm_listed) ||
				  !svm_listed[svm[i].number]),
				 "a code of SVM_EXIT_REASONS is not in KVM_EXITCOUNT_SVM_REASONS");
}
