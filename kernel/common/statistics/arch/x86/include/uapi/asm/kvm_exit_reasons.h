/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Reasons of VM exits, and the buckets of KVM's statistic exit_reasons.
 *
 * exit_reasons is a histogram of each vCPU (KVM_GET_STATS_FD) with one bucket a
 * reason, in ascending order of the reasons:
 *
 *   VMX  bucket = basic exit reason
 *   SVM  bucket = exit code up to KVM_EXITCOUNT_SVM_BASE_HIGHEST, and from
 *        KVM_EXITCOUNT_SVM_NPF on the buckets right behind, since there is
 *        nothing in between
 *
 * KVM_EXITCOUNT_OVERFLOW is the last bucket, and that of whatever has none, so
 * the sum over all buckets is the number of exits in any case.
 *
 * This header includes nothing, so that a program can use it as it is.
 */
#ifndef _UAPI_ASM_X86_KVM_EXIT_REASONS_H
#define _UAPI_ASM_X86_KVM_EXIT_REASONS_H

/*
 * construct(number, NAME) for each basic exit reason of the Intel SDM (order
 * number 325462, editions up to 2025), vol. 3, appendix C, table C-1.  A number
 * is not given out twice, so a reason stays defined once it was, as did 70,
 * which some editions leave out.  35, 38, 42, 71, 82 and 83 were never defined.
 * Names are those of VMX_EXIT_REASONS in <asm/vmx.h>, where it has the reason.
 */
#define KVM_EXITCOUNT_VMX_REASONS(construct)	\
	construct(0, EXCEPTION_NMI)		\
	construct(1, EXTERNAL_INTERRUPT)	\
	construct(2, TRIPLE_FAULT)		\
	construct(3, INIT_SIGNAL)		\
	construct(4, SIPI_SIGNAL)		\
	construct(5, IO_SMI)			\
	construct(6, OTHER_SMI)			\
	construct(7, INTERRUPT_WINDOW)		\
	construct(8, NMI_WINDOW)		\
	construct(9, TASK_SWITCH)		\
	construct(10, CPUID)			\
	construct(11, GETSEC)			\
	construct(12, HLT)			\
	construct(13, INVD)			\
	construct(14, INVLPG)			\
	construct(15, RDPMC)			\
	construct(16, RDTSC)			\
	construct(17, RSM)			\
	construct(18, VMCALL)			\
	construct(19, VMCLEAR)			\
	construct(20, VMLAUNCH)			\
	construct(21, VMPTRLD)			\
	construct(22, VMPTRST)			\
	construct(23, VMREAD)			\
	construct(24, VMRESUME)			\
	construct(25, VMWRITE)			\
	construct(26, VMOFF)			\
	construct(27, VMON)			\
	construct(28, CR_ACCESS)		\
	construct(29, DR_ACCESS)		\
	construct(30, IO_INSTRUCTION)		\
	construct(31, MSR_READ)			\
	construct(32, MSR_WRITE)		\
	construct(33, INVALID_STATE)		\
	construct(34, MSR_LOAD_FAIL)		\
	construct(36, MWAIT_INSTRUCTION)	\
	construct(37, MONITOR_TRAP_FLAG)	\
	construct(39, MONITOR_INSTRUCTION)	\
	construct(40, PAUSE_INSTRUCTION)	\
	construct(41, MCE_DURING_VMENTRY)	\
	construct(43, TPR_BELOW_THRESHOLD)	\
	construct(44, APIC_ACCESS)		\
	construct(45, EOI_INDUCED)		\
	construct(46, GDTR_IDTR)		\
	construct(47, LDTR_TR)			\
	construct(48, EPT_VIOLATION)		\
	construct(49, EPT_MISCONFIG)		\
	construct(50, INVEPT)			\
	construct(51, RDTSCP)			\
	construct(52, PREEMPTION_TIMER)		\
	construct(53, INVVPID)			\
	construct(54, WBINVD)			\
	construct(55, XSETBV)			\
	construct(56, APIC_WRITE)		\
	construct(57, RDRAND)			\
	construct(58, INVPCID)			\
	construct(59, VMFUNC)			\
	construct(60, ENCLS)			\
	construct(61, RDSEED)			\
	construct(62, PML_FULL)			\
	construct(63, XSAVES)			\
	construct(64, XRSTORS)			\
	construct(65, PCONFIG)			\
	construct(66, SPP_EVENT)		\
	construct(67, UMWAIT)			\
	construct(68, TPAUSE)			\
	construct(69, LOADIWKEY)		\
	construct(70, ENCLV)			\
	construct(72, ENQCMD_PASID)		\
	construct(73, ENQCMDS_PASID)		\
	construct(74, BUS_LOCK)			\
	construct(75, NOTIFY)			\
	construct(76, SEAMCALL)			\
	construct(77, TDCALL)			\
	construct(78, RDMSRLIST)		\
	construct(79, WRMSRLIST)		\
	construct(80, URDMSR)			\
	construct(81, UWRMSR)			\
	construct(84, MSR_READ_IMM)		\
	construct(85, MSR_WRITE_IMM)

