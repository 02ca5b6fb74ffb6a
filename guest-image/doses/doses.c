/* SPDX-License-Identifier: GPL-2.0-only */
#include "doses.h"

#include <cpuid.h>
#include <stdbool.h>
#include <x86gprintrin.h>

#include "machine.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define MIB ((uint64_t)1 << 20)

/* Twice, since what the first time leaves behind may have a cost for the second. */
#define REHEARSAL 2

/* ---- What the CPU offers ---- */

#define CPUID_FEATURE_PCID	   (1U << 17)
#define CPUID_FEATURE_TSC_DEADLINE (1U << 24)

/* ---- cpuid, cpuid-ring3 ---- */

/*
 * Four instructions for each exit, CPUID among them, and no access to memory: what is more between
 * two readings, per exit, is what the exit costs.
 */
static void __attribute__((noinline)) loop_cpuid(uint64_t n)
{
	if (n == 0)
		return;
	__asm__ volatile("1: xorl %%eax, %%eax\n\t"
			 "cpuid\n\t"
			 "decq %0\n\t"
			 "jnz 1b"
			 : "+r"(n)
			 :
			 : "rax", "rbx", "rcx", "rdx", "cc", "memory");
}

/* The least that a batch of exits took: interrupts of L1 only ever add to it. */
#define BATCH 10

static uint64_t least_ticks;

uint64_t doses_cost(uint64_t *exits)
{
	*exits = BATCH;
	return least_ticks;
}

static void give_cpuid(uint64_t n)
{
	for (; n >= BATCH; n -= BATCH) {
		const uint64_t begin = __rdtsc();
		uint64_t ticks;

		loop_cpuid(BATCH);
		ticks = __rdtsc() - begin;
		if (least_ticks == 0 || ticks < least_ticks)
			least_ticks = ticks;
	}
	loop_cpuid(n);
}

static void give_cpuid_ring3(uint64_t n)
{
	ring3_call(loop_cpuid, n);
}

/* ---- io ---- */

/*
 * The mask of the first interrupt controller: KVM has it in the kernel, reading it changes nothing,
 * and all is masked as it is.
 */
#define IO_PORT	 0x21
#define IO_VALUE 0xff

static void give_io(uint64_t n)
{
	for (; n > 0; n--) {
		outb(IO_PORT, IO_VALUE);
		inb(IO_PORT);
	}
}

/* ---- hlt ---- */

/*
 * Long against the way from the timer's arming to HLT, some ten thousand instructions of L1, so
 * that the timer does not end before HLT begins. It costs nothing: whoever emulates skips idle
 * time.
 */
#define HLT_NANOSECONDS 20000000

static void give_hlt(uint64_t n)
{
	for (; n > 0; n--)
		machine_sleep(HLT_NANOSECONDS);
}

/* ---- rdmsr, wrmsr, wrmsr-fast ---- */

/* Intercepted by KVM for all guests, and 0 unless there is a machine check: 0 changes nothing. */
#define MSR_MCG_STATUS 0x17a
/* Disarms a timer that is not in this mode; on Intel, KVM answers on its fast path. */
#define MSR_TSC_DEADLINE 0x6e0

static void give_rdmsr(uint64_t n)
{
	for (; n > 0; n--)
		rdmsr(MSR_MCG_STATUS);
}

static void give_wrmsr(uint64_t n)
{
	for (; n > 0; n--)
		wrmsr(MSR_MCG_STATUS, 0);
}

static const char *wrmsr_fast_impossible(uint64_t n)
{
	(void)n;
	return machine_has_feature(CPUID_FEATURE_TSC_DEADLINE) ? NULL
							       : "CPUID has no TSC deadline timer";
}

static void give_wrmsr_fast(uint64_t n)
{
	for (; n > 0; n--)
		wrmsr(MSR_TSC_DEADLINE, 0);
}

/* ---- invd ---- */

/* Throws caches away where it is executed; a hypervisor cannot let a guest do that. */
static void give_invd(uint64_t n)
{
	for (; n > 0; n--)
		__asm__ volatile("invd" : : : "memory");
}

/* ---- pages ---- */

