/* SPDX-License-Identifier: GPL-2.0-only */
/* L1 on the host's own KVM, where that nests. */
#include "l1/host.h"
#include "l1/libvirt.h"

/* What another machine can do, which a URI may name, only its libvirt knows. */
static bool kvm_available(const struct config *config, const char *kernel_conf, GError **error)
{
	struct host host;
	bool ok;

	if (*config->kvm.uri != '\0')
		return libvirt_available(&config->kvm, kernel_conf, error);
	host_read("", &host);
	ok = host_can_nest(&host, error) && libvirt_available(&config->kvm, kernel_conf, error);
	host_clear(&host);
	return ok;
}

static void kvm_describe(const struct config *config, struct record_platform *out)
{
	struct host host;

	host_read("", &host);
	record_set_string(&out->name, "kvm");
	record_set_string(&out->emulator, "QEMU");
	record_set_string(&out->cpu, host.cpu);
	record_set_string(&out->vendor, host.vendor != NULL ? host.vendor : "vmx");
	out->cpus = record_u64_from(config->kvm.cpus);
	host_clear(&host);
}

static struct libvirt_l1 l1_of(const struct platform_request *request)
{
	return (struct libvirt_l1){
		.type = "kvm",
		.config = &request->config->kvm,
	};
}

static void kvm_parts(const struct platform_request *request, struct platform_parts *out)
{
	const struct libvirt_l1 l1 = l1_of(request);

	libvirt_parts(request, &l1, out);
}

static char *kvm_command(const struct platform_request *request, GError **error)
{
	const struct libvirt_l1 l1 = l1_of(request);

	return libvirt_command(request, &l1, error);
}

static bool kvm_boot(const struct platform_request *request, struct record_platform *platform,
		     struct record_u64 *ticks, GError **error)
{
	const struct libvirt_l1 l1 = l1_of(request);

	*ticks = (struct record_u64){ .known = false };
	return libvirt_boot(request, &l1, platform, error);
}

const struct platform platform_kvm = {
	.name = "kvm",
	.what = "L1 on this machine's own KVM, which must nest",
	.takes_guest = true,
	.available = kvm_available,
	.describe = kvm_describe,
	.parts = kvm_parts,
	.command = kvm_command,
	.boot = kvm_boot,
};