/*
 * The same for each exit code of the AMD APM (publication 24593, editions up to
 * 2024), vol. 2, appendix C, table C-1.  In two parts, as there is nothing from
 * 0xa7 to 0x3ff.  Codes -1 to -4 are not in the list, as they say why VMRUN did
 * not enter the guest and thus are no exits, nor is 0xf0000000, which no CPU
 * reports.  Names are those of SVM_EXIT_* in <asm/svm.h>, where it has the code,
 * and otherwise the manual's, in the same order of words; exceptions are named
 * by their mnemonic, or by their vector if that has none of its own.
 */
#define KVM_EXITCOUNT_SVM_BASE_REASONS(construct)	\
	construct(0x00, READ_CR0)		\
	construct(0x01, READ_CR1)		\
	construct(0x02, READ_CR2)		\
	construct(0x03, READ_CR3)		\
	construct(0x04, READ_CR4)		\
	construct(0x05, READ_CR5)		\
	construct(0x06, READ_CR6)		\
	construct(0x07, READ_CR7)		\
	construct(0x08, READ_CR8)		\
	construct(0x09, READ_CR9)		\
	construct(0x0a, READ_CR10)		\
	construct(0x0b, READ_CR11)		\
	construct(0x0c, READ_CR12)		\
	construct(0x0d, READ_CR13)		\
	construct(0x0e, READ_CR14)		\
	construct(0x0f, READ_CR15)		\
	construct(0x10, WRITE_CR0)		\
	construct(0x11, WRITE_CR1)		\
	construct(0x12, WRITE_CR2)		\
	construct(0x13, WRITE_CR3)		\
	construct(0x14, WRITE_CR4)		\
	construct(0x15, WRITE_CR5)		\
	construct(0x16, WRITE_CR6)		\
	construct(0x17, WRITE_CR7)		\
	construct(0x18, WRITE_CR8)		\
	construct(0x19, WRITE_CR9)		\
	construct(0x1a, WRITE_CR10)		\
	construct(0x1b, WRITE_CR11)		\
	construct(0x1c, WRITE_CR12)		\
	construct(0x1d, WRITE_CR13)		\
	construct(0x1e, WRITE_CR14)		\
	construct(0x1f, WRITE_CR15)		\
	construct(0x20, READ_DR0)		\
	construct(0x21, READ_DR1)		\
	construct(0x22, READ_DR2)		\
	construct(0x23, READ_DR3)		\
	construct(0x24, READ_DR4)		\
	construct(0x25, READ_DR5)		\
	construct(0x26, READ_DR6)		\
	construct(0x27, READ_DR7)		\
	construct(0x28, READ_DR8)		\
	construct(0x29, READ_DR9)		\
	construct(0x2a, READ_DR10)		\
	construct(0x2b, READ_DR11)		\
	construct(0x2c, READ_DR12)		\
	construct(0x2d, READ_DR13)		\
	construct(0x2e, READ_DR14)		\
	construct(0x2f, READ_DR15)		\
	construct(0x30, WRITE_DR0)		\
	construct(0x31, WRITE_DR1)		\
	construct(0x32, WRITE_DR2)		\
	construct(0x33, WRITE_DR3)		\
	construct(0x34, WRITE_DR4)		\
	construct(0x35, WRITE_DR5)		\
	construct(0x36, WRITE_DR6)		\
	construct(0x37, WRITE_DR7)		\
	construct(0x38, WRITE_DR8)		\
	construct(0x39, WRITE_DR9)		\
	construct(0x3a, WRITE_DR10)		\
	construct(0x3b, WRITE_DR11)		\
	construct(0x3c, WRITE_DR12)		\
	construct(0x3d, WRITE_DR13)		\
	construct(0x3e, WRITE_DR14)		\
	construct(0x3f, WRITE_DR15)		\
	construct(0x40, EXCP_DE)		\
	construct(0x41, EXCP_DB)		\
	construct(0x42, EXCP_2)			\
	construct(0x43, EXCP_BP)		\
	construct(0x44, EXCP_OF)		\
	construct(0x45, EXCP_BR)		\
	construct(0x46, EXCP_UD)		\
	construct(0x47, EXCP_NM)		\
	construct(0x48, EXCP_DF)		\
	construct(0x49, EXCP_9)			\
	construct(0x4a, EXCP_TS)		\
	construct(0x4b, EXCP_NP)		\
	construct(0x4c, EXCP_SS)		\
	construct(0x4d, EXCP_GP)		\
	construct(0x4e, EXCP_PF)		\
	construct(0x4f, EXCP_15)		\
	construct(0x50, EXCP_MF)		\
	construct(0x51, EXCP_AC)		\
	construct(0x52, EXCP_MC)		\
	construct(0x53, EXCP_XF)		\
	construct(0x54, EXCP_20)		\
	construct(0x55, EXCP_CP)		\
	construct(0x56, EXCP_22)		\
	construct(0x57, EXCP_23)		\
	construct(0x58, EXCP_24)		\
	construct(0x59, EXCP_25)		\
	construct(0x5a, EXCP_26)		\
	construct(0x5b, EXCP_27)		\
	construct(0x5c, EXCP_HV)		\
	construct(0x5d, EXCP_VC)		\
	construct(0x5e, EXCP_SX)		\
	construct(0x5f, EXCP_31)		\
	construct(0x60, INTR)			\
	construct(0x61, NMI)			\
	construct(0x62, SMI)			\
	construct(0x63, INIT)			\
	construct(0x64, VINTR)			\
	construct(0x65, CR0_SEL_WRITE)		\
	construct(0x66, IDTR_READ)		\
	construct(0x67, GDTR_READ)		\
	construct(0x68, LDTR_READ)		\
	construct(0x69, TR_READ)		\
	construct(0x6a, IDTR_WRITE)		\
	construct(0x6b, GDTR_WRITE)		\
	construct(0x6c, LDTR_WRITE)		\
	construct(0x6d, TR_WRITE)		\
	construct(0x6e, RDTSC)			\
	construct(0x6f, RDPMC)			\
	construct(0x70, PUSHF)			\
	construct(0x71, POPF)			\
	construct(0x72, CPUID)			\
	construct(0x73, RSM)			\
	construct(0x74, IRET)			\
	construct(0x75, SWINT)			\
	construct(0x76, INVD)			\
	construct(0x77, PAUSE)			\
	construct(0x78, HLT)			\
	construct(0x79, INVLPG)			\
	construct(0x7a, INVLPGA)		\
	construct(0x7b, IOIO)			\
	construct(0x7c, MSR)			\
	construct(0x7d, TASK_SWITCH)		\
	construct(0x7e, FERR_FREEZE)		\
	construct(0x7f, SHUTDOWN)		\
	construct(0x80, VMRUN)			\
	construct(0x81, VMMCALL)		\
	construct(0x82, VMLOAD)			\
	construct(0x83, VMSAVE)			\
	construct(0x84, STGI)			\
	construct(0x85, CLGI)			\
	construct(0x86, SKINIT)			\
	construct(0x87, RDTSCP)			\
	construct(0x88, ICEBP)			\
	construct(0x89, WBINVD)			\
	construct(0x8a, MONITOR)		\
	construct(0x8b, MWAIT)			\
	construct(0x8c, MWAIT_COND)		\
	construct(0x8d, XSETBV)			\
	construct(0x8e, RDPRU)			\
	construct(0x8f, EFER_WRITE_TRAP)	\
	construct(0x90, CR0_WRITE_TRAP)		\
	construct(0x91, CR1_WRITE_TRAP)		\
	construct(0x92, CR2_WRITE_TRAP)		\
	construct(0x93, CR3_WRITE_TRAP)		\
	construct(0x94, CR4_WRITE_TRAP)		\
	construct(0x95, CR5_WRITE_TRAP)		\
	construct(0x96, CR6_WRITE_TRAP)		\
	construct(0x97, CR7_WRITE_TRAP)		\
	construct(0x98, CR8_WRITE_TRAP)		\
	construct(0x99, CR9_WRITE_TRAP)		\
	construct(0x9a, CR10_WRITE_TRAP)	\
	construct(0x9b, CR11_WRITE_TRAP)	\
	construct(0x9c, CR12_WRITE_TRAP)	\
	construct(0x9d, CR13_WRITE_TRAP)	\
	construct(0x9e, CR14_WRITE_TRAP)	\
	construct(0x9f, CR15_WRITE_TRAP)	\
	construct(0xa0, INVLPGB)		\
	construct(0xa1, INVLPGB_ILLEGAL)	\
	construct(0xa2, INVPCID)		\
	construct(0xa3, MCOMMIT)		\
	construct(0xa4, TLBSYNC)		\
	construct(0xa5, BUSLOCK)		\
	construct(0xa6, IDLE_HLT)