/*
 * Pages that nobody has touched since the VM was made: far above this guest, and below the end of
 * RAM, where SeaBIOS was. Each is used once; fresh is the next. Their entries are in page tables
 * that are ready before the first reading.
 */
#define FRESH_START (32 * MIB)
#define FRESH_END   (96 * MIB)
#define BIOS_SIZE   (16 * MIB)
#define LARGE_PAGE  (2 * MIB)
#define TABLES	    ((FRESH_END - FRESH_START) / LARGE_PAGE)
#define ENTRIES	    512

static uint64_t fresh_tables[TABLES * ENTRIES]
	__attribute__((aligned(PAGE_SIZE), section(".pagetables.bss")));
static uint64_t fresh, fresh_end;

static void make_fresh_tables(uint64_t memory_end)
{
	uint64_t i;

	fresh = FRESH_START;
	fresh_end = memory_end - BIOS_SIZE < FRESH_END ? memory_end - BIOS_SIZE : FRESH_END;
	for (i = 0; i < TABLES * ENTRIES; i++)
		fresh_tables[i] = (FRESH_START + i * PAGE_SIZE) | PTE_FLAGS;
	for (i = 0; i < TABLES; i++)
		page_directory[FRESH_START / LARGE_PAGE + i] =
			(uint64_t)&fresh_tables[i * ENTRIES] | PTE_FLAGS;
}

static const char *pages_impossible(uint64_t n)
{
	/* What the rehearsal takes is lost. */
	return n + REHEARSAL <= (fresh_end - fresh) / PAGE_SIZE
		       ? NULL
		       : "there are not so many fresh pages";
}

/* A write, because KVM may map a page that was only read so that the first write exits again. */
static void give_pages(uint64_t n)
{
	for (; n > 0 && fresh < fresh_end; n--, fresh += PAGE_SIZE)
		*(volatile uint64_t *)fresh = 1;
}

/* ---- invlpg ---- */

/* The second GiB has one page: mapped, used and unmapped again and again. */
#define UNMAPPED_ADDRESS 0x40000000UL

static uint64_t unmapped_directory[ENTRIES]
	__attribute__((aligned(PAGE_SIZE), section(".pagetables.bss")));
static uint64_t unmapped_table[ENTRIES]
	__attribute__((aligned(PAGE_SIZE), section(".pagetables.bss")));
static uint64_t unmapped_page[PAGE_SIZE / sizeof(uint64_t)] __attribute__((aligned(PAGE_SIZE)));

static void make_unmapped_tables(void)
{
	pdpt[UNMAPPED_ADDRESS >> 30] = (uint64_t)unmapped_directory | PTE_FLAGS;
	unmapped_directory[0] = (uint64_t)unmapped_table | PTE_FLAGS;
}

static void give_invlpg(uint64_t n)
{
	volatile uint64_t *entry = &unmapped_table[0];

	for (; n > 0; n--) {
		*entry = (uint64_t)unmapped_page | PTE_FLAGS;
		*(volatile uint64_t *)UNMAPPED_ADDRESS = n;
		*entry = 0;
		__asm__ volatile("invlpg (%0)" : : "r"(UNMAPPED_ADDRESS) : "memory");
	}
}

/* ---- cr3, cr3-pcid ---- */

#define CR4_PCIDE	  (1UL << 17)
#define CR3_NO_FLUSH	  (1UL << 63)
#define SECOND_SPACE_PCID 1

/* The other address space: the same, but for its topmost table. */
static uint64_t second_pml4[ENTRIES]
	__attribute__((aligned(PAGE_SIZE), section(".pagetables.bss")));

