/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine.h"

#include <cpuid.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- Serial ports: 8250, as in every PC ---- */

#define CONSOLE 0x3f8
#define FRAMES	0x2f8

#define UART_DATA	  0
#define UART_INTERRUPTS	  1
#define UART_FIFO	  2
#define UART_LINE_CONTROL 3
#define UART_LINE_STATUS  5

#define UART_8N1      0x03
#define UART_DIVISOR  0x80 /* of UART_LINE_CONTROL: the first two registers are the divisor */
#define UART_FIFO_ON  0x07
#define UART_MAY_SEND 0x20 /* of UART_LINE_STATUS */
#define UART_ALL_SENT 0x40
/* Of a 16550A. */
#define UART_FIFO_SIZE 16

static void uart_init(uint16_t port)
{
	outb(port + UART_INTERRUPTS, 0);
	outb(port + UART_LINE_CONTROL, UART_DIVISOR | UART_8N1);
	outb(port + UART_DATA, 1); /* 115200 baud */
	outb(port + UART_INTERRUPTS, 0);
	outb(port + UART_LINE_CONTROL, UART_8N1);
	outb(port + UART_FIFO, UART_FIFO_ON);
}

static void uart_wait(uint16_t port, uint8_t status)
{
	while (!(inb(port + UART_LINE_STATUS) & status))
		;
}

static void uart_send(uint16_t port, const char *bytes, size_t length)
{
	size_t i;

	/* "May send" is: the whole FIFO is empty. Each question is an exit to QEMU, as is a byte.
	 */
	for (i = 0; i < length; i++) {
		if (i % UART_FIFO_SIZE == 0)
			uart_wait(port, UART_MAY_SEND);
		outb(port + UART_DATA, (uint8_t)bytes[i]);
	}
}

bool machine_send(void *data, const char *bytes, size_t length)
{
	(void)data;
	uart_send(FRAMES, bytes, length);
	return true;
}

void machine_drain(void)
{
	uart_wait(FRAMES, UART_ALL_SENT);
	uart_wait(CONSOLE, UART_ALL_SENT);
}

static void __attribute__((format(printf, 1, 0))) say(const char *format, va_list args)
{
	char text[256];

	vsnprintf(text, sizeof(text), format, args);
	uart_send(CONSOLE, "doses: ", strlen("doses: "));
	uart_send(CONSOLE, text, strlen(text));
	uart_send(CONSOLE, "\n", 1);
}

void machine_say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
}

/* ---- The end ---- */

/* PM1a control of the PIIX4 in QEMU's machine "pc", where SeaBIOS puts it: SLP_EN, and type 0. */
#define ACPI_PM1A_CONTROL 0x604
#define ACPI_SLEEP	  0x2000

void machine_stop(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

void machine_power_off(void)
{
	machine_drain();
	outw(ACPI_PM1A_CONTROL, ACPI_SLEEP);
	machine_stop();
}

void machine_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	machine_power_off();
}

/* frame: error code, RIP, CS, RFLAGS, RSP, SS (SDM vol. 3, "64-Bit Mode Stack Frame"). */
void exception(uint64_t vector, const uint64_t *frame)
{
	uint64_t cr2;

	__asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
	machine_fail("panic: exception %lu, error code 0x%lx, at 0x%lx:0x%lx, CR2 0x%lx", vector,
		     frame[0], frame[2], frame[1], cr2);
}

/* ---- Descriptors ---- */

#define GATE_INTERRUPT 0x8e
#define GATE_RING3     0x60
#define TSS_AVAILABLE  0x89

struct __attribute__((packed)) gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved;
};

struct __attribute__((packed)) tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_bitmap; /* beyond the limit: there is none */
};

struct __attribute__((packed)) table_pointer {
	uint16_t limit;
	uint64_t base;
};

static struct gate idt[256] __attribute__((aligned(16)));
static struct tss tss[2] __attribute__((aligned(16)));
static char interrupt_stacks[2][STACK_SIZE] __attribute__((aligned(16)));
static char second_stack[STACK_SIZE] __attribute__((aligned(16)));

static void set_gate(unsigned int vector, const char *stub, uint8_t type)
{
	const uint64_t offset = (uint64_t)stub;

	idt[vector] = (struct gate){
		.offset_low = (uint16_t)offset,
		.selector = SELECTOR_CODE,
		.type = type,
		.offset_middle = (uint16_t)(offset >> 16),
		.offset_high = (uint32_t)(offset >> 32),
	};
}

static void make_idt(void)
{
	unsigned int vector;

	for (vector = 0; vector < EXCEPTIONS; vector++)
		set_gate(vector, exception_stubs + (size_t)vector * EXCEPTION_STUB, GATE_INTERRUPT);
	set_gate(VECTOR_WAKE, wake_stub, GATE_INTERRUPT);
	set_gate(VECTOR_SPURIOUS, wake_stub, GATE_INTERRUPT);
	set_gate(VECTOR_LEAVE, leave_stub, GATE_INTERRUPT | GATE_RING3);
}

static void load_descriptors(bool second)
{
	const uint16_t selector = second ? SELECTOR_TSS_SECOND : SELECTOR_TSS;
	const struct table_pointer pointer = { sizeof(idt) - 1, (uint64_t)idt };
	const uint64_t base = (uint64_t)&tss[second];

	tss[second].rsp[0] = (uint64_t)&interrupt_stacks[second][STACK_SIZE];
	tss[second].io_bitmap = sizeof(struct tss);
	gdt[selector / 8] = (sizeof(struct tss) - 1) | (base & 0xffffff) << 16 |
			    (uint64_t)TSS_AVAILABLE << 40 | (base >> 24 & 0xff) << 56;
	gdt[selector / 8 + 1] = base >> 32;
	__asm__ volatile("lidt %0; ltr %1" : : "m"(pointer), "r"(selector));
}

