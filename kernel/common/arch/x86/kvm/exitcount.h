/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts of hardware VM exits by reason, kept in the vCPU.
 */
#ifndef __KVM_X86_EXITCOUNT_H
#define __KVM_X86_EXITCOUNT_H

#include <linux/jump_label.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/u64_stats_sync.h>

#include <asm/kvm_exitcount.h>
#include <asm/tsc.h>

/*
 * One slot a reason, in the order of their numbers, and behind them one for
 * whatever has no slot of its own.
 */
#define KVM_EXITCOUNT_VMX_OVERFLOW	(KVM_EXITCOUNT_VMX_HIGHEST + 1)
#define KVM_EXITCOUNT_VMX_SLOTS		(KVM_EXITCOUNT_VMX_OVERFLOW + 1)

/*
 * The codes of SVM are in two dense parts, with hundreds of unused ones between.
 * Not macros, as what comes from a list cannot be used while the list expands.
 */
enum {
	KVM_EXITCOUNT_SVM_NPF_SLOT = KVM_EXITCOUNT_SVM_BASE_HIGHEST + 1,
	KVM_EXITCOUNT_SVM_NPF_NR = KVM_EXITCOUNT_SVM_HIGHEST - KVM_EXITCOUNT_SVM_NPF + 1,
	KVM_EXITCOUNT_SVM_OVERFLOW = KVM_EXITCOUNT_SVM_NPF_SLOT + KVM_EXITCOUNT_SVM_NPF_NR,
	KVM_EXITCOUNT_SVM_SLOTS,
};

/* Slots of the vendor that has most of them. */
#define KVM_EXITCOUNT_SLOTS		KVM_EXITCOUNT_SVM_SLOTS
static_assert(KVM_EXITCOUNT_SLOTS >= KVM_EXITCOUNT_VMX_SLOTS);

/* Slot of a basic exit reason.  The reasons are dense, so each is its own slot. */
static __always_inline unsigned int kvm_exitcount_vmx_slot(u32 reason)
{
	return reason <= KVM_EXITCOUNT_VMX_HIGHEST ? reason : KVM_EXITCOUNT_VMX_OVERFLOW;
}

/*
 * Slot of an exit code as the CPU reports it; one that a guest has made up needs
 * a bound under speculation before.  A table takes fewer instructions than
 * comparing the code with the bounds of both parts.
 */
extern const u8 kvm_exitcount_svm_code_to_slot[KVM_EXITCOUNT_SVM_HIGHEST + 1];

static __always_inline unsigned int kvm_exitcount_svm_slot(u32 code)
{
	if (unlikely(code > KVM_EXITCOUNT_SVM_HIGHEST))
		return KVM_EXITCOUNT_SVM_OVERFLOW;

	return kvm_exitcount_svm_code_to_slot[code];
}

/*
 * VM exits of one vCPU since its creation, part of the vendor's vCPU.  Written
 * by the vCPU only, and on cache lines of its own, as other vCPUs may read it
 * at any time.
 *
 * @exits:	   exits by slot
 * @cycles:	   TSC ticks from each of these exits to the entry that followed it;
 *		   the last one, which nobody reads, is for what was before the
 *		   first exit
 * @outside_since: TSC at the last exit
 * @slot:	   slot of the last exit
 */
struct kvm_exitcount {
	u64_stats_t exits[KVM_EXITCOUNT_SLOTS];
	u64_stats_t cycles[KVM_EXITCOUNT_SLOTS + 1];
	u64 outside_since;
	unsigned int slot;
	struct u64_stats_sync sync;
} ____cacheline_aligned;

/* Sums over the vCPUs of a VM, by slot. */
struct kvm_exitcount_sums {
	u64 exits[KVM_EXITCOUNT_SLOTS];
	u64 cycles[KVM_EXITCOUNT_SLOTS];
};

/*
 * Part of the vendor's VM.
 *
 * @serial:  number of latches so far, modulo 2^32
 * @latched: sums at the last latch, 0 before the first one
 * @looks:   working space of kvm_exitcount_snapshot()
 */
