/* SPDX-License-Identifier: GPL-2.0-only */
#include "judge/doses.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "record/reasons.h"

#define SDM_CONDITIONAL                                                                            \
	"SDM vol. 3, \"Instructions That Cause VM Exits Conditionally\" (26.1.3 in 2023)"
#define SDM_UNCONDITIONAL                                                                          \
	"SDM vol. 3, \"Instructions That Cause VM Exits Unconditionally\" (26.1.2 in 2023)"

/* VMX calls each access to a control register by one name. */
#define CPUID	     .vmx = REASON_CPUID, .svm = REASON_SVM_CPUID
#define HLT	     .vmx = REASON_HLT, .svm = REASON_SVM_HLT
#define INVD	     .vmx = REASON_INVD, .svm = REASON_SVM_INVD
#define INVLPG	     .vmx = REASON_INVLPG, .svm = REASON_SVM_INVLPG
#define IO	     .vmx = REASON_IO_INSTRUCTION, .svm = REASON_SVM_IOIO
#define NESTED_FAULT .vmx = REASON_EPT_VIOLATION, .svm = REASON_SVM_NPF
#define PAGE_FAULT   .vmx = REASON_EXCEPTION_NMI, .svm = REASON_SVM_EXCP_PF
#define RDMSR	     .vmx = REASON_MSR_READ, .svm = REASON_SVM_MSR
#define WRITE_CR3    .vmx = REASON_CR_ACCESS, .svm = REASON_SVM_WRITE_CR3
#define WRITE_CR4    .vmx = REASON_CR_ACCESS, .svm = REASON_SVM_WRITE_CR4
#define WRMSR	     .vmx = REASON_MSR_WRITE, .svm = REASON_SVM_MSR

/* So many exits for each of n, or once. */
#define EACH(under, reasons, exits) .paging = (under), reasons, .per_n = (exits)
#define ONCE(under, reasons, exits) .paging = (under), reasons, .constant = (exits)

#define WHY_CPUID    "CPUID exits always, at any privilege level"
#define SOURCE_CPUID SDM_UNCONDITIONAL "; KVM: kvm_emulate_cpuid(), INTERCEPT_CPUID"
#define WHY_HLT	     "KVM lets no guest halt the CPU itself, and puts the vCPU to sleep instead"
#define SOURCE_HLT   SDM_CONDITIONAL "; KVM: vmx_exec_control(), kvm_emulate_halt()"
#define WHY_X2APIC                                                                                 \
	"a write of the timer's count is a WRMSR in x2APIC mode, and so is that of the end of "    \
	"the "                                                                                     \
	"interrupt; KVM intercepts both as long as no virtual-interrupt delivery (APICv, AVIC) "   \
	"is "                                                                                      \
	"active"
#define SOURCE_X2APIC                                                                              \
	SDM_CONDITIONAL "; KVM: vmx_update_msr_bitmap_x2apic(), svm_set_x2apic_msr_interception()"

/*
 * The timer of hlt and smp runs out while the vCPU sleeps, which is no exit. It might run out
 * before HLT is reached, if L1 leaves the vCPU waiting that long: interrupts are off in the guest
 * then.
 */
#define EARLY_TIMER(times, constantly)                                                             \
	{                                                                                          \
		.paging = DOSE_ANY,                                                                \
		.vmx = REASON_PREEMPTION_TIMER,                                                    \
		.svm = DOSE_NO_REASON,                                                             \
		.per_n = (times),                                                                  \
		.constant = (constantly),                                                          \
		.bound = DOSE_AT_MOST,                                                             \
		.why = "the timer may run out before HLT, where L1 is slow; KVM keeps it in the "  \
		       "VMX-preemption timer as long as the vCPU runs",                            \
		.source = "SDM vol. 3, \"VMX-Preemption Timer\" (26.5.1 in 2023); KVM: "           \
			  "start_hv_timer(), handle_preemption_timer()",                           \
	},                                                                                         \
	{                                                                                          \
		.paging = DOSE_ANY, .vmx = REASON_INTERRUPT_WINDOW, .svm = REASON_SVM_VINTR,       \
		.per_n = (times), .constant = (constantly), .bound = DOSE_AT_MOST,                 \
		.why = "the timer may run out before HLT, where L1 is slow; its interrupt then "   \
		       "waits until the guest takes interrupts",                                   \
		.source = "SDM vol. 3, \"Other Causes of VM Exits\" (26.2 in 2023); KVM: "         \
			  "vmx_enable_irq_window(), svm_enable_irq_window()",                      \
	}

