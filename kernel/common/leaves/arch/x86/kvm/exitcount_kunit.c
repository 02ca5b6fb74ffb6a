// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the VM-exit counts, on VMs that never run: what is tested is
 * the way from the counters of a vCPU to the registers of CPUID.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/xarray.h>

#include "exitcount.h"

#define NR_VCPUS	3

struct test_vm;

/*
 * @moves: how many more times somebody may look at the last vCPU and find that
 *	   it has taken another exit meanwhile
 * @moved_slot: what it exits for then
 */
struct test_vm {
	struct kvm kvm;
	struct kvm_exitcount_vm ec;
	struct kvm_vcpu *vcpus[NR_VCPUS];
	struct kvm_exitcount_vendor vendor;
	unsigned int moves;
	unsigned int moved_slot;
};

struct test_element {
	u32 number;
	const char *name;
};

/* What the header lists, independent of how KVM keeps it. */
#define TEST_ELEMENT(NUMBER, NAME)	{ NUMBER, #NAME },

static const struct test_element vmx_list[] = {
	KVM_EXITCOUNT_VMX_REASONS(TEST_ELEMENT)
};

static const struct test_element svm_list[] = {
	KVM_EXITCOUNT_SVM_REASONS(TEST_ELEMENT)
};

struct test_vendor {
	const char *name;
	const struct kvm_exitcount_reasons *reasons;
	const struct test_element *list;
	unsigned int nr;
};

static const struct test_vendor vendors[] = {
	{ "vmx", &kvm_exitcount_vmx_reasons, vmx_list, ARRAY_SIZE(vmx_list) },
	{ "svm", &kvm_exitcount_svm_reasons, svm_list, ARRAY_SIZE(svm_list) },
};

