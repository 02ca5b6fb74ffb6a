/* SPDX-License-Identifier: GPL-2.0-only */
#include "commands/commands.h"

#include <errno.h>
#include <glib/gstdio.h>

#include "commands/interrupt.h"
#include "commands/paths.h"
#include "commands/progress.h"
#include "model/config.h"
#include "model/job.h"
#include "model/l1_result.h"
#include "model/record.h"
#include "platform/platform.h"

/*
 * For the Makefile: boot L1 and have libvirt there find out about QEMU. The answers, which libvirt
 * keeps in its cache, become the folder that is named, so that no experiment begins with questions.
 */

static void on_step(uint64_t ticks G_GNUC_UNUSED, const char *text, void *data)
{
	progress_step(data, text);
}

static bool write_answers(frame_texts *texts, const char *folder, GError **error)
{
	GHashTableIter at;
	gpointer name, text;

	if (g_hash_table_size(texts) == 0) {
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
			    "L1: libvirt has kept no answers of QEMU in its cache; read "
			    "l1-console.log");
		return false;
	}
	g_hash_table_iter_init(&at, texts);
	while (g_hash_table_iter_next(&at, &name, &text)) {
		g_autofree char *file = g_path_get_basename(name);
		g_autofree char *path = g_build_filename(folder, file, NULL);
		const GString *content = text;
		g_autoptr(GError) cause = NULL;

		if (!g_file_set_contents(path, content->str, (gssize)content->len, &cause)) {
			g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_MACHINE,
				    "L0: the answers of QEMU could not be kept (%s)",
				    cause->message);
			return false;
		}
	}
	return true;
}

static bool make_folder(const char *path, GError **error)
{
	if (g_mkdir_with_parents(path, 0755) == 0)
		return true;
	g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_MACHINE,
		    "L0: the folder %s could not be made (%s)", path, g_strerror(errno));
	return false;
}

static bool ask(const struct paths *paths, const struct config *config, const char *folder,
		GCancellable *cancellable, GError **error)
{
	const struct platform *platform = platform_find(config->experiment.platform, error);
	g_autofree char *work = g_build_filename(folder, "work", NULL);
	g_autofree char *console = g_build_filename(folder, "l1-console.log", NULL);
	g_autofree char *log = g_build_filename(folder, "emulator.log", NULL);
	g_autoptr(struct_progress) progress = progress_new(-1);
	g_autoptr(struct_job) job = job_from_config(config, JOB_CAPABILITIES);
	g_autoptr(struct_record) record = record_new(EPTLAB_VERSION, "", "bochs", "");
	g_autoptr(l1_result) result = l1_result_new(record, on_step, progress);
	g_autoptr(frameset) frames =
		frameset_new("L1", EPTLAB_ERROR_L1, L1_SENDER, l1_result_add, result);
	const struct platform_request request = {
		.config = config,
		.job = job,
		.l1_kernel = paths->l1_kernel,
		.appliance = paths->appliance,
		.modules = paths->modules,
		.l2_kernel = paths->l2_kernel,
		.l2_domain = paths->l2_domain,
		.bochs_time = paths->bochs_time,
		.work = work,
		.console = console,
		.log = log,
		.frames = frames,
		.cancellable = cancellable,
	};
	g_autofree char *answers = g_build_filename(folder, "answers", NULL);
	struct record_u64 ticks;

	if (platform == NULL || !make_folder(work, error) || !make_folder(answers, error))
		return false;
	progress_step(progress, "L1: booting, so that libvirt finds out about QEMU");
	return platform->boot(&request, &record->platform, &ticks, error) &&
	       l1_result_finish(result, error) &&
	       write_answers(l1_result_texts(result), answers, error);
}

int command_capabilities(int argc, char **argv, GError **error)
{
	g_autoptr(GCancellable) cancellable = interrupt_catch();
	g_autoptr(struct_paths) paths = NULL;
	g_autoptr(struct_config) config = NULL;

	if (argc != 2 || *argv[1] == '-') {
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_USAGE,
			    "L0: capabilities takes one folder, to be made");
		return EPTLAB_ERROR_USAGE;
	}
	paths = paths_find(error);
	if (paths == NULL || !paths_are_built(paths, error))
		return (*error)->code;
	config = config_load(paths->configs, NULL, NULL, error);
	if (config == NULL || !ask(paths, config, argv[1], cancellable, error))
		return (*error)->code;
	return 0;
}
