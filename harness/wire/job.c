/* SPDX-License-Identifier: GPL-2.0-only */
#include "wire/job.h"

#include "wire/dose_list.h"
#include "base/error.h"
#include "wire/frame.h"

#define GROUP_JOB "job"
#define GROUP_RUN "run " /* and the run's name */

static const char *const task_names[] = {
	[JOB_EXPERIMENT] = "experiment",
	[JOB_CONFORM] = "conform",
	[JOB_CAPABILITIES] = "capabilities",
	[JOB_KUNIT] = "kunit",
	[JOB_SCRIPT] = "script",
};

static const char *const reload_names[] = {
	[JOB_RELOAD_ALL] = "all",
	[JOB_RELOAD_VENDOR] = "vendor",
	[JOB_RELOAD_NONE] = "none",
};

static const char *const source_names[] = {
	[JOB_LEAVES] = "leaves",
	[JOB_TRACEPOINT] = "tracepoint",
};

static const char *const flag_names[] = {
	[JOB_UNSET] = "unset",
	[JOB_OFF] = "off",
	[JOB_ON] = "on",
};

static void run_free(void *data)
{
	struct job_run *run = data;

	g_free(run->name);
	g_free(run->workload);
	g_free(run->append);
	g_free(run->companion);
	g_free(run);
}

void job_free(struct job *job)
{
	if (job == NULL)
		return;
	g_free(job->tracepoints);
	g_free(job->uri);
	g_ptr_array_unref(job->runs);
	g_free(job);
}

bool job_is_dose(const char *workload)
{
#define WORKLOAD(function, name, n) DOSE_WORKLOAD_PREFIX name,
	static const char *const workloads[] = { DOSE_WORKLOAD_ALL, DOSE_LIST(WORKLOAD) NULL };

	return g_strv_contains(workloads, workload);
}

struct job *job_empty(void)
{
	struct job *job = g_new0(struct job, 1);

	job->runs = g_ptr_array_new_with_free_func(run_free);
	return job;
}

static void run_to_file(const struct job_run *run, GKeyFile *file)
{
	g_autofree char *group = g_strconcat(GROUP_RUN, run->name, NULL);

	g_key_file_set_boolean(file, group, "ept", run->ept);
	g_key_file_set_boolean(file, group, "vpid", run->vpid);
	g_key_file_set_string(file, group, "unrestricted_guest",
			      flag_names[run->unrestricted_guest]);
	g_key_file_set_string(file, group, "pcid", flag_names[run->pcid]);
	g_key_file_set_string(file, group, "thp", flag_names[run->thp]);
	g_key_file_set_string(file, group, "reload", reload_names[run->reload]);
	g_key_file_set_string(file, group, "workload", run->workload);
	g_key_file_set_uint64(file, group, "vcpus", run->vcpus);
	g_key_file_set_string(file, group, "append", run->append);
	g_key_file_set_string(file, group, "companion", run->companion);
}

char *job_to_text(const struct job *job)
{
	g_autoptr(GKeyFile) file = g_key_file_new();

	g_key_file_set_string(file, GROUP_JOB, "task", task_names[job->task]);
	g_key_file_set_string(file, GROUP_JOB, "uri", job->uri);
	g_key_file_set_boolean(file, GROUP_JOB, "own", job->own);
	g_key_file_set_uint64(file, GROUP_JOB, "memory_mib", job->memory_mib);
	g_key_file_set_uint64(file, GROUP_JOB, "timeout_seconds", job->timeout_seconds);
	g_key_file_set_string(file, GROUP_JOB, "source", source_names[job->source]);
	g_key_file_set_boolean(file, GROUP_JOB, "cycles", job->cycles);
	g_key_file_set_boolean(file, GROUP_JOB, "witness", job->witness);
	g_key_file_set_string(file, GROUP_JOB, "tracepoints", job->tracepoints);
	for (unsigned int i = 0; i < job->runs->len; i++)
		run_to_file(g_ptr_array_index(job->runs, i), file);
	return g_key_file_to_data(file, NULL, NULL);
}

/* Each getter leaves *cause alone once it is set, so that one check at the end is enough. */
static char *get_string(GKeyFile *file, const char *group, const char *key, GError **cause)
{
	return *cause != NULL ? NULL : g_key_file_get_string(file, group, key, cause);
}