static void vendor_to_desc(const struct test_vendor *vendor, char *desc)
{
	strscpy(desc, vendor->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(vendor, vendors, vendor_to_desc);

static void test_look_at(struct kvm_vcpu *vcpu)
{
	struct test_vm *vm = container_of(vcpu->kvm, struct test_vm, kvm);

	if (vcpu == vm->vcpus[NR_VCPUS - 1] && vm->moves) {
		vm->moves--;
		kvm_exit_reasons_inc(vcpu, vm->moved_slot);
	}
}

#define TEST_IN_EFFECT	(KVM_EXITCOUNT_IN_EFFECT_TDP | KVM_EXITCOUNT_IN_EFFECT_TLB_TAG)

static u32 test_in_effect(struct kvm_vcpu *vcpu)
{
	return TEST_IN_EFFECT;
}

/* A VM of the vendor that is the test's parameter; freed with the test. */
static struct test_vm *test_vm_create(struct kunit *test)
{
	const struct test_vendor *vendor = test->param_value;
	struct kvm_vcpu *vcpu;
	struct test_vm *vm;
	unsigned int i;

	vm = kunit_kzalloc(test, sizeof(*vm), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vm);

	mutex_init(&vm->ec.lock);
	vm->kvm.arch.exitcount = &vm->ec;
	xa_init(&vm->kvm.vcpu_array);
	vm->vendor.reasons = vendor->reasons;
	vm->vendor.in_effect = test_in_effect;
	vm->vendor.look_at = test_look_at;

	for (i = 0; i < NR_VCPUS; i++) {
		vcpu = kunit_kzalloc(test, sizeof(*vcpu), GFP_KERNEL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vcpu);

		vcpu->kvm = &vm->kvm;
		kvm_exitcount_vcpu_init(vcpu);
		vm->vcpus[i] = vcpu;
	}

	return vm;
}

/*
 * An xarray that KUnit would not free, thus filled after everything that can
 * fail and emptied by whoever filled it.
 */
static void test_vm_start(struct kunit *test, struct test_vm *vm)
{
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++)
		KUNIT_EXPECT_EQ(test, 0, xa_err(xa_store(&vm->kvm.vcpu_array, i,
							 vm->vcpus[i], GFP_KERNEL)));
	atomic_set(&vm->kvm.online_vcpus, NR_VCPUS);
}

static void test_vm_stop(struct test_vm *vm)
{
	xa_destroy(&vm->kvm.vcpu_array);
}

static void expect_regs(struct kunit *test, struct test_vm *vm, u32 function, u32 index,
			u32 eax, u32 ebx, u32 ecx, u32 edx)
{
	/* What must be 0 is not so by accident. */
	struct kvm_exitcount_regs regs = { 0x11111111, 0x22222222, 0x33333333, 0x44444444 };

	KUNIT_EXPECT_TRUE_MSG(test,
			      kvm_exitcount_answer(&vm->vendor, vm->vcpus[0], function,
						   index, &regs),
			      "leaf %#x", function);
	KUNIT_EXPECT_TRUE_MSG(test,
			      regs.eax == eax && regs.ebx == ebx && regs.ecx == ecx &&
			      regs.edx == edx,
			      "leaf %#x, %#x: %#x %#x %#x %#x, expected %#x %#x %#x %#x",
			      function, index, regs.eax, regs.ebx, regs.ecx, regs.edx,
			      eax, ebx, ecx, edx);
}

static bool is_listed(const struct test_vendor *vendor, u32 number)
{
	unsigned int i;

	for (i = 0; i < vendor->nr; i++) {
		if (vendor->list[i].number == number)
			return true;
	}

	return false;
}

static void exitcount_slots(struct kunit *test)
{
	const struct test_vendor *vendor = test->param_value;
	const struct kvm_exitcount_reasons *reasons = vendor->reasons;
	unsigned int i, named = 0;
	int slot, last = -1;

	KUNIT_EXPECT_EQ(test, reasons->highest, vendor->list[vendor->nr - 1].number);

	for (i = 0; i < vendor->nr; i++) {
		slot = kvm_exitcount_slot(reasons, vendor->list[i].number);

		/* Ascending, thus in order and none twice. */
		KUNIT_EXPECT_GT(test, slot, last);
		KUNIT_ASSERT_LT(test, slot, (int)KVM_EXITCOUNT_OVERFLOW);
		KUNIT_EXPECT_EQ(test, reasons->slots[slot].number, vendor->list[i].number);
		KUNIT_EXPECT_STREQ(test, reasons->slots[slot].name, vendor->list[i].name);

		/* An exit is counted where its count is looked for. */
		KUNIT_EXPECT_EQ(test, reasons->to_slot(vendor->list[i].number),
				(unsigned int)slot);
		last = slot;
	}

	for (i = 0; i < KVM_EXITCOUNT_SLOTS; i++)
		named += !!reasons->slots[i].name;
	KUNIT_EXPECT_EQ(test, named, vendor->nr);
	KUNIT_EXPECT_NULL(test, reasons->slots[KVM_EXITCOUNT_OVERFLOW].name);
}

static void exitcount_undefined(struct kunit *test)
{
	static const u32 edges[] = {
		0x1000, 0xffff, 0x10000, 0x1000a, 0x7fffffff, 0x80000000, 0x8000000a,
		0xf0000000, 0xfffffffb, 0xfffffffc, 0xfffffffe, 0xffffffff,
	};
	const struct test_vendor *vendor = test->param_value;
	struct test_vm *vm = test_vm_create(test);
	unsigned int i;
	u32 edx;

	test_vm_start(test, vm);

	for (i = 0; i <= vendor->reasons->highest + 0x200; i++) {
		edx = is_listed(vendor, i) ? 0 : KVM_EXITCOUNT_UNDEFINED_EDX;
		expect_regs(test, vm, KVM_EXITCOUNT_CPUID_EXITS, i, 0, 0, 0, edx);
		expect_regs(test, vm, KVM_EXITCOUNT_CPUID_CYCLES, i, 0, 0, 0, edx);
		expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCHED, i, 0, 0, 0, edx);
	}
	for (i = 0; i < ARRAY_SIZE(edges); i++) {
		edx = KVM_EXITCOUNT_UNDEFINED_EDX;
		expect_regs(test, vm, KVM_EXITCOUNT_CPUID_EXITS, edges[i], 0, 0, 0, edx);
		expect_regs(test, vm, KVM_EXITCOUNT_CPUID_CYCLES, edges[i], 0, 0, 0, edx);
		expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCHED, edges[i], 0, 0, 0, edx);
	}

	test_vm_stop(vm);
}

