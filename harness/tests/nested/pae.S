/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Does a CPU write to a PDPTE of PAE paging? It has no accessed bit; bits 5 to 8 are reserved (SDM vol. 3,
 * 4.4.1 "PDPTE Registers"). A Multiboot kernel that switches PAE paging on and says what its only PDPTE
 * was before and is then, as two lines of eight digits on the first serial port, and powers off:
 *
 *	gcc -m32 -nostdlib -static -no-pie -Wl,-Ttext=0x100000 -Wl,--build-id=none -o pae pae.S
 *	qemu-system-x86_64 -accel tcg -m 32 -nodefaults -display none -serial stdio -kernel pae
 */
#define CR0_PG	     0x80000000
#define CR4_PAE	     0x20
#define COM1	     0x3f8
#define PM1A_CONTROL 0x604  /* of QEMU's machine pc; soft off is type 0 there */
#define SLEEP_ENABLE 0x2000

	.code32
	.text
	.globl _start
	.align 4
	.long 0x1badb002, 0, -0x1badb002 /* Multiboot's magic number, flags, checksum */
_start:
	mov $stack, %esp

	/* The first GiB in pages of 2 MiB: present, to be written to, large. */
	xor %ecx, %ecx
fill:	mov %ecx, %eax
	shl $21, %eax
	or $0x83, %eax
	mov %eax, directory(,%ecx,8)
	inc %ecx
	cmp $512, %ecx
	jne fill
	mov $directory, %eax
	or $1, %eax
	mov %eax, pointers

	mov %cr4, %eax
	or $CR4_PAE, %eax
	mov %eax, %cr4
	mov $pointers, %eax
	mov %eax, %cr3
	call say
	mov %cr0, %eax
	or $CR0_PG, %eax
	mov %eax, %cr0
	call say

	mov $PM1A_CONTROL, %dx
	mov $SLEEP_ENABLE, %ax
	out %ax, %dx
stop:	hlt
	jmp stop

say:	mov pointers, %ebx
	mov $8, %ecx
	mov $COM1, %dx
digit:	rol $4, %ebx
	mov %ebx, %eax
	and $15, %eax
	mov digits(%eax), %al
	out %al, %dx
	loop digit
	mov $'\n', %al
	out %al, %dx
	ret
digits:	.ascii "0123456789abcdef"

	.bss
	.align 4096
directory:
	.skip 4096
pointers:
	.skip 4096
	.skip 256
stack:
	.section .note.GNU-stack, "", @progbits