static unsigned int get_number(GKeyFile *file, const char *group, const char *key, GError **cause)
{
	g_autofree char *text = get_string(file, group, key, cause);
	uint64_t value;

	if (text == NULL || *cause != NULL)
		return 0;
	/* GKeyFile takes -1 for 2^64 - 1. */
	if (frame_parse_u64(text, &value) && value <= UINT_MAX)
		return (unsigned int)value;
	eptlab_fail(cause, EPTLAB_ERROR_L1, "%s is \"%s\", expected a number", key, text);
	return 0;
}

static bool get_flag(GKeyFile *file, const char *group, const char *key, GError **cause)
{
	return *cause == NULL && g_key_file_get_boolean(file, group, key, cause);
}

/* The index of name in names; 0, and *cause set, if it is none of them. */
static unsigned int find_name(const char *const *names, unsigned int count, const char *name,
			      GError **cause)
{
	for (unsigned int i = 0; name != NULL && i < count; i++) {
		if (g_str_equal(name, names[i]))
			return i;
	}
	if (*cause == NULL)
		eptlab_fail(cause, EPTLAB_ERROR_L1, "\"%s\" is not known", name);
	return 0;
}

static enum job_flag get_choice(GKeyFile *file, const char *group, const char *key, GError **cause)
{
	g_autofree char *text = get_string(file, group, key, cause);

	return find_name(flag_names, G_N_ELEMENTS(flag_names), text, cause);
}

static void load_run(struct job *job, GKeyFile *file, const char *group, GError **cause)
{
	g_autofree char *reload = get_string(file, group, "reload", cause);
	struct job_run *run = g_new(struct job_run, 1);

	*run = (struct job_run){
		.name = g_strdup(group + strlen(GROUP_RUN)),
		.ept = get_flag(file, group, "ept", cause),
		.vpid = get_flag(file, group, "vpid", cause),
		.unrestricted_guest = get_choice(file, group, "unrestricted_guest", cause),
		.pcid = get_choice(file, group, "pcid", cause),
		.thp = get_choice(file, group, "thp", cause),
		.reload = find_name(reload_names, G_N_ELEMENTS(reload_names), reload, cause),
		.workload = get_string(file, group, "workload", cause),
		.vcpus = get_number(file, group, "vcpus", cause),
		.append = get_string(file, group, "append", cause),
		.companion = get_string(file, group, "companion", cause),
	};
	g_ptr_array_add(job->runs, run);
}

static void load_runs(struct job *job, GKeyFile *file, GError **cause)
{
	g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);

	for (char **group = groups; *group != NULL; group++) {
		if (g_str_has_prefix(*group, GROUP_RUN))
			load_run(job, file, *group, cause);
	}
}

struct job *job_load(const char *path, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(GError) cause = NULL;
	g_autoptr(struct_job) job = job_empty();

	if (g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &cause)) {
		g_autofree char *task = get_string(file, GROUP_JOB, "task", &cause);
		g_autofree char *source = get_string(file, GROUP_JOB, "source", &cause);

		job->task = find_name(task_names, G_N_ELEMENTS(task_names), task, &cause);
		job->source = find_name(source_names, G_N_ELEMENTS(source_names), source, &cause);
		job->uri = get_string(file, GROUP_JOB, "uri", &cause);
		job->own = get_flag(file, GROUP_JOB, "own", &cause);
		job->memory_mib = get_number(file, GROUP_JOB, "memory_mib", &cause);
		job->timeout_seconds = get_number(file, GROUP_JOB, "timeout_seconds", &cause);
		job->cycles = get_flag(file, GROUP_JOB, "cycles", &cause);
		job->witness = get_flag(file, GROUP_JOB, "witness", &cause);
		job->tracepoints = get_string(file, GROUP_JOB, "tracepoints", &cause);
		load_runs(job, file, &cause);
	}
	if (cause != NULL)
		return eptlab_null(error, EPTLAB_ERROR_L1,
				   "L1: the job medium's %s is not what L0 writes (%s)", path,
				   cause->message);
	return g_steal_pointer(&job);
}