static void write_cr3(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static void change_cr4(uint64_t set, uint64_t clear)
{
	uint64_t cr4;

	/* Reading it is no exit: CR4 has a read shadow. */
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4" : : "r"((cr4 | set) & ~clear) : "memory");
}

/* Counts down, so that the last one leads back home whatever n is. */
static void give_cr3(uint64_t n)
{
	for (; n > 0; n--)
		write_cr3((uint64_t)(n % 2 ? pml4 : second_pml4));
}

static const char *cr3_pcid_impossible(uint64_t n)
{
	(void)n;
	return machine_has_feature(CPUID_FEATURE_PCID) ? NULL : "CPUID has no PCID";
}

/* The first space has PCID 0, as CR4.PCIDE wants when it is set. Every other pair does not flush.
 */
static void give_cr3_pcid(uint64_t n)
{
	change_cr4(CR4_PCIDE, 0);
	for (; n > 0; n--)
		write_cr3((n % 2 ? (uint64_t)pml4 : (uint64_t)second_pml4 | SECOND_SPACE_PCID) |
			  (n & 2 ? CR3_NO_FLUSH : 0));
	change_cr4(0, CR4_PCIDE);
}

/* ---- abuse ---- */

static const struct reading_identity *identity;

/* The first one is where identity says. */
static uint32_t abused_leaves[] = {
	KVM_EXITCOUNT_CPUID_EXITS,
	KVM_EXITCOUNT_CPUID_CYCLES,
	KVM_EXITCOUNT_CPUID_LATCHED,
};
static size_t abused_leaf_count = COUNT(abused_leaves);

/* Numbers at which something begins or ends: of the two lists, of 16, 31 and 32 bits, of a sign. */
static const uint32_t edges[] = {
	0,
	1,
	UINT32_MAX,
	0x80000000,
	0x7fffffff,
	0xffff,
	0x10000,
	0x100,
	KVM_EXITCOUNT_VMX_HIGHEST,
	KVM_EXITCOUNT_VMX_HIGHEST + 1,
	KVM_EXITCOUNT_VMX_HIGHEST + 2,
	READING_SVM_LOW_LAST,
	READING_SVM_HIGH_FIRST,
	READING_SVM_HIGH_LAST,
	0x80000000 | KVM_EXITCOUNT_VMX_HIGHEST,
	0x10000 | KVM_EXITCOUNT_VMX_HIGHEST,
};

static struct dose_finding findings[DOSE_FINDINGS_MAX];
static uint64_t finding_count;

uint64_t doses_found(const struct dose_finding **out)
{
	*out = findings;
	return finding_count;
}

void doses_forget(void)
{
	finding_count = 0;
	least_ticks = 0;
}

/* Both CPUs may find something at once. */
static void note(uint32_t leaf, uint32_t index, const struct reading_registers *registers)
{
	uint64_t place = __atomic_fetch_add(&finding_count, 1, __ATOMIC_RELAXED);

	if (place < DOSE_FINDINGS_MAX)
		findings[place] = (struct dose_finding){ leaf, index, *registers };
}

#define REASON_CASE(number, name) case number:

static bool is_defined(uint32_t reason)
{
	if (identity->effect.ebx == KVM_EXITCOUNT_VENDOR_SVM) {
		switch (reason) {
			KVM_EXITCOUNT_SVM_REASONS(REASON_CASE)
			return true;
		default:
			return false;
		}
	}
	switch (reason) {
		KVM_EXITCOUNT_VMX_REASONS(REASON_CASE)
		return true;
	default:
		return false;
	}
}

static bool is_undefined_answer(const struct reading_registers *answer)
{
	return answer->eax == 0 && answer->ebx == 0 && answer->ecx == 0 &&
	       answer->edx == KVM_EXITCOUNT_UNDEFINED_EDX;
}

/* Registers that a leaf does not use are 0; the frozen leaf uses all four. */
static bool is_count_answer(uint32_t leaf, const struct reading_registers *answer)
{
	if (leaf == identity->exits_leaf)
		return answer->ecx == 0 && answer->edx == 0;
	if (leaf == KVM_EXITCOUNT_CPUID_CYCLES)
		return answer->eax == 0 && answer->edx == 0;
	return !is_undefined_answer(answer);
}

static void ask(uint32_t leaf, uint32_t reason)
{
	struct reading_registers answer;
	bool good;

	__cpuid_count(leaf, reason, answer.eax, answer.ebx, answer.ecx, answer.edx);
	good = is_defined(reason) ? is_count_answer(leaf, &answer) : is_undefined_answer(&answer);
	if (!good)
		note(leaf, reason, &answer);
}

/* The i-th of n reasons: the edges, then steps from one end of all 2^32 to the other. */
static uint32_t abused_reason(uint64_t i, uint64_t n)
{
	const uint64_t steps = n > COUNT(edges) ? n - COUNT(edges) : 1;

	if (i < COUNT(edges))
		return edges[i];
	return (uint32_t)((i - COUNT(edges)) * (UINT32_MAX / steps));
}

static void ask_all(uint64_t n)
{
	size_t leaf;
	uint64_t i;

	for (leaf = 0; leaf < abused_leaf_count; leaf++)
		for (i = 0; i < n; i++)
			ask(abused_leaves[leaf], abused_reason(i, n));
}

static void give_abuse(uint64_t n)
{
	ask_all(n);
	ring3_call(ask_all, n);
}

/* ---- smp ---- */

/* Enough for the other CPU to come to its HLT, with L1 having one CPU for both. */
#define SETTLE_NANOSECONDS 50000000

enum second_state {
	SECOND_ABSENT,
	SECOND_WAITS,
	SECOND_RUNS,
	SECOND_DONE,
};

static volatile enum second_state second;
static volatile uint64_t smp_n;

/* Of each two CPUIDs one is leaf 0, the other asks what abuse asks. */
static void ask_and_loop(uint64_t n)
{
	const uint64_t reasons = n / (2 * abused_leaf_count) + 1;
	uint64_t i;

	for (i = 0; i < n; i++) {
		if (i % 2 == 0)
			loop_cpuid(1);
		else
			ask(abused_leaves[i / 2 % abused_leaf_count],
			    abused_reason(i / 2 / abused_leaf_count, reasons));
	}
}

/* The second CPU: sleeps until it is needed, and then for ever. */
static void second_main(void)
{
	machine_init_cpu(true);
	second = SECOND_WAITS;
	machine_sleep_until_woken();
	second = SECOND_RUNS;
	ask_and_loop(smp_n);
	second = SECOND_DONE;
	machine_stop();
}

/*
 * With interrupts on, although none comes: as long as a guest has them off, Bochs 2.7 does not let
 * an interrupt of L1 end the guest's turn, and an L1 with one CPU would never run the other vCPU.
 * No PAUSE: a CPU may exit for many of them in a row (SDM vol. 3, "PAUSE-loop exiting").
 */
static void wait_for(enum second_state state)
{
	__asm__ volatile("sti" : : : "memory");
	while (second < state)
		barrier();
	__asm__ volatile("cli" : : : "memory");
}

static void start_second(void)
{
	if (machine_cpus() < 2)
		return;
	machine_start_second(second_main);
	wait_for(SECOND_WAITS);
	machine_sleep(SETTLE_NANOSECONDS);
}

static const char *smp_impossible(uint64_t n)
{
	(void)n;
	return second == SECOND_WAITS ? NULL : "it needs a second vCPU (l2.vcpus = 2)";
}

static void give_smp(uint64_t n)
{
	smp_n = n;
	machine_wake_second();
	wait_for(SECOND_RUNS);
	ask_and_loop(n);
	wait_for(SECOND_DONE);
	machine_sleep(SETTLE_NANOSECONDS);
}

/* ---- All of them ---- */

#define DOSE(function, text, size) { .name = (text), .n = (size), .give = give_##function },

const struct dose doses[DOSE_COUNT] = { DOSE_LIST(DOSE) };

static const struct {
	void (*give)(uint64_t n);
	const char *(*impossible)(uint64_t n);
} limits[] = {
	{ give_wrmsr_fast, wrmsr_fast_impossible },
	{ give_pages, pages_impossible },
	{ give_cr3_pcid, cr3_pcid_impossible },
	{ give_smp, smp_impossible },
};

const char *doses_impossible(const struct dose *dose, uint64_t n)
{
	size_t i;

	for (i = 0; i < COUNT(limits); i++)
		if (limits[i].give == dose->give)
			return limits[i].impossible(n);
	return NULL;
}

/* smp puts the second CPU to sleep for good. It runs nothing that others do not. */
void doses_rehearse(const struct dose *dose)
{
	if (dose->give != give_smp)
		dose->give(REHEARSAL);
}

void doses_init(const struct reading_identity *who, bool foreign, uint64_t memory_end)
{
	identity = who;
	abused_leaves[0] = who->exits_leaf;
	if (foreign)
		abused_leaf_count = 1;
	make_fresh_tables(memory_end);
	make_unmapped_tables();
	second_pml4[0] = pml4[0];
	start_second();
}
