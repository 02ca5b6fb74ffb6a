/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a vCPU has of the leaves of <uapi/asm/kvm_exitcount.h> beside its
 * statistics.
 */
#ifndef _ASM_X86_KVM_EXITCOUNT_H
#define _ASM_X86_KVM_EXITCOUNT_H

#include <linux/types.h>

#include <uapi/asm/kvm_exitcount.h>

/*
 * Cycles of one vCPU since its creation, if they are counted.  Written by the vCPU
 * only.
 *
 * @cycles:	   TSC ticks from each exit to the entry that followed it, by the slot
 *		   of the exit; the last one, which nobody reads, is for what was
 *		   before the first exit
 * @outside_since: TSC at the last exit
 * @slot:	   slot of the last exit
 */
struct kvm_exitcount {
	u64 cycles[KVM_EXITCOUNT_SLOTS + 1];
	u64 outside_since;
	unsigned int slot;
};

#endif /* _ASM_X86_KVM_EXITCOUNT_H */