/* Each vCPU steps over 2^32, and their sum is beyond it by far. */
static void exitcount_64_bits(struct kunit *test)
{
	const struct test_vendor *vendor = test->param_value;
	struct test_vm *vm = test_vm_create(test);
	unsigned int i, slot, total = 0;
	u32 reason;

	test_vm_start(test, vm);

	/* In each slot, and in all of them for the sums. */
	for (i = 0; i < vendor->nr; i++) {
		unsigned int j;

		reason = vendor->list[i].number;
		slot = vendor->reasons->to_slot(reason);
		for (j = 0; j < NR_VCPUS; j++) {
			vm->vcpus[j]->stat.exit_reasons[slot] = U32_MAX;
			vm->vcpus[j]->arch.exitcount.cycles[slot] = 2ULL * U32_MAX;
		}
		/* 3 * (2^32 - 1) = 2 * 2^32 + 2^32 - 3 */
		expect_regs(test, vm, KVM_EXITCOUNT_CPUID_EXITS, reason,
			    0xfffffffd, 2, 0, 0);
		/* 6 * (2^32 - 1) = 5 * 2^32 + 2^32 - 6 */
		expect_regs(test, vm, KVM_EXITCOUNT_CPUID_CYCLES, reason,
			    0, 5, 0xfffffffa, 0);

		for (j = 0; j < NR_VCPUS; j++) {
			kvm_exit_reasons_inc(vm->vcpus[j], slot);
			vm->vcpus[j]->arch.exitcount.cycles[slot] += 2;
		}
		expect_regs(test, vm, KVM_EXITCOUNT_CPUID_EXITS, reason, 0, 3, 0, 0);
		expect_regs(test, vm, KVM_EXITCOUNT_CPUID_CYCLES, reason, 0, 6, 0, 0);

		total += 3;
		expect_regs(test, vm, KVM_EXITCOUNT_CPUID_TOTAL_EXITS, 0, 0, total, 0, 0);
		expect_regs(test, vm, KVM_EXITCOUNT_CPUID_TOTAL_CYCLES, 0, 0, 2 * total, 0, 0);
	}

	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCH, 0, 0, total, 1, 0);
	for (i = 0; i < vendor->nr; i++)
		expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCHED, vendor->list[i].number,
			    0, 3, 0, 6);

	test_vm_stop(vm);
}

static void exitcount_overflow(struct kunit *test)
{
	const struct test_vendor *vendor = test->param_value;
	const struct kvm_exitcount_reasons *reasons = vendor->reasons;
	struct test_vm *vm = test_vm_create(test);
	unsigned int i;

	test_vm_start(test, vm);

	/* The first beyond the list, the last of 16 bits (VMX), SVM_EXIT_SW. */
	kvm_exit_reasons_inc(vm->vcpus[0], reasons->to_slot(reasons->highest + 1));
	kvm_exit_reasons_inc(vm->vcpus[1], reasons->to_slot(0xffff));
	kvm_exit_reasons_inc(vm->vcpus[1], reasons->to_slot(0xf0000000));

	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_TOTAL_EXITS, 0, 3, 0, 0, 0);
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCH, 0, 3, 0, 1, 0);
	for (i = 0; i < vendor->nr; i++) {
		expect_regs(test, vm, KVM_EXITCOUNT_CPUID_EXITS, vendor->list[i].number,
			    0, 0, 0, 0);
		expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCHED, vendor->list[i].number,
			    0, 0, 0, 0);
	}
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_EXITS, reasons->highest + 1,
		    0, 0, 0, KVM_EXITCOUNT_UNDEFINED_EDX);

	test_vm_stop(vm);
}

static void exitcount_latch(struct kunit *test)
{
	const struct test_vendor *vendor = test->param_value;
	const u32 reason = vendor->list[1].number, other = vendor->reasons->highest;
	unsigned int slot = vendor->reasons->to_slot(reason);
	struct test_vm *vm = test_vm_create(test);
	struct test_vm *vm2 = test_vm_create(test);

	test_vm_start(test, vm);
	test_vm_start(test, vm2);

	kvm_exit_reasons_inc(vm->vcpus[0], slot);
	kvm_exit_reasons_inc(vm->vcpus[2], slot);
	kvm_exit_reasons_inc(vm->vcpus[1], vendor->reasons->to_slot(other));
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCHED, reason, 0, 0, 0, 0);

	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCH, 0, 3, 0, 1, 0);
	kvm_exit_reasons_inc(vm->vcpus[1], slot);
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_EXITS, reason, 3, 0, 0, 0);
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCHED, reason, 2, 0, 0, 0);
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCHED, other, 1, 0, 0, 0);

	/* Whatever is in ECX. */
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCH, 0xffffffff, 4, 0, 2, 0);
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCHED, reason, 3, 0, 0, 0);

	/* Another VM knows nothing of it. */
	expect_regs(test, vm2, KVM_EXITCOUNT_CPUID_TOTAL_EXITS, 0, 0, 0, 0, 0);
	expect_regs(test, vm2, KVM_EXITCOUNT_CPUID_LATCHED, reason, 0, 0, 0, 0);
	expect_regs(test, vm2, KVM_EXITCOUNT_CPUID_LATCH, 0, 0, 0, 1, 0);
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCHED, reason, 3, 0, 0, 0);

	test_vm_stop(vm2);
	test_vm_stop(vm);
}

