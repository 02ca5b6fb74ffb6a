/* SPDX-License-Identifier: GPL-2.0-only */
/* L1's CPU is an AMD one, emulated by QEMU (TCG): SVM with nested paging. Works anywhere. */
#include "l1/libvirt.h"

static void tcg_describe(const struct config *config, struct record_platform *out)
{
	record_set_string(&out->name, "tcg");
	record_set_string(&out->emulator, "QEMU");
	record_set_string(&out->cpu, config->tcg.cpu);
	record_set_string(&out->vendor, "svm");
	out->deterministic = RECORD_FALSE;
}

static struct libvirt_l1 l1_of(const struct platform_request *request)
{
	return (struct libvirt_l1){
		.type = "qemu",
		.cpu = request->config->tcg.cpu,
		.config = &request->config->tcg,
	};
}

static void tcg_parts(const struct platform_request *request, struct platform_parts *out)
{
	const struct libvirt_l1 l1 = l1_of(request);

	libvirt_parts(request, &l1, out);
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
	.available = libvirt_available,
	.describe = tcg_describe,
	.parts = tcg_parts,
	.boot = tcg_boot,
};