/* Ring 3: down by IRETQ, back by INT through a gate; neither is intercepted. */
#define costs_cpuid_ring3 costs_cpuid
static const struct dose_cost costs_cpuid[] = {
	{ EACH(DOSE_ANY, CPUID, 1), .why = WHY_CPUID, .source = SOURCE_CPUID },
};

static const struct dose_cost costs_io[] = {
	{
		EACH(DOSE_ANY, IO, 2),
		.why = "KVM intercepts all ports, and the guest's n are n times OUT and n times IN",
		.source = SDM_CONDITIONAL "; KVM: vmx_exec_control() (no I/O bitmaps), "
					  "svm_hardware_setup() (all of the I/O map set)",
	},
};

static const struct dose_cost costs_hlt[] = {
	{ EACH(DOSE_ANY, HLT, 1), .why = WHY_HLT, .source = SOURCE_HLT },
	{ EACH(DOSE_ANY, WRMSR, 2), .why = WHY_X2APIC, .source = SOURCE_X2APIC },
	EARLY_TIMER(1, 0),
};

static const struct dose_cost costs_rdmsr[] = {
	{
		EACH(DOSE_ANY, RDMSR, 1),
		.why = "KVM passes few MSRs through to the guest, and IA32_MCG_STATUS is not one",
		.source = SDM_CONDITIONAL "; KVM: vmx_possible_passthrough_msrs[], "
					  "direct_access_msrs[], get_msr_mce()",
	},
};

static const struct dose_cost costs_wrmsr[] = {
	{
		EACH(DOSE_ANY, WRMSR, 1),
		.why = "KVM passes few MSRs through to the guest, and IA32_MCG_STATUS is not one",
		.source = SDM_CONDITIONAL "; KVM: vmx_possible_passthrough_msrs[], "
					  "direct_access_msrs[], set_msr_mce()",
	},
};

static const struct dose_cost costs_wrmsr_fast[] = {
	{
		EACH(DOSE_ANY, WRMSR, 1),
		.why = "IA32_TSC_DEADLINE is intercepted; on Intel KVM answers on its fast path, "
		       "which ends before the exit handlers, and is an exit all the same",
		.source = SDM_CONDITIONAL "; KVM: handle_fastpath_set_msr_irqoff()",
	},
};

static const struct dose_cost costs_invd[] = {
	{
		EACH(DOSE_ANY, INVD, 1),
		.why = "INVD exits always, and KVM skips it: in newer kernels on the fast path",
		.source = SDM_UNCONDITIONAL "; KVM: kvm_emulate_invd(), INTERCEPT_INVD; "
					    "handle_fastpath_invd() in newer kernels",
	},
};

static const struct dose_cost costs_pages[] = {
	{
		EACH(DOSE_NESTED, NESTED_FAULT, 1),
		.why = "nobody has touched the page, so no table of KVM's maps it; L1 backs it "
		       "with "
		       "4 KiB, so that each page faults for itself",
		.source = "SDM vol. 3, \"EPT Violations\" (29.3.3.2 in 2023); KVM: "
			  "kvm_tdp_page_fault(), kvm_mmu_hugepage_adjust()",
	},
	{
		EACH(DOSE_SHADOW, PAGE_FAULT, 1),
		.why = "the guest's own entry is there, that of the shadow table is not; KVM makes "
		       "what is missing of its tables in the same exit, and prefetches only pages "
		       "that L1 has already",
		.source =
			"SDM vol. 3, \"Other Causes of VM Exits\" (26.2 in 2023), on page faults; "
			"KVM: FNAME(page_fault)(), FNAME(fetch)(), FNAME(prefetch_gpte)()",
	},
};

