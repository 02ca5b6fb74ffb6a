/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_MODEL_JOB_H
#define EPTLAB_MODEL_JOB_H

#include <stdbool.h>
#include <glib.h>

#include "model/config.h"

/*
 * What L0 tells L1 to do. It travels on the job medium, the ISO 9660 disk that L1 is booted from,
 * which holds:
 *
 *	job.conf	 this structure
 *	modules/NAME.ko KVM
 *	l2/vmlinux	 L2's kernel, and l2/domain.xml, the template of its libvirt domain
 *	capabilities/	 what libvirt has found out about QEMU, so that it need not ask again
 */
#define JOB_FILE		"job.conf"
#define JOB_MODULES		"modules"
#define JOB_L2_KERNEL		"l2/vmlinux"
#define JOB_L2_DOMAIN		"l2/domain.xml"
#define JOB_CAPABILITIES_FOLDER "capabilities"

enum job_task {
	JOB_EXPERIMENT,	  /* each configuration in turn, L2 booted in each */
	JOB_CAPABILITIES, /* no L2: only let libvirt find out about QEMU, and send that */
};

struct job {
	enum job_task task;
	char *workload;
	unsigned int memory_mib;      /* of L2 */
	unsigned int vcpus;	      /* of L2 */
	char *append;		      /* more arguments for L2's kernel, or "" */
	unsigned int timeout_seconds; /* for one boot of L2, on L1's clock */
	GPtrArray *modules;	      /* of struct config_module: the configurations, in order */
};

/* The job that a configuration asks for. Free with job_free. */
struct job *job_from_config(const struct config *config, enum job_task task);
void job_free(struct job *job);

typedef struct job struct_job;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_job, job_free)

/* As text for JOB_FILE; the caller frees it. */
char *job_to_text(const struct job *job);

/* Read JOB_FILE. EPTLAB_ERROR_L1, as only L1 reads it: the medium is damaged. */
struct job *job_load(const char *path, GError **error);

#endif