/* ---- The local APIC ---- */

/*
 * x2APIC, because each access is one RDMSR or WRMSR that KVM intercepts, whatever the paging. In
 * xAPIC mode it is an access to memory: APIC_ACCESS, EPT_MISCONFIG or a page fault, depending on
 * what the CPU can virtualize.
 */
#define MSR_APIC_BASE	  0x1b
#define APIC_BASE_X2APIC  0x400
#define APIC_BASE_ENABLED 0x800
#define MSR_X2APIC	  0x800

/* Offsets as in xAPIC mode; an MSR is for 16 bytes of them. */
#define APIC_TPR	   0x80
#define APIC_EOI	   0xb0
#define APIC_SPURIOUS	   0xf0
#define APIC_ICR	   0x300
#define APIC_TIMER	   0x320
#define APIC_LINT0	   0x350
#define APIC_INITIAL_COUNT 0x380
#define APIC_DIVIDE	   0x3e0

#define APIC_SPURIOUS_ENABLED 0x100
#define APIC_MASKED	      0x10000
#define APIC_DIVIDE_BY_1      0xb
#define APIC_ICR_FIXED	      0x4000
#define APIC_ICR_INIT	      0x4500
#define APIC_ICR_STARTUP      0x4600

/* APIC ID of the second CPU: QEMU numbers them from 0. */
#define SECOND_ID 1

#define CPUID_FEATURES	     1
#define CPUID_FEATURE_X2APIC (1U << 21)

/* From INIT to SIPI: SDM vol. 3, "Typical BSP Initialization Sequence". */
#define INIT_NANOSECONDS 10000000

static void apic_write(uint32_t offset, uint64_t value)
{
	wrmsr(MSR_X2APIC + (offset >> 4), value);
}

static void apic_send(uint32_t command)
{
	apic_write(APIC_ICR, (uint64_t)SECOND_ID << 32 | command);
}

bool machine_has_feature(uint32_t bit)
{
	uint32_t eax, ebx, ecx, edx;

	__cpuid(CPUID_FEATURES, eax, ebx, ecx, edx);
	return ecx & bit;
}

/* One shot, and a tick is a nanosecond: KVM's APIC_BUS_CYCLE_NS is 1, as is QEMU's period. */
static void apic_init(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLED | APIC_BASE_X2APIC);
	apic_write(APIC_SPURIOUS, APIC_SPURIOUS_ENABLED | VECTOR_SPURIOUS);
	apic_write(APIC_TPR, 0);
	apic_write(APIC_LINT0, APIC_MASKED);
	apic_write(APIC_DIVIDE, APIC_DIVIDE_BY_1);
	apic_write(APIC_TIMER, VECTOR_WAKE);
}

/* STI takes effect after the next instruction, so that nothing can come before HLT. */
void machine_sleep_until_woken(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
	apic_write(APIC_EOI, 0);
}

void machine_sleep(uint32_t nanoseconds)
{
	apic_write(APIC_INITIAL_COUNT, nanoseconds);
	machine_sleep_until_woken();
}

void machine_wake_second(void)
{
	apic_send(APIC_ICR_FIXED | VECTOR_WAKE);
}

void machine_start_second(void (*function)(void))
{
	entry_function = function;
	entry_stack = second_stack + STACK_SIZE;
	memcpy((void *)TRAMPOLINE, trampoline, trampoline_size);
	apic_send(APIC_ICR_INIT);
	machine_sleep(INIT_NANOSECONDS);
	apic_send(APIC_ICR_STARTUP | TRAMPOLINE / PAGE_SIZE);
}

/* ---- All of it ---- */

#define PIC_MASK_1    0x21
#define PIC_MASK_2    0xa1
#define PIT_COUNT_0   0x40
#define PIT_CONTROL   0x43
#define PIT_ONE_SHOT  0x30 /* counter 0, both bytes, mode 0 */
#define FW_CFG_SELECT 0x510
#define FW_CFG_DATA   0x511
#define FW_CFG_CPUS   5

/* QEMU's fw_cfg. The ACPI tables know it as well, but are long to read. */
unsigned int machine_cpus(void)
{
	unsigned int cpus;

	outw(FW_CFG_SELECT, FW_CFG_CPUS);
	cpus = inb(FW_CFG_DATA);
	return cpus | (unsigned int)inb(FW_CFG_DATA) << 8;
}

/*
 * SeaBIOS leaves the PIT ticking. Its interrupts would end a HLT and pend while interrupts are off,
 * so they are masked, and the PIT ends after one tick, since each of its ticks costs L1 time.
 */
static void silence_pc(void)
{
	outb(PIC_MASK_1, 0xff);
	outb(PIC_MASK_2, 0xff);
	outb(PIT_CONTROL, PIT_ONE_SHOT);
	outb(PIT_COUNT_0, 1);
	outb(PIT_COUNT_0, 0);
}

void machine_init_cpu(bool second)
{
	load_descriptors(second);
	apic_init();
}

void machine_init(void)
{
	uart_init(CONSOLE);
	uart_init(FRAMES);
	make_idt();
	silence_pc();
	if (!machine_has_feature(CPUID_FEATURE_X2APIC))
		machine_fail("this CPU has no x2APIC, without which hlt and smp do not cost what "
			     "they should");
	machine_init_cpu(false);
}
