/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <glib/gstdio.h>

#include "cli/experiment.h"
#include "cli/guest.h"
#include "cli/l1_boot.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "config/config_job.h"
#include "judge/conform.h"
#include "base/folder.h"
#include "report/conform.h"
#include "base/each.h"

/* In the folder of records, and hidden: it is none. */
#define FOLDER ".conform-XXXXXX"

/* A marking on its way. */
struct marking {
	const struct experiment *experiment;
	struct progress *progress;
	struct record *record; /* only a place for runs; nothing is stored */
	struct job *job;
	struct guest guest;
	char *folder; /* consoles and logs */
	GPtrArray *marks;
};

static void add_runs(struct marking *marking)
{
	each (const struct job_run, asked, marking->job->runs) {
		struct record_run *run = record_run_new(asked->name);

		run->requested.ept = record_bool_from(asked->ept);
		run->requested.vpid = record_bool_from(asked->vpid);
		g_ptr_array_add(marking->record->runs, run);
	}
}

static probe_result *parse(frame_texts *texts, const char *run, const char *file)
{
	g_autofree char *name = g_strdup_printf("%s/%s", run, file);
	const GString *frames = frame_texts_get(texts, name);
	g_autoptr(probe_result) probe =
		frames != NULL ? probe_result_parse(frames->str, frames->len, NULL) : NULL;

	return probe != NULL && probe_result_readings(probe)->len > 0 ? g_steal_pointer(&probe)
								      : NULL;
}

static const char *console_of(frame_texts *texts, const char *run)
{
	g_autofree char *name = g_strdup_printf("%s/%s", run, L1_FILE_CONSOLE);
	const GString *console = frame_texts_get(texts, name);

	return console != NULL ? console->str : NULL;
}

/* Texts of each run, to be looked at when a mark is not ok. */
static bool keep_texts(const struct marking *marking, frame_texts *texts, GError **error)
{
	GHashTableIter at;
	gpointer name, text;

	g_hash_table_iter_init(&at, texts);
	while (g_hash_table_iter_next(&at, &name, &text)) {
		g_autofree char *path = g_build_filename(marking->folder, name, NULL);
		g_autofree char *folder = g_path_get_dirname(path);
		const GString *content = text;
		g_autoptr(GError) cause = NULL;

		if (g_mkdir_with_parents(folder, 0755) == 0 &&
		    g_file_set_contents(path, content->str, (gssize)content->len, &cause))
			continue;
		return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
				   "L0: %s could not be written (%s); free some disk space", path,
				   cause != NULL ? cause->message : "no folder");
	}
	return true;
}

static void judge(struct marking *marking, frame_texts *texts)
{
	struct conform_subject subject = {
		.config = &marking->experiment->config->conform,
		.record = marking->record,
		.runs = g_array_new(FALSE, FALSE, sizeof(struct conform_run)),
	};

	each (const struct record_run, run, marking->record->runs) {
		struct conform_run one = {
			.run = run,
			.probe = parse(texts, run->config, L1_FILE_PROBE),
			.companion = parse(texts, run->config, L1_FILE_COMPANION),
			.console = console_of(texts, run->config),
		};

		g_array_append_val(subject.runs, one);
	}
	marking->marks = conform_judge(&subject);
	each_value (struct conform_run, one, subject.runs) {
		probe_result_free((probe_result *)one->probe);
		probe_result_free((probe_result *)one->companion);
	}
	g_array_unref(subject.runs);
}

/*
 * What the kernel did wrong, up to a crash, is for the marks; what this machine did wrong is an
 * error.
 */
static bool is_of_the_kernel(const GError *error)
{
	return error->domain == EPTLAB_ERROR &&
	       (error->code == EPTLAB_ERROR_L1 || error->code == EPTLAB_ERROR_L2 ||
		error->code == EPTLAB_ERROR_TIMEOUT);
}

