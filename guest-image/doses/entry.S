/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The dose guest's way into 64-bit mode, and the few things that cannot be said in C.
 *
 * Entered through PVH: 32-bit protected mode, flat segments, no paging, EBX = address of the start
 * info (Linux: Documentation/x86/boot.rst and include/xen/interface/hvm/start_info.h).
 */
#include "machine.h"

#define XEN_ELFNOTE_PHYS32_ENTRY 18

#define CR0_PE	     0x1
#define CR0_64BIT    0x80010033 /* PG, WP, NE, ET, MP, PE */
#define CR4_64BIT    0x620	/* PAE, and OSFXSR and OSXMMEXCPT for libraries that use SSE */
#define EFER	     0xc0000080
#define EFER_LME     0x100

	.section .note.Xen, "a", @note
	.balign 4
	.long	4
	.long	8
	.long	XEN_ELFNOTE_PHYS32_ENTRY
	.asciz	"Xen"
	.quad	entry

	.text
	.code32
	.globl	entry
entry:
	cli
	cld
	movl	%ebx, start_info

/* Both CPUs, in 32-bit mode. */
to_64bit:
	lgdt	gdt_pointer
	movl	$CR4_64BIT, %eax
	movl	%eax, %cr4
	movl	$pml4, %eax
	movl	%eax, %cr3
	movl	$EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	$CR0_64BIT, %eax
	movl	%eax, %cr0
	ljmp	$SELECTOR_CODE, $in_64bit

	.code64
in_64bit:
	movl	$SELECTOR_DATA, %eax
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	movq	entry_stack, %rsp
	xorl	%ebp, %ebp
	call	*entry_function
	ud2

/* ---- The second CPU: copied to TRAMPOLINE, where it begins in real mode ---- */

	.code16
	.globl	trampoline, trampoline_size
trampoline:
	cli
	cld
	xorw	%ax, %ax
	movw	%ax, %ds
	lgdtl	TRAMPOLINE + trampoline_gdt - trampoline
	movl	$CR0_PE, %eax
	movl	%eax, %cr0
	ljmpl	$SELECTOR_CODE32, $second_32bit
	.balign 4
trampoline_gdt:
	.word	gdt_end - gdt - 1
	.long	gdt
trampoline_end:

	.code32
second_32bit:
	movl	$SELECTOR_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	jmp	to_64bit

/* ---- Interrupts ---- */

	.code64
/* Which exceptions push an error code: SDM vol. 3, table 6-1. The others get a 0. */
#define HAS_ERROR_CODE 0x60227d00

	.globl	exception_stubs
	.balign EXCEPTION_STUB
exception_stubs:
	.set	vector, 0
	.rept	EXCEPTIONS
	.balign EXCEPTION_STUB
	.if	((HAS_ERROR_CODE >> vector) & 1) == 0
	pushq	$0
	.endif
	pushq	$vector
	jmp	any_exception
	.set	vector, vector + 1
	.endr

any_exception:
	popq	%rdi
	movq	%rsp, %rsi
	andq	$-16, %rsp
	call	exception
	ud2

/* All that an interrupt has to do is end HLT; the end of the interrupt is told by who halted. */
	.globl	wake_stub
wake_stub:
	iretq

/* ---- Ring 3 ---- */

	.globl	ring3_call, leave_stub
ring3_call:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, ring0_stack
	movq	%rdi, %rbx
	movq	%rsi, %rdi
	pushq	$SELECTOR_USER_DATA
	pushq	$ring3_stack_top
	pushq	$2			/* RFLAGS: no interrupts, no I/O */
	pushq	$SELECTOR_USER_CODE
	pushq	$in_ring3
	iretq
in_ring3:
	call	*%rbx
	int	$VECTOR_LEAVE
	ud2
leave_stub:
	movq	ring0_stack, %rsp
	movl	$SELECTOR_DATA, %eax
	movl	%eax, %ss
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

/* ---- Data ---- */

	.data
	.balign 16
	.globl	gdt
/* Accessed bits are set, or the first use of each descriptor would write to it. */
gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* SELECTOR_CODE */
	.quad	0x00cf93000000ffff	/* SELECTOR_DATA */
	.quad	0x00cf9b000000ffff	/* SELECTOR_CODE32 */
	.quad	0x00cff3000000ffff	/* SELECTOR_USER_DATA */
	.quad	0x00affb000000ffff	/* SELECTOR_USER_CODE */
	.quad	0, 0			/* SELECTOR_TSS */
	.quad	0, 0			/* SELECTOR_TSS_SECOND */
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.quad	gdt

	.balign 8
trampoline_size:
	.quad	trampoline_end - trampoline
	.globl	start_info, entry_function, entry_stack
entry_function:
	.quad	guest_main
entry_stack:
	.quad	first_stack_top
ring0_stack:
	.quad	0
start_info:
	.long	0

	.bss
	.balign 16
	.skip	STACK_SIZE
first_stack_top:
	.skip	STACK_SIZE
ring3_stack_top:

/* The first GiB, each address mapped to itself. */
	.section .pagetables, "aw", @progbits
	.balign PAGE_SIZE
	.globl	pml4, pdpt, page_directory
pml4:
	.quad	pdpt + PTE_FLAGS
	.fill	511, 8, 0
pdpt:
	.quad	page_directory + PTE_FLAGS
	.fill	511, 8, 0
page_directory:
	.set	address, 0
	.rept	512
	.quad	address + PTE_LARGE + PTE_FLAGS
	.set	address, address + 0x200000
	.endr

	.section .note.GNU-stack, "", @progbits
