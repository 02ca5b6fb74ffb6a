/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/experiment.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "cli/commands.h"
#include "cli/formats.h"
#include "cli/guest.h"
#include "cli/inputs.h"
#include "cli/l1_boot.h"
#include "cli/progress.h"
#include "cli/side.h"
#include "config/config_job.h"
#include "kmod/modules.h"
#include "record/kernel_conf.h"
#include "record/store.h"
#include "judge/rules.h"
#include "report/report.h"
#include "base/each.h"

/* An experiment on its way. */
struct course {
	const struct experiment *experiment;
	struct progress *progress;
	struct record *record;
	record_store *store;
	struct guest guest;
};

/* kvm_intel is nothing to an AMD CPU, nor kvm_amd to an Intel one. */
static bool is_other_vendor(const char *module, const char *vendor)
{
	return g_str_equal(module, g_str_equal(vendor, "svm") ? "kvm_intel" : "kvm_amd");
}

/* Any KVM may count by tracepoint: then it is what was given that must be loaded. */
static bool has_given_modules(const struct experiment *experiment)
{
	return config_is_tracepoint(experiment->config) &&
	       (experiment->platform->is_this_machine || *experiment->config->l1.modules != '\0');
}

static void add_module(struct course *course, const char *name, const char *built)
{
	const struct experiment *experiment = course->experiment;
	const struct config *config = experiment->config;
	const char *folder =
		experiment->platform->is_this_machine ? config->local.modules : config->l1.modules;
	g_autofree char *given =
		has_given_modules(experiment)
			? modules_file_build_id(*folder != '\0' ? folder : NULL, name)
			: g_strdup(built);

	g_ptr_array_add(course->record->kernel.modules, record_module_new(name, given));
}

static bool describe_kernel(struct course *course, GError **error)
{
	const struct experiment *experiment = course->experiment;
	const struct paths *paths = experiment->paths;
	struct record_kernel *kernel = &course->record->kernel;
	g_autoptr(struct_kernel_conf) conf =
		kernel_conf_load(experiment->platform->is_this_machine ? paths_installed_conf(paths)
								       : paths->kernel_conf,
				 error);

	if (conf == NULL)
		return false;
	/* Which series those have, and whether one, is not known. */
	if (!has_given_modules(experiment)) {
		record_set_string(&kernel->patches_sha256, conf->patches_sha256);
		record_set_string(&kernel->line, conf->line);
	}
	each (const struct record_module, one, conf->modules) {
		if (!is_other_vendor(one->name, course->record->platform.vendor))
			add_module(course, one->name, one->build_id);
	}
	return true;
}

static void copy_guest(const struct record_guest *from, struct record_guest *to)
{
	record_set_string(&to->image_sha256, from->image_sha256);
	record_set_string(&to->kernel_sha256, from->kernel_sha256);
	record_set_string(&to->probe_sha256, from->probe_sha256);
	to->memory_mib = from->memory_mib;
	to->vcpus = from->vcpus;
}

/* The runs that are to be made; what is in effect comes later, from L1. */
static void add_runs(struct course *course)
{
	const struct config *config = course->experiment->config;

	for (char **name = config->experiment.configurations; *name != NULL; name++) {
		const struct config_module *module = config_find_module(config, *name);
		struct record_run *run = record_run_new(*name);

		run->source = config_is_tracepoint(config) ? RECORD_TRACEPOINT : RECORD_LEAVES;
		run->requested.ept = record_bool_from(module->ept);
		run->requested.vpid = record_bool_from(module->vpid);
		g_ptr_array_add(course->record->runs, run);
	}
}

/* What is known by now of all runs that are made. */
static void describe_runs(struct course *course)
{
	struct record *record = course->record;

	each (struct record_run, run, record->runs) {
		record_run_describe(run, record);
		copy_guest(&record->guest, &run->guest);
	}
}

/* A run that could not be compared is not made: the rules would say so when it is too late. */
static bool fits_other(struct course *course, GError **error)
{
	const struct record_run *other = course->experiment->other;
	g_autofree char *different = NULL;

	describe_runs(course);
	if (other == NULL)
		return true;
	different = rules_not_a_pair(other, g_ptr_array_index(course->record->runs, 0));
	if (different == NULL)
		return true;
	return eptlab_fail(
		error, EPTLAB_ERROR_USAGE,
		"L0: this run must not be compared with the other half of the newest record, "
		"\"%s\" (%s); give the settings that it was made with, or make both again "
		"with \"eptlab run\"",
		other->config, different);
}