/* vCPUs that do not stand still while KVM looks. */
static void exitcount_latch_moving(struct kunit *test)
{
	const struct test_vendor *vendor = test->param_value;
	const u32 reason = vendor->list[0].number, moved = vendor->list[1].number;
	struct test_vm *vm = test_vm_create(test);
	u32 exits = 6;

	vm->moved_slot = vendor->reasons->to_slot(moved);
	test_vm_start(test, vm);

	kvm_exit_reasons_inc(vm->vcpus[0], vendor->reasons->to_slot(reason));

	/* Exits until the fifth look: the sixth is the first that sees the same. */
	vm->moves = 5;
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCH, 0, exits, 0, 1, 0);
	KUNIT_EXPECT_EQ(test, vm->moves, 0U);
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCHED, reason, 1, 0, 0, 0);
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCHED, moved, 5, 0, 0, 0);

	/* Exits all the time: KVM gives up and says so, and the old latch stays. */
	vm->moves = UINT_MAX;
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCH, 0,
		    0, 0, 0, KVM_EXITCOUNT_NOT_LATCHED_EDX);
	KUNIT_EXPECT_NE(test, vm->moves, 0U);
	exits += UINT_MAX - vm->moves;
	vm->moves = 0;
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCHED, reason, 1, 0, 0, 0);
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCHED, moved, 5, 0, 0, 0);

	/* The serial number is that of latches, not of tries. */
	kvm_exit_reasons_inc(vm->vcpus[0], vendor->reasons->to_slot(reason));
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCH, 0, exits + 1, 0, 2, 0);

	test_vm_stop(vm);
}

/* Somebody else uses the latch: an answer that says so, and nobody waits. */
static void exitcount_latch_busy(struct kunit *test)
{
	const struct test_vendor *vendor = test->param_value;
	const u32 reason = vendor->list[0].number;
	struct test_vm *vm = test_vm_create(test);

	test_vm_start(test, vm);

	kvm_exit_reasons_inc(vm->vcpus[0], vendor->reasons->to_slot(reason));
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCH, 0, 1, 0, 1, 0);

	mutex_lock(&vm->ec.lock);
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCH, 0,
		    0, 0, 0, KVM_EXITCOUNT_NOT_LATCHED_EDX);
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCHED, reason,
		    0, 0, 0, KVM_EXITCOUNT_BUSY_EDX);
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCHED, vendor->reasons->highest + 1,
		    0, 0, 0, KVM_EXITCOUNT_UNDEFINED_EDX);
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_EXITS, reason, 1, 0, 0, 0);
	mutex_unlock(&vm->ec.lock);

	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCHED, reason, 1, 0, 0, 0);
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCH, 0, 1, 0, 2, 0);

	test_vm_stop(vm);
}

static void exitcount_cycles(struct kunit *test)
{
	const struct test_vendor *vendor = test->param_value;
	const u32 reason = vendor->list[0].number;
	struct test_vm *vm = test_vm_create(test);
	struct kvm_exitcount *ec = &vm->vcpus[1]->arch.exitcount;

	test_vm_start(test, vm);

	/* First entry, and a second one because the first failed: no exit yet. */
	kvm_exitcount_book_cycles(ec, 1000);
	ec->outside_since = 2000;
	kvm_exitcount_book_cycles(ec, 3000);
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_TOTAL_CYCLES, 0, 0, 0, 0, 0);

	/* In progress is not included. */
	ec->outside_since = 5000;
	ec->slot = vendor->reasons->to_slot(reason);
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_CYCLES, reason, 0, 0, 0, 0);
	kvm_exitcount_book_cycles(ec, 5700);
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_CYCLES, reason, 0, 0, 700, 0);

	/* A TSC that went backwards. */
	ec->outside_since = 9000;
	kvm_exitcount_book_cycles(ec, 8999);
	kvm_exitcount_book_cycles(ec, 0);
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_CYCLES, reason, 0, 0, 700, 0);

	/* HLT for a night. */
	kvm_exitcount_book_cycles(ec, 9000 + (100ULL << 32));
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_CYCLES, reason, 0, 100, 700, 0);
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_TOTAL_CYCLES, 0, 0, 100, 700, 0);
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCH, 0, 0, 0, 1, 0);
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_LATCHED, reason, 0, 0, 700, 100);

	test_vm_stop(vm);
}

