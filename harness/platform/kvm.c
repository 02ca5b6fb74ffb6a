/* SPDX-License-Identifier: GPL-2.0-only */
/* L1 on the host's own KVM, where that nests. */
#include "platform/libvirt.h"

static bool kvm_available(const struct config *config, GError **error)
{
	(void)config;
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_MACHINE, "L0: todo");
	return false;
}

static void kvm_describe(const struct config *config G_GNUC_UNUSED, struct record_platform *out)
{
	record_set_string(&out->name, "kvm");
	record_set_string(&out->emulator, "QEMU");
	out->deterministic = RECORD_FALSE;
}

static bool kvm_boot(const struct platform_request *request, struct record_platform *platform,
		     struct record_u64 *ticks, GError **error)
{
	const struct libvirt_l1 l1 = {
		.type = "kvm",
		.config = &request->config->kvm,
	};

	*ticks = (struct record_u64){ .known = false };
	return libvirt_boot(request, &l1, platform, error);
}

const struct platform platform_kvm = {
	.name = "kvm",
	.takes_guest = true,
	.available = kvm_available,
	.describe = kvm_describe,
	.boot = kvm_boot,
};
