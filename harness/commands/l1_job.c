/* SPDX-License-Identifier: GPL-2.0-only */
#include "commands/l1_job.h"

#include <errno.h>
#include <glib/gstdio.h>

#include "commands/commands.h"
#include "commands/interrupt.h"
#include "commands/paths.h"
#include "commands/progress.h"
#include "model/config.h"
#include "model/l1_result.h"
#include "model/record.h"
#include "platform/platform.h"

static void on_step(uint64_t ticks G_GNUC_UNUSED, const char *text, void *data)
{
	progress_step(data, text);
}

static bool make_folder(const char *path, GError **error)
{
	if (g_mkdir_with_parents(path, 0755) == 0)
		return true;
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_MACHINE,
		    "L0: the folder %s could not be made (%s)", path, g_strerror(errno));
	return false;
}

/* What is borrowed by all of it. */
struct setting {
	const struct paths *paths;
	const struct config *config;
	const char *folder;
	GCancellable *cancellable;
};

static bool boot(const struct setting *setting, enum job_task task, const char *step,
		 l1_job_use use, void *data, GError **error)
{
	const struct paths *paths = setting->paths;
	const struct platform *platform =
		platform_find(setting->config->experiment.platform, error);
	g_autofree char *work = g_build_filename(setting->folder, "work", NULL);
	g_autofree char *console = g_build_filename(setting->folder, "l1-console.log", NULL);
	g_autofree char *log = g_build_filename(setting->folder, "emulator.log", NULL);
	g_autoptr(struct_progress) progress = progress_new(-1);
	g_autoptr(struct_job) job = job_from_config(setting->config, task);
	g_autoptr(struct_record) record = record_new(EPTLAB_VERSION, "", "bochs", "");
	g_autoptr(l1_result) result = l1_result_new(record, on_step, progress);
	g_autoptr(frameset) frames =
		frameset_new("L1", EPTLAB_ERROR_L1, L1_SENDER, l1_result_add, result);
	const struct platform_request request = {
		.config = setting->config,
		.job = job,
		.l1_kernel = paths->l1_kernel,
		.appliance = paths->appliance,
		.modules = paths->modules,
		.extra_modules = task == JOB_KUNIT ? paths->extra_modules : NULL,
		.l2_kernel = paths->l2_kernel,
		.l2_doses = paths->l2_doses,
		.l2_domain = paths->l2_domain,
		.bochs_time = paths->bochs_time,
		.work = work,
		.console = console,
		.log = log,
		.frames = frames,
		.cancellable = setting->cancellable,
	};
	struct record_u64 ticks;

	if (platform == NULL || !make_folder(work, error))
		return false;
	progress_step(progress, step);
	return platform->boot(&request, &record->platform, &ticks, error) &&
	       l1_result_finish(result, error) && use(l1_result_texts(result), data, error);
}

int l1_job_run(enum job_task task, const char *step, const char *folder, l1_job_use use, void *data,
	       GError **error)
{
	g_autoptr(GCancellable) cancellable = interrupt_catch();
	g_autoptr(struct_paths) paths = NULL;
	g_autoptr(struct_config) config = NULL;
	struct setting setting = { .folder = folder, .cancellable = cancellable };

	paths = paths_find(error);
	if (paths == NULL || !paths_are_built(paths, error))
		return (*error)->code;
	config = config_load(paths->configs, NULL, NULL, error);
	if (config == NULL)
		return (*error)->code;
	setting.paths = paths;
	setting.config = config;
	return boot(&setting, task, step, use, data, error) ? 0 : (*error)->code;
}
