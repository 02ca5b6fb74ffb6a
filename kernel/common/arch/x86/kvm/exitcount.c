// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts of hardware VM exits by reason: the part that does not depend on the
 * vendor.  Vendor code counts with kvm_exitcount_inc().
 */
#define pr_fmt(fmt) "kvm: exitcount: " fmt

#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/math64.h>
#include <linux/moduleparam.h>
#include <linux/nospec.h>
#include <linux/seq_file.h>

#include "exitcount.h"

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

static bool __read_mostly exitcount_cycles;
module_param(exitcount_cycles, bool, 0444);

DEFINE_STATIC_KEY_FALSE(kvm_exitcount_cycles_key);
EXPORT_SYMBOL_FOR_EXITCOUNT(kvm_exitcount_cycles_key);

/* NULL if the vendor module does not count. */
static const struct kvm_exitcount_ops *exitcount_ops __read_mostly;

#define KVM_EXITCOUNT_VMX_NAME(NUMBER, NAME)	\
	[NUMBER] = { .number = NUMBER, .name = #NAME },

static const struct kvm_exitcount_reason vmx_slots[KVM_EXITCOUNT_VMX_SLOTS] = {
	KVM_EXITCOUNT_VMX_REASONS(KVM_EXITCOUNT_VMX_NAME)
};

static unsigned int vmx_to_slot(u32 reason)
{
	return kvm_exitcount_vmx_slot(reason);
}

const struct kvm_exitcount_reasons kvm_exitcount_vmx_reasons = {
	.vendor = KVM_EXITCOUNT_VENDOR_VMX,
	.highest = KVM_EXITCOUNT_VMX_HIGHEST,
	.nr_slots = KVM_EXITCOUNT_VMX_SLOTS,
	.slots = vmx_slots,
	.to_slot = vmx_to_slot,
};
EXPORT_SYMBOL_FOR_EXITCOUNT(kvm_exitcount_vmx_reasons);

#define KVM_EXITCOUNT_SVM_SLOT(NUMBER)					\
	((NUMBER) < KVM_EXITCOUNT_SVM_NPF ? (NUMBER) :			\
	 (NUMBER) - KVM_EXITCOUNT_SVM_NPF + KVM_EXITCOUNT_SVM_NPF_SLOT)
#define KVM_EXITCOUNT_SVM_NAME(NUMBER, NAME)				\
	[KVM_EXITCOUNT_SVM_SLOT(NUMBER)] = { .number = NUMBER, .name = #NAME },
#define KVM_EXITCOUNT_SVM_TO_SLOT(NUMBER, NAME)				\
	[NUMBER] = KVM_EXITCOUNT_SVM_SLOT(NUMBER),

static const struct kvm_exitcount_reason svm_slots[KVM_EXITCOUNT_SVM_SLOTS] = {
	KVM_EXITCOUNT_SVM_REASONS(KVM_EXITCOUNT_SVM_NAME)
};

const u8 kvm_exitcount_svm_code_to_slot[KVM_EXITCOUNT_SVM_HIGHEST + 1] = {
	[KVM_EXITCOUNT_SVM_BASE_HIGHEST + 1 ... KVM_EXITCOUNT_SVM_NPF - 1] =
		KVM_EXITCOUNT_SVM_OVERFLOW,
	KVM_EXITCOUNT_SVM_REASONS(KVM_EXITCOUNT_SVM_TO_SLOT)
};
EXPORT_SYMBOL_FOR_EXITCOUNT(kvm_exitcount_svm_code_to_slot);
static_assert(KVM_EXITCOUNT_SVM_OVERFLOW <= U8_MAX);

/* A code missing from either part would have slot 0. */
#define KVM_EXITCOUNT_ONE(NUMBER, NAME)	1,
static_assert(sizeof((char []){ KVM_EXITCOUNT_SVM_REASONS(KVM_EXITCOUNT_ONE) }) ==
	      KVM_EXITCOUNT_SVM_OVERFLOW);

static unsigned int svm_to_slot(u32 code)
{
	if (code > KVM_EXITCOUNT_SVM_HIGHEST)
		return KVM_EXITCOUNT_SVM_OVERFLOW;

	return kvm_exitcount_svm_slot(array_index_nospec(code, KVM_EXITCOUNT_SVM_HIGHEST + 1));
}

const struct kvm_exitcount_reasons kvm_exitcount_svm_reasons = {
	.vendor = KVM_EXITCOUNT_VENDOR_SVM,
	.highest = KVM_EXITCOUNT_SVM_HIGHEST,
	.nr_slots = KVM_EXITCOUNT_SVM_SLOTS,
	.slots = svm_slots,
	.to_slot = svm_to_slot,
};
EXPORT_SYMBOL_FOR_EXITCOUNT(kvm_exitcount_svm_reasons);

/* Before a vendor module can be loaded, whose code then comes out right at once. */
void __init kvm_exitcount_module_init(void)
{
	if (exitcount_cycles)
		static_branch_enable(&kvm_exitcount_cycles_key);
}

/*
 * Called by a vendor module that counts, when it has set up the hardware, and
 * with NULL before it goes away.  There is no VM at either time.
 */
void kvm_exitcount_set_ops(const struct kvm_exitcount_ops *ops)
{
	exitcount_ops = ops;
}
EXPORT_SYMBOL_FOR_EXITCOUNT(kvm_exitcount_set_ops);

/*
 * Slot of a reason, or -ENOENT if the vendor's manual does not define it.  The
 * reason comes from the guest and can be any number, hence bound the slot under
 * speculation, too.
 */
int kvm_exitcount_slot(const struct kvm_exitcount_reasons *reasons, u32 reason)
{
	unsigned int slot = array_index_nospec(reasons->to_slot(reason), reasons->nr_slots);

	return reasons->slots[slot].name ? slot : -ENOENT;
}
EXPORT_SYMBOL_FOR_EXITCOUNT(kvm_exitcount_slot);

static u64 kvm_exitcount_read(const struct kvm_exitcount *ec, const u64_stats_t *count)
{
	unsigned int start;
	u64 value;

	do {
		start = u64_stats_fetch_begin(&ec->sync);
		value = u64_stats_read(count);
	} while (u64_stats_fetch_retry(&ec->sync, start));

	return value;
}

/*
 * Exits, or cycles, of all vCPUs of @kvm in @nr slots from @slot on.  A vCPU
 * lives as long as its VM, also when user space has unplugged it, so no count
 * gets lost.  The vCPUs may be running: each count is read whole, but not all at
 * one instant.
 */
static u64 kvm_exitcount_sum(const struct kvm_exitcount_ops *ops, struct kvm *kvm,
			     bool cycles, unsigned int slot, unsigned int nr)
{
	const struct kvm_exitcount *ec;
	const u64_stats_t *counts;
	struct kvm_vcpu *vcpu;
	unsigned long i;
	unsigned int j;
	u64 sum = 0;

	kvm_for_each_vcpu(i, vcpu, kvm) {
		ec = ops->counts(vcpu);
		counts = cycles ? ec->cycles : ec->exits;
		for (j = slot; j < slot + nr; j++)
			sum += kvm_exitcount_read(ec, &counts[j]);
	}

	return sum;
}

static void kvm_exitcount_look(const struct kvm_exitcount_ops *ops, struct kvm *kvm,
			       struct kvm_exitcount_sums *sums)
{
	const struct kvm_exitcount *ec;
	struct kvm_vcpu *vcpu;
	unsigned int slot;
	unsigned long i;

	memset(sums, 0, sizeof(*sums));

	kvm_for_each_vcpu(i, vcpu, kvm) {
		ec = ops->counts(vcpu);
		for (slot = 0; slot < ops->reasons->nr_slots; slot++) {
			sums->exits[slot] += kvm_exitcount_read(ec, &ec->exits[slot]);
			sums->cycles[slot] += kvm_exitcount_read(ec, &ec->cycles[slot]);
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
kvm_exitcount_snapshot(const struct kvm_exitcount_ops *ops, struct kvm *kvm, bool *exact)
{
	struct kvm_exitcount_vm *vm = ops->vm(kvm);
	struct kvm_exitcount_sums *before = &vm->looks[0];
	struct kvm_exitcount_sums *now = &vm->looks[1];
	unsigned int looks;

	lockdep_assert_held(&vm->lock);

	*exact = false;
	kvm_exitcount_look(ops, kvm, now);
	for (looks = 1; looks < KVM_EXITCOUNT_LOOKS; looks++) {
		swap(before, now);
		/* All of the look before, then all of this one. */
		smp_rmb();
		kvm_exitcount_look(ops, kvm, now);

		*exact = !memcmp(before, now, sizeof(*now));
		if (*exact)
			break;

		cond_resched();
	}

	return now;
}

static u64 kvm_exitcount_add_up(const u64 *counts, unsigned int nr)
{
	u64 sum = 0;

	while (nr--)
		sum += counts[nr];

	return sum;
}

/* Returns false, with nothing changed, if no instant could be found. */
static bool kvm_exitcount_latch(const struct kvm_exitcount_ops *ops, struct kvm *kvm,
				u64 *total, u32 *serial)
{
	struct kvm_exitcount_vm *vm = ops->vm(kvm);
	const struct kvm_exitcount_sums *sums;
	bool exact;

	mutex_lock(&vm->lock);
	sums = kvm_exitcount_snapshot(ops, kvm, &exact);
	if (exact) {
		vm->latched = *sums;
		*total = kvm_exitcount_add_up(sums->exits, ops->reasons->nr_slots);
		*serial = ++vm->serial;
	}
	mutex_unlock(&vm->lock);

	return exact;
}

static void kvm_exitcount_latched(const struct kvm_exitcount_ops *ops, struct kvm *kvm,
				  unsigned int slot, u64 *exits, u64 *cycles)
{
	struct kvm_exitcount_vm *vm = ops->vm(kvm);

	mutex_lock(&vm->lock);
	*exits = vm->latched.exits[slot];
	*cycles = vm->latched.cycles[slot];
	mutex_unlock(&vm->lock);
}

static u32 kvm_exitcount_in_effect(const struct kvm_exitcount_ops *ops, struct kvm_vcpu *vcpu)
{
	u32 in_effect = ops->in_effect(vcpu);

	if (static_branch_unlikely(&kvm_exitcount_cycles_key))
		in_effect |= KVM_EXITCOUNT_IN_EFFECT_CYCLES;

	return in_effect;
}

static void kvm_exitcount_answer_reason(const struct kvm_exitcount_ops *ops, struct kvm *kvm,
					u32 function, u32 reason,
					struct kvm_exitcount_regs *regs)
{
	int slot = kvm_exitcount_slot(ops->reasons, reason);
	u64 exits, cycles;

	if (slot < 0) {
		regs->edx = KVM_EXITCOUNT_UNDEFINED_EDX;
		return;
	}

	switch (function) {
	case KVM_EXITCOUNT_CPUID_EXITS:
		exits = kvm_exitcount_sum(ops, kvm, false, slot, 1);
		regs->eax = lower_32_bits(exits);
		regs->ebx = upper_32_bits(exits);
		break;
	case KVM_EXITCOUNT_CPUID_CYCLES:
		cycles = kvm_exitcount_sum(ops, kvm, true, slot, 1);
		regs->ebx = upper_32_bits(cycles);
		regs->ecx = lower_32_bits(cycles);
		break;
	case KVM_EXITCOUNT_CPUID_LATCHED:
		kvm_exitcount_latched(ops, kvm, slot, &exits, &cycles);
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
bool kvm_exitcount_answer(const struct kvm_exitcount_ops *ops, struct kvm_vcpu *vcpu,
			  u32 function, u32 index, struct kvm_exitcount_regs *regs)
{
	struct kvm *kvm = vcpu->kvm;
	u64 exits, cycles;

	*regs = (struct kvm_exitcount_regs) {};

	switch (function) {
	case KVM_EXITCOUNT_CPUID_EXITS:
	case KVM_EXITCOUNT_CPUID_CYCLES:
	case KVM_EXITCOUNT_CPUID_LATCHED:
		kvm_exitcount_answer_reason(ops, kvm, function, index, regs);
		return true;
	case KVM_EXITCOUNT_CPUID_TOTAL_EXITS:
		exits = kvm_exitcount_sum(ops, kvm, false, 0, ops->reasons->nr_slots);
		regs->eax = lower_32_bits(exits);
		regs->ebx = upper_32_bits(exits);
		return true;
	case KVM_EXITCOUNT_CPUID_TOTAL_CYCLES:
		cycles = kvm_exitcount_sum(ops, kvm, true, 0, ops->reasons->nr_slots);
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
		regs->eax = kvm_exitcount_in_effect(ops, vcpu);
		regs->ebx = ops->reasons->vendor;
		regs->ecx = ops->reasons->highest;
		regs->edx = atomic_read(&kvm->online_vcpus);
		return true;
	case KVM_EXITCOUNT_CPUID_LATCH:
		if (kvm_exitcount_latch(ops, kvm, &exits, &regs->ecx)) {
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
	const struct kvm_exitcount_ops *ops = exitcount_ops;
	struct kvm_exitcount_regs regs;

	if (!ops || !kvm_exitcount_answer(ops, vcpu, *eax, *ecx, &regs))
		return false;

	*eax = regs.eax;
	*ebx = regs.ebx;
	*ecx = regs.ecx;
	*edx = regs.edx;

	return true;
}

static int kvm_exitcount_debugfs_show(struct seq_file *m, void *v)
{
	struct kvm *kvm = m->private;
	const struct kvm_exitcount_ops *ops = exitcount_ops;
	const struct kvm_exitcount_reasons *reasons = ops->reasons;
	struct kvm_exitcount_vm *vm = ops->vm(kvm);
	const struct kvm_exitcount_sums *sums;
	unsigned int slot;
	bool exact;

	mutex_lock(&vm->lock);

	/* If it is not exact, then the lines still are what the total is the sum of. */
	sums = kvm_exitcount_snapshot(ops, kvm, &exact);
	for (slot = 0; slot < reasons->nr_slots; slot++) {
		if (reasons->slots[slot].name)
			seq_printf(m, "%u %s %llu %llu\n", reasons->slots[slot].number,
				   reasons->slots[slot].name, sums->exits[slot],
				   sums->cycles[slot]);
	}
	seq_printf(m, "total %llu %llu\n",
		   kvm_exitcount_add_up(sums->exits, reasons->nr_slots),
		   kvm_exitcount_add_up(sums->cycles, reasons->nr_slots));

	mutex_unlock(&vm->lock);

	return 0;
}

/* The VM keeps the vendor module, and thereby exitcount_ops, from going away. */
static int kvm_exitcount_debugfs_open(struct inode *inode, struct file *file)
{
	struct kvm *kvm = inode->i_private;
	int r;

	if (!kvm_get_kvm_safe(kvm))
		return -ENOENT;

	r = single_open(file, kvm_exitcount_debugfs_show, kvm);
	if (r < 0)
		kvm_put_kvm(kvm);

	return r;
}

static int kvm_exitcount_debugfs_release(struct inode *inode, struct file *file)
{
	struct kvm *kvm = inode->i_private;

	kvm_put_kvm(kvm);

	return single_release(inode, file);
}

static const struct file_operations kvm_exitcount_debugfs_fops = {
	.owner		= THIS_MODULE,
	.open		= kvm_exitcount_debugfs_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= kvm_exitcount_debugfs_release,
};

void kvm_exitcount_create_debugfs(struct kvm *kvm)
{
	if (exitcount_ops)
		debugfs_create_file("exitcount", 0444, kvm->debugfs_dentry, kvm,
				    &kvm_exitcount_debugfs_fops);
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

/* Called when no vCPU of @kvm can run any more, and before they are freed. */
void kvm_exitcount_log(struct kvm *kvm)
{
	const struct kvm_exitcount_ops *ops = exitcount_ops;
	const struct kvm_exitcount_reasons *reasons;
	struct kvm_exitcount_vm *vm;
	const struct kvm_exitcount_sums *sums;
	unsigned int slot, share;
	u64 exits, total;
	bool exact;

	if (!ops)
		return;

	reasons = ops->reasons;
	vm = ops->vm(kvm);

	mutex_lock(&vm->lock);

	sums = kvm_exitcount_snapshot(ops, kvm, &exact);
	total = kvm_exitcount_add_up(sums->exits, reasons->nr_slots);
	if (total)
		pr_info("VM %d: %llu exits\n", kvm->userspace_pid, total);

	for (slot = 0; slot < reasons->nr_slots; slot++) {
		const struct kvm_exitcount_reason *reason = &reasons->slots[slot];
		bool overflow = slot == reasons->nr_slots - 1;

		exits = sums->exits[slot];
		if (!exits)
			continue;

		share = kvm_exitcount_share(exits, total);
		pr_info("VM %d: %u %s %llu %u.%u%%\n", kvm->userspace_pid,
			overflow ? reasons->highest + 1 : reason->number,
			overflow ? "OTHER" : reason->name, exits, share / 10, share % 10);
	}

	mutex_unlock(&vm->lock);
}
