/* SPDX-License-Identifier: GPL-2.0-only */
#include "config/config_job.h"

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
		.workload = g_strdup(workload),
		.vcpus = vcpus,
		.append = g_strdup(append),
		.companion = g_strdup(""),
	};
	g_ptr_array_add(job->runs, run);
	return run;
}

struct job *job_from_config(const struct config *config, enum job_task task)
{
	struct job *job = job_new(config, task);
	const char *append = config->l2.append;
	g_autofree char *sized =
		g_strdup_printf("eptlab.n=%" G_GUINT64_FORMAT "%s%s", config->experiment.n,
				*append != '\0' ? " " : "", append);

	job->source = config_is_tracepoint(config) ? JOB_TRACEPOINT : JOB_LEAVES;
	for (char **name = config->experiment.configurations; *name != NULL; name++)
		job_add_run(job, *name, config_find_module(config, *name),
			    config->experiment.workload, config->l2.vcpus,
			    config->experiment.n > 0 ? sized : append);
	return job;
}
