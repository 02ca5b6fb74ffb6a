/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * CPUID leaves through which a guest reads its own VM-exit counts.
 *
 * This header, with the reasons in <asm/kvm_exit_reasons.h>, is all that the three
 * sides (KVM, a program in the guest and a tool that prints what the program found)
 * have to agree on, and each of them can use it as it is.
 *
 * KVM answers the leaves if kvm.ko was loaded with exitcount=1.
 *
 * All numbers are those of the calling VM, summed over its vCPUs, since the VM's
 * creation.  Counts and cycles have 64 bits and never go down.  Registers that
 * are not mentioned are 0 on return.
 */
#ifndef _UAPI_ASM_X86_KVM_EXITCOUNT_H
#define _UAPI_ASM_X86_KVM_EXITCOUNT_H

#include <asm/kvm_exit_reasons.h>

/*
 * Version of this interface, in EAX of KVM_EXITCOUNT_CPUID_SIGNATURE.
 *
 * Version 3 never waits for another vCPU, and may answer that the latch is in use.
 * Version 2 waited.  Version 1 lacked cycles and the latch, and answered their
 * leaves as KVM answers any unknown leaf, which on Intel is with the highest basic
 * leaf, not with zeros.
 */
#define KVM_EXITCOUNT_VERSION			3

/* In: ECX = reason.  Out: EAX, EBX = exits (low, high); see _UNDEFINED_EDX. */
#define KVM_EXITCOUNT_CPUID_EXITS		0x4ffffffeU
/*
 * Out: EAX, EBX = exits for all reasons (low, high), those for a reason that is
 * not defined included: if it is more than the sum over the defined reasons,
 * then the CPU is newer than the list of reasons.
 */
#define KVM_EXITCOUNT_CPUID_TOTAL_EXITS		0x4ffffffcU
/*
 * Out: EBX, ECX = cycles outside the guest, for all reasons (high, low).
 *
 * Cycles are ticks of the host's TSC from an exit until the next entry of the
 * same vCPU, whatever the host did meanwhile; after HLT this is the time asleep,
 * too.  They belong to the reason of the exit.  An exit has its count at once,
 * and its cycles when the vCPU has been entered again: those in progress, that
 * of the asking CPUID among them, are not included.
 *
 * All 0 unless KVM_EXITCOUNT_IN_EFFECT_CYCLES is set.
 */
#define KVM_EXITCOUNT_CPUID_TOTAL_CYCLES	0x4ffffffdU
/* In: ECX = reason.  Out: EBX, ECX = cycles outside the guest (high, low). */
#define KVM_EXITCOUNT_CPUID_CYCLES		0x4fffffffU
/* Out: EAX = version, EBX, ECX, EDX = signature. */
#define KVM_EXITCOUNT_CPUID_SIGNATURE		0x4fffff00U
/*
 * Out: EAX = KVM_EXITCOUNT_IN_EFFECT_* bits, EBX = KVM_EXITCOUNT_VENDOR_*,
 * ECX = highest reason that is defined, EDX = number of vCPUs that are summed.
 */
#define KVM_EXITCOUNT_CPUID_IN_EFFECT		0x4fffff01U
/*
 * Freeze.  Out: EAX, EBX = exits for all reasons (low, high), ECX = serial number
 * of the latch, from 1, modulo 2^32.  ECX on input does not matter.
 *
 * What is frozen is the VM at one instant between the exit of this CPUID, which
 * is counted, and the next entry.  The frozen exits add up to EAX, EBX; nothing
 * of the sort can be said of leaves that are read one after the other, as each
 * CPUID is an exit.  There is one latch a VM: vCPUs that latch each for itself
 * overwrite one another's.
 *
 * No vCPU is stopped for it, and none waits for another.  If the others exit so
 * often that KVM does not get to see the VM unchanged for as long as it takes to
 * look at it once, or if another vCPU uses the latch at this very moment, then KVM
 * gives up: EAX = EBX = ECX = 0, EDX = KVM_EXITCOUNT_NOT_LATCHED_EDX, and what
 * was frozen before stays frozen.  Try again.  With a single vCPU, or when the
 * other vCPUs are halted, this cannot happen.
 */
#define KVM_EXITCOUNT_CPUID_LATCH		0x4fffff02U
/*
 * In: ECX = reason.  Out: EAX, EBX = exits and ECX, EDX = cycles (low, high) when
 * frozen; 0 as long as nothing has been.  If another vCPU uses the latch at this
 * very moment: EAX = EBX = ECX = 0, EDX = KVM_EXITCOUNT_BUSY_EDX, which no cycles
 * can be, as there are none without an exit.  Try again.
 */
#define KVM_EXITCOUNT_CPUID_LATCHED		0x4fffff03U

/* "KVMexitcount" as EBX, ECX and EDX hold it. */
#define KVM_EXITCOUNT_SIGNATURE			"KVMexitcount"
#define KVM_EXITCOUNT_SIGNATURE_EBX		0x654d564bU	/* "KVMe" */
#define KVM_EXITCOUNT_SIGNATURE_ECX		0x63746978U	/* "xitc" */
#define KVM_EXITCOUNT_SIGNATURE_EDX		0x746e756fU	/* "ount" */

/*
 * EDX, with EAX = EBX = ECX = 0, for a reason that the vendor does not define.
 * A reason that is defined but never happens has a count like any other: 0.
 */
#define KVM_EXITCOUNT_UNDEFINED_EDX		0xffffffffU
#define KVM_EXITCOUNT_NOT_LATCHED_EDX		0xffffffffU
#define KVM_EXITCOUNT_BUSY_EDX			0xfffffffeU

/* What the vCPU really runs with, whatever the module was asked for. */
#define KVM_EXITCOUNT_IN_EFFECT_TDP		(1U << 0)	/* EPT, NPT */
#define KVM_EXITCOUNT_IN_EFFECT_TLB_TAG		(1U << 1)	/* VPID, ASID */
#define KVM_EXITCOUNT_IN_EFFECT_UNRESTRICTED	(1U << 2)	/* unrestricted guest (VMX) */
#define KVM_EXITCOUNT_IN_EFFECT_CYCLES		(1U << 3)	/* cycles are counted */

#define KVM_EXITCOUNT_VENDOR_VMX		1
#define KVM_EXITCOUNT_VENDOR_SVM		2

#endif /* _UAPI_ASM_X86_KVM_EXITCOUNT_H */
