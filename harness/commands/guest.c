/* SPDX-License-Identifier: GPL-2.0-only */
#include "commands/guest.h"

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
		   struct guest_injected *guest, GError **error)
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
	return guest_inject(&request, guest, error);
}

const char *guest_kernel(const struct experiment *experiment, const char *workload)
{
	const struct config_l2 *l2 = &experiment->config->l2;

	return job_is_dose(workload) ? or_built(l2->doses, experiment->paths->l2_doses)
				     : or_built(l2->kernel, experiment->paths->l2_kernel);
}

void guest_request(const struct experiment *experiment, const struct guest_injected *guest,
		   struct platform_request *request)
{
	const struct paths *paths = experiment->paths;
	const struct config *config = experiment->config;

	*request = (struct platform_request){
		.config = config,
		.l1_kernel = paths->l1_kernel,
		.appliance = paths->appliance,
		.modules = or_built(config->bochs.modules, paths->modules),
		.l2_kernel = or_built(config->l2.kernel, paths->l2_kernel),
		.l2_doses = or_built(config->l2.doses, paths->l2_doses),
		.l2_domain = paths->l2_domain,
		.l2_image = guest->image,
		.capabilities = paths->capabilities,
		.bochs_time = paths->bochs_time,
		.cancellable = experiment->cancellable,
	};
}
