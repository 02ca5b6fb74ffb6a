/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/l1_boot.h"

#include "cli/capabilities.h"

static void on_step(uint64_t ticks G_GNUC_UNUSED, const char *text, void *data)
{
	progress_step(data, text);
}

const char *or_built(const char *configured, const char *built)
{
	return *configured != '\0' ? configured : built;
}

const char *l2_kernel_of(const struct experiment *experiment)
{
	const struct paths *paths = experiment->paths;
	const struct config_l2 *l2 = &experiment->config->l2;
	const bool smp = l2->vcpus > 1 && g_file_test(paths->l2_kernel_smp, G_FILE_TEST_EXISTS);

	return or_built(l2->kernel, smp ? paths->l2_kernel_smp : paths->l2_kernel);
}

void l1_request(const struct experiment *experiment, struct platform_request *request)
{
	const struct paths *paths = experiment->paths;
	const struct config *config = experiment->config;

	*request = (struct platform_request){
		.config = config,
		.l1_kernel = paths->l1_kernel,
		.agent = paths->agent,
		.appliance = paths->appliance,
		.modules = or_built(config->l1.modules, paths->modules),
		.l2_kernel = l2_kernel_of(experiment),
		.l2_doses = or_built(config->l2.doses, paths->l2_doses),
		.l2_domain = paths->l2_domain,
		.l2_format = "raw",
		.bochs_time = paths->bochs_time,
		.l1_domain = paths->l1_domain,
		.qemu_conf = paths->qemu_conf,
		.libvirt_cache = paths->libvirt_cache,
		.cancellable = experiment->cancellable,
	};
}

l1_result *l1_boot(const struct experiment *experiment, struct platform_request *request,
		   const char *folder, const char *work, struct record *record,
		   struct progress *progress, const char *step, GError **failure)
{
	g_autofree char *console = g_build_filename(folder, "l1-console.log", NULL);
	g_autofree char *log = g_build_filename(folder, "emulator.log", NULL);
	g_autoptr(GError) cause = NULL;
	const bool asked = request->job->task == JOB_CAPABILITIES;
	l1_result *result = l1_result_new(record, on_step, progress);
	g_autoptr(frameset) frames =
		frameset_new("L1", EPTLAB_ERROR_L1, L1_SENDER, l1_result_add, result);

	request->work = work;
	request->console = console;
	request->log = log;
	request->frames = frames;
	progress_step(progress, step);
	experiment->platform->boot(request, &record->platform, &record->ticks, failure);
	/* Without them the next L1 asks again, no more; it is an error for who has asked for them.
	 */
	if ((asked || capabilities_may_come(experiment)) &&
	    !capabilities_keep(experiment, l1_result_texts(result), &cause) && asked &&
	    *failure == NULL)
		g_propagate_error(failure, g_steal_pointer(&cause));
	return result;
}
