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
#include "cli/selection.h"
#include "config/config_job.h"
#include "kmod/modules.h"
#include "record/kernel_conf.h"
#include "record/store.h"
#include "judge/bounds.h"
#include "judge/rules.h"
#include "report/report.h"
#include "base/each.h"

/* An experiment on its way: it may fail at any step. */
struct attempt {
	const struct experiment *experiment;
	struct progress *progress;
	struct record *record;
	record_store *store;
	struct guest guest;
	struct job *job;
	struct platform_request request;
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

static void add_module(struct attempt *attempt, const char *name, const char *built)
{
	const struct experiment *experiment = attempt->experiment;
	const struct config *config = experiment->config;
	const char *folder =
		experiment->platform->is_this_machine ? config->local.modules : config->l1.modules;
	g_autofree char *given =
		has_given_modules(experiment)
			? modules_file_build_id(*folder != '\0' ? folder : NULL, name)
			: g_strdup(built);

	g_ptr_array_add(attempt->record->kernel.modules, record_module_new(name, given));
}

static bool describe_kernel(struct attempt *attempt, GError **error)
{
	const struct experiment *experiment = attempt->experiment;
	const struct paths *paths = experiment->paths;
	struct record_kernel *kernel = &attempt->record->kernel;
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
		if (!is_other_vendor(one->name, attempt->record->platform.vendor))
			add_module(attempt, one->name, one->build_id);
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

static enum record_bool asked_for(enum job_flag flag)
{
	return flag == JOB_UNSET ? RECORD_UNKNOWN : record_bool_from(flag == JOB_ON);
}

/* The runs that are to be made; what is in effect comes later, from L1. */
static void add_runs(struct attempt *attempt)
{
	const struct config *config = attempt->experiment->config;

	for (char **name = config->experiment.configurations; *name != NULL; name++) {
		const struct config_module *module = config_find_module(config, *name);
		struct record_run *run = record_run_new(*name);

		if (attempt->experiment->command != NULL)
			record_set_string(&run->command.line, attempt->experiment->command->line);
		run->source = config_is_tracepoint(config) ? RECORD_TRACEPOINT : RECORD_LEAVES;
		run->requested.ept = record_bool_from(module->ept);
		run->requested.vpid = record_bool_from(module->vpid);
		run->requested.unrestricted_guest = asked_for(module->unrestricted_guest);
		run->requested.pcid = asked_for(module->pcid);
		run->requested.thp = asked_for(module->thp);
		/* Who boots a system of his own has the kernel's arguments there; a dose has none.
		 */
		if (!config_has_guest(config) && !job_is_dose(config->experiment.workload))
			run->requested.pti = record_bool_from(config->l2.pti);
		g_ptr_array_add(attempt->record->runs, run);
	}
}

/* What is known by now of all runs that are made. */
static void describe_runs(struct attempt *attempt)
{
	struct record *record = attempt->record;

	each (struct record_run, run, record->runs) {
		record_run_describe(run, record);
		copy_guest(&record->guest, &run->guest);
	}
}

/* A run that could not be compared is not made: the rules would say so when it is too late. */
static bool fits_others(struct attempt *attempt, GError **error)
{
	describe_runs(attempt);
	each (const struct record_run, other, attempt->experiment->others) {
		g_autofree char *different =
			rules_not_a_pair(other, g_ptr_array_index(attempt->record->runs, 0));

		if (different != NULL)
			return eptlab_fail(
				error, EPTLAB_ERROR_USAGE,
				"L0: this run must not be compared with the run of the newest "
				"record that is kept, \"%s\" (%s); give the settings that it was "
				"made with, or make all again with \"eptlab run\"",
				other->config, different);
	}
	return true;
}

/* What an AMD CPU has no control for would be the same run twice. */
static bool fits_vendor(const struct attempt *attempt, GError **error)
{
	const struct record *record = attempt->record;
	const struct record_run *first = g_ptr_array_index(record->runs, 0);

	if (g_strcmp0(record->platform.vendor, "svm") != 0)
		return true;
	each (const struct record_run, run, record->runs) {
		const bool guest = run->requested.unrestricted_guest == RECORD_FALSE;

		if (guest || run->requested.vpid != first->requested.vpid)
			return eptlab_fail(
				error, EPTLAB_ERROR_USAGE,
				"L0: the configuration \"%s\" asks for another %s, and L1's CPU is "
				"AMD's, whose SVM has no such control: %s; leave it out, or take "
				"the platform bochs",
				run->config, guest ? "unrestricted guest" : "VPID than the first",
				guest ? "real mode always runs in the guest"
				      : "its TLB is always tagged, by ASID");
	}
	return true;
}

static bool describe_inputs(struct attempt *attempt, GError **error)
{
	struct record *record = attempt->record;
	g_autoptr(GPtrArray) inputs =
		inputs_of(attempt->experiment, &attempt->request, &record->guest, error);

	for (guint i = 0; inputs != NULL && i < record->runs->len; i++) {
		struct record_run *run = g_ptr_array_index(record->runs, i);

		run->inputs = g_ptr_array_ref(inputs);
	}
	return inputs != NULL;
}

/* What L1 is given, and what all of that is made of. */
static bool make_request(struct attempt *attempt, GError **error)
{
	const struct experiment *experiment = attempt->experiment;

	attempt->job = job_from_config(experiment->config, JOB_EXPERIMENT);
	guest_request(experiment, &attempt->guest, &attempt->request);
	attempt->request.job = attempt->job;
	return describe_inputs(attempt, error);
}

static bool prepare(struct attempt *attempt, GError **error)
{
	return fits_vendor(attempt, error) && describe_kernel(attempt, error) &&
	       fits_others(attempt, error) &&
	       guest_prepare(attempt->experiment, attempt->progress, &attempt->guest, error) &&
	       guest_describe(attempt->experiment, &attempt->guest, attempt->record->workload,
			      &attempt->record->guest, error) &&
	       fits_others(attempt, error) && make_request(attempt, error);
}

/* What cannot be written keeps nothing else from being tried; the first error is told. */
static bool store_texts(struct attempt *attempt, frame_texts *texts, GError **error)
{
	GHashTableIter at;
	gpointer name, text;
	bool ok = true;

	g_hash_table_iter_init(&at, texts);
	while (g_hash_table_iter_next(&at, &name, &text)) {
		const GString *content = text;

		ok = record_store_write(attempt->store, name, content->str, content->len,
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
static bool boot(struct attempt *attempt, GError **error)
{
	const struct experiment *experiment = attempt->experiment;
	const char *store = record_store_path(attempt->store);
	g_autofree char *work = record_store_work(attempt->store);
	g_autoptr(l1_result) result = NULL;
	g_autoptr(GError) first = NULL;
	bool ok;

	/* Should the harness be killed, the next one finds what was to be done. */
	if (!record_store_save(attempt->store, attempt->record, error))
		return false;
	result = l1_boot(experiment, &attempt->request, store, work, attempt->record,
			 attempt->progress, "L1: booting", &first);
	ok = l1_result_finish(result, first == NULL ? &first : NULL) && first == NULL;
	if (ok)
		ok = guest_is_unchanged(experiment, &attempt->guest, &first);
	describe_runs(attempt);
	if (!attempt->record->ticks.known)
		forget_ticks(attempt->record);
	record_store_end_work(attempt->store);
	ok = store_texts(attempt, l1_result_texts(result), first == NULL ? &first : NULL) && ok;
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
static void find_earlier(struct attempt *attempt)
{
	const struct record *record = attempt->record;

	if (record->platform.deterministic != RECORD_TRUE)
		return;
	for (guint i = 0; i < record->runs->len; i++)
		record_find_earlier(attempt->experiment->paths->results,
				    g_ptr_array_index(record->runs, i));
}

static void add_others(struct record *record, const struct experiment *experiment)
{
	for (guint i = 0; experiment->others != NULL && i < experiment->others->len; i++)
		g_ptr_array_insert(record->runs, (int)(i < experiment->place ? i : i + 1),
				   record_run_copy(experiment->others->pdata[i]));
}

/* Say of each bound whether it holds. Returns the exit status. */
static int hold_against(const GPtrArray *bounds, const struct record *record)
{
	int status = 0;

	if (record->verdict != RECORD_VALID) {
		fprintf(stderr, "Nothing is known of what was expected: the record is invalid\n");
		return EXPERIMENT_UNTRIED;
	}
	each (const struct bound, bound, bounds) {
		g_autofree char *said = NULL;
		const enum bound_verdict verdict = bound_judge(bound, record, &said);

		printf("%s\n", said);
		if (verdict == BOUND_UNKNOWN)
			status = EXPERIMENT_UNTRIED;
		else if (verdict == BOUND_BROKEN && status == 0)
			status = EPTLAB_ERROR_INVALID;
	}
	return status;
}

static void tell_made(const struct attempt *attempt, const char *path)
{
	if (attempt->experiment->made != NULL)
		attempt->experiment->made->record = g_strdup(path);
}

/* Judge, report, store. Returns the exit status. */
static int conclude(struct attempt *attempt, GError **error)
{
	struct record *record = attempt->record;
	g_autoptr(struct_comparison) comparison = NULL;
	g_autoptr(GPtrArray) logs = NULL;
	g_autofree char *name = NULL;
	g_autofree char *path = NULL;
	g_autofree char *text = NULL;
	struct report report;
	bool stored;

	find_earlier(attempt);
	add_others(record, attempt->experiment);
	rules_judge(record);
	comparison = comparison_new(
		g_ptr_array_index(record->runs, 0), NULL,
		record->runs->len > 1 ? g_ptr_array_index(record->runs, 1) : NULL, NULL);
	name = g_strdup(record_store_name(attempt->store));
	report = report_of_record(record, comparison, name);
	logs = selection_kernel_logs(record_store_path(attempt->store), record->runs);
	report.kernel_logs = (const char *const *)logs->pdata;
	text = report_text(&report, terminal_width(), terminal_has_colour());
	path = record_store_commit(g_steal_pointer(&attempt->store), record, error);
	tell_made(attempt, path);
	stored = path != NULL && store_reports(path, &report, error);
	g_clear_pointer(&attempt->progress, progress_free);
	fputs(text, stdout);
	/* Apart from the report, and seen also where that goes nowhere. */
	if (path != NULL)
		fprintf(stderr, "Record: %s\n", path);
	if (!stored)
		return EPTLAB_ERROR_MACHINE;
	if (attempt->experiment->bounds != NULL)
		return hold_against(attempt->experiment->bounds, record);
	return record->verdict == RECORD_VALID ? 0 : EPTLAB_ERROR_INVALID;
}

/* A failed experiment leaves a record too: consoles and logs say what happened. */
static int give_up(struct attempt *attempt, GError *failure, GError **error)
{
	g_autoptr(GError) not_kept = NULL;
	g_autofree char *path = NULL;
	int status = failure->code;

	attempt->record->verdict = RECORD_FAILED;
	record_set_string(&attempt->record->error, failure->message);
	if (attempt->store != NULL)
		path = record_store_commit(g_steal_pointer(&attempt->store), attempt->record,
					   &not_kept);
	tell_made(attempt, path);
	g_clear_pointer(&attempt->progress, progress_free);
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
	record->platform.deterministic = record_bool_from(experiment->platform->repeats);
	if (experiment->cell != NULL)
		record_set_cell(record, experiment->cell);
	return record;
}

static void attempt_clear(struct attempt *attempt)
{
	record_store_abort(attempt->store);
	record_free(attempt->record);
	progress_free(attempt->progress);
	guest_clear(&attempt->guest);
	if (attempt->job != NULL)
		job_free(attempt->job);
}

/* A record of the same, made before. */
static bool take(const struct attempt *attempt)
{
	const struct experiment *experiment = attempt->experiment;

	if (experiment->cell == NULL || experiment->made == NULL)
		return false;
	experiment->made->record = record_find_made(experiment->paths->results, attempt->record,
						    experiment->cell->repeat);
	experiment->made->taken = experiment->made->record != NULL;
	return experiment->made->taken;
}

static void record_time(struct attempt *attempt)
{
	attempt->record->seconds = progress_seconds(attempt->progress);
	attempt->record->steps = progress_steps(attempt->progress);
}

int experiment_run(const struct experiment *experiment, GError **error)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	struct attempt attempt = {
		.experiment = experiment,
		.progress = progress_new(experiment->expected),
		.record = new_record(experiment, now),
	};
	GError *failure = NULL;
	int status;

	add_runs(&attempt);
	/* Nothing is stored before L1 is about to boot: there is nothing measured until then. */
	if (!prepare(&attempt, &failure)) {
		status = failure->code;
		g_propagate_error(error, failure);
		attempt_clear(&attempt);
		return status;
	}
	if (take(&attempt)) {
		attempt_clear(&attempt);
		return 0;
	}
	attempt.store =
		record_store_begin(experiment->paths->results, now, experiment->platform->name,
				   experiment->config->experiment.workload, &failure);
	if (attempt.store != NULL && boot(&attempt, &failure)) {
		record_time(&attempt);
		status = conclude(&attempt, error);
	} else {
		record_time(&attempt);
		status = give_up(&attempt, failure, error);
	}
	attempt_clear(&attempt);
	return status;
}
