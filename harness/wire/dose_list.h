/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_WIRE_DOSE_LIST_H
#define EPTLAB_WIRE_DOSE_LIST_H

/*
 * construct(function, "name", N): the doses, in the order in which the workload "doses" gives them,
 * and how large they are if eptlab.n= does not say. Shared by the dose guest, which gives them, and
 * by doses.c, which knows what each must cost. Macros only: the guest has no library.
 *
 * Where the order matters: with shadow paging a MOV to CR3 makes KVM write-protect all of the
 * guest's page tables again (mmu_sync_roots()), which the next write to one pays for; so invlpg,
 * which writes to one, comes before cr3. smp is last because its second vCPU halts for good.
 */
/* clang-format off */
#define DOSE_LIST(construct)				\
	construct(cpuid,	"cpuid",	1000)	\
	construct(cpuid_ring3,	"cpuid-ring3",	1000)	\
	construct(io,		"io",		1000)	\
	construct(hlt,		"hlt",		50)	\
	construct(rdmsr,	"rdmsr",	1000)	\
	construct(wrmsr,	"wrmsr",	1000)	\
	construct(wrmsr_fast,	"wrmsr-fast",	1000)	\
	construct(invd,		"invd",		1000)	\
	construct(pages,	"pages",	1000)	\
	construct(invlpg,	"invlpg",	500)	\
	construct(cr3,		"cr3",		1000)	\
	construct(cr3_pcid,	"cr3-pcid",	1000)	\
	construct(abuse,	"abuse",	200)	\
	construct(smp,		"smp",		1000)
/* clang-format on */

/* A workload of this name is the dose NAME alone; DOSE_WORKLOAD_ALL is all that the VM can take. */
#define DOSE_WORKLOAD_PREFIX "dose-"
#define DOSE_WORKLOAD_ALL    "doses"

/* Of a dose that L2 cannot take, its console says why behind its name: alone, or among all. */
#define DOSE_IMPOSSIBLE " is not possible here: "
#define DOSE_LEFT_OUT	" is left out: "

#endif
