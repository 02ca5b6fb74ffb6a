/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/experiment.h"

#include <stdio.h>

#include "cli/l1_boot.h"
#include "cli/progress.h"
#include "config/config_job.h"

/* The record and its working folder get their names when they are made. */
#define UNNAMED_RECORD "UTC-%s-%s"
#define WORK_FOLDER    ".partial-" UNNAMED_RECORD ".RANDOM/work"

static void print_l1(const struct experiment *experiment, const struct platform_request *request)
{
	struct platform_parts parts = { .kernel = NULL };

	experiment->platform->parts(request, &parts);
	printf("L1: %s (%s)\n", experiment->platform->name, experiment->platform->what);
	if (parts.kernel != NULL)
		printf("    kernel: %s, which is running\n", parts.kernel);
	else
		printf("    kernel: %s\n    arguments: %s\n    modules: %s\n    root: %s\n",
		       request->l1_kernel, parts.cmdline, request->modules, request->appliance);
	platform_parts_clear(&parts);
}

static void print_l2(const struct experiment *experiment, const struct platform_request *request)
{
	const struct config *config = experiment->config;
	const bool own = config_has_guest(config);
	const struct paths *paths = experiment->paths;

	if (!own)
		printf("L2: kernel: %s\n", job_is_dose(config->experiment.workload)
						   ? request->l2_doses
						   : request->l2_kernel);
	printf("%s image: %s, into an %s of which %s puts %s\n    domain: %s\n",
	       own ? "L2:" : "   ", request->l2_image, own ? "overlay" : "unchanged copy",
	       own ? paths->user_helper : paths->guestfs_helper,
	       or_built(config->l2.probe, paths->probe), request->l2_domain);
	printf("    %u MiB, %u vCPU%s, workload %s\n", config_l2_memory(config), config->l2.vcpus,
	       config->l2.vcpus == 1 ? "" : "s", config->experiment.workload);
	if (experiment->command != NULL)
		printf("    command: %s\n", experiment->command->line);
}

int experiment_print(const struct experiment *experiment, GError **error)
{
	const struct config *config = experiment->config;
	const struct paths *paths = experiment->paths;
	const char *platform = experiment->platform->name;
	const struct progress_place place = { .expected = experiment->expected };
	const double seconds = progress_place_total(&place, 0);
	g_autoptr(struct_job) job = job_from_config(config, JOB_EXPERIMENT);
	g_autofree char *text = job_to_text(job);
	g_autofree char *work = g_strdup_printf("%s/" WORK_FOLDER, paths->results, platform,
						config->experiment.workload);
	g_autofree char *command = NULL;
	struct platform_request request;

	l1_request(experiment, &request);
	request.job = job;
	request.work = work;
	request.l2_image = config_has_guest(config)
				   ? config->l2.guest
				   : or_built(config->l2.image, paths->l2_base_image);
	if (config_has_guest(config))
		request.l2_format = "qcow2";
	command = experiment->platform->command(&request, error);
	if (command == NULL)
		return (*error)->code;
	print_l1(experiment, &request);
	print_l2(experiment, &request);
	printf("Record: %s/" UNNAMED_RECORD "/\n", paths->results, platform,
	       config->experiment.workload);
	if (seconds >= 0)
		printf("Time: %.0f s, by earlier records\n", seconds);
	printf("\nWhat L1's agent is told to do (job.conf):\n\n%s\n"
	       "What would be started, in %s:\n\n%s\n",
	       text, work, command);
	return 0;
}
