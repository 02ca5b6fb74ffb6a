/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EPTLAB_CLI_L1_JOBS_H
#define EPTLAB_CLI_L1_JOBS_H

#include <stdbool.h>

#include "cli/experiment.h"
#include "cli/progress.h"
#include "wire/frameset.h"
#include "wire/job.h"

/* What L1 is booted for without an L2. */

/* What to do with the texts that L1 has sent; they are borrowed. */
typedef bool (*l1_job_use)(frame_texts *texts, void *data, GError **error);

/*
 * Boot L1 once, as the experiment would, for a job in which no L2 is booted. step is said while L1
 * boots. Consoles and temporary files are in folder, which is made and is the caller's to remove.
 */
bool l1_job_run(const struct experiment *experiment, enum job_task task, struct progress *progress,
		const char *step, const char *folder, l1_job_use use, void *data, GError **error);

/* All of the texts, one behind the other. The caller frees it. */
char *l1_job_text(frame_texts *texts);

/*
 * The folder of cli/capabilities.h, for which L1 is booted once if there is none. The caller frees
 * it. NULL; errors of the platform.
 */
char *capabilities_make(const struct experiment *experiment, struct progress *progress,
			GError **error);

#endif