static void exitcount_interface(struct kunit *test)
{
	static const u32 not_ours[] = {
		0, 0x40000000, 0x4ffffeff, 0x4fffff04, 0x4fffff10, 0x4ffffffb, 0x50000000,
		0x80000000, 0xffffffff,
	};
	const struct test_vendor *vendor = test->param_value;
	struct test_vm *vm = test_vm_create(test);
	struct kvm_exitcount_regs regs;
	u32 in_effect = TEST_IN_EFFECT;
	unsigned int i;

	if (static_key_enabled(&kvm_exitcount_cycles_key))
		in_effect |= KVM_EXITCOUNT_IN_EFFECT_CYCLES;

	test_vm_start(test, vm);

	/* "KVMe" "xitc" "ount" */
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_SIGNATURE, 7, KVM_EXITCOUNT_VERSION,
		    0x654d564b, 0x63746978, 0x746e756f);
	expect_regs(test, vm, KVM_EXITCOUNT_CPUID_IN_EFFECT, 7, in_effect,
		    vendor->reasons->vendor, vendor->reasons->highest, NR_VCPUS);
	for (i = 0; i < ARRAY_SIZE(not_ours); i++)
		KUNIT_EXPECT_FALSE_MSG(test,
				       kvm_exitcount_answer(&vm->vendor, vm->vcpus[0],
							    not_ours[i], 0, &regs),
				       "leaf %#x", not_ours[i]);

	test_vm_stop(vm);
}

static void exitcount_share(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, kvm_exitcount_share(0, 1), 0U);
	KUNIT_EXPECT_EQ(test, kvm_exitcount_share(1, 1), 1000U);
	KUNIT_EXPECT_EQ(test, kvm_exitcount_share(1, 3), 333U);
	KUNIT_EXPECT_EQ(test, kvm_exitcount_share(2, 3), 666U);
	KUNIT_EXPECT_EQ(test, kvm_exitcount_share(1, 1000), 1U);
	KUNIT_EXPECT_EQ(test, kvm_exitcount_share(1, 1001), 0U);
	KUNIT_EXPECT_EQ(test, kvm_exitcount_share(999999, 1000000), 999U);

	/* The product has more than 64 bits. */
	KUNIT_EXPECT_EQ(test, kvm_exitcount_share(1ULL << 60, 1ULL << 61), 500U);
	KUNIT_EXPECT_EQ(test, kvm_exitcount_share(U64_MAX - 1, U64_MAX), 999U);
	KUNIT_EXPECT_EQ(test, kvm_exitcount_share(U64_MAX, U64_MAX), 1000U);
}

static struct kunit_case exitcount_cases[] = {
	KUNIT_CASE_PARAM(exitcount_slots, vendor_gen_params),
	KUNIT_CASE_PARAM(exitcount_undefined, vendor_gen_params),
	KUNIT_CASE_PARAM(exitcount_64_bits, vendor_gen_params),
	KUNIT_CASE_PARAM(exitcount_overflow, vendor_gen_params),
	KUNIT_CASE_PARAM(exitcount_latch, vendor_gen_params),
	KUNIT_CASE_PARAM(exitcount_latch_moving, vendor_gen_params),
	KUNIT_CASE_PARAM(exitcount_latch_busy, vendor_gen_params),
	KUNIT_CASE_PARAM(exitcount_cycles, vendor_gen_params),
	KUNIT_CASE_PARAM(exitcount_interface, vendor_gen_params),
	KUNIT_CASE(exitcount_share),
	{}
};

static struct kunit_suite exitcount_suite = {
	.name = "kvm-exitcount",
	.test_cases = exitcount_cases,
};

kunit_test_suite(exitcount_suite);

MODULE_DESCRIPTION("KUnit tests of KVM's VM-exit counts");
MODULE_LICENSE("GPL");
