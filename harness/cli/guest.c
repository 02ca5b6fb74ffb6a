/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/guest.h"

#include <errno.h>
#include <glib/gstdio.h>

#include "base/each.h"
#include "base/folder.h"
#include "cli/capabilities.h"
#include "cli/l1_boot.h"
#include "cli/l1_jobs.h"
#include "config/config_job.h"
#include "l2/digest.h"
#include "l2/l2_image.h"
#include "virt/supervisor.h"
#include "wire/command.h"
#include "wire/job.h"

/* How long libguestfs may take, wall clock: fifteen times what it takes without KVM. */
#define INJECT_SECONDS 300

static void on_step(const char *text, void *data)
{
	g_autofree char *line = g_strconcat("L0: ", text, NULL);

	progress_step(data, line);
}

/* The file for the probe, in a temporary folder. */
static bool write_command(const struct experiment *experiment, struct guest *guest, GError **error)
{
	const struct command *command = experiment->command;
	g_autofree char *folder =
		g_build_filename(experiment->paths->guest_cache, "command-XXXXXX", NULL);
	g_autoptr(GError) cause = NULL;

	if (command == NULL)
		return true;
	g_mkdir_with_parents(experiment->paths->guest_cache, 0755);
	if (g_mkdtemp(folder) != NULL) {
		supervisor_remove(folder);
		guest->folder = g_steal_pointer(&folder);
		guest->command = g_build_filename(guest->folder, COMMAND_WORKLOAD, NULL);
		if (g_file_set_contents(guest->command, command->text->str,
					(gssize)command->text->len, &cause))
			return true;
	}
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: no file could be made in %s (%s); free some disk space",
			   experiment->paths->guest_cache,
			   cause != NULL ? cause->message : g_strerror(errno));
}

/* What is put into our image beside probe and workloads; the elements are borrowed. */
static GPtrArray *files_of(const struct experiment *experiment, struct guest_file *command)
{
	GPtrArray *files = g_ptr_array_new();

	if (experiment->command == NULL)
		return files;
	each (struct guest_file, file, experiment->command->files)
		g_ptr_array_add(files, file);
	g_ptr_array_add(files, command);
	return files;
}

static bool prepare_ours(const struct experiment *experiment, struct progress *progress,
			 struct guest *guest, GError **error)
{
	const struct paths *paths = experiment->paths;
	const struct config_l2 *l2 = &experiment->config->l2;
	struct guest_file command = {
		.host = guest->command,
		.guest = (char *)L2_IMAGE_WORKLOADS "/" COMMAND_WORKLOAD,
	};
	g_autoptr(GPtrArray) files = files_of(experiment, &command);
	const struct guest_inject_request request = {
		.base_image = or_built(l2->image, paths->l2_base_image),
		.probe = or_built(l2->probe, paths->probe),
		.workloads = paths->workloads,
		.files = files,
		.made = paths->made_guest,
		.cache = paths->guest_cache,
		.helper = paths->guestfs_helper,
		.seconds = INJECT_SECONDS,
		.progress = on_step,
		.progress_data = progress,
		.cancellable = experiment->cancellable,
	};

	progress_step(progress, "L0: looking for the probe in the L2 image");
	return guest_inject(&request, &guest->injected, error);
}

/* A workload without content is the boot itself: nothing is run. */
static char *workload_of(const struct experiment *experiment)
{
	const char *name = experiment->config->experiment.workload;
	g_autofree char *path = g_build_filename(experiment->paths->workloads, name, NULL);
	GStatBuf status;

	return g_strdup(g_stat(path, &status) == 0 && status.st_size > 0 ? path : "");
}

static bool prepare_own(const struct experiment *experiment, struct progress *progress,
			struct guest *guest, GError **error)
{
	const struct paths *paths = experiment->paths;
	const struct config_l2 *l2 = &experiment->config->l2;
	g_autofree char *workload =
		guest->command != NULL ? g_strdup(guest->command) : workload_of(experiment);
	g_autofree char *operations = job_operations(experiment->config);
	const struct user_image_request request = {
		.image = l2->guest,
		.probe = or_built(l2->probe, paths->probe),
		.workload = workload,
		.name = experiment->config->experiment.workload,
		.operations = operations,
		.files = experiment->command != NULL ? experiment->command->files : NULL,
		.cache = paths->guest_cache,
		.helper = paths->user_helper,
		.seconds = INJECT_SECONDS,
		.progress = on_step,
		.progress_data = progress,
		.cancellable = experiment->cancellable,
	};

