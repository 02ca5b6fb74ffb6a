/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_DOSES_MACHINE_H
#define EPTLAB_DOSES_MACHINE_H

/* Numbers that entry.S and C share; the rest of this file is for C. */

#define SELECTOR_CODE	    0x08
#define SELECTOR_DATA	    0x10
#define SELECTOR_CODE32	    0x18
#define SELECTOR_USER_DATA  0x23
#define SELECTOR_USER_CODE  0x2b
#define SELECTOR_TSS	    0x30 /* of the first CPU; 16 bytes further that of the second */
#define SELECTOR_TSS_SECOND 0x40

#define VECTOR_WAKE	0x20 /* the timer, and what wakes the second CPU */
#define VECTOR_LEAVE	0x80 /* out of ring 3 */
#define VECTOR_SPURIOUS 0xff
#define EXCEPTIONS	32
#define EXCEPTION_STUB	16 /* bytes of each stub */

/* Where the second CPU begins, in real mode: a page below 1 MiB that nothing needs any more. */
#define TRAMPOLINE 0x8000

/* Bits of a page-table entry: open to ring 3 and to writes, accessed and written to before. */
#define PTE_FLAGS 0x67
#define PTE_LARGE 0x80
#define PAGE_SIZE 4096

#define STACK_SIZE 16384

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Instructions ---- */

static inline void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void outw(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

static inline void barrier(void)
{
	__asm__ volatile("" : : : "memory");
}

/* ---- entry.S ---- */

/* Physical address of what PVH says, and the two ends of the image. */
extern uint32_t start_info;
extern char image_start[], image_end[];

/* Where a CPU goes once it is in 64-bit mode, and with which stack. */
extern void (*volatile entry_function)(void);
extern char *volatile entry_stack;

extern uint64_t gdt[];
extern char trampoline[];
extern const uint64_t trampoline_size;

extern uint64_t pml4[], pdpt[], page_directory[];

extern char exception_stubs[], wake_stub[], leave_stub[];

/*
 * Run function(argument) in ring 3, on a stack of its own, and return when it does. Down by IRETQ
 * and back by INT: neither is an exit.
 */
void ring3_call(void (*function)(uint64_t argument), uint64_t argument);

/* What exception_stubs call; does not return. */
void exception(uint64_t vector, const uint64_t *frame);

/* ---- machine.c ---- */

/* Set up what every CPU needs: descriptors, and the local APIC. second: the CPU started later. */
void machine_init(void);
void machine_init_cpu(bool second);

/* Is that bit of ECX of CPUID leaf 1 set? */
bool machine_has_feature(uint32_t bit);

/* How many vCPUs the machine has. */
unsigned int machine_cpus(void);

/* Start the second CPU; it runs function. */
void machine_start_second(void (*function)(void));

/*
 * Halt until the local APIC's timer wakes the CPU, nanoseconds from now: one write of an MSR, HLT,
 * and one write for the end of the interrupt.
 */
void machine_sleep(uint32_t nanoseconds);

/* Halt until the other CPU calls machine_wake_second; and the end of that interrupt. */
void machine_sleep_until_woken(void);
void machine_wake_second(void);

void __attribute__((noreturn)) machine_stop(void);
void __attribute__((noreturn)) machine_power_off(void);

/* Say why on the console, and power off: L1 sees a VM that ended without a set of frames. */
void __attribute__((noreturn, format(printf, 1, 2))) machine_fail(const char *format, ...);

/* One line on the console. */
void __attribute__((format(printf, 1, 2))) machine_say(const char *format, ...);

/* The second serial port, for frames. */
bool machine_send(void *data, const char *bytes, size_t length);
void machine_drain(void);

#endif
#endif