#define KVM_EXITCOUNT_SVM_REASONS(construct)		\
	KVM_EXITCOUNT_SVM_BASE_REASONS(construct)	\
	construct(0x400, NPF)				\
	construct(0x401, AVIC_INCOMPLETE_IPI)		\
	construct(0x402, AVIC_UNACCELERATED_ACCESS)	\
	construct(0x403, VMGEXIT)

/* The highest number in such a list, whatever its order. */
#define __KVM_EXITCOUNT_ELEMENT(number, NAME)	\
	[number] = 0,
#define __KVM_EXITCOUNT_HIGHEST(REASONS)	\
	((unsigned int)sizeof((char []){ REASONS(__KVM_EXITCOUNT_ELEMENT) }) - 1)

#define KVM_EXITCOUNT_VMX_HIGHEST		\
	__KVM_EXITCOUNT_HIGHEST(KVM_EXITCOUNT_VMX_REASONS)
#define KVM_EXITCOUNT_SVM_BASE_HIGHEST		\
	__KVM_EXITCOUNT_HIGHEST(KVM_EXITCOUNT_SVM_BASE_REASONS)
#define KVM_EXITCOUNT_SVM_HIGHEST		\
	__KVM_EXITCOUNT_HIGHEST(KVM_EXITCOUNT_SVM_REASONS)
/* The lowest code of the second part. */
#define KVM_EXITCOUNT_SVM_NPF			0x400

/* Not macros, as what comes from a list cannot be used while the list expands. */
enum {
	KVM_EXITCOUNT_SVM_NPF_SLOT = KVM_EXITCOUNT_SVM_BASE_HIGHEST + 1,
	KVM_EXITCOUNT_OVERFLOW = KVM_EXITCOUNT_SVM_NPF_SLOT +
				 KVM_EXITCOUNT_SVM_HIGHEST - KVM_EXITCOUNT_SVM_NPF + 1,
	KVM_EXITCOUNT_SLOTS,
};

#endif /* _UAPI_ASM_X86_KVM_EXIT_REASONS_H */
