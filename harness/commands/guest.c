/* SPDX-License-Identifier: GPL-2.0-only */
#include "commands/guest.h"

#include "commands/capabilities.h"
#include "model/job.h"

/* How long libguestfs may take, wall clock: fifteen times what it takes without KVM. */
#define INJECT_SECONDS 300

static const char *or_built(const char *configured, const char *built)
{
	return *configured != '\0' ? configured : built;
}

static void on_step(const char *text, void *data)
{
	g_autofree char *line = g_strconcat("L0: ", text, NULL);

	progress_step(data, line);
}

bool guest_prepare(const struct experiment *experiment, struct progress *progress,
		   struct guest *guest, GError **error)
{
	const struct paths *paths = experiment->paths;
	const struct config_l2 *l2 = &experiment->config->l2;
	const struct guest_inject_request request = {
		.base_image = or_built(l2->image, paths->l2_base_image),
		.probe = or_built(l2->probe, paths->probe),
		.workloads = paths->workloads,
		.cache = paths->guest_cache,
		.helper = paths->guestfs_helper,
		.seconds = INJECT_SECONDS,
		.progress = on_step,
		.progress_data = progress,
		.cancellable = experiment->cancellable,
	};

	progress_step(progress, "L0: looking for the probe in the L2 image");
	*guest = (struct guest){ .capabilities = NULL };
	if (!guest_inject(&request, &guest->injected, error))
		return false;
	guest->capabilities = capabilities_get(experiment, progress, error);
	return guest->capabilities != NULL;
}

void guest_clear(struct guest *guest)
{
	guest_injected_clear(&guest->injected);
	g_clear_pointer(&guest->capabilities, g_free);
}

const char *guest_kernel(const struct experiment *experiment, const char *workload)
{
	const struct config_l2 *l2 = &experiment->config->l2;

	return job_is_dose(workload) ? or_built(l2->doses, experiment->paths->l2_doses)
				     : or_built(l2->kernel, experiment->paths->l2_kernel);
}

void guest_request(const struct experiment *experiment, const struct guest *guest,
		   struct platform_request *request)
{
	const struct paths *paths = experiment->paths;
	const struct config *config = experiment->config;

	*request = (struct platform_request){
		.config = config,
		.l1_kernel = paths->l1_kernel,
		.appliance = paths->appliance,
		.modules = or_built(config->l1.modules, paths->modules),
		.l2_kernel = or_built(config->l2.kernel, paths->l2_kernel),
		.l2_doses = or_built(config->l2.doses, paths->l2_doses),
		.l2_domain = paths->l2_domain,
		.l2_image = guest->injected.image,
		.capabilities = guest->capabilities,
		.bochs_time = paths->bochs_time,
		.l1_domain = paths->l1_domain,
		.qemu_conf = paths->qemu_conf,
		.libvirt_cache = paths->libvirt_cache,
		.cancellable = experiment->cancellable,
	};
}