struct kvm_exitcount_vm {
	/* vCPUs may latch, and the host may look, at once. */
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
 * @nr_slots: number of slots, of which the last one is that of the overflow
 * @slots:    the reason of each slot
 * @to_slot:  slot of a reason, that of the overflow for a reason that has none
 */
struct kvm_exitcount_reasons {
	u32 vendor;
	u32 highest;
	unsigned int nr_slots;
	const struct kvm_exitcount_reason *slots;
	unsigned int (*to_slot)(u32 reason);
};

/*
 * What the vendor module knows about its exits.
 *
 * @reasons:   the reasons, in kvm.ko
 * @counts:    the counts of a vCPU
 * @vm:	       the latch of a VM
 * @in_effect: KVM_EXITCOUNT_IN_EFFECT_* bits of a vCPU that only the vendor knows
 */
struct kvm_exitcount_ops {
	const struct kvm_exitcount_reasons *reasons;
	struct kvm_exitcount *(*counts)(struct kvm_vcpu *vcpu);
	struct kvm_exitcount_vm *(*vm)(struct kvm *kvm);
	u32 (*in_effect)(struct kvm_vcpu *vcpu);
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

static inline void kvm_exitcount_init(struct kvm_exitcount *ec)
{
	u64_stats_init(&ec->sync);
	ec->slot = KVM_EXITCOUNT_SLOTS;
}

static inline void kvm_exitcount_vm_init(struct kvm_exitcount_vm *vm)
{
	mutex_init(&vm->lock);
}

/*
 * For a VM that has to fit into a page, which KVM_SANITY_CHECK_VM_STRUCT_SIZE() of
 * newer kernels sees to.  NULL if there is no memory; kvfree() when the VM ends.
 */
static inline struct kvm_exitcount_vm *kvm_exitcount_vm_alloc(void)
{
	struct kvm_exitcount_vm *vm = kvzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);

	if (vm)
		kvm_exitcount_vm_init(vm);

	return vm;
}

/*
 * Count one VM exit.  Called by vendor code right after the exit, on the CPU
 * that ran the vCPU and before preemption is enabled again, thus there is one
 * writer and neither a lock nor an atomic is needed.
 *
 * @slot: the vendor's slot for the reason
 */
static __always_inline void kvm_exitcount_inc(struct kvm_exitcount *ec,
					      unsigned int slot)
{
	u64_stats_update_begin(&ec->sync);
	u64_stats_inc(&ec->exits[slot]);
	u64_stats_update_end(&ec->sync);

	if (static_branch_unlikely(&kvm_exitcount_cycles_key))
		ec->slot = slot;
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

	if (unlikely(now <= since))
		return;

	u64_stats_update_begin(&ec->sync);
	u64_stats_add(&ec->cycles[ec->slot], now - since);
	u64_stats_update_end(&ec->sync);
}

/*
 * Called next to VM-Enter, on either side of it, with preemption disabled.  An
 * entry that fails does not count an exit; the time until the next try goes to
 * the exit before.
 */
static __always_inline void kvm_exitcount_before_entry(struct kvm_exitcount *ec)
{
	if (static_branch_unlikely(&kvm_exitcount_cycles_key))
		kvm_exitcount_book_cycles(ec, rdtsc());
}

static __always_inline void kvm_exitcount_after_exit(struct kvm_exitcount *ec)
{
	if (static_branch_unlikely(&kvm_exitcount_cycles_key))
		ec->outside_since = rdtsc();
}

void kvm_exitcount_module_init(void) __init;
void kvm_exitcount_set_ops(const struct kvm_exitcount_ops *ops);
int kvm_exitcount_slot(const struct kvm_exitcount_reasons *reasons, u32 reason);
bool kvm_exitcount_answer(const struct kvm_exitcount_ops *ops, struct kvm_vcpu *vcpu,
			  u32 function, u32 index, struct kvm_exitcount_regs *regs);
bool kvm_exitcount_cpuid(struct kvm_vcpu *vcpu, u32 *eax, u32 *ebx, u32 *ecx,
			 u32 *edx);
void kvm_exitcount_create_debugfs(struct kvm *kvm);
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
