/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/job.h"

#include "model/error.h"

#define GROUP_JOB    "job"
#define GROUP_MODULE "module " /* and the configuration's name */

static const char *const task_names[] = {
	[JOB_EXPERIMENT] = "experiment",
	[JOB_CAPABILITIES] = "capabilities",
};

static void module_free(void *data)
{
	struct config_module *module = data;

	g_free(module->name);
	g_free(module);
}

static void job_add_module(struct job *job, const char *name, bool ept, bool vpid)
{
	struct config_module *module = g_new(struct config_module, 1);

	*module = (struct config_module){ .name = g_strdup(name), .ept = ept, .vpid = vpid };
	g_ptr_array_add(job->modules, module);
}

static struct job *job_new(void)
{
	struct job *job = g_new0(struct job, 1);

	job->modules = g_ptr_array_new_with_free_func(module_free);
	return job;
}

void job_free(struct job *job)
{
	if (job == NULL)
		return;
	g_free(job->workload);
	g_free(job->append);
	g_ptr_array_unref(job->modules);
	g_free(job);
}

struct job *job_from_config(const struct config *config, enum job_task task)
{
	struct job *job = job_new();

	job->task = task;
	job->workload = g_strdup(config->experiment.workload);
	job->memory_mib = config->l2.memory_mib;
	job->vcpus = config->l2.vcpus;
	job->append = g_strdup(config->l2.append);
	job->timeout_seconds = config->l2.timeout_seconds;
	for (char **name = config->experiment.configurations; *name != NULL; name++) {
		const struct config_module *module = config_find_module(config, *name);

		job_add_module(job, module->name, module->ept, module->vpid);
	}
	return job;
}

char *job_to_text(const struct job *job)
{
	g_autoptr(GKeyFile) file = g_key_file_new();

	g_key_file_set_string(file, GROUP_JOB, "task", task_names[job->task]);
	g_key_file_set_string(file, GROUP_JOB, "workload", job->workload);
	g_key_file_set_uint64(file, GROUP_JOB, "memory_mib", job->memory_mib);
	g_key_file_set_uint64(file, GROUP_JOB, "vcpus", job->vcpus);
	g_key_file_set_string(file, GROUP_JOB, "append", job->append);
	g_key_file_set_uint64(file, GROUP_JOB, "timeout_seconds", job->timeout_seconds);
	for (unsigned int i = 0; i < job->modules->len; i++) {
		const struct config_module *module = g_ptr_array_index(job->modules, i);
		g_autofree char *group = g_strconcat(GROUP_MODULE, module->name, NULL);

		g_key_file_set_boolean(file, group, "ept", module->ept);
		g_key_file_set_boolean(file, group, "vpid", module->vpid);
	}
	return g_key_file_to_data(file, NULL, NULL);
}

/* Each getter leaves *cause alone once it is set, so that one check at the end is enough. */
static char *get_string(GKeyFile *file, const char *key, GError **cause)
{
	return *cause != NULL ? NULL : g_key_file_get_string(file, GROUP_JOB, key, cause);
}

static unsigned int get_number(GKeyFile *file, const char *key, GError **cause)
{
	return *cause != NULL ? 0
			      : (unsigned int)g_key_file_get_uint64(file, GROUP_JOB, key, cause);
}

static bool get_flag(GKeyFile *file, const char *group, const char *key, GError **cause)
{
	return *cause == NULL && g_key_file_get_boolean(file, group, key, cause);
}

static void load_modules(struct job *job, GKeyFile *file, GError **cause)
{
	g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);

	for (char **group = groups; *group != NULL; group++) {
		if (g_str_has_prefix(*group, GROUP_MODULE))
			job_add_module(job, *group + strlen(GROUP_MODULE),
				       get_flag(file, *group, "ept", cause),
				       get_flag(file, *group, "vpid", cause));
	}
}

static void load_task(struct job *job, const char *name, GError **cause)
{
	for (unsigned int i = 0; name != NULL && i < G_N_ELEMENTS(task_names); i++) {
		if (g_str_equal(name, task_names[i])) {
			job->task = (enum job_task)i;
			return;
		}
	}
	if (*cause == NULL)
		g_set_error(cause, EPTLAB_ERROR, EPTLAB_ERROR_L1, "no task is called \"%s\"", name);
}

struct job *job_load(const char *path, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(GError) cause = NULL;
	g_autoptr(struct_job) job = job_new();

	if (g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &cause)) {
		g_autofree char *task = get_string(file, "task", &cause);

		load_task(job, task, &cause);
		job->workload = get_string(file, "workload", &cause);
		job->memory_mib = get_number(file, "memory_mib", &cause);
		job->vcpus = get_number(file, "vcpus", &cause);
		job->append = get_string(file, "append", &cause);
		job->timeout_seconds = get_number(file, "timeout_seconds", &cause);
		load_modules(job, file, &cause);
	}
	if (cause != NULL) {
		g_set_error(error, EPTLAB_ERROR, EPTLAB_ERROR_L1,
			    "L1: the job medium's %s is not what L0 writes (%s)", path,
			    cause->message);
		return NULL;
	}
	return g_steal_pointer(&job);
}