static const struct dose_cost costs_invlpg[] = {
	{
		EACH(DOSE_SHADOW, INVLPG, 1),
		.why = "KVM must drop its own copy of the translation",
		.source = SDM_CONDITIONAL "; KVM: handle_invlpg(), FNAME(invlpg)()",
	},
	{
		EACH(DOSE_SHADOW, PAGE_FAULT, 1),
		.why = "INVLPG has emptied the shadow entry, so the next use of the page faults; "
		       "the guest's writes to its table do not, since KVM has let it go out of "
		       "step with its shadow",
		.source =
			"SDM vol. 3, \"Other Causes of VM Exits\" (26.2 in 2023), on page faults; "
			"KVM: FNAME(invlpg)(), mmu_try_to_unsync_pages()",
	},
};

static const struct dose_cost costs_cr3[] = {
	{
		EACH(DOSE_SHADOW, WRITE_CR3, 1),
		.why = "KVM must run the guest on the shadow tables of the other address space",
		.source = SDM_CONDITIONAL "; KVM: vmx_exec_control(), kvm_set_cr3()",
	},
};

static const struct dose_cost costs_cr3_pcid[] = {
	{
		EACH(DOSE_SHADOW, WRITE_CR3, 1),
		.why = "KVM must run the guest on the shadow tables of the other address space, "
		       "with or without a flush",
		.source = SDM_CONDITIONAL "; KVM: vmx_exec_control(), kvm_set_cr3()",
	},
	{
		ONCE(DOSE_ANY, WRITE_CR4, 2),
		.why = "CR4.PCIDE is set before and cleared afterwards, and KVM owns that bit",
		.source = SDM_CONDITIONAL "; KVM: KVM_POSSIBLE_CR4_GUEST_BITS, handle_cr(), "
					  "INTERCEPT_CR4_WRITE",
	},
};

static const struct dose_cost costs_abuse[] = {
	{
		EACH(DOSE_ANY, CPUID, 6),
		.why = "n reasons are asked of three leaves, from two privilege levels; an answer "
		       "of whatever form is one exit",
		.source = SOURCE_CPUID,
	},
};

static const struct dose_cost costs_smp[] = {
	{
		EACH(DOSE_ANY, CPUID, 2),
		.why = "both vCPUs execute n CPUIDs, and the counts are those of the VM",
		.source = SOURCE_CPUID "; KVM: kvm_exitcount_sum()",
	},
	{
		ONCE(DOSE_ANY, WRMSR, 2),
		.why = "the second vCPU is woken by a write of the x2APIC's ICR, and ends that "
		       "interrupt by another of its EOI register",
		.source = SOURCE_X2APIC ", handle_fastpath_set_x2apic_icr_irqoff()",
	},
	{
		ONCE(DOSE_ANY, WRMSR, 2),
		.why = "the first vCPU sleeps once, so that the second comes to its end: the "
		       "timer's count, and the end of its interrupt",
		.source = SOURCE_X2APIC,
	},
	{
		ONCE(DOSE_ANY, HLT, 2),
		.why = "the first vCPU sleeps once, and the second halts for good",
		.source = SOURCE_HLT,
	},
	EARLY_TIMER(0, 1),
};
#define WHAT_cpuid	 "CPUID, leaf 0, in a loop of four instructions"
#define WHAT_cpuid_ring3 "the same in ring 3"
#define WHAT_io		 "OUT to and IN from port 0x21, the mask of the interrupt controller"
#define WHAT_hlt	 "arm the local APIC's timer, HLT until it wakes the CPU, end the interrupt"
#define WHAT_rdmsr	 "RDMSR of IA32_MCG_STATUS"
#define WHAT_wrmsr	 "WRMSR of IA32_MCG_STATUS"
#define WHAT_wrmsr_fast	 "WRMSR of IA32_TSC_DEADLINE"
#define WHAT_invd	 "INVD, which KVM makes do nothing"
#define WHAT_pages	 "write to a page of 4 KiB that nobody has touched yet"
#define WHAT_invlpg	 "map one page, write to it, unmap it, INVLPG"
#define WHAT_cr3	 "MOV to CR3, between two address spaces"
#define WHAT_cr3_pcid	 "MOV to CR3 with CR4.PCIDE = 1; two flush, two do not, and so on"
#define WHAT_abuse	 "ask three leaves for a reason out of all 2^32, in ring 0 and in ring 3"
#define WHAT_smp	 "CPUID on two vCPUs at once, half of them questions as in abuse"