static bool prepare(struct course *course, GError **error)
{
	return describe_kernel(course, error) && fits_other(course, error) &&
	       guest_prepare(course->experiment, course->progress, &course->guest, error) &&
	       guest_describe(course->experiment, &course->guest, course->record->workload,
			      &course->record->guest, error) &&
	       fits_other(course, error);
}

static bool describe_inputs(struct course *course, const struct platform_request *request,
			    GError **error)
{
	struct record *record = course->record;
	g_autoptr(GPtrArray) inputs = inputs_of(course->experiment, request, &record->guest, error);

	for (guint i = 0; inputs != NULL && i < record->runs->len; i++) {
		struct record_run *run = g_ptr_array_index(record->runs, i);

		run->inputs = g_ptr_array_ref(inputs);
	}
	return inputs != NULL;
}

/* What cannot be written keeps nothing else from being tried; the first error is told. */
static bool store_texts(struct course *course, frame_texts *texts, GError **error)
{
	GHashTableIter at;
	gpointer name, text;
	bool ok = true;

	g_hash_table_iter_init(&at, texts);
	while (g_hash_table_iter_next(&at, &name, &text)) {
		const GString *content = text;

		ok = record_store_write(course->store, name, content->str, content->len,
					ok ? error : NULL) &&
		     ok;
	}
	return ok;
}

/* Only an emulator's time-stamp counter counts instructions. */
static void forget_ticks(struct record *record)
{
	for (unsigned int i = 0; i < record->runs->len; i++)
		((struct record_run *)g_ptr_array_index(record->runs, i))->ticks.known = false;
}

/* Boot L1 and collect; the first error is the one that counts, but what came is kept always. */
static bool boot(struct course *course, GError **error)
{
	const struct experiment *experiment = course->experiment;
	const char *store = record_store_path(course->store);
	g_autofree char *work = record_store_work(course->store);
	g_autoptr(struct_job) job = job_from_config(experiment->config, JOB_EXPERIMENT);
	g_autoptr(l1_result) result = NULL;
	struct platform_request request;
	g_autoptr(GError) first = NULL;
	bool ok;

	guest_request(experiment, &course->guest, &request);
	request.job = job;
	/* Should the harness be killed, the next one finds what was to be done. */
	if (!describe_inputs(course, &request, error) ||
	    !record_store_save(course->store, course->record, error))
		return false;
	result = l1_boot(experiment, &request, store, work, course->record, course->progress,
			 "L1: booting", &first);
	ok = l1_result_finish(result, first == NULL ? &first : NULL) && first == NULL;
	if (ok)
		ok = guest_is_unchanged(experiment, &course->guest, &first);
	describe_runs(course);
	if (!course->record->ticks.known)
		forget_ticks(course->record);
	record_store_end_work(course->store);
	ok = store_texts(course, l1_result_texts(result), first == NULL ? &first : NULL) && ok;
	if (!ok)
		g_propagate_error(error, g_steal_pointer(&first));
	return ok;
}

/* From what the record has: they can be made again, so they come when it is in its place. */
static bool store_reports(const char *record, const struct report *report, GError **error)
{
	for (const struct format *one = formats_of_record(); one->name != NULL; one++) {
		g_autofree char *text = one->make(report);
		g_autofree char *path = g_build_filename(record, one->file, NULL);
		g_autoptr(GError) cause = NULL;

		if (g_file_set_contents(path, text, -1, &cause))
			continue;
		return eptlab_fail(
			error, EPTLAB_ERROR_MACHINE,
			"L0: the record %s is complete, but its %s could not be written (%s); "
			"with room again, \"eptlab compare\" and \"eptlab report\" make each "
			"report of it",
			record, one->file, cause->message);
	}
	return true;
}

/* On a platform that repeats itself, what there is to hold these runs against. */
static void find_earlier(struct course *course)
{
	const struct record *record = course->record;

	if (record->platform.deterministic != RECORD_TRUE)
		return;
	for (guint i = 0; i < record->runs->len; i++)
		record_find_earlier(course->experiment->paths->results,
				    g_ptr_array_index(record->runs, i));
}

