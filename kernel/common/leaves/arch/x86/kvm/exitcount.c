// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest reads of its own VM exits through CPUID, and what the kernel log
 * says of a VM at its end: the part that does not depend on the vendor.
 */
#define pr_fmt(fmt) "kvm: exitcount: " fmt

#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/math64.h>
#include <linux/moduleparam.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "exitcount.h"

/* Let guests read their counts. */
static bool __read_mostly exitcount;
module_param(exitcount, bool, 0444);

/* Count cycles, too; only guests can read them. */
static bool __read_mostly exitcount_cycles;
module_param(exitcount_cycles, bool, 0444);

/* Print the counts of a VM when it goes away. */
static bool __read_mostly exitcount_log;
module_param(exitcount_log, bool, 0444);

DEFINE_STATIC_KEY_FALSE(kvm_exitcount_cycles_key);
EXPORT_SYMBOL_FOR_EXITCOUNT(kvm_exitcount_cycles_key);

/* NULL as long as no vendor module is loaded. */
static const struct kvm_exitcount_vendor *exitcount_vendor __read_mostly;

#define KVM_EXITCOUNT_VMX_NAME(NUMBER, NAME)	\
	[NUMBER] = { .number = NUMBER, .name = #NAME },

static const struct kvm_exitcount_reason vmx_slots[KVM_EXITCOUNT_SLOTS] = {
	KVM_EXITCOUNT_VMX_REASONS(KVM_EXITCOUNT_VMX_NAME)
};

static unsigned int vmx_to_slot(u32 reason)
{
	return kvm_exit_reasons_vmx_slot(reason);
}

const struct kvm_exitcount_reasons kvm_exitcount_vmx_reasons = {
	.vendor = KVM_EXITCOUNT_VENDOR_VMX,
	.highest = KVM_EXITCOUNT_VMX_HIGHEST,
	.slots = vmx_slots,
	.to_slot = vmx_to_slot,
};
EXPORT_SYMBOL_FOR_EXITCOUNT(kvm_exitcount_vmx_reasons);

#define KVM_EXITCOUNT_SVM_NAME(NUMBER, NAME)	\
	[KVM_EXIT_REASONS_SVM_SLOT(NUMBER)] = { .number = NUMBER, .name = #NAME },

static const struct kvm_exitcount_reason svm_slots[KVM_EXITCOUNT_SLOTS] = {
	KVM_EXITCOUNT_SVM_REASONS(KVM_EXITCOUNT_SVM_NAME)
};

static unsigned int svm_to_slot(u32 code)
{
	if (code > KVM_EXITCOUNT_SVM_HIGHEST)
		return KVM_EXITCOUNT_OVERFLOW;

	return kvm_exit_reasons_svm_slot(array_index_nospec(code, KVM_EXITCOUNT_SVM_HIGHEST + 1));
}

const struct kvm_exitcount_reasons kvm_exitcount_svm_reasons = {
	.vendor = KVM_EXITCOUNT_VENDOR_SVM,
	.highest = KVM_EXITCOUNT_SVM_HIGHEST,
	.slots = svm_slots,
	.to_slot = svm_to_slot,
};
EXPORT_SYMBOL_FOR_EXITCOUNT(kvm_exitcount_svm_reasons);

/* Before a vendor module can be loaded, whose code then comes out right at once. */
void __init kvm_exitcount_module_init(void)
{
	if (exitcount && exitcount_cycles)
		static_branch_enable(&kvm_exitcount_cycles_key);
}

/*
 * Called by a vendor module when it has set up the hardware, and with NULL before
 * it goes away.  There is no VM at either time.
 */
void kvm_exitcount_set_vendor(const struct kvm_exitcount_vendor *vendor)
{
	exitcount_vendor = vendor;
}
EXPORT_SYMBOL_FOR_EXITCOUNT(kvm_exitcount_set_vendor);

/* What a VM needs for as long as it lives, so that nothing can fail later on. */
int kvm_exitcount_vm_create(struct kvm *kvm)
{
	struct kvm_exitcount_vm *vm;

	if (!exitcount)
		return 0;

	vm = kvzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return -ENOMEM;

	mutex_init(&vm->lock);
	kvm->arch.exitcount = vm;

	return 0;
}

/* Also of a VM that came to nothing. */
void kvm_exitcount_vm_free(struct kvm *kvm)
{
	kvfree(kvm->arch.exitcount);
}

/*
 * Slot of a reason, or -ENOENT if the vendor's manual does not define it.  The
 * reason comes from the guest and can be any number, hence bound the slot under
 * speculation, too.
 */
int kvm_exitcount_slot(const struct kvm_exitcount_reasons *reasons, u32 reason)
{
	unsigned int slot = array_index_nospec(reasons->to_slot(reason), KVM_EXITCOUNT_SLOTS);

	return reasons->slots[slot].name ? slot : -ENOENT;
}
EXPORT_SYMBOL_FOR_EXITCOUNT(kvm_exitcount_slot);

/*
 * Exits, or cycles, of all vCPUs of @kvm in @nr slots from @slot on.  A vCPU
 * lives as long as its VM, also when user space has unplugged it, so no count
 * gets lost.  The vCPUs may be running: each count is read whole on a 64-bit host,
 * as all of KVM's statistics are, but not all at one instant.
 */
static u64 kvm_exitcount_sum(struct kvm *kvm, bool cycles, unsigned int slot, unsigned int nr)
{
	struct kvm_vcpu *vcpu;
	const u64 *counts;
	unsigned long i;
	unsigned int j;
	u64 sum = 0;

	kvm_for_each_vcpu(i, vcpu, kvm) {
		counts = cycles ? vcpu->arch.exitcount.cycles : vcpu->stat.exit_reasons;
		for (j = slot; j < slot + nr; j++)
			sum += READ_ONCE(counts[j]);
	}

	return sum;
}

static void kvm_exitcount_look(const struct kvm_exitcount_vendor *vendor, struct kvm *kvm,
			       struct kvm_exitcount_sums *sums)
{
	struct kvm_vcpu *vcpu;
	unsigned int slot;
	unsigned long i;

	memset(sums, 0, sizeof(*sums));

	kvm_for_each_vcpu(i, vcpu, kvm) {
		if (vendor->look_at)
			vendor->look_at(vcpu);
		for (slot = 0; slot < KVM_EXITCOUNT_SLOTS; slot++) {
			sums->exits[slot] += READ_ONCE(vcpu->stat.exit_reasons[slot]);
			sums->cycles[slot] += READ_ONCE(vcpu->arch.exitcount.cycles[slot]);
		}
	}
}

/*
 * Enough for vCPUs that exit as fast as they can, as long as there are so few of
 * them that now and then none exits while KVM looks twice; and few enough that a
 * guest cannot keep the host busy, about as long as that many exits.
 */
#define KVM_EXITCOUNT_LOOKS	128

/*
 * Sums of all slots of @kvm at one instant, without stopping any vCPU: counts
 * never go down, so if two looks one after the other see the same sums, then no
 * count has changed from when the first look read it to when the second one did,
 * and the sums are those of every instant between the looks.
 *
 * Returns the sums, which stay as they are as long as the caller holds the lock.
 * *@exact is false if no two looks were the same; then each count is right, but
 * not all are of one instant.
 */
static const struct kvm_exitcount_sums *
kvm_exitcount_snapshot(const struct kvm_exitcount_vendor *vendor, struct kvm *kvm, bool *exact)
{
	struct kvm_exitcount_vm *vm = kvm->arch.exitcount;
	struct kvm_exitcount_sums *before = &vm->looks[0];
	struct kvm_exitcount_sums *now = &vm->looks[1];
	unsigned int looks;

	lockdep_assert_held(&vm->lock);

	*exact = false;
	kvm_exitcount_look(vendor, kvm, now);
	for (looks = 1; looks < KVM_EXITCOUNT_LOOKS; looks++) {
		swap(before, now);
		/* All of the look before, then all of this one. */
		smp_rmb();
		kvm_exitcount_look(vendor, kvm, now);

		*exact = !memcmp(before, now, sizeof(*now));
		if (*exact)
			break;

		cond_resched();
	}

	return now;
}

static u64 kvm_exitcount_add_up(const u64 *counts)
{
	unsigned int slot;
	u64 sum = 0;

	for (slot = 0; slot < KVM_EXITCOUNT_SLOTS; slot++)
		sum += counts[slot];

	return sum;
}

/*
 * Returns false, with nothing changed, if no instant could be found, or if another
 * vCPU uses the latch: a guest must not be able to have its vCPUs wait for each
 * other in the host.
 */
static bool kvm_exitcount_latch(const struct kvm_exitcount_vendor *vendor, struct kvm *kvm,
				u64 *total, u32 *serial)
{
	struct kvm_exitcount_vm *vm = kvm->arch.exitcount;
	const struct kvm_exitcount_sums *sums;
	bool exact;

	if (!mutex_trylock(&vm->lock))
		return false;

	sums = kvm_exitcount_snapshot(vendor, kvm, &exact);
	if (exact) {
		vm->latched = *sums;
		*total = kvm_exitcount_add_up(sums->exits);
		*serial = ++vm->serial;
	}
	mutex_unlock(&vm->lock);

	return exact;
}

/* Returns false if another vCPU uses the latch. */
static bool kvm_exitcount_latched(struct kvm *kvm, unsigned int slot, u64 *exits, u64 *cycles)
{
	struct kvm_exitcount_vm *vm = kvm->arch.exitcount;

	if (!mutex_trylock(&vm->lock))
		return false;

	*exits = vm->latched.exits[slot];
	*cycles = vm->latched.cycles[slot];
	mutex_unlock(&vm->lock);

	return true;
}

static u32 kvm_exitcount_in_effect(const struct kvm_exitcount_vendor *vendor,
				   struct kvm_vcpu *vcpu)
{
	u32 in_effect = vendor->in_effect(vcpu);

	if (static_branch_unlikely(&kvm_exitcount_cycles_key))
		in_effect |= KVM_EXITCOUNT_IN_EFFECT_CYCLES;

	return in_effect;
}

static void kvm_exitcount_answer_reason(const struct kvm_exitcount_vendor *vendor,
					struct kvm *kvm, u32 function, u32 reason,
					struct kvm_exitcount_regs *regs)
{
	int slot = kvm_exitcount_slot(vendor->reasons, reason);
	u64 exits, cycles;

	if (slot < 0) {
		regs->edx = KVM_EXITCOUNT_UNDEFINED_EDX;
		return;
	}

	switch (function) {
	case KVM_EXITCOUNT_CPUID_EXITS:
		exits = kvm_exitcount_sum(kvm, false, slot, 1);
		regs->eax = lower_32_bits(exits);
		regs->ebx = upper_32_bits(exits);
		break;
	case KVM_EXITCOUNT_CPUID_CYCLES:
		cycles = kvm_exitcount_sum(kvm, true, slot, 1);
		regs->ebx = upper_32_bits(cycles);
		regs->ecx = lower_32_bits(cycles);
		break;
	case KVM_EXITCOUNT_CPUID_LATCHED:
		if (!kvm_exitcount_latched(kvm, slot, &exits, &cycles)) {
			regs->edx = KVM_EXITCOUNT_BUSY_EDX;
			break;
		}
		regs->eax = lower_32_bits(exits);
		regs->ebx = upper_32_bits(exits);
		regs->ecx = lower_32_bits(cycles);
		regs->edx = upper_32_bits(cycles);
		break;
	}
}

/*
 * Answer CPUID leaf @function, index @index, if it is one of
 * <asm/kvm_exitcount.h>.  Returns false if it is not.
 */
bool kvm_exitcount_answer(const struct kvm_exitcount_vendor *vendor, struct kvm_vcpu *vcpu,
			  u32 function, u32 index, struct kvm_exitcount_regs *regs)
{
	struct kvm *kvm = vcpu->kvm;
	u64 exits, cycles;

	*regs = (struct kvm_exitcount_regs) {};

	switch (function) {
	case KVM_EXITCOUNT_CPUID_EXITS:
	case KVM_EXITCOUNT_CPUID_CYCLES:
	case KVM_EXITCOUNT_CPUID_LATCHED:
		kvm_exitcount_answer_reason(vendor, kvm, function, index, regs);
		return true;
	case KVM_EXITCOUNT_CPUID_TOTAL_EXITS:
		exits = kvm_exitcount_sum(kvm, false, 0, KVM_EXITCOUNT_SLOTS);
		regs->eax = lower_32_bits(exits);
		regs->ebx = upper_32_bits(exits);
		return true;
	case KVM_EXITCOUNT_CPUID_TOTAL_CYCLES:
		cycles = kvm_exitcount_sum(kvm, true, 0, KVM_EXITCOUNT_SLOTS);
		regs->ebx = upper_32_bits(cycles);
		regs->ecx = lower_32_bits(cycles);
		return true;
	case KVM_EXITCOUNT_CPUID_SIGNATURE:
		regs->eax = KVM_EXITCOUNT_VERSION;
		regs->ebx = KVM_EXITCOUNT_SIGNATURE_EBX;
		regs->ecx = KVM_EXITCOUNT_SIGNATURE_ECX;
		regs->edx = KVM_EXITCOUNT_SIGNATURE_EDX;
		return true;
	case KVM_EXITCOUNT_CPUID_IN_EFFECT:
		regs->eax = kvm_exitcount_in_effect(vendor, vcpu);
		regs->ebx = vendor->reasons->vendor;
		regs->ecx = vendor->reasons->highest;
		regs->edx = atomic_read(&kvm->online_vcpus);
		return true;
	case KVM_EXITCOUNT_CPUID_LATCH:
		if (kvm_exitcount_latch(vendor, kvm, &exits, &regs->ecx)) {
			regs->eax = lower_32_bits(exits);
			regs->ebx = upper_32_bits(exits);
		} else {
			regs->edx = KVM_EXITCOUNT_NOT_LATCHED_EDX;
		}
		return true;
	default:
		return false;
	}
}

#if IS_ENABLED(CONFIG_KVM_EXITCOUNT_KUNIT_TEST)
EXPORT_SYMBOL_FOR_EXITCOUNT(kvm_exitcount_answer);
#endif

/* The same with registers as kvm_cpuid() has them; they stay as they are on false. */
bool kvm_exitcount_cpuid(struct kvm_vcpu *vcpu, u32 *eax, u32 *ebx, u32 *ecx,
			 u32 *edx)
{
	const struct kvm_exitcount_vendor *vendor = exitcount_vendor;
	struct kvm_exitcount_regs regs;

	if (!exitcount || !vendor || !kvm_exitcount_answer(vendor, vcpu, *eax, *ecx, &regs))
		return false;

	*eax = regs.eax;
	*ebx = regs.ebx;
	*ecx = regs.ecx;
	*edx = regs.edx;

	return true;
}

/*
 * @count of @total, which is not 0, in thousandths, rounded down.
 *
 * noinline, since the assembler of mul_u64_u64_div_u64() overwrites its first
 * operand before it reads the last, and does not tell the compiler, which puts
 * both into one register where it knows them to be the same.
 */
noinline unsigned int kvm_exitcount_share(u64 count, u64 total)
{
	return mul_u64_u64_div_u64(count, 1000, total);
}

#if IS_ENABLED(CONFIG_KVM_EXITCOUNT_KUNIT_TEST)
EXPORT_SYMBOL_FOR_EXITCOUNT(kvm_exitcount_share);
#endif

static void kvm_exitcount_log_line(struct kvm *kvm, u32 number, const char *name, u64 exits,
				   u64 total)
{
	unsigned int share = kvm_exitcount_share(exits, total);

	pr_info("VM %d: %u %s %llu %u.%u%%\n", kvm->userspace_pid, number, name, exits,
		share / 10, share % 10);
}

/* Called when no vCPU of @kvm can run any more, and before they are freed. */
void kvm_exitcount_log(struct kvm *kvm)
{
	const struct kvm_exitcount_vendor *vendor = exitcount_vendor;
	u64 total, exits, others = 0;
	unsigned int slot;

	if (!exitcount_log || !vendor)
		return;

	total = kvm_exitcount_sum(kvm, false, 0, KVM_EXITCOUNT_SLOTS);
	if (!total)
		return;

	pr_info("VM %d: %llu exits\n", kvm->userspace_pid, total);
	for (slot = 0; slot < KVM_EXITCOUNT_SLOTS; slot++) {
		const struct kvm_exitcount_reason *reason = &vendor->reasons->slots[slot];

		exits = kvm_exitcount_sum(kvm, false, slot, 1);
		if (exits && reason->name)
			kvm_exitcount_log_line(kvm, reason->number, reason->name, exits, total);
		else
			others += exits;
	}
	if (others)
		kvm_exitcount_log_line(kvm, vendor->reasons->highest + 1, "OTHER", others, total);
}
