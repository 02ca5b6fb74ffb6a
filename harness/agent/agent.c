/* SPDX-License-Identifier: GPL-2.0-only */
#include "agent/agent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/kmsg.h"
#include "agent/link.h"
#include "agent/modules.h"
#include "agent/runs.h"
#include "agent/stage.h"
#include "agent/texts.h"
#include "model/error.h"
#include "model/job.h"
#include "model/l1_result.h"
#include "virt/embedded.h"

static bool send_release(struct link *link, GError **error)
{
	struct utsname name;

	uname(&name);
	frame_add_string(link_frame(link, L1_FRAME_L1), "release", name.release);
	return link_send(link, error);
}

static bool send_failure(struct link *link, const GError *failure, GError **error)
{
	struct frame_line *line = link_frame(link, L1_FRAME_FAIL);

	frame_add_u64(line, "code", (uint64_t)failure->code);
	/* A message may quote libvirt at any length; its beginning is what counts. */
	frame_add_part(line, "message", failure->message, strlen(failure->message));
	return link_send(link, error);
}

/* The KUnit tests run when their module is loaded, and tell the kernel log. */
static bool do_kunit(struct link *link, const struct stage *stage, const struct job *job,
		     GError **error)
{
	static const struct {
		const char *folder;
		const char *name;
	} modules[] = {
		{ JOB_EXTRA_MODULES, "kunit" },
		{ JOB_MODULES, "irqbypass" },
		{ JOB_MODULES, "kvm" },
		{ JOB_EXTRA_MODULES, "kvm_exitcount_kunit" },
	};
	const struct job_run *run = g_ptr_array_index(job->runs, 0);
	g_autoptr(GString) log = g_string_new(NULL);
	int kmsg = kmsg_open_at_end(error);
	bool ok = kmsg >= 0 && link_step(link, "L1: running the KUnit tests", error);

	for (unsigned int i = 0; ok && i < G_N_ELEMENTS(modules); i++) {
		g_autofree char *folder = stage_job(stage, modules[i].folder);

		ok = modules_load(folder, modules[i].name, error);
	}
	ok = ok && kmsg_read(kmsg, log, error) && texts_send_log(link, run->name, log, error);
	if (kmsg >= 0)
		close(kmsg);
	return ok;
}

static bool send_capabilities(struct link *link, const struct stage *stage, GError **error)
{
	g_autofree char *where = g_build_filename(stage->libvirt, EMBEDDED_CAPABILITIES, NULL);
	g_autoptr(GDir) folder = g_dir_open(where, 0, NULL);
	const char *name;

	while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
		g_autofree char *path = g_build_filename(where, name, NULL);

		if (!texts_send_file(link, JOB_CAPABILITIES_FOLDER, name, path, error))
			return false;
	}
	return true;
}

static bool do_capabilities(struct link *link, const struct stage *stage, const struct job *job,
			    GError **error)
{
	const struct modules_vendor *vendor = modules_vendor(error);
	const struct job_run *run = g_ptr_array_index(job->runs, 0);
	g_autofree char *modules = stage_job(stage, JOB_MODULES);
	g_autoptr(struct_hypervisor) hypervisor = NULL;

	if (vendor == NULL || !link_step(link, "L1: libvirt finds out about QEMU", error) ||
	    !modules_reload(vendor, modules, run, job->cycles, error))
		return false;
	hypervisor = runs_open_libvirt(stage, error);
	return hypervisor != NULL && hypervisor_probe(hypervisor, error) &&
	       send_capabilities(link, stage, error);
}

static bool do_job(struct link *link, const struct stage *stage, GError **error)
{
	g_autofree char *path = stage_job(stage, JOB_FILE);
	g_autoptr(struct_job) job = job_load(path, error);

	if (job == NULL || !send_release(link, error))
		return false;
	switch (job->task) {
	case JOB_EXPERIMENT:
	case JOB_CONFORM:
		return runs_do(link, stage, job, error);
	case JOB_CAPABILITIES:
		return do_capabilities(link, stage, job, error);
	case JOB_KUNIT:
		return do_kunit(link, stage, job, error);
	}
	return false;
}

static int work(const struct stage *stage)
{
	g_autoptr(GError) error = NULL;
	struct link link;

	if (!link_open(&link, STAGE_LINK, &error)) {
		fprintf(stderr, "eptlab: %s\n", error->message);
		return error->code;
	}
	if (!do_job(&link, stage, &error)) {
		fprintf(stderr, "eptlab: %s\n", error->message);
		send_failure(&link, error, NULL);
	}
	if (!link_close(&link, NULL))
		return EPTLAB_ERROR_L1;
	return error != NULL ? error->code : 0;
}

/*
 * pid 1 inherits the orphans, QEMU among them, and must reap them: to libvirt a zombie is a QEMU
 * that did not end. So the work is done by a child, and libvirt waits for its own children in
 * peace.
 */
int agent_main(void)
{
	g_autoptr(GError) error = NULL;
	struct stage *stage;
	pid_t worker, ended;
	int status = 0;

	if (getpid() != 1) {
		fprintf(stderr, "eptlab: L1: the agent is pid 1 of L1's appliance and runs nowhere "
				"else; use eptlab run\n");
		return EPTLAB_ERROR_USAGE;
	}
	stage = stage_set(&error);
	if (stage == NULL) {
		fprintf(stderr, "eptlab: %s\n", error->message);
		stage_leave();
	}
	worker = fork();
	if (worker == 0)
		_exit(work(stage));
	if (worker < 0) {
		fprintf(stderr, "eptlab: L1: the agent could not fork (%s)\n", strerror(errno));
		stage_leave();
	}
	do
		ended = waitpid(-1, &status, 0);
	while (ended != worker && (ended >= 0 || errno == EINTR));
	if (WIFSIGNALED(status))
		fprintf(stderr, "eptlab: L1: the agent died (%s)\n", strsignal(WTERMSIG(status)));
	stage_leave();
}