/* The run with EPT comes first, as in an experiment, so that a comparison reads the same way. */
static void add_other_run(struct record *record, const struct record_run *other)
{
	int last = (int)record->runs->len;

	g_ptr_array_insert(record->runs, other->requested.ept == RECORD_TRUE ? 0 : last,
			   record_run_copy(other));
}

/* Judge, report, store. Returns the exit status. */
static int conclude(struct course *course, GError **error)
{
	struct record *record = course->record;
	const struct record_run *other = course->experiment->other;
	g_autoptr(struct_comparison) comparison = NULL;
	g_autofree char *log_a = NULL;
	g_autofree char *log_b = NULL;
	g_autofree char *name = NULL;
	g_autofree char *path = NULL;
	g_autofree char *text = NULL;
	struct report report;
	bool stored;

	find_earlier(course);
	if (other != NULL)
		add_other_run(record, other);
	rules_judge(record);
	comparison = comparison_new(
		g_ptr_array_index(record->runs, 0), NULL,
		record->runs->len > 1 ? g_ptr_array_index(record->runs, 1) : NULL, NULL);
	name = g_strdup(record_store_name(course->store));
	report = report_of_record(record, comparison, name);
	log_a = side_kernel_log(record_store_path(course->store), comparison->a);
	if (comparison->b != NULL)
		log_b = side_kernel_log(record_store_path(course->store), comparison->b);
	report.kernel_logs[0] = log_a;
	report.kernel_logs[1] = log_b;
	text = report_text(&report, terminal_width(), terminal_has_colour());
	path = record_store_commit(g_steal_pointer(&course->store), record, error);
	stored = path != NULL && store_reports(path, &report, error);
	g_clear_pointer(&course->progress, progress_free);
	fputs(text, stdout);
	/* Apart from the report, and seen also where that goes nowhere. */
	if (path != NULL)
		fprintf(stderr, "Record: %s\n", path);
	if (!stored)
		return EPTLAB_ERROR_MACHINE;
	return record->verdict == RECORD_VALID ? 0 : EPTLAB_ERROR_INVALID;
}

/* A failed experiment leaves a record too: consoles and logs say what happened. */
static int give_up(struct course *course, GError *failure, GError **error)
{
	g_autoptr(GError) not_kept = NULL;
	g_autofree char *path = NULL;
	int status = failure->code;

	course->record->verdict = RECORD_FAILED;
	record_set_string(&course->record->error, failure->message);
	if (course->store != NULL)
		path = record_store_commit(g_steal_pointer(&course->store), course->record,
					   &not_kept);
	g_clear_pointer(&course->progress, progress_free);
	if (path != NULL)
		fprintf(stderr, "Consoles and logs: %s\n", path);
	if (not_kept != NULL)
		fprintf(stderr, "No record could be made: %s\n", not_kept->message);
	g_propagate_error(error, failure);
	return status;
}

static struct record *new_record(const struct experiment *experiment, GDateTime *now)
{
	g_autofree char *created = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
	struct record *record = record_new(EPTLAB_VERSION, created, experiment->platform->name,
					   experiment->config->experiment.workload);

	experiment->platform->describe(experiment->config, &record->platform);
	return record;
}

static void course_clear(struct course *course)
{
	record_store_abort(course->store);
	record_free(course->record);
	progress_free(course->progress);
	guest_clear(&course->guest);
}

static void record_time(struct course *course)
{
	course->record->seconds = progress_seconds(course->progress);
	course->record->steps = progress_steps(course->progress);
}

int experiment_run(const struct experiment *experiment, GError **error)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	struct course course = {
		.experiment = experiment,
		.progress = progress_new(experiment->expected),
		.record = new_record(experiment, now),
	};
	GError *failure = NULL;
	int status;

	add_runs(&course);
	/* Nothing is stored before L1 is about to boot: there is nothing measured until then. */
	if (!prepare(&course, &failure)) {
		status = failure->code;
		g_propagate_error(error, failure);
		course_clear(&course);
		return status;
	}
	course.store =
		record_store_begin(experiment->paths->results, now, experiment->platform->name,
				   experiment->config->experiment.workload, &failure);
	if (course.store != NULL && boot(&course, &failure)) {
		record_time(&course);
		status = conclude(&course, error);
	} else {
		record_time(&course);
		status = give_up(&course, failure, error);
	}
	course_clear(&course);
	return status;
}