static bool boot(struct marking *marking, GError **error)
{
	const struct experiment *experiment = marking->experiment;
	const struct config_conform *config = &experiment->config->conform;
	g_autofree char *work = g_build_filename(marking->folder, "work", NULL);
	g_autoptr(l1_result) result = NULL;
	struct platform_request request;
	g_autoptr(GError) failure = NULL;

	g_mkdir_with_parents(work, 0755);
	guest_request(experiment, &marking->guest, &request);
	request.l1_kernel = or_built(config->kernel, request.l1_kernel);
	request.modules = or_built(config->modules, request.modules);
	request.job = marking->job;
	result = l1_boot(experiment, &request, marking->folder, work, marking->record,
			 marking->progress, "L1: booting", &failure);
	l1_result_finish(result, NULL);
	folder_remove(work);
	if (failure != NULL && !is_of_the_kernel(failure)) {
		keep_texts(marking, l1_result_texts(result), NULL);
		g_propagate_error(error, g_steal_pointer(&failure));
		return false;
	}
	if (failure != NULL)
		fprintf(stderr, "eptlab: %s\n", failure->message);
	judge(marking, l1_result_texts(result));
	return keep_texts(marking, l1_result_texts(result), error);
}

static bool make_folder(struct marking *marking, GError **error)
{
	const char *results = marking->experiment->paths->results;
	g_autofree char *folder = g_build_filename(results, FOLDER, NULL);

	if (g_mkdir_with_parents(results, 0755) == 0 && g_mkdtemp(folder) != NULL) {
		marking->folder = g_steal_pointer(&folder);
		return true;
	}
	return eptlab_fail(error, EPTLAB_ERROR_MACHINE,
			   "L0: no folder could be made in %s (%s); free some disk space", results,
			   g_strerror(errno));
}

static bool prepare(struct marking *marking, GError **error)
{
	const struct experiment *experiment = marking->experiment;

	marking->job = job_new(experiment->config, JOB_CONFORM);
	/* The kernel's own counters are half of what is to be shown. */
	marking->job->witness = experiment->config->conform.ours;
	if (!conform_add_runs(marking->job, experiment->config, error))
		return false;
	marking->record = record_new(EPTLAB_VERSION, "", experiment->platform->name, "conform");
	add_runs(marking);
	return make_folder(marking, error) &&
	       guest_prepare(experiment, marking->progress, &marking->guest, error);
}

static void marking_clear(struct marking *marking, bool keep)
{
	progress_free(marking->progress);
	guest_clear(&marking->guest);
	record_free(marking->record);
	job_free(marking->job);
	g_clear_pointer(&marking->marks, g_ptr_array_unref);
	if (marking->folder != NULL && keep)
		fprintf(stderr, "Consoles and logs: %s\n", marking->folder);
	else if (marking->folder != NULL)
		folder_remove(marking->folder);
	g_free(marking->folder);
}

static int mark(const struct experiment *experiment, GError **error)
{
	struct marking marking = {
		.experiment = experiment,
		.progress = progress_new(NULL),
	};
	const bool ok = prepare(&marking, error) && boot(&marking, error);
	int status = ok ? 0 : (*error)->code;

	/* Also where the texts behind them could not be kept. */
	if (marking.marks != NULL) {
		g_autofree char *tap = report_tap(marking.marks);
		g_autofree char *table = report_marks(marking.marks);

		g_clear_pointer(&marking.progress, progress_free);
		fputs(tap, stdout);
		fprintf(stderr, "%s", table);
		if (ok && !conform_is_good(marking.marks))
			status = EPTLAB_ERROR_INVALID;
	}
	marking_clear(&marking, status != 0);
	return status;
}

static const struct arguments arguments = {
	.names = "[BZIMAGE MODULES]",
	.summary =
		"Is the KVM of a kernel right? Boot it as L1, have a guest take known doses, and "
		"mark\n"
		"what it counts. TAP on standard output, a table for people on standard error.",
	.description =
		"Examples:\n  eptlab conform\n  eptlab conform arch/x86/boot/bzImage modules/\n"
		"  eptlab conform --set conform.ours=0 --set conform.exits_leaf=0x4ffffffd\n\n"
		"Exit status: 0 if all marks are ok, 3 if one is not; others as for eptlab run.",
	.most = 2,
	.takes = "conform takes a bzImage and a folder of its modules, or neither",
};

int command_conform(int argc, char **argv, GError **error)
{
	g_autoptr(struct_session) session = session_open(&argc, &argv, &arguments, error);
	struct experiment experiment;

	if (session == NULL)
		return EPTLAB_ERROR_USAGE;
	if (argc == 2)
		return eptlab_status(error, EPTLAB_ERROR_USAGE, "L0: %s; see eptlab conform --help",
				     arguments.takes);
	session->marks = true;
	if (argc == 3) {
		session_set(session, "conform.kernel", argv[1]);
		session_set(session, "conform.modules", argv[2]);
	}
	if (!session_prepare(session, &experiment, error))
		return (*error)->code;
	return mark(&experiment, error);
}
