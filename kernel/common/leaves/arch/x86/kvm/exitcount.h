/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest reads of its own VM exits through CPUID, and what the kernel log
 * says of a VM at its end.  The exits themselves are a statistic, exit_reasons.h.
 */
#ifndef __KVM_X86_EXITCOUNT_H
#define __KVM_X86_EXITCOUNT_H

#include <linux/jump_label.h>
#include <linux/kvm_host.h>
#include <linux/mutex.h>

#include <asm/kvm_exitcount.h>
#include <asm/tsc.h>

#include "exit_reasons.h"

/* Sums over the vCPUs of a VM, by slot. */
struct kvm_exitcount_sums {
	u64 exits[KVM_EXITCOUNT_SLOTS];
	u64 cycles[KVM_EXITCOUNT_SLOTS];
};

/*
 * Of a VM whose counts somebody may ask for; else it has none.
 *
 * @serial:  number of latches so far, modulo 2^32
 * @latched: sums at the last latch, 0 before the first one
 * @looks:   working space of kvm_exitcount_snapshot()
 */
struct kvm_exitcount_vm {
	/* vCPUs may latch at once.  None waits for it. */
	struct mutex lock;
	u32 serial;
	struct kvm_exitcount_sums latched;
	struct kvm_exitcount_sums looks[2];
};

/* A slot's reason.  No name: the vendor's manual does not define the reason. */
struct kvm_exitcount_reason {
	u32 number;
	const char *name;
};

/*
 * The reasons of a vendor.
 *
 * @vendor:   KVM_EXITCOUNT_VENDOR_*
 * @highest:  highest reason that the vendor's manual defines
 * @slots:    the reason of each slot
 * @to_slot:  slot of a reason, that of the overflow for a reason that has none
 */
struct kvm_exitcount_reasons {
	u32 vendor;
	u32 highest;
	const struct kvm_exitcount_reason *slots;
	unsigned int (*to_slot)(u32 reason);
};

/*
 * What only the vendor module knows.
 *
 * @reasons:   the reasons, in kvm.ko
 * @in_effect: KVM_EXITCOUNT_IN_EFFECT_* bits of a vCPU that only the vendor knows
 * @look_at:   called before somebody looks at a vCPU's counts; only tests have it
 */
struct kvm_exitcount_vendor {
	const struct kvm_exitcount_reasons *reasons;
	u32 (*in_effect)(struct kvm_vcpu *vcpu);
	void (*look_at)(struct kvm_vcpu *vcpu);
};

/* Answer of a leaf. */
struct kvm_exitcount_regs {
	u32 eax;
	u32 ebx;
	u32 ecx;
	u32 edx;
};

extern const struct kvm_exitcount_reasons kvm_exitcount_vmx_reasons;
extern const struct kvm_exitcount_reasons kvm_exitcount_svm_reasons;

/* Module parameter exitcount_cycles of kvm.ko; does not change once that is loaded. */
DECLARE_STATIC_KEY_FALSE(kvm_exitcount_cycles_key);

static inline void kvm_exitcount_vcpu_init(struct kvm_vcpu *vcpu)
{
	vcpu->arch.exitcount.slot = KVM_EXITCOUNT_SLOTS;
}

/*
 * Book the time outside to the reason of the last exit.  Not if the TSC went
 * backwards, as it does when the vCPU has moved to a CPU whose TSC is behind, or
 * the host was suspended: then nobody knows the time, and a count must not go
 * down.
 */
static __always_inline void kvm_exitcount_book_cycles(struct kvm_exitcount *ec, u64 now)
{
	u64 since = ec->outside_since;

	if (likely(now > since))
		ec->cycles[ec->slot] += now - since;
}

/*
 * Called next to VM-Enter, on either side of it, with preemption disabled.  An
 * entry that fails does not count an exit; the time until the next try goes to
 * the exit before.
 */
static __always_inline void kvm_exitcount_before_entry(struct kvm_vcpu *vcpu)
{
	if (static_branch_unlikely(&kvm_exitcount_cycles_key))
		kvm_exitcount_book_cycles(&vcpu->arch.exitcount, rdtsc());
}

static __always_inline void kvm_exitcount_after_exit(struct kvm_vcpu *vcpu)
{
	if (static_branch_unlikely(&kvm_exitcount_cycles_key))
		vcpu->arch.exitcount.outside_since = rdtsc();
}

/* Called where the exit is counted, with the slot that it is counted in. */
static __always_inline void kvm_exitcount_counted(struct kvm_vcpu *vcpu, unsigned int slot)
{
	if (static_branch_unlikely(&kvm_exitcount_cycles_key))
		vcpu->arch.exitcount.slot = slot;
}

void kvm_exitcount_module_init(void) __init;
void kvm_exitcount_set_vendor(const struct kvm_exitcount_vendor *vendor);
int kvm_exitcount_vm_create(struct kvm *kvm);
void kvm_exitcount_vm_free(struct kvm *kvm);
int kvm_exitcount_slot(const struct kvm_exitcount_reasons *reasons, u32 reason);
bool kvm_exitcount_answer(const struct kvm_exitcount_vendor *vendor, struct kvm_vcpu *vcpu,
			  u32 function, u32 index, struct kvm_exitcount_regs *regs);
bool kvm_exitcount_cpuid(struct kvm_vcpu *vcpu, u32 *eax, u32 *ebx, u32 *ecx,
			 u32 *edx);
unsigned int kvm_exitcount_share(u64 count, u64 total);
void kvm_exitcount_log(struct kvm *kvm);

/*
 * Whether @function is in the range of the leaves, 0x4fffff00 to 0x4fffffff.
 * Inline, as all other CPUID leaves have to get past it.
 */
static inline bool kvm_exitcount_is_leaf(u32 function)
{
	return function - KVM_EXITCOUNT_CPUID_SIGNATURE <= 0xff;
}

#endif /* __KVM_X86_EXITCOUNT_H */