#define DOSE(function, text, size)                                                                 \
	{                                                                                          \
		.name = (text),                                                                    \
		.n = (size),                                                                       \
		.what = WHAT_##function,                                                           \
		.costs = costs_##function,                                                         \
		.cost_count = G_N_ELEMENTS(costs_##function),                                      \
	},

static const struct dose doses[] = { DOSE_LIST(DOSE) };

size_t doses_count(void)
{
	return G_N_ELEMENTS(doses);
}

const struct dose *doses_at(size_t index)
{
	return index < G_N_ELEMENTS(doses) ? &doses[index] : NULL;
}

const struct dose *doses_find(const char *name)
{
	if (g_str_has_prefix(name, DOSE_WORKLOAD_PREFIX))
		name += strlen(DOSE_WORKLOAD_PREFIX);
	for (size_t i = 0; i < G_N_ELEMENTS(doses); i++)
		if (strcmp(doses[i].name, name) == 0)
			return &doses[i];
	return NULL;
}

bool dose_invd_is_wbinvd(const struct record_platform *platform)
{
	unsigned int major, minor;

	return g_strcmp0(platform->name, "tcg") == 0 && platform->version != NULL &&
	       sscanf(platform->version, "%u.%u", &major, &minor) == 2 &&
	       (major < 8 || (major == 8 && minor < 1));
}

static uint32_t reason_of(const struct dose_cost *cost, const struct dose_setting *setting)
{
	if (setting->vendor != KVM_EXITCOUNT_VENDOR_SVM)
		return cost->vmx;
	return setting->invd_is_wbinvd && cost->svm == REASON_SVM_INVD ? REASON_SVM_WBINVD
								       : cost->svm;
}

static bool applies(const struct dose_cost *cost, const struct dose_setting *setting)
{
	return cost->paging & (setting->nested ? DOSE_NESTED : DOSE_SHADOW);
}

struct dose_expectation dose_expect(const struct dose *dose, uint64_t n,
				    const struct dose_setting *setting, uint32_t reason)
{
	struct dose_expectation expected = { .least = 0 };

	for (size_t i = 0; i < dose->cost_count; i++) {
		const struct dose_cost *cost = &dose->costs[i];
		const uint64_t exits = cost->per_n * n + cost->constant;

		if (!applies(cost, setting) || reason_of(cost, setting) != reason)
			continue;
		expected.most += exits;
		if (cost->bound == DOSE_EXACTLY)
			expected.least += exits;
		if (!expected.why)
			expected.why = cost->why;
	}
	return expected;
}

/* NULL if count is what it must be. */
static char *deviation_of(const struct dose *dose, uint64_t n, const struct dose_setting *setting,
			  uint64_t cpuids, uint32_t reason, uint64_t count)
{
	const struct dose_expectation expected = dose_expect(dose, n, setting, reason);
	const uint64_t more = reason == reason_of_cpuid(setting->vendor) ? cpuids : 0;
	const uint64_t least = expected.least + more, most = expected.most + more;
	const char *name = reason_name(setting->vendor, reason);
	g_autofree char *must = most == 0 ? g_strdup("none")
				: least == most
					? g_strdup_printf("%" PRIu64, most)
					: g_strdup_printf("%" PRIu64 " to %" PRIu64, least, most);

	if (reason == reason_of_interrupt(setting->vendor) || (count >= least && count <= most))
		return NULL;
	return g_strdup_printf("dose-%s, n=%" PRIu64 ": %" PRIu64 " exits of reason %" PRIu32
			       " (%s), expected %s: %s",
			       dose->name, n, count, reason, name ? name : "no name", must,
			       expected.why ? expected.why
					    : "nothing in this dose exits for that reason");
}

char *dose_deviation(const struct dose *dose, uint64_t n, const struct dose_setting *setting,
		     uint64_t cpuids, const GPtrArray *exits)
{
	char *wrong = NULL;

	for (guint i = 0; i < exits->len && !wrong; i++) {
		const struct record_exit *one = exits->pdata[i];

		wrong = deviation_of(dose, n, setting, cpuids, one->reason, one->count);
	}
	/* A reason that is not there was not counted. */
	for (size_t i = 0; i < dose->cost_count && !wrong; i++) {
		const uint32_t reason = reason_of(&dose->costs[i], setting);

		if (reason != DOSE_NO_REASON && !record_find_exit(exits, reason))
			wrong = deviation_of(dose, n, setting, cpuids, reason, 0);
	}
	return wrong;
}
