/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CONFIG_CONFIG_JOB_H
#define EPTLAB_CONFIG_CONFIG_JOB_H

#include "config/config.h"
#include "wire/job.h"

/* The job that a configuration asks for: apart from job.h, because L1's agent knows no
 * configuration. */

/* An empty job of that configuration, for job_add_run; job_from_config adds the runs itself. */
struct job *job_new(const struct config *config, enum job_task task);

/*
 * Add a run in that configuration's paging, after a reload of all of KVM and without companion. The
 * run that is returned is the job's, to be changed.
 */
struct job_run *job_add_run(struct job *job, const char *name, const struct config_module *module,
			    const char *workload, unsigned int vcpus, const char *append);

/* The job that a configuration asks for. Free with job_free. */
struct job *job_from_config(const struct config *config, enum job_task task);

/*
 * What L2's Linux is to do after its workload, as WORKLOAD_PARAMETER says it; "": nothing. The
 * caller frees it.
 */
char *job_operations(const struct config *config);

#endif
