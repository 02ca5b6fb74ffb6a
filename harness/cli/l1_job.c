/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/l1_job.h"

#include <errno.h>
#include <glib/gstdio.h>

#include "cli/commands.h"
#include "cli/guest.h"
#include "config/config_job.h"
#include "collect/l1_result.h"

static void on_step(uint64_t ticks G_GNUC_UNUSED, const char *text, void *data)
{
	progress_step(data, text);
}

static bool make_folder(const char *path, GError **error)
{
	if (g_mkdir_with_parents(path, 0755) == 0)
		return true;
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE, "L0: the folder %s could not be made (%s)",
			   path, g_strerror(errno));
}

bool l1_job_run(const struct experiment *experiment, enum job_task task, struct progress *progress,
		const char *step, const char *folder, l1_job_use use, void *data, GError **error)
{
	const struct platform *platform = experiment->platform;
	const struct guest no_guest = { .capabilities = NULL };
	g_autofree char *work = g_build_filename(folder, "work", NULL);
	g_autofree char *console = g_build_filename(folder, "l1-console.log", NULL);
	g_autofree char *log = g_build_filename(folder, "emulator.log", NULL);
	g_autoptr(struct_job) job = job_from_config(experiment->config, task);
	g_autoptr(struct_record) record = record_new(EPTLAB_VERSION, "", platform->name, "");
	g_autoptr(l1_result) result = l1_result_new(record, on_step, progress);
	g_autoptr(frameset) frames =
		frameset_new("L1", EPTLAB_ERROR_L1, L1_SENDER, l1_result_add, result);
	struct platform_request request;
	struct record_u64 ticks;

	if (!make_folder(work, error))
		return false;
	guest_request(experiment, &no_guest, &request);
	request.job = job;
	if (task == JOB_KUNIT)
		request.extra_modules = experiment->paths->extra_modules;
	if (task == JOB_SCRIPT)
		request.script = experiment->script;
	request.work = work;
	request.console = console;
	request.log = log;
	request.frames = frames;
	progress_step(progress, step);
	if (!platform->boot(&request, &record->platform, &ticks, error))
		return false;
	/* What a script has printed tells why it failed. */
	if (task == JOB_SCRIPT && !use(l1_result_texts(result), data, error))
		return false;
	return l1_result_finish(result, error) &&
	       (task == JOB_SCRIPT || use(l1_result_texts(result), data, error));
}
