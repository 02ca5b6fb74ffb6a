/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_L1_LIBVIRT_H
#define EPTLAB_L1_LIBVIRT_H

#include <stdbool.h>

#include "l1/platform.h"

/* What tells one platform that boots L1 as a libvirt domain from another: the CPU. */
struct libvirt_l1 {
	const char *type; /* of the domain: "qemu", "kvm" */
	const char *cpu;  /* a model of libvirt's; NULL: the host's own (host-passthrough) */
	const struct config_domain *config;
	bool loses_interrupts; /* and is woken when nothing has been heard of it */
	/*
	 * Can an emulator of this version (as virConnectGetVersion() says it) do the job?
	 * EPTLAB_ERROR_MACHINE says why not. NULL: any can.
	 */
	bool (*fits)(const struct job *job, unsigned long version, GError **error);
};

/* fits of the platform tcg. */
bool tcg_fits(const struct job *job, unsigned long version, GError **error);

/*
 * Is there what it takes to run such a domain here? EPTLAB_ERROR_MACHINE says what is missing.
 * EPTLAB_ERROR_USAGE: it has more CPUs than the kernel that was built can use, of which L1 would
 * say nothing.
 */
bool libvirt_available(const struct config_domain *domain, const char *kernel_conf, GError **error);

/* platform.parts, for such a platform. */
void libvirt_parts(const struct platform_request *request, const struct libvirt_l1 *l1,
		   struct platform_parts *out);

/* platform.command, for such a platform. */
char *libvirt_command(const struct platform_request *request, const struct libvirt_l1 *l1,
		      GError **error);

/* platform.boot, for such a platform. */
bool libvirt_boot(const struct platform_request *request, const struct libvirt_l1 *l1,
		  struct record_platform *platform, GError **error);

#endif