	return user_image_make(&request, &guest->user, error);
}

bool guest_prepare(const struct experiment *experiment, struct progress *progress,
		   struct guest *guest, GError **error)
{
	*guest = (struct guest){ .capabilities = NULL };
	if (!write_command(experiment, guest, error))
		return false;
	if (config_has_guest(experiment->config)
		    ? !prepare_own(experiment, progress, guest, error)
		    : !prepare_ours(experiment, progress, guest, error))
		return false;
	if (capabilities_may_come(experiment)) {
		guest->capabilities = capabilities_find(experiment);
		return true;
	}
	guest->capabilities = capabilities_make(experiment, progress, error);
	return guest->capabilities != NULL;
}

void guest_clear(struct guest *guest)
{
	guest_injected_clear(&guest->injected);
	user_image_clear(&guest->user);
	if (guest->folder != NULL)
		folder_remove(guest->folder);
	g_clear_pointer(&guest->folder, g_free);
	g_clear_pointer(&guest->command, g_free);
	g_clear_pointer(&guest->capabilities, g_free);
}

/* The file that L2 boots for this workload: its Linux, or the dose guest. */
static const char *kernel_of(const struct experiment *experiment, const char *workload)
{
	const struct config_l2 *l2 = &experiment->config->l2;

	return job_is_dose(workload) ? or_built(l2->doses, experiment->paths->l2_doses)
				     : l2_kernel_of(experiment);
}

/* The Linux for one vCPU would boot as well, and use none of the others. */
static bool has_kernel(const struct experiment *experiment, const char *kernel, GError **error)
{
	const unsigned int vcpus = experiment->config->l2.vcpus;

	if (vcpus == 1 || kernel != experiment->paths->l2_kernel)
		return true;
	return eptlab_fail(
		error, EPTLAB_ERROR_MACHINE,
		"L0: L2 is to have %u vCPUs, and a Linux that uses more than one has not "
		"been built for it (%s); run \"make kernel KERNEL=6.1-smp\" in a clone of "
		"the sources, or give a kernel of your own (l2.kernel)",
		vcpus, experiment->paths->l2_kernel_smp);
}

/* Before it is read: it may be of any size. */
static bool fits_memory(const char *kernel, const struct config *config, GError **error)
{
	const guint64 most = (guint64)config->l2.memory_mib << 20;
	GStatBuf status;

	if (g_stat(kernel, &status) != 0 || (guint64)status.st_size < most)
		return true;
	return eptlab_fail(
		error, EPTLAB_ERROR_USAGE,
		"L0: %s, which L2 is to boot, is larger than L2's memory (memory_mib in [l2] "
		"is %u); give the kernel that was built",
		kernel, config->l2.memory_mib);
}

bool guest_describe(const struct experiment *experiment, const struct guest *guest,
		    const char *workload, struct record_guest *out, GError **error)
{
	const struct config *config = experiment->config;
	const bool own = config_has_guest(config);
	const char *file = kernel_of(experiment, workload);
	g_autofree char *kernel = NULL;

	if (own)
		kernel = g_strdup(guest->user.image_sha256);
	else if (has_kernel(experiment, file, error) && fits_memory(file, config, error))
		kernel = digest_file(file, error);
	if (kernel == NULL)
		return false;
	record_set_string(&out->image_sha256,
			  own ? guest->user.image_sha256 : guest->injected.image_sha256);
	record_set_string(&out->probe_sha256,
			  own ? guest->user.probe_sha256 : guest->injected.probe_sha256);
	record_set_string(&out->kernel_sha256, kernel);
	out->memory_mib = record_u64_from(config_l2_memory(config));
	out->vcpus = record_u64_from(config->l2.vcpus);
	return true;
}

bool guest_is_unchanged(const struct experiment *experiment, const struct guest *guest,
			GError **error)
{
	return !config_has_guest(experiment->config) ||
	       user_image_is_unchanged(&guest->user, experiment->config->l2.guest, error);
}

void guest_request(const struct experiment *experiment, const struct guest *guest,
		   struct platform_request *request)
{
	l1_request(experiment, request);
	request->capabilities = guest->capabilities;
	request->l2_image = guest->injected.image;
	if (!config_has_guest(experiment->config))
		return;
	request->l2_image = guest->user.overlay;
	request->l2_format = "qcow2";
}
