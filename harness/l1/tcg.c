/* SPDX-License-Identifier: GPL-2.0-only */
/* L1's CPU is an AMD one, emulated by QEMU (TCG): SVM with nested paging. Works anywhere. */
#include "l1/libvirt.h"

static bool tcg_available(const struct config *config, const char *kernel_conf, GError **error)
{
	return libvirt_available(&config->tcg, kernel_conf, error);
}

static void tcg_describe(const struct config *config, struct record_platform *out)
{
	record_set_string(&out->name, "tcg");
	record_set_string(&out->emulator, "QEMU");
	record_set_string(&out->cpu, config->tcg.cpu);
	record_set_string(&out->vendor, "svm");
	out->cpus = record_u64_from(config->tcg.cpus);
}

/*
 * From 9.1 on, QEMU's TCG takes a guest's MOV from CR3, CR4 or CR8 for one from CR0: decode_op() in
 * target/i386/tcg/decode-new.c.inc adds the register's number to the exit code only where that is
 * not 0, and SVM_EXIT_READ_CR0 is. KVM without NPT does not intercept reads of CR0 once the guest
 * pages (svm_set_cr0() in svm.c), so L2 reads the CR3 of the shadow page tables instead of its own,
 * and Linux ends in its first page fault (__early_make_pgtable()); what KVM does see has the wrong
 * reason. Seen with 10.0.13, in whose source it stands; of newer ones nothing is known.
 */
#define QEMU_WRONG_FROM 9001000
#define QEMU_WRONG_TO	10001000

bool tcg_fits(const struct job *job, unsigned long version, GError **error)
{
	if (version < QEMU_WRONG_FROM || version >= QEMU_WRONG_TO)
		return true;
	for (guint i = 0; i < job->runs->len; i++) {
		const struct job_run *run = g_ptr_array_index(job->runs, i);

		if (!run->ept)
			return eptlab_fail(
				error, EPTLAB_ERROR_MACHINE,
				"L0: QEMU %lu.%lu, which emulates L1's CPU, lets L2 read KVM's CR3 "
				"instead of its own when npt=0 (a fault of QEMU 9.1 to 10.0), so "
				"L2 cannot run with %s; take the platform bochs, or a QEMU without "
				"it",
				version / 1000000, version / 1000 % 1000, run->name);
	}
	return true;
}

/*
 * An interrupt of L1's CPU is a bit of its interrupt_request in QEMU, which helper_vmrun() and
 * do_vmexit() (target/i386/tcg/sysemu/svm_helper.c) change without the lock that the thread with
 * the timers holds: what that sets in between is gone, while the local APIC takes it for pending.
 * If it was the timer's, L1 sleeps, or goes on with L2, until another interrupt comes. Seen with
 * 7.2.22 (docs/platforms.md).
 */
static struct libvirt_l1 l1_of(const struct platform_request *request)
{
	return (struct libvirt_l1){
		.type = "qemu",
		.cpu = request->config->tcg.cpu,
		.config = &request->config->tcg,
		.loses_interrupts = true,
		.fits = tcg_fits,
	};
}

static void tcg_parts(const struct platform_request *request, struct platform_parts *out)
{
	const struct libvirt_l1 l1 = l1_of(request);

	libvirt_parts(request, &l1, out);
}

static char *tcg_command(const struct platform_request *request, GError **error)
{
	const struct libvirt_l1 l1 = l1_of(request);

	return libvirt_command(request, &l1, error);
}

static bool tcg_boot(const struct platform_request *request, struct record_platform *platform,
		     struct record_u64 *ticks, GError **error)
{
	const struct libvirt_l1 l1 = l1_of(request);

	*ticks = (struct record_u64){ .known = false };
	return libvirt_boot(request, &l1, platform, error);
}

const struct platform platform_tcg = {
	.name = "tcg",
	.what = "L1 on an AMD CPU that QEMU emulates (SVM, NPT)",
	.takes_guest = true,
	.available = tcg_available,
	.describe = tcg_describe,
	.parts = tcg_parts,
	.command = tcg_command,
	.boot = tcg_boot,
};
