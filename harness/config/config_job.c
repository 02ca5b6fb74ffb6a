/* SPDX-License-Identifier: GPL-2.0-only */
#include "config/config_job.h"

#include "wire/workload_list.h"

struct job *job_new(const struct config *config, enum job_task task)
{
	struct job *job = job_empty();

	job->task = task;
	job->uri = g_strdup(g_str_equal(config->experiment.platform, "local") ? config->local.uri
									      : "");
	job->own = config_has_guest(config);
	job->memory_mib = config_l2_memory(config);
	job->timeout_seconds = config_l2_timeout(config);
	job->cycles = config->experiment.cycles;
	job->witness = config->experiment.witness;
	job->tracepoints = g_strdup(config->experiment.tracepoints);
	return job;
}

struct job_run *job_add_run(struct job *job, const char *name, const struct config_module *module,
			    const char *workload, unsigned int vcpus, const char *append)
{
	struct job_run *run = g_new(struct job_run, 1);

	*run = (struct job_run){
		.name = g_strdup(name),
		.ept = module->ept,
		.vpid = module->vpid,
		.unrestricted_guest = module->unrestricted_guest,
		.pcid = module->pcid,
		.thp = module->thp,
		.workload = g_strdup(workload),
		.vcpus = vcpus,
		.append = g_strdup(append),
		.companion = g_strdup(""),
	};
	g_ptr_array_add(job->runs, run);
	return run;
}

/* The dose guest has no Linux, and a KVM without the leaves no latch. */
char *job_operations(const struct config *config)
{
#define NAME(variable, name, n, what) ";" name
	char **names = config->experiment.operations;
	g_autofree char *listed = g_strjoinv(";", names);

	if (g_str_equal(listed, CONFIG_NONE) || job_is_dose(config->experiment.workload) ||
	    config_is_tracepoint(config))
		return g_strdup("");
	return g_strdup(g_str_equal(listed, CONFIG_ALL) ? &(WORKLOAD_LIST(NAME))[1] : listed);
}

/* For L2's kernel, or NULL. An image of the user's own has another one, but it is part of the job.
 */
static char *operations_argument(const struct config *config)
{
	g_autofree char *operations = job_operations(config);

	return *operations != '\0' ? g_strconcat(WORKLOAD_PARAMETER, operations, NULL) : NULL;
}

/* Arguments with blanks between; NULL ones are left out. */
static char *join(const char *const *all, size_t count)
{
	g_autoptr(GPtrArray) there = g_ptr_array_new();

	for (size_t i = 0; i < count; i++)
		if (all[i] != NULL && *all[i] != '\0')
			g_ptr_array_add(there, (char *)all[i]);
	g_ptr_array_add(there, NULL);
	return g_strjoinv(" ", (char **)there->pdata);
}

struct job *job_from_config(const struct config *config, enum job_task task)
{
	struct job *job = job_new(config, task);
	g_autofree char *operations = operations_argument(config);
	g_autofree char *size =
		config->experiment.n > 0
			? g_strdup_printf("eptlab.n=%" G_GUINT64_FORMAT, config->experiment.n)
			: NULL;
	const char *const arguments[] = { size, operations, config->l2.pti ? "pti=on" : NULL,
					  config->l2.append };
	g_autofree char *append = join(arguments, G_N_ELEMENTS(arguments));

	job->source = config_is_tracepoint(config) ? JOB_TRACEPOINT : JOB_LEAVES;
	for (char **name = config->experiment.configurations; *name != NULL; name++)
		job_add_run(job, *name, config_find_module(config, *name),
			    config->experiment.workload, config->l2.vcpus, append);
	return job;
}
