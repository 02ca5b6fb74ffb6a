/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CLI_L1_JOB_H
#define EPTLAB_CLI_L1_JOB_H

#include <stdbool.h>

#include "cli/experiment.h"
#include "cli/progress.h"
#include "wire/frameset.h"
#include "wire/job.h"

/* What to do with the texts that L1 has sent; they are borrowed. */
typedef bool (*l1_job_use)(frame_texts *texts, void *data, GError **error);

/*
 * Boot L1 once, as the experiment would, for a job in which no L2 is booted. step is said while L1
 * boots. Consoles and temporary files are in folder, which is made and is the caller's to remove.
 */
bool l1_job_run(const struct experiment *experiment, enum job_task task, struct progress *progress,
		const char *step, const char *folder, l1_job_use use, void *data, GError **error);

#endif
